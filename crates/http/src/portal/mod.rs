//! The customer's own pages, API Key Settings: `/portal`.
//!
//! A session is for one account. Pages take the account from the session and from nowhere else; an id that a request names
//! (a key's, say) is looked up and then compared with it, and one of another account is not found.

mod open;

mod dialogs;
mod keys;
mod table;

mod balance;
mod usage;

mod statement;

mod start;
mod tried;

mod sessions;

mod frame;
mod visitor;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use coffer_service::SessionToken;

use crate::App;
use crate::pages::SETTINGS_PATH;

/// Where links lead.
const OPEN_PATH: &str = "/portal/open";

/// The customer's pages.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(OPEN_PATH, get(open::show).post(open::open))
        .route("/portal/sign-out", post(open::sign_out))
        .route(SETTINGS_PATH, get(keys::show).post(keys::act))
        .route("/portal/usage", get(usage::show))
        .route("/portal/credits", get(balance::show))
        .route("/portal/statement", get(statement::show))
        .route("/portal/statement.csv", get(statement::file))
        .route("/portal/start", get(start::show))
        .route("/portal/try", post(tried::send))
        .route("/portal/sessions", get(sessions::show).post(sessions::act))
}

/// The address of a link. The token is behind the `#`: browsers send that nowhere, so no log and no proxy has it.
pub(crate) fn link(app: &App, token: &SessionToken) -> String {
    format!("{}{OPEN_PATH}#{}", app.places.public().origin(), token.expose())
}
