//! A database as what is filled from another store. As long as that is under way, a mark in the table of versions keeps
//! everybody from serving with what is there, and its row is the lock by which only one fills it.

use coffer_ledger::{AccountId, Finding};
use deadpool_postgres::{Object, Pool};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::database::all;
use super::error::describe;
use super::pipeline::{Pipeline, prepared};
use super::statement::{Call, Form, id};
use super::{PostgresError, PostgresOptions, connect, names, schema, verify, write};
use crate::Verified;
use crate::migrate::{Catalogue, Head, Portion};
use crate::rows::{self, Columns};

/// One that writes, and one that keeps the lock.
const CONNECTIONS: usize = 2;
/// How many accounts are compared at once.
const HEADS_MAX: i64 = 1_000;
/// Begins the transaction that has the mark's row, however long it lasts.
const LOCK: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
                    SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '5s'";

/// A database that is being filled.
pub(crate) struct Target {
    writer: Object,
    lock: Object,
    form: Form,
    _pool: Pool,
}

impl Target {
    /// Makes the tables in an empty database, or goes on with one that somebody has begun to fill.
    pub(crate) async fn begin(options: &PostgresOptions) -> Result<Target, PostgresError> {
        let pool = connect::pool(&options.url, CONNECTIONS)?;
        let form = options.lanes.form(schema::begin_filling(&pool).await?);
        let lock = pool.get().await?;
        lock.batch_execute(LOCK).await?;
        let locked = lock.query_opt(schema::LOCK_MARK, &[]).await;
        let locked = locked.map_err(|error| match error.code() {
            Some(&SqlState::LOCK_NOT_AVAILABLE) => PostgresError::FilledByAnother,
            Some(_) | None => PostgresError::Unusable(describe(&error)),
        })?;
        if locked.is_none() {
            // Somebody else has finished meanwhile.
            return Err(PostgresError::HoldsALedger);
        }
        Ok(Target { writer: pool.get().await?, lock, form, _pool: pool })
    }

    /// Whether what is written together must be in one bucket.
    pub(crate) fn is_sharded(&self) -> bool {
        self.form == Form::OneBucket
    }

    /// The next accounts behind one of them, by bucket and then by id.
    pub(crate) async fn heads_after(&self, last: Option<AccountId>) -> Result<Vec<Head>, PostgresError> {
        let sql =
            "SELECT id, seq, head FROM accounts WHERE (bucket, id) > ($1, $2) ORDER BY bucket, id LIMIT $3";
        let (bucket, id) =
            last.map_or((-1, id([0; 16])), |last| (i16::from(last.bucket().0), id(last.bytes())));
        let statement = self.writer.prepare_cached(sql).await?;
        let rows = self.writer.query(&statement, &[&bucket, &id, &HEADS_MAX]).await?;
        let head = |row: &Row| rows::head(&mut Columns::of(row));
        let heads: rows::Result<Vec<Head>> = rows.iter().map(head).collect();
        heads.map_err(|error| PostgresError::Unusable(format!("an account cannot be read: {error}")))
    }

    /// Writes what belongs to no account.
    pub(crate) async fn write_catalogue(&self, catalogue: &Catalogue) -> Result<(), PostgresError> {
        for call in write::catalogue_copies(self.form, catalogue) {
            all(&self.writer, vec![call]).await?;
        }
        Ok(())
    }

    /// Writes rows that are not there yet, all in one transaction. Their names come before: whoever goes on later begins
    /// behind the last account that is there, and takes it that everything of it is.
    pub(crate) async fn write(&self, portion: &Portion) -> Result<(), PostgresError> {
        all(&self.writer, names::listed_as_taken(self.form, &names::of_portion(portion))).await?;
        let prepared = prepared(&self.writer, write::copies(self.form, portion)).await?;
        let mut pipeline = Pipeline::on(&self.writer);
        pipeline.send_text("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await;
        for (statement, arguments) in prepared {
            pipeline.send(statement, arguments).await;
        }
        pipeline.send_text("COMMIT").await;
        pipeline.answers().await.map_err(|(_, error)| error)?;
        Ok(())
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> Result<u64, PostgresError> {
        let call = Call::over_all_buckets(format!("SELECT count(*) FROM {table}"), Vec::new());
        let rows = all(&self.writer, vec![call]).await?;
        let found = rows.iter().flatten().next().map(|row| row.get::<_, i64>(0));
        Ok(found.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    /// Looks whether what is there holds together.
    pub(crate) async fn verify(&mut self, tell: impl FnMut(Finding)) -> Result<Verified, PostgresError> {
        // The planner knows nothing yet of tables that were filled a moment ago.
        self.writer.batch_execute("ANALYZE").await?;
        verify::verify(&mut self.writer, self.form, tell).await
    }

    /// Takes the mark away: from now on the database serves.
    pub(crate) async fn finish(self) -> Result<(), PostgresError> {
        self.lock.batch_execute(schema::REMOVE_MARK).await?;
        self.lock.batch_execute("COMMIT").await?;
        Ok(())
    }
}
