//! How pages are sent: nothing runs in them but this server's own files, nothing frames them, nothing keeps them.

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// No inline script or style, no other host, no frame around it.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page as an answer.
pub(crate) fn page(status: StatusCode, page: &impl Template) -> Response {
    let html = page.render().expect("a String takes everything");
    (status, headers(), html).into_response()
}

/// A redirection after a form, so that a reload sends nothing again.
pub(crate) fn see_other(place: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let place = HeaderValue::try_from(place).expect("a path with an encoded query is visible ASCII");
    response.headers_mut().insert(header::LOCATION, place);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The referrer stays within this server: without any, browsers would also withhold the origin of a form.
fn headers() -> [(HeaderName, HeaderValue); 7] {
    [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Accept-Language, Cookie"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
}
