//! `/v1/accounts/{id}/grants` and `/v1/grants`.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Api, AsString as _};

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_made_and_shown() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    let body = json!({
        "credits": 100, "category": "promotional", "priority": 10, "effective_at": "2026-08-22T12:00:00+00:00",
        "expires_at": "2027-01-01T00:00:00Z", "reference": "spring campaign", "metadata": {"by": "sales"},
    });
    let made = api.move_named(&path, "g1", body).await;
    assert_snapshot!(made.shown(), @r#"201 {"id":"grt_…","account_id":"acc_…","credits":"100","remaining":"100","held":"0","category":"promotional","priority":10,"effective_at":"2026-08-22T12:00:00.000Z","expires_at":"2027-01-01T00:00:00.000Z","status":"active","reference":"spring campaign","metadata":{"by":"sales"},"created_at":"2026-08-22T12:00:00.000Z"}"#);
    let grant = made.json();
    assert_eq!(api.get(&format!("/v1/grants/{}", grant["id"].string())).await.ok(), grant);
    assert_eq!(api.get(&path).await.ok()["data"], json!([grant]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_shows_where_it_stands_before_any_command_settles_it() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    let body = json!({
        "credits": "9", "effective_at": "2026-08-22T13:00:00Z", "expires_at": "2026-08-22T14:00:00Z",
    });
    let grant = api.move_credits(&path, body).await.created();
    let show = async || {
        let grant = api.get(&format!("/v1/grants/{}", grant["id"].string())).await.ok();
        format!("{} {}", grant["status"].string(), grant["remaining"].string())
    };
    assert_eq!(show().await, "pending 9");
    api.pass_seconds(3600);
    assert_eq!(show().await, "active 9");
    api.pass_seconds(3600);
    assert_eq!(show().await, "expired 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_by_field() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    for (body, refusal) in [
        (json!({}), "400 invalid_request, credits"),
        (json!({"credits": 0}), "400 invalid_request, credits"),
        (json!({"credits": "-1"}), "400 invalid_request, credits"),
        (json!({"credits": 1.0}), "400 invalid_request, credits"),
        (json!({"credits": "1e3"}), "400 invalid_request, credits"),
        (json!({"credits": "0.0000001"}), "400 invalid_request, credits"),
        (json!({"credits": "9000000000000.000001"}), "400 invalid_request, credits"),
        (json!({"credits": 18_446_744_073_709_551_615_u64}), "400 invalid_request, credits"),
        (json!({"credits": true}), "400 invalid_request, credits"),
        (json!({"credits": 1, "priority": 101}), "400 invalid_request, priority"),
        (json!({"credits": 1, "priority": -1}), "400 invalid_request, priority"),
        (json!({"credits": 1, "priority": 1.5}), "400 invalid_request, priority"),
        (json!({"credits": 1, "category": "stolen"}), "400 invalid_request, category"),
        (json!({"credits": 1, "category": {"paid": null}}), "400 invalid_request, category"),
        (json!({"credits": 1, "expires_at": "tomorrow"}), "400 invalid_request, expires_at"),
        (json!({"credits": 1, "expires_at": "2026-08-22T12:00:00Z"}), "400 invalid_request, expires_at"),
        (json!({"credits": 1, "reference": "x".repeat(256)}), "400 invalid_request, reference"),
        (json!({"credits": 1, "account_id": account}), "400 invalid_request, account_id"),
    ] {
        assert_eq!(api.move_credits(&path, body.clone()).await.refusal(), refusal, "{body}");
    }
    assert_eq!(api.get(&path).await.ok()["data"], json!([]), "nothing was granted");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_at_most_a_thousand_open_grants() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    for _ in 0..1000 {
        api.move_credits(&path, json!({"credits": 1})).await.created();
    }
    let one_more = api.move_named(&path, "one-more", json!({"credits": 1})).await;
    assert_eq!(one_more.refusal(), "409 conflict, too_many_open");
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 1})).await.created();
    let again = api.move_named(&path, "one-more", json!({"credits": 1})).await;
    assert_eq!(again.refusal(), "409 conflict, too_many_open", "a refusal is remembered");
    assert_eq!(again.header("idempotency-replayed"), "true");
    api.move_credits(&path, json!({"credits": 1})).await.created();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_pays_a_debt_and_ends_reads_the_same_before_and_after_it_is_written() {
    let api = Api::new();
    let account = api.post("/v1/accounts", json!({"name": "A", "overdraft_limit": 5})).await.created();
    let account = account["id"].string();
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 5})).await.created();
    let path = format!("/v1/accounts/{account}/grants");
    let body = json!({
        "credits": 5, "effective_at": "2026-08-22T12:00:01Z", "expires_at": "2026-08-22T12:00:02Z",
    });
    let grant = api.move_credits(&path, body).await.created();
    api.pass_seconds(3);
    let read = api.get(&format!("/v1/grants/{}", grant["id"].string())).await.ok();
    assert_eq!(
        (read["status"].string(), read["remaining"].string()),
        ("depleted".to_owned(), "0".to_owned())
    );
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 0})).await.created();
    assert_eq!(api.get(&format!("/v1/grants/{}", grant["id"].string())).await.ok(), read);
    assert_eq!(api.get(&path).await.ok()["data"], json!([read]));
}
