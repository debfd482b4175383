//! `/v1/prices`, and what operations come to.

use axum::body::Body;
use axum::http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Api, AsString as _, request};

async fn price(api: &Api, operation: &str, credits: &str) {
    api.put(&format!("/v1/prices/{operation}"), json!({"credits_per_unit": credits})).await.ok();
}

async fn operations(api: &Api) -> Vec<String> {
    let listed = api.get("/v1/prices").await.ok();
    listed["data"].as_array().expect("a list").iter().map(|price| price["operation"].string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_catalogue_holds_the_balance_for_free() {
    let listed = Api::new().get("/v1/prices").await;
    let data = &listed.ok()["data"];
    assert_eq!(data.as_array().map(Vec::len), Some(1), "{data}");
    assert_eq!(
        (&data[0]["operation"], &data[0]["credits_per_unit"]),
        (&json!("get-credits-balance"), &json!("0"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_put_listed_replaced_and_deleted() {
    let api = Api::new();
    let body = json!({"credits_per_unit": "0.250", "unit": "image", "description": "Remove a watermark"});
    let put = api.put("/v1/prices/remove-watermark", body).await;
    assert_snapshot!(put.shown(), @r#"200 {"operation":"remove-watermark","credits_per_unit":"0.25","unit":"image","description":"Remove a watermark","updated_at":"2026-08-22T12:00:00.000Z"}"#);
    price(&api, "upscale", "2").await;
    assert_eq!(operations(&api).await, ["upscale", "remove-watermark", "get-credits-balance"]);
    assert_eq!(api.get("/v1/prices?limit=2").await.ok()["data"][1], put.json());

    api.pass_seconds(1);
    let replaced = api.put("/v1/prices/remove-watermark", json!({"credits_per_unit": 1})).await;
    assert_snapshot!(replaced.shown(), @r#"200 {"operation":"remove-watermark","credits_per_unit":"1","unit":null,"description":null,"updated_at":"2026-08-22T12:00:01.000Z"}"#);

    let deleted = api.delete("/v1/prices/remove-watermark").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    assert_eq!(operations(&api).await, ["upscale", "get-credits-balance"]);
    assert_eq!(api.delete("/v1/prices/remove-watermark").await.refusal(), "404 not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_where_they_stopped() {
    let api = Api::new();
    for number in 0..4 {
        price(&api, &format!("operation-{number}"), "1").await;
    }
    let mut seen = Vec::new();
    let mut path = "/v1/prices?limit=2".to_owned();
    loop {
        let page = api.get(&path).await.ok();
        seen.extend(page["data"].as_array().expect("a list").iter().map(|price| price["operation"].string()));
        if page["has_more"] == false {
            break;
        }
        path = format!("/v1/prices?limit=2&cursor={}", page["next_cursor"].string());
    }
    assert_eq!(seen, ["operation-3", "operation-2", "operation-1", "operation-0", "get-credits-balance"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_balance_stays_free() {
    let api = Api::new();
    let path = "/v1/prices/get-credits-balance";
    for credits in [json!("1"), json!("0")] {
        let refused = api.put(path, json!({"credits_per_unit": credits})).await;
        assert_eq!(refused.refusal(), "409 conflict, reserved_operation");
    }
    assert_eq!(api.delete(path).await.refusal(), "409 conflict, reserved_operation");
    let account = api.account().await;
    let body = json!({"account_id": account, "operation": "get-credits-balance", "quantity": 1000});
    assert_eq!(api.move_credits("/v1/charges", body).await.created()["credits"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_are_named_as_paths_name_them() {
    let api = Api::new();
    let account = api.funded("100").await;
    let longest = "x".repeat(255);
    for (segment, operation) in [
        ("images%2Fupscale", "images/upscale"),
        ("%E5%8E%BB%E6%B0%B4%E5%8D%B0", "去水印"),
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("50%25", "50%"),
        ("v1:chat.completions", "v1:chat.completions"),
        ("%22quoted%22", "\"quoted\""),
        (longest.as_str(), longest.as_str()),
    ] {
        let path = format!("/v1/prices/{segment}");
        let put = api.put(&path, json!({"credits_per_unit": 1})).await.ok();
        assert_eq!(put["operation"], operation, "{segment}");
        let charge = json!({"account_id": account, "operation": operation});
        assert_eq!(api.move_credits("/v1/charges", charge).await.created()["operation"], operation);
        assert_eq!(api.delete(&path).await.status, 204, "{segment}");
    }
    for segment in ["a%00b", "a%0Ab", "%FF", "x".repeat(256).as_str()] {
        let path = format!("/v1/prices/{segment}");
        let refused = api.put(&path, json!({"credits_per_unit": 1})).await;
        assert_eq!(refused.refusal(), "400 invalid_request, operation", "{segment}");
        assert_eq!(api.delete(&path).await.refusal(), "400 invalid_request, operation", "{segment}");
    }
    for path in ["/v1/prices/", "/v1/prices/a/b"] {
        assert_eq!(api.put(path, json!({"credits_per_unit": 1})).await.refusal(), "404 not_found", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_has_up_to_twelve_fraction_digits_and_is_never_a_float() {
    let api = Api::new();
    for (given, kept) in [
        (json!("0.000000000001"), "0.000000000001"),
        (json!("123.123456789012"), "123.123456789012"),
        (json!("0.50"), "0.5"),
        (json!("1.000000000000"), "1"),
        (json!("0"), "0"),
        (json!(0), "0"),
        (json!(7), "7"),
        (json!("9000000"), "9000000"),
    ] {
        let put = api.put("/v1/prices/x", json!({"credits_per_unit": given})).await.ok();
        assert_eq!(put["credits_per_unit"], kept, "{given}");
    }
    for given in [
        json!("0.0000000000001"),
        json!("-1"),
        json!(-1),
        json!(0.5),
        json!(1.0),
        json!(1e3),
        json!("1e3"),
        json!("+1"),
        json!(""),
        json!(" 1"),
        json!(".5"),
        json!("1."),
        json!("NaN"),
        json!(true),
        json!(null),
        json!("9000000000001"),
        json!("99999999999999999999999999999999999999999"),
    ] {
        let refused = api.put("/v1/prices/y", json!({"credits_per_unit": given})).await;
        assert_eq!(refused.refusal(), "400 invalid_request, credits_per_unit", "{given}");
    }
    for (body, refusal) in [
        (json!({}), "400 invalid_request, credits_per_unit"),
        (json!({"credits_per_unit": 1, "unit": ""}), "400 invalid_request, unit"),
        (json!({"credits_per_unit": 1, "unit": "x".repeat(256)}), "400 invalid_request, unit"),
        (json!({"credits_per_unit": 1, "description": 5}), "400 invalid_request, description"),
        (json!({"credits_per_unit": 1, "description": "x".repeat(256)}), "400 invalid_request, description"),
        (json!({"credits_per_unit": 1, "operation": "y"}), "400 invalid_request, operation"),
    ] {
        assert_eq!(api.put("/v1/prices/y", body.clone()).await.refusal(), refusal, "{body}");
    }
    let listed = api.get("/v1/prices?limit=0").await;
    assert_eq!(listed.refusal(), "400 invalid_request, limit");
    assert_eq!(operations(&api).await, ["x", "get-credits-balance"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_rounded_half_even_to_a_millionth() {
    let api = Api::new();
    let account = api.funded("100000").await;
    for (rate, quantity, credits) in [
        ("0.25", json!(null), "0.25"),
        ("0.25", json!("2.5"), "0.625"),
        ("0.0000005", json!(1), "0"),
        ("0.0000005", json!(3), "0.000002"),
        ("0.0000005", json!(5), "0.000002"),
        ("0.0000005", json!("3.000001"), "0.000002"),
        ("0.0000005", json!("5.000001"), "0.000003"),
        ("0.000000000001", json!(499_999), "0"),
        ("0.000000000001", json!(500_001), "0.000001"),
        ("0.000000000001", json!(1_500_000), "0.000002"),
        ("0.333333333333", json!(3), "1"),
        ("33333.333333333333", json!("3"), "100000"),
        ("0", json!("9000000000000"), "0"),
    ] {
        price(&api, "x", rate).await;
        let body = json!({"account_id": account, "operation": "x", "quantity": quantity});
        let made = api.move_credits("/v1/charges", body).await.created();
        assert_eq!(made["credits"], credits, "{rate} × {quantity}");
        let refund = format!("/v1/charges/{}/refund", made["id"].string());
        if credits != "0" {
            api.move_credits(&refund, json!({})).await.created();
        }
    }
    price(&api, "x", "9000000").await;
    let body = json!({"account_id": account, "operation": "x", "quantity": "9000000000000"});
    assert_eq!(api.move_credits("/v1/charges", body).await.refusal(), "409 conflict, balance_out_of_range");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_for_an_operation_tells_its_quantity() {
    let api = Api::new();
    let account = api.funded("10").await;
    price(&api, "upscale", "0.25").await;
    let body = json!({"account_id": account, "operation": "upscale", "quantity": "3.50"});
    let made = api.move_named("/v1/charges", "c1", body.clone()).await;
    assert_snapshot!(made.shown(), @r#"201 {"id":"chg_…","account_id":"acc_…","key_id":null,"hold_id":null,"operation":"upscale","quantity":"3.5","credits":"0.875","refunded":"0","reference":null,"metadata":{},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"9.125","held":"0"}}"#);
    let least = json!({"account_id": account, "operation": "upscale"});
    let once = api.move_named("/v1/charges", "c2", least).await;
    assert_eq!(once.created()["quantity"], "1");
    let one = json!({"account_id": account, "operation": "upscale", "quantity": "1.0"});
    api.replays("/v1/charges", "c2", one, &once).await;

    // The first answer holds, whatever the operation costs by now, and whether it is there at all.
    price(&api, "upscale", "8").await;
    api.replays("/v1/charges", "c1", body.clone(), &made).await;
    assert_eq!(api.delete("/v1/prices/upscale").await.status, 204);
    api.replays("/v1/charges", "c1", body.clone(), &made).await;
    let refused = api.move_named("/v1/charges", "c3", body.clone()).await;
    assert_eq!(refused.refusal(), "404 not_found");
    price(&api, "upscale", "0.5").await;
    assert_eq!(api.move_named("/v1/charges", "c3", body).await.created()["credits"], "1.75");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_set_by_who_may_and_read_by_others() {
    let api = Api::new();
    let reader = api.operator(&["read", "charge", "grant", "admin"]).await;
    let body = json!({"credits_per_unit": 1});
    let send =
        async |method: Method, path: &str, body: &Value| api.send_as(&reader, method, path, "n", body).await;
    assert_eq!(send(Method::PUT, "/v1/prices/x", &body).await.refusal(), "403 forbidden");
    assert_eq!(send(Method::DELETE, "/v1/prices/x", &json!({})).await.refusal(), "403 forbidden");
    assert_eq!(send(Method::GET, "/v1/prices", &json!({})).await.status, 200);
    let unreadable = api.operator(&["charge", "grant", "manage", "admin"]).await;
    let refused = api.send_as(&unreadable, Method::GET, "/v1/prices", "n", &json!({})).await;
    assert_eq!(refused.refusal(), "403 forbidden");
    for (method, path, allow) in
        [(Method::POST, "/v1/prices", "GET,HEAD"), (Method::GET, "/v1/prices/x", "PUT,DELETE")]
    {
        let refused = api.send(request(method, path).body(Body::empty()).expect("a request")).await;
        assert_eq!((refused.refusal().as_str(), refused.header("allow")), ("405 method_not_allowed", allow));
    }
}
