//! How the file is: its size with its log, and when it was last copied away.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::{StoreHealth, StoreKind};

/// How the ledger in a file is.
pub(super) fn of(database: &Path) -> io::Result<StoreHealth> {
    let size = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.len());
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    let bytes = size(database)? + size(Path::new(&log)).unwrap_or(0);
    let last_backup = std::fs::metadata(mark(database)).and_then(|mark: Metadata| mark.modified()).ok();
    Ok(StoreHealth { kind: StoreKind::Sqlite, bytes: Some(bytes), last_backup })
}

/// Notes that a verified copy of the file was made just now.
pub(super) fn note_backup(database: &Path) -> io::Result<()> {
    // Made anew each time: its age is all that it says.
    File::create(mark(database)).map(drop)
}

/// The file whose age tells the age of the last backup.
fn mark(database: &Path) -> PathBuf {
    database.with_file_name("last-backup")
}
