//! A database that is there and says nothing: its machine hangs, or its disk. Nobody waits for it without end.

use std::time::{Duration, Instant};

use coffer_test_postgres::Cluster;

use crate::nodes;
use crate::support::until;

/// No answer may take longer.
const LONGEST: Duration = Duration::from_secs(60);
/// More lines than this say nothing new of one outage.
const LINES_MAX: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_database_is_given_up_and_everything_goes_on_once_it_speaks_again() {
    let cluster = Cluster::start();
    let database = cluster.fresh_database();
    let node = nodes::start(database.url());
    let account = node.api.account_with(100).await;
    let (_, secret) = node.api.key_of(&account).await;
    node.api.read_balance(&secret).await.wants(200);

    let frozen = tokio::task::block_in_place(|| cluster.freeze());
    let started = Instant::now();
    let charges = (0..20).map(|number| {
        let (api, account) = (node.api.clone(), account.clone());
        tokio::spawn(async move { api.charge(&account, 1, &format!("charge-{number}")).await })
    });
    let charges: Vec<_> = charges.collect();
    let reads = (0..100).map(|_| {
        let (api, secret) = (node.api.clone(), secret.clone());
        tokio::spawn(async move { api.read_balance(&secret).await })
    });
    for read in reads.collect::<Vec<_>>() {
        assert_eq!(read.await.expect("no task panics").status, 503);
    }
    until("the node is not ready", async || node.api.get("/readyz").await.status == 503).await;
    assert_eq!(node.api.get("/livez").await.status, 200);
    for charge in charges {
        let answer = charge.await.expect("no task panics").expect("an answer");
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    assert!(started.elapsed() < LONGEST, "{:?}", started.elapsed());

    tokio::task::block_in_place(|| drop(frozen));
    until("the node is ready", async || node.api.get("/readyz").await.status == 200).await;
    for number in 0..20 {
        let name = format!("charge-{number}");
        until("the charge is answered", async || {
            let answer = node.api.charge(&account, 1, &name).await.expect("an answer");
            assert!([201, 503].contains(&answer.status), "{answer:?}");
            answer.status == 201
        })
        .await;
    }
    assert_eq!(node.api.available(&account).await, 80, "each was charged once");
    assert_eq!(node.api.read_balance(&secret).await.status, 200);
    let log = node.stop().stderr;
    assert!(log.contains("reads fail") && log.contains("reads work again"), "{log}");
    assert!(log.lines().count() < LINES_MAX, "{} lines:\n{log}", log.lines().count());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_logged_when_it_begins_and_ends_and_not_for_each_request() {
    let cluster = Cluster::start();
    let database = cluster.fresh_database();
    let node = nodes::start(database.url());
    let account = node.api.account_with(100).await;
    let (_, secret) = node.api.key_of(&account).await;
    cluster.stop(coffer_test_postgres::Stop::Fast);
    for _ in 0..300 {
        node.api.read_balance(&secret).await.wants(503);
        let path = format!("/v1/accounts/{account}/balance");
        node.api.get(&path).await.wants(503);
    }
    cluster.start_again();
    until("the balance is read", async || node.api.read_balance(&secret).await.status == 200).await;
    let log = node.stop().stderr;
    let of = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!((of("reads fail"), of("reads work again")), (1, 1), "{log}");
    assert!(of("a request was refused") >= 1, "{log}");
    assert!(log.lines().count() < LINES_MAX, "{} lines:\n{log}", log.lines().count());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_ends_beside_a_silent_database() {
    let cluster = Cluster::start();
    let database = cluster.fresh_database();
    let node = nodes::start(database.url());
    let account = node.api.account_with(100).await;
    let (_, secret) = node.api.key_of(&account).await;
    // A use of a key, which is written at the end at the latest.
    node.api.read_balance(&secret).await.wants(200);
    let _frozen = tokio::task::block_in_place(|| cluster.freeze());
    let started = Instant::now();
    let log = tokio::task::block_in_place(|| node.stop()).stderr;
    assert!(started.elapsed() < LONGEST, "{:?}", started.elapsed());
    assert!(log.contains("the uses of keys could not be written"), "{log}");
}
