//! Which browser pages may call the balance endpoint.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::settings::{CorsOrigins, Settings};

/// How long a browser may remember the preflight's answer, in seconds: a day.
const MAX_AGE: &str = "86400";

/// The answer to a preflight.
pub(super) fn preflight(settings: &Settings) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let allowed = format!("{}, Content-Type", settings.api_key_header);
    let allowed = HeaderValue::from_str(&allowed).expect("a header's name is visible");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    response
}

/// Lets the page that asks read the answer, if it may.
pub(super) fn allow(settings: &Settings, origin: Option<&HeaderValue>, response: &mut HeaderMap) {
    match &settings.cors_origins {
        CorsOrigins::Any => {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        CorsOrigins::Only(origins) => {
            response.insert(header::VARY, HeaderValue::from_static("Origin"));
            if let Some(origin) = origin.filter(|origin| origins.iter().any(|known| known.matches(origin))) {
                response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            }
        }
    }
}
