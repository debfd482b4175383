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
    // A row that must be there is not.
    let lacks_row = matches!(error, rusqlite::Error::StatementChangedRows(_));
    if lacks_row
        || matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
    {
        let file = file.display();
        tracing::error!("{file} is damaged ({error}); restore a backup");
        std::process::abort();
    }
    stop(&format!("{what}: {error}"))
}

/// Ends the process at once. Nobody who waits gets an answer.
pub(super) fn stop(reason: &str) -> ! {
    tracing::error!("{reason}; the process stops, and recovers at its next start");
    std::process::abort();
}
