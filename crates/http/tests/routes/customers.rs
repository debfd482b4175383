//! `/v1/me`: what the holder of a customer's key sees.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::Request;
use coffer_http::Settings;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Answer, Api, AsString as _, OPERATOR};

fn me(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).expect("a request")
}

async fn get(api: &Api, key: &str, path: &str) -> Answer {
    api.send(me(path, &[("ZF-API-KEY", key)])).await
}

fn data(page: &Value) -> &Vec<Value> {
    page["data"].as_array().expect("a list")
}

fn numbers(page: &Value) -> Vec<u64> {
    data(page).iter().map(|entry| entry["seq"].as_u64().expect("a number")).collect()
}

/// An account with two keys; both have paid, one has held, and the account itself was granted and adjusted.
async fn shared(api: &Api) -> (String, String) {
    let account = api.account().await;
    let ((_, mine), (_, other)) = (api.key(&account).await, api.key(&account).await);
    let grants = format!("/v1/accounts/{account}/grants");
    let text = json!({"reference": "order 7", "metadata": {"by": "sales"}});
    let with = |fields: Value| {
        let mut body = fields.as_object().expect("an object").clone();
        body.extend(text.as_object().expect("an object").clone());
        Value::Object(body)
    };
    // 1 the account's, 2 and 3 mine, 4 to 7 of the other key, 8 the account's, 9 without a key.
    api.move_credits(&grants, with(json!({"credits": 20}))).await.created();
    let paid = api.move_credits("/v1/charges", with(json!({"api_key": mine, "credits": 1}))).await.created();
    let refund = format!("/v1/charges/{}/refund", paid["id"].string());
    api.move_credits(&refund, json!({"credits": "0.5"})).await.created();
    api.move_credits("/v1/charges", with(json!({"api_key": other, "credits": 2}))).await.created();
    let held = api.move_credits("/v1/holds", with(json!({"api_key": other, "credits": 4}))).await.created();
    let capture = format!("/v1/holds/{}/capture", held["id"].string());
    api.move_credits(&capture, json!({"credits": 1})).await.created();
    let adjustments = format!("/v1/accounts/{account}/adjustments");
    api.move_credits(&adjustments, json!({"credits": -1, "reason": "typing error"})).await.created();
    api.move_credits("/v1/charges", with(json!({"account_id": account, "credits": 3}))).await.created();
    (mine, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_its_balance_in_either_header() {
    let api = Api::new();
    let account = api.funded("10").await;
    let (_, key) = api.key(&account).await;
    let shown = get(&api, &key, "/v1/me/balance").await;
    assert_snapshot!(shown.shown(), @r#"200 {"account_id":"acc_…","available":"10","held":"0","posted":"10","overdraft_limit":"0","next_expiry":null,"grants":[{"id":"grt_…","remaining":"10","held":"0","category":"paid","priority":50,"expires_at":null}],"seq":1,"at":"2026-08-22T12:00:00.000Z"}"#);
    assert_eq!(api.get(&format!("/v1/accounts/{account}/balance")).await.ok(), shown.json());
    let bearer = format!("Bearer {key}");
    for headers in [
        &[("zf-api-key", key.as_str())][..],
        &[("Authorization", bearer.as_str())],
        &[("authorization", bearer.as_str())],
        &[("ZF-API-KEY", key.as_str()), ("Authorization", "Bearer nonsense")],
    ] {
        assert_eq!(api.send(me("/v1/me/balance", headers)).await.ok(), shown.json(), "{headers:?}");
        assert_eq!(api.send(me("/v1/me/entries", headers)).await.status, 200, "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_other_keys_are_not_shown() {
    let api = Api::new();
    let (mine, other) = shared(&api).await;
    assert_eq!(numbers(&get(&api, &mine, "/v1/me/entries").await.ok()), [9, 8, 3, 2, 1]);
    assert_eq!(numbers(&get(&api, &other, "/v1/me/entries").await.ok()), [9, 8, 7, 6, 5, 4, 1]);
    for (parameters, expected) in [
        ("?kind=charge", vec![9, 2]),
        ("?kind=capture", vec![]),
        ("?kind=release", vec![]),
        ("?to=2026-08-22T12:00:00Z", vec![]),
    ] {
        let page = get(&api, &mine, &format!("/v1/me/entries{parameters}")).await.ok();
        assert_eq!(numbers(&page), expected, "{parameters}");
    }
    let mut seen = Vec::new();
    let mut path = "/v1/me/entries?limit=2".to_owned();
    loop {
        let page = get(&api, &mine, &path).await.ok();
        seen.extend(numbers(&page));
        if page["has_more"] == false {
            break;
        }
        path = format!("/v1/me/entries?limit=2&cursor={}", page["next_cursor"].string());
    }
    assert_eq!(seen, [9, 8, 3, 2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_metadata_nor_reasons_nor_salts_are_shown() {
    let api = Api::new();
    let (mine, _) = shared(&api).await;
    let lines = api.send(me("/v1/me/entries", &[("ZF-API-KEY", &mine), ("Accept", "application/x-ndjson")]));
    let lines = lines.await;
    assert_snapshot!(lines.shown(), @r#"
    200 {"seq":1,"kind":"grant","credits":"20","held_credits":"0","available_after":"20","held_after":"0","lots":[{"grant_id":"grt_…","credits":"20"}],"grant_id":"grt_…","reference":"order 7","reference_digest":"…","metadata_digest":"…","at":"2026-08-22T12:00:00.000Z","hash":"…"}
    {"seq":2,"kind":"charge","credits":"-1","held_credits":"0","available_after":"19","held_after":"0","lots":[{"grant_id":"grt_…","credits":"-1"}],"charge_id":"chg_…","key_id":"key_…","reference":"order 7","reference_digest":"…","metadata_digest":"…","at":"2026-08-22T12:00:00.000Z","hash":"…"}
    {"seq":3,"kind":"refund","credits":"0.5","held_credits":"0","available_after":"19.5","held_after":"0","lots":[{"grant_id":"grt_…","credits":"0.5"}],"charge_id":"chg_…","key_id":"key_…","refund_id":"rfd_…","at":"2026-08-22T12:00:00.000Z","hash":"…"}
    {"seq":8,"kind":"adjust","credits":"-1","held_credits":"0","available_after":"15.5","held_after":"0","lots":[{"grant_id":"grt_…","credits":"-1"}],"adjustment_id":"adj_…","reason_digest":"…","at":"2026-08-22T12:00:00.000Z","hash":"…"}
    {"seq":9,"kind":"charge","credits":"-3","held_credits":"0","available_after":"12.5","held_after":"0","lots":[{"grant_id":"grt_…","credits":"-3"}],"charge_id":"chg_…","reference":"order 7","reference_digest":"…","metadata_digest":"…","at":"2026-08-22T12:00:00.000Z","hash":"…"}
    "#);
    for accept in ["application/json", "text/csv", "application/x-ndjson"] {
        let answer = api.send(me("/v1/me/entries", &[("ZF-API-KEY", &mine), ("Accept", accept)])).await;
        assert_eq!(answer.status, 200, "{accept}");
        for private in ["sales", "typing error"] {
            assert!(!answer.text.contains(private), "{accept}: {}", answer.text);
        }
    }
    let rows = api.send(me("/v1/me/entries", &[("ZF-API-KEY", &mine), ("Accept", "text/csv")])).await;
    assert_eq!(rows.text.lines().count(), 1 + 5);
    let heading: Vec<&str> = rows.text.lines().next().expect("a heading").split(',').collect();
    let salt = heading.iter().position(|name| *name == "salt").expect("a column for the salt");
    for row in rows.text.lines().skip(1) {
        assert_eq!(row.split(',').nth(salt), Some(""), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_live_customer_s_key_gets_in() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (revoked_id, revoked) = api.key(&account).await;
    let (disabled_id, disabled) = api.key(&account).await;
    let (expired_id, expired) = api.key(&account).await;
    let (_, live) = api.key(&account).await;
    api.post(&format!("/v1/keys/{revoked_id}/revoke"), json!({})).await.ok();
    api.patch(&format!("/v1/keys/{disabled_id}"), json!({"disabled": true})).await.ok();
    api.patch(&format!("/v1/keys/{expired_id}"), json!({"expires_at": "2026-08-22T12:00:01Z"})).await.ok();
    api.pass_seconds(1);
    let bearer = |key: &str| format!("Bearer {key}");
    let (basic, live_bearer) = (format!("Basic {live}"), bearer(&live));
    let bearers = [&revoked, &disabled, &expired, &OPERATOR.to_owned()].map(|key| bearer(key));
    let mut cases: Vec<Vec<(&str, &str)>> = vec![
        vec![],
        vec![("ZF-API-KEY", "")],
        vec![("ZF-API-KEY", "nonsense")],
        vec![("ZF-API-KEY", &revoked)],
        vec![("ZF-API-KEY", &disabled)],
        vec![("ZF-API-KEY", &expired)],
        vec![("ZF-API-KEY", OPERATOR)],
        vec![("ZF-API-KEY", &live), ("ZF-API-KEY", &live)],
        vec![("ZF-API-KEY", "nonsense"), ("Authorization", &live_bearer)],
        vec![("Authorization", &basic)],
        vec![("Authorization", &live)],
    ];
    cases.extend(bearers.iter().map(|bearer| vec![("Authorization", bearer.as_str())]));
    for headers in cases {
        for path in ["/v1/me/balance", "/v1/me/entries"] {
            let answer = api.send(me(path, &headers)).await;
            assert_eq!(answer.refusal(), "401 unauthorized, api_key", "{headers:?}");
        }
    }
    assert_eq!(get(&api, &live, "/v1/me/balance").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_authentications_are_limited_by_address_and_live_keys_are_not() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (_, live) = api.key(&account).await;
    let stranger: IpAddr = "192.0.2.1".parse().expect("an address");
    let other: IpAddr = "192.0.2.2".parse().expect("an address");
    let dead = || me("/v1/me/balance", &[("ZF-API-KEY", "dead")]);
    let mut limited = None;
    for _ in 0..1000 {
        let answer = api.send_from(stranger, dead()).await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
        assert_eq!(answer.refusal(), "401 unauthorized, api_key");
    }
    let limited = limited.expect("a thousand failures are too many");
    assert_eq!(limited.refusal(), "429 rate_limited");
    assert!(limited.header("retry-after").parse::<u64>().expect("seconds") >= 1);
    assert_eq!(api.send_from(other, dead()).await.status, 401, "another address is not refused");
    let known = me("/v1/me/balance", &[("ZF-API-KEY", &live)]);
    assert_eq!(
        api.send_from(stranger, known).await.status,
        200,
        "a live key is never refused for its address"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_and_methods_are_checked() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (_, key) = api.key(&account).await;
    for (path, refusal) in [
        ("/v1/me/entries?limit=0", "400 invalid_request, limit"),
        ("/v1/me/entries?cursor=nonsense", "400 invalid_request, cursor"),
        ("/v1/me/entries?kind=gift", "400 invalid_request, kind"),
        ("/v1/me/entries?from=x", "400 invalid_request, from"),
        ("/v1/me/entries?account_id=x", "400 invalid_request, account_id"),
        ("/v1/me", "404 not_found"),
    ] {
        assert_eq!(get(&api, &key, path).await.refusal(), refusal, "{path}");
    }
    let posted = Request::post("/v1/me/balance").header("ZF-API-KEY", &key).body(Body::empty());
    let refused = api.send(posted.expect("a request")).await;
    assert_eq!((refused.refusal().as_str(), refused.header("allow")), ("405 method_not_allowed", "GET,HEAD"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configured_header_is_the_customers() {
    let settings = Settings { api_key_header: "X-Key".parse().expect("a header"), ..Settings::default() };
    let api = Api::with(settings);
    let account = api.funded("5").await;
    let (_, key) = api.key(&account).await;
    assert_eq!(api.send(me("/v1/me/balance", &[("x-key", &key)])).await.status, 200);
    let refused = api.send(me("/v1/me/balance", &[("ZF-API-KEY", &key)])).await;
    assert_eq!(refused.refusal(), "401 unauthorized, api_key");
}
