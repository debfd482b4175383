//! Charges: credits that were spent.

use crate::{
    AccountId, Balance, ChargeId, Credits, Entry, EntryKind, HoldId, KeyId, Note, Purpose, Timestamp,
};

/// One charge with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    /// Its id.
    pub id: ChargeId,
    /// The account that paid.
    pub account_id: AccountId,
    /// The customer's key that it was made with, if one was.
    pub key_id: Option<KeyId>,
    /// The hold that it captured, if it did.
    pub hold_id: Option<HoldId>,
    /// What it was made for.
    pub purpose: Purpose,
    /// How much was spent.
    pub credits: Credits,
    /// How much of it has been given back.
    pub refunded: Credits,
    /// The user's own text.
    pub note: Note,
    /// When it was made.
    pub created_at: Timestamp,
    /// The account's balance right after it.
    pub balance: Balance,
}

impl Charge {
    /// The charge that an entry made, as it stood then, or `None` where the entry made none.
    #[must_use]
    pub fn of_entry(entry: &Entry) -> Option<Charge> {
        match entry.kind {
            EntryKind::Charge | EntryKind::Capture => {}
            EntryKind::Grant
            | EntryKind::Hold
            | EntryKind::Release
            | EntryKind::Refund
            | EntryKind::Expire
            | EntryKind::Void
            | EntryKind::Adjust => return None,
        }
        Some(Charge {
            id: entry.origin.charge_id?,
            account_id: entry.account_id,
            key_id: entry.origin.key_id,
            hold_id: entry.origin.hold_id,
            purpose: entry.purpose.clone(),
            credits: Credits::checked_sum([-entry.credits, -entry.held_credits])
                .expect("the ledger keeps a charge in range"),
            refunded: Credits::ZERO,
            note: entry.note.clone(),
            created_at: entry.at,
            balance: entry.balance_told,
        })
    }
}
