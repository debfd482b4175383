//! Adjustments: corrections that somebody makes by hand, with a reason.

use crate::{AccountId, AdjustmentId, Balance, Credits, Entry, Reason, Timestamp};

/// One adjustment with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Adjustment {
    /// Its id.
    pub id: AdjustmentId,
    /// The account that it corrects.
    pub account_id: AccountId,
    /// By how much: not zero.
    pub credits: Credits,
    /// Why; `None` once it has been erased.
    pub reason: Option<Reason>,
    /// When.
    pub created_at: Timestamp,
    /// The account's balance right after it.
    pub balance: Balance,
}

impl Adjustment {
    /// The adjustment that an entry made, or `None` where the entry made none.
    #[must_use]
    pub fn of_entry(entry: &Entry) -> Option<Adjustment> {
        Some(Adjustment {
            id: entry.origin.adjustment_id?,
            account_id: entry.account_id,
            credits: entry.credits,
            reason: entry.note.reason.clone(),
            created_at: entry.at,
            balance: entry.balance_told,
        })
    }
}
