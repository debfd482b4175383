//! The whole API on one page.
//!
//! The balance endpoint stands apart from it, because it answers every method of its path in a format of its
//! own: `request.rs` hands it what is its, and everything else comes here.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use coffer_service::Service;

use crate::docs::Documents;
use crate::metrics::Metrics;
use crate::operator::{
    accounts, adjustments, balances, batch, charges, grants, holds, keys, operator_keys, portal_sessions,
    prices, refunds, statements, verify,
};
use crate::pages::href::is_for_people;
use crate::pages::look::Look;
use crate::pages::once::Once;
use crate::pages::page;
use crate::place::Places;
use crate::problem::{Code, Problem};
use crate::rate_limit::Rates;
use crate::request::Endpoint;
use crate::seldom::Seldom;
use crate::settings::Settings;
use crate::{App, console, customer, docs, health, openapi, pages, portal, request, session};

/// What to serve: everything in one place, or the operator's part on a port of its own.
pub struct Routers {
    pub(crate) app: Arc<App>,
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
    let (metrics, documents) = (Metrics::new(), Documents::default());
    let unavailable = Seldom::default();
    let (forms, places) = (Once::default(), Places::of(&settings));
    let app = Arc::new(App {
        service,
        settings,
        balance_path,
        rates,
        metrics,
        documents,
        unavailable,
        places,
        forms,
    });
    Routers { app }
}

impl Routers {
    /// The routes of a port.
    #[must_use]
    pub fn surface(&self, surface: Surface) -> Endpoint {
        let (serves_balance, routes, pages) = match surface {
            Surface::Whole => {
                (true, operator_routes().merge(customer_routes()), operator_pages().merge(portal::routes()))
            }
            Surface::Public => (true, customer_routes(), portal::routes()),
            Surface::Operator => (false, operator_routes(), operator_pages()),
        };
        let port = session::Port { app: Arc::clone(&self.app), surface };
        let own_pages_only = axum::middleware::from_fn_with_state(port, session::from_own_pages_only);
        let pages = pages.merge(everyones_pages()).route_layer(own_pages_only);
        let routes = routes.merge(everywhere()).merge(pages);
        let names = routes.clone().route_layer(axum::middleware::from_fn(request::name_route));
        let [router, names] = [routes, names].map(|routes| {
            let routes = routes.fallback(not_found).method_not_allowed_fallback(method_not_allowed);
            routes.with_state(Arc::clone(&self.app))
        });
        Endpoint::new(Arc::clone(&self.app), serves_balance, router, names)
    }
}

fn operator_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/accounts", get(accounts::list).post(accounts::create))
        .route("/v1/accounts/{id}", get(accounts::show).patch(accounts::update))
        .route("/v1/accounts/{id}/balance", get(balances::show))
        .route("/v1/accounts/{id}/entries", get(statements::entries))
        .route("/v1/accounts/{id}/usage", get(statements::usage))
        .route("/v1/accounts/{id}/erase", post(accounts::erase))
        .route("/v1/accounts/{id}/portal-sessions", post(portal_sessions::create))
        .route("/v1/accounts/{id}/grants", get(grants::list).post(grants::create))
        .route("/v1/accounts/{id}/adjustments", post(adjustments::create))
        .route("/v1/accounts/{id}/keys", get(keys::list).post(keys::create))
        .route("/v1/accounts/{id}/keys/import", post(keys::import))
        .route("/v1/grants/{id}", get(grants::show))
        .route("/v1/grants/{id}/void", post(grants::void))
        .route("/v1/charges", get(charges::list).post(charges::create))
        .route("/v1/charges/{id}", get(charges::show))
        .route("/v1/charges/{id}/refund", post(refunds::create))
        .route("/v1/holds", get(holds::list).post(holds::create))
        .route("/v1/holds/{id}", get(holds::show))
        .route("/v1/holds/{id}/capture", post(holds::capture))
        .route("/v1/holds/{id}/release", post(holds::release))
        .route("/v1/batch", post(batch::run))
        .route("/v1/keys/verify", post(verify::verify))
        .route("/v1/keys/{id}", get(keys::show).patch(keys::update))
        .route("/v1/keys/{id}/rotate", post(keys::rotate))
        .route("/v1/keys/{id}/revoke", post(keys::revoke))
        .route("/v1/prices", get(prices::list))
        .route("/v1/prices/{operation}", put(prices::put).delete(prices::delete))
        .route("/v1/operator-keys", get(operator_keys::list).post(operator_keys::create))
        .route("/v1/operator-keys/{id}/revoke", post(operator_keys::revoke))
        .route("/metrics", get(health::metrics))
}

fn operator_pages() -> Router<Arc<App>> {
    console::routes().merge(session::operator_routes())
}

fn customer_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/me/balance", get(customer::balance))
        .route("/v1/me/entries", get(customer::entries))
}

/// What every page sends, whoever looks at it.
fn everyones_pages() -> Router<Arc<App>> {
    Router::new().route("/preferences", post(pages::preferences::choose))
}

fn everywhere() -> Router<Arc<App>> {
    Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/openapi.json", get(openapi::show))
        .route("/docs", get(docs::show))
        .route(docs::endpoint::PATH, get(docs::endpoint::show))
        .route("/docs/style.css", get(docs::style))
        .route("/assets/{name}", get(pages::assets::show))
}

/// Programs get JSON, and people a page.
async fn not_found(uri: Uri, look: Look) -> Response {
    nothing_here(&uri, look, Problem::new(Code::NotFound, "nothing is served at this path"))
}

/// The router adds the header `Allow`.
async fn method_not_allowed(method: Method, uri: Uri, look: Look) -> Response {
    nothing_here(&uri, look, Problem::method_not_allowed(&method))
}

fn nothing_here(uri: &Uri, look: Look, problem: Problem) -> Response {
    if is_for_people(uri.path()) {
        page::nothing_here(look, problem.status())
    } else {
        problem.into_response()
    }
}
