//! The API to read: `/docs`, rendered from the OpenAPI document, without a script and without another host.

pub(crate) mod endpoint;
mod endpoint_words;

mod page;

mod operation;
mod text;
mod types;

use std::io::Write as _;
use std::sync::OnceLock;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::Shared;
use crate::openapi;
use crate::settings::Settings;

/// What is told about the API, made once and when it is first asked for.
#[derive(Default)]
pub(crate) struct Documents {
    openapi: OnceLock<Bytes>,
    page: OnceLock<Page>,
}

/// A page as it is, and as it is sent to those who unpack it: less than a tenth of it.
struct Page {
    plain: Bytes,
    gzip: Bytes,
}

impl Documents {
    /// The OpenAPI document.
    pub(crate) fn openapi(&self, settings: &Settings) -> Bytes {
        let make = || openapi::document(settings).to_string().into();
        self.openapi.get_or_init(make).clone()
    }

    fn page(&self, settings: &Settings) -> &Page {
        self.page.get_or_init(|| {
            let plain = page::render(&openapi::document(settings));
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            let gzip = gzip.write_all(plain.as_bytes()).and_then(|()| gzip.finish());
            Page { plain: plain.into(), gzip: gzip.expect("a Vec takes everything").into() }
        })
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
pub(crate) async fn show(State(app): Shared, asked: HeaderMap) -> Response {
    let page = app.documents.page(&app.settings);
    let headers = headers("text/html; charset=utf-8");
    let vary = (header::VARY, HeaderValue::from_static("accept-encoding"));
    if unpacks_gzip(&asked) {
        let encoding = (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return (AppendHeaders([vary, encoding]), headers, page.gzip.clone()).into_response();
    }
    (AppendHeaders([vary]), headers, page.plain.clone()).into_response()
}

/// Whether whoever asks takes gzip: it is named, and not with a weight of nothing.
fn unpacks_gzip(asked: &HeaderMap) -> bool {
    let codings = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    codings.flat_map(|codings| codings.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
    })
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
