//! Statements of the tests themselves, each on a connection of its own.

use std::time::{Duration, Instant};

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
