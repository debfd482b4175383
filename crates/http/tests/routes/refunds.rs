//! `/v1/charges/{id}/refund`.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Answer, Api, AsString as _};

/// A charge of an account: the path of its refunds.
async fn charged(api: &Api, account: &str, credits: &str) -> String {
    let body = json!({"account_id": account, "credits": credits});
    let charge = api.move_credits("/v1/charges", body).await.created();
    format!("/v1/charges/{}/refund", charge["id"].string())
}

async fn refund(api: &Api, path: &str, body: Value) -> Answer {
    api.move_credits(path, body).await
}

async fn grant(api: &Api, account: &str, body: Value) -> String {
    api.move_credits(&format!("/v1/accounts/{account}/grants"), body).await.created()["id"].string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_gives_all_that_is_left_unless_it_says_otherwise() {
    let api = Api::new();
    let account = api.funded("10").await;
    let path = charged(&api, &account, "5").await;
    let made = refund(&api, &path, json!({"credits": "1.50"})).await;
    assert_snapshot!(made.shown(), @r#"201 {"id":"rfd_…","charge_id":"chg_…","account_id":"acc_…","credits":"1.5","created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"6.5","held":"0"}}"#);
    let charge = api.get(path.trim_end_matches("/refund")).await.ok();
    assert_eq!(charge["refunded"], "1.5");
    assert_eq!((&charge["id"], &charge["account_id"]), (&made.json()["charge_id"], &json!(account)));
    let rest = refund(&api, &path, json!({})).await.created();
    assert_eq!((&rest["credits"], &rest["balance"]["available"]), (&json!("3.5"), &json!("10")));
    assert_eq!(api.get(path.trim_end_matches("/refund")).await.ok()["refunded"], "5");
    assert_eq!(api.history(&account).await, ["grant 10", "charge -5", "refund 1.5", "refund 3.5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_is_left_is_refused() {
    let api = Api::new();
    let account = api.funded("10").await;
    let path = charged(&api, &account, "5").await;
    let refused = refund(&api, &path, json!({"credits": "5.000001"})).await;
    assert_eq!(refused.refusal(), "409 conflict, refund_exceeds_charge");
    refund(&api, &path, json!({"credits": 3})).await.created();
    let refused = refund(&api, &path, json!({"credits": 3})).await;
    assert_eq!(refused.refusal(), "409 conflict, refund_exceeds_charge");
    refund(&api, &path, json!({})).await.created();
    let refused = refund(&api, &path, json!({})).await;
    assert_eq!(refused.refusal(), "409 conflict, refund_exceeds_charge", "nothing is left");
    let free = charged(&api, &account, "0").await;
    assert_eq!(refund(&api, &free, json!({})).await.refusal(), "409 conflict, refund_exceeds_charge");
    assert_eq!(api.standing(&account).await, "available 10, held 0, seq 5");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captured_charge_is_refunded_as_any_other() {
    let api = Api::new();
    let account = api.funded("10").await;
    let hold = api.move_credits("/v1/holds", json!({"account_id": account, "credits": 4})).await.created();
    let capture = format!("/v1/holds/{}/capture", hold["id"].string());
    let charge = api.move_credits(&capture, json!({"credits": 6, "excess": "charge"})).await.created();
    let path = format!("/v1/charges/{}/refund", charge["id"].string());
    assert_eq!(refund(&api, &path, json!({})).await.created()["credits"], "6");
    assert_eq!(api.standing(&account).await, "available 10, held 0, seq 4");
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_return_to_their_lots_in_reverse_burn_order() {
    let api = Api::new();
    let account = api.account().await;
    let first = grant(&api, &account, json!({"credits": 3, "priority": 1})).await;
    let second = grant(&api, &account, json!({"credits": 3, "priority": 2})).await;
    let path = charged(&api, &account, "5").await;
    refund(&api, &path, json!({"credits": 3})).await.created();
    let remaining = async |id: &str| api.get(&format!("/v1/grants/{id}")).await.ok()["remaining"].string();
    assert_eq!((remaining(&first).await, remaining(&second).await), ("1".into(), "3".into()));
    let entries = api.entries(&account).await;
    assert_eq!(
        entries[3]["lots"],
        json!([{"grant_id": second, "credits": "2"}, {"grant_id": first, "credits": "1"}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_from_an_expired_lot_becomes_promotional_for_thirty_days() {
    let api = Api::new();
    let account = api.account().await;
    let expiring = grant(&api, &account, json!({"credits": 5, "expires_at": "2026-08-22T13:00:00Z"})).await;
    let path = charged(&api, &account, "4").await;
    api.pass_seconds(3600);
    let first = api.move_named(&path, "r1", json!({"credits": 1})).await;
    assert_eq!(first.created()["balance"], json!({"available": "1", "held": "0"}));
    let second = api.move_named(&path, "r2", json!({"credits": 2})).await;
    let grants = async || api.get(&format!("/v1/accounts/{account}/grants")).await.ok()["data"].clone();
    let listed = grants().await;
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "one such lot an account and day: {listed}");
    let lot = &listed[0];
    assert_eq!((lot["category"].string(), lot["remaining"].string()), ("promotional".into(), "3".into()));
    assert_eq!(lot["expires_at"], "2026-09-21T13:00:00.000Z");
    assert_eq!((listed[1]["id"].string(), listed[1]["status"].string()), (expiring, "expired".into()));

    // Replays make no further lot, and read as they did, also once that lot is spent and has expired.
    api.replays(&path, "r1", json!({"credits": 1}), &first).await;
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 2})).await.created();
    api.replays(&path, "r2", json!({"credits": 2}), &second).await;
    api.pass_seconds(24 * 60 * 60);
    let third = api.move_named(&path, "r3", json!({})).await;
    assert_eq!(third.created()["credits"], "1");
    assert_eq!(grants().await.as_array().map(Vec::len), Some(3), "another day, another lot");
    api.pass_seconds(60 * 24 * 60 * 60);
    assert_eq!(api.standing(&account).await, "available 0, held 0, seq 9");
    for (name, body, first) in [
        ("r1", json!({"credits": 1}), &first),
        ("r2", json!({"credits": 2}), &second),
        ("r3", json!({}), &third),
    ] {
        api.replays(&path, name, body, first).await;
    }
    assert_eq!(
        api.history(&account).await,
        [
            "grant 5",
            "charge -4",
            "expire -1",
            "refund 1",
            "refund 2",
            "charge -2",
            "refund 1",
            "expire -1",
            "expire -1"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_from_a_voided_lot_is_voided_at_once() {
    let api = Api::new();
    let account = api.account().await;
    let id = grant(&api, &account, json!({"credits": 5})).await;
    let path = charged(&api, &account, "2").await;
    api.move_credits(&format!("/v1/grants/{id}/void"), json!({})).await.ok();
    let refunded = api.move_named(&path, "r1", json!({})).await;
    assert_eq!(refunded.created()["credits"], "2");
    assert_eq!(api.history(&account).await, ["grant 5", "charge -2", "void -3", "refund 2", "void -2"]);
    assert_eq!(api.standing(&account).await, "available 0, held 0, seq 5");
    let grant = api.get(&format!("/v1/grants/{id}")).await.ok();
    assert_eq!((&grant["status"], &grant["remaining"]), (&json!("voided"), &json!("0")));
    api.replays(&path, "r1", json!({}), &refunded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_from_the_overdraft_lowers_the_debt_and_then_is_paid_credit() {
    let api = Api::new();
    let account = api.overdrawable("1", "10").await;
    let path = charged(&api, &account, "6").await;
    let lowered = refund(&api, &path, json!({"credits": 2})).await.created();
    assert_eq!(lowered["balance"]["available"], "-3");
    api.move_credits(&format!("/v1/accounts/{account}/grants"), json!({"credits": 3})).await.created();
    let repaid = api.move_named(&path, "r1", json!({"credits": 3})).await;
    assert_eq!(repaid.created()["balance"]["available"], "3");
    let balance = api.get(&format!("/v1/accounts/{account}/balance")).await.ok();
    let lot = &balance["grants"][0];
    assert_eq!(
        (&lot["category"], &lot["remaining"], &lot["expires_at"]),
        (&json!("paid"), &json!("3"), &json!(null))
    );
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 8})).await.created();
    api.replays(&path, "r1", json!({"credits": 3}), &repaid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_returns_to_its_key_s_limit_while_the_period_runs() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body = json!({"name": "a", "limit": {"credits": 5, "period": "day"}});
    let key = api.post(&format!("/v1/accounts/{account}/keys"), body).await.created();
    let spent = async || api.get(&format!("/v1/keys/{}", key["id"].string())).await.ok()["spent"].string();
    let body = json!({"api_key": key["secret"], "credits": 3});
    let charge = api.move_credits("/v1/charges", body.clone()).await.created();
    let path = format!("/v1/charges/{}/refund", charge["id"].string());
    refund(&api, &path, json!({"credits": 1})).await.created();
    assert_eq!(spent().await, "2");
    api.pass_seconds(24 * 60 * 60);
    api.move_credits("/v1/charges", body).await.created();
    refund(&api, &path, json!({})).await.created();
    assert_eq!(spent().await, "3", "the day of the charge is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn replays_and_remembered_refusals_are_the_first_answer() {
    let api = Api::new();
    let account = api.funded("10").await;
    let path = charged(&api, &account, "5").await;
    let too_much = api.move_named(&path, "too-much", json!({"credits": 6})).await;
    assert_eq!(too_much.refusal(), "409 conflict, refund_exceeds_charge");
    let all = api.move_named(&path, "all", json!({})).await;
    all.created();
    let other = charged(&api, &account, "5").await;
    for (path, body) in [(&path, json!({"credits": 5})), (&path, json!({"credits": 1})), (&other, json!({}))]
    {
        let reused = api.move_named(path, "all", body.clone()).await;
        assert_eq!(reused.refusal(), "422 idempotency_key_reused", "{path} {body}");
    }
    api.pass_seconds(60);
    api.replays(&path, "all", json!({"credits": null}), &all).await;
    api.replays(&path, "too-much", json!({"credits": "6.0"}), &too_much).await;
    assert_eq!(api.standing(&account).await, "available 5, held 0, seq 4");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_by_field() {
    let api = Api::new();
    let account = api.funded("10").await;
    let path = charged(&api, &account, "5").await;
    for (body, refusal) in [
        (json!({"credits": 0}), "400 invalid_request, credits"),
        (json!({"credits": "-1"}), "400 invalid_request, credits"),
        (json!({"credits": 1.5}), "400 invalid_request, credits"),
        (json!({"credits": "0.0000001"}), "400 invalid_request, credits"),
        (json!({"credits": true}), "400 invalid_request, credits"),
        (json!({"reason": "x"}), "400 invalid_request, reason"),
        (json!([]), "400 invalid_request, body"),
    ] {
        assert_eq!(refund(&api, &path, body.clone()).await.refusal(), refusal, "{body}");
    }
    assert_eq!(api.post(&path, json!({})).await.refusal(), "400 invalid_request, Idempotency-Key");
    for id in ["chg_00000000000000000000000000", "nonsense", "hld_00000000000000000000000000"] {
        let path = format!("/v1/charges/{id}/refund");
        assert_eq!(api.move_named(&path, "unknown", json!({})).await.refusal(), "404 not_found", "{id}");
    }
    api.move_named(&path, "unknown", json!({})).await.created();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_account_is_given_back_and_a_closed_one_is_not() {
    let api = Api::new();
    let account = api.funded("10").await;
    let path = charged(&api, &account, "5").await;
    let status = async |status: &str| {
        api.patch(&format!("/v1/accounts/{account}"), json!({"status": status})).await.ok();
    };
    status("frozen").await;
    refund(&api, &path, json!({"credits": 1})).await.created();
    status("closed").await;
    let refused = api.move_named(&path, "late", json!({"credits": 1})).await;
    assert_eq!(refused.refusal(), "409 conflict, account_closed");
    api.replays(&path, "late", json!({"credits": 1}), &refused).await;
}
