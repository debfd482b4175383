//! Requests that race each other over two nodes: credits are spent once, wherever they are asked for.

use std::collections::BTreeMap;

use coffer_test_postgres::Cluster;
use tokio::task::JoinSet;

use crate::nodes::{self, Pair};
use crate::support::Answer;

/// Sends charges of 1 credit all at once, each under its name, to one node and the other in turn.
async fn at_once(pair: &Pair, account: &str, names: impl IntoIterator<Item = String>) -> Vec<Answer> {
    let mut tasks = JoinSet::new();
    for (number, name) in names.into_iter().enumerate() {
        let (api, account) = (pair.api(number).clone(), account.to_owned());
        tasks.spawn(async move { api.charge(&account, 1, &name).await.expect("an answer") });
    }
    tasks.join_all().await
}

/// How many answers there are of each status.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_race_over_two_nodes_for_a_hundred_credits() {
    let pair = Pair::start(Cluster::shared().fresh_database());
    let account = pair.api(0).account_with(100).await;
    let answers = at_once(&pair, &account, (0..200).map(|number| format!("racer-{number}"))).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(201, 100), (402, 100)]));
    for number in 0..2 {
        assert_eq!(pair.api(number).available(&account).await, 0, "node {number}");
    }

    let charged = answers.iter().filter(|answer| answer.status == 201);
    let mut left: Vec<i64> = charged
        .map(|answer| answer.json()["balance"]["available"].as_str().expect("text").parse().expect("whole"))
        .collect();
    left.sort_unstable();
    assert_eq!(left, (0..100).collect::<Vec<i64>>(), "each was told the balance right after its own charge");
    pair.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_race_for_the_last_credit() {
    let pair = Pair::start(Cluster::shared().fresh_database());
    // Many rounds, for one could go well by luck.
    for round in 0..25 {
        let account = pair.api(round).account_with(1).await;
        let names = ["one", "other"].map(|name| format!("{name}-{round}"));
        let answers = at_once(&pair, &account, names).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 1), (402, 1)]), "{answers:?}");
        assert_eq!(pair.api(round).available(&account).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_sent_to_both_nodes_has_one_effect_and_one_answer() {
    let pair = Pair::start(Cluster::shared().fresh_database());
    for round in 0..10 {
        let account = pair.api(round).account_with(100).await;
        let answers = at_once(&pair, &account, (0..20).map(|_| "twin".to_owned())).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 20)]), "{answers:?}");
        for answer in &answers {
            assert_eq!(answer.text, answers[0].text, "byte for byte");
        }
        assert_eq!(answers.iter().filter(|answer| answer.is_replayed()).count(), 19, "all but the first");
        assert_eq!(pair.api(round + 1).available(&account).await, 99);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_external_id_sent_to_both_nodes_makes_one_account() {
    let pair = Pair::start(Cluster::shared().fresh_database());
    for round in 0..10 {
        let open = |number: usize| {
            let body = serde_json::json!({"name": "Acme", "external_id": format!("customer-{round}")});
            pair.api(number).post("/v1/accounts", body)
        };
        let answers = tokio::join!(open(0), open(1), open(2), open(3));
        let answers = [answers.0, answers.1, answers.2, answers.3];
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 1), (409, 3)]), "{answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_at_once_on_an_empty_database_make_one_ledger() {
    let database = Cluster::shared().fresh_database();
    let starting: Vec<_> = (0..4)
        .map(|_| {
            let url = database.url().to_owned();
            std::thread::spawn(move || nodes::start(&url))
        })
        .collect();
    let nodes: Vec<_> = starting.into_iter().map(|node| node.join().expect("it starts")).collect();
    let account = nodes[0].api.account_with(10).await;
    for (number, node) in nodes.iter().enumerate() {
        node.api.charge(&account, 1, &format!("by-{number}")).await.expect("an answer").wants(201);
    }
    assert_eq!(nodes[0].api.available(&account).await, 6);
}
