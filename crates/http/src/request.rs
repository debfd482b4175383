//! What happens around every request: its id, its address, its measure, and a net under its handler.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
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

/// The pattern of the path that answered a request, for the log.
#[derive(Clone, Debug)]
struct Route(MatchedPath);

/// Notes which route answers a request.
pub(crate) async fn note_route(route: MatchedPath, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(Route(route));
    response
}

/// What answers the requests of a port.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) app: Arc<App>,
    serves_balance: bool,
    router: Router,
}

impl Endpoint {
    pub(crate) fn new(app: Arc<App>, serves_balance: bool, router: Router) -> Endpoint {
        Endpoint { app, serves_balance, router }
    }

    /// Answers a request that came from a peer.
    pub async fn answer(self, peer: IpAddr, request: Request) -> Response {
        let started = Instant::now();
        let part = self.part_of(request.uri().path());
        let method = request.method().clone();
        let origin = request.headers().get(header::ORIGIN).cloned();
        let app = Arc::clone(&self.app);

        let mut response = self.answer_part(part, peer, request).await;

        if part == Part::Balance {
            balance::allow_page(&app, origin.as_ref(), &mut response);
        }
        let id = request_id();
        response.headers_mut().insert(REQUEST_ID, id.clone());
        let status = response.status();
        let took = started.elapsed();
        // The route, not the path: a path could be anything, a key that went astray included.
        let noted = response.extensions_mut().remove::<Route>();
        let route = match &noted {
            Some(Route(route)) => route.as_str(),
            None if part == Part::Balance => app.balance_path.as_str(),
            None => "",
        };
        let id = id.to_str().expect("hexadecimal digits are visible");
        if status == StatusCode::SERVICE_UNAVAILABLE {
            if let Some(left_out) = app.unavailable.left_out() {
                tracing::warn!(request_id = id, %method, route, %status, ?took, left_out, "a request was refused");
            }
        } else if status.is_server_error() {
            tracing::warn!(request_id = id, %method, route, %status, ?took, "a request failed");
        } else {
            tracing::debug!(request_id = id, %method, route, %status, ?took, "a request was answered");
        }
        app.metrics.answered(part, status, took);
        response
    }

    /// The balance endpoint answers by itself, every method of it; the router has everything else.
    async fn answer_part(mut self, part: Part, peer: IpAddr, mut request: Request) -> Response {
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
    static PROCESS: LazyLock<u32> = LazyLock::new(rand::random);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let id = format!("{:08x}{:08x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::try_from(id).expect("hexadecimal digits are visible")
}
