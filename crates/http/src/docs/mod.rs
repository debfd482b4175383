//! The API to read: `/docs`, rendered from the OpenAPI document, without a script and without another host.

pub(crate) mod endpoint;
mod endpoint_words;

mod page;

mod operation;
mod text;
mod types;

use std::sync::OnceLock;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use bytes::Bytes;

use crate::Shared;
use crate::openapi;
use crate::settings::Settings;

/// What is told about the API, made once and when it is first asked for.
#[derive(Default)]
pub(crate) struct Documents {
    openapi: OnceLock<Bytes>,
    page: OnceLock<Bytes>,
}

impl Documents {
    /// The OpenAPI document.
    pub(crate) fn openapi(&self, settings: &Settings) -> Bytes {
        let make = || openapi::document(settings).to_string().into();
        self.openapi.get_or_init(make).clone()
    }

    fn page(&self, settings: &Settings) -> Bytes {
        let make = || page::render(&openapi::document(settings)).into();
        self.page.get_or_init(make).clone()
    }
}

/// Nothing is loaded but the style sheet of this server; nothing runs, and nobody frames the page.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// This API, to read.
#[utoipa::path(
    get, path = "/docs", operation_id = "docs", tag = "server", security(()),
    responses((status = 200, description = "A page that needs no script and no other host.", body = String, content_type = "text/html"))
)]
pub(crate) async fn show(State(app): Shared) -> impl IntoResponse {
    (headers("text/html; charset=utf-8"), app.documents.page(&app.settings))
}

/// How the page looks.
pub(crate) async fn style() -> impl IntoResponse {
    (headers("text/css; charset=utf-8"), include_str!("../../templates/docs.css"))
}

fn headers(content_type: &'static str) -> [(HeaderName, HeaderValue); 5] {
    [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
}
