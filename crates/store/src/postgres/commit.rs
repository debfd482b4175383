//! Writing what was decided, committing it, and what comes after a commit.

use std::time::Duration;

use coffer_ledger::Changes;
use deadpool_postgres::Object;
use tokio::time::timeout;
use tokio_postgres::Statement;

use super::PostgresStore;
use super::batch::{Decided, Failure, LOAD_MAX, SETTLE_MAX};
use super::database::{all, silent};
use super::error::{Setback, describe};
use super::load::Before;
use super::names::GivenNames;
use super::pipeline::{Pipeline, prepared};
use super::statement::Argument;
use super::write;
use crate::StoreError;

/// How long the database may take to commit.
const COMMIT_MAX: Duration = Duration::from_secs(15);

/// How a commit has failed.
enum Uncommitted {
    /// Nothing was done.
    Refused(tokio_postgres::Error),
    /// It had been sent, and nobody knows.
    InDoubt,
}

impl PostgresStore {
    /// Writes and commits what was decided; where nothing has changed, the transaction stays as it is.
    pub(super) async fn write(
        &self,
        connection: &Object,
        decided: Decided,
        before: &Before,
    ) -> Result<Decided, Failure> {
        if decided.changes.is_empty() {
            return Ok(decided);
        }
        let writing = timeout(LOAD_MAX, self.writing(connection, &decided, before)).await;
        let statements = writing.map_err(|_| Failure::Again(silent()))??;
        match commit(connection, statements).await {
            Ok(()) => Ok(decided),
            Err(Uncommitted::Refused(error)) => Err(error.into()),
            Err(Uncommitted::InDoubt) => Err(Failure::InDoubt(Box::new(decided))),
        }
    }

    /// The statements that write what has changed, prepared.
    async fn writing(
        &self,
        connection: &Object,
        decided: &Decided,
        before: &Before,
    ) -> Result<Vec<(Statement, Vec<Argument>)>, Failure> {
        self.note_owners(&decided.given).await?;
        let form = self.database.form;
        let mut calls = write::changes(form, &decided.changes, before);
        calls.extend(decided.given.claims(form));
        for erasure in &decided.changes.erasures {
            let texts = all(connection, vec![write::erased_texts(erasure)]).await?.remove(0);
            calls.extend(write::erase(form, erasure, &texts).map_err(StoreError::from)?);
        }
        calls.extend(decided.witness.mark());
        Ok(prepared(connection, calls).await?)
    }

    /// Notes those who get a name that was reserved for another; on another connection, for the directory's rows are not
    /// the batch's.
    async fn note_owners(&self, given: &GivenNames) -> Result<(), Failure> {
        if given.has_moved {
            let connection = self.database.reader().await?;
            given.note_owners(&connection, self.database.form).await?;
        }
        Ok(())
    }

    /// What others on this node must know at once.
    pub(super) fn forget_what_changed(&self, changes: &Changes) {
        if !changes.prices.is_empty() {
            self.prices.forget();
        }
        if !changes.operator_keys.is_empty() {
            self.operator_keys.forget();
        }
    }

    /// After the commit: puts the directory in order, and takes away a mark that nobody needs any more.
    pub(super) async fn settle(&self, connection: &Object, decided: &Decided) {
        let unmark = decided.witness.unmark().filter(|_| !decided.changes.is_empty());
        let settled = async {
            all(connection, unmark.into_iter().collect()).await?;
            decided.given.settle(connection, self.database.form).await
        };
        match timeout(SETTLE_MAX, settled).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = describe(&error), "names stay reserved until somebody wants them");
            }
            Err(_) => {
                tracing::warn!("names stay reserved until somebody wants them: the database does not answer");
            }
        }
    }
}

/// Sends what is to be written and the commit together.
async fn commit(connection: &Object, statements: Vec<(Statement, Vec<Argument>)>) -> Result<(), Uncommitted> {
    let writes = statements.len();
    let mut pipeline = Pipeline::on(connection);
    for (statement, arguments) in statements {
        pipeline.send(statement, arguments).await;
    }
    pipeline.send_text("COMMIT").await;
    let (done, error) = match timeout(COMMIT_MAX, pipeline.answers()).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(failed)) => failed,
        Err(_) => return Err(Uncommitted::InDoubt),
    };
    let is_told = error.as_db_error().is_some();
    match Setback::of(&error) {
        // What the database says of a write is of a commit that did not happen.
        Setback::LostRace | Setback::RowLocked => Err(Uncommitted::Refused(error)),
        Setback::Refused | Setback::ConnectionLost if is_told && done < writes => {
            Err(Uncommitted::Refused(error))
        }
        // A sharded database may fail at its commit when a shard has committed.
        Setback::Refused | Setback::ConnectionLost => Err(Uncommitted::InDoubt),
    }
}
