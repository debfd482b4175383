//! A draft: an account while a command changes it, with the entries that it writes on the way.
//!
//! Owns how credits move between lots, holds, the overdraft and the balance. Whoever uses it has checked
//! beforehand that they may: nothing here refuses.

mod due;
mod holds;
mod lots;

use std::collections::{BTreeMap, BTreeSet};

use super::amounts::plus;
use crate::invariants::assert_sound;
use crate::snapshot::Effects;
use crate::{
    Account, Counted, Credits, Entry, EntryHash, EntryKind, Grant, GrantId, Hold, HoldId, Idempotency, Key,
    KeyId, Lot, LotChange, Note, Origin, Purpose, Snapshot, Timestamp,
};

/// A copy of an account, settled up to the time of the command.
pub(in crate::decide) struct Draft {
    account: Account,
    at: Timestamp,
    entries: Vec<Entry>,
    grants: Vec<Grant>,
    lots_touched: BTreeSet<GrantId>,
    holds_touched: BTreeMap<HoldId, Hold>,
    key_counts: BTreeMap<KeyId, Vec<KeyCount>>,
}

/// What a key's caps count, or count no longer.
#[derive(Clone, Copy)]
enum KeyCount {
    Spent(Credits),
    Returned(Counted),
}

/// What a new entry says; its number, balances and hash follow from the account.
pub(in crate::decide) struct Posting {
    pub(in crate::decide) kind: EntryKind,
    pub(in crate::decide) at: Timestamp,
    /// The change of what is available.
    pub(in crate::decide) credits: Credits,
    /// The change of what is held.
    pub(in crate::decide) held_credits: Credits,
    pub(in crate::decide) lots: Vec<LotChange>,
    pub(in crate::decide) origin: Origin,
    pub(in crate::decide) purpose: Purpose,
    pub(in crate::decide) note: Note,
    pub(in crate::decide) idempotency: Option<Idempotency>,
}

impl Posting {
    /// An entry that moves what is available, and answers nobody.
    pub(in crate::decide) fn of(kind: EntryKind, at: Timestamp, credits: Credits) -> Posting {
        Posting {
            kind,
            at,
            credits,
            held_credits: Credits::ZERO,
            lots: Vec::new(),
            origin: Origin::default(),
            purpose: Purpose::default(),
            note: Note::default(),
            idempotency: None,
        }
    }
}

impl Draft {
    /// Opens an account for a command: first of all, what has fallen due is settled. The time of the command
    /// never lies before the account's last entry, whatever the clock says.
    pub(in crate::decide) fn open(account: &Account, clock: Timestamp) -> Draft {
        Draft::open_in_part(account, clock, usize::MAX)
    }

    /// Opens an account for a command that only settles: up to so many events.
    pub(in crate::decide) fn open_in_part(account: &Account, clock: Timestamp, events_max: usize) -> Draft {
        let mut draft = Draft {
            account: account.clone(),
            at: clock.max(account.last_at),
            entries: Vec::new(),
            grants: Vec::new(),
            lots_touched: BTreeSet::new(),
            holds_touched: BTreeMap::new(),
            key_counts: BTreeMap::new(),
        };
        draft.settle_due(events_max);
        draft
    }

    pub(in crate::decide) fn account(&self) -> &Account {
        &self.account
    }

    pub(in crate::decide) fn account_mut(&mut self) -> &mut Account {
        &mut self.account
    }

    /// The time of the command.
    pub(in crate::decide) fn at(&self) -> Timestamp {
        self.at
    }

    /// A key as the caps count it by now: with what has returned while the account was settled.
    pub(in crate::decide) fn key(&self, key: &Key) -> Key {
        let mut key = key.clone();
        for count in self.key_counts.get(&key.id).into_iter().flatten() {
            key.spent = match *count {
                KeyCount::Spent(credits) => {
                    key.spent.with(credits, self.at).expect("the guards keep what keys spend in range")
                }
                KeyCount::Returned(counted) => key.spent.without(counted.credits, counted.at),
            };
        }
        key
    }

    /// Lets the caps of a key count what is spent now.
    pub(in crate::decide) fn count_spent(&mut self, key_id: Option<KeyId>, credits: Credits) {
        self.count(key_id, KeyCount::Spent(credits));
    }

    /// Lets the caps of a key count something no longer.
    pub(in crate::decide) fn count_returned(&mut self, key_id: Option<KeyId>, counted: Counted) {
        self.count(key_id, KeyCount::Returned(counted));
    }

    fn count(&mut self, key_id: Option<KeyId>, count: KeyCount) {
        if let Some(id) = key_id {
            self.key_counts.entry(id).or_default().push(count);
        }
    }

    /// Writes an entry: the balance moves by what it says, and the chain grows by one.
    pub(in crate::decide) fn post(&mut self, posting: Posting) {
        let account = &mut self.account;
        account.balance.available = plus(account.balance.available, posting.credits);
        account.balance.held = plus(account.balance.held, posting.held_credits);
        account.seq = account.seq.next();
        account.last_at = posting.at;
        self.lots_touched.extend(posting.lots.iter().filter_map(|lot| lot.grant_id));
        let mut entry = Entry {
            account_id: account.id,
            seq: account.seq,
            kind: posting.kind,
            credits: posting.credits,
            held_credits: posting.held_credits,
            balance_after: account.balance,
            balance_told: account.balance,
            lots: posting.lots,
            origin: posting.origin,
            purpose: posting.purpose,
            note: posting.note,
            at: posting.at,
            idempotency: posting.idempotency,
            hash: EntryHash::GENESIS,
        };
        entry.hash = entry.hash_after(account.head);
        account.head = entry.hash;
        self.entries.push(entry);
    }

    /// The entry that answers the request, with the balance as the command leaves it.
    pub(in crate::decide) fn answer(&mut self) -> &Entry {
        let balance = self.account.balance;
        let entry = self.entries.iter_mut().rev().find(|entry| entry.idempotency.is_some());
        let entry = entry.expect("a command that has done something has an entry for its answer");
        entry.balance_told = balance;
        entry
    }

    /// What the command causes: the account without the lots that were used up, which nothing looks at again
    /// unless something returns to them.
    pub(in crate::decide) fn into_effects(mut self, snapshot: &Snapshot) -> Effects {
        assert_sound(&self.account);
        let lots = self.lots_touched.iter().map(|grant_id| self.lot(*grant_id).clone()).collect();
        let loaded = |id: &KeyId| snapshot.keys.get(id).expect("a batch loads the keys of holds and charges");
        let keys = self.key_counts.keys().map(|id| self.key(loaded(id))).collect();
        self.account.lots.retain(Lot::is_open);
        Effects {
            account: Some(self.account),
            entries: self.entries,
            grants: self.grants,
            lots,
            holds: self.holds_touched.into_values().collect(),
            keys,
            ..Effects::default()
        }
    }

    /// The account alone, for reads.
    pub(in crate::decide) fn into_account(mut self) -> Account {
        assert_sound(&self.account);
        self.account.lots.retain(Lot::is_open);
        self.account
    }

    /// The entries alone, for reads.
    pub(in crate::decide) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }
}
