//! The data directory: one process, one directory. Owns the lock, the names of the files in it, and the
//! errors of opening it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A data directory that this process has locked for itself until this value is dropped.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    lock: File,
}

/// Why a data directory cannot be opened. Each message names the path.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works in it.
    #[error("the data directory {} is in use by another coffer process{process}", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
        /// ` (process N)`, where the other one has left its number.
        process: String,
    },
    /// It cannot be made or written to.
    #[error("the data directory {} cannot be written to: {cause}", path.display())]
    NotWritable {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Another program holds the file's lock.
    #[error("{} is locked by another program: end it, and start again", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file in it is damaged, or something else.
    #[error(
        "{} is damaged or is not a Coffer ledger ({cause}); nothing was changed. \
         Restore a backup, or point --data at another directory",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// The file was written by a newer Coffer.
    #[error(
        "{} has schema version {found}, and this Coffer knows versions up to {known}: use the newer Coffer",
        path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest that this program knows.
        known: u32,
    },
    /// The file was written by an older Coffer, and is only read.
    #[error(
        "{} has schema version {found}, and this Coffer reads version {known}: start a server on it once, which \
         upgrades it",
        path.display()
    )]
    TooOld {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The one that this program reads.
        known: u32,
    },
    /// SQLite did not take a setting that the ledger cannot do without.
    #[error("{}: SQLite runs with {pragma} = {found}, and the ledger needs {needed}", path.display())]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// The setting.
        pragma: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        needed: &'static str,
    },
}

impl DataDirectory {
    /// Makes the directory where there is none, and locks it.
    ///
    /// # Errors
    /// Where another process has it, or it cannot be written to.
    pub fn lock(path: &Path) -> Result<DataDirectory, OpenError> {
        let not_writable = |cause| OpenError::NotWritable { path: path.to_owned(), cause };
        // A ledger is nobody's but its owner's.
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(not_writable)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut lock = options.open(path.join("lock")).map_err(not_writable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { path: path.to_owned(), process: holder(&mut lock) });
            }
            Err(TryLockError::Error(cause)) => return Err(not_writable(cause)),
        }
        write_holder(&mut lock).map_err(not_writable)?;
        Ok(DataDirectory { path: path.to_owned(), lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The ledger's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path.join("coffer.db")
    }

    /// Where the secret of the first operator's key is left.
    #[must_use]
    pub fn operator_key(&self) -> PathBuf {
        self.path.join("operator.key")
    }

    /// The error for a file that SQLite refuses.
    pub(super) fn refused(&self, cause: rusqlite::Error) -> OpenError {
        use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly};
        match cause.sqlite_error_code() {
            Some(CannotOpen | DiskFull | ReadOnly) => {
                OpenError::NotWritable { path: self.path.clone(), cause: io::Error::other(cause) }
            }
            Some(DatabaseBusy | DatabaseLocked) => OpenError::Locked { path: self.database() },
            // Every other code, and everything that is no code of SQLite's, is about what the file holds.
            _ => OpenError::Damaged { path: self.database(), cause },
        }
    }
}

impl Drop for DataDirectory {
    /// Gives the lock back by name. To close the file is not enough: a child that another thread is about to start has it, too,
    /// until it runs its own program.
    fn drop(&mut self) {
        // Where that fails, it is free once everybody has closed it.
        drop(self.lock.unlock());
    }
}

fn holder(lock: &mut File) -> String {
    let mut process = String::new();
    match lock.read_to_string(&mut process) {
        Ok(_) if !process.trim().is_empty() => format!(" (process {})", process.trim()),
        Ok(_) | Err(_) => String::new(),
    }
}

fn write_holder(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_is_being_started_does_not_keep_the_directory() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let held = DataDirectory::lock(temporary.path()).expect("nobody else is there");
        // What a child has between its fork and its program.
        let inherited = held.lock.try_clone().expect("a file that is open");
        drop(held);
        DataDirectory::lock(temporary.path()).expect("it is free");
        drop(inherited);
    }
}
