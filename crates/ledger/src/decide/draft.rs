//! A draft: an account while a command changes it, with the entries that it writes on the way.
//!
//! Owns how credits move between lots, holds, the overdraft and the balance. Whoever uses it has checked
//! beforehand that they may: nothing here refuses.

use std::collections::{BTreeMap, BTreeSet};

use super::amounts::{minus, plus};
use crate::invariants::assert_sound;
use crate::snapshot::Effects;
use crate::{
    Account, Category, Counted, Credits, Entry, EntryHash, EntryKind, Grant, GrantId, HeldLot, Hold, HoldId,
    HoldStatus, Idempotency, Key, KeyId, Lot, LotChange, Metadata, Note, Origin, Priority, Purpose,
    RefundLot, Snapshot, Timestamp,
};

/// A copy of an account, settled up to the time of the command.
pub(super) struct Draft {
    account: Account,
    at: Timestamp,
    entries: Vec<Entry>,
    grants: Vec<Grant>,
    lots_touched: BTreeSet<GrantId>,
    holds_touched: BTreeMap<HoldId, Hold>,
    key_counts: Vec<(KeyId, KeyCount)>,
}

/// What a key's caps count, or count no longer.
#[derive(Clone, Copy)]
enum KeyCount {
    Spent(Credits),
    Returned(Counted),
}

/// What a new entry says; its number, balances and hash follow from the account.
pub(super) struct Posting {
    pub(super) kind: EntryKind,
    pub(super) at: Timestamp,
    /// The change of what is available.
    pub(super) credits: Credits,
    /// The change of what is held.
    pub(super) held_credits: Credits,
    pub(super) lots: Vec<LotChange>,
    pub(super) origin: Origin,
    pub(super) purpose: Purpose,
    pub(super) note: Note,
    pub(super) idempotency: Option<Idempotency>,
}

impl Posting {
    /// An entry that moves what is available, and answers nobody.
    pub(super) fn of(kind: EntryKind, at: Timestamp, credits: Credits) -> Posting {
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

/// A lot that something returned to although it has ended, and how it ended.
#[derive(Clone, Copy)]
enum Ended {
    Expired(GrantId),
    Voided(GrantId),
}

impl Draft {
    /// Opens an account for a command: first of all, what has fallen due is settled. The time of the command
    /// never lies before the account's last entry, whatever the clock says.
    pub(super) fn open(account: &Account, clock: Timestamp) -> Draft {
        let mut draft = Draft {
            account: account.clone(),
            at: clock.max(account.last_at),
            entries: Vec::new(),
            grants: Vec::new(),
            lots_touched: BTreeSet::new(),
            holds_touched: BTreeMap::new(),
            key_counts: Vec::new(),
        };
        while let Some(due) = draft.first_due() {
            match due.event {
                Event::Start(lot) => draft.start_lot(lot, due.at, Note::default(), None),
                Event::Lapse(hold) => draft.lapse_hold(hold, due.at),
                Event::Expiry(lot) => draft.expire_lot(lot, due.at),
            }
        }
        draft
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    pub(super) fn account_mut(&mut self) -> &mut Account {
        &mut self.account
    }

    /// The time of the command.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// What pending lots will add to the account when they start.
    pub(super) fn pending(&self) -> Option<Credits> {
        Credits::checked_sum(self.account.lots.iter().filter(|lot| !lot.started).map(|lot| lot.remaining))
    }

    /// A key as the caps count it by now: with what has returned while the account was settled.
    pub(super) fn key(&self, key: &Key) -> Key {
        let mut key = key.clone();
        for (id, count) in &self.key_counts {
            if *id == key.id {
                key.spent = match *count {
                    KeyCount::Spent(credits) => {
                        key.spent.with(credits, self.at).expect("the guards keep what keys spend in range")
                    }
                    KeyCount::Returned(counted) => key.spent.without(counted.credits, counted.at),
                };
            }
        }
        key
    }

    /// Lets the caps of a key count what is spent now.
    pub(super) fn count_spent(&mut self, key_id: Option<KeyId>, credits: Credits) {
        self.key_counts.extend(key_id.map(|id| (id, KeyCount::Spent(credits))));
    }

    /// Lets the caps of a key count something no longer.
    pub(super) fn count_returned(&mut self, key_id: Option<KeyId>, counted: Counted) {
        self.key_counts.extend(key_id.map(|id| (id, KeyCount::Returned(counted))));
    }

    /// Puts a new lot into its place in the burn order; it stays pending until it is started.
    pub(super) fn add_lot(&mut self, lot: Lot) {
        self.account.lots_made = lot.order;
        self.put_lot(lot);
    }

    /// Puts a lot back that had been used up.
    pub(super) fn reopen_lot(&mut self, lot: &Lot) {
        if !self.account.lots.iter().any(|open| open.grant_id == lot.grant_id) {
            self.put_lot(lot.clone());
        }
    }

    fn put_lot(&mut self, lot: Lot) {
        let place = self.account.lots.partition_point(|other| other.burn_order() < lot.burn_order());
        self.lots_touched.insert(lot.grant_id);
        self.account.lots.insert(place, lot);
    }

    /// A lot without a start ahead and without an expiry, as adjustments and returns to the overdraft make it.
    pub(super) fn new_lot(&self, grant_id: GrantId, credits: Credits, at: Timestamp) -> Lot {
        Lot {
            grant_id,
            order: self.account.lots_made + 1,
            category: Category::Paid,
            priority: Priority::DEFAULT,
            effective_at: at,
            expires_at: None,
            granted: credits,
            remaining: credits,
            held: Credits::ZERO,
            expired: Credits::ZERO,
            started: true,
            held_when_voided: None,
        }
    }

    /// Adds a lot that no grant made, and lists it among the grants.
    pub(super) fn make_lot(&mut self, lot: Lot) {
        self.grants.push(Grant {
            account_id: self.account.id,
            created_at: lot.effective_at,
            lot: lot.clone(),
            reference: None,
            metadata: Metadata::default(),
        });
        self.add_lot(lot);
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
        let granted = self.lot(grant_id).granted;
        self.account.totals.granted = plus(self.account.totals.granted, granted);
        let lots = self.put_in(grant_id);
        let origin = Origin { grant_id: Some(grant_id), ..Origin::default() };
        let posting = Posting::of(EntryKind::Grant, at, granted);
        self.post(Posting { lots, origin, note, idempotency, ..posting });
    }

    /// Opens a lot whose credits are new to the account: they pay the debt before they can be spent.
    pub(super) fn put_in(&mut self, grant_id: GrantId) -> Vec<LotChange> {
        let debt = self.account.debt;
        let lot = self.lot_mut(grant_id);
        let paid = lot.granted.min(debt);
        lot.started = true;
        lot.remaining = minus(lot.granted, paid);
        let mut lots = vec![LotChange { grant_id: Some(grant_id), credits: lot.remaining }];
        self.account.debt = minus(debt, paid);
        if paid.is_positive() {
            lots.push(LotChange { grant_id: None, credits: paid });
        }
        lots
    }

    /// Takes credits out of the lots in burn order, and out of the overdraft last. The caller has made sure that
    /// they are covered, and says where they go.
    pub(super) fn draw(&mut self, credits: Credits) -> Vec<LotChange> {
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
        changes
    }

    /// Marks what was drawn as held.
    pub(super) fn hold_drawn(&mut self, drawn: &[LotChange]) {
        for change in drawn {
            if let Some(grant_id) = change.grant_id {
                let lot = self.lot_mut(grant_id);
                lot.held = plus(lot.held, -change.credits);
            }
        }
    }

    /// Puts a hold among the open ones, or in the place of what was known of it.
    pub(super) fn put_hold(&mut self, hold: Hold) {
        self.holds_touched.insert(hold.id, hold.clone());
        self.account.holds.insert(hold);
    }

    /// Takes credits out of what lots have held for a hold: they are spent. Debt that was held stays debt.
    pub(super) fn take_held(&mut self, taken: &[HeldLot]) -> Vec<LotChange> {
        for part in taken {
            if let Some(grant_id) = part.grant_id {
                let lot = self.lot_mut(grant_id);
                lot.held = minus(lot.held, part.credits);
            }
        }
        taken.iter().map(|part| LotChange { grant_id: part.grant_id, credits: -part.credits }).collect()
    }

    /// Ends a hold, and gives back what it holds still: to the lots that it came from, in reverse burn order. What
    /// returns to a lot that has ended expires or is voided at once, in an entry of its own. Where nothing is given
    /// back, there is an entry only if it answers a request.
    pub(super) fn end_hold(
        &mut self,
        id: HoldId,
        status: HoldStatus,
        at: Timestamp,
        posting: Posting,
    ) -> Hold {
        let mut hold = self.account.holds.remove(id).expect("an open hold ends");
        let left = hold.left();
        let returned: Vec<HeldLot> = hold.lots.drain(..).rev().collect();
        hold.status = status;
        self.count_returned(hold.key_id, Counted { credits: left, at: hold.created_at });
        // A timeout goes before an expiry at the same instant, which is still to come then.
        let is_over = |expires_at: Timestamp| match status {
            HoldStatus::Expired => expires_at < at,
            HoldStatus::Open | HoldStatus::Captured | HoldStatus::Released => expires_at <= at,
        };
        let mut lots = Vec::new();
        let mut ended = Vec::new();
        for part in returned {
            match part.grant_id {
                None => {
                    lots.extend(self.return_to_overdraft(part.credits, GrantId::of_ended_hold(id, at), at))
                }
                Some(grant_id) => {
                    let lot = self.lot_mut(grant_id);
                    lot.held = minus(lot.held, part.credits);
                    lot.remaining = plus(lot.remaining, part.credits);
                    if lot.is_voided() {
                        ended.push(Ended::Voided(grant_id));
                    } else if lot.expires_at.is_some_and(is_over) {
                        ended.push(Ended::Expired(grant_id));
                    }
                    lots.push(LotChange { grant_id: Some(grant_id), credits: part.credits });
                }
            }
        }
        let origin = Origin { hold_id: Some(id), key_id: hold.key_id, ..posting.origin };
        self.holds_touched.insert(id, hold.clone());
        if left.is_positive() || posting.idempotency.is_some() {
            self.post(Posting { credits: left, held_credits: -left, lots, origin, ..posting });
        }
        for lot in ended {
            match lot {
                Ended::Expired(grant_id) => self.expire_lot(grant_id, at),
                Ended::Voided(grant_id) => self.void_again(grant_id, at),
            }
        }
        hold
    }

    /// Gives back what was drawn from the overdraft: it lowers the debt; with no debt left it becomes a paid lot
    /// without expiry.
    pub(super) fn return_to_overdraft(
        &mut self,
        credits: Credits,
        lot_id: GrantId,
        at: Timestamp,
    ) -> Vec<LotChange> {
        let paid = credits.min(self.account.debt);
        self.account.debt = minus(self.account.debt, paid);
        let mut changes = Vec::new();
        if paid.is_positive() {
            changes.push(LotChange { grant_id: None, credits: paid });
        }
        let rest = minus(credits, paid);
        if rest.is_positive() {
            self.make_lot(self.new_lot(lot_id, rest, at));
            changes.push(LotChange { grant_id: Some(lot_id), credits: rest });
        }
        changes
    }

    /// Gives back what was spent from a lot that lives.
    pub(super) fn return_to_lot(&mut self, grant_id: GrantId, credits: Credits) -> LotChange {
        let lot = self.lot_mut(grant_id);
        lot.remaining = plus(lot.remaining, credits);
        LotChange { grant_id: Some(grant_id), credits }
    }

    /// Gives back what was spent from a lot that has expired: to the one promotional lot of the day, which is made
    /// where there is none, or where somebody has voided it.
    pub(super) fn return_to_refund_lot(
        &mut self,
        credits: Credits,
        lot_id: GrantId,
        expires_at: Timestamp,
        snapshot: &Snapshot,
    ) -> LotChange {
        if let Some(lot) = self.refund_lot_of_today(snapshot).cloned() {
            self.reopen_lot(&lot);
            let lot = self.lot_mut(lot.grant_id);
            lot.granted = plus(lot.granted, credits);
            lot.remaining = plus(lot.remaining, credits);
            return LotChange { grant_id: Some(lot.grant_id), credits };
        }
        let lot = self.new_lot(lot_id, credits, self.at);
        self.make_lot(Lot { category: Category::Promotional, expires_at: Some(expires_at), ..lot });
        self.account.refund_lot = Some(RefundLot { day: self.at.start_of_day(), grant_id: lot_id });
        LotChange { grant_id: Some(lot_id), credits }
    }

    /// The lot that takes what is refunded to expired lots today, unless there is none yet or it was voided.
    pub(super) fn refund_lot_of_today<'a>(&'a self, snapshot: &'a Snapshot) -> Option<&'a Lot> {
        let todays = self.account.refund_lot.filter(|lot| lot.day == self.at.start_of_day())?;
        Some(self.lot_or_closed(snapshot, todays.grant_id)).filter(|lot| !lot.is_voided())
    }

    /// Takes back what is left of a lot and not held, in an entry unless it was never available.
    pub(super) fn void_lot(&mut self, grant_id: GrantId, idempotency: Option<Idempotency>) {
        let lot = self.lot_mut(grant_id);
        lot.held_when_voided = Some(lot.held);
        if lot.started {
            self.take_back(grant_id, self.at, idempotency);
        } else {
            lot.remaining = Credits::ZERO;
            self.lots_touched.insert(grant_id);
        }
    }

    /// Takes back what has returned to a lot that was voided before.
    pub(super) fn void_again(&mut self, grant_id: GrantId, at: Timestamp) {
        self.take_back(grant_id, at, None);
    }

    fn take_back(&mut self, grant_id: GrantId, at: Timestamp, idempotency: Option<Idempotency>) {
        let voided = std::mem::take(&mut self.lot_mut(grant_id).remaining);
        self.account.totals.voided = plus(self.account.totals.voided, voided);
        self.post(Posting {
            lots: vec![LotChange { grant_id: Some(grant_id), credits: -voided }],
            origin: Origin { grant_id: Some(grant_id), ..Origin::default() },
            idempotency,
            ..Posting::of(EntryKind::Void, at, -voided)
        });
    }

    /// Writes an entry: the balance moves by what it says, and the chain grows by one.
    pub(super) fn post(&mut self, posting: Posting) {
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

    /// The lot of a grant that was added or is open.
    pub(super) fn lot(&self, grant_id: GrantId) -> &Lot {
        self.account.lots.iter().find(|lot| lot.grant_id == grant_id).expect("the lot is the account's")
    }

    /// A lot of the account, whether it is open or has been used up.
    pub(super) fn lot_or_closed<'a>(&'a self, snapshot: &'a Snapshot, grant_id: GrantId) -> &'a Lot {
        let open = self.account.lots.iter().find(|lot| lot.grant_id == grant_id);
        open.or_else(|| snapshot.closed_lot(grant_id))
            .expect("a batch loads the lots that something returns to")
    }

    /// How many lots are open or pending.
    pub(super) fn open_lots(&self) -> usize {
        self.account.lots.iter().filter(|lot| lot.is_open()).count()
    }

    /// Whether the account stays in range with these credits: now, when all that is still to start has started, and
    /// when all of it has expired or was voided. What happens by itself cannot be refused.
    pub(super) fn has_room_for(&self, credits: Credits) -> bool {
        let Account { balance, debt, totals, .. } = &self.account;
        let pending = self.pending();
        let sum = [balance.available, *debt, balance.held, totals.expired, totals.voided, credits];
        pending.is_some_and(|pending| Credits::checked_sum(sum.into_iter().chain([pending])).is_some())
    }

    /// The entry that answers the request, with the balance as the command leaves it.
    pub(super) fn answer(&mut self) -> &Entry {
        let balance = self.account.balance;
        let entry = self.entries.iter_mut().rev().find(|entry| entry.idempotency.is_some());
        let entry = entry.expect("a command that has done something has an entry for its answer");
        entry.balance_told = balance;
        entry
    }

    /// What the command causes: the account without the lots that were used up, which nothing looks at again
    /// unless something returns to them.
    pub(super) fn into_effects(mut self, snapshot: &Snapshot) -> Effects {
        assert_sound(&self.account);
        let lots = self.lots_touched.iter().map(|grant_id| self.lot(*grant_id).clone()).collect();
        let ids: BTreeSet<KeyId> = self.key_counts.iter().map(|(id, _)| *id).collect();
        let key = |id: KeyId| {
            self.key(snapshot.keys.get(&id).expect("a batch loads the keys of holds and charges"))
        };
        let keys = ids.into_iter().map(key).collect();
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
    pub(super) fn into_account(mut self) -> Account {
        assert_sound(&self.account);
        self.account.lots.retain(Lot::is_open);
        self.account
    }

    /// A lot that settling has changed, for reads.
    pub(super) fn touched_lot(&self, grant_id: GrantId) -> Option<Lot> {
        self.lots_touched.contains(&grant_id).then(|| self.lot(grant_id).clone())
    }

    /// Whether a hold has ended while the account was settled.
    pub(super) fn has_ended(&self, id: HoldId) -> bool {
        self.holds_touched.get(&id).is_some_and(|hold| hold.status != HoldStatus::Open)
    }

    /// The entries alone, for reads.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    fn lot_mut(&mut self, grant_id: GrantId) -> &mut Lot {
        self.account.lots.iter_mut().find(|lot| lot.grant_id == grant_id).expect("the lot is the account's")
    }

    fn lapse_hold(&mut self, id: HoldId, at: Timestamp) {
        let posting = Posting::of(EntryKind::Release, at, Credits::ZERO);
        self.end_hold(id, HoldStatus::Expired, at, posting);
    }

    fn expire_lot(&mut self, grant_id: GrantId, at: Timestamp) {
        let lot = self.lot_mut(grant_id);
        let expired = std::mem::take(&mut lot.remaining);
        lot.expired = plus(lot.expired, expired);
        self.account.totals.expired = plus(self.account.totals.expired, expired);
        self.post(Posting {
            lots: vec![LotChange { grant_id: Some(grant_id), credits: -expired }],
            origin: Origin { grant_id: Some(grant_id), ..Origin::default() },
            ..Posting::of(EntryKind::Expire, at, -expired)
        });
    }

    /// What falls due first, up to the time of the command. At one instant starts go before the ends of holds,
    /// and those before expiries; among equals the older goes first.
    fn first_due(&self) -> Option<Due> {
        let of_lot = |lot: &Lot| {
            let event = if lot.started { Event::Expiry(lot.grant_id) } else { Event::Start(lot.grant_id) };
            Some(Due { at: lot.next_due()?, event, order: u64::from(lot.order) })
        };
        let lots = self.account.lots.iter().filter_map(of_lot);
        let hold = self.account.holds.next_to_expire();
        let hold =
            hold.map(|hold| Due { at: hold.expires_at, event: Event::Lapse(hold.id), order: hold.seq.0 });
        lots.chain(hold)
            .filter(|due| due.at <= self.at)
            .min_by_key(|due| (due.at, due.event.rank(), due.order))
    }
}

/// Something that falls due on an account.
struct Due {
    at: Timestamp,
    event: Event,
    order: u64,
}

enum Event {
    Start(GrantId),
    Lapse(HoldId),
    Expiry(GrantId),
}

impl Event {
    /// The order in which events of one instant are settled.
    const fn rank(&self) -> u8 {
        match self {
            Event::Start(_) => 0,
            Event::Lapse(_) => 1,
            Event::Expiry(_) => 2,
        }
    }
}
