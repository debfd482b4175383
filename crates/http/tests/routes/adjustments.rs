//! `/v1/accounts/{id}/adjustments`.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Api, AsString as _};

#[tokio::test(flavor = "multi_thread")]
async fn more_credits_are_a_paid_lot_that_never_expires() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/adjustments");
    let made = api.move_credits(&path, json!({"credits": "2.50", "reason": "double billing of May"})).await;
    assert_snapshot!(made.shown(), @r#"201 {"id":"adj_…","account_id":"acc_…","credits":"2.5","reason":"double billing of May","created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"2.5","held":"0"}}"#);
    let balance = api.get(&format!("/v1/accounts/{account}/balance")).await.ok();
    let lot = &balance["grants"][0];
    assert_eq!(lot["remaining"], "2.5");
    assert_eq!(
        (&lot["category"], &lot["priority"], &lot["expires_at"]),
        (&json!("paid"), &json!(50), &json!(null))
    );
    let grant = api.get(&format!("/v1/grants/{}", lot["id"].string())).await;
    assert_snapshot!(grant.shown(), @r#"200 {"id":"grt_…","account_id":"acc_…","credits":"2.5","remaining":"2.5","held":"0","category":"paid","priority":50,"effective_at":"2026-08-22T12:00:00.000Z","expires_at":null,"status":"active","reference":null,"metadata":{},"created_at":"2026-08-22T12:00:00.000Z"}"#);
    assert_eq!(api.get(&format!("/v1/accounts/{account}/grants")).await.ok()["data"], json!([grant.ok()]));
    let entries = api.entries(&account).await;
    assert_eq!(
        (&entries[0]["kind"], &entries[0]["adjustment_id"], &entries[0]["reason"]),
        (&json!("adjust"), &made.json()["id"], &json!("double billing of May"))
    );
    assert_eq!(made.json()["id"].string()[29..], account[29..], "the bucket of the account is in its id");
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_credits_burn_as_a_charge_does() {
    let api = Api::new();
    let account = api.funded("5").await;
    let grants = format!("/v1/accounts/{account}/grants");
    api.move_credits(&grants, json!({"credits": 2, "priority": 1})).await.created();
    let path = format!("/v1/accounts/{account}/adjustments");
    let made = api.move_credits(&path, json!({"credits": -3, "reason": "typing error"})).await.created();
    assert_eq!((&made["credits"], &made["balance"]["available"]), (&json!("-3"), &json!("4")));
    let balance = api.get(&format!("/v1/accounts/{account}/balance")).await.ok();
    assert_eq!(balance["grants"].as_array().map(Vec::len), Some(1));
    assert_eq!(balance["grants"][0]["remaining"], "4");
    assert_eq!(api.history(&account).await, ["grant 5", "grant 2", "adjust -3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_is_available_is_taken_only_where_that_is_allowed() {
    let api = Api::new();
    let account = api.overdrawable("5", "2").await;
    let path = format!("/v1/accounts/{account}/adjustments");
    for body in [
        json!({"credits": -6, "reason": "r"}),
        json!({"credits": -6, "reason": "r", "allow_negative": false}),
    ] {
        let refused = api.move_credits(&path, body).await;
        assert_eq!(
            refused.refusal(),
            "402 insufficient_credits, required 6, available 5",
            "the overdraft is for charges"
        );
    }
    let body = json!({"credits": -20, "reason": "chargeback", "allow_negative": true});
    let made = api.move_credits(&path, body).await.created();
    assert_eq!(made["balance"], json!({"available": "-15", "held": "0"}), "past the overdraft limit too");
    let refused = api.move_credits("/v1/charges", json!({"account_id": account, "credits": 1})).await;
    assert_eq!(refused.refusal(), "402 insufficient_credits, required 1, available -15");

    // More credits pay the debt first.
    let paid = api.move_credits(&path, json!({"credits": 16, "reason": "settled"})).await.created();
    assert_eq!(paid["balance"]["available"], "1");
    let balance = api.get(&format!("/v1/accounts/{account}/balance")).await.ok();
    assert_eq!(balance["grants"][0]["remaining"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn replays_and_remembered_refusals_are_the_first_answer() {
    let api = Api::new();
    let account = api.funded("5").await;
    let path = format!("/v1/accounts/{account}/adjustments");
    let more = json!({"credits": 2, "reason": "r"});
    let given = api.move_named(&path, "more", more.clone()).await;
    given.created();
    let too_much = json!({"credits": -10, "reason": "r"});
    let refused = api.move_named(&path, "less", too_much.clone()).await;
    assert_eq!(refused.refusal(), "402 insufficient_credits, required 10, available 7");
    api.move_credits(&format!("/v1/accounts/{account}/grants"), json!({"credits": 90})).await.created();
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 40})).await.created();
    api.pass_seconds(60);
    let spelled = json!({"reason": "r", "credits": "2.0", "allow_negative": false});
    api.replays(&path, "more", spelled, &given).await;
    api.replays(&path, "less", too_much, &refused).await;
    for body in [
        json!({"credits": 3, "reason": "r"}),
        json!({"credits": 2, "reason": "s"}),
        json!({"credits": 2, "reason": "r", "allow_negative": true}),
    ] {
        let reused = api.move_named(&path, "more", body.clone()).await;
        assert_eq!(reused.refusal(), "422 idempotency_key_reused", "{body}");
    }
    assert_eq!(api.standing(&account).await, "available 57, held 0, seq 4");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_leave_the_range_is_refused() {
    let api = Api::new();
    let account = api.account().await;
    let path = format!("/v1/accounts/{account}/adjustments");
    let most = json!({"credits": 9_000_000_000_000_u64, "reason": "r"});
    api.move_credits(&path, most).await.created();
    let one_more = json!({"credits": "0.000001", "reason": "r"});
    let refused = api.move_named(&path, "one-more", one_more.clone()).await;
    assert_eq!(refused.refusal(), "409 conflict, balance_out_of_range");
    api.replays(&path, "one-more", one_more, &refused).await;

    let indebted = api.account().await;
    let path = format!("/v1/accounts/{indebted}/adjustments");
    let least = json!({"credits": -9_000_000_000_000_i64, "reason": "r", "allow_negative": true});
    api.move_credits(&path, least).await.created();
    let one_less = json!({"credits": -1, "reason": "r", "allow_negative": true});
    assert_eq!(api.move_credits(&path, one_less).await.refusal(), "409 conflict, balance_out_of_range");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_by_field() {
    let api = Api::new();
    let account = api.funded("5").await;
    let path = format!("/v1/accounts/{account}/adjustments");
    for (body, refusal) in [
        (json!({}), "400 invalid_request, credits"),
        (json!({"reason": "r"}), "400 invalid_request, credits"),
        (json!({"credits": 1}), "400 invalid_request, reason"),
        (json!({"credits": 0, "reason": "r"}), "400 invalid_request, credits"),
        (json!({"credits": "-0", "reason": "r"}), "400 invalid_request, credits"),
        (json!({"credits": 0.5, "reason": "r"}), "400 invalid_request, credits"),
        (json!({"credits": "9000000000000.1", "reason": "r"}), "400 invalid_request, credits"),
        (json!({"credits": "-9000000000001", "reason": "r"}), "400 invalid_request, credits"),
        (json!({"credits": 1, "reason": ""}), "400 invalid_request, reason"),
        (json!({"credits": 1, "reason": null}), "400 invalid_request, reason"),
        (json!({"credits": 1, "reason": "a\tb"}), "400 invalid_request, reason"),
        (json!({"credits": 1, "reason": "x".repeat(256)}), "400 invalid_request, reason"),
        (
            json!({"credits": 1, "reason": "r", "allow_negative": "yes"}),
            "400 invalid_request, allow_negative",
        ),
        (json!({"credits": 1, "reason": "r", "metadata": {}}), "400 invalid_request, metadata"),
    ] {
        assert_eq!(api.move_credits(&path, body.clone()).await.refusal(), refusal, "{body}");
    }
    let body = json!({"credits": 1, "reason": "用".repeat(255)});
    assert_eq!(api.post(&path, body.clone()).await.refusal(), "400 invalid_request, Idempotency-Key");
    assert_eq!(api.standing(&account).await, "available 5, held 0, seq 1", "nothing was done");
    api.move_credits(&path, body.clone()).await.created();
    for id in ["acc_00000000000000000000000000", "nonsense"] {
        let path = format!("/v1/accounts/{id}/adjustments");
        assert_eq!(api.move_credits(&path, body.clone()).await.refusal(), "404 not_found", "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_account_is_adjusted_and_a_closed_one_is_not() {
    let api = Api::new();
    let account = api.funded("5").await;
    let path = format!("/v1/accounts/{account}/adjustments");
    let status = async |status: &str| {
        api.patch(&format!("/v1/accounts/{account}"), json!({"status": status})).await.ok();
    };
    status("frozen").await;
    api.move_credits(&path, json!({"credits": 1, "reason": "r"})).await.created();
    status("closed").await;
    let refused = api.move_named(&path, "late", json!({"credits": 1, "reason": "r"})).await;
    assert_eq!(refused.refusal(), "409 conflict, account_closed");
    api.replays(&path, "late", json!({"credits": 1, "reason": "r"}), &refused).await;
}
