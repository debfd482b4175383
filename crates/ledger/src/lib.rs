//! The rules of the ledger, and nothing else.
//!
//! One direction: a [`Command`] names what it [needs](Needs), a store loads that into a [`Snapshot`],
//! [`decide`] looks at the snapshot and answers with an [`Outcome`] and the [`Changes`] that it causes,
//! the snapshot absorbs them for the next command of the batch, and the store writes them in one
//! transaction.
//!
//! This crate deliberately has no clock, no randomness, no I/O, no async and no serialization (the
//! canonical bytes of an [`Entry`], which its hash is made of, excepted). Times, ids and salts arrive in
//! the command. Depending on anything that does I/O breaks the build's dependency check.
#![warn(clippy::wildcard_enum_match_arm)]

mod command;
mod decide;
mod outcome;
mod snapshot;

mod account;
mod action;
mod adjustment;
mod charge;
mod entry;
mod grant;
mod hold;
mod key;
mod operator;
mod price;
mod refund;
mod session;

mod audit;

mod credits;
mod fingerprint;
mod id;
mod invariants;
mod text;
mod time;

pub use account::{
    Account, AccountProfile, AccountRecord, AccountStatus, Balance, NextExpiry, RefundLot, Totals,
};
pub use action::{Action, ActionKind, Actor, Channel};
pub use adjustment::Adjustment;
pub use audit::{Audit, Finding};
pub use charge::Charge;
pub use command::{
    AdjustCredits, Audited, CaptureAmount, CaptureHold, ChargeCredits, Command, Cost, CreateAccount,
    CreateKey, CreateOperatorKey, DeletePrice, EndSession, EndSessions, EraseTexts, Excess, GrantCredits,
    HoldCredits, Idempotency, KeyUse, OfferSession, OpenSession, PutPrice, RefundCharge, ReleaseHold,
    RevokeKey, RevokeOperatorKey, RotateKey, Settle, SignIn, UpdateAccount, UpdateKey, UseSession, VoidGrant,
};
pub use credits::{Credits, CreditsError};
pub use decide::{Decision, decide, entries_due, settle, settle_grants, settle_keys};
pub use entry::{
    Digest256, Entry, EntryHash, EntryKind, LotChange, Note, Origin, Purpose, Salt, Seq, TextDigests,
};
pub use fingerprint::Fingerprint;
pub use grant::{Category, Grant, GrantStatus, Lot, Priority};
pub use hold::{HeldLot, Hold, HoldRecord, HoldStatus, Holds};
pub use id::{
    AccountId, ActionId, AdjustmentId, Bucket, ChargeId, GrantId, HoldId, IdError, KeyId, OperatorKeyId,
    RefundId, SessionId, UuidBytes,
};
pub use key::{
    Key, KeyLimit, KeyProfile, KeyRecord, KeyStatus, Period, RetiredSecret, SecretHash, Spent, Window,
};
pub use operator::{OperatorKey, Scope, ScopeError, Scopes};
pub use outcome::{Outcome, Refusal, Related, Reply};
pub use price::{Price, Priced, Quantity, RESERVED_OPERATION, Rate, RateError};
pub use refund::{Counted, Refund, Refundable};
pub use session::{Session, SessionOf, SessionStage};
pub use snapshot::{Changes, Erasure, FurtherNeeds, Needs, Records, Remembered, RememberedChange, Snapshot};
pub use text::{
    Client, Description, Detail, ExternalId, Hint, IdempotencyKey, Metadata, MetadataError, Name, Operation,
    Reason, Reference, ReturnUrl, Subject, TextError, Unit,
};
pub use time::{Timestamp, TimestampError};

/// Limits that the ledger itself enforces. Each is part of the public contract.
pub mod limits {
    /// Open grants an account may have at once (pending ones count).
    pub const GRANTS_OPEN_MAX: usize = 1_000;
    /// Events of an account that one command settles, where settling is all that it does. What is left is due still.
    pub const SETTLED_AT_ONCE_MAX: usize = 1_000;
    /// Open holds an account may have at once.
    pub const HOLDS_OPEN_MAX: usize = 10_000;
    /// Secrets of a key that live on at once after it was rotated.
    pub const SECRETS_RETIRED_MAX: usize = 10;
    /// The longest that a hold may last, in milliseconds (7 days).
    pub const HOLD_MS_MAX: u32 = 7 * 24 * 60 * 60 * 1000;
    /// What a hold lasts whose caller did not say, in milliseconds (15 minutes).
    pub const HOLD_MS_DEFAULT: u32 = 15 * 60 * 1000;
    /// The longest that a rotated secret may live on, in milliseconds (7 days).
    pub const OVERLAP_MS_MAX: u32 = 7 * 24 * 60 * 60 * 1000;
    /// How long a lot lives that takes what is refunded to expired lots, in days.
    pub const REFUND_LOT_DAYS_DEFAULT: u16 = 30;
    /// Characters in a name, a reference, an external id or an idempotency key.
    pub const TEXT_CHARACTERS_MAX: usize = 255;
    /// Pairs in `metadata`.
    pub const METADATA_PAIRS_MAX: usize = 50;
    /// Characters in a key of `metadata`.
    pub const METADATA_KEY_CHARACTERS_MAX: usize = 40;
    /// Characters in a value of `metadata`.
    pub const METADATA_VALUE_CHARACTERS_MAX: usize = 500;
    /// The highest (last burned) priority of a grant.
    pub const PRIORITY_MAX: u8 = 100;
    /// How long the link of a portal session is good for, in milliseconds: what its caller may say.
    pub const LINK_MS_MIN: u32 = 60 * 1000;
    /// The longest that such a link is good for (24 hours).
    pub const LINK_MS_MAX: u32 = 24 * 60 * 60 * 1000;
    /// What it is good for where its caller did not say (15 minutes).
    pub const LINK_MS_DEFAULT: u32 = 15 * 60 * 1000;
    /// How long a customer's session lasts (4 hours).
    pub const PORTAL_SESSION_MS: u32 = 4 * 60 * 60 * 1000;
    /// After how long without a use it lapses (1 hour).
    pub const PORTAL_IDLE_MS_MAX: u32 = 60 * 60 * 1000;
    /// How long an operator's session lasts (12 hours).
    pub const OPERATOR_SESSION_MS: u32 = 12 * 60 * 60 * 1000;
    /// After how long without a use it lapses (2 hours).
    pub const OPERATOR_IDLE_MS_MAX: u32 = 2 * 60 * 60 * 1000;
    /// A use of a session is noted where the last one that was is so long ago, in milliseconds.
    pub const SESSION_USE_NOTED_MS: u32 = 60 * 1000;
    /// Sessions and links of one account, or of one operator's key, that there are at once. A further one ends the oldest link that
    /// nobody has opened, or the oldest session where there is none.
    pub const SESSIONS_OF_ONE_MAX: usize = 50;
    /// Characters in the address that a portal session leads back to.
    pub const RETURN_URL_CHARACTERS_MAX: usize = 2_000;

    const _: () = assert!(SESSION_USE_NOTED_MS < PORTAL_IDLE_MS_MAX, "a session in use must not lapse");
    const _: () =
        assert!(PORTAL_IDLE_MS_MAX < PORTAL_SESSION_MS && OPERATOR_IDLE_MS_MAX < OPERATOR_SESSION_MS);

    /// How long a refusal stays remembered under its idempotency key, in milliseconds (24 hours).
    pub const REFUSAL_REMEMBERED_MS_MIN: i64 = 24 * 60 * 60 * 1000;
}
