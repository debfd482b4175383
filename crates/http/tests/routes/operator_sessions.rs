//! Operators who sign in with their keys, and what the audit log tells of them.

use std::num::NonZeroU32;

use axum::body::Body;
use axum::http::Request;
use coffer_http::{RateLimits, Settings};
use coffer_service::{ActionFilter, Span};
use serde_json::json;

use crate::support::{Answer, Api, OPERATOR};

async fn post(api: &Api, path: &str, cookie: &str, form: &str) -> Answer {
    let request = Request::post(path)
        .header("sec-fetch-site", "same-origin")
        .header("cookie", cookie)
        .header("user-agent", "a browser")
        .header("content-type", "application/x-www-form-urlencoded");
    api.send(request.body(Body::from(form.to_owned())).expect("a request")).await
}

async fn console(api: &Api, cookie: &str) -> u16 {
    let request = Request::get("/console").header("cookie", cookie);
    api.send(request.body(Body::empty()).expect("a request")).await.status
}

async fn sign_in(api: &Api, key: &str) -> String {
    let answer = post(api, "/console/sign-in", "", &format!("key={key}&next=/console/prices")).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/console/prices"));
    answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_key_lets_in_and_nothing_else_does() {
    let api = Api::new();
    assert_eq!(console(&api, "").await, 303);
    for key in ["", "nonsense", "cof_operator_0000"] {
        let answer = post(&api, "/console/sign-in", "", &format!("key={key}")).await;
        assert_eq!(answer.status, 401, "{key}");
        assert!(!answer.headers.contains_key("set-cookie") && !answer.text.contains("cof_operator_0000"));
    }
    let account = api.funded("5").await;
    let customers = api.key(&account).await.1;
    assert_eq!(post(&api, "/console/sign-in", "", &format!("key={customers}")).await.status, 401);
    let cookie = sign_in(&api, OPERATOR).await;
    assert!(cookie.starts_with("coffer_console=ses_"), "{cookie}");
    assert_eq!(console(&api, &cookie).await, 200);
    let elsewhere = post(&api, "/console/sign-in", "", &format!("key={OPERATOR}&next=//evil.example")).await;
    assert_eq!(elsewhere.header("location"), "/console");

    assert_eq!(post(&api, "/console/sign-out", &cookie, "").await.status, 303);
    assert_eq!(console(&api, &cookie).await, 303);
    let (one, other) = (sign_in(&api, OPERATOR).await, sign_in(&api, OPERATOR).await);
    let out = post(&api, "/console/sessions", &one, "do=end-all").await;
    assert_eq!((out.status, out.header("location")), (303, "/console/sign-in"));
    let forgotten = out.header("set-cookie");
    assert!(forgotten.starts_with("coffer_console=; ") && forgotten.contains("Max-Age=0"), "{forgotten}");
    assert_eq!((console(&api, &one).await, console(&api, &other).await), (303, 303));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_key_and_with_time() {
    let api = Api::new();
    let made = api.post("/v1/operator-keys", json!({"name": "second"})).await.created();
    let (id, key) = (made["id"].as_str().expect("an id"), made["secret"].as_str().expect("a secret"));
    let cookie = sign_in(&api, key).await;
    assert_eq!(console(&api, &cookie).await, 200);
    api.post(&format!("/v1/operator-keys/{id}/revoke"), json!({})).await.ok();
    assert_eq!(console(&api, &cookie).await, 303, "a revoked key lets nobody stay");

    let idle = sign_in(&api, OPERATOR).await;
    api.pass_seconds(2 * 3600);
    assert_eq!(console(&api, &idle).await, 303);
    let busy = sign_in(&api, OPERATOR).await;
    for _ in 0..11 {
        api.pass_seconds(3700);
        assert_eq!(console(&api, &busy).await, 200);
    }
    api.pass_seconds(3000);
    assert_eq!(console(&api, &busy).await, 303, "after 12 hours in any case");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_are_slowed_down_and_a_live_one_never() {
    let burst = 3.try_into().expect("not zero");
    let rate_limits = RateLimits {
        // A slow machine gets none back between a few requests.
        failed_authentications_per_second: NonZeroU32::new(1),
        failed_authentications_burst: burst,
        ..RateLimits::default()
    };
    let settings = Settings { rate_limits, ..Settings::default() };
    let api = Api::with(settings);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(post(&api, "/console/sign-in", "", "key=wrong").await.status);
    }
    assert_eq!(statuses[..3], [401, 401, 401]);
    assert!(statuses[3..].contains(&429), "{statuses:?}");
    sign_in(&api, OPERATOR).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_of_operators_are_told_and_traffic_is_not() {
    let api = Api::new();
    let account = api.funded("50").await;
    let charge =
        api.move_credits("/v1/charges", json!({"account_id": account, "credits": "2"})).await.created();
    let refund = format!("/v1/charges/{}/refund", charge["id"].as_str().expect("an id"));
    api.move_credits(&refund, json!({})).await.created();
    api.move_named(&format!("/v1/accounts/{account}/grants"), "again", json!({"credits": "1"}))
        .await
        .created();
    api.move_named(&format!("/v1/accounts/{account}/grants"), "again", json!({"credits": "1"}))
        .await
        .created();
    api.put("/v1/prices/upscale", json!({"credits_per_unit": "2"})).await.ok();
    let grant =
        json!({"type": "grant", "account_id": account, "credits": "3", "idempotency_key": "in-a-batch"});
    api.post("/v1/batch", json!({"operations": [grant]})).await.ok();
    sign_in(&api, OPERATOR).await;

    let span = Span { before: None, count_max: 50 };
    let told = api.service().reader().actions(ActionFilter::default(), span).await.expect("a read").items;
    let kinds: Vec<String> =
        told.iter().map(|action| format!("{} {:?}", action.kind, action.channel)).collect();
    let expected = [
        "signed_in Console",
        "granted Api",
        "price_put Api",
        "granted Api",
        "granted Api",
        "account_created Api",
    ];
    assert_eq!(kinds, expected);
}
