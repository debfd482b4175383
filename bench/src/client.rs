//! One HTTP connection, for what is asked once: all that is load is elsewhere.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, AUTHORIZATION, HOST};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::Failure;

/// Where the balance of a key is read.
pub(crate) const BALANCE_PATH: &str = "/api/unwatermark/api/v1/get-credits-balance";

/// Where charges are made.
pub(crate) const CHARGES_PATH: &str = "/v1/charges";

const REQUEST_MS_MAX: u64 = 60_000;

/// A connection that is kept.
pub(crate) struct Client {
    requests: SendRequest<Empty<Bytes>>,
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
        self.send("GET", path, &[]).await
    }

    async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer, Failure> {
        let exchange = async {
            let response = self.begin(method, path, headers).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.map_err(|error| Failure::of(path, error))?;
            Ok(Answer { status, body: body.to_bytes() })
        };
        let answer = tokio::time::timeout(Duration::from_millis(REQUEST_MS_MAX), exchange).await;
        answer.map_err(|late| Failure::of(path, late))?
    }

    /// Sends a request; the body of the answer is still to come.
    async fn begin(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::new()).map_err(|error| Failure::of(path, error))?;
        let failed = |error| Failure::of(path, error);
        self.requests.ready().await.map_err(failed)?;
        self.requests.send_request(request).await.map_err(failed)
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

    /// What an account has available, as the API writes it.
    pub(crate) async fn available(&mut self, account: &str) -> Result<String, Failure> {
        let path = format!("/v1/accounts/{account}/balance");
        let headers = [(AUTHORIZATION.as_str(), self.authorization.as_str())];
        let answer = self.client.send("GET", &path, &headers).await?;
        let body: Value = serde_json::from_slice(&answer.body).map_err(|error| Failure::of(&path, error))?;
        let available = body["available"].as_str();
        available.map(str::to_owned).ok_or_else(|| Failure::of(&path, answer.text()))
    }

    /// Streams all entries of an account as NDJSON; answers how many lines and bytes there were.
    pub(crate) async fn stream_entries(&mut self, account: &str) -> Result<(u64, u64), Failure> {
        let path = format!("/v1/accounts/{account}/entries");
        let headers = [
            (AUTHORIZATION.as_str(), self.authorization.as_str()),
            (ACCEPT.as_str(), "application/x-ndjson"),
        ];
        let mut response = self.client.begin("GET", &path, &headers).await?;
        if response.status() != StatusCode::OK {
            return Err(Failure::of(&path, response.status()));
        }
        let (mut lines, mut bytes) = (0, 0);
        while let Some(frame) = response.frame().await {
            let frame = frame.map_err(|error| Failure::of(&path, error))?;
            if let Some(data) = frame.data_ref() {
                lines += memchr::memchr_iter(b'\n', data).count() as u64;
                bytes += data.len() as u64;
            }
        }
        Ok((lines, bytes))
    }
}
