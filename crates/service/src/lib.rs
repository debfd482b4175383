//! Coffer at work, between the wire and the store.
//!
//! Owns what takes a clock or random numbers (times, ids, salts, secrets), the queue in front of the store
//! with its bounds, and what happens without anybody asking. It deliberately decides nothing about credits,
//! which is the ledger's, and speaks no wire format, which is `coffer-http`'s.

mod service;

mod erasing;
mod reads;
mod sessions;
mod verifying;

mod group_commit;

mod survey;
mod tally;
mod total;

mod background;
mod key_uses;

mod clock;
mod ids;
mod secret;

pub use clock::{Clock, ClockStrayed, SystemClock};
pub use coffer_store::{
    AccountFilter, ActionFilter, ChargeFilter, EntryOrder, EntryPage, EntryQuery, HoldFilter, NameSearch,
    Page, Reader, Span, StoreHealth, StoreKind, Usage, UsageBy, UsageOf,
};
pub use ids::{mint_id, mint_id_anywhere, mint_salt};
pub use reads::{PastBalance, Settled};
pub use secret::{KeyPrefix, KeyPrefixError, Secret, SecretError};
pub use service::{ReadError, Service, Standing, Unavailable};
pub use sessions::{LiveOperator, SessionToken, audited};
pub use survey::Survey;
pub use tally::{CommitTimes, Lately, RefusalCount, Stretch};
pub use total::Total;
pub use verifying::{KeyCheck, WouldCharge};

/// Limits of this layer. Each is in a unit that its name ends with.
pub mod limits {
    /// Commands that may wait for a commit.
    pub const QUEUE_COMMANDS_MAX: usize = 40_000;
    /// Bytes that the waiting commands may occupy.
    pub const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
    /// Commands that may stand aside, because others have locked what they name.
    pub const ASIDE_COMMANDS_MAX: usize = 10_000;
    /// Bytes that they may occupy.
    pub const ASIDE_BYTES_MAX: usize = 32 * 1024 * 1024;
    /// How long a command may stand aside before its caller is refused, in milliseconds.
    pub const ASIDE_MS_MAX: u64 = 10_000;
    /// After which pause what stands aside is tried again, in milliseconds.
    pub const ASIDE_AGAIN_MS: u64 = 100;
    /// Commands after which a batch takes no further submission.
    pub const BATCH_COMMANDS_MAX: usize = 10_000;
    /// Characters in a customer's secret that is imported.
    pub const SECRET_CHARACTERS_MIN: usize = 16;
    /// Below this an imported secret is weak.
    pub const SECRET_CHARACTERS_STRONG: usize = 32;
    /// The longest secret.
    pub const SECRET_CHARACTERS_MAX: usize = 255;
    /// How far the wall clock may stray from the monotonic one, in milliseconds.
    pub const CLOCK_STRAYS_MS_MAX: i64 = 60_000;
    /// How often quiet accounts are settled, in milliseconds; the contract says within 60 s.
    pub const SETTLE_EVERY_MS: u64 = 10_000;
    /// How many accounts are settled in one go.
    pub const SETTLE_ACCOUNTS_MAX: usize = 100;
    /// How often an account is settled in part before it is read: more than it can have holds and lots, in parts.
    pub const SETTLE_ROUNDS_MAX: usize = 25;
    /// How often old refusals are forgotten, in milliseconds.
    pub const FORGET_EVERY_MS: u64 = 600_000;
    /// How often the uses of keys are written, in milliseconds: with the time that this takes, what a crash forgets of them. Who
    /// asks this process is told of uses that are not written, too.
    pub const NOTE_USES_EVERY_MS: u64 = 60_000;
    /// Over how long a time that is spread, in milliseconds.
    pub const NOTE_USES_OVER_MS: u64 = 30_000;
    /// How many are written at once.
    pub const USES_WRITTEN_AT_ONCE: usize = 250;
    const _: () = assert!(NOTE_USES_OVER_MS < NOTE_USES_EVERY_MS, "one time ends before the next begins");
    /// How many entries' texts are erased by one command.
    pub const ERASED_ENTRIES_MAX: u64 = 1_000;
    /// How often at most a store is probed, in milliseconds.
    pub const PROBE_EVERY_MS: u64 = 1_000;
    /// How long a probe may take, in milliseconds.
    pub const PROBE_MS_MAX: u64 = 3_000;

    /// How long a stretch of time is in which charges are counted, in seconds.
    pub const TALLY_SLOT_SECONDS: u64 = 10;
    /// How many of them are remembered.
    pub const TALLY_SLOTS_MAX: usize = 90;
    /// How many commits' times are remembered.
    pub const COMMITS_REMEMBERED_MAX: usize = 1_000;
    /// Within how many days credits count as expiring soon.
    pub const EXPIRING_WITHIN_DAYS: u16 = 7;
    /// How many accounts a walk through all of them reads at once.
    pub const SURVEY_PAGE_MAX: usize = 200;
    /// How many such pages are read while somebody waits.
    pub const SURVEY_PAGES_AT_ONCE: usize = 2;
    /// How many times as long as it works a long walk rests.
    pub const SURVEY_REST_TIMES: u32 = 9;
    /// How long a finished walk is told again, in milliseconds.
    pub const SURVEY_FRESH_MS: u64 = 2_000;
    /// How many accounts are told that have spent most.
    pub const SURVEY_TOP_MAX: usize = 5;

    const _: () = assert!(BATCH_COMMANDS_MAX < QUEUE_COMMANDS_MAX, "a full batch must fit into the queue");
    const _: () =
        assert!(ASIDE_COMMANDS_MAX <= BATCH_COMMANDS_MAX, "all that stands aside is tried together");
    const _: () = assert!(SECRET_CHARACTERS_MIN < SECRET_CHARACTERS_STRONG);
    const _: () = assert!(SECRET_CHARACTERS_STRONG < SECRET_CHARACTERS_MAX);
    const _: () = assert!(SETTLE_EVERY_MS < 60_000, "the contract says within 60 s");
}
