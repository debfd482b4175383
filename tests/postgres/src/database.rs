//! A database that a test has for itself.

use crate::sql::{self, Row, Transaction};

/// A database, dropped together with this value, whoever may still be connected to it.
#[derive(Debug)]
pub struct Database {
    name: String,
    urls: Urls,
}

/// Where a database is found.
#[derive(Debug)]
pub(crate) struct Urls {
    /// By clients.
    pub(crate) network: String,
    /// By this crate.
    pub(crate) socket: String,
    /// Another database of the same cluster, from where this one is made and dropped.
    pub(crate) administration: String,
}

impl Database {
    /// Makes an empty one.
    pub(crate) fn create(name: String, urls: Urls) -> Database {
        let made = sql::query(&urls.administration, &format!("CREATE DATABASE {name} TEMPLATE template0"));
        made.unwrap_or_else(|error| panic!("no database {name}: {error:?}"));
        Database { name, urls }
    }

    /// Its name in the cluster.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where a client finds it, as `postgres://coffer@127.0.0.1:PORT/NAME`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.urls.network
    }

    /// Carries out statements, separated by semicolons, and answers the rows of all of them.
    ///
    /// # Panics
    /// Where the server refuses one.
    #[track_caller]
    pub fn execute(&self, sql: &str) -> Vec<Row> {
        sql::query(&self.urls.socket, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// Carries out statements in a transaction that stays open, as somebody leaves it who was called away.
    ///
    /// # Panics
    /// Where the server refuses one.
    #[must_use]
    #[track_caller]
    pub fn leave_open(&self, sql: &str) -> Transaction {
        Transaction::begin(&self.urls.socket, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// Ends all connections to it that are there now, as an administrator does, and says how many there were.
    #[track_caller]
    pub fn terminate_backends(&self) -> usize {
        let others = format!("datname = '{}' AND pid <> pg_backend_pid()", self.name);
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}");
        let ended =
            sql::query(&self.urls.administration, &sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        ended.len()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A cluster that has ended before it, or is stopped, has taken it along or soon will.
        drop(sql::query(&self.urls.administration, &format!("DROP DATABASE {} WITH (FORCE)", self.name)));
    }
}
