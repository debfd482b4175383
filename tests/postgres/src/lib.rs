//! A real PostgreSQL server for tests: started in a temporary directory, hurt on purpose, and surely ended.
//!
//! A [`Cluster`] is a server of its own with nothing of this machine's configuration; [`Cluster::shared`] is one for all
//! tests of a process that do it no harm. A [`Database`] in it lives as long as its value. A [`Proxy`] stands between a
//! client and the cluster and breaks connections at the moments that matter. All calls block and need no runtime, so
//! that tests with and without one can use them; they are made from within a runtime, too.
//!
//! A test that needs PostgreSQL never skips itself: without the server's programs it panics and names the package.

mod cluster;
mod database;
mod proxy;

mod certificate;
mod keeper;
mod port;
mod programs;
mod settings;
mod sql;

pub use certificate::foreign_authority;
pub use cluster::{Cluster, Frozen, Stop};
pub use database::Database;
pub use proxy::{Cut, Proxy};
pub use settings::{Durability, Settings, Size, Tls};
pub use sql::{Row, Transaction};
