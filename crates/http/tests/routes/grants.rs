//! `/v1/accounts/{id}/grants` and `/v1/grants`.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Api, AsString as _};

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_made_and_shown() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    let body = json!({
        "credits": 100, "category": "promotional", "priority": 10, "effective_at": "2026-08-22T12:00:00+00:00",
        "expires_at": "2027-01-01T00:00:00Z", "reference": "spring campaign", "metadata": {"by": "sales"},
    });
    let made = api.move_named(&path, "g1", body).await;
    assert_snapshot!(made.shown(), @r#"201 {"id":"grt_…","account_id":"acc_…","credits":"100","remaining":"100","held":"0","category":"promotional","priority":10,"effective_at":"2026-08-22T12:00:00.000Z","expires_at":"2027-01-01T00:00:00.000Z","status":"active","reference":"spring campaign","metadata":{"by":"sales"},"created_at":"2026-08-22T12:00:00.000Z"}"#);
    let grant = made.json();
    assert_eq!(api.get(&format!("/v1/grants/{}", grant["id"].string())).await.ok(), grant);
    assert_eq!(api.get(&path).await.ok()["data"], json!([grant]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_shows_where_it_stands_before_any_command_settles_it() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    let body = json!({
        "credits": "9", "effective_at": "2026-08-22T13:00:00Z", "expires_at": "2026-08-22T14:00:00Z",
    });
    let grant = api.move_credits(&path, body).await.created();
    let show = async || {
        let grant = api.get(&format!("/v1/grants/{}", grant["id"].string())).await.ok();
        format!("{} {}", grant["status"].string(), grant["remaining"].string())
    };
    assert_eq!(show().await, "pending 9");
    api.pass_seconds(3600);
    assert_eq!(show().await, "active 9");
    api.pass_seconds(3600);
    assert_eq!(show().await, "expired 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_by_field() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    for (body, refusal) in [
        (json!({}), "400 invalid_request, credits"),
        (json!({"credits": 0}), "400 invalid_request, credits"),
        (json!({"credits": "-1"}), "400 invalid_request, credits"),
        (json!({"credits": 1.0}), "400 invalid_request, credits"),
        (json!({"credits": "1e3"}), "400 invalid_request, credits"),
        (json!({"credits": "0.0000001"}), "400 invalid_request, credits"),
        (json!({"credits": "9000000000000.000001"}), "400 invalid_request, credits"),
        (json!({"credits": 18_446_744_073_709_551_615_u64}), "400 invalid_request, credits"),
        (json!({"credits": true}), "400 invalid_request, credits"),
        (json!({"credits": 1, "priority": 101}), "400 invalid_request, priority"),
        (json!({"credits": 1, "priority": -1}), "400 invalid_request, priority"),
        (json!({"credits": 1, "priority": 1.5}), "400 invalid_request, priority"),
        (json!({"credits": 1, "category": "stolen"}), "400 invalid_request, category"),
        (json!({"credits": 1, "category": {"paid": null}}), "400 invalid_request, category"),
        (json!({"credits": 1, "expires_at": "tomorrow"}), "400 invalid_request, expires_at"),
        (json!({"credits": 1, "expires_at": "2026-08-22T12:00:00Z"}), "400 invalid_request, expires_at"),
        (json!({"credits": 1, "reference": "x".repeat(256)}), "400 invalid_request, reference"),
        (json!({"credits": 1, "account_id": account}), "400 invalid_request, account_id"),
    ] {
        assert_eq!(api.move_credits(&path, body.clone()).await.refusal(), refusal, "{body}");
    }
    assert_eq!(api.get(&path).await.ok()["data"], json!([]), "nothing was granted");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_at_most_a_thousand_open_grants() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    for _ in 0..1000 {
        api.move_credits(&path, json!({"credits": 1})).await.created();
    }
    let one_more = api.move_named(&path, "one-more", json!({"credits": 1})).await;
    assert_eq!(one_more.refusal(), "409 conflict, too_many_open");
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 1})).await.created();
    let again = api.move_named(&path, "one-more", json!({"credits": 1})).await;
    assert_eq!(again.refusal(), "409 conflict, too_many_open", "a refusal is remembered");
    assert_eq!(again.header("idempotency-replayed"), "true");
    api.move_credits(&path, json!({"credits": 1})).await.created();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_pays_a_debt_and_ends_reads_the_same_before_and_after_it_is_written() {
    let api = Api::new();
    let account = api.post("/v1/accounts", json!({"name": "A", "overdraft_limit": 5})).await.created();
    let account = account["id"].string();
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 5})).await.created();
    let path = format!("/v1/accounts/{account}/grants");
    let body = json!({
        "credits": 5, "effective_at": "2026-08-22T12:00:01Z", "expires_at": "2026-08-22T12:00:02Z",
    });
    let grant = api.move_credits(&path, body).await.created();
    api.pass_seconds(3);
    let read = api.get(&format!("/v1/grants/{}", grant["id"].string())).await.ok();
    assert_eq!(
        (read["status"].string(), read["remaining"].string()),
        ("depleted".to_owned(), "0".to_owned())
    );
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 0})).await.created();
    assert_eq!(api.get(&format!("/v1/grants/{}", grant["id"].string())).await.ok(), read);
    assert_eq!(api.get(&path).await.ok()["data"], json!([read]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_replayed_as_it_was_made() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    let now = json!({"credits": 9, "reference": "order 7", "metadata": {"a": "b"}});
    let made = api.move_named(&path, "now", now.clone()).await;
    made.created();
    let later = json!({
        "credits": 5, "effective_at": "2026-08-22T13:00:00Z", "expires_at": "2026-08-22T14:00:00Z",
    });
    let pending = api.move_named(&path, "later", later.clone()).await;
    assert_eq!(pending.created()["status"], "pending");
    let charge = async |credits: u8| {
        let body = json!({"account_id": account, "credits": credits});
        api.move_credits("/v1/charges", body).await.created();
    };
    charge(4).await;
    let defaults = json!({
        "metadata": {"a": "b"}, "credits": "9.0", "category": "paid", "priority": 50, "reference": "order 7",
        "effective_at": null, "expires_at": null,
    });
    api.replays(&path, "now", defaults, &made).await;
    api.replays(&path, "later", later.clone(), &pending).await;
    // It has begun and is spent in part, and then it is over.
    api.pass_seconds(3600);
    charge(2).await;
    let spelled = json!({
        "credits": 5, "effective_at": "2026-08-22T15:00:00.000+02:00", "expires_at": "2026-08-22T14:00:00Z",
    });
    api.replays(&path, "later", spelled, &pending).await;
    api.pass_seconds(24 * 60 * 60);
    api.move_credits(&format!("/v1/grants/{}/void", made.json()["id"].string()), json!({})).await.ok();
    api.replays(&path, "later", later, &pending).await;
    api.replays(&path, "now", now, &made).await;
    assert_eq!(
        api.history(&account).await,
        ["grant 9", "charge -4", "grant 5", "charge -2", "expire -3", "void -5"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_ends_before_it_begins_is_refused() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    for (effective_at, expires_at) in [
        ("2026-09-01T00:00:00Z", "2026-08-31T00:00:00Z"),
        ("2026-09-01T00:00:00Z", "2026-09-01T00:00:00Z"),
        ("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"),
    ] {
        let body = json!({"credits": 1, "effective_at": effective_at, "expires_at": expires_at});
        let refused = api.move_credits(&path, body).await;
        assert_eq!(refused.refusal(), "400 invalid_request, expires_at", "{effective_at} {expires_at}");
    }
    for id in ["acc_00000000000000000000000000", "nonsense"] {
        let answer = api.move_credits(&format!("/v1/accounts/{id}/grants"), json!({"credits": 1})).await;
        assert_eq!(answer.refusal(), "404 not_found", "{id}");
    }
    assert_eq!(
        api.post(&path, json!({"credits": 1})).await.refusal(),
        "400 invalid_request, Idempotency-Key"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_leave_the_range_is_refused() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    api.move_credits(&path, json!({"credits": "8999999999999.999999"})).await.created();
    let too_much = json!({"credits": "0.000002"});
    let refused = api.move_named(&path, "too-much", too_much.clone()).await;
    assert_eq!(refused.refusal(), "409 conflict, balance_out_of_range");
    api.move_credits(&path, json!({"credits": "0.000001"})).await.created();
    // What was ever granted counts, too, not only what is left of it.
    let charge = json!({"account_id": account, "credits": "9000000000000"});
    api.move_credits("/v1/charges", charge).await.created();
    api.replays(&path, "too-much", too_much.clone(), &refused).await;
    assert_eq!(api.move_credits(&path, too_much).await.refusal(), "409 conflict, balance_out_of_range");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_takes_back_what_is_left_and_not_held() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    let body = json!({"credits": 10, "reference": "order 7", "metadata": {"a": "b"}});
    let id = api.move_credits(&path, body).await.created()["id"].string();
    let spend = json!({"account_id": account, "credits": 3});
    api.move_credits("/v1/charges", spend.clone()).await.created();
    let hold = api.move_credits("/v1/holds", spend).await.created()["id"].string();
    let void = format!("/v1/grants/{id}/void");
    let voided = api.move_named(&void, "v1", json!({})).await;
    assert_snapshot!(voided.shown(), @r#"200 {"id":"grt_…","account_id":"acc_…","credits":"10","remaining":"0","held":"3","category":"paid","priority":50,"effective_at":"2026-08-22T12:00:00.000Z","expires_at":null,"status":"voided","reference":"order 7","metadata":{"a":"b"},"created_at":"2026-08-22T12:00:00.000Z"}"#);
    assert_eq!(api.get(&format!("/v1/grants/{id}")).await.ok(), voided.json());
    assert_eq!(api.standing(&account).await, "available 0, held 3, seq 4");
    api.replays(&void, "v1", json!({}), &voided).await;

    // What is held of it is spent or comes back; what comes back is taken back as well.
    let capture = format!("/v1/holds/{hold}/capture");
    api.move_credits(&capture, json!({"credits": 1, "final": false})).await.created();
    api.replays(&void, "v1", json!({}), &voided).await;
    api.move_credits(&format!("/v1/holds/{hold}/release"), json!({})).await.ok();
    api.replays(&void, "v1", json!({}), &voided).await;
    assert_eq!(
        api.history(&account).await,
        [
            "grant 10",
            "charge -3",
            "hold -3 held 3",
            "void -4",
            "capture 0 held -1",
            "release 2 held -2",
            "void -2"
        ]
    );
    assert_eq!(api.get(&format!("/v1/grants/{id}")).await.ok()["held"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_is_closed_is_not_voided() {
    let api = Api::new();
    let account = api.account().await;
    let grant = async |body| {
        api.move_credits(&format!("/v1/accounts/{account}/grants"), body).await.created()["id"].string()
    };
    let expiring = grant(json!({"credits": 1, "expires_at": "2026-08-22T13:00:00Z"})).await;
    let voided = grant(json!({"credits": 1})).await;
    api.move_credits(&format!("/v1/grants/{voided}/void"), json!({})).await.ok();
    api.pass_seconds(3600);
    let depleted = grant(json!({"credits": 1})).await;
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 1})).await.created();
    for (what, id) in [("expired", expiring), ("voided", voided), ("depleted", depleted)] {
        let path = format!("/v1/grants/{id}/void");
        assert_eq!(api.get(&format!("/v1/grants/{id}")).await.ok()["status"], what);
        let refused = api.move_named(&path, what, json!({})).await;
        assert_eq!(refused.refusal(), "409 conflict, grant_closed", "{what}");
        api.replays(&path, what, json!({}), &refused).await;
        let another = api.move_credits(&path, json!({"credits": 1})).await;
        assert_eq!(another.refusal(), "400 invalid_request, credits");
        assert_eq!(api.post(&path, json!({})).await.refusal(), "400 invalid_request, Idempotency-Key");
    }
    for id in ["grt_00000000000000000000000000", "nonsense"] {
        let answer = api.move_credits(&format!("/v1/grants/{id}/void"), json!({})).await;
        assert_eq!(answer.refusal(), "404 not_found", "{id}");
        assert_eq!(api.get(&format!("/v1/grants/{id}")).await.refusal(), "404 not_found", "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_grant_is_voided_before_it_begins() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/grants");
    let body = json!({"credits": 5, "effective_at": "2026-08-22T13:00:00Z"});
    let made = api.move_named(&path, "g1", body.clone()).await;
    let void = format!("/v1/grants/{}/void", made.created()["id"].string());
    let voided = api.move_named(&void, "v1", json!({})).await;
    let grant = voided.ok();
    assert_eq!((&grant["status"], &grant["remaining"]), (&json!("voided"), &json!("0")));
    api.pass_seconds(2 * 3600);
    assert_eq!(api.standing(&account).await, "available 0, held 0, seq 0");
    api.replays(&void, "v1", json!({}), &voided).await;
    api.replays(&path, "g1", body, &made).await;
    assert_eq!(api.move_credits(&void, json!({})).await.refusal(), "409 conflict, grant_closed");
}
