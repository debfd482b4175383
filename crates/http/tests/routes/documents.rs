//! What is told without a key: health, numbers, the OpenAPI document, and the page that shows it.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use coffer_http::{Settings, Surface, routers};
use coffer_service::{Clock, Service};
use coffer_store::{DataDirectory, SqliteStore};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::support::{Answer, Api, AsString as _};

async fn anonymous(api: &Api, path: &str) -> Answer {
    api.send(Request::get(path).body(Body::empty()).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told() {
    let api = Api::new();
    assert_eq!(anonymous(&api, "/livez").await.shown(), "200 ok\n");
    assert_eq!(anonymous(&api, "/readyz").await.shown(), "200 ready\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_name_no_account_and_no_key() {
    let api = Api::new();
    let account = api.funded("5").await;
    let (key_id, secret) = api.key(&account).await;
    api.read_balance(&secret).await.ok();
    let numbers = anonymous(&api, "/metrics").await;
    assert!(
        numbers.text.contains("coffer_http_requests_total{part=\"Balance\",status=\"200\"} 1"),
        "{}",
        numbers.text
    );
    assert!(numbers.text.ends_with("# EOF\n"));
    for private in [account, key_id, secret] {
        assert!(!numbers.text.contains(&private));
    }
}

fn document() -> Value {
    coffer_http::openapi_document(&Settings::default())
}

/// Every operation: its method, its path, and what the document says of it.
fn operations(document: &Value) -> impl Iterator<Item = (Method, &str, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").iter();
        methods.map(move |(method, operation)| {
            (method.to_uppercase().parse().expect("a method"), path.as_str(), operation)
        })
    })
}

/// What a response is, where it may be a reference.
fn resolved<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    let target = part["$ref"].as_str().map(|path| document.pointer(&path[1..]));
    target.map_or(part, |target| target.expect("a reference leads somewhere"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_openapi_of_what_is_served() {
    let api = Api::new();
    let document = anonymous(&api, "/openapi.json").await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/unwatermark/api/v1/get-credits-balance"].is_object());
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().expect("an operation has an id");
        assert!(ids.insert(id), "{id} names two operations");
        let path = path.replace("{id}", "acc_00000000000000000000000000").replace("{operation}", "x");
        let request = Request::builder().method(&method).uri(&path).body(Body::empty());
        let answer = api.send(request.expect("a request")).await;
        assert!(![404, 405].contains(&answer.status), "{method} {path}: {}", answer.text);
    }
}

#[test]
fn every_answer_of_every_operation_is_documented() {
    let document = document();
    let mut codes = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let responses = operation["responses"].as_object().expect("responses");
        assert!(!responses.contains_key("default"), "{method} {path} answers anything");
        for (status, response) in responses {
            let response = resolved(&document, response);
            assert!(response["headers"]["X-Request-Id"].is_object(), "{method} {path} {status}");
            let examples = &response["content"]["application/problem+json"]["examples"];
            for example in examples.as_object().into_iter().flat_map(|examples| examples.values()) {
                assert_eq!(example["value"]["status"].to_string(), *status, "{method} {path}");
                codes.insert(example["value"]["code"].string());
            }
        }
        let has = |status: &str| responses.contains_key(status);
        assert!(has("431") && has("500"), "{method} {path}");
        let is_public = operation["security"].as_array().expect("security").is_empty();
        assert_eq!(has("429"), !is_public, "{method} {path}");
        let takes_a_body = operation.get("requestBody").is_some();
        assert_eq!(has("413"), takes_a_body, "{method} {path}");
    }
    let known: BTreeSet<String> = document["components"]["schemas"]["Code"]["enum"]
        .as_array()
        .expect("codes")
        .iter()
        .map(Value::string)
        .collect();
    assert_eq!(codes, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_needs_the_scope_that_is_documented() {
    let api = Api::new();
    let scopes = ["read", "charge", "grant", "manage", "admin"];
    for needed in scopes {
        let others: Vec<&str> = scopes.into_iter().filter(|scope| *scope != needed).collect();
        let key = api.post("/v1/operator-keys", json!({"name": "others", "scopes": others})).await.created();
        let key = key["secret"].string();
        let document = document();
        for (method, path, operation) in operations(&document) {
            if operation["security"][0]["operator_key"][0] != needed {
                continue;
            }
            let path = path.replace("{id}", "acc_00000000000000000000000000").replace("{operation}", "x");
            let request = Request::builder().method(&method).uri(&path);
            let request = request.header("Authorization", format!("Bearer {key}")).body(Body::empty());
            let answer = api.send(request.expect("a request")).await;
            assert_eq!(answer.refusal(), "403 forbidden", "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_no_text_is_refused_as_everything_is() {
    let api = Api::new();
    let answer = api.send(
        crate::support::request(Method::DELETE, "/v1/prices/%ff").body(Body::empty()).expect("a request"),
    );
    assert_eq!(answer.await.refusal(), "400 invalid_request, operation");
    assert_eq!(api.get("/v1/accounts/%ff").await.refusal(), "404 not_found");
}

/// What the examples of the document name, made for real.
struct Story {
    account: String,
    key: (String, String),
    charge: String,
    hold: String,
}

async fn story(api: &Api) -> Story {
    let account = api.funded("1000").await;
    let key = api.key(&account).await;
    let spent = json!({"account_id": account, "credits": "5"});
    let charge = api.move_credits("/v1/charges", spent.clone()).await.created()["id"].string();
    let hold = api.move_credits("/v1/holds", spent).await.created()["id"].string();
    Story { account, key, charge, hold }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_a_request_is_taken() {
    let api = Api::new();
    let price = json!({"credits_per_unit": "0.25"});
    let request = crate::support::request(Method::PUT, "/v1/prices/remove-watermark")
        .header("Content-Type", "application/json")
        .body(Body::from(price.to_string()));
    api.send(request.expect("a request")).await.ok();
    let document = document();
    let mut count = 0;
    for (method, path, operation) in operations(&document) {
        let examples = &operation["requestBody"]["content"]["application/json"]["examples"];
        for (title, example) in examples.as_object().into_iter().flatten() {
            let story = story(&api).await;
            let body = example["value"]
                .to_string()
                .replace("acc_01jd7z4r5efkyv3q8x9w2m6n0p", &story.account)
                .replace("cof_live_ExampleExampleExampleExampleExampleExampleEx7Qa1", &story.key.1);
            let id = match path.split('/').nth(2) {
                Some("accounts") => &story.account,
                Some("charges") => &story.charge,
                Some("holds") => &story.hold,
                _ => &story.key.0,
            };
            let path = path.replace("{id}", id).replace("{operation}", "remove-watermark");
            let request = crate::support::request(method.clone(), &path)
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", "an-example")
                .body(Body::from(body));
            let answer = api.send(request.expect("a request")).await;
            assert!(answer.status < 300, "{path}, {title}: {} {}", answer.status, answer.text);
            count += 1;
        }
    }
    assert!(count > 20, "{count} examples");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_has_the_configured_names() {
    let api_key_header = "X-Acme-Key".parse().expect("a header's name");
    let product = "acme".parse().expect("a product");
    let document =
        coffer_http::openapi_document(&Settings { api_key_header, product, ..Settings::default() });
    assert!(document["paths"]["/api/acme/api/v1/get-credits-balance"].is_object());
    assert_eq!(document["components"]["securitySchemes"]["api_key"]["name"], "X-Acme-Key");
    assert_eq!(document["paths"]["/v1/charges"]["post"]["parameters"][1]["name"], "X-Acme-Key");
    assert!(!document.to_string().contains("ZF-API-KEY"));
}

/// The values of an attribute wherever it stands in a page.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    page.split(start.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap_or_default()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_needs_no_script_and_no_other_host() {
    let api = Api::new();
    let page = anonymous(&api, "/docs").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
    assert!(!page.headers.contains_key("set-cookie"));
    for absent in ["<script", "<style", " style=\"", " onclick", " src=\"", "url(", "@import"] {
        assert!(!page.text.contains(absent), "{absent}");
    }
    let anchors: BTreeSet<&str> = attributes(&page.text, "id").into_iter().collect();
    assert_eq!(anchors.len(), attributes(&page.text, "id").len(), "an anchor stands twice");
    for link in attributes(&page.text, "href") {
        match link.strip_prefix('#') {
            Some(anchor) => assert!(anchors.contains(anchor), "{link} leads nowhere"),
            None => assert_eq!(anonymous(&api, &format!("/{link}")).await.status, 200, "{link}"),
        }
    }
    for (method, path, operation) in operations(&document()) {
        let id = operation["operationId"].as_str().expect("an id");
        assert!(anchors.contains(id), "{method} {path} is missing");
    }
    let style = anonymous(&api, "/docs/style.css").await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert!(!style.text.contains("url(") && !style.text.contains("@import"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_packed_for_those_who_unpack_it() {
    const PAGE_BYTES_MAX: usize = 100_000;
    let api = Api::new();
    let plain = anonymous(&api, "/docs").await;
    for (accepted, encoding) in [
        ("gzip", "gzip"),
        ("br, GZIP;q=0.5", "gzip"),
        ("deflate,gzip ; q=1.0", "gzip"),
        ("gzip;q=0", ""),
        ("gzip;q=0.000", ""),
        ("br", ""),
        ("", ""),
        ("xgzip", ""),
    ] {
        let request = Request::get("/docs").header("Accept-Encoding", accepted).body(Body::empty());
        let response = api.open(request.expect("a request")).await;
        assert_eq!(response.headers()["vary"], "accept-encoding", "{accepted}");
        let found = response.headers().get("content-encoding");
        assert_eq!(found.map_or("", |found| found.to_str().expect("text")), encoding, "{accepted}");
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        let mut text = String::new();
        if encoding == "gzip" {
            assert!(body.len() < PAGE_BYTES_MAX, "{} bytes", body.len());
            GzDecoder::new(&body[..]).read_to_string(&mut text).expect("what was packed");
        } else {
            text.push_str(std::str::from_utf8(&body).expect("text"));
        }
        assert!(text == plain.text, "{accepted}: the same page");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ports_tell_of_the_api() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(DataDirectory::lock(directory.path()).expect("an empty directory"));
    let service = Service::start(Arc::new(store.expect("an empty ledger")), Clock::system(), None);
    let routers = routers(service, Settings::default());
    for surface in [Surface::Public, Surface::Operator] {
        for path in ["/docs", "/docs/style.css", "/openapi.json"] {
            let request = Request::get(path).body(Body::empty()).expect("a request");
            let response = routers.surface(surface).answer(Ipv4Addr::LOCALHOST.into(), request).await;
            assert_eq!(response.status(), 200, "{surface:?} {path}");
        }
    }
}

/// `docs/openapi.json` is what `coffer openapi` prints. Make it anew with `scripts/openapi`.
#[test]
fn the_checked_in_document_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let text = std::fs::read_to_string(path).expect("docs/openapi.json is there");
    let made = serde_json::to_string_pretty(&document()).expect("JSON");
    // The order of fields counts as well; and not assert_eq, which would print both of them.
    assert!(text.trim_end() == made, "docs/openapi.json is out of date: run scripts/openapi");
}
