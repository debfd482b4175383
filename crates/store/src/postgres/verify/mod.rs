//! Whether what a database holds follows from its entries: references, names and each account's books. It only reads, beside
//! any number of nodes that write, and holds no more than a page of anything in memory.
//!
//! On one database all of it is of one moment: one transaction sees one snapshot. A sharded one gives every statement a
//! snapshot of its own, so what is written meanwhile may look wrong. What looks wrong is therefore looked at again, and only
//! what is found each time is told.

mod accounts;
mod directory;
mod names;
mod references;
mod texts;

use std::collections::HashSet;

use coffer_ledger::Finding;
use deadpool_postgres::{Object, Transaction};
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Portal, Row};

use super::statement::{Argument, Call, Form};
use super::{PostgresError, PostgresOptions, PostgresStore, connect, schema};
use crate::Verified;

/// How often something is looked at in which something is found.
const LOOKS_MAX: usize = 5;
/// How many rows are held at once.
const PAGE_ROWS: i32 = 1_000;
/// How long a statement may take is this machinery's own business, whatever the database's defaults are.
const PATIENCE: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

impl PostgresStore {
    /// Looks whether everything in a database follows from its entries, beside nodes that write to it as well. Tells each
    /// finding as it is made. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// Where there is no ledger of this version, or it cannot be looked through at all.
    pub async fn verify(
        options: &PostgresOptions,
        tell: impl FnMut(Finding),
    ) -> Result<Verified, PostgresError> {
        let pool = connect::pool(&options.url, 1)?;
        let form = options.lanes.form(schema::open_existing(&pool).await?);
        verify(&mut pool.get().await?, form, tell).await
    }
}

/// Looks through all of it on one connection.
pub(super) async fn verify(
    connection: &mut Object,
    form: Form,
    mut tell: impl FnMut(Finding),
) -> Result<Verified, PostgresError> {
    let isolation = match form {
        Form::AnyBucket => IsolationLevel::RepeatableRead,
        // Shards see what is committed at each statement, whatever is asked for.
        Form::OneBucket => IsolationLevel::ReadCommitted,
    };
    let transaction =
        connection.build_transaction().isolation_level(isolation).read_only(true).start().await?;
    transaction.batch_execute(PATIENCE).await?;
    let mut findings = 0;
    let mut tell = |finding| {
        findings += 1;
        tell(finding);
    };
    let look = Look { transaction: &transaction, form };
    references::references(&look, &mut tell).await?;
    texts::texts(&look, &mut tell).await?;
    directory::directory(&look, &mut tell).await?;
    let (accounts, entries) = accounts::accounts(&look, &mut tell).await?;
    transaction.rollback().await?;
    Ok(Verified { accounts, entries, findings })
}

/// Whoever looks: on one connection, in one transaction that only reads.
struct Look<'a> {
    transaction: &'a Transaction<'a>,
    form: Form,
}

impl Look<'_> {
    /// The rows that a statement finds, which must be few.
    async fn rows(&self, call: Call) -> Result<Vec<Row>, PostgresError> {
        let statement = self.transaction.prepare_cached(&call.sql).await?;
        Ok(self.transaction.query(&statement, &references_to(&call.arguments)).await?)
    }

    /// The rows that a statement finds, a page at a time.
    async fn pages(&self, call: Call) -> Result<Pages<'_>, PostgresError> {
        let statement = self.transaction.prepare_cached(&call.sql).await?;
        let portal = self.transaction.bind(&statement, &references_to(&call.arguments)).await?;
        Ok(Pages { transaction: self.transaction, portal, is_over: false })
    }

    /// The rows of all buckets that a statement finds, a page at a time.
    async fn all_pages(&self, sql: impl Into<String>) -> Result<Pages<'_>, PostgresError> {
        self.pages(Call::over_all_buckets(sql, Vec::new())).await
    }
}

fn references_to(arguments: &[Argument]) -> Vec<&(dyn ToSql + Sync)> {
    arguments.iter().map(|argument| &**argument as &(dyn ToSql + Sync)).collect()
}

/// The rows of one statement, of which no more than a page is held.
struct Pages<'a> {
    transaction: &'a Transaction<'a>,
    portal: Portal,
    is_over: bool,
}

impl Pages<'_> {
    /// The next page; `None` when there is none.
    async fn next(&mut self) -> Result<Option<Vec<Row>>, PostgresError> {
        if self.is_over {
            return Ok(None);
        }
        let rows = self.transaction.query_portal(&self.portal, PAGE_ROWS).await?;
        self.is_over = rows.len() < PAGE_ROWS as usize;
        Ok((!rows.is_empty()).then_some(rows))
    }
}

/// What is found at every one of several looks.
async fn found_each_time(
    look: impl AsyncFn() -> Result<Vec<Finding>, PostgresError>,
) -> Result<Vec<Finding>, PostgresError> {
    let mut found = look().await?;
    for _ in 1..LOOKS_MAX {
        if found.is_empty() {
            break;
        }
        let again: HashSet<Finding> = look().await?.into_iter().collect();
        found.retain(|finding| again.contains(finding));
    }
    Ok(found)
}
