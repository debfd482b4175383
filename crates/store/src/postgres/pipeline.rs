//! Many statements in one round trip.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use deadpool_postgres::Object;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};

use super::statement::{Argument, Call};

type Answer<'connection> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + Send + 'connection>>;

/// Statements that have been sent, in order, and whose answers are still to come. The database carries them out one after
/// the other; where one fails inside a transaction, so do all that follow.
pub(super) struct Pipeline<'connection> {
    connection: &'connection Object,
    answers: Vec<Answer<'connection>>,
}

impl<'connection> Pipeline<'connection> {
    pub(super) fn on(connection: &'connection Object) -> Pipeline<'connection> {
        Pipeline { connection, answers: Vec::new() }
    }

    /// Sends a statement that has no arguments and no rows, or several of them with `;` between.
    pub(super) async fn send_text(&mut self, sql: &'static str) {
        let client = self.connection;
        self.begin(Box::pin(async move { client.batch_execute(sql).await.map(|()| Vec::new()) })).await;
    }

    /// Sends a statement that has been prepared.
    pub(super) async fn send(&mut self, statement: Statement, arguments: Vec<Argument>) {
        let client = self.connection;
        let answer = async move {
            let arguments: Vec<&(dyn ToSql + Sync)> =
                arguments.iter().map(|argument| &**argument as &(dyn ToSql + Sync)).collect();
            client.query(&statement, &arguments).await
        };
        self.begin(Box::pin(answer)).await;
    }

    /// A statement is sent when its answer is first asked for.
    async fn begin(&mut self, mut answer: Answer<'connection>) {
        let answered = poll_fn(|context| match answer.as_mut().poll(context) {
            Poll::Ready(answered) => Poll::Ready(Some(answered)),
            Poll::Pending => Poll::Ready(None),
        });
        match answered.await {
            None => self.answers.push(answer),
            Some(answered) => self.answers.push(Box::pin(std::future::ready(answered))),
        }
    }

    /// Waits for all answers, in the order of the statements. With an error, how many statements before it were carried out.
    pub(super) async fn answers(self) -> Result<Vec<Vec<Row>>, (usize, Error)> {
        let mut all = Vec::with_capacity(self.answers.len());
        for answer in self.answers {
            let rows = answer.await.map_err(|error| (all.len(), error))?;
            all.push(rows);
        }
        Ok(all)
    }
}

/// Prepares statements on a connection, where they are not yet. Before any of them is sent: what follows a statement that
/// fails in a transaction cannot be prepared either, and would hide the cause.
pub(super) async fn prepared(
    connection: &Object,
    calls: Vec<Call>,
) -> Result<Vec<(Statement, Vec<Argument>)>, Error> {
    let mut prepared = Vec::with_capacity(calls.len());
    for Call { sql, arguments } in calls {
        prepared.push((connection.prepare_cached(&sql).await?, arguments));
    }
    Ok(prepared)
}
