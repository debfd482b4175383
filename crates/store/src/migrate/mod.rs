//! Moving a whole ledger from a data directory to a database: every row as it is, in an order in which it can break off
//! anywhere and go on later, and verified at the end.
//!
//! Until it is verified the database refuses to serve: a mark in it says that a migration is under way. The data directory
//! stays as it is, and is locked meanwhile, so that nothing is written that would be left behind.

mod portion;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use coffer_ledger::{AccountId, Finding};
use tokio::sync::mpsc;

pub(crate) use portion::{Catalogue, Head, Portion};

use crate::postgres::receive::Target;
use crate::sqlite::source::{Ended, Source};
use crate::{DataDirectory, FileError, LedgerFile, OpenError, PostgresError, PostgresOptions};

/// How many portions are read ahead of what is written.
const PORTIONS_AHEAD: usize = 2;

/// How far a migration has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// This much is in the database.
    Copied {
        /// Accounts that are there whole.
        accounts: u64,
        /// How many there are to be.
        accounts_total: u64,
        /// Entries of any account.
        entries: u64,
        /// How many there are to be.
        entries_total: u64,
    },
    /// Everything is there, and is compared and verified.
    Verifying,
}

/// What was moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Migrated {
    /// Accounts.
    pub accounts: u64,
    /// Their entries.
    pub entries: u64,
}

/// Why a ledger was not moved. What is in the data directory is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// There is no ledger to move, or it cannot be read.
    #[error("{0}")]
    Source(#[from] FileError),
    /// What is there cannot be understood.
    #[error("{} cannot be read: {cause}; coffer verify tells what is wrong with it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What SQLite says, or what a row means.
        cause: rusqlite::Error,
    },
    /// The database cannot be used, or the connection was lost.
    #[error("{0}; what has been copied stays, and the same command goes on from there")]
    BrokenOff(PostgresError),
    /// The database is not one that a ledger can be moved to.
    #[error("{0}")]
    Target(#[from] PostgresError),
    /// Another ledger was being moved to the database.
    #[error(
        "the database holds a part of another ledger: {0} is in it, and is not in this one or is another there; migrate \
         into an empty database"
    )]
    AnotherLedger(AccountId),
    /// Not everything has arrived, or more than there was.
    #[error(
        "the ledger has {here} rows in its table {table}, and the database {there}; coffer verify tells what is wrong with \
         the ledger"
    )]
    Counts {
        /// The table.
        table: &'static str,
        /// How many there are in the file.
        here: u64,
        /// How many there are in the database.
        there: u64,
    },
    /// What has arrived does not hold together, because what was moved does not.
    #[error("the ledger does not verify: {count} findings, the first is: {first}")]
    Unsound {
        /// How many findings there are.
        count: u64,
        /// The first of them.
        first: Finding,
    },
}

impl From<OpenError> for MigrateError {
    fn from(error: OpenError) -> MigrateError {
        MigrateError::Source(error.into())
    }
}

/// Moves the ledger of a data directory that no server uses to an empty database, or goes on with a migration that has
/// broken off. To be called inside a tokio runtime.
///
/// # Errors
/// Where it is not moved: then the database refuses to serve, and the data directory can be used as before.
pub async fn migrate(
    from: &Path,
    to: &PostgresOptions,
    mut progress: impl FnMut(Progress),
) -> Result<Migrated, MigrateError> {
    let file = LedgerFile::of_directory(from);
    // Before the lock, which would make a directory where there is none.
    drop(Source::open(&file)?);
    let _locked = DataDirectory::lock(from)?;
    let source = Arc::new(Mutex::new(Source::open(&file)?));
    let target = Target::begin(to).await?;
    let mut course = Course { file, source, target };
    let done = course.copied_before().await?;
    course.copy(done, &mut progress).await?;
    progress(Progress::Verifying);
    course.finish().await
}

/// What has been copied already.
#[derive(Clone, Copy)]
struct Done {
    accounts: u64,
    entries: u64,
    /// The last account, in the order in which they are copied.
    last: Option<AccountId>,
}

struct Course {
    file: LedgerFile,
    source: Arc<Mutex<Source>>,
    target: Target,
}

impl Course {
    /// Asks the file, on a thread that may block.
    async fn ask<Answer: Send + 'static>(
        &self,
        question: impl FnOnce(&Source) -> rusqlite::Result<Answer> + Send + 'static,
    ) -> Result<Answer, MigrateError> {
        let source = Arc::clone(&self.source);
        let work = move || question(&source.lock().expect("no thread panics while it reads the file"));
        let answer = tokio::task::spawn_blocking(work).await.expect("a read does not panic");
        answer.map_err(|cause| self.unreadable(cause))
    }

    fn unreadable(&self, cause: rusqlite::Error) -> MigrateError {
        MigrateError::Unreadable { path: self.file.path().to_owned(), cause }
    }

    /// What an earlier attempt has copied: the accounts of the database are all in the file, and the same there.
    async fn copied_before(&self) -> Result<Done, MigrateError> {
        let mut done = Done { accounts: 0, entries: 0, last: None };
        loop {
            let page = self.target.heads_after(done.last).await.map_err(MigrateError::BrokenOff)?;
            let Some(last) = page.last() else { return Ok(done) };
            let (last, ids) = (last.account_id, page.iter().map(|head| head.account_id).collect::<Vec<_>>());
            let here = self.ask(move |source| source.heads(&ids)).await?;
            for (there, here) in page.iter().zip(here) {
                if here != Some(*there) {
                    return Err(MigrateError::AnotherLedger(there.account_id));
                }
                done.accounts += 1;
                done.entries += there.seq.0;
            }
            done.last = Some(last);
        }
    }

    /// Copies what is not there yet. While a portion is written, the next ones are read.
    async fn copy(&mut self, done: Done, progress: &mut impl FnMut(Progress)) -> Result<(), MigrateError> {
        let (accounts_total, entries_total) = self.ask(Source::totals).await?;
        let catalogue = self.ask(Source::catalogue).await?;
        self.target.write_catalogue(&catalogue).await.map_err(MigrateError::BrokenOff)?;
        let is_apart = self.target.is_sharded();
        let (portions, mut arriving) = mpsc::channel(PORTIONS_AHEAD);
        let file = self.file.clone();
        let reading = tokio::task::spawn_blocking(move || -> Result<(), MigrateError> {
            let source = Source::open(&file)?;
            match source.portions(done.last, is_apart, |portion| portions.blocking_send(portion).is_ok()) {
                Ok(()) | Err(Ended::Unwanted) => Ok(()),
                Err(Ended::Broken(cause)) => {
                    Err(MigrateError::Unreadable { path: file.path().to_owned(), cause })
                }
            }
        });
        let Done { mut accounts, mut entries, last: _ } = done;
        while let Some(portion) = arriving.recv().await {
            self.target.write(&portion).await.map_err(MigrateError::BrokenOff)?;
            accounts += portion.accounts.len() as u64;
            entries += portion.entries.len() as u64;
            progress(Progress::Copied { accounts, accounts_total, entries, entries_total });
        }
        reading.await.expect("a read does not panic")
    }

    /// Compares the two and verifies the new one, and only then lets it serve.
    async fn finish(mut self) -> Result<Migrated, MigrateError> {
        let Done { accounts, entries, .. } = self.copied_before().await?;
        for (table, here) in self.ask(Source::counts).await? {
            let there = self.target.count(table).await.map_err(MigrateError::BrokenOff)?;
            if here != there {
                return Err(MigrateError::Counts { table, here, there });
            }
        }
        let mut first = None;
        let verified = self.target.verify(|finding| {
            first.get_or_insert(finding);
        });
        let verified = verified.await.map_err(MigrateError::BrokenOff)?;
        if let Some(first) = first {
            return Err(MigrateError::Unsound { count: verified.findings, first });
        }
        self.target.finish().await.map_err(MigrateError::BrokenOff)?;
        Ok(Migrated { accounts, entries })
    }
}
