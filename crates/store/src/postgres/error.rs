//! What can go wrong with a database, and what that means for what was asked.

use deadpool_postgres::PoolError;
use tokio_postgres::error::{Severity, SqlState};

use crate::StoreError;

/// Why a database cannot be used as a ledger.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The URL means nothing.
    #[error("the database URL cannot be used: {0}")]
    BadUrl(String),
    /// It is not there, or does not take what it is asked.
    #[error("the database cannot be used: {0}")]
    Unusable(String),
    /// It holds no ledger yet.
    #[error("the database holds no ledger; coffer serve makes one")]
    NoLedger,
    /// It has tables of another application.
    #[error("the database has a table {0} that is not of a ledger; give the ledger a database of its own")]
    NotALedger(String),
    /// A migration to it has begun and not ended.
    #[error(
        "a ledger is being migrated to the database, or that has broken off: run coffer migrate again, which goes on with it"
    )]
    IsBeingFilled,
    /// Another process migrates a ledger to it.
    #[error("another coffer migrate is at work on the database")]
    FilledByAnother,
    /// There is a ledger already where one was to be migrated to.
    #[error("the database holds a ledger already, and nothing was changed; migrate into an empty database")]
    HoldsALedger,
    /// The schema was made by a newer Coffer.
    #[error(
        "the database holds a ledger of schema version {found}, and this Coffer knows version {known}: run a newer Coffer"
    )]
    TooNew {
        /// The version that is there.
        found: i64,
        /// The version of this program.
        known: i64,
    },
    /// The schema was made by an older Coffer.
    #[error(
        "the database holds a ledger of schema version {found}, and this Coffer needs version {known}: run coffer schema \
         upgrade"
    )]
    TooOld {
        /// The version that is there.
        found: i64,
        /// The version of this program.
        known: i64,
    },
}

impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> PostgresError {
        PostgresError::Unusable(describe(&error))
    }
}

impl From<PoolError> for PostgresError {
    fn from(error: PoolError) -> PostgresError {
        PostgresError::Unusable(describe_pool(&error))
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> StoreError {
        match error.code() {
            Some(&SqlState::DISK_FULL) => StoreError::DiskIsFull,
            Some(&SqlState::LOCK_NOT_AVAILABLE) => StoreError::Contended,
            Some(_) | None => StoreError::Unreachable(describe(&error)),
        }
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> StoreError {
        match error {
            PoolError::Closed => StoreError::Closed,
            PoolError::Timeout(_)
            | PoolError::Backend(_)
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_) => StoreError::Unreachable(describe_pool(&error)),
        }
    }
}

/// What a failed statement means for its transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Setback {
    /// Somebody else was faster: decided again, it may work.
    LostRace,
    /// Somebody else has had a row locked for too long.
    RowLocked,
    /// The connection is gone, and with it the transaction, unless its commit had been sent.
    ConnectionLost,
    /// Nothing that trying again would mend.
    Refused,
}

impl Setback {
    pub(super) fn of(error: &tokio_postgres::Error) -> Setback {
        let Some(cause) = error.as_db_error() else {
            return Setback::ConnectionLost;
        };
        if matches!(cause.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) {
            return Setback::ConnectionLost;
        }
        let races = [
            &SqlState::T_R_SERIALIZATION_FAILURE,
            &SqlState::T_R_DEADLOCK_DETECTED,
            // A name or a number that another took meanwhile.
            &SqlState::UNIQUE_VIOLATION,
        ];
        match cause.code() {
            code if races.contains(&code) => Setback::LostRace,
            &SqlState::LOCK_NOT_AVAILABLE => Setback::RowLocked,
            _ => Setback::Refused,
        }
    }
}

/// An error with its cause, which the driver's own text leaves out.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(cause) => format!("{} ({})", cause.message(), cause.code().code()),
        None => match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

fn describe_pool(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => describe(error),
        PoolError::Timeout(_) => "no connection was free, or could be made, in time".to_owned(),
        PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => error.to_string(),
    }
}
