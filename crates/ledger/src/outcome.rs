//! Outcomes: what came of a command. A refusal is a value with a name that reads as a sentence.
//!
//! Answers are rendered from outcomes, first and replayed ones alike. The renderers match on every variant,
//! so a new refusal does not compile until each wire format knows it.

use crate::{
    AccountRecord, Charge, Credits, Entry, EntryKind, ExternalId, Grant, KeyRecord, OperatorKey, Timestamp,
};

/// What the caller of a command gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// What came of it.
    pub outcome: Outcome,
    /// Whether it came of an earlier request with the same idempotency key.
    pub replayed: bool,
}

/// What came of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The account is open.
    AccountCreated(AccountRecord),
    /// The credits are granted; the grant as it stood right then.
    Granted(Grant),
    /// The credits are spent.
    Charged(Charge),
    /// What was due is settled.
    Settled,
    /// The key exists.
    KeyCreated(KeyRecord),
    /// The key is changed.
    KeyUpdated(KeyRecord),
    /// The key is dead.
    KeyRevoked(KeyRecord),
    /// The operator's key exists.
    OperatorKeyCreated(OperatorKey),
    /// The operator's key is dead.
    OperatorKeyRevoked(OperatorKey),
    /// Nothing was done, for a reason.
    Refused(Refusal),
}

/// Why nothing was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// No account has this id.
    AccountIsUnknown,
    /// The account is frozen: nothing new may begin.
    AccountIsFrozen,
    /// The account is closed: nothing moves any more.
    AccountIsClosed,
    /// Another account has this external id.
    ExternalIdIsTaken(ExternalId),
    /// No key has this id.
    KeyIsUnknown,
    /// The key was revoked, and stays so.
    KeyIsRevoked,
    /// The customer's key that was presented opens nothing any more.
    ApiKeyIsDead,
    /// A key with this secret exists.
    SecretIsTaken,
    /// No operator's key has this id.
    OperatorKeyIsUnknown,
    /// It is the last operator's key that can make others.
    LastOperatorKeyMustLive,
    /// The time does not lie in the future.
    ExpiryIsNotInTheFuture {
        /// The time of the command.
        at: Timestamp,
    },
    /// A grant would expire before it takes effect, or at that moment.
    ExpiryIsNotAfterStart,
    /// Another request was made under this idempotency key.
    IdempotencyKeyWasReused,
    /// The key's cap leaves too little.
    KeyLimitIsExceeded {
        /// What the charge would have cost.
        required: Credits,
        /// What the cap leaves in the running period.
        remaining: Credits,
    },
    /// The account has too little.
    CreditsAreInsufficient {
        /// What the charge would have cost.
        required: Credits,
        /// What the account had available, the overdraft limit not added.
        available: Credits,
    },
    /// A balance or a lifetime total would leave ±9,000,000,000,000.
    BalanceIsOutOfRange,
    /// The account has as many open grants as it may have.
    TooManyGrantsAreOpen,
}

impl Refusal {
    /// Whether the refusal is remembered under its idempotency key: the 402 and 409 of the public contract,
    /// so that a late retry can never charge after a top-up. Nothing else leaves a trace.
    #[must_use]
    pub const fn is_remembered(&self) -> bool {
        match self {
            Refusal::KeyLimitIsExceeded { .. }
            | Refusal::CreditsAreInsufficient { .. }
            | Refusal::BalanceIsOutOfRange
            | Refusal::TooManyGrantsAreOpen
            | Refusal::AccountIsClosed => true,
            Refusal::AccountIsUnknown
            | Refusal::AccountIsFrozen
            | Refusal::ExternalIdIsTaken(_)
            | Refusal::KeyIsUnknown
            | Refusal::KeyIsRevoked
            | Refusal::ApiKeyIsDead
            | Refusal::SecretIsTaken
            | Refusal::OperatorKeyIsUnknown
            | Refusal::LastOperatorKeyMustLive
            | Refusal::ExpiryIsNotInTheFuture { .. }
            | Refusal::ExpiryIsNotAfterStart
            | Refusal::IdempotencyKeyWasReused => false,
        }
    }
}

impl Outcome {
    /// The first answer to the request that caused an entry, rebuilt from the entry and, where it is one of a
    /// grant, from the grant. `None` where the entry answers no request.
    #[must_use]
    pub fn of_entry(entry: &Entry, grant: Option<Grant>) -> Option<Outcome> {
        match entry.kind {
            EntryKind::Grant => Some(Outcome::Granted(grant?.as_started_by(entry))),
            EntryKind::Charge => Charge::of_entry(entry).map(Outcome::Charged),
            EntryKind::Expire => None,
        }
    }
}
