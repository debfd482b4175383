//! `/v1/keys/verify`.

use axum::http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Api, AsString as _};

const PATH: &str = "/v1/keys/verify";
const DEAD: &str =
    r#"{"valid":false,"account_id":null,"key_id":null,"would_charge":null,"allowed":false,"available":null}"#;

/// What a key would be told: what it costs, whether it is let through, what there is.
async fn told(api: &Api, body: Value) -> String {
    let answer = api.post(PATH, body).await.ok();
    let [cost, available] = ["would_charge", "available"].map(|name| answer[name].as_str().unwrap_or("null"));
    format!("{cost} of {available}: {}", answer["allowed"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_key_tells_whose_it_is_and_what_it_can_pay() {
    let api = Api::new();
    let account = api.funded("10").await;
    let (key_id, secret) = api.key(&account).await;
    let plain = api.post(PATH, json!({"api_key": secret})).await;
    assert_snapshot!(plain.shown(), @r#"200 {"valid":true,"account_id":"acc_…","key_id":"key_…","would_charge":null,"allowed":true,"available":"10"}"#);
    assert_eq!((plain.json()["account_id"].string(), plain.json()["key_id"].string()), (account, key_id));
    let priced = api.post(PATH, json!({"api_key": secret, "credits": "2.50"})).await;
    assert_snapshot!(priced.shown(), @r#"200 {"valid":true,"account_id":"acc_…","key_id":"key_…","would_charge":"2.5","allowed":true,"available":"10"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_spent() {
    let api = Api::new();
    let account = api.funded("10").await;
    let (key_id, secret) = api.key(&account).await;
    for _ in 0..5 {
        assert_eq!(told(&api, json!({"api_key": secret, "credits": 10})).await, "10 of 10: true");
    }
    assert_eq!(api.standing(&account).await, "available 10, held 0, seq 1");
    assert_eq!(api.get(&format!("/v1/keys/{key_id}")).await.ok()["spent"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_a_charge_would_say() {
    let api = Api::new();
    let account = api.overdrawable("10", "5").await;
    let body = json!({"name": "a", "limit": {"credits": 12, "period": "day"}});
    let key = api.post(&format!("/v1/accounts/{account}/keys"), body).await.created();
    let secret = key["secret"].string();
    api.put("/v1/prices/upscale", json!({"credits_per_unit": "0.25"})).await.ok();
    api.put("/v1/prices/free", json!({"credits_per_unit": 0})).await.ok();
    for (fields, expected) in [
        (json!({"operation": "upscale"}), "0.25 of 10: true"),
        (json!({"operation": "upscale", "quantity": "2.5"}), "0.625 of 10: true"),
        (json!({"operation": "free", "quantity": 1000}), "0 of 10: true"),
        (json!({"operation": "get-credits-balance"}), "0 of 10: true"),
        (json!({"credits": 0}), "0 of 10: true"),
        // The overdraft counts as it does for charges, and the key's limit goes first.
        (json!({"credits": 12}), "12 of 10: true"),
        (json!({"credits": "12.000001"}), "12.000001 of 10: false"),
        (json!({"credits": 16}), "16 of 10: false"),
    ] {
        let mut body = fields.clone();
        body["api_key"] = json!(secret);
        assert_eq!(told(&api, body).await, expected, "{fields}");
        let allowed = expected.ends_with("true");
        // A charge of the same says the same, on an account of its own so that nothing adds up.
        let twin = api.overdrawable("10", "5").await;
        let limit = json!({"name": "a", "limit": {"credits": 12, "period": "day"}});
        let key = api.post(&format!("/v1/accounts/{twin}/keys"), limit).await.created();
        let mut charge = fields.clone();
        charge["api_key"] = key["secret"].clone();
        assert_eq!(api.move_credits("/v1/charges", charge).await.status == 201, allowed, "{fields}");
    }
    api.move_credits("/v1/charges", json!({"api_key": secret, "credits": 12})).await.created();
    assert_eq!(told(&api, json!({"api_key": secret})).await, "null of -2: true");
    assert_eq!(told(&api, json!({"api_key": secret, "credits": 1})).await, "1 of -2: false");
    assert_eq!(told(&api, json!({"api_key": secret, "credits": 0})).await, "0 of -2: true");
    api.patch(&format!("/v1/accounts/{account}"), json!({"status": "frozen"})).await.ok();
    assert_eq!(told(&api, json!({"api_key": secret, "credits": 0})).await, "0 of -2: false");
    let frozen = api.post(PATH, json!({"api_key": secret})).await.ok();
    assert_eq!((&frozen["valid"], &frozen["allowed"]), (&json!(true), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_fallen_due_is_settled_first() {
    let api = Api::new();
    let account = api.account().await;
    let grant = json!({"credits": 10, "expires_at": "2026-08-22T13:00:00Z"});
    api.move_credits(&format!("/v1/accounts/{account}/grants"), grant).await.created();
    let body = json!({"name": "a", "limit": {"credits": 5, "period": "total"}});
    let key = api.post(&format!("/v1/accounts/{account}/keys"), body).await.created();
    let hold = json!({"api_key": key["secret"], "credits": 4, "expires_in": 60});
    api.move_credits("/v1/holds", hold).await.created();
    let verify = json!({"api_key": key["secret"], "credits": 5});
    assert_eq!(told(&api, verify.clone()).await, "5 of 6: false");
    api.pass_seconds(60);
    assert_eq!(told(&api, verify.clone()).await, "5 of 10: true", "the hold has lapsed");
    api.pass_seconds(60 * 60);
    assert_eq!(told(&api, verify).await, "5 of 0: false", "the grant has expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dead_key_is_told_the_same() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (revoked_id, revoked) = api.key(&account).await;
    let (disabled_id, disabled) = api.key(&account).await;
    let (expired_id, expired) = api.key(&account).await;
    api.post(&format!("/v1/keys/{revoked_id}/revoke"), json!({})).await.ok();
    api.patch(&format!("/v1/keys/{disabled_id}"), json!({"disabled": true})).await.ok();
    api.patch(&format!("/v1/keys/{expired_id}"), json!({"expires_at": "2026-08-22T12:00:01Z"})).await.ok();
    api.pass_seconds(1);
    for key in ["", "nonsense", &revoked, &disabled, &expired, crate::support::OPERATOR] {
        for body in [json!({"api_key": key}), json!({"api_key": key, "credits": 1})] {
            let answer = api.post(PATH, body).await;
            assert_eq!((answer.status, answer.text.as_str()), (200, DEAD), "{key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_by_field() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (_, secret) = api.key(&account).await;
    for (body, refusal) in [
        (json!({}), "400 invalid_request, api_key"),
        (json!({"api_key": null}), "400 invalid_request, api_key"),
        (json!({"api_key": secret, "credits": "-1"}), "400 invalid_request, credits"),
        (json!({"api_key": secret, "credits": 0.5}), "400 invalid_request, credits"),
        (json!({"api_key": secret, "credits": 1, "operation": "x"}), "400 invalid_request, operation"),
        (json!({"api_key": secret, "quantity": 1}), "400 invalid_request, quantity"),
        (json!({"api_key": secret, "operation": "x", "quantity": 0}), "400 invalid_request, quantity"),
        (json!({"api_key": secret, "operation": "x"}), "404 not_found"),
        (json!({"api_key": secret, "reference": "x"}), "400 invalid_request, reference"),
    ] {
        assert_eq!(api.post(PATH, body.clone()).await.refusal(), refusal, "{body}");
    }
    // `/v1/keys/verify` is no key.
    assert_eq!(api.get(PATH).await.refusal(), "405 method_not_allowed");
    let operator = api.operator(&["read", "grant", "manage", "admin"]).await;
    let refused = api.send_as(&operator, Method::POST, PATH, "n", &json!({"api_key": secret})).await;
    assert_eq!(refused.refusal(), "403 forbidden");
    let refused = api.send_as(&secret, Method::POST, PATH, "n", &json!({"api_key": secret})).await;
    assert_eq!(refused.refusal(), "401 unauthorized, operator_key");
}
