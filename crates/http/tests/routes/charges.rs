//! `/v1/charges`.

use axum::body::Body;
use axum::http::Method;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Api, AsString as _, request};

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_is_made_and_shown() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body =
        json!({"account_id": account, "credits": "2.50", "reference": "job 9", "metadata": {"a": "b"}});
    let made = api.move_credits("/v1/charges", body).await;
    assert_snapshot!(made.shown(), @r#"201 {"id":"chg_…","account_id":"acc_…","key_id":null,"hold_id":null,"operation":null,"quantity":null,"credits":"2.5","refunded":"0","reference":"job 9","metadata":{"a":"b"},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"7.5","held":"0"}}"#);
    let charge = made.json();
    assert_eq!(api.get(&format!("/v1/charges/{}", charge["id"].string())).await.ok(), charge);
    // The bucket of the account is in the id of everything that belongs to it.
    assert_eq!(charge["id"].string()[charge["id"].string().len() - 1..], account[account.len() - 1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_the_first_answer_to_the_byte() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body = json!({"account_id": account, "credits": 1});
    let first = api.move_named("/v1/charges", "once", body.clone()).await;
    api.pass_seconds(60);
    let quoted =
        api.move_named("/v1/charges", "\"once\"", json!({"credits": "1.0", "account_id": account})).await;
    assert_eq!((first.status, &first.text), (quoted.status, &quoted.text));
    assert_eq!((first.header("idempotency-replayed"), quoted.header("idempotency-replayed")), ("", "true"));
    let balance = api.get(&format!("/v1/accounts/{account}/balance")).await.ok();
    assert_eq!(balance["available"], "9");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_is_402_with_both_sides() {
    let api = Api::new();
    let account = api.funded("3").await;
    let answer = api.move_credits("/v1/charges", json!({"account_id": account, "credits": 10})).await;
    assert_snapshot!(answer.shown(), @r#"402 {"type":"about:blank","title":"Payment Required","status":402,"detail":"the account has 3 credits available, and 10 are required","code":"insufficient_credits","required":"10","available":"3"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_s_key_pays_from_the_body_or_the_header() {
    let api = Api::new();
    let account = api.funded("10").await;
    let (key_id, secret) = api.key(&account).await;
    let in_body = api.move_credits("/v1/charges", json!({"api_key": secret, "credits": 1})).await.created();
    assert_eq!(
        (in_body["key_id"].string(), in_body["account_id"].string()),
        (key_id.clone(), account.clone())
    );

    let with_header = |name: &str, body: String| {
        request(Method::POST, "/v1/charges")
            .header("Idempotency-Key", name)
            .header("Content-Type", "application/json")
            .header("zf-api-key", &secret)
            .body(Body::from(body))
            .expect("a request")
    };
    let in_header = api.send(with_header("h1", json!({"credits": 1}).to_string())).await.created();
    assert_eq!(in_header["key_id"].string(), key_id);
    let same = api.move_named("/v1/charges", "h1", json!({"api_key": secret, "credits": 1})).await;
    assert_eq!((same.created(), same.header("idempotency-replayed")), (in_header, "true"));
    for body in [json!({"credits": 1, "account_id": account}), json!({"credits": 1, "api_key": secret})] {
        let answer = api.send(with_header("h2", body.to_string())).await;
        assert!(answer.refusal().starts_with("400 invalid_request, "), "{body}");
    }
    assert_eq!(api.get(&format!("/v1/accounts/{account}/balance")).await.ok()["available"], "8");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_key_pays_nothing() {
    let api = Api::new();
    let account = api.funded("10").await;
    let (_, secret) = api.key(&account).await;
    let other_end = if secret.ends_with('x') { 'y' } else { 'x' };
    let mistyped = format!("{}{other_end}", &secret[..secret.len() - 1]);
    for (key, detail) in [
        (
            "never-seen-before-never-seen-before",
            "the customer's key is unknown, revoked, expired or disabled",
        ),
        ("", "the customer's key is unknown, revoked, expired or disabled"),
        (mistyped.as_str(), "the customer's key is mistyped or cut off: its checksum is wrong"),
    ] {
        let answer = api.move_credits("/v1/charges", json!({"api_key": key, "credits": 1})).await;
        assert_eq!(answer.refusal(), "401 unauthorized, api_key", "{key}");
        assert_eq!(answer.json()["detail"], detail);
        assert_eq!(answer.header("www-authenticate"), "", "the operator is known");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_by_field() {
    let api = Api::new();
    let account = api.funded("10").await;
    for (body, refusal) in [
        (json!({}), "400 invalid_request, credits"),
        (json!({"credits": 1}), "400 invalid_request, account_id"),
        (json!({"account_id": account}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": -1}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": "-0.5"}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": 0.5}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": "0.0000001"}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": "9000000000001"}), "400 invalid_request, credits"),
        (json!({"account_id": "acc_1", "credits": 1}), "400 invalid_request, account_id"),
        (json!({"account_id": account, "api_key": "k", "credits": 1}), "400 invalid_request, account_id"),
        (json!({"account_id": account, "credits": 1, "amount": 1}), "400 invalid_request, amount"),
        (json!({"account_id": "acc_00000000000000000000000000", "credits": 1}), "404 not_found"),
    ] {
        assert_eq!(api.move_credits("/v1/charges", body.clone()).await.refusal(), refusal, "{body}");
    }
    assert_eq!(
        api.get(&format!("/v1/accounts/{account}/balance")).await.ok()["seq"],
        1,
        "nothing was charged"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_moves_credits_needs_a_name() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body = json!({"account_id": account, "credits": 1});
    assert_eq!(api.post("/v1/charges", body.clone()).await.refusal(), "400 invalid_request, Idempotency-Key");
    for name in ["", " ", "\"\"", "a b", &"x".repeat(256)] {
        let answer = api.move_named("/v1/charges", name, body.clone()).await;
        assert_eq!(answer.refusal(), "400 invalid_request, Idempotency-Key", "{name:?}");
    }
    api.move_named("/v1/charges", &"x".repeat(255), body).await.created();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_by_account_and_reference_and_go_on_where_they_stopped() {
    let api = Api::new();
    let (account, other) = (api.funded("10").await, api.funded("10").await);
    let charge = async |account: &str, reference: &str| {
        let body = json!({"account_id": account, "credits": 1, "reference": reference});
        api.move_credits("/v1/charges", body).await.created()["id"].string()
    };
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(charge(&account, if number == 2 { "job & 用户" } else { "job" }).await);
    }
    charge(&other, "job").await;
    made.reverse();
    let ids = |page: &serde_json::Value| -> Vec<String> {
        page["data"].as_array().expect("a list").iter().map(|charge| charge["id"].string()).collect()
    };
    let mut seen = Vec::new();
    let mut path = format!("/v1/charges?account_id={account}&limit=2");
    loop {
        let page = api.get(&path).await.ok();
        seen.extend(ids(&page));
        if page["has_more"] == false {
            break;
        }
        path = format!("/v1/charges?account_id={account}&limit=2&cursor={}", page["next_cursor"].string());
    }
    assert_eq!(seen, made);
    let found = api.get("/v1/charges?reference=job%20%26%20%E7%94%A8%E6%88%B7").await.ok();
    assert_eq!(ids(&found), [made[2].clone()]);
    assert_eq!(ids(&api.get("/v1/charges?reference=job").await.ok()).len(), 5);
    let found = api.get(&format!("/v1/charges?reference=job&account_id={other}")).await.ok();
    assert_eq!(ids(&found).len(), 1);
    for (path, refusal) in [
        ("/v1/charges?limit=0", "400 invalid_request, limit"),
        ("/v1/charges?reference=", "400 invalid_request, reference"),
        ("/v1/charges?account_id=nonsense", "400 invalid_request, account_id"),
        ("/v1/charges?limit=1&limit=2", "400 invalid_request, limit"),
        ("/v1/charges/chg_00000000000000000000000000", "404 not_found"),
        ("/v1/charges/nonsense", "404 not_found"),
    ] {
        assert_eq!(api.get(path).await.refusal(), refusal, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_answer_is_kept_whatever_happened_since() {
    let api = Api::new();
    let account = api.funded("10").await;
    let (key_id, secret) = api.key(&account).await;
    let body = json!({"api_key": secret, "credits": 4, "reference": "job", "metadata": {"a": "b"}});
    let charged = api.move_named("/v1/charges", "paid", body.clone()).await;
    let too_much = json!({"account_id": account, "credits": 7});
    let refused = api.move_named("/v1/charges", "refused", too_much.clone()).await;
    assert_eq!(refused.refusal(), "402 insufficient_credits, required 7, available 6");
    let refund = format!("/v1/charges/{}/refund", charged.created()["id"].string());
    api.move_credits(&refund, json!({"credits": 1})).await.created();
    api.move_credits(&format!("/v1/accounts/{account}/grants"), json!({"credits": 90})).await.created();
    api.post(&format!("/v1/keys/{key_id}/revoke"), json!({})).await.ok();
    api.patch(&format!("/v1/accounts/{account}"), json!({"status": "frozen"})).await.ok();
    api.pass_seconds(23 * 60 * 60);
    api.replays("/v1/charges", "paid", body, &charged).await;
    api.replays("/v1/charges", "refused", too_much, &refused).await;
    assert_eq!(api.standing(&account).await, "available 97, held 0, seq 4");
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_in_flight_are_one_charge() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body = json!({"account_id": account, "credits": 1});
    let mut answers = Vec::new();
    for twin in
        futures_util::future::join_all((0..20).map(|_| api.move_named("/v1/charges", "twins", body.clone())))
            .await
    {
        answers.push((twin.created(), twin.header("idempotency-replayed").to_owned()));
    }
    assert_eq!(answers.iter().filter(|(_, replayed)| replayed.is_empty()).count(), 1);
    assert!(answers.iter().all(|(charge, _)| *charge == answers[0].0));
    assert_eq!(api.standing(&account).await, "available 9, held 0, seq 2");
}
