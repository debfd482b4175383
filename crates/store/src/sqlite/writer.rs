//! The writer: the one thread that changes the ledger.
//!
//! Load, decide, write, commit, publish, answer; in this order, one batch at a time. What follows from the journal is
//! brought into its tables between the batches, a slice after each, and when nobody asks for anything. It is not waited for
//! until that is durable: before it is, the redo rows that it makes needless are still there. What leaves doubt about the
//! file stops the process without an answer: whoever waits cannot have been told something untrue, and the next start
//! recovers from what is durable.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use coffer_ledger::{AccountId, Changes, KeyId, Needs, Reply, Timestamp, decide};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::directory::DataDirectory;
use super::failure::{Failure, stop, stop_for};
use super::load::{self, Sources};
use super::log::Log;
use super::names::{EntryNumber, NameDigest, Names};
use super::pace::Pace;
use super::published::Published;
use super::reader::Begun;
use super::trailing::{Redo, Trailing, Written, numbered};
use super::usage::{self, UsageSums};
use super::write;
use crate::{Batch, StoreError};

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
    log: Log,
    /// When what trails could not be written last, if since then nothing of it could.
    upkeep_refused_at: Option<Instant>,
    /// When the connection's transactions are durable, once one of them has set it.
    durable: Option<Durable>,
    /// Held until the writer has ended.
    directory: DataDirectory,
}

/// When a transaction is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Durable {
    /// As soon as it is committed.
    AtOnce,
    /// With the next one that is. If the power fails before, it is lost whole, and nothing that was durable is. Such a one writes
    /// to no table with text that may have to be erased (accounts, lots, holds, keys and their uses, places, redo rows, names,
    /// sums of usage), so that pages which it frees need not be overwritten.
    WithNext,
}

impl Durable {
    /// SQLite takes in such a setting while it prepares the statement, so that a cached one would do nothing.
    const fn setting(self) -> &'static str {
        match self {
            Durable::AtOnce => "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON",
            Durable::WithNext => "PRAGMA synchronous = NORMAL; PRAGMA secure_delete = FAST",
        }
    }
}

/// A batch that is committed and answered, and of which this process has still to take note.
struct Committed {
    changes: Changes,
    first: EntryNumber,
    redo: Redo,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        directory: DataDirectory,
        published: Arc<Published>,
        (trailing, names, last): (Trailing, Names, EntryNumber),
        usage: UsageSums,
        log: Log,
    ) -> Writer {
        Writer {
            connection,
            published,
            trailing,
            names,
            usage,
            last,
            log,
            upkeep_refused_at: None,
            durable: None,
            directory,
        }
    }

    /// Works until nobody can send jobs any more, then leaves the file whole, without a log beside it.
    pub(super) fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        loop {
            let pause = if self.upkeep_refused_at.is_some() { REFUSED } else { IDLE };
            let job =
                if self.is_caught_up() { jobs.recv().map_err(Into::into) } else { jobs.recv_timeout(pause) };
            match job {
                Ok(job) => self.work(job),
                Err(RecvTimeoutError::Timeout) => self.catch_up(jobs),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.rest();
        self.log.move_all(&self.connection);
        let file = self.log.end();
        if let Err((connection, error)) = self.connection.close() {
            drop(connection);
            tracing::warn!(%error, "the ledger's file could not be closed; the next start recovers it");
        }
        drop(file);
    }

    fn is_caught_up(&self) -> bool {
        self.trailing.is_empty() && !self.names.is_due() && !self.usage.is_due()
    }

    /// Writes what trails, a slice at a time, until that is done or somebody asks for something.
    fn catch_up(&mut self, jobs: &mpsc::Receiver<Job>) {
        while !self.is_caught_up() {
            let swept = or_stop(|| self.sweep(1));
            or_stop(|| self.log.after_job(&self.connection));
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
            self.keep_up(Pace::Idle)?;
        }
        Ok(())
    }

    /// Brings a slice of what trails into its tables, and takes a step with the names.
    fn keep_up(&mut self, pace: Pace) -> Result<(), StoreError> {
        let slice = self.trailing.slice_at(pace);
        let blocks = self.usage.blocks_at(&self.connection, pace);
        if !slice.is_empty() || !blocks.is_empty() || self.names.is_due() {
            let written = self.transact(Durable::WithNext, |writer| {
                writer.trailing.write_slice(&writer.connection, &writer.published, &slice)?;
                usage::write(&writer.connection, &blocks)?;
                writer.names.step(&writer.connection, pace)
            });
            match written {
                Ok(()) => self.names.took(),
                Err(error) => {
                    self.names.failed();
                    self.upkeep_refused_at = Some(Instant::now());
                    return Err(error);
                }
            }
        }
        self.upkeep_refused_at = None;
        self.trailing.swept(&slice);
        self.usage.added(blocks);
        self.usage.placed(slice.accounts(), &self.published);
        self.show_in_file(slice.accounts().iter().copied());
        Ok(())
    }

    /// Lets readers know which of these accounts do not trail any more.
    fn show_in_file(&self, accounts: impl Iterator<Item = AccountId>) {
        self.published.show_in_file(accounts.filter(|id| !self.trailing.contains(*id)));
    }

    fn work(&mut self, job: Job) {
        match job {
            Job::Apply { batch, answer } => {
                let (replies, committed) = match or_stop(|| self.apply(&batch)) {
                    Ok((replies, committed)) => (Ok(replies), committed),
                    Err(error) => (Err(error), None),
                };
                // A caller who has gone cancels nothing: what was done is done.
                drop(answer.send(replies));
                if let Some(committed) = committed {
                    or_stop(|| self.follow(&committed));
                }
            }
            Job::ForgetRefusals { before, answer } => {
                drop(answer.send(or_stop(|| self.forget_refusals(before))));
            }
            Job::NoteKeyUses { uses, answer } => {
                let note = |writer: &mut Writer| write::key_uses(&writer.connection, &uses);
                drop(answer.send(or_stop(|| self.transact(Durable::WithNext, note))));
            }
            Job::Probe { answer } => {
                let probe = |writer: &mut Writer| write::probe(&writer.connection);
                drop(answer.send(or_stop(|| self.transact(Durable::AtOnce, probe))));
            }
            Job::Show { scope, reader, answer } => {
                drop(answer.send(or_stop(|| self.show(scope, reader))));
            }
            Job::Look { scope, look } => or_stop(|| self.look(scope, look)),
        }
        or_stop(|| self.log.after_job(&self.connection));
    }

    fn forget_refusals(&mut self, before: Timestamp) -> Result<(), StoreError> {
        let forget = |writer: &mut Writer| write::forget_refusals(&writer.connection, before);
        let forgotten = self.transact(Durable::AtOnce, forget)?;
        if forgotten > 0
            && let Err(error) = self.names.read_without_entry(&self.connection)
        {
            self.stop("the ledger cannot be read", &error);
        }
        Ok(())
    }

    /// Decides a batch, commits it, and publishes what it has changed.
    fn apply(&mut self, batch: &Batch) -> Result<(Vec<Reply>, Option<Committed>), StoreError> {
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
        if changes.is_empty() {
            return Ok((replies, None));
        }
        let first = EntryNumber(self.last.0 + 1);
        let redo = self.commit(&changes, first)?;
        self.published.publish(&changes);
        Ok((replies, Some(Committed { changes, first, redo })))
    }

    fn commit(&mut self, changes: &Changes, first: EntryNumber) -> Result<Redo, StoreError> {
        let batch = Written::of(changes, first);
        // Whoever reads the file from now on asks for what trails, so that no batch is seen in part.
        changes.accounts.iter().for_each(|account| self.published.trails(account.id));
        changes.keys.iter().for_each(|key| self.published.trails(key.account_id));
        self.transact(Durable::AtOnce, |writer| {
            let connection = &writer.connection;
            write::changes(connection, changes, first)?;
            let redo = writer.trailing.write_batch(connection, &writer.published, &batch)?;
            write::erasures(connection, changes)?;
            Ok(redo)
        })
    }

    /// Takes note of what a batch has committed, and brings some of what trails into its tables. Nobody waits for it but the
    /// next batch.
    fn follow(&mut self, committed: &Committed) {
        let Committed { changes, first, redo } = committed;
        let batch = Written::of(changes, *first);
        self.trailing.absorb(&batch, *redo);
        let of_keys = changes.keys.iter().map(|key| key.account_id);
        self.show_in_file(changes.accounts.iter().map(|account| account.id).chain(of_keys));
        for (entry, number) in numbered(changes, *first) {
            self.names.add(NameDigest::of_entry(entry), number);
            self.last = number;
        }
        for change in &changes.remembered {
            self.names.add_without_entry(NameDigest::of(change.account_id, &change.key));
        }
        self.usage.placed(batch.accounts(), &self.published);
        if self.upkeep_refused_at.is_none_or(|at| at.elapsed() >= REFUSED) {
            // What finds no space has been told of, and waits for better times.
            drop(self.keep_up(Pace::After { entries: changes.entries.len() }));
        }
    }

    /// Writes what trails in a scope, and lets a reader begin there.
    fn show(&mut self, scope: Scope, reader: Begun) -> Result<Begun, StoreError> {
        let accounts = self.in_scope(scope);
        if !accounts.is_empty() {
            self.transact(Durable::WithNext, |writer| writer.write_accounts(&accounts))?;
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

    /// Runs one transaction: committed with `Ok`, rolled back with an error.
    fn transact<Answer>(
        &mut self,
        durable: Durable,
        write: impl FnOnce(&mut Writer) -> rusqlite::Result<Answer>,
    ) -> Result<Answer, StoreError> {
        let committed = self
            .set_durable(durable)
            .and_then(|()| self.run_cached("BEGIN IMMEDIATE"))
            .and_then(|()| write(self))
            .and_then(|answer| self.run_cached("COMMIT").map(|()| answer))
            .map_err(Failure::from);
        match committed {
            Ok(answer) => Ok(answer),
            Err(Failure::InDoubt(error)) => self.stop("the ledger cannot be written", &error),
            Err(Failure::Refused(error)) => {
                // SQLite has rolled back by itself where it could not go on; then there is nothing left to do.
                if !self.connection.is_autocommit()
                    && let Err(error) = self.connection.execute_batch("ROLLBACK")
                {
                    stop(&format!("a transaction could not be rolled back: {error}"));
                }
                tracing::error!(%error, "a transaction was refused and rolled back");
                if matches!(error, StoreError::DiskIsFull) {
                    // The log may hold many versions of few pages: moved, it starts anew and takes less space.
                    self.log.move_all(&self.connection);
                }
                Err(error)
            }
        }
    }

    /// Runs a statement that need not be prepared each time.
    fn run_cached(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    fn set_durable(&mut self, durable: Durable) -> rusqlite::Result<()> {
        if self.durable != Some(durable) {
            // It may take one setting and not the other.
            self.durable = None;
            self.connection.execute_batch(durable.setting())?;
            self.durable = Some(durable);
        }
        Ok(())
    }

    /// Ends the process at once, because of what SQLite says. Nobody who waits gets an answer.
    fn stop(&self, what: &str, error: &rusqlite::Error) -> ! {
        stop_for(what, &self.directory.database(), error)
    }
}

/// Does work whose panic stops the process: a rule of the ledger does not hold. The caller keeps the way to whoever
/// waits for it meanwhile: unwinding would drop it, and tell them that nothing was done.
fn or_stop<Answer>(work: impl FnOnce() -> Answer) -> Answer {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(answer) => answer,
        Err(_) => stop("the writer has panicked: a rule of the ledger does not hold"),
    }
}
