//! Where the ledger is kept.
//!
//! [`Store`] is one small trait: apply a batch of commands, all durable before the answer. No transaction
//! handle leaves it, so no write can escape a batch. [`Reader`] is what can be looked at. Both stores pass
//! one contract suite, `tests/contract/`.
//!
//! This crate deliberately does not decide anything: every rule is in `coffer-ledger`. It knows no HTTP and
//! no clock.

mod memory;
mod page;
mod sqlite;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use coffer_ledger::{
    Account, AccountId, AccountRecord, AccountStatus, Charge, ChargeId, Command, Entry, ExternalId, Grant,
    GrantId, Key, KeyId, KeyRecord, OperatorKey, Reply, SecretHash, Seq, Timestamp,
};

pub use memory::MemoryStore;
pub use page::{Page, Span};
pub use sqlite::{DataDirectory, OpenError, SqliteStore};

/// Commands that share one commit, and the time at which they are decided.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The time of the batch. An account whose last entry is later is decided at that time.
    pub clock: Timestamp,
    /// The commands, decided in this order.
    pub commands: Vec<Command>,
}

/// Why a store could not do what it was asked to. Nothing was done.
///
/// What leaves doubt about the ledger (a failed sync, a roll-back that fails, a file that is corrupt) is not
/// among these: it stops the process without an answer, and the next start recovers.
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
}

/// What a customer's key opens.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The key, dead or alive.
    pub key: Arc<Key>,
    /// Its account, as of its last entry.
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

/// What can be looked at. Everything seen has been committed.
#[async_trait]
pub trait Reader: Send + Sync {
    /// What a secret opens, if it was ever known.
    async fn holder(&self, secret: &SecretHash) -> Result<Option<Holder>, StoreError>;
    /// The operator's key with a secret, dead or alive.
    async fn operator_key(&self, secret: &SecretHash) -> Result<Option<Arc<OperatorKey>>, StoreError>;
    /// All operators' keys, newest first.
    async fn operator_keys(&self) -> Result<Vec<OperatorKey>, StoreError>;

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
    /// Accounts on which something has fallen due by a time, longest due first.
    async fn accounts_due(&self, until: Timestamp, count_max: usize) -> Result<Vec<AccountId>, StoreError>;

    /// A customer's key.
    async fn key_record(&self, id: KeyId) -> Result<Option<KeyRecord>, StoreError>;
    /// The keys of an account, newest first.
    async fn key_records(&self, account_id: AccountId, span: Span) -> Result<Page<KeyRecord>, StoreError>;
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
    /// Entries of an account that come after a number, oldest first.
    async fn entries(
        &self,
        account_id: AccountId,
        after: Seq,
        count_max: usize,
    ) -> Result<Vec<Entry>, StoreError>;
}

/// A place that keeps the ledger.
#[async_trait]
pub trait Store: Reader {
    /// Applies the commands in order and answers each. All of it is durable before the answer, or, with an
    /// error, none of it has happened.
    ///
    /// # Errors
    /// Where the batch could not be written, and was rolled back whole.
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
