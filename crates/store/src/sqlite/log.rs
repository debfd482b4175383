//! The write-ahead log, and when its pages are moved into the file.
//!
//! That takes as long as many batches do, most of it to sync the file. So a thread with a connection of its own moves them
//! beside the batches, and the writer only the few that were written meanwhile: while nothing else is written, all are
//! moved, and the log begins anew. (That two connections move pages at once is safe from SQLite 3.51.3 on.)

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::failure::{Failure, stop, stop_for};

/// How many pages of 4 KiB the log takes before they are moved into the file.
const PAGES_MAX: u64 = 4096;
/// How many more pages it takes before that is tried again, where somebody who reads has kept some back.
const PAGES_MORE: u64 = 1024;
/// How few pages the writer moves itself, unless even more are written each time.
const PAGES_LEFT: u64 = 128;
/// How often the thread begins again for what was written meanwhile.
const PASSES_MAX: usize = 3;
/// How many jobs are done before it is looked how long the log is.
const JOBS_BETWEEN_LOOKS: u32 = 4;

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
    done: Receiver<()>,
    thread: JoinHandle<File>,
}

/// How many pages the log has, and how many of them are in the file.
#[derive(Clone, Copy, Debug)]
struct Pages {
    all: u64,
    moved: u64,
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
                    move_most(&connection, &of, &file);
                    if finish.send(()).is_err() {
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
                Ok(()) => self.move_rest(connection),
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

/// Moves pages until few are left.
fn move_most(connection: &Connection, path: &Path, file: &File) {
    for _ in 0..PASSES_MAX {
        if checkpoint(connection, path, "PASSIVE").is_none() {
            return;
        }
        // SQLite syncs it only where nothing was written meanwhile. Then the writer would have all of it to wait for.
        if let Err(error) = file.sync_data() {
            stop(&format!("{CANNOT_MOVE}: {error}"));
        }
        let left = checkpoint(connection, path, "NOOP").map(|pages| pages.all.saturating_sub(pages.moved));
        if left.is_some_and(|left| left <= PAGES_LEFT) {
            return;
        }
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
        Err(Failure::InDoubt(error)) => stop_for(CANNOT_MOVE, file, &error),
    }
}
