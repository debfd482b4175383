//! `/v1/accounts/{id}/balance`, now and at a time that has passed.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Api, AsString as _};

async fn at(api: &Api, account: &str, time: &str) -> Value {
    api.get(&format!("/v1/accounts/{account}/balance?at={time}")).await.ok()
}

async fn stood(api: &Api, account: &str, time: &str) -> String {
    let balance = at(api, account, time).await;
    let [available, held, posted] = ["available", "held", "posted"].map(|name| balance[name].string());
    format!("available {available}, held {held}, posted {posted}, seq {}", balance["seq"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_counts_what_is_held_as_posted() {
    let api = Api::new();
    let account = api.overdrawable("10", "5").await;
    api.move_credits("/v1/holds", json!({"account_id": account, "credits": 12})).await.created();
    let balance = api.get(&format!("/v1/accounts/{account}/balance")).await;
    assert_snapshot!(balance.shown(), @r#"200 {"account_id":"acc_…","available":"-2","held":"12","posted":"10","overdraft_limit":"5","next_expiry":null,"grants":[{"id":"grt_…","remaining":"0","held":"10","category":"paid","priority":50,"expires_at":null}],"seq":2,"at":"2026-08-22T12:00:00.000Z"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_expiry_is_what_would_be_lost_first() {
    let api = Api::new();
    let account = api.funded("10").await;
    let grants = format!("/v1/accounts/{account}/grants");
    for (credits, expires_at) in
        [(3, "2026-09-02T00:00:00Z"), (2, "2026-09-01T00:00:00Z"), (1, "2026-09-01T00:00:00Z")]
    {
        api.move_credits(&grants, json!({"credits": credits, "expires_at": expires_at})).await.created();
    }
    let pending = json!({
        "credits": 9, "effective_at": "2026-08-23T00:00:00Z", "expires_at": "2026-08-24T00:00:00Z",
    });
    api.move_credits(&grants, pending).await.created();
    let next = async || api.get(&format!("/v1/accounts/{account}/balance")).await.ok()["next_expiry"].clone();
    assert_eq!(next().await, json!({"at": "2026-09-01T00:00:00.000Z", "credits": "3"}));
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 2})).await.created();
    assert_eq!(next().await, json!({"at": "2026-09-01T00:00:00.000Z", "credits": "1"}));
    api.pass_seconds(12 * 60 * 60);
    assert_eq!(next().await, json!({"at": "2026-08-24T00:00:00.000Z", "credits": "9"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_is_told_as_it_stood() {
    let api = Api::new();
    let account = api.account().await;
    let charge = json!({"account_id": account, "credits": 4});
    api.pass_seconds(60);
    api.move_credits(&format!("/v1/accounts/{account}/grants"), json!({"credits": 10})).await.created();
    api.pass_seconds(60);
    api.move_credits("/v1/holds", charge.clone()).await.created();
    api.move_credits("/v1/charges", charge).await.created();
    api.pass_seconds(60);
    for (time, expected) in [
        // Before the account was there, and before its first entry.
        ("2020-01-01T00:00:00Z", "available 0, held 0, posted 0, seq 0"),
        ("2026-08-22T12:00:59.999Z", "available 0, held 0, posted 0, seq 0"),
        // At an entry it has happened.
        ("2026-08-22T12:01:00.000Z", "available 10, held 0, posted 10, seq 1"),
        ("2026-08-22T12:01:59.999Z", "available 10, held 0, posted 10, seq 1"),
        // Of several at one time the last counts.
        ("2026-08-22T12:02:00Z", "available 2, held 4, posted 6, seq 3"),
        ("2026-08-22T14:02:00%2B02:00", "available 2, held 4, posted 6, seq 3"),
        // Now is a time that has come.
        ("2026-08-22T12:03:00Z", "available 2, held 4, posted 6, seq 3"),
    ] {
        assert_eq!(stood(&api, &account, time).await, expected, "{time}");
    }
    let answer = api.get(&format!("/v1/accounts/{account}/balance?at=2026-08-22T12:02:00Z")).await;
    assert_snapshot!(answer.shown(), @r#"200 {"account_id":"acc_…","available":"2","held":"4","posted":"6","overdraft_limit":null,"next_expiry":null,"grants":null,"seq":3,"at":"2026-08-22T12:02:00.000Z"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fell_due_before_that_time_counts_although_nothing_is_written_yet() {
    let api = Api::new();
    let account = api.funded("10").await;
    let grants = format!("/v1/accounts/{account}/grants");
    let body = json!({
        "credits": 5, "effective_at": "2026-08-22T12:10:00Z", "expires_at": "2026-08-22T12:40:00Z",
    });
    api.move_credits(&grants, body).await.created();
    api.move_credits(&grants, json!({"credits": 3, "expires_at": "2026-08-22T12:20:00Z"})).await.created();
    let hold = json!({"account_id": account, "credits": 1, "expires_in": 1800});
    api.move_credits("/v1/holds", hold).await.created();
    api.pass_seconds(60 * 60);
    let check = async |written: &str| {
        for (time, expected) in [
            ("2026-08-22T12:09:59.999Z", "available 12, held 1, posted 13, seq 3"),
            ("2026-08-22T12:10:00Z", "available 17, held 1, posted 18, seq 4"),
            // What is held of a grant that expires stays held…
            ("2026-08-22T12:20:00Z", "available 15, held 1, posted 16, seq 5"),
            // … and expires when it comes back.
            ("2026-08-22T12:30:00Z", "available 15, held 0, posted 15, seq 7"),
            ("2026-08-22T12:40:00Z", "available 10, held 0, posted 10, seq 8"),
            ("2026-08-22T13:00:00Z", "available 10, held 0, posted 10, seq 8"),
        ] {
            assert_eq!(stood(&api, &account, time).await, expected, "{time}, {written}");
        }
    };
    check("before anything is written").await;
    api.pass_seconds(1);
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 0})).await.created();
    check("after it is written").await;
    assert_eq!(
        api.history(&account).await,
        [
            "grant 10",
            "grant 3",
            "hold -1 held 1",
            "grant 5",
            "expire -2",
            "release 1 held -1",
            "expire -1",
            "expire -5",
            "charge 0"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_must_be_one_that_has_passed() {
    let api = Api::new();
    let account = api.funded("10").await;
    let path = format!("/v1/accounts/{account}/balance");
    for (parameters, refusal) in [
        ("?at=2026-08-22T12:00:00.001Z", "400 invalid_request, at"),
        ("?at=2030-01-01T00:00:00Z", "400 invalid_request, at"),
        ("?at=yesterday", "400 invalid_request, at"),
        ("?at=2026-08-22", "400 invalid_request, at"),
        ("?at=", "400 invalid_request, at"),
        ("?at=1755864000", "400 invalid_request, at"),
        ("?time=2026-08-22T12:00:00Z", "400 invalid_request, time"),
    ] {
        assert_eq!(api.get(&format!("{path}{parameters}")).await.refusal(), refusal, "{parameters}");
    }
    for id in ["acc_00000000000000000000000000", "nonsense"] {
        for parameters in ["", "?at=2026-08-22T12:00:00Z"] {
            let answer = api.get(&format!("/v1/accounts/{id}/balance{parameters}")).await;
            assert_eq!(answer.refusal(), "404 not_found", "{id}{parameters}");
        }
    }
}
