//! The writer: the one thread that changes the ledger.
//!
//! Load, decide, write, commit, publish, answer; in this order, one batch at a time. What follows from the journal is
//! brought into its tables beside the batches, a slice with each, and when nobody asks for anything. What leaves doubt
//! about the file stops the process without an answer: whoever waits cannot have been told something untrue, and the next
//! start recovers from what is durable.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::sync::{Arc, mpsc};

use std::time::Duration;

use coffer_ledger::{AccountId, Changes, KeyId, Needs, Reply, Timestamp, decide};
use rusqlite::{Connection, ErrorCode, ffi};
use tokio::sync::oneshot;

use super::directory::DataDirectory;
use super::load::{self, Sources};
use super::names::{EntryNumber, NameDigest, Names, Step};
use super::published::Published;
use super::reader::Begun;
use super::trailing::{Trailing, Written, numbered};
use super::usage::{self, UsageSums};
use super::write;
use crate::{Batch, StoreError};

/// How many pages of 4 KiB the write-ahead log takes before they are moved into the file.
const LOG_PAGES_MAX: i64 = 4096;
/// How many more pages it takes before that is tried again, where somebody who reads has kept some back.
const LOG_PAGES_MORE: i64 = 1024;

/// How long nobody must have asked for anything before what trails is written for its own sake: longer than a client takes
/// from one answer to its next request.
const IDLE: Duration = Duration::from_millis(20);
/// How long it waits after it was refused.
const REFUSED: Duration = Duration::from_secs(2);
/// How much more of what trails is written at a time before the file is closed.
const SLICES_AT_CLOSE: usize = 16;

/// What somebody is about to read from the file, so that all of it has to be in its tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    /// What belongs to an account.
    Account(AccountId),
    /// Holds of all accounts.
    Holds,
}

/// A read that the writer does on its own connection, or hears why it cannot be done.
pub(super) type Look = Box<dyn FnOnce(rusqlite::Result<&Connection>) + Send>;

/// How many jobs are done before it is looked how long the log is.
const JOBS_BETWEEN_LOOKS: u32 = 16;

/// Work for the writer, and where the answer goes.
pub(super) enum Job {
    Apply {
        batch: Batch,
        answer: oneshot::Sender<Result<Vec<Reply>, StoreError>>,
    },
    ForgetRefusals {
        before: Timestamp,
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
    NoteKeyUses {
        uses: BTreeMap<KeyId, Timestamp>,
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
    Probe {
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
    /// Brings what is in scope into its tables, and begins the reader's transaction at that moment.
    Show {
        scope: Scope,
        reader: Begun,
        answer: oneshot::Sender<Result<Begun, StoreError>>,
    },
    /// The same where nothing can be written: it is shown, and rolled back.
    Look {
        scope: Scope,
        look: Look,
    },
}

pub(super) struct Writer {
    connection: Connection,
    published: Arc<Published>,
    trailing: Trailing,
    names: Names,
    usage: UsageSums,
    /// The last entry of the journal.
    last: EntryNumber,
    /// How many pages the log held when they were last moved.
    log_pages_last: i64,
    /// Whether the last transaction was rolled back.
    is_refused: bool,
    /// How many jobs there were since the log was looked at.
    jobs_since_look: u32,
    /// Held until the writer has ended.
    directory: DataDirectory,
}

/// What went wrong while writing.
enum Failure {
    /// The batch can be rolled back and refused.
    Refused(StoreError),
    /// Nobody can tell what is durable.
    InDoubt(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Failure::Refused(StoreError::DiskIsFull),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failure::Refused(StoreError::Locked),
            // The log's index could not grow: the disk is full, and the log was not touched.
            Some(ErrorCode::SystemIoFailure) if extended_code(&error) == Some(ffi::SQLITE_IOERR_SHMSIZE) => {
                Failure::Refused(StoreError::DiskIsFull)
            }
            Some(_) | None => Failure::InDoubt(error),
        }
    }
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        directory: DataDirectory,
        published: Arc<Published>,
        (trailing, names, last): (Trailing, Names, EntryNumber),
        usage: UsageSums,
    ) -> Writer {
        Writer {
            connection,
            published,
            trailing,
            names,
            usage,
            last,
            log_pages_last: 0,
            is_refused: false,
            jobs_since_look: 0,
            directory,
        }
    }

    /// Works until nobody can send jobs any more, then leaves the file whole, without a log beside it.
    pub(super) fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        loop {
            let pause = if self.is_refused { REFUSED } else { IDLE };
            let job =
                if self.is_caught_up() { jobs.recv().map_err(Into::into) } else { jobs.recv_timeout(pause) };
            match job {
                Ok(job) => self.work(job),
                Err(RecvTimeoutError::Timeout) => self.catch_up(jobs),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.rest();
        self.checkpoint();
        if let Err((connection, error)) = self.connection.close() {
            drop(connection);
            tracing::warn!(%error, "the ledger's file could not be closed; the next start recovers it");
        }
    }

    fn is_caught_up(&self) -> bool {
        self.trailing.is_empty() && !self.names.is_due() && !self.usage.is_due()
    }

    /// Writes what trails, a slice at a time, until that is done or somebody asks for something.
    fn catch_up(&mut self, jobs: &mpsc::Receiver<Job>) {
        while !self.is_caught_up() {
            let swept = or_stop(|| self.sweep(1));
            or_stop(|| self.checkpoint_when_due());
            match (swept, jobs.try_recv()) {
                (_, Ok(job)) => return self.work(job),
                // There is no space for it: it waits for better times.
                (Err(_), _) => return,
                // Nor is there time, where the store is being closed.
                (Ok(()), Err(TryRecvError::Disconnected)) => return,
                (Ok(()), Err(TryRecvError::Empty)) => {}
            }
        }
    }

    /// Brings everything into its tables, before the file is closed.
    fn rest(&mut self) {
        while !self.trailing.is_empty() {
            if or_stop(|| self.sweep(SLICES_AT_CLOSE)).is_err() {
                tracing::warn!("what trails behind the journal could not be written; the next start does it");
                return;
            }
        }
    }

    fn sweep(&mut self, slices: usize) -> Result<(), StoreError> {
        for _ in 0..slices {
            let slice = self.trailing.slice_when_idle();
            let blocks = self.usage.block_when_idle(&self.connection);
            let step = self.transact(|writer| {
                writer.trailing.write_slice(&writer.connection, &writer.published, &slice)?;
                usage::write(&writer.connection, &blocks)?;
                writer.names.step(&writer.connection)
            })?;
            self.trailing.swept(&slice);
            self.names.took(step);
            self.usage.added(blocks);
            self.usage.placed(slice.accounts(), &self.published);
            self.show_in_file(slice.accounts().iter().copied());
        }
        Ok(())
    }

    /// Lets readers know which of these accounts do not trail any more.
    fn show_in_file(&self, accounts: impl Iterator<Item = AccountId>) {
        self.published.show_in_file(accounts.filter(|id| !self.trailing.contains(*id)));
    }

    fn work(&mut self, job: Job) {
        match job {
            Job::Apply { batch, answer } => {
                let replies = or_stop(|| self.apply(&batch));
                // A caller who has gone cancels nothing: what was done is done.
                drop(answer.send(replies));
            }
            Job::ForgetRefusals { before, answer } => {
                drop(answer.send(or_stop(|| self.forget_refusals(before))));
            }
            Job::NoteKeyUses { uses, answer } => {
                let note = |writer: &mut Writer| write::key_uses(&writer.connection, &uses);
                drop(answer.send(or_stop(|| self.transact(note))));
            }
            Job::Probe { answer } => {
                let probe = |writer: &mut Writer| write::probe(&writer.connection);
                drop(answer.send(or_stop(|| self.transact(probe))));
            }
            Job::Show { scope, reader, answer } => {
                drop(answer.send(or_stop(|| self.show(scope, reader))));
            }
            Job::Look { scope, look } => or_stop(|| self.look(scope, look)),
        }
        or_stop(|| self.checkpoint_when_due());
    }

    fn forget_refusals(&mut self, before: Timestamp) -> Result<(), StoreError> {
        let forgotten = self.transact(|writer| write::forget_refusals(&writer.connection, before))?;
        if forgotten > 0
            && let Err(error) = self.names.read_without_entry(&self.connection)
        {
            self.stop("the ledger cannot be read", &error);
        }
        Ok(())
    }

    fn apply(&mut self, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
        let needs = Needs::of(&batch.commands);
        let sources = Sources {
            connection: &self.connection,
            published: &self.published,
            trailing: &self.trailing,
            names: &self.names,
        };
        let loaded = load::snapshot(sources, &needs, batch.clock).map_err(Failure::from);
        let mut snapshot = match loaded {
            Ok(snapshot) => snapshot,
            Err(Failure::Refused(error)) => return Err(error),
            Err(Failure::InDoubt(error)) => self.stop("the ledger cannot be read", &error),
        };
        let mut replies = Vec::with_capacity(batch.commands.len());
        for command in &batch.commands {
            replies.push(decide(&snapshot, batch.clock, command).absorb_into(&mut snapshot));
        }
        let changes = snapshot.into_changes();
        if !changes.is_empty() {
            self.commit(changes)?;
        }
        Ok(replies)
    }

    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        let first = EntryNumber(self.last.0 + 1);
        let batch = Written::of(&changes, first);
        // Whoever reads the file from now on asks for what trails, so that no batch is seen in part.
        changes.accounts.iter().for_each(|account| self.published.trails(account.id));
        changes.keys.iter().for_each(|key| self.published.trails(key.account_id));
        // Where the last transaction found no space, a batch may fit alone.
        let is_alone = self.is_refused;
        let slice = if is_alone {
            self.trailing.slice_of_none()
        } else {
            self.trailing.slice_with(changes.entries.len())
        };
        let blocks = if is_alone {
            Vec::new()
        } else {
            self.usage.blocks_with(&self.connection, changes.entries.len())
        };
        let (redo, step) = self.transact(|writer| {
            let connection = &writer.connection;
            writer.trailing.write_slice(connection, &writer.published, &slice)?;
            write::changes(connection, &changes, first)?;
            let redo = writer.trailing.write_batch(connection, &writer.published, &batch, &slice)?;
            write::erasures(connection, &changes)?;
            let step = if is_alone { Step::Nothing } else { writer.names.step(connection)? };
            usage::write(connection, &blocks)?;
            Ok((redo, step))
        })?;
        self.trailing.swept(&slice);
        self.names.took(step);
        self.usage.added(blocks);
        self.usage.placed(slice.accounts(), &self.published);
        self.trailing.absorb(&batch, redo);
        let of_keys = changes.keys.iter().map(|key| key.account_id);
        let changed = changes.accounts.iter().map(|account| account.id).chain(of_keys);
        self.show_in_file(slice.accounts().iter().copied().chain(changed));
        for (entry, number) in numbered(&changes, first) {
            self.names.add(NameDigest::of_entry(entry), number);
            self.last = number;
        }
        for change in &changes.remembered {
            self.names.add_without_entry(NameDigest::of(change.account_id, &change.key));
        }
        let at_once = batch.into_accounts();
        self.published.publish(&changes);
        self.usage.placed(&at_once, &self.published);
        Ok(())
    }

    /// Writes what trails in a scope, and lets a reader begin there.
    fn show(&mut self, scope: Scope, reader: Begun) -> Result<Begun, StoreError> {
        let accounts = self.in_scope(scope);
        if !accounts.is_empty() {
            self.transact(|writer| writer.write_accounts(&accounts))?;
            accounts.iter().for_each(|id| self.trailing.forget(*id));
            self.usage.placed(&accounts, &self.published);
            self.show_in_file(accounts.into_iter());
        }
        if let Scope::Account(id) = scope {
            // It may be noted to trail for a batch that was rolled back.
            self.show_in_file(std::iter::once(id));
        }
        // A transaction begins with its first read.
        let begun = reader.connection.execute_batch("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1");
        begun.map_err(|error| StoreError::Unreadable(error.to_string()))?;
        Ok(reader)
    }

    fn look(&mut self, scope: Scope, look: Look) {
        let accounts = self.in_scope(scope);
        let shown =
            self.connection.execute_batch("BEGIN IMMEDIATE").and_then(|()| self.write_accounts(&accounts));
        look(shown.map(|()| &self.connection));
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            stop(&format!("what was shown could not be rolled back: {error}"));
        }
    }

    fn in_scope(&self, scope: Scope) -> Vec<AccountId> {
        match scope {
            Scope::Account(id) => Vec::from_iter(self.trailing.contains(id).then_some(id)),
            Scope::Holds => self.trailing.accounts_with_holds(),
        }
    }

    fn write_accounts(&self, accounts: &[AccountId]) -> rusqlite::Result<()> {
        self.trailing.write(&self.connection, &self.published, accounts)
    }

    /// Runs one transaction: durable with `Ok`, rolled back with an error.
    fn transact<Answer>(
        &mut self,
        write: impl FnOnce(&mut Writer) -> rusqlite::Result<Answer>,
    ) -> Result<Answer, StoreError> {
        let committed = self
            .connection
            .execute_batch("BEGIN IMMEDIATE")
            .and_then(|()| write(self))
            .and_then(|answer| self.connection.execute_batch("COMMIT").map(|()| answer))
            .map_err(Failure::from);
        match committed {
            Ok(answer) => {
                self.is_refused = false;
                Ok(answer)
            }
            Err(Failure::InDoubt(error)) => self.stop("the ledger cannot be written", &error),
            Err(Failure::Refused(error)) => {
                self.is_refused = true;
                // SQLite has rolled back by itself where it could not go on; then there is nothing left to do.
                if !self.connection.is_autocommit()
                    && let Err(error) = self.connection.execute_batch("ROLLBACK")
                {
                    stop(&format!("a batch could not be rolled back: {error}"));
                }
                self.names.failed();
                tracing::error!(%error, "a batch was refused and rolled back");
                if matches!(error, StoreError::DiskIsFull) {
                    // The log may hold many versions of few pages: moved, it starts anew and takes less space.
                    self.checkpoint();
                }
                Err(error)
            }
        }
    }

    /// Moves the log's pages into the file once there are many. The log then starts anew in the same place: its
    /// length says nothing, so the pages that it holds are asked for.
    fn checkpoint_when_due(&mut self) {
        self.jobs_since_look += 1;
        if self.jobs_since_look < JOBS_BETWEEN_LOOKS {
            return;
        }
        self.jobs_since_look = 0;
        let pages = self.log_pages("PRAGMA wal_checkpoint(NOOP)");
        if pages < self.log_pages_last {
            self.log_pages_last = 0;
        }
        if pages >= LOG_PAGES_MAX.max(self.log_pages_last + LOG_PAGES_MORE) {
            self.log_pages_last = pages;
            self.checkpoint();
        }
    }

    /// A full disk lets the log be; a failed sync stops the process, for pages that the system has dropped must
    /// not be taken for written.
    fn checkpoint(&self) {
        self.log_pages("PRAGMA wal_checkpoint(PASSIVE)");
    }

    /// Runs a checkpoint, and answers how many pages the log holds.
    fn log_pages(&self, checkpoint: &str) -> i64 {
        let statement = self.connection.prepare_cached(checkpoint);
        let pages = statement.and_then(|mut statement| statement.query_row([], |row| row.get(1)));
        match pages.map_err(Failure::from) {
            Ok(pages) => pages,
            Err(Failure::Refused(error)) => {
                tracing::warn!(%error, "the log could not be moved into the file");
                0
            }
            Err(Failure::InDoubt(error)) => self.stop("the log cannot be moved into the file", &error),
        }
    }

    /// Ends the process at once, because of what SQLite says. Nobody who waits gets an answer.
    fn stop(&self, what: &str, error: &rusqlite::Error) -> ! {
        if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) {
            let file = self.directory.database();
            let file = file.display();
            tracing::error!("{file} is damaged ({error}); restore a backup");
            std::process::abort();
        }
        stop(&format!("{what}: {error}"))
    }
}

fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

/// Does work whose panic stops the process: a rule of the ledger does not hold. The caller keeps the way to whoever
/// waits for it meanwhile: unwinding would drop it, and tell them that nothing was done.
fn or_stop<Answer>(work: impl FnOnce() -> Answer) -> Answer {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(answer) => answer,
        Err(_) => stop("the writer has panicked: a rule of the ledger does not hold"),
    }
}

/// Ends the process at once. Nobody who waits gets an answer.
fn stop(reason: &str) -> ! {
    tracing::error!("{reason}; the process stops, and recovers at its next start");
    std::process::abort();
}
