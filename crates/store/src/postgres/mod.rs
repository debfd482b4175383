//! PostgreSQL: the same ledger for any number of nodes, on one database or on a sharded one.
//!
//! The rows are the truth, and no node keeps a state that others need. A batch is one transaction: it locks its accounts'
//! rows in order, loads, decides, writes, commits, in two round trips where nothing is out of the ordinary. Everything that
//! belongs to an account changes only while the account's row is locked. What must be unique among all accounts, and so
//! cannot be locked with one of them, is in the directory.

mod connect;
mod error;
mod unverified;

mod schema;

mod clock;

mod database;
mod pipeline;
mod statement;

mod cells;

mod names;
mod read;

pub use clock::DatabaseClock;
pub use connect::{ClockSource, LaneChoice, PostgresOptions};
pub use error::PostgresError;

use error::describe;
