//! Charges and refunds, and what charges and holds share: who may spend, and how much it is.

use coffer_ledger::{
    AccountStatus, Category, ChargeCredits, Cost, EntryKind, GrantId, KeyId, KeyUse, Operation, Origin,
    Quantity, Rate, RefundCharge, Refusal, Timestamp,
};

use super::{Verdict, catalogue};
use crate::account::{Account, Amount, Charge, Count, Lot, amount, credits, day, of_grant, taken};
use crate::answer::{Answer, BalanceView, ChargeView, PriceView, RefundView};

/// What a charge or a hold is for, once it may be made.
pub(super) struct Spending {
    pub(super) key_id: Option<KeyId>,
    pub(super) required: Amount,
    pub(super) priced: Option<(Operation, Quantity, Rate)>,
}

impl Account {
    /// Whether a charge or a hold may be made, and of how much.
    pub(super) fn may_spend(
        &self,
        key_use: Option<KeyUse>,
        cost: &Cost,
        prices: &[PriceView],
        at: Timestamp,
    ) -> Result<Spending, Refusal> {
        let key = key_use.map(|used| {
            let key = self.keys.iter().find(|key| key.id == used.key_id);
            key.filter(|key| key.opens(used.secret, at)).ok_or(Refusal::ApiKeyIsDead)
        });
        let key = key.transpose()?;
        match self.status {
            AccountStatus::Active => {}
            AccountStatus::Frozen => return Err(Refusal::AccountIsFrozen),
            AccountStatus::Closed => return Err(Refusal::AccountIsClosed),
        }
        let (required, priced) = match cost {
            Cost::Credits(credits) => (amount(*credits), None),
            Cost::Operation { operation, quantity } => {
                let price = prices.iter().find(|price| price.operation == *operation);
                let price = price.ok_or_else(|| Refusal::OperationIsUnknown(operation.clone()))?;
                let product = catalogue::product(price.rate, *quantity);
                (product, Some((operation.clone(), *quantity, price.rate)))
            }
        };
        if let Some((key, limit)) = key.and_then(|key| Some((key, key.limit?))) {
            let remaining = (amount(limit.credits) - key.spent(limit.period, at)).max(0);
            if required > 0 && required > remaining {
                let (required, remaining) = (credits(required), credits(remaining));
                return Err(Refusal::KeyLimitIsExceeded { required, remaining });
            }
        }
        self.must_cover(required)?;
        Ok(Spending { key_id: key.map(|key| key.id), required, priced })
    }

    pub(super) fn must_cover(&self, required: Amount) -> Result<(), Refusal> {
        if self.covers(required) {
            return Ok(());
        }
        let (required, available) = (credits(required), credits(self.available()));
        Err(Refusal::CreditsAreInsufficient { required, available })
    }

    pub(super) fn charge(&mut self, charge: &ChargeCredits, prices: &[PriceView], at: Timestamp) -> Verdict {
        let Spending { key_id, required, priced } = self.may_spend(charge.key, &charge.cost, prices, at)?;
        let takes = self.draw(required);
        self.count(key_id, at, required);
        let origin = Origin { charge_id: Some(charge.id), key_id, ..Origin::default() };
        self.write(EntryKind::Charge, at, -required, 0, taken(&takes), origin);
        let operation = priced.as_ref().map(|(operation, ..)| operation.clone());
        self.charges.push(Charge {
            id: charge.id,
            key_id,
            operation: operation.clone(),
            credits: required,
            refunded: 0,
            takes,
            counts: vec![(at, required)],
        });
        Ok(Answer::Charged(ChargeView {
            id: charge.id,
            key_id,
            hold_id: None,
            operation,
            quantity: priced.map(|(_, quantity, _)| quantity),
            credits: required,
            refunded: 0,
            reference: charge.note.reference.clone(),
            created_at: at,
            balance: BalanceView::of_model(self),
        }))
    }

    pub(super) fn refund(&mut self, refund: &RefundCharge, at: Timestamp) -> Verdict {
        let place = self.charges.iter().position(|charge| charge.id == refund.charge_id);
        let place = place.ok_or(Refusal::ChargeIsUnknown)?;
        if self.status == AccountStatus::Closed {
            return Err(Refusal::AccountIsClosed);
        }
        let charge = &mut self.charges[place];
        let left = charge.credits - charge.refunded;
        let returned = refund.credits.map_or(left, amount);
        if returned > left || left == 0 {
            let (required, left) = (credits(returned), credits(left));
            return Err(Refusal::RefundExceedsCharge { required, left });
        }
        let parts = overdraft_together(last_first(&charge.takes, charge.refunded, returned));
        let counts: Vec<Count> = last_first(&charge.counts, charge.refunded, returned);
        charge.refunded += returned;
        let key_id = charge.key_id;
        for (counted_at, credits) in counts {
            self.count(key_id, counted_at, -credits);
        }
        let mut lots = Vec::new();
        let mut voids: Vec<(GrantId, Amount)> = Vec::new();
        for (lot, credits) in parts {
            let Some(grant_id) = lot else {
                lots.extend(self.return_to_overdraft(credits, refund.paid_lot_id, at));
                continue;
            };
            let target = self.refund_target(grant_id, refund, at);
            if self.lot(grant_id).is_voided {
                voids.push((grant_id, credits));
            }
            let lot = self.lot(target);
            lot.remaining += credits;
            if target != grant_id {
                lot.granted += credits;
            }
            lots.push((Some(target), credits));
        }
        let (charge_id, refund_id) = (Some(refund.charge_id), Some(refund.id));
        let origin = Origin { charge_id, refund_id, key_id, ..Origin::default() };
        self.write(EntryKind::Refund, at, returned, 0, lots, origin);
        self.void_again(voids, at);
        Ok(Answer::Refunded(RefundView {
            id: refund.id,
            charge_id: refund.charge_id,
            credits: returned,
            created_at: at,
            balance: BalanceView::of_model(self),
        }))
    }

    /// Voids what has returned to voided lots.
    fn void_again(&mut self, mut voids: Vec<(GrantId, Amount)>, at: Timestamp) {
        voids.sort_by_key(|(grant_id, _)| *grant_id);
        while let Some((grant_id, _)) = voids.first().copied() {
            let voided: Amount =
                voids.iter().filter(|(other, _)| *other == grant_id).map(|(_, credits)| credits).sum();
            voids.retain(|(other, _)| *other != grant_id);
            self.lot(grant_id).remaining -= voided;
            self.write(EntryKind::Void, at, -voided, 0, vec![(Some(grant_id), -voided)], of_grant(grant_id));
        }
    }

    /// Where that returns which came from a lot.
    fn refund_target(&mut self, from: GrantId, refund: &RefundCharge, at: Timestamp) -> GrantId {
        let lot = self.lot(from);
        if lot.has_expired(at) && !lot.is_voided { self.refund_lot_of_today(refund, at) } else { from }
    }

    /// The lot that takes what is refunded to expired lots today, made where there is none that may take it.
    fn refund_lot_of_today(&mut self, refund: &RefundCharge, at: Timestamp) -> GrantId {
        if let Some((of_day, grant_id)) = self.refund_lot
            && of_day == day(at)
            && !self.lot(grant_id).is_voided
        {
            return grant_id;
        }
        let expires_at = at.unix_ms() + i64::from(refund.refund_lot_days) * 86_400_000;
        self.lots.push(Lot {
            grant_id: refund.refund_lot_id,
            category: Category::Promotional,
            priority: 50,
            effective_at: at,
            expires_at: Timestamp::from_unix_ms(expires_at),
            granted: 0,
            remaining: 0,
            expired: 0,
            is_started: true,
            is_voided: false,
            reference: None,
            created_at: at,
        });
        self.refund_lot = Some((day(at), refund.refund_lot_id));
        refund.refund_lot_id
    }
}

/// What was drawn on the overdraft, held and beyond, comes back as one part, where the first of it stands.
fn overdraft_together(parts: Vec<(Option<GrantId>, Amount)>) -> Vec<(Option<GrantId>, Amount)> {
    let of_overdraft: Amount =
        parts.iter().filter(|(lot, _)| lot.is_none()).map(|(_, credits)| credits).sum();
    let mut found = Vec::new();
    for (lot, credits) in parts {
        match lot {
            Some(_) => found.push((lot, credits)),
            None if found.iter().all(|(other, _): &(Option<GrantId>, Amount)| other.is_some()) => {
                found.push((None, of_overdraft));
            }
            None => {}
        }
    }
    found
}

/// Takes the next so many credits from the end, behind what was taken from there before.
fn last_first<Place: Copy>(
    parts: &[(Place, Amount)],
    taken_before: Amount,
    wanted: Amount,
) -> Vec<(Place, Amount)> {
    // One millionth after the other would be plainer still, but there are millions of them.
    let mut passed = 0;
    let mut found = Vec::new();
    for (place, credits) in parts.iter().rev() {
        let start = passed.max(taken_before);
        let end = (passed + credits).min(taken_before + wanted);
        if end > start {
            found.push((*place, end - start));
        }
        passed += credits;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_last_comes_back_first() {
        let parts = [('a', 3), ('b', 2), ('c', 1)];
        for (before, wanted, expected) in [
            (0, 1, vec![('c', 1)]),
            (0, 2, vec![('c', 1), ('b', 1)]),
            (2, 2, vec![('b', 1), ('a', 1)]),
            (3, 3, vec![('a', 3)]),
            (0, 6, vec![('c', 1), ('b', 2), ('a', 3)]),
        ] {
            assert_eq!(last_first(&parts, before, wanted), expected, "{wanted} after {before}");
        }
    }
}
