//! The database as its users see it: connections for reading and for writing, and the form that statements have.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::time::timeout;
use tokio_postgres::Row;

use super::connect::pool;
use super::error::Setback;
use super::outage::Outage;
use super::pipeline::{Pipeline, prepared};
use super::statement::{Call, Form};
use super::{PostgresError, PostgresOptions};
use crate::StoreError;
use crate::rows::{self, Columns, RowError};

/// How often a read is tried whose connection turns out to be gone: after a restart of the database all of them are.
const READ_TRIES_MAX: usize = 3;

/// How long the database may take to answer a read.
const READ_MAX: Duration = Duration::from_secs(10);

/// The database is there, and says nothing.
pub(super) fn silent() -> StoreError {
    StoreError::Unreachable("it does not answer in time".to_owned())
}

/// The database. Those who read and those who write do not take each other's connections.
#[derive(Debug)]
pub(super) struct Database {
    readers: Pool,
    writers: Pool,
    pub(super) form: Form,
    reads: Outage,
    pub(super) batches: Outage,
}

impl Database {
    pub(super) fn new(
        options: &PostgresOptions,
        writers: usize,
        form: Form,
    ) -> Result<Database, PostgresError> {
        let readers = options.connections.saturating_sub(writers).max(1);
        let (readers, writers) = (pool(&options.url, readers)?, pool(&options.url, writers)?);
        let (reads, batches) = (Outage::of("reads"), Outage::of("batches"));
        Ok(Database { readers, writers, form, reads, batches })
    }

    pub(super) async fn writer(&self) -> Result<Object, StoreError> {
        Ok(self.writers.get().await?)
    }

    pub(super) async fn reader(&self) -> Result<Object, StoreError> {
        Ok(self.readers.get().await?)
    }

    /// Carries out statements that only read, in one round trip, and answers with the rows of each. Each sees what was
    /// committed when it began.
    pub(super) async fn read(&self, calls: impl Fn() -> Vec<Call>) -> Result<Vec<Vec<Row>>, StoreError> {
        let read = self.try_read(calls).await;
        self.reads.note(read.as_ref());
        read
    }

    async fn try_read(&self, calls: impl Fn() -> Vec<Call>) -> Result<Vec<Vec<Row>>, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let connection = self.readers.get().await?;
            let Ok(answered) = timeout(READ_MAX, all(&connection, calls())).await else {
                drop(Object::take(connection));
                return Err(silent());
            };
            match answered {
                Ok(answers) => return Ok(answers),
                Err(error) if tries < READ_TRIES_MAX && Setback::of(&error) == Setback::ConnectionLost => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The records that one statement finds.
    pub(super) async fn records<Record>(
        &self,
        call: impl Fn() -> Call,
        read: impl Fn(&mut Columns<'_>) -> rows::Result<Record>,
    ) -> Result<Vec<Record>, StoreError> {
        let answers = self.read(|| vec![call()]).await?;
        let mut found = Vec::new();
        for row in answers.iter().flatten() {
            found.push(read(&mut Columns::of(row))?);
        }
        Ok(found)
    }

    pub(super) fn close(&self) {
        self.readers.close();
        self.writers.close();
    }
}

/// Sends statements on a connection in one round trip, and waits for all answers.
pub(super) async fn all(
    connection: &Object,
    calls: Vec<Call>,
) -> Result<Vec<Vec<Row>>, tokio_postgres::Error> {
    let prepared = prepared(connection, calls).await?;
    let mut pipeline = Pipeline::on(connection);
    for (statement, arguments) in prepared {
        pipeline.send(statement, arguments).await;
    }
    pipeline.answers().await.map_err(|(_, error)| error)
}

impl From<RowError> for StoreError {
    fn from(error: RowError) -> StoreError {
        StoreError::Unreadable(format!("a row means nothing: {error}"))
    }
}
