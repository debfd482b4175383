//! `/v1/accounts`.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Api, AsString as _};

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_created_and_shown() {
    let api = Api::new();
    let body = json!({
        "name": "Acme", "external_id": "customer-7", "overdraft_limit": "5.50", "metadata": {"plan": "pro"},
    });
    let created = api.post("/v1/accounts", body).await;
    assert_snapshot!(created.shown(), @r#"201 {"id":"acc_…","name":"Acme","external_id":"customer-7","status":"active","overdraft_limit":"5.5","metadata":{"plan":"pro"},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"0","held":"0"}}"#);
    let shown = api.get(&format!("/v1/accounts/{}", created.json()["id"].string())).await;
    assert_eq!(shown.ok(), created.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_is_a_name() {
    let created = Api::new().post("/v1/accounts", json!({"name": "Acme"})).await;
    assert_snapshot!(created.shown(), @r#"201 {"id":"acc_…","name":"Acme","external_id":null,"status":"active","overdraft_limit":"0","metadata":{},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"0","held":"0"}}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_by_field() {
    let api = Api::new();
    for (body, refusal) in [
        (json!({}), "400 invalid_request, name"),
        (json!({"name": ""}), "400 invalid_request, name"),
        (json!({"name": 5}), "400 invalid_request, name"),
        (json!({"name": null}), "400 invalid_request, name"),
        (json!({"name": "x".repeat(256)}), "400 invalid_request, name"),
        (json!({"name": "a\u{0}b"}), "400 invalid_request, name"),
        (json!({"name": "Acme", "colour": "red"}), "400 invalid_request, colour"),
        (json!({"name": "Acme", "external_id": ""}), "400 invalid_request, external_id"),
        (json!({"name": "Acme", "overdraft_limit": "-1"}), "400 invalid_request, overdraft_limit"),
        (json!({"name": "Acme", "overdraft_limit": 0.5}), "400 invalid_request, overdraft_limit"),
        (json!({"name": "Acme", "metadata": {"a": 1}}), "400 invalid_request, metadata.a"),
        (json!({"name": "Acme", "metadata": {"": "x"}}), "400 invalid_request, metadata"),
        (json!({"name": "Acme", "metadata": []}), "400 invalid_request, metadata"),
        (json!([]), "400 invalid_request, body"),
        (json!(["Acme", null, null, null]), "400 invalid_request, body"),
    ] {
        let answer = api.post("/v1/accounts", body.clone()).await;
        assert_eq!(answer.refusal(), refusal, "{body}");
    }
    assert_eq!(api.get("/v1/accounts").await.ok()["data"], json!([]), "nothing was created");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_where_they_stopped() {
    let api = Api::new();
    let mut created = Vec::new();
    for number in 0..5 {
        let body = json!({"name": format!("account {number}"), "external_id": format!("e{number}")});
        created.push(api.post("/v1/accounts", body).await.created()["id"].string());
    }
    created.reverse();
    let mut seen = Vec::new();
    let mut path = "/v1/accounts?limit=2".to_owned();
    loop {
        let page = api.get(&path).await.ok();
        seen.extend(page["data"].as_array().expect("a list").iter().map(|account| account["id"].string()));
        if page["has_more"] == false {
            assert_eq!(page["next_cursor"], json!(null));
            break;
        }
        path = format!("/v1/accounts?limit=2&cursor={}", page["next_cursor"].string());
    }
    assert_eq!(seen, created);
    let found = api.get("/v1/accounts?external_id=e3&status=active").await.ok();
    assert_eq!(found["data"][0]["id"].string(), created[1]);
    assert_eq!(api.get("/v1/accounts?external_id=e9").await.ok()["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_checked() {
    let api = Api::new();
    for (path, refusal) in [
        ("/v1/accounts?limit=0", "400 invalid_request, limit"),
        ("/v1/accounts?limit=101", "400 invalid_request, limit"),
        ("/v1/accounts?limit=many", "400 invalid_request, limit"),
        ("/v1/accounts?cursor=nonsense", "400 invalid_request, cursor"),
        ("/v1/accounts?status=gone", "400 invalid_request, status"),
        ("/v1/accounts?colour=red", "400 invalid_request, colour"),
        ("/v1/accounts/acc_00000000000000000000000000", "404 not_found"),
        ("/v1/accounts/nonsense", "404 not_found"),
        ("/v1/accounts/key_00000000000000000000000000", "404 not_found"),
        ("/v1/nonsense", "404 not_found"),
    ] {
        assert_eq!(api.get(path).await.refusal(), refusal, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_shows_every_open_grant_in_burn_order() {
    let api = Api::new();
    let account = api.funded("10").await;
    let path = format!("/v1/accounts/{account}/grants");
    let body = json!({"credits": "2.5", "category": "promotional", "expires_at": "2026-09-01T00:00:00Z"});
    api.move_credits(&path, body).await.created();
    let balance = api.get(&format!("/v1/accounts/{account}/balance")).await;
    assert_snapshot!(balance.shown(), @r#"200 {"account_id":"acc_…","available":"12.5","held":"0","posted":"12.5","overdraft_limit":"0","next_expiry":{"at":"2026-09-01T00:00:00.000Z","credits":"2.5"},"grants":[{"id":"grt_…","remaining":"2.5","held":"0","category":"promotional","priority":50,"expires_at":"2026-09-01T00:00:00.000Z"},{"id":"grt_…","remaining":"10","held":"0","category":"paid","priority":50,"expires_at":null}],"seq":2,"at":"2026-08-22T12:00:00.000Z"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_changed_in_what_is_given() {
    let api = Api::new();
    let body = json!({"name": "Acme", "external_id": "customer-7", "metadata": {"plan": "pro"}});
    let account = api.post("/v1/accounts", body).await.created();
    let path = format!("/v1/accounts/{}", account["id"].string());
    let changed = api.patch(&path, json!({"name": "Acme Ltd", "overdraft_limit": "2.50"})).await;
    assert_snapshot!(changed.shown(), @r#"200 {"id":"acc_…","name":"Acme Ltd","external_id":"customer-7","status":"active","overdraft_limit":"2.5","metadata":{"plan":"pro"},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"0","held":"0"}}"#);
    assert_eq!(api.get(&path).await.ok(), changed.json());
    let replaced = api.patch(&path, json!({"metadata": {"tier": "1"}, "status": "frozen"})).await.ok();
    assert_eq!((&replaced["metadata"], &replaced["status"]), (&json!({"tier": "1"}), &json!("frozen")));
    assert_eq!(replaced["name"], "Acme Ltd");
    let same = api.patch(&path, json!({})).await.ok();
    assert_eq!(same, replaced, "nothing given, nothing changed");
    for (status, count) in [("frozen", 1), ("active", 0), ("closed", 0)] {
        let listed = api.get(&format!("/v1/accounts?status={status}")).await.ok();
        assert_eq!(listed["data"].as_array().map(Vec::len), Some(count), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_breaks_a_rule_is_refused_by_field() {
    let api = Api::new();
    let account = api.post("/v1/accounts", json!({"name": "Acme", "external_id": "e1"})).await.created();
    let path = format!("/v1/accounts/{}", account["id"].string());
    for (body, refusal) in [
        (json!({"name": ""}), "400 invalid_request, name"),
        (json!({"name": "x".repeat(256)}), "400 invalid_request, name"),
        (json!({"overdraft_limit": "-1"}), "400 invalid_request, overdraft_limit"),
        (json!({"overdraft_limit": 1.5}), "400 invalid_request, overdraft_limit"),
        (json!({"status": "gone"}), "400 invalid_request, status"),
        (json!({"status": 1}), "400 invalid_request, status"),
        (json!({"metadata": {"a": null}}), "400 invalid_request, metadata.a"),
        // Fixed at creation.
        (json!({"external_id": "e2"}), "400 invalid_request, external_id"),
        (json!({"balance": "5"}), "400 invalid_request, balance"),
        (json!([]), "400 invalid_request, body"),
    ] {
        assert_eq!(api.patch(&path, body.clone()).await.refusal(), refusal, "{body}");
    }
    assert_eq!(api.get(&path).await.ok(), account, "nothing was changed");
    for id in ["acc_00000000000000000000000000", "nonsense"] {
        let answer = api.patch(&format!("/v1/accounts/{id}"), json!({"name": "b"})).await;
        assert_eq!(answer.refusal(), "404 not_found", "{id}");
    }
    let taken = api.post("/v1/accounts", json!({"name": "Other", "external_id": "e1"})).await;
    assert_eq!(taken.refusal(), "409 conflict, external_id_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_account_is_charged_nothing_new() {
    let api = Api::new();
    let account = api.funded("10").await;
    let path = format!("/v1/accounts/{account}");
    let charge = json!({"account_id": account, "credits": 1});
    let hold = api.move_credits("/v1/holds", charge.clone()).await.created();
    api.patch(&path, json!({"status": "frozen"})).await.ok();
    for what in ["/v1/charges", "/v1/holds"] {
        let refused = api.move_named(what, what, charge.clone()).await;
        assert_eq!(refused.refusal(), "403 account_frozen", "{what}");
    }
    let grants = format!("{path}/grants");
    api.move_credits(&grants, json!({"credits": 1})).await.created();
    api.move_credits(&format!("/v1/holds/{}/release", hold["id"].string()), json!({})).await.ok();
    api.patch(&path, json!({"status": "active"})).await.ok();
    let charged = api.move_named("/v1/charges", "/v1/charges", charge).await;
    charged.created();
    assert_eq!(charged.header("idempotency-replayed"), "", "a refusal of its state is not remembered");
    assert_eq!(api.standing(&account).await, "available 10, held 0, seq 5");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_takes_back_what_is_left_and_keeps_what_happened() {
    let api = Api::new();
    let account = api.overdrawable("5", "10").await;
    let path = format!("/v1/accounts/{account}");
    let close = async || api.patch(&path, json!({"status": "closed", "name": "Former"})).await;
    let grants = format!("{path}/grants");
    let pending = json!({"credits": 9, "effective_at": "2026-10-01T00:00:00Z"});
    let pending = api.move_credits(&grants, pending).await.created()["id"].string();
    let hold = api.move_credits("/v1/holds", json!({"account_id": account, "credits": 1})).await.created();
    assert_eq!(close().await.refusal(), "409 conflict, open_holds");
    api.move_credits(&format!("/v1/holds/{}/release", hold["id"].string()), json!({})).await.ok();
    api.move_credits("/v1/charges", json!({"account_id": account, "credits": 7})).await.created();
    assert_eq!(close().await.refusal(), "409 conflict, in_debt");
    assert_eq!(api.get(&path).await.ok()["name"], "Acme", "a refused change changes nothing");
    let grant = api.move_named(&grants, "last", json!({"credits": 6})).await;
    grant.created();
    let closed = close().await.ok();
    assert_eq!((&closed["status"], &closed["name"]), (&json!("closed"), &json!("Former")));
    assert_eq!(closed["balance"], json!({"available": "0", "held": "0"}));
    assert_eq!(
        api.history(&account).await,
        ["grant 5", "hold -1 held 1", "release 1 held -1", "charge -7", "grant 6", "void -4"]
    );
    assert_eq!(api.get(&format!("/v1/grants/{pending}")).await.ok()["status"], "voided");

    // For good.
    for body in [json!({"status": "active"}), json!({"status": "frozen"}), json!({"overdraft_limit": 5})] {
        let refused = api.patch(&path, body.clone()).await;
        assert_eq!(refused.refusal(), "409 conflict, account_closed", "{body}");
    }
    for (path, body) in [
        ("/v1/charges", json!({"account_id": account, "credits": 0})),
        ("/v1/holds", json!({"account_id": account, "credits": 1})),
        (&grants, json!({"credits": 1})),
    ] {
        let name = format!("late {path}").replace(' ', "-");
        let refused = api.move_named(path, &name, body.clone()).await;
        assert_eq!(refused.refusal(), "409 conflict, account_closed", "{path}");
        api.replays(path, &name, body, &refused).await;
    }
    api.replays(&grants, "last", json!({"credits": 6}), &grant).await;
    api.pass_seconds(60 * 24 * 60 * 60);
    assert_eq!(api.standing(&account).await, "available 0, held 0, seq 6", "what was pending never comes");
}
