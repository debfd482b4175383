//! What happens around every request: its id, its address, its measure, and a net under its handler.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tower_service::Service as _;

use crate::address::ClientAddress;
use crate::limits::HEADERS_BYTES_MAX;
use crate::metrics::Part;
use crate::problem::{Code, Problem};
use crate::{App, balance};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What answers the requests of a port.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) app: Arc<App>,
    router: Router,
}

impl Endpoint {
    pub(crate) fn new(app: Arc<App>, router: Router) -> Endpoint {
        Endpoint { app, router }
    }

    /// Answers a request that came from a peer.
    pub async fn answer(self, peer: IpAddr, request: Request) -> Response {
        let Endpoint { app, router } = self;
        answer(&app, router, peer, request).await
    }
}

async fn answer(app: &App, mut router: Router, peer: IpAddr, mut request: Request) -> Response {
    let started = Instant::now();
    let id = next_id();
    let part = part_of(app, request.uri());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    // Only the balance endpoint answers for failures by looking at the request's headers.
    let headers = if part == Part::Balance { request.headers().clone() } else { HeaderMap::new() };

    let mut response = if headers_bytes(&request) > HEADERS_BYTES_MAX {
        headers_too_large(app, part, &headers)
    } else {
        let address = ClientAddress::of(peer, request.headers(), &app.settings.trusted_proxies);
        request.extensions_mut().insert(address);
        match AssertUnwindSafe(router.call(request)).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_panic) => internal(app, part, &headers),
        }
    };

    let status = response.status();
    let took = started.elapsed();
    // What is not there could be anything, a key that went astray included.
    let path = if status == StatusCode::NOT_FOUND { "" } else { uri.path() };
    if status.is_server_error() {
        tracing::warn!(request_id = %id, %method, path, %status, ?took, "a request failed");
    } else {
        tracing::debug!(request_id = %id, %method, path, %status, ?took, "a request was answered");
    }
    response
        .headers_mut()
        .insert(REQUEST_ID, HeaderValue::from_str(&id).expect("hexadecimal digits are visible"));
    app.metrics.answered(part, status, took);
    response
}

fn headers_too_large(app: &App, part: Part, headers: &HeaderMap) -> Response {
    match part {
        Part::Balance => balance::failed(app, headers, balance::Failure::HeadersTooLarge),
        Part::Operator | Part::Other => {
            let detail = format!("the headers must have at most {HEADERS_BYTES_MAX} bytes");
            Problem::new(Code::HeadersTooLarge, detail).into_response()
        }
    }
}

/// A handler has panicked. The panic itself is in the log already, from the hook.
fn internal(app: &App, part: Part, headers: &HeaderMap) -> Response {
    match part {
        Part::Balance => balance::failed(app, headers, balance::Failure::Internal),
        Part::Operator | Part::Other => {
            Problem::new(Code::Internal, "the server broke; what the request did is unknown, send it again")
                .into_response()
        }
    }
}

fn part_of(app: &App, uri: &Uri) -> Part {
    let path = uri.path();
    if path == app.balance_path {
        Part::Balance
    } else if path.starts_with("/v1/") {
        Part::Operator
    } else {
        Part::Other
    }
}

/// The request line and the headers, as they came.
fn headers_bytes(request: &Request) -> usize {
    // Each header is its name, `: `, its value and a line's end.
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    headers.sum::<usize>() + request.uri().path_and_query().map_or(0, |target| target.as_str().len())
}

/// An id that no other request of this process has, and hardly one of another.
fn next_id() -> String {
    static PROCESS: LazyLock<u32> = LazyLock::new(rand::random);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:08x}{:08x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed))
}
