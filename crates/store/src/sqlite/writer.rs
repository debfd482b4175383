//! The writer: the one thread that changes the ledger.
//!
//! Load, decide, write, commit, publish, answer; in this order, one batch at a time. What leaves doubt about
//! the file stops the process without an answer: whoever waits cannot have been told something untrue, and
//! the next start recovers from what is durable.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};

use coffer_ledger::{Changes, KeyId, Needs, Reply, Timestamp, decide};
use rusqlite::{Connection, ErrorCode, ffi};
use tokio::sync::oneshot;

use super::directory::DataDirectory;
use super::published::Published;
use super::{load, write};
use crate::{Batch, StoreError};

/// How many pages of 4 KiB the write-ahead log takes before they are moved into the file.
const LOG_PAGES_MAX: i64 = 4096;
/// How many more pages it takes before that is tried again, where somebody who reads has kept some back.
const LOG_PAGES_MORE: i64 = 1024;

/// Work for the writer, and where the answer goes.
#[derive(Debug)]
pub(super) enum Job {
    Apply { batch: Batch, answer: oneshot::Sender<Result<Vec<Reply>, StoreError>> },
    ForgetRefusals { before: Timestamp, answer: oneshot::Sender<Result<(), StoreError>> },
    NoteKeyUses { uses: BTreeMap<KeyId, Timestamp>, answer: oneshot::Sender<Result<(), StoreError>> },
    Probe { answer: oneshot::Sender<Result<(), StoreError>> },
}

pub(super) struct Writer {
    connection: Connection,
    published: Arc<Published>,
    /// How many pages the log held when they were last moved.
    log_pages_last: i64,
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
    pub(super) fn new(connection: Connection, directory: DataDirectory, published: Arc<Published>) -> Writer {
        Writer { connection, published, log_pages_last: 0, directory }
    }

    /// Works until nobody can send jobs any more, then leaves the file whole, without a log beside it.
    pub(super) fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            self.work(job);
        }
        self.checkpoint();
        if let Err((connection, error)) = self.connection.close() {
            drop(connection);
            tracing::warn!(%error, "the ledger's file could not be closed; the next start recovers it");
        }
    }

    fn work(&mut self, job: Job) {
        match job {
            Job::Apply { batch, answer } => {
                let replies = or_stop(|| self.apply(&batch));
                // A caller who has gone cancels nothing: what was done is done.
                drop(answer.send(replies));
            }
            Job::ForgetRefusals { before, answer } => {
                let forget = |connection: &Connection| write::forget_refusals(connection, before);
                drop(answer.send(or_stop(|| self.transact(forget))));
            }
            Job::NoteKeyUses { uses, answer } => {
                let note = |connection: &Connection| write::key_uses(connection, &uses);
                drop(answer.send(or_stop(|| self.transact(note))));
            }
            Job::Probe { answer } => drop(answer.send(or_stop(|| self.transact(write::probe)))),
        }
        or_stop(|| self.checkpoint_when_due());
    }

    fn apply(&mut self, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
        let needs = Needs::of(&batch.commands);
        let loaded =
            load::snapshot(&self.connection, &self.published, &needs, batch.clock).map_err(Failure::from);
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
        self.transact(|connection| write::changes(connection, &changes))?;
        self.published.publish(changes);
        Ok(())
    }

    /// Runs one transaction: durable with `Ok`, rolled back with an error.
    fn transact(
        &mut self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let connection = &self.connection;
        let committed = connection
            .execute_batch("BEGIN IMMEDIATE")
            .and_then(|()| write(connection))
            .and_then(|()| connection.execute_batch("COMMIT"))
            .map_err(Failure::from);
        match committed {
            Ok(()) => Ok(()),
            Err(Failure::InDoubt(error)) => self.stop("the ledger cannot be written", &error),
            Err(Failure::Refused(error)) => {
                // SQLite has rolled back by itself where it could not go on; then there is nothing left to do.
                if !connection.is_autocommit()
                    && let Err(error) = connection.execute_batch("ROLLBACK")
                {
                    stop(&format!("a batch could not be rolled back: {error}"));
                }
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
