//! How soon the nodes know of what one of them did to a key.

use std::time::{Duration, Instant};

use coffer_test_postgres::Cluster;
use reqwest::Method;
use serde_json::json;

use crate::nodes::Pair;
use crate::support::{DEAD_KEY, user_credits};

/// From when on a key that one node has revoked is dead on all.
const DEAD_EVERYWHERE_AFTER: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_dead_at_once_here_and_soon_everywhere() {
    let pair = Pair::start(Cluster::shared().fresh_database());
    let (here, there) = (pair.api(0), pair.api(1));
    let account = here.account_with(5).await;
    let (id, secret) = here.key_of(&account).await;
    assert_eq!(there.read_balance(&secret).await.text, user_credits("5"), "a new key works at once");

    here.post(&format!("/v1/keys/{id}/revoke"), json!({})).await.wants(200);
    let revoked = Instant::now();
    assert_eq!(here.read_balance(&secret).await.text, DEAD_KEY);
    loop {
        let asked = revoked.elapsed();
        let answer = there.read_balance(&secret).await;
        if answer.text == DEAD_KEY {
            break;
        }
        assert_eq!(answer.text, user_credits("5"));
        assert!(asked < DEAD_EVERYWHERE_AFTER, "alive after {asked:?}");
    }
    let body = json!({"api_key": secret, "credits": 1});
    let refused = there.post_named("/v1/charges", "with-a-dead-key", body).await.wants(401);
    assert_eq!(refused.text_of("reason"), "api_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_know_says_so() {
    let cluster = Cluster::start();
    let pair = Pair::start(cluster.fresh_database());
    let account = pair.api(0).account_with(5).await;
    let (_, secret) = pair.api(0).key_of(&account).await;
    assert_eq!(pair.api(1).read_balance(&secret).await.text, user_credits("5"));

    cluster.stop(coffer_test_postgres::Stop::Immediate);
    let stopped = Instant::now();
    loop {
        let asked = stopped.elapsed();
        assert!(asked < PATIENCE, "the node does not notice");
        let answer = pair.api(1).read_balance(&secret).await;
        if answer.status == 503 {
            break;
        }
        assert_eq!(answer.text, user_credits("5"));
        assert!(asked < DEAD_EVERYWHERE_AFTER, "it was told from memory after {asked:?}");
    }
    cluster.start_again();
    crate::support::until("the balance is told again", async || {
        pair.api(1).read_balance(&secret).await.text == user_credits("5")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_opened_on_one_node_ends_on_all_with_its_key() {
    let pair = Pair::start(Cluster::shared().fresh_database());
    let made = pair.api(0).post("/v1/operator-keys", json!({"name": "second"})).await.wants(201);
    let cookie = pair.api(0).with_operator_key(&made.text_of("secret")).sign_in().await;
    let status = async |number| {
        let headers = [("Cookie", cookie.as_str())];
        pair.api(number).call(Method::GET, "/console", &headers, None).await.expect("an answer").status
    };
    assert_eq!((status(0).await, status(1).await), (200, 200), "a node keeps no sessions");
    let revoked = format!("/v1/operator-keys/{}/revoke", made.text_of("id"));
    pair.api(1).post(&revoked, json!({})).await.wants(200);
    assert_eq!((status(0).await, status(1).await), (303, 303), "at once");
    pair.stop();
}
