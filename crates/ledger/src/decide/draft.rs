//! A draft: an account while a command changes it, with the entries that it writes on the way.

use crate::invariants::assert_sound;
use crate::snapshot::Effects;
use crate::{
    Account, Credits, Entry, EntryHash, EntryKind, GrantId, Idempotency, Lot, LotChange, Note, Origin,
    Timestamp,
};

/// A copy of an account, settled up to the time of the command.
pub(super) struct Draft {
    account: Account,
    at: Timestamp,
    entries: Vec<Entry>,
    lots_touched: Vec<GrantId>,
}

/// What a new entry says; its number, balances and hash follow from the account.
pub(super) struct Posting {
    pub(super) kind: EntryKind,
    pub(super) at: Timestamp,
    pub(super) credits: Credits,
    pub(super) lots: Vec<LotChange>,
    pub(super) origin: Origin,
    pub(super) note: Note,
    pub(super) idempotency: Option<Idempotency>,
}

impl Draft {
    /// Opens an account for a command: first of all, what has fallen due is settled. The time of the command
    /// never lies before the account's last entry, whatever the clock says.
    pub(super) fn open(account: &Account, clock: Timestamp) -> Draft {
        let at = clock.max(account.last_at);
        let mut draft = Draft { account: account.clone(), at, entries: Vec::new(), lots_touched: Vec::new() };
        while let Some(due) = draft.first_due() {
            match due.event {
                Event::Start => draft.start_lot(due.lot, due.at, Note::default(), None),
                Event::Expiry => draft.expire_lot(due.lot, due.at),
            }
        }
        draft
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// The time of the command.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// What pending lots will add to the account when they start.
    pub(super) fn pending(&self) -> Option<Credits> {
        Credits::checked_sum(self.account.lots.iter().filter(|lot| !lot.started).map(|lot| lot.remaining))
    }

    /// Puts a new lot into its place in the burn order; it stays pending until it is started.
    pub(super) fn add_lot(&mut self, lot: Lot) {
        let place = self.account.lots.partition_point(|other| other.burn_order() < lot.burn_order());
        self.account.grants_made = lot.order;
        self.lots_touched.push(lot.grant_id);
        self.account.lots.insert(place, lot);
    }

    /// Makes a lot's credits available. They pay the debt first, in the same entry; what they paid counts as
    /// spent from the lot.
    pub(super) fn start_lot(
        &mut self,
        grant_id: GrantId,
        at: Timestamp,
        note: Note,
        idempotency: Option<Idempotency>,
    ) {
        let debt = self.account.debt;
        let lot = self.lot_mut(grant_id);
        let granted = lot.granted;
        let paid = granted.min(debt);
        lot.started = true;
        lot.remaining = minus(granted, paid);
        self.account.debt = minus(debt, paid);
        self.account.totals.granted = plus(self.account.totals.granted, granted);
        let mut lots = vec![LotChange { grant_id: Some(grant_id), credits: minus(granted, paid) }];
        if paid.is_positive() {
            lots.push(LotChange { grant_id: None, credits: paid });
        }
        self.post(Posting {
            kind: EntryKind::Grant,
            at,
            credits: granted,
            lots,
            origin: Origin { grant_id: Some(grant_id), ..Origin::default() },
            note,
            idempotency,
        });
    }

    /// Spends credits from the lots in burn order, and from the overdraft last. The caller has made sure that
    /// they are covered.
    pub(super) fn spend(&mut self, credits: Credits) -> Vec<LotChange> {
        let mut left = credits;
        let mut changes = Vec::new();
        for lot in self.account.lots.iter_mut().filter(|lot| lot.started) {
            if left.is_zero() {
                break;
            }
            let taken = left.min(lot.remaining);
            if taken.is_positive() {
                lot.remaining = minus(lot.remaining, taken);
                left = minus(left, taken);
                changes.push(LotChange { grant_id: Some(lot.grant_id), credits: -taken });
            }
        }
        if left.is_positive() {
            self.account.debt = plus(self.account.debt, left);
            changes.push(LotChange { grant_id: None, credits: -left });
        }
        self.account.totals.spent = plus(self.account.totals.spent, credits);
        changes
    }

    /// Writes an entry: the balance moves by what it says, and the chain grows by one.
    pub(super) fn post(&mut self, posting: Posting) -> &Entry {
        let account = &mut self.account;
        account.balance.available = plus(account.balance.available, posting.credits);
        account.seq = account.seq.next();
        account.last_at = posting.at;
        self.lots_touched.extend(posting.lots.iter().filter_map(|lot| lot.grant_id));
        let mut entry = Entry {
            account_id: account.id,
            seq: account.seq,
            kind: posting.kind,
            credits: posting.credits,
            held_credits: Credits::ZERO,
            balance_after: account.balance,
            lots: posting.lots,
            origin: posting.origin,
            note: posting.note,
            at: posting.at,
            idempotency: posting.idempotency,
            hash: EntryHash::GENESIS,
        };
        entry.hash = entry.hash_after(account.head);
        account.head = entry.hash;
        self.entries.push(entry);
        self.entries.last().expect("an entry was just pushed")
    }

    /// The lot of a grant that was added or is open.
    pub(super) fn lot(&self, grant_id: GrantId) -> &Lot {
        self.account.lots.iter().find(|lot| lot.grant_id == grant_id).expect("the lot is the account's")
    }

    /// What the command causes: the account without the lots that were used up, which nothing looks at again.
    pub(super) fn into_effects(mut self) -> Effects {
        assert_sound(&self.account);
        let lots = self.touched_lots();
        self.account.lots.retain(Lot::is_open);
        Effects { account: Some(self.account), entries: self.entries, lots, ..Effects::default() }
    }

    /// The account alone, for reads.
    pub(super) fn into_account(mut self) -> Account {
        assert_sound(&self.account);
        self.account.lots.retain(Lot::is_open);
        self.account
    }

    fn touched_lots(&mut self) -> Vec<Lot> {
        self.lots_touched.sort_unstable();
        self.lots_touched.dedup();
        self.lots_touched.iter().map(|grant_id| self.lot(*grant_id).clone()).collect()
    }

    fn lot_mut(&mut self, grant_id: GrantId) -> &mut Lot {
        self.account.lots.iter_mut().find(|lot| lot.grant_id == grant_id).expect("the lot is the account's")
    }

    fn expire_lot(&mut self, grant_id: GrantId, at: Timestamp) {
        let lot = self.lot_mut(grant_id);
        let expired = std::mem::take(&mut lot.remaining);
        lot.expired = plus(lot.expired, expired);
        self.account.totals.expired = plus(self.account.totals.expired, expired);
        self.post(Posting {
            kind: EntryKind::Expire,
            at,
            credits: -expired,
            lots: vec![LotChange { grant_id: Some(grant_id), credits: -expired }],
            origin: Origin { grant_id: Some(grant_id), ..Origin::default() },
            note: Note::default(),
            idempotency: None,
        });
    }

    /// What falls due first, up to the time of the command. At one instant starts go before expiries; among
    /// equals the older grant goes first.
    fn first_due(&self) -> Option<Due> {
        let due = |lot: &Lot| {
            let event = if lot.started { Event::Expiry } else { Event::Start };
            let due = Due { at: lot.next_due()?, event, order: lot.order, lot: lot.grant_id };
            (due.at <= self.at).then_some(due)
        };
        self.account.lots.iter().filter_map(due).min_by_key(|due| (due.at, due.event, due.order))
    }
}

/// Something that falls due on an account.
struct Due {
    at: Timestamp,
    event: Event,
    order: u32,
    lot: GrantId,
}

/// What falls due, in the order in which it is settled at one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Start,
    Expiry,
}

fn plus(a: Credits, b: Credits) -> Credits {
    a.checked_add(b).expect("the guards keep every total in range")
}

fn minus(a: Credits, b: Credits) -> Credits {
    a.checked_sub(b).expect("the guards keep every total in range")
}
