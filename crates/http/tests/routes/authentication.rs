//! Who gets in.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::{Method, Request};
use coffer_http::{RateLimits, Settings};

use crate::support::{Api, OPERATOR, request};

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
