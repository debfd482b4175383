//! Whether what changes something comes from one of this server's own pages.
//!
//! A cookie goes with every request to this server, whoever made the browser send it. Browsers say where a request comes from
//! in `Sec-Fetch-Site`, or, where they do not trust the connection with that, in `Origin`; what says neither is not let through.

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::words::SessionWords;
use crate::App;
use crate::pages::frame::{Frame, Shape};
use crate::pages::look::Look;
use crate::pages::page::{Heading, Page};
use crate::pages::part;

/// Lets requests to pages through that only read, and those that one of this server's pages sends. Everything else has no cookie
/// and needs no such check.
pub(crate) async fn from_own_pages_only(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if is_safe || is_from_own_page(&app, request.headers()) {
        return next.run(request).await;
    }
    let (mut parts, _) = request.into_parts();
    let Ok(look) = Look::from_request_parts(&mut parts, &app).await;
    let words = SessionWords::of(look.language);
    let heading = Heading::new(words.not_from_here).lead(part::text(words.not_from_here_text));
    Page::new(Frame::new(look, Shape::Card, words.not_from_here), heading).respond(StatusCode::FORBIDDEN)
}

fn is_from_own_page(app: &App, headers: &HeaderMap) -> bool {
    let one = |name: header::HeaderName| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    if headers.contains_key("sec-fetch-site") {
        // `none` is the person: an address that was typed, or a reload.
        let site = one(header::HeaderName::from_static("sec-fetch-site"));
        return site.is_some_and(|site| ["same-origin", "none"].contains(&site));
    }
    let Some(origin) = one(header::ORIGIN) else { return false };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    [app.places.public(), app.places.operator()].iter().any(|place| place.origin() == origin)
        || authority.is_some() && authority == one(header::HOST)
}
