//! The balance endpoint, byte for byte.

use axum::body::Body;
use axum::http::{Method, Request};
use coffer_http::{CorsOrigins, RateLimits, Settings};
use serde_json::json;

use crate::support::{Answer, Api, BALANCE, OPERATOR};

const DEAD: &str =
    r#"{"code":800002,"message":{"en":"User api key not exist.","zh":"用户api key不存在"},"result":null}"#;

fn post(key: Option<&str>) -> axum::http::request::Builder {
    let request = Request::post(BALANCE);
    match key {
        Some(key) => request.header("ZF-API-KEY", key),
        None => request,
    }
}

async fn send(api: &Api, request: axum::http::request::Builder, body: impl Into<Body>) -> Answer {
    api.send(request.body(body.into()).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_key_gets_its_balance() {
    let api = Api::new();
    let account = api.funded("1234").await;
    let (_, key) = api.key(&account).await;
    let answer = api.read_balance(&key).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text, r#"{"code":100000,"message":{},"result":{"user_credits":"1234"}}"#);
    for (name, value) in [
        ("content-type", "application/json; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("access-control-allow-origin", "*"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": "0.5"})).await.created();
    let answer = api.read_balance(&key).await;
    assert_eq!(answer.text, r#"{"code":100000,"message":{},"result":{"user_credits":"1233.5"}}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debt_is_below_zero_and_the_limit_is_not_added() {
    let api = Api::new();
    let account = api.post("/v1/accounts", json!({"name": "A", "overdraft_limit": 10})).await.created();
    let account = account["id"].as_str().expect("an id");
    let (_, key) = api.key(account).await;
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": "3.25"})).await.created();
    let answer = api.read_balance(&key).await;
    assert_eq!(answer.text, r#"{"code":100000,"message":{},"result":{"user_credits":"-3.25"}}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dead_key_gets_the_same_answer() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (revoked_id, revoked) = api.key(&account).await;
    let (disabled_id, disabled) = api.key(&account).await;
    let (expired_id, expired) = api.key(&account).await;
    api.post(&format!("/v1/keys/{revoked_id}/revoke"), json!({})).await.ok();
    api.patch(&format!("/v1/keys/{disabled_id}"), json!({"disabled": true})).await.ok();
    api.patch(&format!("/v1/keys/{expired_id}"), json!({"expires_at": "2026-08-22T12:00:01Z"})).await.ok();
    api.pass_seconds(1);
    let unknown = format!("cof_live_{}", "x".repeat(49));
    let dead = [None, Some(""), Some("nonsense"), Some(unknown.as_str()), Some(OPERATOR)];
    let killed = [Some(revoked.as_str()), Some(disabled.as_str()), Some(expired.as_str())];
    for key in dead.into_iter().chain(killed) {
        let answer = send(&api, post(key), Body::empty()).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, DEAD), "{key:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    }
    let twice = post(Some("a")).header("ZF-API-KEY", "b");
    assert_eq!(send(&api, twice, Body::empty()).await.text, DEAD);
    let not_text = Request::post(BALANCE).header("ZF-API-KEY", &[0xff, 0xfe][..]);
    assert_eq!(send(&api, not_text, Body::empty()).await.text, DEAD);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_dead_at_once() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (id, key) = api.key(&account).await;
    assert_eq!(api.read_balance(&key).await.ok()["code"], 100_000);
    api.post(&format!("/v1/keys/{id}/revoke"), json!({})).await.ok();
    assert_eq!(api.read_balance(&key).await.text, DEAD);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_is_ignored_whatever_it_is() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (_, key) = api.key(&account).await;
    for (content_type, body) in [
        ("application/json", "{broken".as_bytes().to_vec()),
        ("application/x-www-form-urlencoded", b"a=b".to_vec()),
        ("nonsense", vec![0; 64 * 1024]),
    ] {
        let answer = send(&api, post(Some(&key)).header("Content-Type", content_type), body).await;
        assert_eq!(answer.ok()["result"]["user_credits"], "5", "{content_type}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_before_the_key_is_looked_at() {
    let api = Api::new();
    for key in [None, Some("dead")] {
        for bytes in [64 * 1024 + 1, 2 * 1024 * 1024] {
            let answer = send(&api, post(key), vec![b'x'; bytes]).await;
            assert_eq!(answer.status, 413);
            assert_eq!(
                answer.text,
                r#"{"code":413,"message":{"en":"Request body too large.","zh":"请求体过大"},"result":null}"#
            );
            assert_eq!(answer.header("access-control-allow-origin"), "*");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_405_in_the_envelope() {
    let api = Api::new();
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = send(&api, Request::builder().method(method.clone()).uri(BALANCE), Body::empty()).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "POST, OPTIONS");
        assert_eq!(answer.json()["code"], 405);
        assert_eq!(answer.json()["result"], json!(null));
    }
    let head = send(&api, Request::head(BALANCE), Body::empty()).await;
    assert_eq!(head.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_from_any_page_is_allowed() {
    let api = Api::new();
    let request = Request::options(BALANCE)
        .header("Origin", "https://example.com")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "zf-api-key");
    let answer = send(&api, request, Body::empty()).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "POST, OPTIONS"),
        ("access-control-allow-headers", "ZF-API-KEY, Content-Type"),
        ("access-control-max-age", "86400"),
        ("vary", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_list_of_origins_only_those_are_allowed() {
    let cors_origins = CorsOrigins::Only(vec!["https://a.example".parse().expect("an origin")]);
    let api = Api::with(Settings { cors_origins, ..Settings::default() });
    for (origin, allowed) in [
        (Some("https://a.example"), "https://a.example"),
        (Some("https://b.example"), ""),
        (Some("null"), ""),
        (None, ""),
    ] {
        for method in [Method::POST, Method::OPTIONS] {
            let mut request = Request::builder().method(method).uri(BALANCE);
            if let Some(origin) = origin {
                request = request.header("Origin", origin);
            }
            let answer = send(&api, request, Body::empty()).await;
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin:?}");
            assert_eq!(answer.header("vary"), "Origin");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn product_and_header_are_configured() {
    let settings = Settings {
        product: "upscale".parse().expect("a product"),
        api_key_header: "X-Key".parse().expect("a header"),
        ..Settings::default()
    };
    let api = Api::with(settings);
    let account = api.funded("5").await;
    let (_, key) = api.key(&account).await;
    let path = "/api/upscale/api/v1/get-credits-balance";
    let answer = send(&api, Request::post(path).header("x-key", &key), Body::empty()).await;
    assert_eq!(answer.ok()["result"]["user_credits"], "5");
    let answer = send(&api, Request::post(path).header("ZF-API-KEY", &key), Body::empty()).await;
    assert_eq!(answer.text, DEAD);
    assert_eq!(send(&api, post(Some(&key)), Body::empty()).await.refusal(), "404 not_found");
    let preflight = send(&api, Request::options(path), Body::empty()).await;
    assert_eq!(preflight.header("access-control-allow-headers"), "X-Key, Content-Type");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_dead_keys_are_429_and_live_ones_are_not() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (_, key) = api.key(&account).await;
    let mut limited = None;
    for _ in 0..1000 {
        let answer = send(&api, post(Some("dead")), Body::empty()).await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
        assert_eq!(answer.text, DEAD);
    }
    let limited = limited.expect("a thousand dead keys are too many");
    assert_eq!(
        limited.text,
        r#"{"code":429,"message":{"en":"Too many requests, try again later.","zh":"请求过于频繁，请稍后再试"},"result":null}"#
    );
    assert!(limited.header("retry-after").parse::<u64>().expect("seconds") >= 1);
    assert_eq!(limited.header("access-control-allow-origin"), "*");
    assert_eq!(api.read_balance(&key).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_s_rate_is_limited_where_it_is_configured() {
    let rate_limits = RateLimits { balance_reads_per_second: 2.try_into().ok(), ..RateLimits::default() };
    let api = Api::with(Settings { rate_limits, ..Settings::default() });
    let account = api.funded("5").await;
    let (_, key) = api.key(&account).await;
    let (_, other) = api.key(&account).await;
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(api.read_balance(&key).await.status);
    }
    assert_eq!(statuses[..2], [200, 200]);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(api.read_balance(&other).await.status, 200, "another key has a rate of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_too_large_are_refused_in_the_envelope() {
    let api = Api::new();
    let answer = send(&api, post(None).header("x-filler", "x".repeat(33 * 1024)), Body::empty()).await;
    assert_eq!((answer.status, &answer.json()["code"]), (431, &json!(431)));
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_free() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (_, key) = api.key(&account).await;
    let before = api.get(&format!("/v1/accounts/{account}/balance")).await;
    for _ in 0..10 {
        api.read_balance(&key).await.ok();
    }
    assert_eq!(api.get(&format!("/v1/accounts/{account}/balance")).await.text, before.text);
}
