//! Whether the process lives, whether it can work, and how it has been doing.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::Shared;
use crate::problem::{Code, Problem};

/// Whether the process answers.
#[utoipa::path(
    get, path = "/livez", operation_id = "livez", tag = "server", security(()),
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"))
)]
pub(crate) async fn livez() -> &'static str {
    "ok\n"
}

/// Whether commits work. After one that did not, the store is probed, at most once a second.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "server", security(()),
    responses((status = 200, description = "They do.", body = String, content_type = "text/plain"))
)]
pub(crate) async fn readyz(State(app): Shared) -> Result<&'static str, Problem> {
    if app.service.is_ready().await {
        Ok("ready\n")
    } else {
        Err(Problem::new(Code::Unavailable, "commits do not work just now"))
    }
}

/// Numbers for Prometheus. No account and no key is in a label.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "server", security(()),
    responses((
        status = 200, description = "The numbers, as OpenMetrics writes them.", body = String,
        content_type = "application/openmetrics-text"
    ))
)]
pub(crate) async fn metrics(State(app): Shared) -> Response {
    let text = app.metrics.render(&app.service);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
        .into_response()
}
