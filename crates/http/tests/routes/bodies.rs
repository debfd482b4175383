//! Bodies, methods and headers that are off.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;

use crate::support::{Api, request};

#[tokio::test(flavor = "multi_thread")]
async fn broken_bodies_are_refused_by_rule() {
    let api = Api::new();
    for (content_type, body, refusal) in [
        (Some("application/json"), "{", "400 invalid_request, body"),
        (Some("application/json"), "nonsense", "400 invalid_request, body"),
        (Some("application/json"), "{}{}", "400 invalid_request, name"),
        (Some("application/json"), "{\"name\":\"a\"} x", "400 invalid_request, body"),
        (Some("application/json"), "{\"name\":\"a\",\"name\":\"b\"}", "400 invalid_request, name"),
        (Some("application/json"), "{\"name\":\"\\ud800\"}", "400 invalid_request, body"),
        (Some("application/json"), "null", "400 invalid_request, body"),
        (Some("application/json"), "", "400 invalid_request, name"),
        (None, "", "400 invalid_request, name"),
        (None, "{\"name\":\"a\"}", "415 unsupported_media_type"),
        (Some("text/plain"), "{\"name\":\"a\"}", "415 unsupported_media_type"),
        (Some("application/x-www-form-urlencoded"), "name=a", "415 unsupported_media_type"),
    ] {
        let mut request = request(Method::POST, "/v1/accounts");
        if let Some(content_type) = content_type {
            request = request.header("Content-Type", content_type);
        }
        let answer = api.send(request.body(Body::from(body)).expect("a request")).await;
        assert_eq!(answer.refusal(), refusal, "{content_type:?} {body}: {}", answer.text);
    }
    for content_type in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json"] {
        let request = request(Method::POST, "/v1/accounts").header("Content-Type", content_type);
        let answer = api.send(request.body(Body::from("{\"name\":\"a\"}")).expect("a request")).await;
        assert_eq!(answer.status, 201, "{content_type}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded() {
    let api = Api::new();
    for (bytes, status) in [(256 * 1024, 400), (256 * 1024 + 1, 413)] {
        let body = format!("{{\"name\":\"{}\"}}", "x".repeat(bytes - "{\"name\":\"\"}".len()));
        let request = request(Method::POST, "/v1/accounts").header("Content-Type", "application/json");
        let answer = api.send(request.body(Body::from(body)).expect("a request")).await;
        assert_eq!(answer.status, status, "{bytes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_bounded() {
    let api = Api::new();
    for (bytes, status) in [(31 * 1024, 200), (33 * 1024, 431)] {
        let request = request(Method::GET, "/v1/accounts").header("x-filler", "x".repeat(bytes));
        let answer = api.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, status, "{bytes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_says_which_methods_it_takes() {
    let api = Api::new();
    for (method, path, allow) in [
        (Method::DELETE, "/v1/accounts", "GET,HEAD,POST"),
        (Method::PUT, "/v1/charges", "GET,HEAD,POST"),
        (Method::GET, "/v1/batch", "POST"),
        (Method::GET, "/v1/accounts/acc_00000000000000000000000000/keys/import", "POST"),
    ] {
        let answer = api.send(request(method, path).body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.refusal(), "405 method_not_allowed", "{path}");
        assert_eq!(answer.header("allow"), allow, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_an_id_of_its_request() {
    let api = Api::new();
    let first = api.get("/v1/accounts").await;
    let second = api.get("/nonsense").await;
    assert_eq!(first.header("x-request-id").len(), 16);
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn once_the_service_is_closed_writes_are_refused() {
    let api = Api::new();
    let account = api.funded("10").await;
    api.close().await;
    let answer = api.move_credits("/v1/charges", json!({"account_id": account, "credits": 1})).await;
    assert_eq!(answer.refusal(), "503 unavailable");
    assert_eq!(answer.header("retry-after"), "1");
}
