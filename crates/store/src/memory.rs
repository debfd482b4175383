//! A store in memory, for tests: the plainest thing that keeps the contract, apart from lasting.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use coffer_ledger::{
    Account, AccountId, AccountProfile, AccountRecord, Changes, Charge, ChargeId, Entry, Grant, GrantId,
    IdempotencyKey, Key, KeyId, KeyProfile, KeyRecord, Needs, OperatorKey, OperatorKeyId, Outcome,
    Remembered, Reply, SecretHash, Seq, Snapshot, Timestamp, UuidBytes, decide,
};

use crate::{AccountFilter, Batch, Holder, Page, Reader, Span, Store, StoreError};

/// Keeps the ledger in memory and forgets it when dropped.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<AccountId, Account>,
    account_profiles: BTreeMap<AccountId, AccountProfile>,
    keys: BTreeMap<KeyId, Key>,
    key_profiles: BTreeMap<KeyId, KeyProfile>,
    operator_keys: BTreeMap<OperatorKeyId, OperatorKey>,
    grants: BTreeMap<GrantId, Grant>,
    entries: Vec<Entry>,
    remembered: HashMap<(AccountId, IdempotencyKey), (Timestamp, Remembered)>,
    key_uses: BTreeMap<KeyId, Timestamp>,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the state")
    }
}

impl State {
    fn load(&self, needs: &Needs) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.accounts.extend(pick(&self.accounts, &needs.accounts));
        snapshot.keys.extend(pick(&self.keys, &needs.keys));
        snapshot.key_profiles.extend(pick(&self.key_profiles, &needs.key_profiles));
        for profile in self.account_profiles.values() {
            if let Some(external_id) =
                profile.external_id.as_ref().filter(|id| needs.external_ids.contains(*id))
            {
                snapshot.external_ids.insert(external_id.clone(), profile.id);
            }
        }
        for key in self.keys.values().filter(|key| needs.secrets.contains(&key.secret)) {
            snapshot.secrets.insert(key.secret, key.id);
        }
        for name in &needs.remembered {
            if let Some(remembered) = self.remembered(name) {
                snapshot.remembered.insert(name.clone(), remembered);
            }
        }
        if needs.operator_keys {
            snapshot.operator_keys.clone_from(&self.operator_keys);
        }
        snapshot
    }

    fn remembered(&self, name: &(AccountId, IdempotencyKey)) -> Option<Remembered> {
        if let Some((_, remembered)) = self.remembered.get(name) {
            return Some(remembered.clone());
        }
        let (account_id, key) = name;
        self.entries.iter().filter(|entry| entry.account_id == *account_id).find_map(|entry| {
            let idempotency = entry.idempotency.as_ref().filter(|idempotency| idempotency.key == *key)?;
            let grant = entry.origin.grant_id.map(|grant_id| self.grants[&grant_id].clone());
            let outcome = Outcome::of_entry(entry, grant)?;
            Some(Remembered { fingerprint: idempotency.fingerprint, outcome })
        })
    }

    fn write(&mut self, changes: Changes) {
        self.accounts.extend(changes.accounts.into_iter().map(|account| (account.id, account)));
        self.account_profiles
            .extend(changes.account_profiles.into_iter().map(|profile| (profile.id, profile)));
        self.keys.extend(changes.keys.into_iter().map(|key| (key.id, key)));
        self.key_profiles.extend(changes.key_profiles.into_iter().map(|profile| (profile.id, profile)));
        self.operator_keys.extend(changes.operator_keys.into_iter().map(|key| (key.id, key)));
        self.grants.extend(changes.grants.into_iter().map(|grant| (grant.lot.grant_id, grant)));
        for (grant_id, lot) in changes.lots {
            self.grants.get_mut(&grant_id).expect("a lot is of a grant").lot = lot;
        }
        self.entries.extend(changes.entries);
        for change in changes.remembered {
            self.remembered.insert((change.account_id, change.key), (change.at, change.remembered));
        }
    }

    fn account_record(&self, id: AccountId) -> Option<AccountRecord> {
        let profile = self.account_profiles.get(&id)?.clone();
        Some(AccountRecord { profile, account: self.accounts[&id].clone() })
    }

    fn key_record(&self, id: KeyId) -> Option<KeyRecord> {
        Some(KeyRecord { profile: self.key_profiles.get(&id)?.clone(), key: self.keys[&id].clone() })
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn apply(&self, batch: Batch) -> Result<Vec<Reply>, StoreError> {
        let mut state = self.state();
        let mut snapshot = state.load(&Needs::of(&batch.commands));
        let mut replies = Vec::with_capacity(batch.commands.len());
        for command in &batch.commands {
            replies.push(decide(&snapshot, batch.clock, command).absorb_into(&mut snapshot));
        }
        state.write(snapshot.into_changes());
        Ok(replies)
    }

    async fn forget_refusals(&self, before: Timestamp) -> Result<(), StoreError> {
        let is_kept =
            |at: Timestamp, outcome: &Outcome| at >= before || !matches!(outcome, Outcome::Refused(_));
        self.state().remembered.retain(|_, (at, remembered)| is_kept(*at, &remembered.outcome));
        Ok(())
    }

    async fn note_key_uses(&self, uses: BTreeMap<KeyId, Timestamp>) -> Result<(), StoreError> {
        let mut state = self.state();
        for (id, at) in uses {
            let last = state.key_uses.entry(id).or_insert(at);
            *last = at.max(*last);
        }
        Ok(())
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}
}

#[async_trait]
impl Reader for MemoryStore {
    async fn holder(&self, secret: &SecretHash) -> Result<Option<Holder>, StoreError> {
        let state = self.state();
        Ok(state.keys.values().find(|key| key.secret == *secret).map(|key| Holder {
            key: Arc::new(key.clone()),
            account: Arc::new(state.accounts[&key.account_id].clone()),
        }))
    }

    async fn operator_key(&self, secret: &SecretHash) -> Result<Option<Arc<OperatorKey>>, StoreError> {
        Ok(self.state().operator_keys.values().find(|key| key.secret == *secret).cloned().map(Arc::new))
    }

    async fn operator_keys(&self) -> Result<Vec<OperatorKey>, StoreError> {
        Ok(self.state().operator_keys.values().rev().cloned().collect())
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

    async fn key_record(&self, id: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.state().key_record(id))
    }

    async fn key_records(&self, account_id: AccountId, span: Span) -> Result<Page<KeyRecord>, StoreError> {
        let state = self.state();
        let records = state.keys.keys().rev().filter_map(|id| state.key_record(*id));
        Ok(page(records.filter(|record| record.key.account_id == account_id), span, |record| {
            record.key.id.bytes()
        }))
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
        Ok(self.state().entries.iter().filter_map(Charge::of_entry).find(|charge| charge.id == id))
    }

    async fn entries(
        &self,
        account_id: AccountId,
        after: Seq,
        count_max: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let state = self.state();
        let later = |entry: &&Entry| entry.account_id == account_id && entry.seq > after;
        Ok(state.entries.iter().filter(later).take(count_max).cloned().collect())
    }
}

fn pick<'a, Id: Ord + Copy + 'a, Record: Clone + 'a>(
    from: &'a BTreeMap<Id, Record>,
    ids: impl IntoIterator<Item = &'a Id> + 'a,
) -> impl Iterator<Item = (Id, Record)> + 'a {
    ids.into_iter().filter_map(|id| Some((*id, from.get(id)?.clone())))
}

fn page<Item>(items: impl Iterator<Item = Item>, span: Span, id: impl Fn(&Item) -> UuidBytes) -> Page<Item> {
    let older = items.filter(|item| span.before.is_none_or(|before| id(item) < before));
    Page::of(older.take(span.count_max + 1).collect(), span)
}
