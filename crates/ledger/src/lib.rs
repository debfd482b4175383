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
mod charge;
mod entry;
mod grant;
mod key;
mod operator;

mod credits;
mod fingerprint;
mod id;
mod invariants;
mod text;
mod time;

pub use account::{Account, AccountProfile, AccountRecord, AccountStatus, Balance, NextExpiry, Totals};
pub use charge::Charge;
pub use command::{
    ChargeCredits, Command, CreateAccount, CreateKey, CreateOperatorKey, GrantCredits, Idempotency, KeyUse,
    RevokeKey, RevokeOperatorKey, Settle, UpdateKey,
};
pub use credits::{Credits, CreditsError};
pub use decide::{Decision, decide, settle, settle_grant};
pub use entry::{Entry, EntryHash, EntryKind, LotChange, Note, Origin, Salt, Seq};
pub use fingerprint::Fingerprint;
pub use grant::{Category, Grant, GrantStatus, Lot, Priority};
pub use id::{AccountId, Bucket, ChargeId, GrantId, HoldId, IdError, KeyId, OperatorKeyId, UuidBytes};
pub use key::{Key, KeyLimit, KeyProfile, KeyRecord, KeyStatus, Period, SecretHash, Spent, Window};
pub use operator::{OperatorKey, Scope, ScopeError, Scopes};
pub use outcome::{Outcome, Refusal, Reply};
pub use snapshot::{Changes, Needs, Remembered, RememberedChange, Snapshot};
pub use text::{ExternalId, Hint, IdempotencyKey, Metadata, MetadataError, Name, Reference, TextError};
pub use time::{Timestamp, TimestampError};

/// Limits that the ledger itself enforces. Each is part of the public contract.
pub mod limits {
    /// Open grants an account may have at once (pending ones count).
    pub const GRANTS_OPEN_MAX: usize = 1_000;
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
    /// How long a refusal stays remembered under its idempotency key, in milliseconds (24 hours).
    pub const REFUSAL_REMEMBERED_MS_MIN: i64 = 24 * 60 * 60 * 1000;
}
