//! `/v1/holds`, and what becomes of them: capture, release, and the end of their time.

use axum::body::Body;
use axum::http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Answer, Api, AsString as _, request};

const NOBODY: &str = "hld_00000000000000000000000000";

/// A hold of an account: its id.
async fn hold(api: &Api, account: &str, credits: &str) -> String {
    let body = json!({"account_id": account, "credits": credits});
    api.move_credits("/v1/holds", body).await.created()["id"].string()
}

async fn capture(api: &Api, hold: &str, body: Value) -> Answer {
    api.move_credits(&format!("/v1/holds/{hold}/capture"), body).await
}

async fn release(api: &Api, hold: &str) -> Answer {
    api.move_credits(&format!("/v1/holds/{hold}/release"), json!({})).await
}

/// What a hold shows of itself.
async fn shows(api: &Api, hold: &str) -> String {
    let hold = api.get(&format!("/v1/holds/{hold}")).await.ok();
    let [status, credits, captured] = ["status", "credits", "captured"].map(|name| hold[name].string());
    format!("{status}, {captured} of {credits}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_made_and_shown() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body = json!({
        "account_id": account, "credits": "2.50", "expires_in": 60, "reference": "job 9", "metadata": {"a": "b"},
    });
    let made = api.move_credits("/v1/holds", body).await;
    assert_snapshot!(made.shown(), @r#"201 {"id":"hld_…","account_id":"acc_…","key_id":null,"operation":null,"quantity":null,"credits":"2.5","captured":"0","status":"open","expires_at":"2026-08-22T12:01:00.000Z","reference":"job 9","metadata":{"a":"b"},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"7.5","held":"2.5"}}"#);
    let hold = made.json();
    assert_eq!(api.get(&format!("/v1/holds/{}", hold["id"].string())).await.ok(), hold);
    assert_eq!(api.get("/v1/holds").await.ok()["data"], json!([hold]));
    let balance = api.get(&format!("/v1/accounts/{account}/balance")).await.ok();
    assert_eq!((&balance["posted"], &balance["grants"][0]["held"]), (&json!("10"), &json!("2.5")));
    // The bucket of the account is in the id of everything that belongs to it.
    assert_eq!(hold["id"].string()[hold["id"].string().len() - 1..], account[account.len() - 1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_lasts_a_quarter_of_an_hour_unless_it_says_otherwise() {
    let api = Api::new();
    let account = api.funded("10").await;
    for (expires_in, expires_at) in [
        (json!(null), "2026-08-22T12:15:00.000Z"),
        (json!(1), "2026-08-22T12:00:01.000Z"),
        (json!(604_800), "2026-08-29T12:00:00.000Z"),
    ] {
        let body = json!({"account_id": account, "credits": 1, "expires_in": expires_in});
        let hold = api.move_credits("/v1/holds", body).await.created();
        assert_eq!(hold["expires_at"].string(), expires_at, "{expires_in}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_s_key_holds_for_an_operation_at_its_price() {
    let api = Api::new();
    let account = api.funded("10").await;
    let (key_id, secret) = api.key(&account).await;
    api.put("/v1/prices/upscale", json!({"credits_per_unit": "0.25"})).await.ok();
    let body = json!({"operation": "upscale", "quantity": "3.0"});
    let request = request(Method::POST, "/v1/holds")
        .header("Idempotency-Key", "h1")
        .header("Content-Type", "application/json")
        .header("zf-api-key", &secret)
        .body(Body::from(body.to_string()));
    let made = api.send(request.expect("a request")).await;
    assert_snapshot!(made.shown(), @r#"201 {"id":"hld_…","account_id":"acc_…","key_id":"key_…","operation":"upscale","quantity":"3","credits":"0.75","captured":"0","status":"open","expires_at":"2026-08-22T12:15:00.000Z","reference":null,"metadata":{},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"9.25","held":"0.75"}}"#);
    assert_eq!(made.json()["key_id"].string(), key_id);
    let with_key = json!({"api_key": secret, "operation": "upscale", "quantity": 3});
    api.replays("/v1/holds", "h1", with_key, &made).await;

    // A capture by quantity pays the price of then, whatever the operation costs by now.
    api.put("/v1/prices/upscale", json!({"credits_per_unit": "5"})).await.ok();
    let hold = made.json()["id"].string();
    let captured = capture(&api, &hold, json!({"quantity": 2})).await;
    assert_snapshot!(captured.shown(), @r#"201 {"id":"chg_…","account_id":"acc_…","key_id":"key_…","hold_id":"hld_…","operation":"upscale","quantity":"2","credits":"0.5","refunded":"0","reference":null,"metadata":{},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"9.5","held":"0"}}"#);
    assert_eq!(shows(&api, &hold).await, "captured, 0.5 of 0.75");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_is_a_charge() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body = json!({"account_id": account, "credits": 4, "reference": "job 9", "metadata": {"a": "b"}});
    let hold = api.move_credits("/v1/holds", body).await.created()["id"].string();
    let captured = capture(&api, &hold, json!({})).await;
    assert_snapshot!(captured.shown(), @r#"201 {"id":"chg_…","account_id":"acc_…","key_id":null,"hold_id":"hld_…","operation":null,"quantity":null,"credits":"4","refunded":"0","reference":"job 9","metadata":{"a":"b"},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"6","held":"0"}}"#);
    let charge = captured.json();
    assert_eq!(charge["hold_id"].string(), hold);
    assert_eq!(api.get(&format!("/v1/charges/{}", charge["id"].string())).await.ok(), charge);
    assert_eq!(api.get("/v1/charges").await.ok()["data"], json!([charge]));
    assert_eq!(shows(&api, &hold).await, "captured, 4 of 4");
    assert_eq!(api.history(&account).await, ["grant 10", "hold -4 held 4", "capture 0 held -4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_final_capture_of_a_part_gives_the_rest_back() {
    let api = Api::new();
    let account = api.funded("10").await;
    let hold = hold(&api, &account, "5").await;
    let first = capture(&api, &hold, json!({"credits": 1, "final": false})).await.created();
    assert_eq!(first["balance"], json!({"available": "5", "held": "4"}));
    assert_eq!(shows(&api, &hold).await, "open, 1 of 5");
    let second = capture(&api, &hold, json!({"credits": "2.5"})).await.created();
    assert_eq!(second["balance"], json!({"available": "6.5", "held": "0"}));
    assert_eq!(shows(&api, &hold).await, "captured, 3.5 of 5");
    assert_eq!(
        api.history(&account).await,
        ["grant 10", "hold -5 held 5", "capture 0 held -1", "capture 0 held -2.5", "release 1.5 held -1.5"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_final_capture_of_nothing_is_a_release() {
    let api = Api::new();
    let account = api.funded("10").await;
    let hold = hold(&api, &account, "5").await;
    let captured = capture(&api, &hold, json!({"credits": 0})).await.created();
    assert_eq!((&captured["credits"], &captured["balance"]["available"]), (&json!("0"), &json!("10")));
    assert_eq!(shows(&api, &hold).await, "released, 0 of 5");
    assert_eq!(capture(&api, &hold, json!({})).await.refusal(), "409 conflict, hold_closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_gives_all_of_it_back() {
    let api = Api::new();
    let account = api.funded("10").await;
    let hold = hold(&api, &account, "5").await;
    let released = release(&api, &hold).await;
    assert_snapshot!(released.shown(), @r#"200 {"id":"hld_…","account_id":"acc_…","key_id":null,"operation":null,"quantity":null,"credits":"5","captured":"0","status":"released","expires_at":"2026-08-22T12:15:00.000Z","reference":null,"metadata":{},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"10","held":"0"}}"#);
    assert_eq!(api.history(&account).await, ["grant 10", "hold -5 held 5", "release 5 held -5"]);
    let partly = self::hold(&api, &account, "5").await;
    capture(&api, &partly, json!({"credits": 1, "final": false})).await.created();
    assert_eq!(release(&api, &partly).await.ok()["balance"], json!({"available": "9", "held": "0"}));
    assert_eq!(shows(&api, &partly).await, "released, 1 of 5", "what was captured stays captured");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_is_held_goes_by_what_the_caller_says() {
    let api = Api::new();
    let account = api.funded("10").await;
    let first = hold(&api, &account, "4").await;
    for body in [json!({"credits": 5}), json!({"credits": "4.000001", "excess": "refuse"})] {
        let refused = capture(&api, &first, body).await;
        assert_eq!(refused.refusal(), "409 conflict, capture_exceeds_hold");
    }
    let refused = capture(&api, &first, json!({"credits": 11, "excess": "charge"})).await;
    assert_eq!(refused.refusal(), "402 insufficient_credits, required 7, available 6");
    assert_eq!(shows(&api, &first).await, "open, 0 of 4", "all of it is refused");
    let charged = capture(&api, &first, json!({"credits": 6, "excess": "charge"})).await.created();
    assert_eq!(charged["credits"], "6");
    assert_eq!(charged["balance"], json!({"available": "4", "held": "0"}));
    assert_eq!(shows(&api, &first).await, "captured, 6 of 4");

    let second = hold(&api, &account, "4").await;
    let forced = capture(&api, &second, json!({"credits": "7.25", "excess": "force"})).await.created();
    assert_eq!(forced["balance"], json!({"available": "-3.25", "held": "0"}), "the rest is debt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_nobody_resolves_lapses() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body = json!({"account_id": account, "credits": 4, "expires_in": 60});
    let made = api.move_named("/v1/holds", "h1", body.clone()).await;
    let hold = made.created()["id"].string();
    api.pass_seconds(59);
    assert_eq!(shows(&api, &hold).await, "open, 0 of 4");
    api.pass_seconds(1);
    // Nothing has been written yet: reads show it anyway.
    assert_eq!(shows(&api, &hold).await, "expired, 0 of 4");
    assert_eq!(api.standing(&account).await, "available 10, held 0, seq 3");
    for (status, count) in [("open", 0), ("expired", 1), ("released", 0), ("captured", 0)] {
        let listed = api.get(&format!("/v1/holds?account_id={account}&status={status}")).await.ok();
        assert_eq!(listed["data"].as_array().map(Vec::len), Some(count), "{status}");
    }
    assert_eq!(capture(&api, &hold, json!({})).await.refusal(), "409 conflict, hold_closed");
    assert_eq!(release(&api, &hold).await.refusal(), "409 conflict, hold_closed");
    let entries = api.entries(&account).await;
    assert_eq!(entries[2]["at"], "2026-08-22T12:01:00.000Z", "it lapsed when it was due");
    assert_eq!(api.history(&account).await, ["grant 10", "hold -4 held 4", "release 4 held -4"]);
    assert_eq!(shows(&api, &hold).await, "expired, 0 of 4");
    api.replays("/v1/holds", "h1", body, &made).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_replayed_to_the_byte_although_the_state_has_moved_on() {
    let api = Api::new();
    let account = api.funded("10").await;
    let hold_body = json!({"account_id": account, "credits": 5, "reference": "job", "metadata": {"a": "b"}});
    let held = api.move_named("/v1/holds", "hold", hold_body.clone()).await;
    let capture_path = format!("/v1/holds/{}/capture", held.created()["id"].string());
    let part_body = json!({"credits": 1, "final": false});
    let part = api.move_named(&capture_path, "part", part_body.clone()).await;
    part.created();
    let rest_body = json!({"credits": 2});
    let rest = api.move_named(&capture_path, "rest", rest_body.clone()).await;
    rest.created();
    let other_body = json!({"account_id": account, "credits": 1});
    let other = api.move_named("/v1/holds", "other", other_body.clone()).await;
    let release_path = format!("/v1/holds/{}/release", other.created()["id"].string());
    let released = api.move_named(&release_path, "release", json!({})).await;
    released.ok();

    // Later charges, a refund of a capture, a day, a frozen account.
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 3})).await.created();
    let refund = format!("/v1/charges/{}/refund", rest.json()["id"].string());
    api.move_credits(&refund, json!({"credits": 1})).await.created();
    api.pass_seconds(24 * 60 * 60);
    api.patch(&format!("/v1/accounts/{account}"), json!({"status": "frozen"})).await.ok();
    let before = api.standing(&account).await;

    api.replays("/v1/holds", "hold", hold_body, &held).await;
    api.replays(&capture_path, "part", part_body, &part).await;
    api.replays(&capture_path, "rest", rest_body, &rest).await;
    api.replays("/v1/holds", "other", other_body, &other).await;
    api.replays(&release_path, "release", json!({}), &released).await;
    assert_eq!(api.standing(&account).await, before, "nothing moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_and_spellings_make_no_other_request() {
    let api = Api::new();
    let account = api.funded("10").await;
    let least = json!({"account_id": account, "credits": 5});
    let held = api.move_named("/v1/holds", "\"hold\"", least).await;
    let most = json!({
        "credits": "5.000000", "account_id": account, "expires_in": 900, "reference": null, "metadata": {},
    });
    api.replays("/v1/holds", "hold", most, &held).await;
    let path = format!("/v1/holds/{}/capture", held.created()["id"].string());
    let captured = api.move_named(&path, "capture", json!({})).await;
    api.replays(&path, "capture", json!({"final": true, "excess": "refuse"}), &captured).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_under_the_same_name_is_refused() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body = json!({"account_id": account, "credits": 2});
    let held = api.move_named("/v1/holds", "once", body.clone()).await.created();
    let other = hold(&api, &account, "1").await;
    let before = api.standing(&account).await;
    let id = held["id"].string();
    for (path, body) in [
        ("/v1/holds".to_owned(), json!({"account_id": account, "credits": 3})),
        ("/v1/holds".to_owned(), json!({"account_id": account, "credits": 2, "expires_in": 901})),
        ("/v1/holds".to_owned(), json!({"account_id": account, "credits": 2, "reference": "job"})),
        ("/v1/charges".to_owned(), body),
        (format!("/v1/holds/{id}/capture"), json!({})),
        (format!("/v1/holds/{id}/release"), json!({})),
        (format!("/v1/accounts/{account}/grants"), json!({"credits": 2})),
    ] {
        let answer = api.move_named(&path, "once", body.clone()).await;
        assert_eq!(answer.refusal(), "422 idempotency_key_reused", "{path} {body}");
    }
    let release = format!("/v1/holds/{id}/release");
    api.move_named(&release, "end", json!({})).await.ok();
    let answer = api.move_named(&format!("/v1/holds/{other}/release"), "end", json!({})).await;
    assert_eq!(answer.refusal(), "422 idempotency_key_reused", "another hold is another request");
    assert_eq!(before, "available 7, held 3, seq 3");
    assert_eq!(api.standing(&account).await, "available 9, held 1, seq 4", "nothing else was done");

    // The account is the scope of a name.
    let stranger = api.funded("10").await;
    api.move_named("/v1/holds", "once", json!({"account_id": stranger, "credits": 3})).await.created();
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_for_lack_of_credits_and_conflicts_are_remembered() {
    let api = Api::new();
    let account = api.funded("3").await;
    let body = json!({"account_id": account, "credits": 10});
    let refused = api.move_named("/v1/holds", "hold", body.clone()).await;
    assert_eq!(refused.refusal(), "402 insufficient_credits, required 10, available 3");
    let hold = hold(&api, &account, "2").await;
    let path = format!("/v1/holds/{hold}/capture");
    let too_much = json!({"credits": 3});
    let exceeding = api.move_named(&path, "capture", too_much.clone()).await;
    assert_eq!(exceeding.refusal(), "409 conflict, capture_exceeds_hold");
    let release_path = format!("/v1/holds/{hold}/release");
    release(&api, &hold).await.ok();
    let closed = api.move_named(&release_path, "release", json!({})).await;
    assert_eq!(closed.refusal(), "409 conflict, hold_closed");

    // A late retry can never spend what was topped up since.
    api.move_credits(&format!("/v1/accounts/{account}/grants"), json!({"credits": 100})).await.created();
    api.pass_seconds(23 * 60 * 60);
    api.replays("/v1/holds", "hold", body, &refused).await;
    api.replays(&path, "capture", too_much, &exceeding).await;
    api.replays(&release_path, "release", json!({}), &closed).await;
    assert_eq!(api.standing(&account).await, "available 103, held 0, seq 4");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_remembered() {
    let api = Api::new();
    let account = api.funded("10").await;
    let (key_id, secret) = api.key(&account).await;
    let broken = json!({"account_id": account, "credits": "-1"});
    assert_eq!(api.move_named("/v1/holds", "a", broken).await.refusal(), "400 invalid_request, credits");
    let unpriced = json!({"account_id": account, "operation": "upscale"});
    assert_eq!(api.move_named("/v1/holds", "a", unpriced.clone()).await.refusal(), "404 not_found");
    let path = format!("/v1/keys/{key_id}");
    api.patch(&path, json!({"disabled": true})).await.ok();
    let with_key = json!({"api_key": secret, "credits": 1});
    let dead = api.move_named("/v1/holds", "a", with_key).await;
    assert_eq!(dead.refusal(), "401 unauthorized, api_key");
    api.patch(&path, json!({"disabled": false})).await.ok();
    let frozen = api.patch(&format!("/v1/accounts/{account}"), json!({"status": "frozen"})).await;
    frozen.ok();
    assert_eq!(api.move_named("/v1/holds", "a", unpriced.clone()).await.refusal(), "403 account_frozen");
    api.patch(&format!("/v1/accounts/{account}"), json!({"status": "active"})).await.ok();
    api.put("/v1/prices/upscale", json!({"credits_per_unit": 2})).await.ok();
    let held = api.move_named("/v1/holds", "a", unpriced).await;
    assert_eq!((held.created()["credits"].string(), held.header("idempotency-replayed")), ("2".into(), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_account_holds_nothing_new_and_ends_what_it_has() {
    let api = Api::new();
    let account = api.funded("10").await;
    let (captured, released) = (hold(&api, &account, "2").await, hold(&api, &account, "3").await);
    api.patch(&format!("/v1/accounts/{account}"), json!({"status": "frozen"})).await.ok();
    let refused = api.move_credits("/v1/holds", json!({"account_id": account, "credits": 1})).await;
    assert_eq!(refused.refusal(), "403 account_frozen");
    capture(&api, &captured, json!({})).await.created();
    release(&api, &released).await.ok();
    assert_eq!(api.standing(&account).await, "available 8, held 0, seq 5");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_counts_whole_towards_its_key_s_limit_until_it_ends() {
    let api = Api::new();
    let account = api.funded("4").await;
    let body = json!({"name": "a", "limit": {"credits": 6, "period": "day"}});
    let key = api.post(&format!("/v1/accounts/{account}/keys"), body).await.created();
    let (path, secret) = (format!("/v1/keys/{}", key["id"].string()), key["secret"].string());
    let spent = async || api.get(&path).await.ok()["spent"].string();
    let hold = async |credits: u8| {
        api.move_credits("/v1/holds", json!({"api_key": secret, "credits": credits})).await
    };
    let first = hold(3).await.created()["id"].string();
    assert_eq!(spent().await, "3");
    // Where both are short the limit goes first.
    assert_eq!(hold(5).await.refusal(), "402 key_limit_exceeded, required 5, remaining 3");
    assert_eq!(hold(2).await.refusal(), "402 insufficient_credits, required 2, available 1");
    capture(&api, &first, json!({"credits": 1})).await.created();
    assert_eq!(spent().await, "1", "what is not captured returns");
    let second = hold(2).await.created()["id"].string();
    assert_eq!(spent().await, "3");
    // A capture asks neither the limit nor whether the key lives.
    api.post(&format!("{path}/revoke"), json!({})).await.ok();
    capture(&api, &second, json!({})).await.created();
    assert_eq!(spent().await, "3");
    let lapsing = api.key(&account).await;
    let body = json!({"api_key": lapsing.1, "credits": 1, "expires_in": 1});
    api.move_credits("/v1/holds", body).await.created();
    let path = format!("/v1/keys/{}", lapsing.0);
    assert_eq!(api.get(&path).await.ok()["spent"], "1");
    api.pass_seconds(1);
    assert_eq!(api.get(&path).await.ok()["spent"], "0", "what lapses returns");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_by_field() {
    let api = Api::new();
    let account = api.funded("10").await;
    for (body, refusal) in [
        (json!({}), "400 invalid_request, credits"),
        (json!({"credits": 1}), "400 invalid_request, account_id"),
        (json!({"account_id": account}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": 0}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": "-1"}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": 0.5}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": "1e1"}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": "+1"}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": "0.0000001"}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": 9_000_000_000_001_u64}), "400 invalid_request, credits"),
        (json!({"account_id": account, "credits": 1, "operation": "x"}), "400 invalid_request, operation"),
        (json!({"account_id": account, "credits": 1, "quantity": 1}), "400 invalid_request, quantity"),
        (json!({"account_id": account, "quantity": 1}), "400 invalid_request, quantity"),
        (json!({"account_id": account, "operation": ""}), "400 invalid_request, operation"),
        (json!({"account_id": account, "operation": "x", "quantity": 0}), "400 invalid_request, quantity"),
        (json!({"account_id": account, "operation": "x", "quantity": "-1"}), "400 invalid_request, quantity"),
        (json!({"account_id": account, "operation": "x", "quantity": 1.5}), "400 invalid_request, quantity"),
        (json!({"account_id": account, "credits": 1, "expires_in": 0}), "400 invalid_request, expires_in"),
        (
            json!({"account_id": account, "credits": 1, "expires_in": 604_801}),
            "400 invalid_request, expires_in",
        ),
        (json!({"account_id": account, "credits": 1, "expires_in": -1}), "400 invalid_request, expires_in"),
        (json!({"account_id": account, "credits": 1, "expires_in": 1.5}), "400 invalid_request, expires_in"),
        (json!({"account_id": account, "credits": 1, "expires_in": "60"}), "400 invalid_request, expires_in"),
        (json!({"account_id": account, "credits": 1, "reference": ""}), "400 invalid_request, reference"),
        (
            json!({"account_id": account, "credits": 1, "reference": "x".repeat(256)}),
            "400 invalid_request, reference",
        ),
        (
            json!({"account_id": account, "credits": 1, "metadata": {"a": 1}}),
            "400 invalid_request, metadata.a",
        ),
        (json!({"account_id": account, "api_key": "k", "credits": 1}), "400 invalid_request, account_id"),
        (json!({"account_id": "acc_1", "credits": 1}), "400 invalid_request, account_id"),
        (json!({"account_id": account, "credits": 1, "expires_at": "x"}), "400 invalid_request, expires_at"),
        (json!({"account_id": "acc_00000000000000000000000000", "credits": 1}), "404 not_found"),
        (json!({"account_id": account, "operation": "x"}), "404 not_found"),
        (json!({"api_key": "unknown-unknown-unknown-unknown-", "credits": 1}), "401 unauthorized, api_key"),
    ] {
        assert_eq!(api.move_credits("/v1/holds", body.clone()).await.refusal(), refusal, "{body}");
    }
    let hold = hold(&api, &account, "5").await;
    for (body, refusal) in [
        (json!({"credits": "-1"}), "400 invalid_request, credits"),
        (json!({"credits": 0.5}), "400 invalid_request, credits"),
        (json!({"credits": 0, "final": false}), "400 invalid_request, credits"),
        (json!({"credits": 1, "quantity": 1}), "400 invalid_request, quantity"),
        (json!({"quantity": 0}), "400 invalid_request, quantity"),
        (json!({"quantity": 1}), "400 invalid_request, quantity"),
        (json!({"final": "yes"}), "400 invalid_request, final"),
        (json!({"final": 1}), "400 invalid_request, final"),
        (json!({"excess": "ignore"}), "400 invalid_request, excess"),
        (json!({"excess": {"force": null}}), "400 invalid_request, excess"),
        (json!({"reference": "job"}), "400 invalid_request, reference"),
        (json!([]), "400 invalid_request, body"),
    ] {
        assert_eq!(capture(&api, &hold, body.clone()).await.refusal(), refusal, "{body}");
    }
    let answer = api.move_credits(&format!("/v1/holds/{hold}/release"), json!({"credits": 1})).await;
    assert_eq!(answer.refusal(), "400 invalid_request, credits");
    assert_eq!(api.standing(&account).await, "available 5, held 5, seq 2", "nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_that_moves_credits_needs_a_name() {
    let api = Api::new();
    let account = api.funded("10").await;
    let hold = hold(&api, &account, "5").await;
    for (path, body) in [
        ("/v1/holds".to_owned(), json!({"account_id": account, "credits": 1})),
        (format!("/v1/holds/{hold}/capture"), json!({})),
        (format!("/v1/holds/{hold}/release"), json!({})),
    ] {
        assert_eq!(api.post(&path, body.clone()).await.refusal(), "400 invalid_request, Idempotency-Key");
        for name in ["", "\"\"", "a b", &"x".repeat(256)] {
            let answer = api.move_named(&path, name, body.clone()).await;
            assert_eq!(answer.refusal(), "400 invalid_request, Idempotency-Key", "{path} {name:?}");
        }
    }
    assert_eq!(api.standing(&account).await, "available 5, held 5, seq 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_holds_is_404() {
    let api = Api::new();
    for id in [NOBODY, "nonsense", "chg_00000000000000000000000000"] {
        assert_eq!(api.get(&format!("/v1/holds/{id}")).await.refusal(), "404 not_found", "{id}");
        assert_eq!(capture(&api, id, json!({})).await.refusal(), "404 not_found", "{id}");
        assert_eq!(release(&api, id).await.refusal(), "404 not_found", "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_by_account_and_status_and_go_on_where_they_stopped() {
    let api = Api::new();
    let (account, other) = (api.funded("10").await, api.funded("10").await);
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(hold(&api, &account, "1").await);
    }
    hold(&api, &other, "1").await;
    release(&api, &made[1]).await.ok();
    capture(&api, &made[3], json!({})).await.created();
    made.reverse();
    let ids = |page: &Value| -> Vec<String> {
        page["data"].as_array().expect("a list").iter().map(|hold| hold["id"].string()).collect()
    };
    let mut seen = Vec::new();
    let mut path = format!("/v1/holds?account_id={account}&limit=2");
    loop {
        let page = api.get(&path).await.ok();
        seen.extend(ids(&page));
        if page["has_more"] == false {
            assert_eq!(page["next_cursor"], json!(null));
            break;
        }
        path = format!("/v1/holds?account_id={account}&limit=2&cursor={}", page["next_cursor"].string());
    }
    assert_eq!(seen, made);
    assert_eq!(ids(&api.get("/v1/holds").await.ok()).len(), 6);
    for (status, expected) in
        [("open", vec![0, 2, 4]), ("released", vec![3]), ("captured", vec![1]), ("expired", vec![])]
    {
        let listed = api.get(&format!("/v1/holds?account_id={account}&status={status}")).await.ok();
        let expected: Vec<String> = expected.into_iter().map(|place: usize| made[place].clone()).collect();
        assert_eq!(ids(&listed), expected, "{status}");
    }
    for (path, refusal) in [
        ("/v1/holds?limit=0", "400 invalid_request, limit"),
        ("/v1/holds?limit=101", "400 invalid_request, limit"),
        ("/v1/holds?cursor=nonsense", "400 invalid_request, cursor"),
        ("/v1/holds?status=gone", "400 invalid_request, status"),
        ("/v1/holds?account_id=nonsense", "400 invalid_request, account_id"),
        ("/v1/holds?colour=red", "400 invalid_request, colour"),
    ] {
        assert_eq!(api.get(path).await.refusal(), refusal, "{path}");
    }
    let nobodys = api.get("/v1/holds?account_id=acc_00000000000000000000000000").await.ok();
    assert_eq!(nobodys["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_at_most_ten_thousand_open_holds() {
    let api = Api::new();
    let account = api.funded("20000").await;
    let operation = |number: usize| json!({"idempotency_key": format!("h{number}"), "type": "hold", "account_id": account, "credits": 1});
    let operations: Vec<Value> = (0..10_000).map(operation).collect();
    let made = api.post("/v1/batch", json!({"operations": operations})).await.ok();
    let results = made["results"].as_array().expect("a list");
    assert!(results.iter().all(|result| result["status"] == 201));
    let body = json!({"account_id": account, "credits": 1});
    let one_more = api.move_named("/v1/holds", "one-more", body.clone()).await;
    assert_eq!(one_more.refusal(), "409 conflict, too_many_open");
    release(&api, &results[0]["body"]["id"].string()).await.ok();
    api.replays("/v1/holds", "one-more", body.clone(), &one_more).await;
    api.move_credits("/v1/holds", body).await.created();
    assert_eq!(api.standing(&account).await, "available 10000, held 10000, seq 10003");
}
