//! What is changed under a node that runs: the schema, and the database's clock. It stops writing, and says why.

use coffer_test_postgres::{Cluster, Database};

use crate::nodes;
use crate::support::{Server, until};

/// Waits until charges are refused, and answers with the last one's detail.
async fn until_refused(node: &Server, account: &str, what: &str) -> String {
    let (mut number, mut detail) = (0, String::new());
    until("charges are refused", async || {
        number += 1;
        let answer = node.api.charge(account, 1, &format!("{what}-{number}")).await.expect("an answer");
        assert!([201, 503].contains(&answer.status), "{answer:?}");
        detail = if answer.status == 503 { answer.text_of("detail") } else { String::new() };
        answer.status == 503
    })
    .await;
    detail
}

fn entries(database: &Database) -> usize {
    database.execute("SELECT FROM entries").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_left_running_stops_writing_when_the_schema_is_upgraded() {
    let database = Cluster::shared().fresh_database();
    let node = nodes::start(database.url());
    let account = node.api.account_with(1_000_000).await;
    let newer = "UPDATE coffer_schema SET version = version + 1 WHERE bucket = 0 RETURNING version";
    let newer = database.execute(newer)[0][0].clone().expect("a version");
    let detail = until_refused(&node, &account, "charge").await;
    let told = format!("schema is now of version {newer}, ");
    assert!(detail.contains(&told) && detail.contains("nothing was done"), "{detail}");
    let written = entries(&database);
    for number in 0..10 {
        node.api.charge(&account, 1, &format!("late-{number}")).await.expect("an answer").wants(503);
    }
    until("the node is not ready", async || node.api.get("/readyz").await.status == 503).await;
    node.api.get("/livez").await.wants(200);
    assert_eq!(entries(&database), written);
    let log = node.stop().stderr;
    assert_eq!(log.matches("nothing is written").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_clock_was_set_is_written_no_more_until_the_node_is_restarted() {
    let database = Cluster::shared().fresh_database();
    // Of the functions of that name the test's own is found first.
    database.execute(&format!("ALTER DATABASE {} SET search_path = public, pg_catalog", database.name()));
    database.execute(
        "CREATE TABLE strays (by interval); INSERT INTO strays VALUES ('0');
         CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
         'SELECT pg_catalog.clock_timestamp() + by FROM strays'",
    );
    let node = nodes::start(database.url());
    let account = node.api.account_with(100).await;
    database.execute("UPDATE strays SET by = '2 hours'");
    let written = entries(&database);
    let detail = until_refused(&node, &account, "charge").await;
    assert!(detail.contains("clock has moved"), "{detail}");
    assert_eq!(entries(&database), written, "nothing was settled by a wrong time");
    until("the node is not ready", async || node.api.get("/readyz").await.status == 503).await;
    assert_eq!(node.api.available(&account).await, 100, "reads go on");

    database.execute("UPDATE strays SET by = '0'");
    node.api.charge(&account, 1, "charge").await.expect("an answer").wants(503);
    node.stop();
    let node = nodes::start(database.url());
    node.api.charge(&account, 1, "charge").await.expect("an answer").wants(201);
    node.stop();
}
