//! The embedded store: SQLite in one file, one writer thread, one commit for many commands.
//!
//! The writer owns the connection that writes and the data directory's lock, so it may keep the accounts and
//! keys that decisions look at in memory: `published` holds what has been committed, readers see it without
//! waiting for anybody, and the writer decides by it, commits, and then publishes. Everything else is read
//! from the file on connections of its own.

mod directory;
mod schema;

mod file;
mod health;
mod verify;

mod failure;
mod load;
mod log;
mod write;
mod writer;

mod names;
mod pace;
mod people;
mod trailing;
mod usage;

mod published;
mod read;
mod reader;

mod query;

pub(crate) mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use coffer_ledger::{
    Account, AccountId, AccountRecord, Action, Charge, ChargeId, Entry, Grant, GrantId, HoldId, HoldRecord,
    KeyId, KeyRecord, Operation, OperatorKey, OperatorKeyId, Price, Reply, SecretHash, Session, SessionId,
    SessionOf, Timestamp,
};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{
    AccountFilter, ActionFilter, Batch, ChargeFilter, EntryPage, EntryQuery, HoldFilter, Holder, NameSearch,
    Page, Reader, Span, Store, StoreError, StoreHealth, Usage, UsageBy,
};
use names::Names;
use published::Published;
use reader::{Read, ReaderPool};
use usage::UsageSums;
use writer::{Job, Scope, Writer};

pub use directory::{DataDirectory, OpenError};
pub use file::{FileError, LedgerFile, Verified};

/// Keeps the ledger in a data directory.
#[derive(Debug)]
pub struct SqliteStore {
    published: Arc<Published>,
    readers: Arc<ReaderPool>,
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens the ledger in a data directory, or makes an empty one there. The directory stays locked until
    /// the store is closed.
    ///
    /// # Errors
    /// Where the file cannot be opened, is not a ledger, is corrupt, or was written by a newer Coffer.
    pub fn open(directory: DataDirectory) -> Result<SqliteStore, OpenError> {
        let connection = schema::open_for_writing(&directory)?;
        let loaded = load_all(&connection, &directory.database());
        let (published, names) = loaded.map_err(|error| directory.refused(error))?;
        let recovered = trailing::recover(&connection, &published, names);
        let recovered = recovered.map_err(|error| directory.refused(error))?;
        let usage = UsageSums::open(&connection).map_err(|error| directory.refused(error))?;
        let published = Arc::new(published);
        let readers = Arc::new(ReaderPool::new(directory.database()));
        let log = schema::open_log(&directory)?;
        let writer = Writer::new(connection, directory, Arc::clone(&published), recovered, usage, log);
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("coffer-writer".to_owned())
            .spawn(move || writer.run(&queue))
            .expect("a process at its start can make a thread");
        let (jobs, writer) = (Mutex::new(Some(jobs)), Mutex::new(Some(thread)));
        Ok(SqliteStore { published, readers, jobs, writer })
    }

    /// Reads from the file what is in scope, all of it as one batch has left it.
    async fn read<Answer: Send + 'static>(
        &self,
        scope: Scope,
        read: impl FnOnce(&Connection) -> rusqlite::Result<Answer> + Send + 'static,
    ) -> Result<Answer, StoreError> {
        let published = Arc::clone(&self.published);
        let sweeps = published.sweeps();
        let is_shown = move || published.is_in_file(scope) && published.sweeps() == sweeps;
        let (begun, read) = match self.readers.read_if(is_shown, read).await? {
            Read::Done(answer) => return Ok(answer),
            Read::NotNow(begun, read) => (begun, read),
        };
        match self.ask(|answer| Job::Show { scope, reader: begun, answer }).await {
            Ok(begun) => self.readers.finish(begun, read).await,
            Err(StoreError::Closed) => Err(StoreError::Closed),
            // What cannot be written can be read nevertheless.
            Err(_) => self.look(scope, read).await,
        }
    }

    async fn look<Answer: Send + 'static>(
        &self,
        scope: Scope,
        read: impl FnOnce(&Connection) -> rusqlite::Result<Answer> + Send + 'static,
    ) -> Result<Answer, StoreError> {
        self.ask(|answer| {
            let look = move |shown: rusqlite::Result<&Connection>| {
                let read = shown.and_then(read).map_err(|error| StoreError::Unreadable(error.to_string()));
                // A caller who has gone does not want to know.
                drop(answer.send(read));
            };
            Job::Look { scope, look: Box::new(look) }
        })
        .await
    }

    async fn ask<Answer>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<Answer, StoreError>>) -> Job,
    ) -> Result<Answer, StoreError> {
        let (answer, answered) = oneshot::channel();
        let sent = match &*self.jobs.lock().expect("no thread panics while it holds the sender") {
            Some(jobs) => jobs.send(job(answer)),
            None => return Err(StoreError::Closed),
        };
        sent.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

impl SqliteStore {
    /// The file may show an account as of an earlier batch.
    fn with_published(&self, record: AccountRecord) -> AccountRecord {
        match self.published.account(record.profile.id) {
            Some(account) => AccountRecord { account: (*account).clone(), ..record },
            None => record,
        }
    }
}

/// What a file holds of what is in memory, both of which are most of a start.
fn load_all(connection: &Connection, path: &Path) -> rusqlite::Result<(Published, Names)> {
    thread::scope(|scope| {
        let names = scope.spawn(|| Names::open(&schema::open_for_reading(path)?));
        let published = Published::load(connection, path);
        let names = names.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((published?, names?))
    })
}

#[async_trait]
impl Store for SqliteStore {
    async fn apply(&self, batch: Batch) -> Result<Vec<Reply>, StoreError> {
        self.ask(|answer| Job::Apply { batch, answer }).await
    }

    async fn forget_refusals(&self, before: Timestamp) -> Result<(), StoreError> {
        self.ask(|answer| Job::ForgetRefusals { before, answer }).await
    }

    async fn note_key_uses(&self, uses: BTreeMap<KeyId, Timestamp>) -> Result<(), StoreError> {
        self.ask(|answer| Job::NoteKeyUses { uses, answer }).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.ask(|answer| Job::Probe { answer }).await
    }

    async fn close(&self) {
        // First the readers: the connection that closes last leaves no log behind, and only the writer's can.
        self.readers.close().await;
        drop(self.jobs.lock().expect("no thread panics while it holds the sender").take());
        let writer = self.writer.lock().expect("no thread panics while it holds the handle").take();
        if let Some(writer) = writer {
            let ended = tokio::task::spawn_blocking(move || writer.join()).await;
            ended.expect("joining a thread does not panic").expect("a writer that panics stops the process");
        }
    }
}

#[async_trait]
impl Reader for SqliteStore {
    async fn holder(&self, secret: &SecretHash, _until: Timestamp) -> Result<Option<Holder>, StoreError> {
        Ok(self.published.holder(secret))
    }

    async fn operator_key(&self, secret: &SecretHash) -> Result<Option<Arc<OperatorKey>>, StoreError> {
        Ok(self.published.operator_key(secret))
    }

    async fn operator_key_record(&self, id: OperatorKeyId) -> Result<Option<OperatorKey>, StoreError> {
        Ok(self.published.operator_key_record(id))
    }

    async fn operator_keys(&self, span: Span) -> Result<Page<OperatorKey>, StoreError> {
        Ok(self.published.newest_operator_keys(span))
    }

    async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, StoreError> {
        Ok(self.published.account(id))
    }

    async fn account_record(&self, id: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        let record = self.readers.read(move |connection| read::account_record(connection, id)).await?;
        Ok(record.map(|record| self.with_published(record)))
    }

    async fn account_records(
        &self,
        filter: AccountFilter,
        span: Span,
    ) -> Result<Page<AccountRecord>, StoreError> {
        let page =
            self.readers.read(move |connection| read::account_records(connection, &filter, span)).await?;
        Ok(page.map(|record| self.with_published(record)))
    }

    async fn accounts_named(&self, search: NameSearch) -> Result<Page<AccountRecord>, StoreError> {
        let page = self.readers.read(move |connection| read::accounts_named(connection, &search)).await?;
        Ok(page.map(|record| self.with_published(record)))
    }

    async fn accounts_due(&self, until: Timestamp, count_max: usize) -> Result<Vec<AccountId>, StoreError> {
        // The file tells when an account is due, unless it trails: then only memory does.
        let trailing = self.published.trailing_due(until);
        let published = Arc::clone(&self.published);
        let is_due = move |id| published.due(id).filter(|due| *due <= until);
        let read = move |connection: &Connection| read::accounts_due(connection, until, count_max, is_due);
        let mut due: BTreeSet<(Timestamp, AccountId)> = self.readers.read(read).await?.into_iter().collect();
        due.extend(trailing);
        Ok(due.into_iter().take(count_max).map(|(_, id)| id).collect())
    }

    async fn key_record(&self, id: KeyId) -> Result<Option<(Account, KeyRecord)>, StoreError> {
        let Some(key) = self.published.key(id) else { return Ok(None) };
        let scope = Scope::Account(key.account_id);
        self.read(scope, move |connection| read::account_and_key(connection, id)).await
    }

    async fn key_records(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<(Account, Page<KeyRecord>)>, StoreError> {
        self.read(Scope::Account(account_id), move |connection| {
            read::account_and_keys(connection, account_id, span)
        })
        .await
    }

    async fn key_uses(&self, ids: Vec<KeyId>) -> Result<BTreeMap<KeyId, Timestamp>, StoreError> {
        self.readers.read(move |connection| read::key_uses(connection, &ids)).await
    }

    async fn grant(&self, id: GrantId) -> Result<Option<(Account, Grant)>, StoreError> {
        let Some(account_id) = self.account_of_grant(id).await? else { return Ok(None) };
        let scope = Scope::Account(account_id);
        self.read(scope, move |connection| read::account_and_grant(connection, id)).await
    }

    async fn grants(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<(Account, Page<Grant>)>, StoreError> {
        self.read(Scope::Account(account_id), move |connection| {
            read::account_and_grants(connection, account_id, span)
        })
        .await
    }

    async fn charge(&self, id: ChargeId) -> Result<Option<Charge>, StoreError> {
        self.readers.read(move |connection| read::charge(connection, id)).await
    }

    async fn charges(&self, filter: ChargeFilter, span: Span) -> Result<Page<Charge>, StoreError> {
        let account_id = filter.account_id;
        let charges = move |connection: &Connection| read::charges(connection, &filter, span);
        match account_id {
            Some(account_id) => self.read(Scope::Account(account_id), charges).await,
            None => self.readers.read(charges).await,
        }
    }

    async fn hold(&self, id: HoldId) -> Result<Option<HoldRecord>, StoreError> {
        let account_id = self.accounts_of_holds(vec![id]).await?.remove(&id);
        let Some(account_id) = account_id else { return Ok(None) };
        self.read(Scope::Account(account_id), move |connection| read::hold(connection, id)).await
    }

    async fn holds(&self, filter: HoldFilter, span: Span) -> Result<Page<HoldRecord>, StoreError> {
        let scope = filter.account_id.map_or(Scope::Holds, Scope::Account);
        self.read(scope, move |connection| read::holds(connection, &filter, span)).await
    }

    async fn account_of_grant(&self, id: GrantId) -> Result<Option<AccountId>, StoreError> {
        self.readers.read(move |connection| read::account_of_grant(connection, id)).await
    }

    async fn accounts_of_charges(
        &self,
        ids: Vec<ChargeId>,
    ) -> Result<BTreeMap<ChargeId, AccountId>, StoreError> {
        self.readers.read(move |connection| read::accounts_of_charges(connection, &ids)).await
    }

    async fn accounts_of_holds(&self, ids: Vec<HoldId>) -> Result<BTreeMap<HoldId, AccountId>, StoreError> {
        self.readers.read(move |connection| read::accounts_of_holds(connection, &ids)).await
    }

    async fn entries(&self, query: EntryQuery) -> Result<EntryPage, StoreError> {
        let scope = Scope::Account(query.account_id);
        self.read(scope, move |connection| read::entries(connection, &query)).await
    }

    async fn last_entry(&self, account_id: AccountId, until: Timestamp) -> Result<Option<Entry>, StoreError> {
        self.read(Scope::Account(account_id), move |connection| {
            read::last_entry(connection, account_id, until)
        })
        .await
    }

    async fn usage(
        &self,
        account_id: AccountId,
        by: UsageBy,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Usage>, StoreError> {
        self.read(Scope::Account(account_id), move |connection| {
            read::usage(connection, account_id, by, from, to)
        })
        .await
    }

    async fn price(&self, operation: Operation) -> Result<Option<Price>, StoreError> {
        Ok(self.published.price(&operation).map(|price| (*price).clone()))
    }

    async fn prices(&self, span: Span) -> Result<Page<Price>, StoreError> {
        self.readers.read(move |connection| read::prices(connection, span)).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.readers.read(move |connection| people::session(connection, id)).await
    }

    async fn sessions_of(&self, of: SessionOf) -> Result<Vec<Session>, StoreError> {
        self.readers.read(move |connection| people::sessions_of(connection, &of)).await
    }

    async fn operator_sessions(&self, span: Span) -> Result<Page<Session>, StoreError> {
        self.readers.read(move |connection| people::operator_sessions(connection, span)).await
    }

    async fn actions(&self, filter: ActionFilter, span: Span) -> Result<Page<Action>, StoreError> {
        self.readers.read(move |connection| people::actions(connection, &filter, span)).await
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        let path = self.readers.path().to_owned();
        tokio::task::spawn_blocking(move || health::of(&path))
            .await
            .expect("looking at files does not panic")
            .map_err(|error| StoreError::Unreadable(error.to_string()))
    }
}
