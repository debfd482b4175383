//! The write-ahead log, and when its pages are moved into the file.
//!
//! That takes as long as many batches do, most of it to sync the file. So a thread with a connection of its own moves them
//! beside the batches, and the writer only the few that were written meanwhile: while nothing else is written, all are
//! moved, and the log begins anew. The two never move pages at once; that one begins the log anew while the other is about to
//! move pages of it is safe from SQLite 3.51.3 on.

use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::JoinHandle;

use rusqlite::{Connection, ffi};

use super::failure::{Failure, stop, stop_for};

/// How many pages of 4 KiB the log takes before they are moved into the file.
const PAGES_MAX: u64 = if cfg!(test) { 64 } else { 4_096 };
/// How many more pages it takes before that is tried again, where somebody who reads has kept some back.
const PAGES_MORE: u64 = if cfg!(test) { 16 } else { 1_024 };
/// How few pages the writer moves itself, unless even more are written each time.
const PAGES_LEFT: u64 = if cfg!(test) { 4 } else { 128 };
/// How often the thread begins again for what was written meanwhile.
const PASSES_MAX: usize = 3;
/// How many jobs are done before it is looked how long the log is.
const JOBS_BETWEEN_LOOKS: u32 = 4;

/// Where the log's index has how many pages were moved: four bytes, behind two headers (SQLite's "WAL-mode file format").
const MOVED_AT: u64 = 96;

const _: () = assert!(ffi::SQLITE_VERSION_NUMBER >= 3_051_003, "the log may be damaged by an earlier SQLite");

const CANNOT_MOVE: &str = "the log cannot be moved into the file";
const HAS_ENDED: &str = "the thread that moves the log has ended";

/// The log of a file, as its writer sees it.
#[derive(Debug)]
pub(super) struct Log {
    file: PathBuf,
    mover: Mover,
    is_moving: bool,
    /// How many pages were in the log when it was last tried to move them.
    pages_last: u64,
    jobs_since_look: u32,
}

/// The thread that moves pages.
#[derive(Debug)]
struct Mover {
    begin: Sender<()>,
    /// Whether the writer can move the rest.
    done: Receiver<bool>,
    thread: JoinHandle<File>,
}

/// How many pages the log has, and how many of them are in the file.
#[derive(Clone, Copy, Debug)]
struct Pages {
    all: u64,
    moved: u64,
}

impl Pages {
    fn left(self) -> u64 {
        self.all.saturating_sub(self.moved)
    }
}

impl Log {
    /// The log of a file, with a connection to it that does nothing else than to move pages, and the file itself, to be
    /// synced.
    pub(super) fn new(path: PathBuf, connection: Connection, file: File) -> Log {
        let (begin, begun) = mpsc::channel();
        let (finish, done) = mpsc::channel();
        let of = path.clone();
        let thread = std::thread::Builder::new()
            .name("coffer-log".to_owned())
            .spawn(move || {
                for () in begun {
                    if finish.send(move_most(&connection, &of, &file)).is_err() {
                        break;
                    }
                }
                file
            })
            .expect("a process at its start can make a thread");
        let mover = Mover { begin, done, thread };
        Log { file: path, mover, is_moving: false, pages_last: 0, jobs_since_look: 0 }
    }

    /// Sees to it that pages are moved once there are many. The log then starts anew in the same place: its length says
    /// nothing, so the pages that it holds are asked for.
    pub(super) fn after_job(&mut self, connection: &Connection) {
        self.jobs_since_look += 1;
        if self.jobs_since_look < JOBS_BETWEEN_LOOKS {
            return;
        }
        self.jobs_since_look = 0;
        if self.is_moving {
            match self.mover.done.try_recv() {
                Ok(true) => self.move_rest(connection),
                // Nor could the writer. It is tried again once there are more.
                Ok(false) => self.is_moving = false,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => stop(HAS_ENDED),
            }
            return;
        }
        let Some(Pages { all, .. }) = checkpoint(connection, &self.file, "NOOP") else { return };
        if all < self.pages_last {
            self.pages_last = 0;
        }
        if all >= PAGES_MAX.max(self.pages_last + PAGES_MORE) {
            self.pages_last = all;
            self.is_moving = true;
            if self.mover.begin.send(()).is_err() {
                stop(HAS_ENDED);
            }
        }
    }

    /// Moves all pages, as far as nobody who reads keeps them back.
    pub(super) fn move_all(&mut self, connection: &Connection) {
        if self.is_moving && self.mover.done.recv().is_err() {
            stop(HAS_ENDED);
        }
        self.move_rest(connection);
    }

    fn move_rest(&mut self, connection: &Connection) {
        self.is_moving = false;
        if let Some(Pages { all, .. }) = checkpoint(connection, &self.file, "PASSIVE") {
            self.pages_last = all;
        }
    }

    /// Ends the thread. The file that it answers is to be closed after every connection to it: SQLite's locks belong to the
    /// process, and go with the first one that closes it.
    pub(super) fn end(self) -> File {
        drop(self.mover.begin);
        self.mover.thread.join().unwrap_or_else(|_| stop("the thread that moves the log has panicked"))
    }
}

/// Moves pages until few are left. Answers whether the writer can move the rest: not where somebody who reads keeps many back.
fn move_most(connection: &Connection, path: &Path, file: &File) -> bool {
    let mut kept = None;
    for _ in 0..PASSES_MAX {
        let Some(pages) = checkpoint(connection, path, "PASSIVE") else { break };
        kept = Some(pages.left());
        // SQLite syncs it only where nothing was written meanwhile. Then the writer would have all of it to wait for.
        if let Err(error) = file.sync_data() {
            stop_unsynced(path, || stop(&format!("{CANNOT_MOVE}: {error}")));
        }
        let left = checkpoint(connection, path, "NOOP").map(Pages::left);
        if left.is_some_and(|left| left <= PAGES_LEFT) {
            break;
        }
    }
    kept.is_some_and(|kept| kept < PAGES_MORE)
}

/// Ends the process, the next start of which moves all pages again. It would see to that itself, but another program that closes
/// the ledger before could take the log away.
fn stop_unsynced(path: &Path, stop: impl FnOnce() -> Infallible) -> ! {
    match take_none_for_moved(path) {
        // SQLite's locks on it would go with it.
        Ok(index) => std::mem::forget(index),
        Err(error) => tracing::error!(%error, "the log's index is left as it is"),
    }
    match stop() {}
}

/// Lets all pages of the log be moved again, and answers with its index, if there is one. Of a process that has ended amid moving
/// pages nobody knows whether they were synced, and the system may have dropped them. Where another program has the ledger
/// open, the index stays as it is, and with it how many were moved; and the log would begin anew over the only copy there is.
pub(super) fn take_none_for_moved(path: &Path) -> io::Result<Option<File>> {
    let index = path.canonicalize().and_then(|path| {
        let mut index = path.into_os_string();
        index.push("-shm");
        OpenOptions::new().write(true).open(index)
    });
    match index {
        Ok(index) => {
            let is_one = index.metadata()?.len() > MOVED_AT;
            is_one.then(|| index.write_all_at(&0_u32.to_ne_bytes(), MOVED_AT)).transpose()?;
            Ok(Some(index))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Runs a checkpoint, if it can be done now. A full disk lets the log be; a failed sync stops the process, for pages that the
/// system has dropped must not be taken for written.
fn checkpoint(connection: &Connection, file: &Path, mode: &str) -> Option<Pages> {
    let statement = connection.prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"));
    let pages = statement.and_then(|mut statement| {
        statement.query_row([], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
    });
    match pages.map_err(Failure::from) {
        // Negative where another one is under way.
        Ok((all, moved)) => Some(Pages { all: all.try_into().ok()?, moved: moved.try_into().ok()? }),
        Err(Failure::Refused(error)) => {
            tracing::warn!(%error, "the log could not be moved into the file");
            None
        }
        Err(Failure::InDoubt(error)) => stop_unsynced(file, || stop_for(CANNOT_MOVE, file, &error)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, Instant};

    use rusqlite::Connection;
    use tempfile::TempDir;

    use super::{Log, PAGES_MAX, Pages, checkpoint, move_most, take_none_for_moved};
    use crate::DataDirectory;
    use crate::sqlite::schema;

    /// How many pages a transaction writes at least.
    const PAGES: u64 = 10;
    const TRANSACTIONS: u64 = 20 * PAGES_MAX / PAGES;

    fn ledger() -> (TempDir, DataDirectory, Connection) {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let directory = DataDirectory::lock(temporary.path()).expect("nobody else is there");
        let connection = schema::open_for_writing(&directory).expect("a new file");
        connection.execute_batch("CREATE TABLE filler (bytes BLOB) STRICT").expect("a table");
        (temporary, directory, connection)
    }

    fn open(directory: &DataDirectory) -> Connection {
        Connection::open(directory.database()).expect("a connection")
    }

    fn write(connection: &Connection) {
        let written = connection.execute("INSERT INTO filler VALUES (zeroblob(?1))", [PAGES * 4096]);
        assert_eq!(written, Ok(1));
    }

    fn pages(connection: &Connection, directory: &DataDirectory) -> Pages {
        checkpoint(connection, &directory.database(), "NOOP").expect("pages")
    }

    fn work(log: &mut Log, connection: &Connection) {
        write(connection);
        log.after_job(connection);
    }

    /// Writes until the log begins anew, and tells how many pages it had before.
    fn work_until_anew(log: &mut Log, connection: &Connection, directory: &DataDirectory) -> u64 {
        let began = Instant::now();
        let mut most = 0;
        while began.elapsed() < Duration::from_secs(60) && most < 200 * PAGES_MAX {
            work(log, connection);
            let pages = pages(connection, directory);
            if pages.all < most {
                return most;
            }
            most = pages.all;
        }
        panic!("it has {most} pages and does not begin anew");
    }

    fn end(log: Log, connection: Connection) {
        let file: File = log.end();
        connection.close().expect("closed");
        drop(file);
    }

    #[test]
    fn the_log_begins_anew_while_it_is_written_to() {
        let (_temporary, directory, connection) = ledger();
        let mut log = schema::open_log(&directory).expect("a log");
        for _ in 0..3 {
            let pages = work_until_anew(&mut log, &connection, &directory);
            assert!(pages >= PAGES_MAX, "{pages}: they are not moved for each transaction");
        }
        end(log, connection);
    }

    #[test]
    fn whoever_reads_keeps_pages_back_and_no_longer_than_that() {
        let (_temporary, directory, connection) = ledger();
        let mut log = schema::open_log(&directory).expect("a log");
        let reader = schema::open_for_reading(&directory.database()).expect("a reader");
        let count = |sql: &str| reader.query_row(sql, [], |row| row.get::<_, u64>(0)).expect("a count");
        reader.execute_batch("BEGIN").expect("a transaction");
        assert_eq!(count("SELECT count(*) FROM filler"), 0);
        (0..TRANSACTIONS).for_each(|_| work(&mut log, &connection));
        let pages = pages(&connection, &directory);
        assert!(pages.all >= TRANSACTIONS * PAGES, "nothing is overwritten: {pages:?}");
        assert_eq!(count("SELECT count(*) FROM filler"), 0, "it sees what it saw");
        reader.execute_batch("COMMIT").expect("an end");
        work_until_anew(&mut log, &connection, &directory);
        assert!(count("SELECT count(*) FROM filler") > TRANSACTIONS);
        end(log, connection);
    }

    #[test]
    fn what_is_kept_back_is_not_left_to_the_writer() {
        let (_temporary, directory, connection) = ledger();
        let (path, other) = (directory.database(), open(&directory));
        let file = File::open(&path).expect("the file");
        let reader = schema::open_for_reading(&path).expect("a reader");
        (0..TRANSACTIONS).for_each(|_| write(&connection));
        reader.execute_batch("BEGIN; SELECT * FROM filler LIMIT 1").expect("a transaction");
        write(&connection);
        assert!(move_most(&other, &path, &file), "few are kept back");
        let moved = pages(&connection, &directory);
        assert!(moved.moved > TRANSACTIONS * PAGES && moved.left() >= PAGES, "{moved:?}");
        (0..TRANSACTIONS).for_each(|_| write(&connection));
        assert!(!move_most(&other, &path, &file), "many are");
        reader.execute_batch("COMMIT").expect("an end");
        assert!(move_most(&other, &path, &file));
        assert_eq!(pages(&connection, &directory).left(), 0);
        drop((other, reader, connection, file));
    }

    /// This fails, too, where SQLite should put the number somewhere else.
    #[test]
    fn pages_that_were_moved_are_moved_again() {
        let (_temporary, directory, connection) = ledger();
        write(&connection);
        let reader = schema::open_for_reading(&directory.database()).expect("a reader");
        let count = |sql: &str| reader.query_row(sql, [], |row| row.get::<_, u64>(0)).expect("a count");
        reader.execute_batch("BEGIN").expect("a transaction");
        assert_eq!(count("SELECT count(*) FROM filler"), 1);
        write(&connection);
        let path = directory.database();
        let half = checkpoint(&connection, &path, "PASSIVE").expect("pages");
        assert!(0 < half.moved && half.moved < half.all, "{half:?}");
        let index = take_none_for_moved(&path).expect("it can be written");
        let none = pages(&connection, &directory);
        assert_eq!((none.all, none.moved), (half.all, 0));
        assert_eq!(count("SELECT count(*) FROM filler"), 1);
        write(&connection);
        reader.execute_batch("COMMIT").expect("an end");
        let all = checkpoint(&connection, &path, "PASSIVE").expect("pages");
        assert_eq!(all.left(), 0, "{all:?}");
        assert_eq!(count("SELECT count(*) FROM filler"), 3);
        // Closed last, for the locks.
        drop((reader, connection, index));
    }

    /// As after a process that was killed before it could sync them, while another one had the ledger open.
    #[test]
    fn a_start_takes_no_pages_for_moved() {
        let (_temporary, directory, connection) = ledger();
        let other = open(&directory);
        write(&other);
        let before = checkpoint(&connection, &directory.database(), "PASSIVE").expect("pages");
        assert!(before.moved > 0 && before.left() == 0, "{before:?}");
        drop(connection);
        let started = schema::open_for_writing(&directory).expect("the ledger");
        let after = pages(&started, &directory);
        assert_eq!((after.all, after.moved), (before.all, 0));
        drop((other, started));
    }

    #[test]
    fn a_ledger_that_nobody_has_open_has_no_index() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        assert!(take_none_for_moved(&temporary.path().join("coffer.db")).expect("nothing to do").is_none());
        let (_temporary, directory, connection) = ledger();
        connection.close().expect("closed");
        assert!(take_none_for_moved(&directory.database()).expect("nothing to do").is_none());
    }
}
