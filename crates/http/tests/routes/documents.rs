//! What is told without a key: health, numbers, the OpenAPI document.

use axum::body::Body;
use axum::http::Request;
use coffer_http::Settings;

use crate::support::{Answer, Api};

async fn anonymous(api: &Api, path: &str) -> Answer {
    api.send(Request::get(path).body(Body::empty()).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told() {
    let api = Api::new();
    assert_eq!(anonymous(&api, "/livez").await.shown(), "200 ok\n");
    assert_eq!(anonymous(&api, "/readyz").await.shown(), "200 ready\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_name_no_account_and_no_key() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (key_id, secret) = api.key(&account).await;
    api.read_balance(&secret).await.ok();
    let numbers = anonymous(&api, "/metrics").await;
    assert!(
        numbers.text.contains("coffer_http_requests_total{part=\"Balance\",status=\"200\"} 1"),
        "{}",
        numbers.text
    );
    assert!(numbers.text.ends_with("# EOF\n"));
    for private in [account, key_id, secret] {
        assert!(!numbers.text.contains(&private));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_openapi_of_what_is_served() {
    let api = Api::new();
    let document = anonymous(&api, "/openapi.json").await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.contains_key("/api/unwatermark/api/v1/get-credits-balance"));
    let mut operations = std::collections::BTreeSet::new();
    for (path, methods) in paths {
        for operation in methods.as_object().expect("methods").values() {
            let id = operation["operationId"].as_str().expect("an operation has an id");
            assert!(operations.insert(id), "{id} names two operations");
        }
        let path = path.replace("{id}", "acc_00000000000000000000000000");
        for method in methods.as_object().expect("methods").keys() {
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
            let answer = api.send(request.body(Body::empty()).expect("a request")).await;
            assert!(![404, 405].contains(&answer.status), "{method} {path}: {}", answer.text);
        }
    }
}

/// `docs/openapi.json` is what `coffer openapi` prints. Make it anew with `scripts/openapi`.
#[test]
fn the_checked_in_document_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let text = std::fs::read_to_string(path).expect("docs/openapi.json is there");
    let checked_in: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let made = coffer_http::openapi_document(&Settings::default());
    // Not assert_eq, which would print both of them.
    assert!(checked_in == made, "docs/openapi.json is out of date: run scripts/openapi");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_no_text_is_refused_as_everything_is() {
    let api = Api::new();
    let request = crate::support::request(axum::http::Method::DELETE, "/v1/prices/%ff").body(Body::empty());
    let answer = api.send(request.expect("a request")).await;
    assert_eq!(answer.refusal(), "400 invalid_request, operation");
}
