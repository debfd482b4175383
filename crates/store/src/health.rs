//! How a store is, besides whether it commits.

use std::time::SystemTime;

/// How a store is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoreHealth {
    /// What keeps the ledger.
    pub kind: StoreKind,
    /// What it occupies, where that can be known.
    pub bytes: Option<u64>,
    /// When it was last backed up, as far as it can know: a database's own tools tell it nothing.
    pub last_backup: Option<SystemTime>,
}

/// What keeps the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreKind {
    /// The memory of the process.
    Memory,
    /// SQLite, in a directory.
    Sqlite,
    /// A database that nodes share.
    Postgres,
}
