//! Commits whose fate a node cannot know: the connection is gone between the commit and its answer.

use coffer_test_postgres::{Cluster, Cut, Proxy};

use crate::nodes;
use crate::support::{Server, until};

const CHARGES: i64 = 20;

/// Charges with the connection cut around the commit, each until it is answered. Answers how many were in doubt.
async fn charge_with(cut: Cut) -> usize {
    let cluster = Cluster::shared();
    let database = cluster.fresh_database();
    let proxy = Proxy::start(cluster);
    let node = nodes::start(&proxy.url(&database));
    let account = node.api.account_with(CHARGES).await;
    let (mut in_doubt, cut_before) = (0, proxy.commits_cut());
    for number in 0..CHARGES {
        proxy.cut_next_commits(1, cut);
        in_doubt += tries_before_an_answer(&node, &account, &format!("charge-{number}")).await;
    }
    assert!(proxy.commits_cut() - cut_before >= 10, "only {} were cut", proxy.commits_cut());
    proxy.cut_no_commits();
    until("the node is ready", async || node.api.get("/readyz").await.status == 200).await;
    // One more would be refused: each was charged once, and there is nothing left.
    assert_eq!(node.api.available(&account).await, 0, "{cut:?}");
    node.stop();
    in_doubt
}

/// How often a charge is answered with 503 before it is answered at all.
async fn tries_before_an_answer(node: &Server, account: &str, name: &str) -> usize {
    let mut tries = 0;
    until("the charge is answered", async || {
        let answer = node.api.charge(account, 1, name).await.expect("an answer");
        assert!([201, 503].contains(&answer.status), "{answer:?}");
        tries += usize::from(answer.status == 503);
        answer.status == 201
    })
    .await;
    tries
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_in_doubt_and_was_carried_out_once() {
    let in_doubt = charge_with(Cut::After).await;
    assert!(in_doubt >= 10, "who does not know must say so, and did only {in_doubt} times");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_never_arrived_is_carried_out_once() {
    charge_with(Cut::Before).await;
}
