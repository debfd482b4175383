//! Whether the process lives, whether it can work, and how it has been doing.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::Shared;
use crate::problem::{Code, Problem};

/// The process answers.
pub(crate) async fn livez() -> &'static str {
    "ok\n"
}

/// Commits work.
pub(crate) async fn readyz(State(app): Shared) -> Result<&'static str, Problem> {
    if app.service.is_ready().await {
        Ok("ready\n")
    } else {
        Err(Problem::new(Code::Unavailable, "commits do not work just now"))
    }
}

/// Numbers for Prometheus. No account and no key is in a label.
pub(crate) async fn metrics(State(app): Shared) -> Response {
    let text = app.metrics.render(&app.service);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
        .into_response()
}
