//! What can go wrong while the file is written, and the end of the process where nobody can tell any more what is durable.

use std::path::Path;

use rusqlite::{ErrorCode, ffi};

use crate::StoreError;

/// What went wrong while writing.
pub(super) enum Failure {
    /// It can be rolled back and refused.
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

fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

/// Ends the process at once, because of what SQLite says of a file. Nobody who waits gets an answer.
pub(super) fn stop_for(what: &str, file: &Path, error: &rusqlite::Error) -> ! {
    if is_damage(error) {
        let file = file.display();
        tracing::error!("{file} is damaged ({error}); restore a backup");
        std::process::abort();
    }
    stop(&format!("{what}: {error}"))
}

/// Whether the next start would come to the same: the file is damaged, a row that must be there is not, or one says what no row can.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, QueryReturnedNoRows, StatementChangedRows};
    let of_rows =
        matches!(error, FromSqlConversionFailure(..) | QueryReturnedNoRows | StatementChangedRows(_));
    of_rows || matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Ends the process at once. Nobody who waits gets an answer.
pub(super) fn stop(reason: &str) -> ! {
    tracing::error!("{reason}; the process stops, and recovers at its next start");
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::is_damage;

    #[test]
    fn what_the_next_start_would_meet_again_is_damage() {
        let connection = Connection::open_in_memory().expect("memory");
        let error = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect_err(sql);
        assert!(is_damage(&error("SELECT 1 WHERE FALSE")));
        assert!(is_damage(&rusqlite::Error::StatementChangedRows(0)));
        let code = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        assert!(is_damage(&code(rusqlite::ffi::SQLITE_CORRUPT)));
        assert!(!is_damage(&code(rusqlite::ffi::SQLITE_IOERR_FSYNC)));
        assert!(!is_damage(&error("SELECT no FROM nothing")));
    }
}
