//! `/v1/accounts/{id}/erase`: a person's data goes, the ledger stays.

use axum::http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Answer, Api, AsString as _};

/// What must be nowhere afterwards.
const WORDS: [&str; 3] = ["Jane Doe", "jane@example.com", "typing error"];

async fn erase(api: &Api, account: &str, body: Value) -> Answer {
    api.post(&format!("/v1/accounts/{account}/erase"), body).await
}

/// What moved on an account, with a person's data in each: the path, the name and the body of each request.
struct Movements {
    account: String,
    sent: Vec<(String, &'static str, Value, Answer)>,
}

impl Movements {
    async fn send(&mut self, api: &Api, path: &str, name: &'static str, body: Value) -> String {
        let answer = api.move_named(path, name, body.clone()).await;
        assert!(answer.status < 300, "{}", answer.text);
        let id = answer.json()["id"].string();
        self.sent.push((path.to_owned(), name, body, answer));
        id
    }
}

async fn movements(api: &Api) -> Movements {
    let account = api.account().await;
    let mut moved = Movements { account: account.clone(), sent: Vec::new() };
    let text = json!({"reference": "Jane Doe", "metadata": {"mail": "jane@example.com"}});
    let with = |fields: Value| {
        let mut body = fields.as_object().expect("an object").clone();
        body.extend(text.as_object().expect("an object").clone());
        Value::Object(body)
    };
    let grants = format!("/v1/accounts/{account}/grants");
    moved.send(api, &grants, "grant", with(json!({"credits": 20}))).await;
    let pending = with(json!({"credits": 1, "effective_at": "2026-10-01T00:00:00Z"}));
    moved.send(api, &grants, "pending", pending).await;
    let charge =
        moved.send(api, "/v1/charges", "charge", with(json!({"account_id": account, "credits": 1}))).await;
    let hold = moved.send(api, "/v1/holds", "hold", with(json!({"account_id": account, "credits": 3}))).await;
    moved.send(api, "/v1/holds", "open", with(json!({"account_id": account, "credits": 2}))).await;
    moved.send(api, &format!("/v1/holds/{hold}/capture"), "capture", json!({"credits": 2})).await;
    moved.send(api, &format!("/v1/charges/{charge}/refund"), "refund", json!({})).await;
    let adjustments = format!("/v1/accounts/{account}/adjustments");
    moved.send(api, &adjustments, "adjust", json!({"credits": -1, "reason": "typing error"})).await;
    moved
}

/// Every text in which an account's texts could be.
async fn everything(api: &Api, account: &str) -> String {
    let mut text = String::new();
    let entries = format!("/v1/accounts/{account}/entries");
    for path in [
        entries.clone(),
        format!("/v1/charges?account_id={account}"),
        format!("/v1/holds?account_id={account}"),
        format!("/v1/accounts/{account}/grants"),
    ] {
        let page = api.get(&path).await;
        page.ok();
        text.push_str(&page.text);
        for item in page.json()["data"].as_array().expect("a list") {
            let Some(id) = item["id"].as_str() else { continue };
            let what = match &id[..4] {
                "chg_" => "charges",
                "hld_" => "holds",
                "grt_" => "grants",
                other => panic!("{other} is unexpected"),
            };
            let shown = api.get(&format!("/v1/{what}/{id}")).await;
            shown.ok();
            text.push_str(&shown.text);
        }
    }
    for accept in ["text/csv", "application/x-ndjson"] {
        text.push_str(&api.get_as(&entries, accept).await.text);
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_texts_are_gone_from_everywhere_and_nothing_else_is() {
    let api = Api::new();
    let Movements { account, .. } = movements(&api).await;
    let before = api.entries(&account).await;
    let told = everything(&api, &account).await;
    for word in WORDS {
        assert!(told.contains(word), "{word} was there");
    }
    let balance = api.standing(&account).await;
    let erased = erase(&api, &account, json!({})).await;
    assert_snapshot!(erased.shown(), @r#"200 {"account_id":"acc_…","until":"2026-08-22T12:00:00.000Z","entries":8}"#);
    let told = everything(&api, &account).await;
    for word in WORDS {
        assert!(!told.contains(word), "{word} is still there: {told}");
    }
    assert!(!told.contains("salt\":\""), "a salt would let short texts be guessed: {told}");
    assert_eq!(api.standing(&account).await, balance);

    // Each entry is as it was, its digests and its hash included: the chain is as whole as before.
    let mut expected = before;
    for entry in &mut expected {
        let entry = entry.as_object_mut().expect("an object");
        for name in ["reference", "metadata", "reason", "salt"] {
            entry.remove(name);
        }
    }
    assert!(expected.iter().any(|entry| entry["reason_digest"].is_string()));
    assert_eq!(api.entries(&account).await, expected);
    let again = erase(&api, &account, json!({})).await;
    assert_eq!(again.text, erased.text, "erasing again changes nothing");
    assert_eq!(api.entries(&account).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_still_finds_its_first_answer_without_the_texts() {
    let api = Api::new();
    let Movements { account, sent } = movements(&api).await;
    erase(&api, &account, json!({})).await.ok();
    let before = api.standing(&account).await;
    for (path, name, body, first) in sent {
        let again = api.move_named(&path, name, body.clone()).await;
        let mut expected = first.json();
        let expected = {
            let fields = expected.as_object_mut().expect("an object");
            for (field, empty) in
                [("reference", json!(null)), ("metadata", json!({})), ("reason", json!(null))]
            {
                if fields.contains_key(field) {
                    fields.insert(field.into(), empty);
                }
            }
            expected
        };
        assert_eq!((again.status, again.json()), (first.status, expected), "{name}");
        assert_eq!(again.header("idempotency-replayed"), "true", "{name}");
        // The request is still told from others.
        let mut other = body;
        other["reference"] = json!("another");
        if ["grant", "pending", "charge", "hold", "open"].contains(&name) {
            let answer = api.move_named(&path, name, other).await;
            assert_eq!(answer.refusal(), "422 idempotency_key_reused", "{name}");
        }
    }
    assert_eq!(api.standing(&account).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_can_be_told_by_time() {
    let api = Api::new();
    let account = api.funded("10").await;
    let charge = async |reference: &str| {
        let body = json!({"account_id": account, "credits": 1, "reference": reference});
        api.move_credits("/v1/charges", body).await.created();
        api.pass_seconds(60);
    };
    charge("first").await;
    charge("second").await;
    charge("third").await;
    let references = async || {
        let entries = api.entries(&account).await;
        let text = |entry: &Value| entry["reference"].as_str().unwrap_or("-").to_owned();
        entries.iter().skip(1).map(text).collect::<Vec<String>>()
    };
    let erased = erase(&api, &account, json!({"until": "2026-08-22T11:59:59Z"})).await.ok();
    assert_eq!(erased["entries"], 0);
    assert_eq!(references().await, ["first", "second", "third"]);
    let erased = erase(&api, &account, json!({"until": "2026-08-22T12:01:00.000Z"})).await.ok();
    assert_eq!(erased["until"], "2026-08-22T12:01:00.000Z");
    assert_eq!(references().await, ["-", "-", "third"]);
    let found = async |reference: &str| {
        let page = api.get(&format!("/v1/charges?reference={reference}")).await.ok();
        page["data"].as_array().map(Vec::len)
    };
    assert_eq!((found("first").await, found("third").await), (Some(0), Some(1)));
    // What comes later has its texts.
    erase(&api, &account, json!({})).await.ok();
    charge("fourth").await;
    assert_eq!(references().await, ["-", "-", "-", "fourth"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_of_an_erased_hold_has_no_text_either() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body = json!({"account_id": account, "credits": 3, "reference": "Jane Doe"});
    let hold = api.move_credits("/v1/holds", body).await.created();
    erase(&api, &account, json!({})).await.ok();
    let capture = format!("/v1/holds/{}/capture", hold["id"].string());
    let charge = api.move_credits(&capture, json!({})).await.created();
    assert_eq!(charge["reference"], json!(null));
    let told = everything(&api, &account).await;
    assert!(!told.contains("Jane Doe"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_entries_are_erased_and_other_accounts_stay() {
    let api = Api::new();
    let (account, other) = (api.funded("10000").await, api.funded("10").await);
    let charge = |account: &str, name: usize| {
        json!({
            "idempotency_key": format!("c{name}"), "type": "charge", "account_id": account, "credits": 1,
            "reference": "Jane Doe",
        })
    };
    let operations: Vec<Value> = (0..3000).map(|name| charge(&account, name)).collect();
    api.post("/v1/batch", json!({"operations": operations})).await.ok();
    api.post("/v1/batch", json!({"operations": [charge(&other, 0)]})).await.ok();
    assert_eq!(erase(&api, &account, json!({})).await.ok()["entries"], 3001);
    let told = api.get_as(&format!("/v1/accounts/{account}/entries"), "text/csv").await.text;
    assert!(!told.contains("Jane Doe"));
    assert_eq!(api.entries(&other).await[1]["reference"], "Jane Doe");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused() {
    let api = Api::new();
    let account = api.funded("10").await;
    for (body, refusal) in [
        (json!({"until": "yesterday"}), "400 invalid_request, until"),
        (json!({"until": 5}), "400 invalid_request, until"),
        (json!({"from": "2026-08-22T12:00:00Z"}), "400 invalid_request, from"),
        (json!([]), "400 invalid_request, body"),
    ] {
        assert_eq!(erase(&api, &account, body.clone()).await.refusal(), refusal, "{body}");
    }
    for id in ["acc_00000000000000000000000000", "nonsense"] {
        assert_eq!(erase(&api, id, json!({})).await.refusal(), "404 not_found", "{id}");
    }
    let operator = api.operator(&["read", "charge", "grant", "admin"]).await;
    let path = format!("/v1/accounts/{account}/erase");
    let refused = api.send_as(&operator, Method::POST, &path, "n", &json!({})).await;
    assert_eq!(refused.refusal(), "403 forbidden");
}
