//! The operator's console: `/console`, for whoever runs the ledger and wants no curl.
//!
//! A file per page. A page reads what the API reads, and a form becomes the body of the API's own request: the same rules, the
//! same command, under a name that the form carries, so that sending it twice does it once. What an operator's key may not do
//! with the API it may not do here. Nothing here decides anything about credits, and there is no second way to change a balance.

mod visitor;

mod overview;

mod account;
mod accounts;

mod operator_keys;
mod prices;

mod audit;
mod sessions;

mod store;

mod act;
mod cells;
mod frame;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::App;

/// The pages of the console.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console", get(overview::show))
        .route("/console/accounts", get(accounts::show).post(accounts::create))
        .route("/console/accounts/{id}", get(account::show).post(account::act))
        .route("/console/accounts/{id}/grants", get(account::show_grants))
        .route("/console/accounts/{id}/holds", get(account::show_holds))
        .route("/console/accounts/{id}/keys", get(account::show_keys))
        .route("/console/prices", get(prices::show).post(prices::act))
        .route("/console/operator-keys", get(operator_keys::show).post(operator_keys::act))
        .route("/console/sessions", get(sessions::show).post(sessions::act))
        .route("/console/audit", get(audit::show))
        .route("/console/store", get(store::show))
}
