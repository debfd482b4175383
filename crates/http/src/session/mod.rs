//! People who are let in: cookies, who a request comes from, signing in and out, and the check that a form comes from one of
//! this server's own pages.
//!
//! A cookie holds a token and nothing else; what it opens is asked of the ledger at each request, so what has been ended
//! opens nothing on any node. Nothing here shows credits: `console` and `portal` do.

mod cookie;
mod same_site;

mod customer;
mod operator;

mod sign_in;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::{get, post};
use coffer_ledger::Client;

use crate::App;

pub(crate) use cookie::Whose;
pub(crate) use customer::CustomerHere;
pub(crate) use operator::OperatorHere;
pub(crate) use same_site::{Port, from_own_pages_only};
pub(crate) use sign_in::signed_out;

/// Where operators sign in.
pub(crate) const SIGN_IN_PATH: &str = "/console/sign-in";

/// Signing in and out as an operator.
pub(crate) fn operator_routes() -> Router<Arc<App>> {
    Router::new()
        .route(SIGN_IN_PATH, get(sign_in::show).post(sign_in::sign_in))
        .route("/console/sign-out", post(sign_in::sign_out))
}

/// What the browser calls itself, for the list of sessions.
pub(crate) fn client(headers: &HeaderMap) -> Option<Client> {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).and_then(Client::cut)
}
