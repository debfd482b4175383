//! Refunds: credits of a charge that are given back.

use crate::{AccountId, Balance, ChargeId, Credits, Entry, KeyId, LotChange, Operation, RefundId, Timestamp};

/// One refund with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The charge that it gives back.
    pub charge_id: ChargeId,
    /// The account that gets it.
    pub account_id: AccountId,
    /// How much.
    pub credits: Credits,
    /// When.
    pub created_at: Timestamp,
    /// The account's balance right after it.
    pub balance: Balance,
}

impl Refund {
    /// The refund that an entry made, or `None` where the entry made none.
    #[must_use]
    pub fn of_entry(entry: &Entry) -> Option<Refund> {
        Some(Refund {
            id: entry.origin.refund_id?,
            charge_id: entry.origin.charge_id?,
            account_id: entry.account_id,
            credits: entry.credits,
            created_at: entry.at,
            balance: entry.balance_told,
        })
    }
}

/// A charge as refunds see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refundable {
    /// The charge.
    pub id: ChargeId,
    /// The account that paid.
    pub account_id: AccountId,
    /// The customer's key that it was made with, if one was.
    pub key_id: Option<KeyId>,
    /// What it was made for.
    pub operation: Option<Operation>,
    /// How much of it was held before, the rest was taken when it was made.
    pub held: Counted,
    /// How much was taken when it was made.
    pub taken: Counted,
    /// What it took from which lots, in this order.
    pub lots: Vec<LotChange>,
    /// How much of it has been given back.
    pub refunded: Credits,
}

/// Credits, and when the caps of a key counted them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counted {
    /// How much.
    pub credits: Credits,
    /// When they were counted.
    pub at: Timestamp,
}

impl Refundable {
    /// The charge that an entry made, of which so much has been given back. `hold_created_at` is when the hold
    /// was made that it captured, if it did.
    #[must_use]
    pub fn of_entry(
        entry: &Entry,
        hold_created_at: Option<Timestamp>,
        refunded: Credits,
    ) -> Option<Refundable> {
        Some(Refundable {
            id: entry.origin.charge_id?,
            account_id: entry.account_id,
            key_id: entry.origin.key_id,
            operation: entry.purpose.operation.clone(),
            held: Counted { credits: -entry.held_credits, at: hold_created_at.unwrap_or(entry.at) },
            taken: Counted { credits: -entry.credits, at: entry.at },
            lots: entry.lots.clone(),
            refunded,
        })
    }

    /// How much of it can be given back.
    #[must_use]
    pub fn left(&self) -> Credits {
        let taken = self.lots.iter().map(|lot| -lot.credits);
        Credits::checked_sum(taken.chain([-self.refunded])).expect("a charge is in range")
    }

    /// Which lots the next so many credits come from, the last that was taken first. A capture may have drawn on the
    /// overdraft twice, for what was held and for what it took beyond: that comes back as one part.
    pub(crate) fn next_lots(&self, credits: Credits) -> Vec<LotChange> {
        let lots = self.lots.iter().rev().map(|lot| (lot.grant_id, -lot.credits));
        let mut changes: Vec<LotChange> = Vec::new();
        for (grant_id, credits) in parts(lots, self.refunded, credits) {
            let overdraft = changes.iter_mut().find(|change| grant_id.is_none() && change.grant_id.is_none());
            match overdraft {
                Some(change) => {
                    let sum = change.credits.checked_add(credits);
                    change.credits = sum.expect("parts are not more than the whole");
                }
                None => changes.push(LotChange { grant_id, credits }),
            }
        }
        changes
    }

    /// When the next so many credits were counted, the last that was taken first.
    pub(crate) fn next_counted(&self, credits: Credits) -> Vec<Counted> {
        let counted = [(self.taken.at, self.taken.credits), (self.held.at, self.held.credits)];
        parts(counted, self.refunded, credits).map(|(at, credits)| Counted { at, credits }).collect()
    }
}

/// Passes over the first so many credits of some amounts, and answers where the next so many lie.
fn parts<Place>(
    amounts: impl IntoIterator<Item = (Place, Credits)>,
    passed_over: Credits,
    wanted: Credits,
) -> impl Iterator<Item = (Place, Credits)> {
    let minus = |a: Credits, b: Credits| a.checked_sub(b).expect("a part is not more than the whole");
    let (mut passed_over, mut wanted) = (passed_over, wanted);
    amounts.into_iter().filter_map(move |(place, credits)| {
        let passed = credits.min(passed_over);
        passed_over = minus(passed_over, passed);
        let part = minus(credits, passed).min(wanted);
        wanted = minus(wanted, part);
        part.is_positive().then_some((place, part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_taken_behind_what_was_passed_over() {
        let credits = |whole| Credits::from_whole(whole).expect("in range");
        for (passed_over, wanted, expected) in [
            (0, 1, vec![('a', 1)]),
            (0, 4, vec![('a', 3), ('b', 1)]),
            (2, 3, vec![('a', 1), ('b', 2)]),
            (3, 2, vec![('b', 2)]),
            (5, 1, vec![('c', 1)]),
            (0, 6, vec![('a', 3), ('b', 2), ('c', 1)]),
            (6, 0, vec![]),
        ] {
            let amounts = [('a', credits(3)), ('b', credits(2)), ('c', credits(1))];
            let found: Vec<_> = parts(amounts, credits(passed_over), credits(wanted)).collect();
            let expected: Vec<_> =
                expected.into_iter().map(|(place, whole)| (place, credits(whole))).collect();
            assert_eq!(found, expected, "{wanted} after {passed_over}");
        }
    }
}
