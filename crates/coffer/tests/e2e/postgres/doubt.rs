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

/// The connection is lost at the commit, and the database stays away for as long as the node looks: nobody can know.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_database_stays_away_the_client_is_told_that_nobody_knows() {
    for cut in [Cut::After, Cut::Before] {
        let cluster = Cluster::shared();
        let database = cluster.fresh_database();
        let proxy = Proxy::start(cluster);
        let node = nodes::start(&proxy.url(&database));
        let account = node.api.account_with(10).await;
        proxy.refuse(true);
        let before = proxy.commits_cut();
        proxy.cut_next_commits(1, cut);
        let cut_off = async {
            until("the commit is cut", async || proxy.commits_cut() > before).await;
            proxy.cut_all();
        };
        let (answer, ()) = tokio::join!(node.api.charge(&account, 7, "charge"), cut_off);
        let detail = answer.expect("an answer").wants(503).text_of("detail");
        assert!(detail.contains("it is unknown whether this was done"), "{cut:?}: {detail}");
        assert!(!detail.contains("nothing was done"), "{cut:?}: {detail}");

        proxy.refuse(false);
        until("the node is ready", async || node.api.get("/readyz").await.status == 200).await;
        let again = node.api.charge(&account, 7, "charge").await.expect("an answer").wants(201);
        assert_eq!(again.is_replayed(), cut == Cut::After, "{cut:?}");
        assert_eq!(node.api.available(&account).await, 3, "{cut:?}");
        node.stop();
    }
}
