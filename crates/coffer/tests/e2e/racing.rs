//! Requests that race each other: credits are spent once, whoever comes first.

use std::collections::BTreeMap;

use serde_json::json;
use tempfile::tempdir;
use tokio::task::JoinSet;

use crate::support::{Answer, Api, Server};

/// Sends charges of 1 credit all at once, each under its name.
async fn at_once(api: &Api, account: &str, names: impl IntoIterator<Item = String>) -> Vec<Answer> {
    let mut tasks = JoinSet::new();
    for name in names {
        let (api, account) = (api.clone(), account.to_owned());
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
async fn two_clients_race_for_the_last_credit() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    // Many rounds, for one could go well by luck.
    for round in 0..25 {
        let account = server.api.account_with(1).await;
        let names = ["one", "other"].map(|name| format!("{name}-{round}"));
        let answers = at_once(&server.api, &account, names).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 1), (402, 1)]), "{answers:?}");
        let loser = answers.iter().find(|answer| answer.status == 402).expect("one was refused").json();
        assert_eq!(loser["code"], "insufficient_credits");
        assert_eq!((&loser["required"], &loser["available"]), (&json!("1"), &json!("0")));
        assert_eq!(server.api.available(&account).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_race_for_a_hundred_credits() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(100).await;
    let answers = at_once(&server.api, &account, (0..200).map(|number| format!("racer-{number}"))).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(201, 100), (402, 100)]));
    assert_eq!(server.api.available(&account).await, 0);

    let charged = answers.iter().filter(|answer| answer.status == 201);
    let mut left: Vec<i64> = charged
        .map(|answer| answer.json()["balance"]["available"].as_str().expect("text").parse().expect("whole"))
        .collect();
    left.sort_unstable();
    assert_eq!(left, (0..100).collect::<Vec<i64>>(), "each was told the balance right after its own charge");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_twins_have_one_effect_and_one_answer() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(100).await;
    let answers = at_once(&server.api, &account, (0..50).map(|_| "twin".to_owned())).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(201, 50)]));
    for answer in &answers {
        assert_eq!(answer.text, answers[0].text, "byte for byte");
    }
    assert_eq!(answers.iter().filter(|answer| answer.is_replayed()).count(), 49, "all but the first");
    assert_eq!(server.api.available(&account).await, 99);
}

#[tokio::test]
async fn a_name_is_for_one_request() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(100).await;
    server.api.charge(&account, 1, "name").await.expect("an answer").wants(201);
    let other = server.api.charge(&account, 2, "name").await.expect("an answer").wants(422);
    assert_eq!(other.text_of("code"), "idempotency_key_reused");
    assert_eq!(server.api.available(&account).await, 99, "nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_remembered_past_a_top_up() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(1).await;
    let refused = server.api.charge(&account, 5, "too-much").await.expect("an answer").wants(402);
    server.api.grant(&account, 100, "top-up").await;
    let again = server.api.charge(&account, 5, "too-much").await.expect("an answer").wants(402);
    assert_eq!(again.text, refused.text);
    assert!(again.is_replayed() && !refused.is_replayed());
    assert_eq!(server.api.available(&account).await, 101);
}
