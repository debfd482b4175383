//! A server in this process, and short ways to call it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use coffer_http::{Endpoint, Settings, Surface, routers};
use coffer_ledger::Timestamp;
use coffer_service::{Clock, Secret, Service};
use coffer_store::{DataDirectory, SqliteStore};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const OPERATOR: &str = "the-operator-s-secret-of-these-tests";
pub(crate) const BALANCE: &str = "/api/unwatermark/api/v1/get-credits-balance";

pub(crate) struct Api {
    endpoint: Endpoint,
    service: Arc<Service>,
    clock: Arc<AtomicI64>,
    names: AtomicU64,
    _directory: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Api {
    pub(crate) fn new() -> Api {
        Api::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Api {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = SqliteStore::open(DataDirectory::lock(directory.path()).expect("an empty directory"));
        let beginning: Timestamp = coffer_scenarios::BEGINNING.parse().expect("a time");
        let clock = Arc::new(AtomicI64::new(beginning.unix_ms()));
        let operator = Secret::configured(OPERATOR).expect("a long secret");
        let service = Service::start(
            Arc::new(store.expect("an empty ledger")),
            Clock::Set(Arc::clone(&clock)),
            Some(operator.hash()),
        );
        let endpoint = routers(Arc::clone(&service), settings).surface(Surface::Whole);
        Api { endpoint, service, clock, names: AtomicU64::new(0), _directory: directory }
    }

    pub(crate) fn set_clock(&self, at: Timestamp) {
        self.clock.store(at.unix_ms(), Ordering::Relaxed);
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    pub(crate) async fn close(&self) {
        self.service.close().await;
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from(Ipv4Addr::LOCALHOST.into(), request).await
    }

    pub(crate) async fn send_from(&self, peer: IpAddr, request: Request<Body>) -> Answer {
        let response = self.endpoint.clone().answer(peer, request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a whole body");
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(json_request(Method::POST, path, None, &body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(json_request(Method::PATCH, path, None, &body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(json_request(Method::PUT, path, None, &body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(request(Method::DELETE, path).body(Body::empty()).expect("a request")).await
    }

    /// A request that moves credits, under a name of its own.
    pub(crate) async fn move_credits(&self, path: &str, body: Value) -> Answer {
        let name = format!("name-{}", self.names.fetch_add(1, Ordering::Relaxed));
        self.move_named(path, &name, body).await
    }

    pub(crate) async fn move_named(&self, path: &str, name: &str, body: Value) -> Answer {
        self.send(json_request(Method::POST, path, Some(name), &body)).await
    }

    /// The balance that a customer reads with a key.
    pub(crate) async fn read_balance(&self, key: &str) -> Answer {
        let request = Request::post(BALANCE).header("ZF-API-KEY", key).body(Body::empty());
        self.send(request.expect("a request")).await
    }

    /// A new account's id.
    pub(crate) async fn account(&self) -> String {
        self.post("/v1/accounts", json!({"name": "Acme"})).await.created()["id"].string()
    }

    /// A new account's id, with credits granted.
    pub(crate) async fn funded(&self, credits: &str) -> String {
        let account = self.account().await;
        let path = format!("/v1/accounts/{account}/grants");
        self.move_credits(&path, json!({"credits": credits})).await.created();
        account
    }

    /// A new key of an account: its id and its secret.
    pub(crate) async fn key(&self, account: &str) -> (String, String) {
        let path = format!("/v1/accounts/{account}/keys");
        let key = self.post(&path, json!({"name": "production"})).await.created();
        (key["id"].string(), key["secret"].string())
    }
}

pub(crate) fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("Authorization", format!("Bearer {OPERATOR}"))
}

fn json_request(method: Method, path: &str, name: Option<&str>, body: &Value) -> Request<Body> {
    let mut request = request(method, path).header("Content-Type", "application/json");
    if let Some(name) = name {
        request = request.header("Idempotency-Key", name);
    }
    request.body(Body::from(body.to_string())).expect("a request")
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} is no JSON", self.text))
    }

    #[track_caller]
    pub(crate) fn created(&self) -> Value {
        assert_eq!(self.status, 201, "{}", self.text);
        self.json()
    }

    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible"))
    }

    /// The status, and the body with every id, secret and digest shortened, for snapshots.
    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.status, shortened(&self.text))
    }

    /// The code, and what there is beside it.
    pub(crate) fn refusal(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        refusal(self.status, &self.json())
    }
}

/// The status and the code of a problem, and what there is beside them.
pub(crate) fn refusal(status: u16, problem: &Value) -> String {
    assert_eq!(problem["status"], status, "{problem}");
    assert_eq!(problem["type"], "about:blank");
    let mut words = format!("{status} {}", problem["code"].string());
    for name in ["reason", "field"] {
        if let Some(value) = problem[name].as_str() {
            words.push_str(&format!(", {value}"));
        }
    }
    for name in ["required", "available", "remaining"] {
        if let Some(value) = problem[name].as_str() {
            words.push_str(&format!(", {name} {value}"));
        }
    }
    words
}

pub(crate) trait AsString {
    fn string(&self) -> String;
}

impl AsString for Value {
    #[track_caller]
    fn string(&self) -> String {
        self.as_str().unwrap_or_else(|| panic!("{self} is no string")).to_owned()
    }
}

/// Every id is `acc_…`, every secret `cof_live_…`.
fn shortened(text: &str) -> String {
    let mut shown = String::new();
    for (place, word) in text.split('"').enumerate() {
        if place > 0 {
            shown.push('"');
        }
        let random = word.rsplit_once('_').filter(|(_, rest)| rest.len() >= 26 && !rest.contains(' '));
        match random {
            Some((prefix, _)) => shown.push_str(&format!("{prefix}_…")),
            None if word.starts_with("cof_") => shown.push_str(&word[..word.len() - 4]),
            None => shown.push_str(word),
        }
    }
    shown
}
