//! Connections that break at the moments that matter, and what the server has done by then.

use std::time::{Duration, Instant};

use coffer_test_postgres::{Cluster, Cut, Database, Proxy};
use tokio_postgres::{Client, Error, NoTls};

const PATIENCE: Duration = Duration::from_secs(60);

async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn set_up() -> (Database, Proxy) {
    let database = Cluster::shared().fresh_database();
    database.execute("CREATE TABLE numbers (number int)");
    (database, Proxy::start(Cluster::shared()))
}

fn count(database: &Database) -> String {
    database.execute("SELECT count(*) FROM numbers").remove(0).remove(0).expect("a number")
}

/// Waits until the table has a number of rows: a client that is cut off learns of it before the server has answered.
async fn wait_for_count(database: &Database, wanted: &str) {
    let deadline = Instant::now() + PATIENCE;
    while count(database) != wanted {
        assert!(Instant::now() < deadline, "{} rows, not {wanted}", count(database));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Inserts a number and commits in the way of most clients: by a simple query.
async fn commit_simply(client: &mut Client) -> Result<(), Error> {
    let transaction = client.transaction().await?;
    transaction.execute("INSERT INTO numbers VALUES (1)", &[]).await?;
    transaction.commit().await
}

/// Inserts a number and commits by the extended protocol.
async fn commit_prepared(client: &mut Client) -> Result<(), Error> {
    let commit = client.prepare("COMMIT").await?;
    client.batch_execute("BEGIN; INSERT INTO numbers VALUES (1)").await?;
    client.execute(&commit, &[]).await.map(drop)
}

#[tokio::test]
async fn all_goes_through_unless_told_otherwise() {
    let (database, proxy) = set_up();
    let mut client = connect(&proxy.url(&database)).await.expect("a server that runs");
    commit_simply(&mut client).await.expect("committed");
    commit_prepared(&mut client).await.expect("committed");
    assert_eq!((count(&database).as_str(), proxy.commits(), proxy.commits_cut()), ("2", 2, 0));
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_was_carried_out() {
    let (database, proxy) = set_up();
    proxy.cut_next_commits(2, Cut::After);
    let mut client = connect(&proxy.url(&database)).await.expect("a server that runs");
    commit_simply(&mut client).await.expect_err("the answer is lost");
    wait_for_count(&database, "1").await;
    let mut client = connect(&proxy.url(&database)).await.expect("a server that runs");
    commit_prepared(&mut client).await.expect_err("the answer is lost");
    wait_for_count(&database, "2").await;
    assert_eq!(proxy.commits_cut(), 2);
    let mut client = connect(&proxy.url(&database)).await.expect("a server that runs");
    commit_simply(&mut client).await.expect("only two were to be cut");
}

#[tokio::test]
async fn a_commit_that_is_lost_was_never_carried_out() {
    let (database, proxy) = set_up();
    proxy.cut_next_commits(3, Cut::Before);
    let mut client = connect(&proxy.url(&database)).await.expect("a server that runs");
    commit_simply(&mut client).await.expect_err("the commit is lost");
    let mut client = connect(&proxy.url(&database)).await.expect("a server that runs");
    commit_prepared(&mut client).await.expect_err("the commit is lost");
    proxy.cut_no_commits();
    let mut client = connect(&proxy.url(&database)).await.expect("a server that runs");
    commit_simply(&mut client).await.expect("nothing is to be cut any more");
    assert_eq!(count(&database), "1");
}

#[tokio::test]
async fn connections_are_cut_and_refused() {
    let (database, proxy) = set_up();
    let client = connect(&proxy.url(&database)).await.expect("a server that runs");
    proxy.refuse(true);
    client.batch_execute("SELECT 1").await.expect("who is there stays");
    connect(&proxy.url(&database)).await.map(drop).expect_err("nobody is let in");
    proxy.cut_all();
    client.batch_execute("SELECT 1").await.expect_err("the connection is gone");
    proxy.refuse(false);
    connect(&proxy.url(&database)).await.map(drop).expect("all are let in");
}

#[tokio::test]
async fn answers_are_delayed() {
    let (database, proxy) = set_up();
    let client = connect(&proxy.url(&database)).await.expect("a server that runs");
    let delay = Duration::from_millis(300);
    proxy.delay_answers(delay);
    let started = Instant::now();
    client.batch_execute("SELECT 1").await.expect("an answer");
    assert!(started.elapsed() >= delay);
    proxy.delay_answers(PATIENCE);
    let asked = tokio::spawn(async move { client.batch_execute("SELECT 1").await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    proxy.cut_all();
    asked.await.expect("no panic").expect_err("a cut is not delayed");
    assert!(started.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_query_is_cancelled_through_it() {
    let (database, proxy) = set_up();
    let client = connect(&proxy.url(&database)).await.expect("a server that runs");
    let cancel = client.cancel_token();
    let sleeping = tokio::spawn(async move { client.batch_execute("SELECT pg_sleep(60)").await });
    let started = Instant::now();
    while !sleeping.is_finished() {
        assert!(started.elapsed() < PATIENCE, "the query goes on");
        // Once may be too early.
        cancel.cancel_query(NoTls).await.expect("the server takes it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let cancelled = sleeping.await.expect("no panic").expect_err("it is cancelled");
    assert_eq!(cancelled.code().map(tokio_postgres::error::SqlState::code), Some("57014"));
}
