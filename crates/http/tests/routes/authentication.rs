//! Who gets in.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::{Method, Request};
use coffer_http::{RateLimits, Settings};

use serde_json::json;

use crate::support::{Api, OPERATOR, request};

/// Every route of the operator API, and the scope that its caller needs.
const ROUTES: [(&str, &str, &str); 35] = [
    ("GET", "/v1/accounts", "read"),
    ("POST", "/v1/accounts", "manage"),
    ("GET", "/v1/accounts/{acc}", "read"),
    ("PATCH", "/v1/accounts/{acc}", "manage"),
    ("GET", "/v1/accounts/{acc}/balance", "read"),
    ("GET", "/v1/accounts/{acc}/entries", "read"),
    ("GET", "/v1/accounts/{acc}/usage", "read"),
    ("POST", "/v1/accounts/{acc}/erase", "manage"),
    ("GET", "/v1/accounts/{acc}/grants", "read"),
    ("POST", "/v1/accounts/{acc}/grants", "grant"),
    ("POST", "/v1/accounts/{acc}/adjustments", "grant"),
    ("GET", "/v1/accounts/{acc}/keys", "read"),
    ("POST", "/v1/accounts/{acc}/keys", "manage"),
    ("POST", "/v1/accounts/{acc}/keys/import", "manage"),
    ("GET", "/v1/grants/{grt}", "read"),
    ("POST", "/v1/grants/{grt}/void", "grant"),
    ("GET", "/v1/charges", "read"),
    ("POST", "/v1/charges", "charge"),
    ("GET", "/v1/charges/{chg}", "read"),
    ("POST", "/v1/charges/{chg}/refund", "grant"),
    ("GET", "/v1/holds", "read"),
    ("POST", "/v1/holds", "charge"),
    ("GET", "/v1/holds/{hld}", "read"),
    ("POST", "/v1/holds/{hld}/capture", "charge"),
    ("POST", "/v1/holds/{hld}/release", "charge"),
    ("POST", "/v1/keys/verify", "charge"),
    ("GET", "/v1/keys/{key}", "read"),
    ("PATCH", "/v1/keys/{key}", "manage"),
    ("POST", "/v1/keys/{key}/rotate", "manage"),
    ("POST", "/v1/keys/{key}/revoke", "manage"),
    ("GET", "/v1/prices", "read"),
    ("PUT", "/v1/prices/upscale", "manage"),
    ("DELETE", "/v1/prices/upscale", "manage"),
    ("GET", "/v1/operator-keys", "admin"),
    ("POST", "/v1/operator-keys/{opk}/revoke", "admin"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_wants_its_scope_before_it_looks_at_anything_else() {
    const SCOPES: [&str; 5] = ["read", "charge", "grant", "manage", "admin"];
    let api = Api::new();
    let mut others = Vec::new();
    for scope in SCOPES {
        let rest: Vec<&str> = SCOPES.into_iter().filter(|other| *other != scope).collect();
        others.push((scope, api.operator(&[scope]).await, api.operator(&rest).await));
    }
    for (method, path, scope) in ROUTES {
        let path = match path.split_once(['{', '}']) {
            Some((start, rest)) => {
                let (prefix, end) = rest.split_once('}').expect("it closes");
                format!("{start}{prefix}_00000000000000000000000000{end}")
            }
            None => path.to_owned(),
        };
        let method: Method = method.parse().expect("a method");
        let (_, able, unable) = others.iter().find(|(name, ..)| *name == scope).expect("a scope");
        // A field that no body has: who may call is told so, and nobody else learns as much.
        let body = json!({"no-such-field": 1});
        let refused = api.send_as(unable, method.clone(), &path, "n", &body).await;
        assert_eq!(refused.refusal(), "403 forbidden", "{method} {path}");
        let stranger = api.send_as("nobody", method.clone(), &path, "n", &body).await;
        assert_eq!(stranger.refusal(), "401 unauthorized, operator_key", "{method} {path}");
        let answer = api.send_as(able, method.clone(), &path, "n", &body).await;
        assert!(![401, 403, 405].contains(&answer.status), "{method} {path}: {}", answer.text);
        assert!(answer.status < 500, "{method} {path}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_live_operator_key_opens_the_api() {
    let api = Api::new();
    for authorization in [
        None,
        Some(String::new()),
        Some(OPERATOR.to_owned()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(format!("Basic {OPERATOR}")),
        Some(format!("Bearer {OPERATOR}x")),
        Some(format!("Bearer {OPERATOR} {OPERATOR}")),
    ] {
        let mut request = Request::get("/v1/accounts");
        if let Some(authorization) = &authorization {
            request = request.header("Authorization", authorization);
        }
        let answer = api.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.refusal(), "401 unauthorized, operator_key", "{authorization:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let request = Request::get("/v1/accounts").header("authorization", format!("bearer {OPERATOR}"));
    assert_eq!(api.send(request.body(Body::empty()).expect("a request")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_s_key_is_no_operator_s() {
    let api = Api::new();
    let account = api.account().await;
    let (_, secret) = api.key(&account).await;
    let request = Request::get("/v1/accounts").header("Authorization", format!("Bearer {secret}"));
    let answer = api.send(request.body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.refusal(), "401 unauthorized, operator_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_unknown_learns_nothing_of_what_is_there() {
    let api = Api::new();
    let account = api.account().await;
    for path in [format!("/v1/accounts/{account}"), "/v1/accounts/acc_00000000000000000000000000".to_owned()]
    {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        assert_eq!(api.send(request).await.refusal(), "401 unauthorized, operator_key");
    }
    let request = Request::post("/v1/charges").body(Body::from("{broken")).expect("a request");
    assert_eq!(api.send(request).await.refusal(), "401 unauthorized, operator_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_authentications_are_limited_by_address() {
    let api = Api::new();
    let stranger: IpAddr = "192.0.2.1".parse().expect("an address");
    let other: IpAddr = "192.0.2.2".parse().expect("an address");
    let anonymous = || Request::get("/v1/accounts").body(Body::empty()).expect("a request");
    let mut limited = None;
    // The burst is 100, and some tokens come back while the loop runs.
    for _ in 0..1000 {
        let answer = api.send_from(stranger, anonymous()).await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
        assert_eq!(answer.status, 401);
    }
    let limited = limited.expect("a thousand failures are too many");
    assert_eq!(limited.refusal(), "429 rate_limited");
    assert!(limited.header("retry-after").parse::<u64>().expect("seconds") >= 1);
    assert_eq!(api.send_from(other, anonymous()).await.status, 401, "another address is not refused");
    let known = request(Method::GET, "/v1/accounts").body(Body::empty()).expect("a request");
    assert_eq!(
        api.send_from(stranger, known).await.status,
        200,
        "a live key is never refused for its address"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_s_rate_is_limited_where_it_is_configured() {
    let rate_limits = RateLimits { operator_requests_per_second: 2.try_into().ok(), ..RateLimits::default() };
    let api = Api::with(Settings { rate_limits, ..Settings::default() });
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(api.get("/v1/accounts").await.status);
    }
    assert_eq!(statuses[..2], [200, 200]);
    assert!(statuses.contains(&429), "{statuses:?}");
}
