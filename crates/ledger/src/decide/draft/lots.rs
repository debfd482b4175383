//! Lots: how credits are put in, drawn, given back, and end.

use super::super::amounts::{minus, plus};
use super::{Draft, Posting};
use crate::{
    Account, Category, Credits, EntryKind, Grant, GrantId, Idempotency, Lot, LotChange, Metadata, Note,
    Origin, Priority, RefundLot, Snapshot, Timestamp,
};

impl Draft {
    /// What pending lots will add to the account when they start.
    pub(in crate::decide) fn pending(&self) -> Option<Credits> {
        Credits::checked_sum(self.account.lots.iter().filter(|lot| !lot.started).map(|lot| lot.remaining))
    }

    /// Puts a new lot into its place in the burn order; it stays pending until it is started.
    pub(in crate::decide) fn add_lot(&mut self, lot: Lot) {
        self.account.lots_made = lot.order;
        self.put_lot(lot);
    }

    /// Puts a lot back that had been used up.
    pub(in crate::decide) fn reopen_lot(&mut self, lot: &Lot) {
        if !self.account.lots.iter().any(|open| open.grant_id == lot.grant_id) {
            self.put_lot(lot.clone());
        }
    }

    /// A lot without a start ahead and without an expiry, as adjustments and returns to the overdraft make it.
    pub(in crate::decide) fn new_lot(&self, grant_id: GrantId, credits: Credits, at: Timestamp) -> Lot {
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
    pub(in crate::decide) fn make_lot(&mut self, lot: Lot) {
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
    pub(in crate::decide) fn start_lot(
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
    pub(in crate::decide) fn put_in(&mut self, grant_id: GrantId) -> Vec<LotChange> {
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
    pub(in crate::decide) fn draw(&mut self, credits: Credits) -> Vec<LotChange> {
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

    /// Gives back what was drawn from the overdraft: it lowers the debt; with no debt left it becomes a paid lot
    /// without expiry.
    pub(in crate::decide) fn return_to_overdraft(
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
    pub(in crate::decide) fn return_to_lot(&mut self, grant_id: GrantId, credits: Credits) -> LotChange {
        let lot = self.lot_mut(grant_id);
        lot.remaining = plus(lot.remaining, credits);
        LotChange { grant_id: Some(grant_id), credits }
    }

    /// Gives back what was spent from a lot that has expired: to the one promotional lot of the day, which is made
    /// where there is none, or where somebody has voided it.
    pub(in crate::decide) fn return_to_refund_lot(
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
    pub(in crate::decide) fn refund_lot_of_today<'a>(&'a self, snapshot: &'a Snapshot) -> Option<&'a Lot> {
        let todays = self.account.refund_lot.filter(|lot| lot.day == self.at.start_of_day())?;
        Some(self.lot_or_closed(snapshot, todays.grant_id)).filter(|lot| !lot.is_voided())
    }

    /// Takes back what is left of a lot and not held, in an entry unless it was never available.
    pub(in crate::decide) fn void_lot(&mut self, grant_id: GrantId, idempotency: Option<Idempotency>) {
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
    pub(in crate::decide) fn void_again(&mut self, grant_id: GrantId, at: Timestamp) {
        self.take_back(grant_id, at, None);
    }

    /// The lot of a grant that was added or is open.
    pub(in crate::decide) fn lot(&self, grant_id: GrantId) -> &Lot {
        self.account.lots.iter().find(|lot| lot.grant_id == grant_id).expect("the lot is the account's")
    }

    /// A lot of the account, whether it is open or has been used up.
    pub(in crate::decide) fn lot_or_closed<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        grant_id: GrantId,
    ) -> &'a Lot {
        let open = self.account.lots.iter().find(|lot| lot.grant_id == grant_id);
        open.or_else(|| snapshot.closed_lot(self.account.id, grant_id))
            .expect("a batch loads the lots that something returns to")
    }

    /// How many lots are open or pending.
    pub(in crate::decide) fn open_lots(&self) -> usize {
        self.account.lots.iter().filter(|lot| lot.is_open()).count()
    }

    /// Whether the account stays in range with these credits: now, when all that is still to start has started, and
    /// when all of it has expired or was voided. What happens by itself cannot be refused.
    pub(in crate::decide) fn has_room_for(&self, credits: Credits) -> bool {
        let Account { balance, debt, totals, .. } = &self.account;
        let pending = self.pending();
        let sum = [balance.available, *debt, balance.held, totals.expired, totals.voided, credits];
        pending.is_some_and(|pending| Credits::checked_sum(sum.into_iter().chain([pending])).is_some())
    }

    /// A lot that settling has changed, for reads.
    pub(in crate::decide) fn touched_lot(&self, grant_id: GrantId) -> Option<Lot> {
        self.lots_touched.contains(&grant_id).then(|| self.lot(grant_id).clone())
    }

    pub(super) fn put_lot(&mut self, lot: Lot) {
        let place = self.account.lots.partition_point(|other| other.burn_order() < lot.burn_order());
        self.lots_touched.insert(lot.grant_id);
        self.account.lots.insert(place, lot);
    }

    pub(super) fn take_back(&mut self, grant_id: GrantId, at: Timestamp, idempotency: Option<Idempotency>) {
        let voided = std::mem::take(&mut self.lot_mut(grant_id).remaining);
        self.account.totals.voided = plus(self.account.totals.voided, voided);
        self.post(Posting {
            lots: vec![LotChange { grant_id: Some(grant_id), credits: -voided }],
            origin: Origin { grant_id: Some(grant_id), ..Origin::default() },
            idempotency,
            ..Posting::of(EntryKind::Void, at, -voided)
        });
    }

    pub(super) fn lot_mut(&mut self, grant_id: GrantId) -> &mut Lot {
        self.account.lots.iter_mut().find(|lot| lot.grant_id == grant_id).expect("the lot is the account's")
    }

    pub(super) fn expire_lot(&mut self, grant_id: GrantId, at: Timestamp) {
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
}
