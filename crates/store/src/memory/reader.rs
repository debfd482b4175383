//! What is looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use coffer_ledger::{
    Account, AccountId, AccountRecord, Action, Charge, ChargeId, Credits, Entry, Grant, GrantId, Hold,
    HoldId, HoldRecord, HoldStatus, KeyId, KeyRecord, Operation, OperatorKey, OperatorKeyId, Price,
    SecretHash, Session, SessionId, SessionOf, Timestamp, UuidBytes,
};

use super::{MemoryStore, State, pick};
use crate::day_sums::Spent;
use crate::{
    AccountFilter, ActionFilter, ChargeFilter, EntryOrder, EntryPage, EntryQuery, HoldFilter, Holder,
    NameSearch, Page, Reader, Span, StoreError, StoreHealth, StoreKind, Usage, UsageBy, UsageOf,
};

impl State {
    fn account_record(&self, id: AccountId) -> Option<AccountRecord> {
        let profile = self.account_profiles.get(&id)?.clone();
        Some(AccountRecord { profile, account: self.accounts[&id].clone() })
    }

    fn key_record(&self, id: KeyId) -> Option<KeyRecord> {
        Some(KeyRecord { profile: self.key_profiles.get(&id)?.clone(), key: self.keys[&id].clone() })
    }

    fn charge(&self, id: ChargeId) -> Option<Charge> {
        let charge = Charge::of_entry(self.entry_of_charge(id)?)?;
        Some(Charge { refunded: self.refunded.get(&id).copied().unwrap_or(Credits::ZERO), ..charge })
    }
}

#[async_trait]
impl Reader for MemoryStore {
    async fn holder(&self, secret: &SecretHash, _until: Timestamp) -> Result<Option<Holder>, StoreError> {
        let state = self.state();
        let key = state.secrets.get(secret).map(|id| &state.keys[id]);
        Ok(key.map(|key| Holder {
            key: Arc::new(key.clone()),
            account: Arc::new(state.accounts[&key.account_id].clone()),
        }))
    }

    async fn operator_key(&self, secret: &SecretHash) -> Result<Option<Arc<OperatorKey>>, StoreError> {
        Ok(self.state().operator_keys.values().find(|key| key.secret == *secret).cloned().map(Arc::new))
    }

    async fn operator_key_record(&self, id: OperatorKeyId) -> Result<Option<OperatorKey>, StoreError> {
        Ok(self.state().operator_keys.get(&id).cloned())
    }

    async fn operator_keys(&self, span: Span) -> Result<Page<OperatorKey>, StoreError> {
        let state = self.state();
        let older = state.operator_keys.values().rev().filter(|key| key.id.bytes() < span.before_or_end());
        Ok(Page::of(older.take(span.count_max + 1).cloned().collect(), span))
    }

    async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, StoreError> {
        Ok(self.state().accounts.get(&id).cloned().map(Arc::new))
    }

    async fn account_record(&self, id: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        Ok(self.state().account_record(id))
    }

    async fn account_records(
        &self,
        filter: AccountFilter,
        span: Span,
    ) -> Result<Page<AccountRecord>, StoreError> {
        let state = self.state();
        let records = state.accounts.keys().rev().filter_map(|id| state.account_record(*id));
        let wanted = records.filter(|record| {
            filter.status.is_none_or(|status| record.account.status == status)
                && (filter.external_id.is_none() || record.profile.external_id == filter.external_id)
        });
        Ok(page(wanted, span, |record| record.profile.id.bytes()))
    }

    async fn accounts_named(&self, search: NameSearch) -> Result<Page<AccountRecord>, StoreError> {
        let state = self.state();
        let mut found: Vec<(String, AccountId)> = state
            .account_profiles
            .values()
            .map(|profile| (profile.name.as_str().to_ascii_lowercase(), profile.id))
            .filter(|(name, id)| (name.as_str(), id.bytes()) > search.lower() && *name < search.upper())
            .collect();
        found.sort_unstable();
        let is_wanted =
            |record: &AccountRecord| search.status.is_none_or(|status| record.account.status == status);
        let records = found.into_iter().filter_map(|(_, id)| state.account_record(id)).filter(is_wanted);
        Ok(Page::of_up_to(records.take(search.count_max + 1).collect(), search.count_max))
    }

    async fn accounts_due(&self, until: Timestamp, count_max: usize) -> Result<Vec<AccountId>, StoreError> {
        let state = self.state();
        let mut due: Vec<_> = state
            .accounts
            .values()
            .filter_map(|account| Some((account.next_due().filter(|due| *due <= until)?, account.id)))
            .collect();
        due.sort_unstable();
        Ok(due.into_iter().map(|(_, id)| id).take(count_max).collect())
    }

    async fn key_record(&self, id: KeyId) -> Result<Option<(Account, KeyRecord)>, StoreError> {
        let state = self.state();
        Ok(state.key_record(id).map(|record| (state.accounts[&record.key.account_id].clone(), record)))
    }

    async fn key_records(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<(Account, Page<KeyRecord>)>, StoreError> {
        let state = self.state();
        let records = state.keys.keys().rev().filter_map(|id| state.key_record(*id));
        let page = page(records.filter(|record| record.key.account_id == account_id), span, |record| {
            record.key.id.bytes()
        });
        Ok(state.accounts.get(&account_id).cloned().map(|account| (account, page)))
    }

    async fn key_uses(&self, ids: Vec<KeyId>) -> Result<BTreeMap<KeyId, Timestamp>, StoreError> {
        let state = self.state();
        Ok(ids.into_iter().filter_map(|id| Some((id, *state.key_uses.get(&id)?))).collect())
    }

    async fn grant(&self, id: GrantId) -> Result<Option<(Account, Grant)>, StoreError> {
        let state = self.state();
        let grant = state.grants.get(&id).cloned();
        Ok(grant.map(|grant| (state.accounts[&grant.account_id].clone(), grant)))
    }

    async fn grants(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<(Account, Page<Grant>)>, StoreError> {
        let state = self.state();
        let grants = state.grants.values().rev().filter(|grant| grant.account_id == account_id).cloned();
        let page = page(grants, span, |grant| grant.lot.grant_id.bytes());
        Ok(state.accounts.get(&account_id).cloned().map(|account| (account, page)))
    }

    async fn charge(&self, id: ChargeId) -> Result<Option<Charge>, StoreError> {
        Ok(self.state().charge(id))
    }

    async fn charges(&self, filter: ChargeFilter, span: Span) -> Result<Page<Charge>, StoreError> {
        let state = self.state();
        let charges = state.charges.keys().rev().filter_map(|id| state.charge(*id));
        let wanted = charges.filter(|charge| {
            filter.account_id.is_none_or(|id| charge.account_id == id)
                && (filter.reference.is_none() || charge.note.reference == filter.reference)
        });
        Ok(page(wanted, span, |charge| charge.id.bytes()))
    }

    async fn hold(&self, id: HoldId) -> Result<Option<HoldRecord>, StoreError> {
        let state = self.state();
        Ok(state.holds.get(&id).map(|hold| state.hold_record(hold)))
    }

    async fn holds(&self, filter: HoldFilter, span: Span) -> Result<Page<HoldRecord>, StoreError> {
        let state = self.state();
        let status = |hold: &Hold| match hold.status {
            HoldStatus::Open if hold.expires_at <= filter.at => HoldStatus::Expired,
            status => status,
        };
        let wanted = state.holds.values().rev().filter(|hold| {
            filter.account_id.is_none_or(|id| hold.account_id == id)
                && filter.status.is_none_or(|wanted| status(hold) == wanted)
        });
        Ok(page(wanted.map(|hold| state.hold_record(hold)), span, |record| record.hold.id.bytes()))
    }

    async fn account_of_grant(&self, id: GrantId) -> Result<Option<AccountId>, StoreError> {
        Ok(self.state().grants.get(&id).map(|grant| grant.account_id))
    }

    async fn accounts_of_charges(
        &self,
        ids: Vec<ChargeId>,
    ) -> Result<BTreeMap<ChargeId, AccountId>, StoreError> {
        let state = self.state();
        Ok(pick(&state.charges, &ids).map(|(id, (account_id, _))| (id, account_id)).collect())
    }

    async fn accounts_of_holds(&self, ids: Vec<HoldId>) -> Result<BTreeMap<HoldId, AccountId>, StoreError> {
        let state = self.state();
        Ok(pick(&state.holds, &ids).map(|(id, hold)| (id, hold.account_id)).collect())
    }

    async fn entries(&self, query: EntryQuery) -> Result<EntryPage, StoreError> {
        let state = self.state();
        let wanted = |entry: &&Entry| {
            let key_id = entry.origin.key_id;
            query.from.is_none_or(|from| entry.at >= from)
                && query.to.is_none_or(|to| entry.at < to)
                && query.kind.is_none_or(|kind| entry.kind == kind)
                && query.visible_to.is_none_or(|key| key_id.is_none_or(|of| of == key))
                && query.beyond.is_none_or(|beyond| match query.order {
                    EntryOrder::OldestFirst => entry.seq > beyond,
                    EntryOrder::NewestFirst => entry.seq < beyond,
                })
        };
        let mut found: Vec<&Entry> = state.entries_of(query.account_id).iter().filter(wanted).collect();
        if query.order == EntryOrder::NewestFirst {
            found.reverse();
        }
        let has_more = found.len() > query.count_max;
        found.truncate(query.count_max);
        let next = found.last().filter(|_| has_more).map(|entry| entry.seq);
        Ok(EntryPage { entries: found.into_iter().cloned().collect(), next })
    }

    async fn last_entry(&self, account_id: AccountId, until: Timestamp) -> Result<Option<Entry>, StoreError> {
        let state = self.state();
        Ok(state.entries_of(account_id).iter().rfind(|entry| entry.at <= until).cloned())
    }

    async fn usage(
        &self,
        account_id: AccountId,
        by: UsageBy,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Usage>, StoreError> {
        let state = self.state();
        let mut sums: Vec<(UsageOf, Spent)> = Vec::new();
        for entry in state.entries_of(account_id).iter().filter(|entry| entry.at >= from && entry.at < to) {
            let Some(spent) = Spent::by(entry) else { continue };
            let of = match by {
                UsageBy::Day => UsageOf::Day(entry.at.start_of_day()),
                UsageBy::Key => UsageOf::Key(entry.origin.key_id),
                UsageBy::Operation => UsageOf::Operation(entry.purpose.operation.clone()),
            };
            let place = sums.iter().position(|(sum_of, _)| *sum_of == of).unwrap_or_else(|| {
                sums.push((of, Spent::NOTHING));
                sums.len() - 1
            });
            let sum = &mut sums[place].1;
            *sum = sum.plus(spent).expect("the ledger keeps totals in range");
        }
        let usage = |(of, Spent { charges, charged, refunded })| Usage { of, charges, charged, refunded };
        let mut sums: Vec<Usage> = sums.into_iter().map(usage).collect();
        sums.sort_by_key(|sum| match &sum.of {
            UsageOf::Day(day) => (day.unix_ms(), None, None),
            UsageOf::Key(id) => (0, *id, None),
            UsageOf::Operation(operation) => (0, None, operation.clone()),
        });
        Ok(sums)
    }

    async fn price(&self, operation: Operation) -> Result<Option<Price>, StoreError> {
        Ok(self.state().price(&operation))
    }

    async fn prices(&self, span: Span) -> Result<Page<Price>, StoreError> {
        let state = self.state();
        let mut prices: Vec<Price> = state.prices.values().cloned().collect();
        prices.push(Price::reserved());
        prices.sort_by_key(|price| std::cmp::Reverse(price.id));
        Ok(page(prices.into_iter(), span, |price| price.id))
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.state().people.session(id))
    }

    async fn sessions_of(&self, of: SessionOf) -> Result<Vec<Session>, StoreError> {
        Ok(self.state().people.sessions(|other| *other == of).collect())
    }

    async fn operator_sessions(&self, span: Span) -> Result<Page<Session>, StoreError> {
        let state = self.state();
        let sessions = state.people.sessions(|of| !matches!(of, SessionOf::Account(_)));
        Ok(page(sessions, span, |session| session.id.bytes()))
    }

    async fn actions(&self, filter: ActionFilter, span: Span) -> Result<Page<Action>, StoreError> {
        let state = self.state();
        Ok(page(state.people.actions(&filter), span, |action| action.id.bytes()))
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        Ok(StoreHealth { kind: StoreKind::Memory, bytes: None, last_backup: None })
    }
}

fn page<Item>(items: impl Iterator<Item = Item>, span: Span, id: impl Fn(&Item) -> UuidBytes) -> Page<Item> {
    let older = items.filter(|item| span.before.is_none_or(|before| id(item) < before));
    Page::of(older.take(span.count_max + 1).collect(), span)
}
