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
use crate::place::Place;
use crate::router::Surface;

/// A port, and everything that it serves.
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) app: Arc<App>,
    pub(crate) surface: Surface,
}

impl Port {
    /// Where its pages are. One that serves everything may have two names.
    fn places(&self) -> [&Place; 2] {
        let places = &self.app.places;
        match self.surface {
            Surface::Whole => [places.public(), places.operator()],
            Surface::Public => [places.public(), places.public()],
            Surface::Operator => [places.operator(), places.operator()],
        }
    }
}

/// Lets requests to pages through that only read, and those that one of the port's own pages sends. Everything else has no cookie
/// and needs no such check.
pub(crate) async fn from_own_pages_only(State(port): State<Port>, request: Request, next: Next) -> Response {
    let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if is_safe || is_from_page_of(port.places(), request.headers()) {
        return next.run(request).await;
    }
    let (mut parts, _) = request.into_parts();
    let Ok(look) = Look::from_request_parts(&mut parts, &port.app).await;
    let words = SessionWords::of(look.language);
    let heading = Heading::new(words.not_from_here).lead(part::text(words.not_from_here_text));
    Page::new(Frame::new(look, Shape::Card, words.not_from_here), heading).respond(StatusCode::FORBIDDEN)
}

fn is_from_page_of(places: [&Place; 2], headers: &HeaderMap) -> bool {
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
    let host = one(header::HOST);
    // Where nobody configured what the server is called, it is what the browser calls it; never with another scheme.
    places.iter().any(|place| {
        place.origin() == origin || host.is_some_and(|host| origin.strip_prefix(place.scheme()) == Some(host))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Places;
    use crate::settings::Settings;

    #[test]
    fn an_origin_is_that_of_the_ports_own_pages() {
        let settings = Settings {
            public_url: Some("https://credits.example".parse().unwrap()),
            operator_url: Some("http://127.0.0.1:9".parse().unwrap()),
            ..Settings::default()
        };
        let places = Places::of(&settings);
        let (public, operator) = ([places.public(); 2], [places.operator(); 2]);
        for (places, origin, host, is_own) in [
            (public, "https://credits.example", "credits.example", true),
            (public, "https://credits.example", "10.0.0.1:8080", true),
            (public, "https://other.example", "other.example", true),
            (public, "http://credits.example", "credits.example", false),
            (public, "http://127.0.0.1:9", "credits.example", false),
            (public, "https://evil.example", "credits.example", false),
            (public, "null", "credits.example", false),
            (operator, "http://127.0.0.1:9", "127.0.0.1:9", true),
            (operator, "http://localhost:9", "localhost:9", true),
            (operator, "https://localhost:9", "localhost:9", false),
            (operator, "https://credits.example", "127.0.0.1:9", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ORIGIN, origin.parse().unwrap());
            headers.insert(header::HOST, host.parse().unwrap());
            assert_eq!(is_from_page_of(places, &headers), is_own, "{origin} at {host}");
            headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
            assert!(!is_from_page_of(places, &headers), "{origin} at {host}");
        }
    }
}
