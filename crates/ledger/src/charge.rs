//! Charges: credits that were spent.

use crate::{AccountId, Balance, ChargeId, Credits, Entry, HoldId, KeyId, Metadata, Reference, Timestamp};

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
    /// How much was spent.
    pub credits: Credits,
    /// How much of it has been given back.
    pub refunded: Credits,
    /// The user's own word for it.
    pub reference: Option<Reference>,
    /// The user's own pairs.
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Timestamp,
    /// The account's balance right after it.
    pub balance: Balance,
}

impl Charge {
    /// The charge that an entry made, as it stood then, or `None` where the entry made none.
    #[must_use]
    pub fn of_entry(entry: &Entry) -> Option<Charge> {
        Some(Charge {
            id: entry.origin.charge_id?,
            account_id: entry.account_id,
            key_id: entry.origin.key_id,
            hold_id: entry.origin.hold_id,
            credits: -entry.credits,
            refunded: Credits::ZERO,
            reference: entry.note.reference.clone(),
            metadata: entry.note.metadata.clone(),
            created_at: entry.at,
            balance: entry.balance_after,
        })
    }
}
