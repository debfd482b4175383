//! A store in memory, for tests: the plainest thing that keeps the contract, apart from lasting.

mod people;
mod reader;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use coffer_ledger::{
    Account, AccountId, AccountProfile, Changes, ChargeId, Credits, Entry, EntryKind, Erasure, FurtherNeeds,
    Grant, GrantId, Hold, HoldId, HoldRecord, IdempotencyKey, Key, KeyId, KeyProfile, Metadata, Needs,
    Operation, OperatorKey, OperatorKeyId, Outcome, Price, Refundable, Related, Remembered, Reply,
    SecretHash, Snapshot, Timestamp, decide,
};

use crate::{Batch, Store, StoreError};
use people::People;

/// Keeps the ledger in memory and forgets it when dropped.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<AccountId, Account>,
    account_profiles: BTreeMap<AccountId, AccountProfile>,
    keys: BTreeMap<KeyId, Key>,
    key_profiles: BTreeMap<KeyId, KeyProfile>,
    /// Whose a secret is or was.
    secrets: BTreeMap<SecretHash, KeyId>,
    operator_keys: BTreeMap<OperatorKeyId, OperatorKey>,
    prices: BTreeMap<Operation, Price>,
    grants: BTreeMap<GrantId, Grant>,
    holds: BTreeMap<HoldId, Hold>,
    refunded: BTreeMap<ChargeId, Credits>,
    entries: HashMap<AccountId, Vec<Entry>>,
    /// Where the entry is that an idempotency key names.
    named: HashMap<(AccountId, IdempotencyKey), usize>,
    /// Where the entry is that made a charge.
    charges: BTreeMap<ChargeId, (AccountId, usize)>,
    remembered: HashMap<(AccountId, IdempotencyKey), (Timestamp, Remembered)>,
    key_uses: BTreeMap<KeyId, Timestamp>,
    people: People,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the state")
    }
}

impl State {
    fn load(&self, needs: &Needs, clock: Timestamp) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.accounts.extend(shared(pick(&self.accounts, &needs.accounts)));
        snapshot.account_profiles.extend(pick(&self.account_profiles, &needs.account_profiles));
        snapshot.grants.extend(pick(&self.grants, &needs.grants));
        snapshot.holds.extend(pick(&self.holds, needs.holds.iter().map(|(_, id)| id)));
        snapshot.keys.extend(shared(pick(&self.keys, &needs.keys)));
        snapshot.key_profiles.extend(pick(&self.key_profiles, &needs.key_profiles));
        snapshot.secrets.extend(pick(&self.secrets, &needs.secrets));
        for operation in &needs.prices {
            snapshot.prices.extend(self.price(operation).map(|price| (operation.clone(), price.into())));
        }
        for profile in self.account_profiles.values() {
            if let Some(external_id) =
                profile.external_id.as_ref().filter(|id| needs.external_ids.contains(*id))
            {
                snapshot.external_ids.insert(external_id.clone(), profile.id);
            }
        }
        for id in &needs.charges {
            snapshot.charges.extend(self.refundable(*id).map(|charge| (*id, charge)));
        }
        for name in &needs.remembered {
            if let Some(remembered) = self.remembered(name) {
                snapshot.remembered.insert(name.clone(), remembered);
            }
        }
        if needs.operator_keys {
            snapshot.operator_keys.clone_from(&self.operator_keys);
        }
        self.people.load(needs, &mut snapshot);
        let FurtherNeeds { keys, lots, notes } = snapshot.further_needs(needs, clock);
        snapshot.keys.extend(shared(pick(&self.keys, &keys)));
        snapshot.lots.extend(pick(&self.grants, &lots).map(|(id, grant)| (id, grant.lot)));
        for (account_id, seq) in notes {
            let entry = &self.entries_of(account_id)[seq_place(seq)];
            snapshot.notes.insert((account_id, seq), entry.note.clone());
        }
        snapshot
    }

    fn entries_of(&self, account_id: AccountId) -> &[Entry] {
        self.entries.get(&account_id).map_or(&[], Vec::as_slice)
    }

    fn price(&self, operation: &Operation) -> Option<Price> {
        let reserved = Price::reserved();
        if reserved.operation == *operation { Some(reserved) } else { self.prices.get(operation).cloned() }
    }

    fn entry_of_charge(&self, id: ChargeId) -> Option<&Entry> {
        let (account_id, place) = self.charges.get(&id)?;
        Some(&self.entries_of(*account_id)[*place])
    }

    fn refundable(&self, id: ChargeId) -> Option<Refundable> {
        let entry = self.entry_of_charge(id)?;
        let hold_created_at = entry.origin.hold_id.map(|id| self.holds[&id].created_at);
        Refundable::of_entry(entry, hold_created_at, self.refunded.get(&id).copied().unwrap_or(Credits::ZERO))
    }

    fn hold_record(&self, hold: &Hold) -> HoldRecord {
        let entry = &self.entries_of(hold.account_id)[seq_place(hold.seq)];
        HoldRecord::of_entry(hold.clone(), entry)
    }

    fn remembered(&self, name: &(AccountId, IdempotencyKey)) -> Option<Remembered> {
        if let Some((_, remembered)) = self.remembered.get(name) {
            return Some(remembered.clone());
        }
        let entry = &self.entries_of(name.0)[*self.named.get(name)?];
        let idempotency = entry.idempotency.as_ref()?;
        let related = Related {
            grant: entry.origin.grant_id.map(|grant_id| self.grants[&grant_id].clone()),
            hold: entry.origin.hold_id.map(|hold_id| self.hold_record(&self.holds[&hold_id])),
        };
        let outcome = Outcome::of_entry(entry, related)?;
        Some(Remembered { fingerprint: idempotency.fingerprint, outcome })
    }

    fn write(&mut self, mut changes: Changes) {
        self.people.write(&mut changes);
        self.accounts
            .extend(changes.accounts.into_iter().map(|account| (account.id, Arc::unwrap_or_clone(account))));
        self.account_profiles.extend(changes.account_profiles);
        for key in changes.keys {
            // A secret may have been made and retired within the batch.
            let secrets = key.retired.iter().map(|retired| retired.secret).chain([key.secret]);
            self.secrets.extend(secrets.map(|secret| (secret, key.id)));
            self.keys.insert(key.id, Arc::unwrap_or_clone(key));
        }
        self.key_profiles.extend(changes.key_profiles);
        self.operator_keys.extend(changes.operator_keys);
        for (operation, price) in changes.prices {
            match price {
                Some(price) => self.prices.insert(operation, price),
                None => self.prices.remove(&operation),
            };
        }
        self.grants.extend(changes.grants.into_iter().map(|grant| (grant.lot.grant_id, grant)));
        for ((_, grant_id), lot) in changes.lots {
            self.grants.get_mut(&grant_id).expect("a lot is of a grant").lot = lot;
        }
        self.holds.extend(changes.holds);
        self.refunded.extend(changes.refunded);
        changes.entries.into_iter().for_each(|entry| self.write_entry(entry));
        changes.erasures.iter().for_each(|erasure| self.erase(erasure));
        for change in changes.remembered {
            self.remembered.insert((change.account_id, change.key), (change.at, change.remembered));
        }
    }

    fn write_entry(&mut self, entry: Entry) {
        let place = seq_place(entry.seq);
        if let Some(idempotency) = &entry.idempotency {
            self.named.insert((entry.account_id, idempotency.key.clone()), place);
        }
        if let (EntryKind::Charge | EntryKind::Capture, Some(id)) = (entry.kind, entry.origin.charge_id) {
            self.charges.insert(id, (entry.account_id, place));
        }
        let entries = self.entries.entry(entry.account_id).or_default();
        assert_eq!(entries.len(), place, "entries are gapless");
        entries.push(entry);
    }

    fn erase(&mut self, erasure: &Erasure) {
        for entry in self.entries.get_mut(&erasure.account_id).into_iter().flatten() {
            if (erasure.from..=erasure.through).contains(&entry.seq) {
                entry.note = entry.note.erase();
            }
        }
        let of_account = |grant: &&mut Grant| grant.account_id == erasure.account_id;
        for grant in self.grants.values_mut().filter(of_account) {
            if grant.created_at <= erasure.until {
                (grant.reference, grant.metadata) = (None, Metadata::default());
            }
        }
    }
}

/// Where the entry with a number stands among those of its account.
fn seq_place(seq: coffer_ledger::Seq) -> usize {
    usize::try_from(seq.0 - 1).expect("entries of tests fit into memory")
}

fn pick<'a, Id: Ord + Clone + 'a, Record: Clone + 'a>(
    from: &'a BTreeMap<Id, Record>,
    ids: impl IntoIterator<Item = &'a Id> + 'a,
) -> impl Iterator<Item = (Id, Record)> + 'a {
    ids.into_iter().filter_map(|id| Some((id.clone(), from.get(id)?.clone())))
}

fn shared<Id, Record>(
    records: impl Iterator<Item = (Id, Record)>,
) -> impl Iterator<Item = (Id, Arc<Record>)> {
    records.map(|(id, record)| (id, Arc::new(record)))
}

#[async_trait]
impl Store for MemoryStore {
    async fn apply(&self, batch: Batch) -> Result<Vec<Reply>, StoreError> {
        let mut state = self.state();
        let mut snapshot = state.load(&Needs::of(&batch.commands), batch.clock);
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
