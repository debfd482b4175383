//! Holds: how credits are reserved, taken and given back.

use super::super::amounts::{minus, plus};
use super::{Draft, Posting};
use crate::{
    Counted, Credits, EntryKind, GrantId, HeldLot, Hold, HoldId, HoldStatus, LotChange, Origin, Timestamp,
};

/// A lot that something returned to although it has ended, and how it ended.
#[derive(Clone, Copy)]
enum Ended {
    Expired(GrantId),
    Voided(GrantId),
}

impl Draft {
    /// Marks what was drawn as held.
    pub(in crate::decide) fn hold_drawn(&mut self, drawn: &[LotChange]) {
        for change in drawn {
            if let Some(grant_id) = change.grant_id {
                let lot = self.lot_mut(grant_id);
                lot.held = plus(lot.held, -change.credits);
            }
        }
    }

    /// Puts a hold among the open ones, or in the place of what was known of it.
    pub(in crate::decide) fn put_hold(&mut self, hold: Hold) {
        self.holds_touched.insert(hold.id, hold.clone());
        self.account.holds.insert(hold);
    }

    /// Takes credits out of what lots have held for a hold: they are spent. Debt that was held stays debt.
    pub(in crate::decide) fn take_held(&mut self, taken: &[HeldLot]) -> Vec<LotChange> {
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
    pub(in crate::decide) fn end_hold(
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
                    let lot_id = GrantId::of_ended_hold(id, at);
                    lots.extend(self.return_to_overdraft(part.credits, lot_id, at));
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

    /// Whether a hold has ended while the account was settled.
    pub(in crate::decide) fn has_ended(&self, id: HoldId) -> bool {
        self.holds_touched.get(&id).is_some_and(|hold| hold.status != HoldStatus::Open)
    }

    pub(super) fn lapse_hold(&mut self, id: HoldId, at: Timestamp) {
        let posting = Posting::of(EntryKind::Release, at, Credits::ZERO);
        self.end_hold(id, HoldStatus::Expired, at, posting);
    }
}
