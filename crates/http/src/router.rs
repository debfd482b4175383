//! The whole API on one page.
//!
//! The balance endpoint stands apart from it, because it answers every method of its path in a format of its
//! own: `request.rs` hands it what is its, and everything else comes here.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use coffer_service::Service;

use crate::metrics::Metrics;
use crate::operator::{accounts, charges, grants, keys, operator_keys};
use crate::problem::{Code, Problem};
use crate::rate_limit::Rates;
use crate::request::Endpoint;
use crate::settings::Settings;
use crate::{App, health, openapi, request};

/// What to serve: everything in one place, or the operator's part on a port of its own.
pub struct Routers {
    pub(crate) app: Arc<App>,
    operator: Router<Arc<App>>,
}

/// What a port serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Surface {
    /// Everything.
    Whole,
    /// What customers call.
    Public,
    /// What operators call.
    Operator,
}

/// Every route, over a service.
#[must_use]
pub fn routers(service: Arc<Service>, settings: Settings) -> Routers {
    let rates = Rates::new(&settings.rate_limits);
    let balance_path = settings.product.balance_path();
    let app = Arc::new(App { service, settings, balance_path, rates, metrics: Metrics::new() });
    Routers { operator: operator_routes(), app }
}

impl Routers {
    /// The routes of a port.
    #[must_use]
    pub fn surface(&self, surface: Surface) -> Endpoint {
        let (serves_balance, routes) = match surface {
            Surface::Whole => (true, self.operator.clone()),
            Surface::Public => (true, Router::new()),
            Surface::Operator => (false, self.operator.clone()),
        };
        let routes = routes
            .merge(everywhere())
            .route_layer(axum::middleware::from_fn(request::note_route))
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed)
            .with_state(Arc::clone(&self.app));
        Endpoint::new(Arc::clone(&self.app), serves_balance, routes)
    }
}

fn operator_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/accounts", get(accounts::list).post(accounts::create))
        .route("/v1/accounts/{id}", get(accounts::show))
        .route("/v1/accounts/{id}/balance", get(accounts::balance))
        .route("/v1/accounts/{id}/grants", get(grants::list).post(grants::create))
        .route("/v1/grants/{id}", get(grants::show))
        .route("/v1/charges", post(charges::create))
        .route("/v1/charges/{id}", get(charges::show))
        .route("/v1/accounts/{id}/keys", get(keys::list).post(keys::create))
        .route("/v1/accounts/{id}/keys/import", post(keys::import))
        .route("/v1/keys/{id}", get(keys::show).patch(keys::update))
        .route("/v1/keys/{id}/revoke", post(keys::revoke))
        .route("/v1/operator-keys", get(operator_keys::list).post(operator_keys::create))
        .route("/v1/operator-keys/{id}/revoke", post(operator_keys::revoke))
        .route("/metrics", get(health::metrics))
}

fn everywhere() -> Router<Arc<App>> {
    Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/openapi.json", get(openapi::show))
}

async fn not_found() -> Problem {
    Problem::new(Code::NotFound, "nothing is served at this path")
}

/// The router adds the header `Allow`.
async fn method_not_allowed(method: Method) -> Response {
    Problem::new(Code::MethodNotAllowed, format!("this path does not take {method}")).into_response()
}
