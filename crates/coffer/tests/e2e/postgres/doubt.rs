//! Commits whose fate a node cannot know: the connection is gone between the commit and its answer.

use coffer_test_postgres::{Cluster, Cut, Proxy};

use crate::nodes;
use crate::support::{Server, until};

const CHARGES: i64 = 20;

/// Charges with the connection cut around the commit, each until it is answered. A node may look for what it has lost, or
/// say that it does not know.
async fn charge_with(cut: Cut) {
    let cluster = Cluster::shared();
    let database = cluster.fresh_database();
    let proxy = Proxy::start(cluster);
    let node = nodes::start(&proxy.url(&database));
    let account = node.api.account_with(CHARGES).await;
    let cut_before = proxy.commits_cut();
    for number in 0..CHARGES {
        proxy.cut_next_commits(1, cut);
        charge_until_answered(&node, &account, &format!("charge-{number}")).await;
    }
    assert!(proxy.commits_cut() - cut_before >= 10, "only {} were cut", proxy.commits_cut());
    proxy.cut_no_commits();
    until("the node is ready", async || node.api.get("/readyz").await.status == 200).await;
    // One more would be refused: each was charged once, and there is nothing left.
    assert_eq!(node.api.available(&account).await, 0, "{cut:?}");
    node.stop();
}

async fn charge_until_answered(node: &Server, account: &str, name: &str) {
    until("the charge is answered", async || {
        let answer = node.api.charge(account, 1, name).await.expect("an answer");
        assert!([201, 503].contains(&answer.status), "{answer:?}");
        answer.status == 201
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_was_carried_out_once() {
    charge_with(Cut::After).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_never_arrived_is_carried_out_once() {
    charge_with(Cut::Before).await;
}
