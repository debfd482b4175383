//! One HTTP connection, and the calls that the measurements need.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::Failure;

/// Where the balance of a key is read.
pub(crate) const BALANCE_PATH: &str = "/api/unwatermark/api/v1/get-credits-balance";

/// Where charges are made.
pub(crate) const CHARGES_PATH: &str = "/v1/charges";

const REQUEST_MS_MAX: u64 = 60_000;

/// A connection that is kept.
pub(crate) struct Client {
    requests: SendRequest<Full<Bytes>>,
    host: String,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Bytes,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Client, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::of("connect", error);
        let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
        stream.set_nodelay(true).map_err(|error| failed(&error))?;
        let (requests, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        // A connection that breaks shows in the request that is sent over it.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Client { requests, host: address.to_string() })
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        self.send("GET", path, &[], Bytes::new()).await
    }

    /// Reads a key's balance.
    pub(crate) async fn balance(&mut self, secret: &str) -> Result<Answer, Failure> {
        self.send("POST", BALANCE_PATH, &[("ZF-API-KEY", secret)], Bytes::new()).await
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).map_err(|error| Failure::of(path, error))?;
        let exchange = async {
            self.requests.ready().await?;
            let response = self.requests.send_request(request).await?;
            let status = response.status().as_u16();
            Ok::<_, hyper::Error>(Answer { status, body: response.into_body().collect().await?.to_bytes() })
        };
        let answer = tokio::time::timeout(Duration::from_millis(REQUEST_MS_MAX), exchange).await;
        answer.map_err(|late| Failure::of(path, late))?.map_err(|error| Failure::of(path, error))
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection of an operator's.
pub(crate) struct Operator {
    client: Client,
    authorization: String,
}

impl Operator {
    pub(crate) async fn connect(address: SocketAddr, key: &str) -> Result<Operator, Failure> {
        Ok(Operator { client: Client::connect(address).await?, authorization: format!("Bearer {key}") })
    }

    /// Makes an account with one grant, by two requests; answers its id.
    pub(crate) async fn account_with_grant(
        &mut self,
        number: usize,
        credits: &str,
    ) -> Result<String, Failure> {
        let account =
            self.create("/v1/accounts", number, &json!({"name": format!("customer {number}")})).await?;
        let account = account["id"].as_str().unwrap_or_default().to_owned();
        self.create(&format!("/v1/accounts/{account}/grants"), number, &json!({"credits": credits})).await?;
        Ok(account)
    }

    /// Charges many accounts by one request: all of it must be done.
    pub(crate) async fn charge_all(&mut self, name: &str, accounts: &[&str]) -> Result<(), Failure> {
        let charge = |(number, account): (usize, &&str)| json!({"idempotency_key": format!("{name}-{number}"), "type": "charge", "account_id": account, "credits": 1});
        let operations: Vec<Value> = accounts.iter().enumerate().map(charge).collect();
        let headers =
            [("Authorization", self.authorization.as_str()), (CONTENT_TYPE.as_str(), "application/json")];
        let body = Bytes::from(json!({"operations": operations}).to_string());
        let answer = self.client.send("POST", "/v1/batch", &headers, body).await?;
        let made = answer.text().matches("\"status\":201").count();
        if answer.status != 200 || made != accounts.len() {
            return Err(Failure(format!(
                "a batch answered {}, {made} of {} done",
                answer.status,
                accounts.len()
            )));
        }
        Ok(())
    }

    /// Makes an account with one grant and one key, by three requests; answers the key's secret.
    pub(crate) async fn account_with_key(&mut self, number: usize, credits: &str) -> Result<String, Failure> {
        let account =
            self.create("/v1/accounts", number, &json!({"name": format!("customer {number}")})).await?;
        let account = account["id"].as_str().unwrap_or_default();
        self.create(&format!("/v1/accounts/{account}/grants"), number, &json!({"credits": credits})).await?;
        let key =
            self.create(&format!("/v1/accounts/{account}/keys"), number, &json!({"name": "only"})).await?;
        let secret = key["secret"].as_str();
        secret.map(str::to_owned).ok_or_else(|| Failure("a key was made without a secret".to_owned()))
    }

    async fn create(&mut self, path: &str, number: usize, body: &Value) -> Result<Value, Failure> {
        let once = format!("bench-{number}");
        let headers = [
            ("Authorization", self.authorization.as_str()),
            (CONTENT_TYPE.as_str(), "application/json"),
            ("Idempotency-Key", once.as_str()),
        ];
        let answer = self.client.send("POST", path, &headers, Bytes::from(body.to_string())).await?;
        if answer.status != 201 {
            return Err(Failure(format!("POST {path} answered {}: {}", answer.status, answer.text())));
        }
        serde_json::from_slice(&answer.body).map_err(|error| Failure::of(path, error))
    }
}
