//! Opening the file: settings, and the schema with its versions.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::directory::{DataDirectory, OpenError};
use super::file::Partial;
use super::log::{self, Log};

/// What a Coffer ledger has in SQLite's `application_id`: "Cofr".
const APPLICATION_ID: i32 = 0x436f_6672;

/// The scripts that lead from each schema version to the next; the first makes version 1.
///
/// Of a ledger of version 3 or later, tables may trail behind the journal: a script that reads or changes rows of such a
/// table must have what the redo rows tell brought in before. It may make an index.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_ledger.sql"),
    include_str!("migrations/0002_whole_ledger.sql"),
    include_str!("migrations/0003_journal.sql"),
    include_str!("migrations/0004_people.sql"),
    include_str!("migrations/0005_account_names.sql"),
    include_str!("migrations/0006_usage.sql"),
    include_str!("migrations/0007_open_holds.sql"),
];

/// Settings that the ledger cannot do without; they are read back, for SQLite ignores what it cannot do.
///
/// `wal_autocheckpoint` is off because SQLite swallows the errors of its own checkpoints: `log` runs them and stops at a
/// failed sync.
const PRAGMAS: &[(&str, &str)] = &[
    ("journal_mode", "wal"),
    ("synchronous", "2"),
    ("wal_autocheckpoint", "0"),
    ("mmap_size", "0"),
    ("foreign_keys", "0"),
    ("temp_store", "2"),
    // What is erased must not lie in pages that are free.
    ("secure_delete", "1"),
];

/// Enough for the inner pages of every tree; of the leaves, most are written once and not met again before the next sweep. While
/// a file is smaller than a gigabyte, SQLite looks through the whole cache at nearly every commit, so that a larger one costs.
const CACHE_KIB: i64 = 4 * 1024;
const READER_CACHE_KIB: i64 = 2 * 1024;
const CHECKED_BYTES_MAX: u64 = 64 * 1024 * 1024;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const STATEMENTS_CACHED: usize = 64;

/// Opens the file as its only writer, makes or upgrades the schema, and checks the settings.
pub(super) fn open_for_writing(directory: &DataDirectory) -> Result<Connection, OpenError> {
    let refused = |cause| directory.refused(cause);
    let path = directory.database();
    let index = log::take_none_for_moved(&path);
    // No connection is open yet, the locks of which would go with it.
    drop(index.map_err(|error| {
        let cause = io::Error::new(error.kind(), format!("the index of the log: {error}"));
        OpenError::NotWritable { path: directory.path().to_owned(), cause }
    })?);
    let mut connection = Connection::open(path).map_err(refused)?;
    configure(&connection, CACHE_KIB).map_err(refused)?;
    // Before any setting: some of them are written to the file, and a file that is refused stays as it was.
    check_identity(&connection, directory)?;
    set(&connection, directory)?;
    upgrade(&mut connection, directory)?;
    check_settings(&connection, directory)?;
    check_pages(&connection, directory)?;
    Ok(connection)
}

fn set(connection: &Connection, directory: &DataDirectory) -> Result<(), OpenError> {
    let set = |(pragma, needed): &(&str, &str)| connection.pragma_update(None, pragma, needed);
    PRAGMAS.iter().try_for_each(set).map_err(|cause| directory.refused(cause))
}

fn check_settings(connection: &Connection, directory: &DataDirectory) -> Result<(), OpenError> {
    for (pragma, needed) in PRAGMAS {
        let found = setting(connection, pragma).map_err(|cause| directory.refused(cause))?;
        if found != *needed {
            return Err(OpenError::Unsafe { path: directory.database(), pragma, found, needed });
        }
    }
    Ok(())
}

/// Opens the file beside its writer, to move the log into it.
pub(super) fn open_log(directory: &DataDirectory) -> Result<Log, OpenError> {
    let path = directory.database();
    let refused = |cause| directory.refused(cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).map_err(refused)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(refused)?;
    set(&connection, directory)?;
    check_settings(&connection, directory)?;
    let file = File::open(&path)
        .map_err(|cause| OpenError::NotWritable { path: directory.path().to_owned(), cause })?;
    Ok(Log::new(path, connection, file))
}

/// Looks through the pages of a file that is small enough to be looked through at every start. A larger one is
/// met where it is damaged: at the start for accounts, lots and keys, later for the journal and its indexes.
fn check_pages(connection: &Connection, directory: &DataDirectory) -> Result<(), OpenError> {
    let bytes = std::fs::metadata(directory.database()).map_or(0, |metadata| metadata.len());
    if bytes > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|cause| directory.refused(cause))?;
    if found == "ok" { Ok(()) } else { Err(damaged(directory, rusqlite::ffi::SQLITE_CORRUPT, found)) }
}

/// Opens the file for reading beside the writer.
pub(super) fn open_for_reading(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection, READER_CACHE_KIB)?;
    Ok(connection)
}

fn configure(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    // A negative size is in KiB.
    connection.pragma_update(None, "cache_size", -cache_kib)
}

fn setting(connection: &Connection, pragma: &str) -> rusqlite::Result<String> {
    use rusqlite::types::ValueRef::{Blob, Integer, Null, Real, Text};
    connection.pragma_query_value(None, pragma, |row| match row.get_ref(0)? {
        Integer(number) => Ok(number.to_string()),
        Text(text) => Ok(String::from_utf8_lossy(text).to_lowercase()),
        other @ (Null | Real(_) | Blob(_)) => Ok(format!("{other:?}")),
    })
}

/// Brings the schema to the newest version. A ledger that holds something is copied beside itself first.
fn upgrade(connection: &mut Connection, directory: &DataDirectory) -> Result<(), OpenError> {
    let refused = |cause| directory.refused(cause);
    let newest = u32::try_from(MIGRATIONS.len()).expect("migrations are few");
    let found: u32 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(refused)?;
    if found == newest {
        return Ok(());
    }
    if found > 0 {
        let copy = directory.path().join(format!("coffer-before-version-{newest}.db"));
        copy_whole(connection, &copy)?;
        let copy = copy.display();
        tracing::info!(from = found, to = newest, %copy, "the ledger is upgraded; a copy was made before");
    }
    let transaction = connection.transaction().map_err(refused)?;
    for script in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(script).map_err(refused)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(refused)?;
    transaction.pragma_update(None, "user_version", newest).map_err(refused)?;
    transaction.commit().map_err(refused)
}

/// Copies the ledger to a file, in the place of what a start that broke off may have left there.
fn copy_whole(connection: &Connection, to: &Path) -> Result<(), OpenError> {
    let not_writable = |cause| OpenError::NotWritable { path: to.to_owned(), cause };
    let partial = Partial::beside(to).map_err(|error| not_writable(io::Error::other(error)))?;
    let copied = connection.execute("VACUUM INTO ?1", [partial.path().to_string_lossy()]);
    copied.map_err(|cause| not_writable(io::Error::other(cause)))?;
    partial.replace(to).map_err(not_writable)
}

/// Whether a file that is only read is a ledger of this program's own version.
pub(super) fn check_version(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let damaged = |cause| OpenError::Damaged { path: path.to_owned(), cause };
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(damaged);
    if number("PRAGMA application_id")? != i64::from(APPLICATION_ID) {
        let found = Some("it holds tables of another application, or none".to_owned());
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB);
        return Err(damaged(rusqlite::Error::SqliteFailure(code, found)));
    }
    let newest = u32::try_from(MIGRATIONS.len()).expect("migrations are few");
    let found = number("PRAGMA user_version")?;
    if found > i64::from(newest) {
        return Err(OpenError::TooNew { path: path.to_owned(), found, known: newest });
    }
    if found < i64::from(newest) {
        return Err(OpenError::TooOld { path: path.to_owned(), found, known: newest });
    }
    Ok(())
}

/// Whether the file is empty, or a ledger of a version that this program knows.
fn check_identity(connection: &Connection, directory: &DataDirectory) -> Result<(), OpenError> {
    let refused = |cause| directory.refused(cause);
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(refused);
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    if tables > 0 && number("PRAGMA application_id")? != i64::from(APPLICATION_ID) {
        return Err(not_a_ledger(directory));
    }
    let newest = u32::try_from(MIGRATIONS.len()).expect("migrations are few");
    let found = number("PRAGMA user_version")?;
    if found > i64::from(newest) {
        return Err(OpenError::TooNew { path: directory.database(), found, known: newest });
    }
    Ok(())
}

fn not_a_ledger(directory: &DataDirectory) -> OpenError {
    let found = "it holds tables of another application".to_owned();
    damaged(directory, rusqlite::ffi::SQLITE_NOTADB, found)
}

fn damaged(directory: &DataDirectory, code: i32, found: String) -> OpenError {
    let cause = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(found));
    OpenError::Damaged { path: directory.database(), cause }
}
