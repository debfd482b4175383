//! Outcomes: what came of a command. A refusal is a value with a name that reads as a sentence.
//!
//! Answers are rendered from outcomes, first and replayed ones alike. The renderers match on every variant,
//! so a new refusal does not compile until each wire format knows it.

use crate::{
    AccountRecord, Adjustment, Charge, Credits, Entry, EntryKind, ExternalId, Grant, HoldRecord, KeyRecord,
    Operation, OperatorKey, Price, Refund, Session, SessionOf, Timestamp,
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
    /// The account is changed.
    AccountUpdated(AccountRecord),
    /// The credits are granted; the grant as it stood right then.
    Granted(Grant),
    /// What was left of the grant is taken back; the grant as it stood right then.
    GrantVoided(Grant),
    /// The balance is corrected.
    Adjusted(Adjustment),
    /// The credits are spent.
    Charged(Charge),
    /// Credits of the charge are given back.
    Refunded(Refund),
    /// The credits are reserved; the hold as it stood right then.
    Held(HoldRecord),
    /// Reserved credits are spent.
    Captured(Charge),
    /// Reserved credits are given back.
    Released(HoldRecord),
    /// What was due is settled.
    Settled,
    /// The texts are erased.
    TextsErased,
    /// The key exists.
    KeyCreated(KeyRecord),
    /// The key is changed.
    KeyUpdated(KeyRecord),
    /// The key has another secret.
    KeyRotated(KeyRecord),
    /// The key is dead.
    KeyRevoked(KeyRecord),
    /// The operation has this price.
    PricePut(Price),
    /// The operation has no price any more.
    PriceDeleted,
    /// The operator's key exists.
    OperatorKeyCreated(OperatorKey),
    /// The operator's key is dead.
    OperatorKeyRevoked(OperatorKey),
    /// The link exists.
    SessionOffered(Session),
    /// Somebody is let in.
    SessionOpened(Session),
    /// The use is noted.
    SessionUsed,
    /// Sessions have ended.
    SessionsEnded {
        /// Whose.
        of: SessionOf,
        /// How many.
        count: u32,
    },
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
    /// The account has open holds, and so cannot be closed.
    AccountHasOpenHolds,
    /// The account is in debt, and so cannot be closed.
    AccountIsInDebt,
    /// Another account has this external id.
    ExternalIdIsTaken(ExternalId),
    /// No grant of the account has this id.
    GrantIsUnknown,
    /// The grant has expired, was voided, or is depleted: there is nothing to void.
    GrantIsClosed,
    /// No charge of the account has this id.
    ChargeIsUnknown,
    /// The charge leaves less to give back.
    RefundExceedsCharge {
        /// What was to be given back.
        required: Credits,
        /// What is left of the charge.
        left: Credits,
    },
    /// No hold of the account has this id.
    HoldIsUnknown,
    /// The hold has ended.
    HoldIsClosed,
    /// The hold was made for credits, not for an operation, so a quantity means nothing.
    HoldHasNoOperation,
    /// A capture that is not final would take nothing.
    NothingWouldBeCaptured,
    /// The hold reserves less.
    CaptureExceedsHold {
        /// What was to be captured.
        required: Credits,
        /// What is held still.
        held: Credits,
    },
    /// The catalogue has no such operation.
    OperationIsUnknown(Operation),
    /// The price of this operation cannot be changed.
    OperationIsReserved(Operation),
    /// No key has this id.
    KeyIsUnknown,
    /// The key was revoked, and stays so.
    KeyIsRevoked,
    /// The key has as many secrets that live on as it may have.
    TooManySecretsLiveOn,
    /// The customer's key that was presented opens nothing any more.
    ApiKeyIsDead,
    /// A key with this secret exists.
    SecretIsTaken,
    /// No operator's key has this id.
    OperatorKeyIsUnknown,
    /// No session has this id, it has ended, or what was presented does not open it.
    SessionIsUnknown,
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
    /// The account has as many open holds as it may have.
    TooManyHoldsAreOpen,
}

impl Refusal {
    /// Whether the refusal is remembered under its idempotency key: the 402 and 409 of the public contract,
    /// so that a late retry can never charge after a top-up. Nothing else leaves a trace.
    #[must_use]
    pub const fn is_remembered(&self) -> bool {
        match self {
            Refusal::KeyLimitIsExceeded { .. }
            | Refusal::CreditsAreInsufficient { .. }
            | Refusal::RefundExceedsCharge { .. }
            | Refusal::CaptureExceedsHold { .. }
            | Refusal::HoldIsClosed
            | Refusal::GrantIsClosed
            | Refusal::BalanceIsOutOfRange
            | Refusal::TooManyGrantsAreOpen
            | Refusal::TooManyHoldsAreOpen
            | Refusal::AccountIsClosed => true,
            Refusal::AccountIsUnknown
            | Refusal::AccountIsFrozen
            | Refusal::AccountHasOpenHolds
            | Refusal::AccountIsInDebt
            | Refusal::ExternalIdIsTaken(_)
            | Refusal::GrantIsUnknown
            | Refusal::ChargeIsUnknown
            | Refusal::HoldIsUnknown
            | Refusal::HoldHasNoOperation
            | Refusal::NothingWouldBeCaptured
            | Refusal::OperationIsUnknown(_)
            | Refusal::OperationIsReserved(_)
            | Refusal::KeyIsUnknown
            | Refusal::KeyIsRevoked
            | Refusal::TooManySecretsLiveOn
            | Refusal::ApiKeyIsDead
            | Refusal::SecretIsTaken
            | Refusal::OperatorKeyIsUnknown
            | Refusal::SessionIsUnknown
            | Refusal::LastOperatorKeyMustLive
            | Refusal::ExpiryIsNotInTheFuture { .. }
            | Refusal::ExpiryIsNotAfterStart
            | Refusal::IdempotencyKeyWasReused => false,
        }
    }
}

/// What an answer shows beside the entry that caused it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Related {
    /// The grant that the entry names, as it stands now.
    pub grant: Option<Grant>,
    /// The hold that the entry names, as it stands now.
    pub hold: Option<HoldRecord>,
}

impl Outcome {
    /// The first answer to the request that caused an entry, rebuilt from the entry and what it names. `None`
    /// where the entry answers no request.
    #[must_use]
    pub fn of_entry(entry: &Entry, related: Related) -> Option<Outcome> {
        entry.idempotency.as_ref()?;
        match entry.kind {
            EntryKind::Grant => Some(Outcome::Granted(related.grant?.as_started_by(entry))),
            EntryKind::Void => Some(Outcome::GrantVoided(related.grant?.as_voided())),
            EntryKind::Adjust => Adjustment::of_entry(entry).map(Outcome::Adjusted),
            EntryKind::Charge => Charge::of_entry(entry).map(Outcome::Charged),
            EntryKind::Refund => Refund::of_entry(entry).map(Outcome::Refunded),
            EntryKind::Hold => Some(Outcome::Held(related.hold?.as_made_by(entry))),
            EntryKind::Capture => Charge::of_entry(entry).map(Outcome::Captured),
            EntryKind::Release => {
                Some(Outcome::Released(HoldRecord { balance: entry.balance_told, ..related.hold? }))
            }
            EntryKind::Expire => None,
        }
    }
}
