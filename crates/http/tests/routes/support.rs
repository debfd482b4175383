//! A server in this process, and short ways to call it.

use std::any::Any;
use std::net::{IpAddr, Ipv4Addr};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use axum::response::Response;
use coffer_http::{Endpoint, Settings, Surface, routers};
use coffer_ledger::Timestamp;
use coffer_service::{Clock, Secret, Service};
use coffer_store::Store;
use serde_json::{Value, json};

pub(crate) const OPERATOR: &str = "the-operator-s-secret-of-these-tests";
pub(crate) const BALANCE: &str = "/api/unwatermark/api/v1/get-credits-balance";

/// An empty ledger, and what it needs to live.
pub(crate) struct Fresh {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) needs: Box<dyn Any + Send + Sync>,
}

pub(crate) struct Api {
    endpoint: Endpoint,
    service: Arc<Service>,
    clock: Arc<AtomicI64>,
    names: AtomicU64,
    _needs: Box<dyn Any + Send + Sync>,
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
        let Fresh { store, needs } = crate::fresh();
        let beginning: Timestamp = coffer_scenarios::BEGINNING.parse().expect("a time");
        let clock = Arc::new(AtomicI64::new(beginning.unix_ms()));
        let operator = Secret::configured(OPERATOR).expect("a long secret");
        let service = Service::start(store, Clock::Set(Arc::clone(&clock)), Some(operator.hash()));
        let endpoint = routers(Arc::clone(&service), settings).surface(Surface::Whole);
        Api { endpoint, service, clock, names: AtomicU64::new(0), _needs: needs }
    }

    pub(crate) fn set_clock(&self, at: Timestamp) {
        self.clock.store(at.unix_ms(), Ordering::Relaxed);
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    pub(crate) async fn close(&self) {
        self.service.close().await;
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from(Ipv4Addr::LOCALHOST.into(), request).await
    }

    /// Sends a request and leaves the body of the answer to be read.
    pub(crate) async fn open(&self, request: Request<Body>) -> Response {
        self.endpoint.clone().answer(Ipv4Addr::LOCALHOST.into(), request).await
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

    /// Asks for a representation of its own.
    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Answer {
        let request = request(Method::GET, path).header("Accept", accept);
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    /// A request that moves credits, under a name of its own.
    pub(crate) async fn move_credits(&self, path: &str, body: Value) -> Answer {
        let name = format!("name-{}", self.names.fetch_add(1, Ordering::Relaxed));
        self.move_named(path, &name, body).await
    }

    pub(crate) async fn move_named(&self, path: &str, name: &str, body: Value) -> Answer {
        self.send(json_request(Method::POST, path, Some(name), &body)).await
    }

    /// Sends a request again that has moved credits or was refused, and wants the first answer, to the byte.
    #[track_caller]
    pub(crate) fn replays(
        &self,
        path: &str,
        name: &str,
        body: Value,
        first: &Answer,
    ) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            let again = self.move_named(path, name, body).await;
            let what = format!("{path} {name}, called at {place}");
            assert_eq!((again.status, &again.text), (first.status, &first.text), "{what}");
            assert_eq!(again.header("content-type"), first.header("content-type"), "{what}");
            assert_eq!(
                (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
                ("", "true"),
                "{what}"
            );
        }
    }

    /// A request of another operator.
    pub(crate) async fn send_as(
        &self,
        secret: &str,
        method: Method,
        path: &str,
        name: &str,
        body: &Value,
    ) -> Answer {
        let mut request = json_request(method, path, Some(name), body);
        let authorization = format!("Bearer {secret}").parse().expect("a header");
        request.headers_mut().insert("Authorization", authorization);
        self.send(request).await
    }

    /// The secret of a new operator's key.
    pub(crate) async fn operator(&self, scopes: &[&str]) -> String {
        let body = json!({"name": "operator", "scopes": scopes});
        self.post("/v1/operator-keys", body).await.created()["secret"].string()
    }

    /// Where an account stands, in words.
    pub(crate) async fn standing(&self, account: &str) -> String {
        let balance = self.get(&format!("/v1/accounts/{account}/balance")).await.ok();
        let [available, held] = ["available", "held"].map(|name| balance[name].string());
        format!("available {available}, held {held}, seq {}", balance["seq"])
    }

    /// All entries of an account, oldest first.
    pub(crate) async fn entries(&self, account: &str) -> Vec<Value> {
        let lines = self.get_as(&format!("/v1/accounts/{account}/entries"), "application/x-ndjson").await;
        assert_eq!(lines.status, 200, "{}", lines.text);
        lines.text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    /// What has happened to an account, oldest first: each kind with the change of what is available and held.
    pub(crate) async fn history(&self, account: &str) -> Vec<String> {
        let words = |entry: &Value| {
            let [kind, credits, held] = ["kind", "credits", "held_credits"].map(|name| entry[name].string());
            if held == "0" { format!("{kind} {credits}") } else { format!("{kind} {credits} held {held}") }
        };
        self.entries(account).await.iter().map(words).collect()
    }

    /// Charges an account so many times with one credit each, in batches.
    pub(crate) async fn charge_often(&self, account: &str, times: usize) {
        let names = self.names.fetch_add(times as u64, Ordering::Relaxed)..;
        let operation = |name: u64| {
            let name = format!("name-{name}");
            json!({"idempotency_key": name, "type": "charge", "account_id": account, "credits": 1})
        };
        let operations: Vec<Value> = names.take(times).map(operation).collect();
        let made = self.post("/v1/batch", json!({"operations": operations})).await.ok();
        let results = made["results"].as_array().expect("a list");
        assert!(results.iter().all(|result| result["status"] == 201), "{:?}", results.first());
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

    /// A new account's id, with credits granted and an overdraft allowed.
    pub(crate) async fn overdrawable(&self, credits: &str, limit: &str) -> String {
        let account = self.funded(credits).await;
        self.patch(&format!("/v1/accounts/{account}"), json!({"overdraft_limit": limit})).await.ok();
        account
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

/// A digest, a hash or a salt.
fn is_digest(word: &str) -> bool {
    [32, 64].contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Every id is `acc_…`, every secret `cof_live_…`, every digest `…`.
fn shortened(text: &str) -> String {
    let mut shown = String::new();
    for (place, word) in text.split('"').enumerate() {
        if place > 0 {
            shown.push('"');
        }
        let random = word.rsplit_once('_').filter(|(_, rest)| rest.len() >= 26 && !rest.contains(' '));
        match random {
            Some((prefix, _)) => shown.push_str(&format!("{prefix}_…")),
            None if is_digest(word) => shown.push('…'),
            None if word.starts_with("cof_") => shown.push_str(&word[..word.len() - 4]),
            None => shown.push_str(word),
        }
    }
    shown
}
