//! How credits move in an account of the model, and what its entries say of it.

use coffer_ledger::{AdjustmentId, Category, EntryKind, GrantId, HoldId, HoldStatus, Origin, Timestamp};

use super::{Account, Amount, Entry, Lot, Take};

impl Account {
    /// Writes an entry about what has just been done.
    pub(crate) fn write(
        &mut self,
        kind: EntryKind,
        at: Timestamp,
        credits: Amount,
        held_credits: Amount,
        lots: Vec<Take>,
        origin: Origin,
    ) {
        let (available, held) =
            self.entries.last().map_or((0, 0), |entry| (entry.available_after, entry.held_after));
        let (available_after, held_after) = (self.available(), self.held());
        assert_eq!(
            (available + credits, held + held_credits),
            (available_after, held_after),
            "the model itself adds up in {kind:?}"
        );
        self.entries.push(Entry {
            kind,
            credits,
            held_credits,
            available_after,
            held_after,
            lots,
            origin,
            at,
        });
    }

    /// Does everything that has fallen due by a time, in the order in which it did.
    pub fn settle(&mut self, until: Timestamp) {
        enum Due {
            Start(usize),
            Lapse(usize),
            Expiry(usize),
        }
        loop {
            let mut due: Vec<(Timestamp, u8, usize, Due)> = Vec::new();
            for (place, lot) in self.lots.iter().enumerate() {
                if !lot.is_started && !lot.is_voided {
                    due.push((lot.effective_at, 0, place, Due::Start(place)));
                }
                if let Some(expires_at) = lot.expires_at
                    && lot.is_started
                    && lot.remaining > 0
                {
                    due.push((expires_at, 2, place, Due::Expiry(place)));
                }
            }
            for (place, hold) in self.holds.iter().enumerate().filter(|(_, hold)| hold.is_open()) {
                due.push((hold.expires_at, 1, place, Due::Lapse(place)));
            }
            due.retain(|(at, ..)| *at <= until);
            let first = due.into_iter().min_by_key(|(at, kind, place, _)| (*at, *kind, *place));
            match first {
                None => return,
                Some((at, _, _, Due::Start(place))) => self.start(place, EntryKind::Grant, at, None),
                Some((at, _, _, Due::Lapse(place))) => self.lapse(place, at),
                Some((at, _, _, Due::Expiry(place))) => self.expire(place, at),
            }
        }
    }

    /// Starts a lot, which pays the debt first.
    pub(crate) fn start(
        &mut self,
        place: usize,
        kind: EntryKind,
        at: Timestamp,
        adjustment_id: Option<AdjustmentId>,
    ) {
        let lot = &mut self.lots[place];
        lot.is_started = true;
        let paid = self.debt.min(lot.granted);
        lot.remaining = lot.granted - paid;
        let mut lots = vec![(Some(lot.grant_id), lot.remaining)];
        let (grant_id, granted) = (lot.grant_id, lot.granted);
        self.debt -= paid;
        if paid > 0 {
            lots.push((None, paid));
        }
        // The lot of an adjustment is named by the adjustment alone.
        let origin = match adjustment_id {
            Some(_) => Origin { adjustment_id, ..Origin::default() },
            None => of_grant(grant_id),
        };
        self.write(kind, at, granted, 0, lots, origin);
    }

    fn lapse(&mut self, place: usize, at: Timestamp) {
        self.holds[place].status = HoldStatus::Expired;
        if self.holds[place].left() > 0 {
            self.give_back(place, at, |expires_at| expires_at < at);
        }
    }

    fn expire(&mut self, place: usize, at: Timestamp) {
        let lot = &mut self.lots[place];
        let (grant_id, expired) = (lot.grant_id, lot.remaining);
        lot.remaining = 0;
        lot.expired += expired;
        self.write(EntryKind::Expire, at, -expired, 0, vec![(Some(grant_id), -expired)], of_grant(grant_id));
    }

    /// Gives back what a hold that ends has left, with its entries.
    pub(crate) fn give_back(&mut self, place: usize, at: Timestamp, is_over: impl Fn(Timestamp) -> bool) {
        let hold = &mut self.holds[place];
        let left = hold.left();
        let takes = std::mem::take(&mut hold.takes);
        let (key_id, counted_at, hold_id) = (hold.key_id, hold.created_at, hold.id);
        let mut lots = Vec::new();
        for (lot, credits) in takes.iter().rev() {
            match lot {
                Some(grant_id) => {
                    self.lot(*grant_id).remaining += credits;
                    lots.push((Some(*grant_id), *credits));
                }
                None => lots.extend(self.return_to_overdraft(*credits, of_ended_hold(hold_id, at), at)),
            }
        }
        self.count(key_id, counted_at, -left);
        let origin = Origin { hold_id: Some(hold_id), key_id, ..Origin::default() };
        self.write(EntryKind::Release, at, left, -left, lots, origin);
        for (lot, credits) in takes.into_iter().rev() {
            let Some(grant_id) = lot else { continue };
            let lot = self.lot(grant_id);
            if lot.is_voided {
                lot.remaining -= credits;
                self.write(
                    EntryKind::Void,
                    at,
                    -credits,
                    0,
                    vec![(Some(grant_id), -credits)],
                    of_grant(grant_id),
                );
            } else if lot.expires_at.is_some_and(&is_over) {
                lot.remaining -= credits;
                lot.expired += credits;
                self.write(
                    EntryKind::Expire,
                    at,
                    -credits,
                    0,
                    vec![(Some(grant_id), -credits)],
                    of_grant(grant_id),
                );
            }
        }
    }

    /// Returns credits to the overdraft: they pay the debt down, and the rest becomes a paid lot.
    pub(crate) fn return_to_overdraft(
        &mut self,
        credits: Amount,
        lot_id: GrantId,
        at: Timestamp,
    ) -> Vec<Take> {
        let paid = self.debt.min(credits);
        let rest = credits - paid;
        self.debt -= paid;
        let mut lots = Vec::new();
        if paid > 0 {
            lots.push((None, paid));
        }
        if rest > 0 {
            match self.lots.iter_mut().find(|lot| lot.grant_id == lot_id) {
                // A refund comes back twice where its charge drew on the overdraft through its hold and beyond it.
                Some(lot) => {
                    lot.granted += rest;
                    lot.remaining += rest;
                }
                None => self.lots.push(Lot {
                    grant_id: lot_id,
                    category: Category::Paid,
                    priority: 50,
                    effective_at: at,
                    expires_at: None,
                    granted: rest,
                    remaining: rest,
                    expired: 0,
                    is_started: true,
                    is_voided: false,
                    reference: None,
                    created_at: at,
                }),
            }
            lots.push((Some(lot_id), rest));
        }
        lots
    }

    /// Takes credits from the lots in burn order, and what they lack from the overdraft.
    pub(crate) fn draw(&mut self, credits: Amount) -> Vec<Take> {
        let mut wanted = credits;
        let mut takes = Vec::new();
        for place in self.open_lots() {
            let lot = &mut self.lots[place];
            let part = wanted.min(lot.remaining);
            if lot.is_started && part > 0 {
                lot.remaining -= part;
                wanted -= part;
                takes.push((Some(lot.grant_id), part));
            }
        }
        if wanted > 0 {
            self.debt += wanted;
            takes.push((None, wanted));
        }
        takes
    }
}

/// The id of the lot that the end of a hold makes: the hold's, with the time of its end in front.
fn of_ended_hold(id: HoldId, at: Timestamp) -> GrantId {
    let mut bytes = id.bytes();
    bytes[..6].copy_from_slice(&at.unix_ms().to_be_bytes()[2..]);
    GrantId::from_bytes(bytes)
}

/// The origin of what becomes of a grant.
pub(crate) fn of_grant(grant_id: GrantId) -> Origin {
    Origin { grant_id: Some(grant_id), ..Origin::default() }
}

/// The same takes, as an entry shows them: what went out is below zero.
pub(crate) fn taken(takes: &[Take]) -> Vec<Take> {
    takes.iter().map(|(lot, credits)| (*lot, -credits)).collect()
}
