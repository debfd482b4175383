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

/// Whether a secret opens its balance.
async fn opens(api: &Api, secret: &str) -> bool {
    api.read_balance(secret).await.ok()["code"] == 100_000
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_has_another_secret_and_stays_what_it_is() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body = json!({
        "name": "production", "expires_at": "2027-01-01T00:00:00Z", "limit": {"credits": 5, "period": "month"},
        "metadata": {"a": "b"},
    });
    let key = api.post(&format!("/v1/accounts/{account}/keys"), body).await.created();
    let (path, old) = (format!("/v1/keys/{}", key["id"].string()), key["secret"].string());
    api.move_credits("/v1/charges", json!({"api_key": old, "credits": 3})).await.created();
    let rotated = api.post(&format!("{path}/rotate"), json!({"overlap_seconds": 60})).await;
    assert_snapshot!(rotated.shown(), @r#"201 {"id":"key_…","account_id":"acc_…","name":"production","secret":"cof_live_…","hint":"cof_live_…","status":"active","expires_at":"2027-01-01T00:00:00.000Z","limit":{"credits":"5","period":"month"},"spent":"3","metadata":{"a":"b"},"created_at":"2026-08-22T12:00:00.000Z","last_used_at":"2026-08-22T12:00:00.000Z"}"#);
    let new = rotated.json()["secret"].string();
    assert_eq!(rotated.json()["id"], key["id"]);
    assert_ne!(new, old);
    assert!(rotated.json()["hint"].string().ends_with(&new[new.len() - 4..]));
    assert!(!api.get(&path).await.text.contains("secret"));

    // The old secret lives on for the overlap, on the same limit.
    assert_eq!((opens(&api, &old).await, opens(&api, &new).await), (true, true));
    let with_old = api.move_credits("/v1/charges", json!({"api_key": old, "credits": 1})).await.created();
    assert_eq!(with_old["key_id"], key["id"]);
    let beyond = api.move_credits("/v1/charges", json!({"api_key": new, "credits": 2})).await;
    assert_eq!(beyond.refusal(), "402 key_limit_exceeded, required 2, remaining 1");
    api.pass_seconds(59);
    assert!(opens(&api, &old).await);
    api.pass_seconds(1);
    assert_eq!((opens(&api, &old).await, opens(&api, &new).await), (false, true));
    let dead = api.move_credits("/v1/charges", json!({"api_key": old, "credits": 1})).await;
    assert_eq!(dead.refusal(), "401 unauthorized, api_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_overlap_the_old_secret_is_dead_at_once() {
    let api = Api::new();
    let account = api.funded("10").await;
    for body in [json!({}), json!({"overlap_seconds": 0}), json!({"overlap_seconds": null})] {
        let (id, old) = api.key(&account).await;
        let rotated = api.post(&format!("/v1/keys/{id}/rotate"), body.clone()).await.created();
        assert_eq!(
            (opens(&api, &old).await, opens(&api, &rotated["secret"].string()).await),
            (false, true),
            "{body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_finds_its_first_answer_whichever_secret_of_the_key_it_comes_with() {
    let api = Api::new();
    let account = api.funded("10").await;
    let (id, first) = api.key(&account).await;
    let charge = |secret: &str| json!({"api_key": secret, "credits": 1});
    let charged = api.move_named("/v1/charges", "c1", charge(&first)).await;
    charged.created();
    let held = api.move_named("/v1/holds", "h1", charge(&first)).await;
    held.created();
    let rotated = api.post(&format!("/v1/keys/{id}/rotate"), json!({})).await.created();
    let second = rotated["secret"].string();
    api.pass_seconds(60);
    let rotated = api.post(&format!("/v1/keys/{id}/rotate"), json!({})).await.created();
    let third = rotated["secret"].string();
    for secret in [&first, &second, &third] {
        api.replays("/v1/charges", "c1", charge(secret), &charged).await;
        api.replays("/v1/holds", "h1", charge(secret), &held).await;
    }
    api.post(&format!("/v1/keys/{id}/revoke"), json!({})).await.ok();
    api.pass_seconds(60);
    for secret in [&first, &second, &third] {
        api.replays("/v1/charges", "c1", charge(secret), &charged).await;
        let fresh = api.move_named("/v1/charges", "c2", charge(secret)).await;
        assert_eq!(fresh.refusal(), "401 unauthorized, api_key");
    }
    let (_, other) = api.key(&account).await;
    let reused = api.move_named("/v1/charges", "c1", charge(&other)).await;
    assert_eq!(reused.refusal(), "422 idempotency_key_reused", "another key is another request");
    let without = json!({"account_id": account, "credits": 1});
    let reused = api.move_named("/v1/charges", "c1", without).await;
    assert_eq!(reused.refusal(), "422 idempotency_key_reused");
    assert_eq!(api.standing(&account).await, "available 8, held 1, seq 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_breaks_a_rule_is_refused() {
    let api = Api::new();
    let account = api.account().await;
    let (id, _) = api.key(&account).await;
    let path = format!("/v1/keys/{id}/rotate");
    for (body, refusal) in [
        (json!({"overlap_seconds": -1}), "400 invalid_request, overlap_seconds"),
        (json!({"overlap_seconds": 604_801}), "400 invalid_request, overlap_seconds"),
        (json!({"overlap_seconds": 1.5}), "400 invalid_request, overlap_seconds"),
        (json!({"overlap_seconds": "60"}), "400 invalid_request, overlap_seconds"),
        (json!({"secret": "x"}), "400 invalid_request, secret"),
    ] {
        assert_eq!(api.post(&path, body.clone()).await.refusal(), refusal, "{body}");
    }
    api.post(&path, json!({"overlap_seconds": 604_800})).await.created();
    api.post(&format!("/v1/keys/{id}/revoke"), json!({})).await.ok();
    assert_eq!(api.post(&path, json!({})).await.refusal(), "409 conflict, key_revoked");
    for id in ["key_00000000000000000000000000", "nonsense"] {
        for (what, refusal) in [("rotate", "404 not_found"), ("revoke", "404 not_found")] {
            assert_eq!(
                api.post(&format!("/v1/keys/{id}/{what}"), json!({})).await.refusal(),
                refusal,
                "{id}"
            );
        }
        assert_eq!(api.get(&format!("/v1/keys/{id}")).await.refusal(), "404 not_found");
        let answer = api.patch(&format!("/v1/keys/{id}"), json!({"name": "a"})).await;
        assert_eq!(answer.refusal(), "404 not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_key_is_rotated_to_a_secret_of_ours() {
    let api = Api::new();
    let account = api.funded("5").await;
    let old = "sk-0123456789abcdef0123456789abcdef";
    let body = json!({"name": "old", "secret": old});
    let key = api.post(&format!("/v1/accounts/{account}/keys/import"), body.clone()).await.created();
    let path = format!("/v1/keys/{}", key["id"].string());
    let rotated = api.post(&format!("{path}/rotate"), json!({})).await.created();
    assert!(rotated["secret"].string().starts_with("cof_live_"));
    assert_eq!((opens(&api, old).await, opens(&api, &rotated["secret"].string()).await), (false, true));
    let again = api.post(&format!("/v1/accounts/{account}/keys/import"), body).await;
    assert_eq!(again.refusal(), "409 conflict, secret_taken", "a secret of the past is known");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_s_secret_is_no_customer_s() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/keys/import");
    let answer = api.post(&path, json!({"name": "a", "secret": crate::support::OPERATOR})).await;
    assert_eq!(answer.refusal(), "409 conflict, secret_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_stays_revoked() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (id, secret) = api.key(&account).await;
    let path = format!("/v1/keys/{id}");
    let revoked = api.post(&format!("{path}/revoke"), json!({})).await.ok();
    assert_eq!(revoked["status"], "revoked");
    assert_eq!(api.post(&format!("{path}/revoke"), json!({})).await.ok(), revoked, "again changes nothing");
    let answer = api.patch(&path, json!({"disabled": false})).await;
    assert_eq!(answer.refusal(), "409 conflict, key_revoked");
    assert!(!opens(&api, &secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_where_they_stopped() {
    let api = Api::new();
    let account = api.account().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(api.key(&account).await.0);
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut path = format!("/v1/accounts/{account}/keys?limit=2");
    loop {
        let page = api.get(&path).await.ok();
        seen.extend(page["data"].as_array().expect("a list").iter().map(|key| key["id"].string()));
        if page["has_more"] == false {
            break;
        }
        path = format!("/v1/accounts/{account}/keys?limit=2&cursor={}", page["next_cursor"].string());
    }
    assert_eq!(seen, made);
    let nobody = api.get("/v1/accounts/acc_00000000000000000000000000/keys").await;
    assert_eq!(nobody.refusal(), "404 not_found");
}
