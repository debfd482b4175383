//! `/v1/accounts/{id}/keys` and `/v1/keys`.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Api, AsString as _};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_and_its_secret_shown_once() {
    let api = Api::new();
    let account = api.account().await;
    let body = json!({
        "name": "production", "expires_at": "2027-01-01T00:00:00Z", "limit": {"credits": "100", "period": "month"},
    });
    let made = api.post(&format!("/v1/accounts/{account}/keys"), body).await;
    assert_snapshot!(made.shown(), @r#"201 {"id":"key_…","account_id":"acc_…","name":"production","secret":"cof_live_…","hint":"cof_live_…","status":"active","expires_at":"2027-01-01T00:00:00.000Z","limit":{"credits":"100","period":"month"},"spent":"0","metadata":{},"created_at":"2026-08-22T12:00:00.000Z","last_used_at":null}"#);
    let key = made.json();
    let secret = key["secret"].string();
    assert!(secret.starts_with("cof_live_") && secret.len() == 9 + 43 + 6, "{secret}");
    assert!(key["hint"].string().ends_with(&secret[secret.len() - 4..]));
    let shown = api.get(&format!("/v1/keys/{}", key["id"].string())).await;
    assert!(!shown.text.contains("secret"), "{}", shown.text);
    let listed = api.get(&format!("/v1/accounts/{account}/keys")).await;
    assert_eq!(listed.ok()["data"], json!([shown.ok()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_system_works_on() {
    let api = Api::new();
    let account = api.funded("5").await;
    let path = format!("/v1/accounts/{account}/keys/import");
    let secret = "sk-0123456789abcdef0123456789abcdef";
    let imported = api.post(&path, json!({"name": "old", "secret": secret})).await.created();
    assert_eq!(imported["hint"], "…cdef");
    assert_eq!(imported["secret"], json!(null), "who imports a secret has it already");
    assert_eq!(api.read_balance(secret).await.ok()["result"]["user_credits"], "5");
    for (body, refusal) in [
        (json!({"name": "old", "secret": secret}), "409 conflict, secret_taken"),
        (
            json!({"name": "own", "secret": format!("cof_live_{}", "x".repeat(49))}),
            "409 conflict, own_prefix",
        ),
        (json!({"name": "weak", "secret": "x".repeat(31)}), "400 invalid_request, secret"),
        (
            json!({"name": "short", "secret": "x".repeat(15), "allow_weak": true}),
            "400 invalid_request, secret",
        ),
        (json!({"name": "long", "secret": "x".repeat(256)}), "400 invalid_request, secret"),
        (
            json!({"name": "blank", "secret": "sixteen chars and more than thirty-two"}),
            "400 invalid_request, secret",
        ),
        (json!({"name": "none"}), "400 invalid_request, secret"),
    ] {
        assert_eq!(api.post(&path, body.clone()).await.refusal(), refusal, "{body}");
    }
    api.post(&path, json!({"name": "weak", "secret": "x".repeat(16), "allow_weak": true})).await.created();
    assert_eq!(api.read_balance(&"x".repeat(16)).await.ok()["code"], 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_absent_stays_and_null_takes_away() {
    let api = Api::new();
    let account = api.account().await;
    let body = json!({
        "name": "a", "expires_at": "2027-01-01T00:00:00Z", "limit": {"credits": 5, "period": "day"},
        "metadata": {"a": "b"},
    });
    let key = api.post(&format!("/v1/accounts/{account}/keys"), body).await.created();
    let path = format!("/v1/keys/{}", key["id"].string());
    let renamed = api.patch(&path, json!({"name": "b"})).await.ok();
    assert_eq!(renamed["name"], "b");
    assert_eq!((&renamed["limit"], &renamed["expires_at"]), (&key["limit"], &key["expires_at"]));
    let freed = api.patch(&path, json!({"limit": null, "expires_at": null, "metadata": {}})).await.ok();
    assert_eq!((&freed["limit"], &freed["expires_at"]), (&json!(null), &json!(null)));
    assert_eq!(freed["metadata"], json!({}));
    let disabled = api.patch(&path, json!({"disabled": true})).await.ok();
    assert_eq!(disabled["status"], "disabled");
    assert_eq!(api.get(&path).await.ok(), disabled);
    for (body, refusal) in [
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), "400 invalid_request, expires_at"),
        (json!({"limit": {"credits": "-1", "period": "day"}}), "400 invalid_request, limit.credits"),
        (json!({"limit": {"credits": "1", "period": "hour"}}), "400 invalid_request, limit.period"),
        (json!({"limit": {"credits": "1"}}), "400 invalid_request, limit.period"),
        (json!({"limit": ["1", "day"]}), "400 invalid_request, limit"),
        (json!({"secret": "x"}), "400 invalid_request, secret"),
        (json!({"name": "c", "disabled": "yes"}), "400 invalid_request, disabled"),
    ] {
        assert_eq!(api.patch(&path, body.clone()).await.refusal(), refusal, "{body}");
    }
    assert_eq!(api.get(&path).await.ok(), disabled, "a refused change changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_spends_is_counted_in_its_period() {
    let api = Api::new();
    let account = api.funded("100").await;
    let body = json!({"name": "a", "limit": {"credits": 5, "period": "day"}});
    let key = api.post(&format!("/v1/accounts/{account}/keys"), body).await.created();
    let charge = json!({"api_key": key["secret"], "credits": 3});
    api.move_credits("/v1/charges", charge.clone()).await.created();
    let path = format!("/v1/keys/{}", key["id"].string());
    assert_eq!(api.get(&path).await.ok()["spent"], "3");
    let refused = api.move_credits("/v1/charges", charge.clone()).await;
    assert_eq!(refused.refusal(), "402 key_limit_exceeded, required 3, remaining 2");
    api.pass_seconds(12 * 60 * 60);
    assert_eq!(api.get(&path).await.ok()["spent"], "0");
    api.move_credits("/v1/charges", charge).await.created();
    let monthly = api.patch(&path, json!({"limit": {"credits": 9, "period": "month"}})).await.ok();
    assert_eq!(monthly["spent"], "6", "a cap of another period counts what was spent in that");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_shows_when_it_was_last_used() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (id, secret) = api.key(&account).await;
    let last_used = async || api.get(&format!("/v1/keys/{id}")).await.ok()["last_used_at"].clone();
    assert_eq!(last_used().await, json!(null));
    api.read_balance(&secret).await.ok();
    assert_eq!(last_used().await, "2026-08-22T12:00:00.000Z");
    api.pass_seconds(60);
    api.move_credits("/v1/charges", json!({"api_key": secret, "credits": 1})).await.created();
    assert_eq!(last_used().await, "2026-08-22T12:01:00.000Z");
}
