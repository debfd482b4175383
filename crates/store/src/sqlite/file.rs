//! A ledger's file as a whole: checked against itself, copied while a server writes to it, put into a directory.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use coffer_ledger::Finding;
use rusqlite::Connection;

use super::{DataDirectory, OpenError, schema, trailing, verify};

/// A ledger's file, wherever it lies.
#[derive(Clone, Debug)]
pub struct LedgerFile {
    path: PathBuf,
}

/// What was looked through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// Accounts.
    pub accounts: u64,
    /// Their entries.
    pub entries: u64,
    /// How much was found wrong.
    pub findings: u64,
}

/// Why a file could not be verified, copied or restored.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is none.
    #[error("there is no ledger at {}", .0.display())]
    Missing(PathBuf),
    /// It is no ledger, or one of another version.
    #[error("{0}")]
    Refused(#[from] OpenError),
    /// It cannot be read.
    #[error("{} cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// Something is there already.
    #[error("{} exists already; nothing is overwritten", .0.display())]
    Exists(PathBuf),
    /// The directory is not empty.
    #[error("{} is not empty; restore into an empty directory", .0.display())]
    NotEmpty(PathBuf),
    /// A copy cannot be written.
    #[error("{} cannot be written: {cause}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The copying broke off.
    #[error("{} cannot be copied to {}: {cause}", from.display(), to.display())]
    Uncopied {
        /// The ledger.
        from: PathBuf,
        /// Where the copy was to be.
        to: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// The copy does not hold together, because what was copied does not.
    #[error("{} does not verify: {count} findings, the first is: {first}", path.display())]
    Unsound {
        /// The file.
        path: PathBuf,
        /// How many findings there are.
        count: u64,
        /// The first of them.
        first: Finding,
    },
}

impl LedgerFile {
    /// The ledger of a data directory.
    #[must_use]
    pub fn of_directory(directory: &Path) -> LedgerFile {
        LedgerFile { path: directory.join("coffer.db") }
    }

    /// A backup, or any other file.
    #[must_use]
    pub fn at(path: &Path) -> LedgerFile {
        LedgerFile { path: path.to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks whether everything in the file follows from its entries, at one moment, beside a server that writes to it
    /// as well. Tells each finding as it is made.
    ///
    /// # Errors
    /// Where it cannot be looked through at all.
    pub fn verify(&self, mut tell: impl FnMut(Finding)) -> Result<Verified, FileError> {
        let mut connection = self.open()?;
        let unreadable = |cause| FileError::Unreadable { path: self.path.clone(), cause };
        // One transaction: all of it is of one moment.
        let transaction = connection.transaction().map_err(unreadable)?;
        let mut verified = Verified::default();
        let mut tell = |finding| {
            verified.findings += 1;
            tell(finding);
        };
        verify::pages(&transaction, &mut tell).map_err(unreadable)?;
        if let Err(error) = trailing::lay_over(&transaction) {
            tell(format!("what is to be written into the tables cannot be read: {error}"));
        }
        verify::indexes(&transaction, &mut tell).map_err(unreadable)?;
        verify::references(&transaction, &mut tell).map_err(unreadable)?;
        let (accounts, entries) = verify::accounts(&transaction, &mut tell).map_err(unreadable)?;
        Ok(Verified { accounts, entries, ..verified })
    }

    /// Copies the file to a place where nothing is yet, at one moment, beside a server that writes to it as well. The
    /// copy is durable and verified before it gets its name.
    ///
    /// # Errors
    /// Where it cannot be copied, or the copy does not verify: then there is no file of that name.
    pub fn back_up(&self, to: &Path) -> Result<Verified, FileError> {
        if to.exists() {
            return Err(FileError::Exists(to.to_owned()));
        }
        let verified = self.copy_to(to)?;
        // The copy is there whether or not this can be noted.
        if let Err(error) = super::health::note_backup(&self.path) {
            tracing::warn!(%error, "the backup was made; that it was cannot be noted beside the ledger");
        }
        Ok(verified)
    }

    /// Puts a verified copy of the file into a directory that holds nothing yet, as its ledger.
    ///
    /// # Errors
    /// Where the file does not verify, or the directory is not empty or not writable: then there is no ledger in it.
    pub fn restore(&self, directory: &Path) -> Result<Verified, FileError> {
        self.open()?;
        let locked = DataDirectory::lock(directory)?;
        let unwritable = |cause| FileError::Unwritable { path: directory.to_owned(), cause };
        for entry in std::fs::read_dir(directory).map_err(unwritable)? {
            if entry.map_err(unwritable)?.file_name() != "lock" {
                return Err(FileError::NotEmpty(directory.to_owned()));
            }
        }
        self.copy_to(&locked.database())
    }

    fn copy_to(&self, to: &Path) -> Result<Verified, FileError> {
        let connection = self.open()?;
        let partial = Partial::beside(to)?;
        let copied = connection.execute("VACUUM INTO ?1", [partial.path.to_string_lossy()]);
        copied.map_err(|cause| uncopied(&self.path, to, cause))?;
        // Whoever looks into a copy is to find everything in its table.
        let brought_in = Connection::open(partial.path()).and_then(|mut copy| trailing::bring_in(&mut copy));
        brought_in.map_err(|cause| uncopied(&self.path, to, cause))?;
        partial.finish(&self.path, to)
    }

    pub(super) fn open(&self) -> Result<Connection, FileError> {
        if !self.path.is_file() {
            return Err(FileError::Missing(self.path.clone()));
        }
        let unreadable = |cause| FileError::Unreadable { path: self.path.clone(), cause };
        let connection = schema::open_for_reading(&self.path).map_err(unreadable)?;
        schema::check_version(&connection, &self.path)?;
        Ok(connection)
    }
}

/// A copy that has no name yet. It is removed unless it is finished.
pub(super) struct Partial {
    path: PathBuf,
}

impl Partial {
    pub(super) fn beside(to: &Path) -> Result<Partial, FileError> {
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(format!(".partial-{}", std::process::id()));
        let path = to.with_file_name(name);
        // A ledger is nobody's but its owner's. SQLite fills the empty file.
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        made.map_err(|cause| FileError::Unwritable { path: to.to_owned(), cause })?;
        Ok(Partial { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the copy durable, and gives it its name in the place of whatever has it.
    pub(super) fn replace(self, to: &Path) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        std::fs::rename(&self.path, to)?;
        sync_directory(to)
    }

    /// Verifies the copy, makes it durable, and gives it its name.
    fn finish(self, from: &Path, to: &Path) -> Result<Verified, FileError> {
        let mut first = None;
        let verified = LedgerFile::at(&self.path).verify(|finding| {
            first.get_or_insert(finding);
        });
        let verified = verified.map_err(|error| match error {
            // Nobody knows the copy by its own name.
            FileError::Unreadable { path: _, cause } => uncopied(from, to, cause),
            other => other,
        })?;
        if let Some(first) = first {
            return Err(FileError::Unsound { path: from.to_owned(), count: verified.findings, first });
        }
        let named = File::open(&self.path)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::hard_link(&self.path, to))
            .and_then(|()| sync_directory(to));
        named.map_err(|cause| FileError::Unwritable { path: to.to_owned(), cause })?;
        Ok(verified)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            // What is not there need not be removed.
            drop(std::fs::remove_file(path));
        }
    }
}

fn uncopied(from: &Path, to: &Path, cause: rusqlite::Error) -> FileError {
    FileError::Uncopied { from: from.to_owned(), to: to.to_owned(), cause }
}

fn sync_directory(of: &Path) -> io::Result<()> {
    let directory = of.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
