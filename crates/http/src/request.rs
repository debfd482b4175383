//! What happens around every request: its id, its address, its measure, and a net under its handler.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tower_service::Service as _;

use crate::address::ClientAddress;
use crate::limits::HEADERS_BYTES_MAX;
use crate::metrics::Part;
use crate::problem::Problem;
use crate::{App, balance};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Tells which route a request comes to, in place of the answer that it would get there.
pub(crate) async fn name_route(route: MatchedPath, _request: Request, _next: Next) -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(route);
    response
}

/// What answers the requests of a port.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) app: Arc<App>,
    serves_balance: bool,
    router: Router,
    /// The same routes, which only tell their names: the log asks them, so that what is not logged pays nothing for it.
    names: Router,
}

/// A request and what came of it, for the log.
struct Line {
    id: HeaderValue,
    part: Part,
    method: Method,
    uri: Uri,
    status: StatusCode,
    took: Duration,
}

impl Endpoint {
    pub(crate) fn new(app: Arc<App>, serves_balance: bool, router: Router, names: Router) -> Endpoint {
        Endpoint { app, serves_balance, router, names }
    }

    /// Answers a request that came from a peer.
    pub async fn answer(mut self, peer: IpAddr, request: Request) -> Response {
        let started = Instant::now();
        let part = self.part_of(request.uri().path());
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let origin = request.headers().get(header::ORIGIN).cloned();

        let mut response = self.answer_part(part, peer, request).await;

        if part == Part::Balance {
            balance::allow_page(&self.app, origin.as_ref(), &mut response);
        }
        let id = request_id();
        response.headers_mut().insert(REQUEST_ID, id.clone());
        let (status, took) = (response.status(), started.elapsed());
        self.app.metrics.answered(part, status, took);
        if status.is_server_error() || tracing::enabled!(tracing::Level::DEBUG) {
            self.log(Line { id, part, method, uri, status, took });
        }
        response
    }

    fn log(&mut self, line: Line) {
        let route = self.route_of(line.part, line.method.clone(), line.uri);
        let Line { id, method, status, took, .. } = line;
        let id = id.to_str().expect("hexadecimal digits are visible");
        if status == StatusCode::SERVICE_UNAVAILABLE {
            if let Some(left_out) = self.app.unavailable.left_out() {
                tracing::warn!(request_id = id, %method, route, %status, ?took, left_out, "a request was refused");
            }
        } else if status.is_server_error() {
            tracing::warn!(request_id = id, %method, route, %status, ?took, "a request failed");
        } else {
            tracing::debug!(request_id = id, %method, route, %status, ?took, "a request was answered");
        }
    }

    /// The route, not the path: a path could be anything, a key that went astray included.
    fn route_of(&mut self, part: Part, method: Method, uri: Uri) -> String {
        if part == Part::Balance {
            return self.app.balance_path.clone();
        }
        let mut request = Request::new(Body::empty());
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        let named = self.names.call(request).now_or_never().map(|Ok(named)| named);
        let route = named.and_then(|mut named| named.extensions_mut().remove::<MatchedPath>());
        route.map_or_else(String::new, |route| route.as_str().to_owned())
    }

    /// The balance endpoint answers by itself, every method of it; the router has everything else.
    async fn answer_part(&mut self, part: Part, peer: IpAddr, mut request: Request) -> Response {
        if headers_bytes(&request) > HEADERS_BYTES_MAX {
            return headers_too_large(part);
        }
        let address = ClientAddress::of(peer, request.headers(), &self.app.settings.trusted_proxies);
        let answered = match part {
            Part::Balance => {
                AssertUnwindSafe(balance::answer(&self.app, address, request)).catch_unwind().await
            }
            Part::Operator | Part::Other => {
                request.extensions_mut().insert(address);
                let answered = AssertUnwindSafe(self.router.call(request)).catch_unwind().await;
                answered.map(|Ok(response)| response)
            }
        };
        answered.unwrap_or_else(|_panic| internal(part))
    }

    fn part_of(&self, path: &str) -> Part {
        if self.serves_balance && path == self.app.balance_path {
            Part::Balance
        } else if path.starts_with("/v1/") {
            Part::Operator
        } else {
            Part::Other
        }
    }
}

fn headers_too_large(part: Part) -> Response {
    match part {
        Part::Balance => balance::failed(balance::Failure::HeadersTooLarge),
        Part::Operator | Part::Other => Problem::headers_too_large().into_response(),
    }
}

/// A handler has panicked. The panic itself is in the log already, from the hook.
fn internal(part: Part) -> Response {
    match part {
        Part::Balance => balance::failed(balance::Failure::Internal),
        Part::Operator | Part::Other => Problem::internal().into_response(),
    }
}

/// The request line and the headers, as they came.
fn headers_bytes(request: &Request) -> usize {
    // Each header is its name, `: `, its value and a line's end.
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    headers.sum::<usize>() + request.uri().path_and_query().map_or(0, |target| target.as_str().len())
}

/// An id that no other request of this process has, and hardly one of another.
fn request_id() -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(u64::from(rand::random::<u32>()) << u32::BITS));
    let id = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let mut digits = [0; 16];
    for (two, byte) in digits.chunks_exact_mut(2).zip(id) {
        two[0] = DIGITS[usize::from(byte >> 4)];
        two[1] = DIGITS[usize::from(byte & 15)];
    }
    HeaderValue::from_bytes(&digits).expect("hexadecimal digits are visible")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, Surface, routers};
    use coffer_service::{Clock, Service};
    use coffer_store::MemoryStore;

    #[tokio::test]
    async fn the_log_has_the_route_and_never_the_path() {
        let service = Service::start(Arc::new(MemoryStore::default()), Clock::system(), None);
        let mut endpoint = routers(service, Settings::default()).surface(Surface::Whole);
        for (method, path, route) in [
            (Method::POST, "/v1/charges", "/v1/charges"),
            (Method::GET, "/v1/charges/a-key-that-went-astray?a=b", "/v1/charges/{id}"),
            (Method::GET, "/assets/nothing.css", "/assets/{name}"),
            (
                Method::POST,
                endpoint.app.balance_path.clone().as_str(),
                "/api/unwatermark/api/v1/get-credits-balance",
            ),
            (Method::PUT, "/v1/charges", ""),
            (Method::GET, "/a-key-that-went-astray", ""),
        ] {
            let uri = path.parse::<Uri>().expect("a path");
            let part = endpoint.part_of(uri.path());
            assert_eq!(endpoint.route_of(part, method, uri), route, "{path}");
        }
    }
}
