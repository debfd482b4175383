//! Where the ledger is kept.
//!
//! [`Store`] is one small trait: apply a batch of commands, all durable before the answer. No transaction
//! handle leaves it, so no write can escape a batch. [`Reader`] is what can be looked at. Both stores pass
//! one contract suite, `tests/contract/`.
//!
//! This crate deliberately does not decide anything: every rule is in `coffer-ledger`. It knows no HTTP and
//! no clock.

mod memory;
mod postgres;
mod sqlite;

mod migrate;

mod database_url;

mod day_sums;
mod health;
mod named;
mod page;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use coffer_ledger::{
    Account, AccountId, AccountRecord, AccountStatus, Action, Actor, Bucket, Charge, ChargeId, Command,
    Credits, Entry, EntryKind, ExternalId, Grant, GrantId, HoldId, HoldRecord, HoldStatus, Key, KeyId,
    KeyRecord, Operation, OperatorKey, OperatorKeyId, Price, Reference, Reply, SecretHash, Seq, Session,
    SessionId, SessionOf, Timestamp,
};

pub use database_url::{DatabaseUrl, DatabaseUrlError};
pub use health::{StoreHealth, StoreKind};
pub use memory::MemoryStore;
pub use migrate::{MigrateError, Migrated, Progress, migrate};
pub use named::NameSearch;
pub use page::{Page, Span};
pub use postgres::{
    ClockSource, DatabaseClock, LaneChoice, PostgresError, PostgresOptions, PostgresStore, Upgraded,
};
pub use sqlite::{DataDirectory, FileError, LedgerFile, OpenError, SqliteStore, Verified};

/// Commands that share one commit, and the time at which they are decided.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The time of the batch by its sender's clock; a store that several nodes share goes by a clock of its own. An
    /// account whose last entry is later is decided at that time.
    pub clock: Timestamp,
    /// The commands, decided in this order.
    pub commands: Vec<Command>,
}

/// A batch that was not applied because others have locked what some of its commands name. It can be applied without
/// them.
#[derive(Clone, Debug)]
pub struct LockedRows {
    /// The commands of the batch.
    pub commands: Vec<Command>,
    /// The places of those that name what is locked: all commands of each account that is. There is at least one.
    pub locked: Vec<usize>,
}

/// Why a store could not do what it was asked to. Nothing was done, unless it is [`StoreError::InDoubt`].
///
/// What leaves doubt about a ledger that this process alone keeps (a failed sync, a roll-back that fails, a file that is
/// corrupt) is not among these: it stops the process without an answer, and the next start recovers.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no space for what was to be written.
    #[error("the disk is full")]
    DiskIsFull,
    /// Somebody else holds the store's lock for too long.
    #[error("the store is locked by another program")]
    Locked,
    /// The store is shut.
    #[error("the store is closed")]
    Closed,
    /// A read failed.
    #[error("the store cannot be read: {0}")]
    Unreadable(String),
    /// The database is not there, or does not take what it is asked.
    #[error("the database cannot be used: {0}")]
    Unreachable(String),
    /// Others write to the same rows all the time.
    #[error("too many others write to the same accounts; try again")]
    Contended,
    /// Others have locked what some of the commands name.
    #[error("others have locked what some of the commands name")]
    RowsLocked(Box<LockedRows>),
    /// The connection was lost when the commit had been sent: it may have happened or not.
    #[error(
        "the connection to the database was lost at the commit, so it is unknown whether this was done; where the request \
         has an idempotency key, send it again with the same one to find out, and otherwise look before you send it again"
    )]
    InDoubt,
    /// The database's schema was changed while the process ran.
    #[error(
        "the database's schema is now of version {found}, and this Coffer knows version {known}; restart this process with \
         the Coffer that has changed it"
    )]
    SchemaChanged {
        /// The version that is there; 0 where none is.
        found: i64,
        /// The version of this program.
        known: i64,
    },
    /// The database's clock was set while the process ran.
    #[error("the database's clock has moved by more than 60 s; restart this process once the clock is right")]
    ClockStrayed,
}

/// What a customer's key opens.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The key, dead or alive.
    pub key: Arc<Key>,
    /// Its account, as of its last entry. Where nothing falls due on it by the time that was asked for, its lots and holds
    /// may be absent: the balance does not depend on them.
    pub account: Arc<Account>,
}

/// Which accounts to list.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Only the one with this external id.
    pub external_id: Option<ExternalId>,
    /// Only those with this status.
    pub status: Option<AccountStatus>,
}

/// Which charges to list.
#[derive(Clone, Debug, Default)]
pub struct ChargeFilter {
    /// Only those of this account.
    pub account_id: Option<AccountId>,
    /// Only those with this reference.
    pub reference: Option<Reference>,
}

/// Which holds to list. A hold whose time is over by `at` counts as expired, whether or not that is written yet.
#[derive(Clone, Debug)]
pub struct HoldFilter {
    /// Only those of this account.
    pub account_id: Option<AccountId>,
    /// Only those with this status.
    pub status: Option<HoldStatus>,
    /// The time to which the statuses are settled.
    pub at: Timestamp,
}

/// Which actions to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActionFilter {
    /// Only those on this account.
    pub account_id: Option<AccountId>,
    /// Only those with this operator's key.
    pub operator_key_id: Option<OperatorKeyId>,
}

impl ActionFilter {
    pub(crate) fn matches(&self, action: &Action) -> bool {
        let key = match action.actor {
            Actor::OperatorKey(id) => Some(id),
            Actor::ConfiguredKey | Actor::Customer => None,
        };
        self.account_id.is_none_or(|id| action.account_id == Some(id))
            && self.operator_key_id.is_none_or(|id| key == Some(id))
    }
}

/// In which order entries are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryOrder {
    /// As they happened.
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

/// Which entries of an account to read.
#[derive(Clone, Debug)]
pub struct EntryQuery {
    /// The account.
    pub account_id: AccountId,
    /// Only those of this time or later.
    pub from: Option<Timestamp>,
    /// Only those before this time.
    pub to: Option<Timestamp>,
    /// Only those of this kind.
    pub kind: Option<EntryKind>,
    /// Only those that the holder of this key may see: its own, and those of the account itself.
    pub visible_to: Option<KeyId>,
    /// In which order.
    pub order: EntryOrder,
    /// Only those that come after this one in that order.
    pub beyond: Option<Seq>,
    /// How many at most.
    pub count_max: usize,
}

impl EntryQuery {
    /// All entries of an account as they happened, a page at a time.
    #[must_use]
    pub const fn all_of(account_id: AccountId, beyond: Option<Seq>, count_max: usize) -> EntryQuery {
        EntryQuery {
            account_id,
            from: None,
            to: None,
            kind: None,
            visible_to: None,
            order: EntryOrder::OldestFirst,
            beyond,
            count_max,
        }
    }
}

/// A page of entries. It may hold fewer than were asked for, and there be more: so that no page takes long, only so
/// many entries are looked through for one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryPage {
    /// The entries, in the order that was asked for.
    pub entries: Vec<Entry>,
    /// Where to go on; `None` at the end.
    pub next: Option<Seq>,
}

/// What usage is summed by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UsageBy {
    /// The day, in UTC.
    Day,
    /// The customer's key.
    Key,
    /// The operation.
    Operation,
}

/// What one sum is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UsageOf {
    /// A day, by its midnight in UTC.
    Day(Timestamp),
    /// A key, or no key.
    Key(Option<KeyId>),
    /// An operation, or none.
    Operation(Option<Operation>),
}

/// What was spent on one day, with one key or on one operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Which one.
    pub of: UsageOf,
    /// How many charges there were, captures included.
    pub charges: u64,
    /// What they came to.
    pub charged: Credits,
    /// What was refunded meanwhile, of them or of earlier ones.
    pub refunded: Credits,
}

/// What can be looked at. Everything seen has been committed.
#[async_trait]
pub trait Reader: Send + Sync {
    /// What a secret opens, if it was ever known; to be settled until a time.
    async fn holder(&self, secret: &SecretHash, until: Timestamp) -> Result<Option<Holder>, StoreError>;
    /// The operator's key with a secret, dead or alive.
    async fn operator_key(&self, secret: &SecretHash) -> Result<Option<Arc<OperatorKey>>, StoreError>;
    /// An operator's key, dead or alive, as it is now.
    async fn operator_key_record(&self, id: OperatorKeyId) -> Result<Option<OperatorKey>, StoreError>;
    /// Operators' keys, newest first.
    async fn operator_keys(&self, span: Span) -> Result<Page<OperatorKey>, StoreError>;

    /// An account as decisions see it, as of its last entry.
    async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, StoreError>;
    /// An account with all that is known of it.
    async fn account_record(&self, id: AccountId) -> Result<Option<AccountRecord>, StoreError>;
    /// Accounts, newest first.
    async fn account_records(
        &self,
        filter: AccountFilter,
        span: Span,
    ) -> Result<Page<AccountRecord>, StoreError>;
    /// Accounts whose names begin in some way, in the order of the names.
    async fn accounts_named(&self, search: NameSearch) -> Result<Page<AccountRecord>, StoreError>;
    /// Accounts on which something has fallen due by a time, longest due first.
    async fn accounts_due(&self, until: Timestamp, count_max: usize) -> Result<Vec<AccountId>, StoreError>;

    /// A customer's key, and its account at the same moment.
    async fn key_record(&self, id: KeyId) -> Result<Option<(Account, KeyRecord)>, StoreError>;
    /// The keys of an account, newest first, and the account at the same moment.
    async fn key_records(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<(Account, Page<KeyRecord>)>, StoreError>;
    /// When each of these keys was last used, as far as it has been noted.
    async fn key_uses(&self, ids: Vec<KeyId>) -> Result<BTreeMap<KeyId, Timestamp>, StoreError>;

    /// A grant, and its account at the same moment.
    async fn grant(&self, id: GrantId) -> Result<Option<(Account, Grant)>, StoreError>;
    /// The grants of an account, newest first, and the account at the same moment.
    async fn grants(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<(Account, Page<Grant>)>, StoreError>;

    /// A charge.
    async fn charge(&self, id: ChargeId) -> Result<Option<Charge>, StoreError>;
    /// Charges, newest first.
    async fn charges(&self, filter: ChargeFilter, span: Span) -> Result<Page<Charge>, StoreError>;
    /// A hold, as of its last entry.
    async fn hold(&self, id: HoldId) -> Result<Option<HoldRecord>, StoreError>;
    /// Holds, newest first, as of their last entries.
    async fn holds(&self, filter: HoldFilter, span: Span) -> Result<Page<HoldRecord>, StoreError>;

    /// The account of a grant.
    async fn account_of_grant(&self, id: GrantId) -> Result<Option<AccountId>, StoreError>;
    /// The account of each of these charges; what is unknown is absent.
    async fn accounts_of_charges(
        &self,
        ids: Vec<ChargeId>,
    ) -> Result<BTreeMap<ChargeId, AccountId>, StoreError>;
    /// The account of each of these holds; what is unknown is absent.
    async fn accounts_of_holds(&self, ids: Vec<HoldId>) -> Result<BTreeMap<HoldId, AccountId>, StoreError>;

    /// Entries of an account.
    async fn entries(&self, query: EntryQuery) -> Result<EntryPage, StoreError>;
    /// The last entry of an account that happened at a time or before.
    async fn last_entry(&self, account_id: AccountId, until: Timestamp) -> Result<Option<Entry>, StoreError>;
    /// What an account has spent from one time until before another, summed.
    async fn usage(
        &self,
        account_id: AccountId,
        by: UsageBy,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Usage>, StoreError>;

    /// The price of an operation.
    async fn price(&self, operation: Operation) -> Result<Option<Price>, StoreError>;
    /// The prices, newest first, the one that every catalogue has last.
    async fn prices(&self, span: Span) -> Result<Page<Price>, StoreError>;

    /// A session, or a link that will be one, lapsed or not. Never from what was read before: what has been ended lets
    /// nobody in, on no node.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;
    /// All sessions of one holder, newest first.
    async fn sessions_of(&self, of: SessionOf) -> Result<Vec<Session>, StoreError>;
    /// The sessions of operators, newest first.
    async fn operator_sessions(&self, span: Span) -> Result<Page<Session>, StoreError>;
    /// What was done, newest first.
    async fn actions(&self, filter: ActionFilter, span: Span) -> Result<Page<Action>, StoreError>;

    /// How the store is.
    async fn health(&self) -> Result<StoreHealth, StoreError>;
}

/// A place that keeps the ledger.
#[async_trait]
pub trait Store: Reader {
    /// How many lanes there are. Batches of different lanes may be applied at the same time; a batch holds the commands
    /// of one lane.
    fn lanes(&self) -> usize {
        1
    }

    /// The lane of commands in a bucket: less than [`Store::lanes`].
    fn lane_of(&self, _bucket: Bucket) -> usize {
        0
    }

    /// Whether the store can be away although this process is well, so that only asking it tells.
    fn can_be_away(&self) -> bool {
        false
    }

    /// Applies the commands in order and answers each. All of it is durable before the answer, or, with an
    /// error, none of it has happened; except that nobody knows with [`StoreError::InDoubt`].
    ///
    /// # Errors
    /// Where the batch could not be written, and was rolled back whole. With [`StoreError::RowsLocked`] the batch comes back,
    /// so that the rest of it need not wait.
    async fn apply(&self, batch: Batch) -> Result<Vec<Reply>, StoreError>;

    /// Forgets refusals older than a time that the contract no longer asks to remember.
    ///
    /// # Errors
    /// Where it could not be written; it may be tried again.
    async fn forget_refusals(&self, before: Timestamp) -> Result<(), StoreError>;

    /// Notes when keys were last used. An earlier time than the one that is noted already changes nothing.
    ///
    /// # Errors
    /// Where it could not be written; it may be tried again.
    async fn note_key_uses(&self, uses: BTreeMap<KeyId, Timestamp>) -> Result<(), StoreError>;

    /// Commits something that changes nothing, to find out whether commits work.
    ///
    /// # Errors
    /// Where they do not.
    async fn probe(&self) -> Result<(), StoreError>;

    /// Brings everything to rest. What is asked of the store afterwards is refused.
    async fn close(&self);
}
