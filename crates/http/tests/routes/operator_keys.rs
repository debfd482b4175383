//! `/v1/operator-keys`.

use axum::body::Body;
use axum::http::Request;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Answer, Api, AsString as _};

async fn as_operator(api: &Api, secret: &str, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Authorization", format!("Bearer {secret}"))
        .header("Content-Type", "application/json")
        // A name that no other key and no other path uses.
        .header("Idempotency-Key", format!("{}{path}", &secret[secret.len() - 8..]))
        .body(Body::from(body.to_owned()));
    api.send(request.expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_listed_and_revoked() {
    let api = Api::new();
    let made = api.post("/v1/operator-keys", json!({"name": "backend"})).await;
    assert_snapshot!(made.shown(), @r#"201 {"id":"opk_…","name":"backend","secret":"cof_operator_…","hint":"cof_operator_…","status":"active","scopes":["read","charge","grant","manage","admin"],"created_at":"2026-08-22T12:00:00.000Z"}"#);
    let key = made.json();
    let secret = key["secret"].string();
    assert_eq!(as_operator(&api, &secret, "GET", "/v1/accounts", "").await.status, 200);
    let listed = api.get("/v1/operator-keys").await;
    assert_eq!(listed.ok()["data"][0]["id"], key["id"]);
    assert!(!listed.text.contains("secret"), "{}", listed.text);

    let revoked = api.post(&format!("/v1/operator-keys/{}/revoke", key["id"].string()), json!({})).await.ok();
    assert_eq!(revoked["status"], "revoked");
    let refused = as_operator(&api, &secret, "GET", "/v1/accounts", "").await;
    assert_eq!(refused.refusal(), "401 unauthorized, operator_key");
    let unknown = api.post("/v1/operator-keys/opk_00000000000000000000000000/revoke", json!({})).await;
    assert_eq!(unknown.refusal(), "404 not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_say() {
    let api = Api::new();
    let account = api.funded("5").await;
    let charge = json!({"account_id": account, "credits": 1}).to_string();
    for (scopes, statuses) in [
        (json!(["read"]), [200, 403, 403, 403, 403]),
        (json!(["charge"]), [403, 201, 403, 403, 403]),
        (json!(["grant"]), [403, 403, 201, 403, 403]),
        (json!(["manage"]), [403, 403, 403, 201, 403]),
        (json!(["admin", "read"]), [200, 403, 403, 403, 201]),
    ] {
        let key = api.post("/v1/operator-keys", json!({"name": "k", "scopes": scopes})).await.created();
        assert_eq!(key["scopes"].as_array().map(Vec::len), scopes.as_array().map(Vec::len));
        let grants = format!("/v1/accounts/{account}/grants");
        for ((method, path, body), status) in [
            ("GET", "/v1/accounts", ""),
            ("POST", "/v1/charges", charge.as_str()),
            ("POST", grants.as_str(), r#"{"credits":1}"#),
            ("POST", "/v1/accounts", r#"{"name":"x"}"#),
            ("POST", "/v1/operator-keys", r#"{"name":"x"}"#),
        ]
        .into_iter()
        .zip(statuses)
        {
            let answer = as_operator(&api, &key["secret"].string(), method, path, body).await;
            assert_eq!(answer.status, status, "{scopes} {method} {path}: {}", answer.text);
        }
    }
    for scopes in [json!([]), json!(["everything"]), json!("read"), json!([1])] {
        let answer = api.post("/v1/operator-keys", json!({"name": "k", "scopes": scopes})).await;
        assert!(answer.refusal().starts_with("400 invalid_request, scopes"), "{}", answer.text);
    }
}
