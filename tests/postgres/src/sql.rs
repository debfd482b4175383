//! Statements of the tests themselves, each on a connection of its own.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

/// How long a server that recovers may take to answer.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The values of a row as text, `None` for null.
pub type Row = Vec<Option<String>>;

/// Carries out statements, separated by semicolons, and answers the rows of all of them.
///
/// On a thread of its own, because a caller may stand within a runtime, and nothing in there may block on another.
///
/// # Errors
/// What the server says, or why it cannot be reached.
pub(crate) fn query(url: &str, sql: &str) -> Result<Vec<Row>, tokio_postgres::Error> {
    std::thread::scope(|scope| scope.spawn(|| on_a_runtime(url, sql)).join().expect("a query does not panic"))
}

/// Waits until a server takes connections and answers.
pub(crate) fn wait_until_ready(url: &str) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = query(url, "SELECT 1") {
        assert!(Instant::now() < deadline, "the server does not answer: {error:?}");
        std::thread::sleep(LOOK_AGAIN);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn on_a_runtime(url: &str, sql: &str) -> Result<Vec<Row>, tokio_postgres::Error> {
    let config: Config = url.parse().expect("a URL of this crate");
    let (client, connection) = config.connect(NoTls).await?;
    let connection = tokio::spawn(connection);
    let messages = client.simple_query(sql).await;
    drop(client);
    // How the connection ended is in the answer already, where it matters.
    drop(connection.await);
    Ok(messages?.iter().filter_map(row).collect())
}

fn row(message: &SimpleQueryMessage) -> Option<Row> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
}

/// A transaction that stays open, with what it has locked, until this value is dropped; then it is rolled back.
pub struct Transaction {
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Transaction {
    /// Begins one and carries out statements in it, separated by semicolons.
    ///
    /// # Errors
    /// What the server says to them.
    pub(crate) fn begin(url: &str, sql: &str) -> Result<Transaction, tokio_postgres::Error> {
        let (url, sql) = (url.to_owned(), format!("BEGIN; {sql}"));
        let ((end, ended), (begin, begun)) = (oneshot::channel(), mpsc::channel());
        let thread = std::thread::spawn(move || keep_open(&url, &sql, &begin, ended));
        begun.recv().expect("a transaction does not panic")?;
        Ok(Transaction { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // Where it has panicked there is nothing left that could be open.
            drop(thread.join());
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn keep_open(
    url: &str,
    sql: &str,
    begin: &mpsc::Sender<Result<(), tokio_postgres::Error>>,
    ended: oneshot::Receiver<()>,
) {
    let config: Config = url.parse().expect("a URL of this crate");
    let connected = config.connect(NoTls).await;
    let (client, connection) = match connected {
        Ok(both) => both,
        Err(error) => return begin.send(Err(error)).expect("somebody waits for it"),
    };
    let connection = tokio::spawn(connection);
    let began = client.batch_execute(sql).await;
    begin.send(began).expect("somebody waits for it");
    // That the other end is dropped is the sign.
    drop(ended.await);
    // Whoever goes on next finds the locks gone. A server that is gone has none.
    drop(client.batch_execute("ROLLBACK").await);
    drop(client);
    drop(connection.await);
}
