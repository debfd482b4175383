//! Rows that somebody has locked: an operator's transaction that was left open, or a node that stands still.

use std::time::{Duration, Instant};

use coffer_test_postgres::{Cluster, Database};

use crate::nodes;
use crate::support::Api;

/// The UUID inside an id, as the database has it.
fn uuid(database: &Database, name: &str) -> String {
    let row = database.execute(&format!("SELECT id FROM account_profiles WHERE name = '{name}'")).remove(0);
    row[0].clone().expect("an id")
}

async fn account(api: &Api, name: &str) -> String {
    let body = serde_json::json!({"name": name});
    let id = api.post("/v1/accounts", body).await.wants(201).text_of("id");
    api.grant(&id, 1_000, &format!("grant-{name}")).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_that_somebody_has_locked_holds_up_nobody_else() {
    let database = Cluster::shared().fresh_database();
    let node = nodes::start(database.url());
    let locked = account(&node.api, "locked").await;
    let mut others = Vec::new();
    // In either lane.
    for number in 0..8 {
        others.push(account(&node.api, &format!("other-{number}")).await);
    }
    let id = uuid(&database, "locked");
    let left_open = database.leave_open(&format!("SELECT FROM accounts WHERE id = '{id}' FOR UPDATE"));

    let charges = (0..10).map(|number| {
        let (api, locked) = (node.api.clone(), locked.clone());
        tokio::spawn(async move { api.charge(&locked, 1, &format!("waiting-{number}")).await })
    });
    let charges: Vec<_> = charges.collect();
    let started = Instant::now();
    for round in 0..10 {
        for other in &others {
            node.api.charge(other, 1, &format!("round-{round}")).await.expect("an answer").wants(201);
        }
    }
    assert!(started.elapsed() < Duration::from_secs(6), "the others have waited {:?}", started.elapsed());
    assert!(charges.iter().all(|charge| !charge.is_finished()), "a locked account is waited for");
    node.api.get("/readyz").await.wants(200);
    assert_eq!(node.api.available(&locked).await, 1_000, "reads do not wait");

    drop(left_open);
    for charge in charges {
        charge.await.expect("no task panics").expect("an answer").wants(201);
    }
    assert_eq!(node.api.available(&locked).await, 990);
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_stays_locked_is_refused_in_the_end_and_can_be_charged_later() {
    let database = Cluster::shared().fresh_database();
    let node = nodes::start(database.url());
    let locked = account(&node.api, "locked").await;
    let id = uuid(&database, "locked");
    let left_open = database.leave_open(&format!("SELECT FROM accounts WHERE id = '{id}' FOR UPDATE"));
    let refused = node.api.charge(&locked, 1, "charge").await.expect("an answer").wants(503);
    assert!(refused.text_of("detail").contains("nothing was done"), "{refused:?}");
    drop(left_open);
    assert!(!node.api.charge(&locked, 1, "charge").await.expect("an answer").wants(201).is_replayed());
    assert_eq!(node.api.available(&locked).await, 999);
    node.stop();
}
