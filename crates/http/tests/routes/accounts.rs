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
