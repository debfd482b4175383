//! `/v1/accounts/{id}/entries` and `/v1/accounts/{id}/usage`.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Method;
use http_body_util::BodyExt as _;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Api, AsString as _, request};

const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

/// An account to which everything has happened, a minute between any two.
async fn eventful(api: &Api) -> String {
    let account = api.account().await;
    let (_, secret) = api.key(&account).await;
    api.put("/v1/prices/upscale", json!({"credits_per_unit": "0.25"})).await.ok();
    let next = async |path: &str, body: Value| {
        let made = api.move_credits(path, body).await;
        assert!(made.status < 300, "{}", made.text);
        api.pass_seconds(60);
        made.json()["id"].string()
    };
    let grants = format!("/v1/accounts/{account}/grants");
    let body = json!({"credits": 10, "reference": "order 7", "metadata": {"by": "sales"}});
    let first = next(&grants, body).await;
    next(&grants, json!({"credits": 1, "priority": 90, "expires_at": "2026-08-22T12:30:00Z"})).await;
    let charge = next("/v1/charges", json!({"api_key": secret, "operation": "upscale", "quantity": 2})).await;
    let hold = next("/v1/holds", json!({"account_id": account, "credits": 3, "reference": "job"})).await;
    next(&format!("/v1/holds/{hold}/capture"), json!({"credits": 1})).await;
    next(&format!("/v1/charges/{charge}/refund"), json!({"credits": "0.2"})).await;
    let body = json!({"credits": "-0.7", "reason": "typing error"});
    next(&format!("/v1/accounts/{account}/adjustments"), body).await;
    next(&format!("/v1/grants/{first}/void"), json!({})).await;
    api.pass_seconds(30 * 60);
    account
}

async fn page(api: &Api, account: &str, parameters: &str) -> Value {
    api.get(&format!("/v1/accounts/{account}/entries{parameters}")).await.ok()
}

fn numbers<'a>(entries: impl IntoIterator<Item = &'a Value>) -> Vec<u64> {
    entries.into_iter().map(|entry| entry["seq"].as_u64().expect("a number")).collect()
}

fn data(page: &Value) -> &Vec<Value> {
    page["data"].as_array().expect("a list")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_entry_is_told() {
    let api = Api::new();
    let account = eventful(&api).await;
    let lines = api.get_as(&format!("/v1/accounts/{account}/entries"), NDJSON).await;
    assert_snapshot!(lines.shown(), @r#"
    200 {"seq":1,"kind":"grant","credits":"10","held_credits":"0","available_after":"10","held_after":"0","lots":[{"grant_id":"grt_…","credits":"10"}],"grant_id":"grt_…","reference":"order 7","metadata":{"by":"sales"},"salt":"…","reference_digest":"…","metadata_digest":"…","at":"2026-08-22T12:00:00.000Z","hash":"…"}
    {"seq":2,"kind":"grant","credits":"1","held_credits":"0","available_after":"11","held_after":"0","lots":[{"grant_id":"grt_…","credits":"1"}],"grant_id":"grt_…","at":"2026-08-22T12:01:00.000Z","hash":"…"}
    {"seq":3,"kind":"charge","credits":"-0.5","held_credits":"0","available_after":"10.5","held_after":"0","lots":[{"grant_id":"grt_…","credits":"-0.5"}],"charge_id":"chg_…","key_id":"key_…","operation":"upscale","quantity":"2","at":"2026-08-22T12:02:00.000Z","hash":"…"}
    {"seq":4,"kind":"hold","credits":"-3","held_credits":"3","available_after":"7.5","held_after":"3","lots":[{"grant_id":"grt_…","credits":"-3"}],"hold_id":"hld_…","reference":"job","salt":"…","reference_digest":"…","at":"2026-08-22T12:03:00.000Z","hash":"…"}
    {"seq":5,"kind":"capture","credits":"0","held_credits":"-1","available_after":"7.5","held_after":"2","lots":[{"grant_id":"grt_…","credits":"-1"}],"charge_id":"chg_…","hold_id":"hld_…","reference":"job","salt":"…","reference_digest":"…","at":"2026-08-22T12:04:00.000Z","hash":"…"}
    {"seq":6,"kind":"release","credits":"2","held_credits":"-2","available_after":"9.5","held_after":"0","lots":[{"grant_id":"grt_…","credits":"2"}],"hold_id":"hld_…","at":"2026-08-22T12:04:00.000Z","hash":"…"}
    {"seq":7,"kind":"refund","credits":"0.2","held_credits":"0","available_after":"9.7","held_after":"0","lots":[{"grant_id":"grt_…","credits":"0.2"}],"charge_id":"chg_…","key_id":"key_…","refund_id":"rfd_…","operation":"upscale","at":"2026-08-22T12:05:00.000Z","hash":"…"}
    {"seq":8,"kind":"adjust","credits":"-0.7","held_credits":"0","available_after":"9","held_after":"0","lots":[{"grant_id":"grt_…","credits":"-0.7"}],"adjustment_id":"adj_…","reason":"typing error","salt":"…","reason_digest":"…","at":"2026-08-22T12:06:00.000Z","hash":"…"}
    {"seq":9,"kind":"void","credits":"-8","held_credits":"0","available_after":"1","held_after":"0","lots":[{"grant_id":"grt_…","credits":"-8"}],"grant_id":"grt_…","at":"2026-08-22T12:07:00.000Z","hash":"…"}
    {"seq":10,"kind":"expire","credits":"-1","held_credits":"0","available_after":"0","held_after":"0","lots":[{"grant_id":"grt_…","credits":"-1"}],"grant_id":"grt_…","at":"2026-08-22T12:30:00.000Z","hash":"…"}
    "#);
    assert_eq!(lines.header("content-type"), NDJSON);
    assert_eq!(lines.header("cache-control"), "no-store");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_newest_first_and_go_on_where_they_stopped() {
    let api = Api::new();
    let account = eventful(&api).await;
    let whole = page(&api, &account, "").await;
    assert_eq!(numbers(data(&whole)), (1..=10).rev().collect::<Vec<u64>>());
    assert_eq!((&whole["has_more"], &whole["next_cursor"]), (&json!(false), &json!(null)));
    let mut lines = api.entries(&account).await;
    lines.reverse();
    assert_eq!(data(&whole), &lines, "an entry is the same by page and by stream");

    let mut seen = Vec::new();
    let mut parameters = "?limit=3".to_owned();
    loop {
        let page = page(&api, &account, &parameters).await;
        seen.extend(numbers(data(&page)));
        if page["has_more"] == false {
            break;
        }
        // An entry that is added meanwhile moves nothing.
        api.move_credits("/v1/charges", json!({"account_id": account, "credits": 0})).await.created();
        parameters = format!("?limit=3&cursor={}", page["next_cursor"].string());
    }
    assert_eq!(seen, (1..=10).rev().collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_begins_at_from_and_ends_before_to() {
    let api = Api::new();
    let account = eventful(&api).await;
    for (parameters, expected) in [
        ("from=2026-08-22T12:04:00.000Z", vec![5, 6, 7, 8, 9, 10]),
        ("from=2026-08-22T12:04:00.001Z", vec![7, 8, 9, 10]),
        ("to=2026-08-22T12:04:00.000Z", vec![1, 2, 3, 4]),
        ("to=2026-08-22T12:04:00.001Z", vec![1, 2, 3, 4, 5, 6]),
        ("from=2026-08-22T12:01:00Z&to=2026-08-22T12:03:00Z", vec![2, 3]),
        ("from=2026-08-22T12:04:00Z&to=2026-08-22T12:04:00Z", vec![]),
        ("from=2027-01-01T00:00:00Z", vec![]),
        ("from=2026-08-22T14:04:00%2B02:00", vec![5, 6, 7, 8, 9, 10]),
        ("kind=grant", vec![1, 2]),
        ("kind=charge", vec![3]),
        ("kind=hold", vec![4]),
        ("kind=capture", vec![5]),
        ("kind=release", vec![6]),
        ("kind=refund", vec![7]),
        ("kind=adjust", vec![8]),
        ("kind=void", vec![9]),
        ("kind=expire", vec![10]),
        ("kind=grant&from=2026-08-22T12:01:00Z", vec![2]),
    ] {
        let path = format!("/v1/accounts/{account}/entries?{parameters}");
        let mut by_page = numbers(data(&api.get(&path).await.ok()));
        by_page.reverse();
        assert_eq!(by_page, expected, "{parameters}");
        let lines = api.get_as(&path, NDJSON).await;
        let lines: Vec<Value> =
            lines.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(numbers(&lines), expected, "{parameters}");
        let rows = api.get_as(&path, CSV).await;
        assert_eq!(rows.text.lines().count(), expected.len() + 1, "{parameters}: {}", rows.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_checked() {
    let api = Api::new();
    let account = api.funded("1").await;
    for (parameters, refusal) in [
        ("?limit=0", "400 invalid_request, limit"),
        ("?limit=101", "400 invalid_request, limit"),
        ("?cursor=nonsense", "400 invalid_request, cursor"),
        ("?cursor=__________8", "400 invalid_request, cursor"),
        ("?kind=gift", "400 invalid_request, kind"),
        ("?from=yesterday", "400 invalid_request, from"),
        ("?to=2026-08-22", "400 invalid_request, to"),
        ("?colour=red", "400 invalid_request, colour"),
        ("?kind=grant&kind=hold", "400 invalid_request, kind"),
    ] {
        let path = format!("/v1/accounts/{account}/entries{parameters}");
        for accept in ["application/json", CSV, NDJSON] {
            assert_eq!(api.get_as(&path, accept).await.refusal(), refusal, "{parameters} {accept}");
        }
    }
    for parameter in ["limit", "cursor"] {
        let path = format!("/v1/accounts/{account}/entries?{parameter}=10");
        let refused = api.get_as(&path, CSV).await;
        assert_eq!(refused.refusal(), format!("400 invalid_request, {parameter}"), "a stream has no pages");
    }
    for id in ["acc_00000000000000000000000000", "nonsense"] {
        for accept in ["application/json", CSV, NDJSON] {
            let answer = api.get_as(&format!("/v1/accounts/{id}/entries"), accept).await;
            assert_eq!(answer.refusal(), "404 not_found", "{id} {accept}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_accepts_a_form() {
    let api = Api::new();
    let path = format!("/v1/accounts/{}/entries", api.funded("1").await);
    for (accept, content_type) in [
        ("text/csv", "text/csv; charset=utf-8"),
        ("TEXT/CSV;q=0.9", "text/csv; charset=utf-8"),
        ("text/html, text/csv", "text/csv; charset=utf-8"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/html", "application/json"),
    ] {
        assert_eq!(api.get_as(&path, accept).await.header("content-type"), content_type, "{accept}");
    }
    assert_eq!(api.get(&path).await.header("content-type"), "application/json");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_gets_a_heading_and_a_row_an_entry() {
    let api = Api::new();
    let account = eventful(&api).await;
    let answer = api.get_as(&format!("/v1/accounts/{account}/entries"), CSV).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    let heading = reader.headers().expect("a heading").clone();
    assert_snapshot!(heading.iter().collect::<Vec<_>>().join(" "), @"seq at kind credits held_credits available_after held_after lots grant_id charge_id hold_id key_id refund_id adjustment_id operation quantity reference metadata reason salt reference_digest metadata_digest reason_digest hash");
    let rows: Vec<BTreeMap<String, String>> =
        reader.deserialize().collect::<Result<_, _>>().expect("rows as wide as the heading");
    let entries = api.entries(&account).await;
    assert_eq!(rows.len(), entries.len());
    for (row, entry) in rows.iter().zip(&entries) {
        let lot = &entry["lots"][0];
        assert_eq!(row["lots"], format!("{}:{}", lot["grant_id"].string(), lot["credits"].string()));
        for name in heading.iter().filter(|name| !["lots", "metadata"].contains(name)) {
            let expected = match &entry[name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(row[name], expected, "{name} of {entry}");
        }
    }
    assert_eq!(rows[0]["metadata"], r#"{"by":"sales"}"#);
    assert_eq!(rows[2]["credits"], "-0.5", "an amount is no text, and needs no guard");
    assert_eq!(answer.text.matches("\r\n").count(), 11, "each row ends as RFC 4180 has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_is_run_by_a_spreadsheet() {
    let api = Api::new();
    let account = api.funded("10").await;
    api.put("/v1/prices/=cmd()", json!({"credits_per_unit": 1})).await.ok();
    let body = json!({"account_id": account, "operation": "=cmd()", "reference": "=1+1,\"x\""});
    api.move_credits("/v1/charges", body).await.created();
    for reference in ["+1", "-1", "@SUM(A1)", "ordinary", "a=1", "'=1", "say \"hi\", twice", "用,户"] {
        let body = json!({"account_id": account, "credits": 1, "reference": reference});
        api.move_credits("/v1/charges", body).await.created();
    }
    let adjustments = format!("/v1/accounts/{account}/adjustments");
    api.move_credits(&adjustments, json!({"credits": 1, "reason": "=HYPERLINK(\"x\")"})).await.created();

    let answer = api.get_as(&format!("/v1/accounts/{account}/entries"), CSV).await;
    assert!(answer.text.contains(r#","'=1+1,""x""","#), "{}", answer.text);
    assert!(answer.text.contains(r#","say ""hi"", twice","#), "{}", answer.text);
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    let rows: Vec<BTreeMap<String, String>> =
        reader.deserialize().collect::<Result<_, _>>().expect("rows as wide as the heading");
    let references: Vec<&str> = rows[1..10].iter().map(|row| row["reference"].as_str()).collect();
    assert_eq!(
        references,
        ["'=1+1,\"x\"", "'+1", "'-1", "'@SUM(A1)", "ordinary", "a=1", "'=1", "say \"hi\", twice", "用,户"]
    );
    assert_eq!(rows[1]["operation"], "'=cmd()");
    assert_eq!(rows[10]["reason"], "'=HYPERLINK(\"x\")");
    assert!(rows[1..10].iter().all(|row| row["credits"] == "-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_the_whole_range_however_long_it_is() {
    let api = Api::new();
    let account = api.funded("10000").await;
    api.charge_often(&account, 3500).await;
    let path = format!("/v1/accounts/{account}/entries");
    assert_eq!(numbers(&api.entries(&account).await), (1..=3501).collect::<Vec<u64>>());
    assert_eq!(api.get_as(&path, CSV).await.text.lines().count(), 3502);
    let grants = api.get_as(&format!("{path}?kind=grant"), NDJSON).await;
    assert_eq!(grants.text.lines().count(), 1);
    let none = api.get_as(&format!("{path}?kind=void"), NDJSON).await;
    assert_eq!((none.status, none.text.as_str()), (200, ""));
    for (parameters, count) in [("", 20), ("?limit=1", 1), ("?limit=100", 100)] {
        let page = page(&api, &account, parameters).await;
        assert_eq!((data(&page).len(), &page["has_more"]), (count, &json!(true)), "{parameters}");
    }
    let page = page(&api, &account, "?kind=grant&limit=100").await;
    assert!(page["has_more"] == true || numbers(data(&page)) == [1], "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_although_entries_are_added_meanwhile() {
    let api = Api::new();
    let account = api.funded("100000").await;
    api.charge_often(&account, 2500).await;
    let asked = request(Method::GET, &format!("/v1/accounts/{account}/entries")).header("Accept", NDJSON);
    let mut body = api.open(asked.body(Body::empty()).expect("a request")).await.into_body();
    let mut text = Vec::new();
    let mut pieces = 0;
    while let Some(frame) = body.frame().await {
        text.extend(frame.expect("a whole stream").into_data().expect("no trailers"));
        pieces += 1;
        assert!(pieces < 100, "the stream follows what is added");
        // More than a page, so that a stream that followed would never end.
        api.charge_often(&account, 1500).await;
    }
    assert!(pieces >= 2, "a page at a time");
    let lines = String::from_utf8(text).expect("UTF-8");
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(numbers(&entries), (1..=2501).collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_account_has_an_empty_statement() {
    let api = Api::new();
    let account = api.account().await;
    assert_eq!(page(&api, &account, "").await, json!({"data": [], "has_more": false, "next_cursor": null}));
    let path = format!("/v1/accounts/{account}/entries");
    assert_eq!(api.get_as(&path, NDJSON).await.text, "");
    assert_eq!(api.get_as(&path, CSV).await.text.lines().count(), 1, "the heading");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_fallen_due_is_in_a_statement_at_its_time() {
    let api = Api::new();
    let account = api.funded("1").await;
    let body = json!({
        "credits": 5, "effective_at": "2026-08-22T13:00:00Z", "expires_at": "2026-08-22T14:00:00Z",
    });
    api.move_credits(&format!("/v1/accounts/{account}/grants"), body).await.created();
    assert_eq!(api.history(&account).await, ["grant 1"], "a grant that has not begun has no entry");
    api.pass_seconds(3 * 60 * 60);
    let entries = api.entries(&account).await;
    let times: Vec<String> = entries.iter().map(|entry| entry["at"].string()).collect();
    assert_eq!(times, ["2026-08-22T12:00:00.000Z", "2026-08-22T13:00:00.000Z", "2026-08-22T14:00:00.000Z"]);
    assert_eq!(api.history(&account).await, ["grant 1", "grant 5", "expire -5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_charges_less_refunds_by_day_key_or_operation() {
    let api = Api::new();
    let account = api.funded("100").await;
    let (key_id, secret) = api.key(&account).await;
    api.put("/v1/prices/upscale", json!({"credits_per_unit": "0.5"})).await.ok();
    let path = format!("/v1/accounts/{account}/usage");
    let empty = api.get(&path).await.ok();
    assert_eq!(empty, json!({"account_id": account, "by": "day", "from": null, "to": null, "data": []}));

    let body = json!({"api_key": secret, "operation": "upscale", "quantity": 3});
    api.move_credits("/v1/charges", body).await.created();
    let charge = api.move_credits("/v1/charges", json!({"account_id": account, "credits": 4})).await;
    let charge = charge.created()["id"].string();
    let hold = api.move_credits("/v1/holds", json!({"account_id": account, "credits": 9})).await.created();
    api.pass_seconds(24 * 60 * 60);
    let capture = format!("/v1/holds/{}/capture", hold["id"].string());
    // The hold has lapsed by then: what is held is not spent.
    assert_eq!(api.move_credits(&capture, json!({})).await.refusal(), "409 conflict, hold_closed");
    let hold = api.move_credits("/v1/holds", json!({"api_key": secret, "credits": 9})).await.created();
    let capture = format!("/v1/holds/{}/capture", hold["id"].string());
    api.move_credits(&capture, json!({"credits": 2})).await.created();
    api.move_credits(&format!("/v1/charges/{charge}/refund"), json!({"credits": "1.5"})).await.created();

    let by_day = api.get(&path).await;
    assert_snapshot!(by_day.shown(), @r#"200 {"account_id":"acc_…","by":"day","from":null,"to":null,"data":[{"day":"2026-08-22","credits":"5.5","charged":"5.5","refunded":"0","charges":2},{"day":"2026-08-23","credits":"0.5","charged":"2","refunded":"1.5","charges":1}]}"#);
    let by_key = api.get(&format!("{path}?by=key")).await.ok();
    let sums = |usage: &Value, name: &str| -> BTreeMap<String, String> {
        let name = |sum: &Value| sum[name].as_str().unwrap_or("null").to_owned();
        data(usage).iter().map(|sum| (name(sum), sum["credits"].string())).collect()
    };
    assert_eq!(
        sums(&by_key, "key_id"),
        BTreeMap::from([(key_id, "3.5".to_owned()), ("null".to_owned(), "2.5".to_owned())])
    );
    assert!(data(&by_key).iter().all(|sum| sum.get("day").is_none() && sum.get("operation").is_none()));
    let by_operation = api.get(&format!("{path}?by=operation")).await.ok();
    assert_eq!(
        sums(&by_operation, "operation"),
        BTreeMap::from([("upscale".to_owned(), "1.5".to_owned()), ("null".to_owned(), "4.5".to_owned())])
    );
    let yesterday = api.get(&format!("{path}?from=2026-08-22T00:00:00Z&to=2026-08-23T00:00:00Z")).await.ok();
    assert_eq!(sums(&yesterday, "day"), BTreeMap::from([("2026-08-22".to_owned(), "5.5".to_owned())]));
    assert_eq!(
        (&yesterday["from"], &yesterday["to"]),
        (&json!("2026-08-22T00:00:00.000Z"), &json!("2026-08-23T00:00:00.000Z"))
    );
    for (parameters, refusal) in [
        ("?by=hour", "400 invalid_request, by"),
        ("?from=x", "400 invalid_request, from"),
        ("?to=x", "400 invalid_request, to"),
        ("?limit=5", "400 invalid_request, limit"),
    ] {
        assert_eq!(api.get(&format!("{path}{parameters}")).await.refusal(), refusal, "{parameters}");
    }
    let nobody = api.get("/v1/accounts/acc_00000000000000000000000000/usage").await;
    assert_eq!(nobody.refusal(), "404 not_found");
}
