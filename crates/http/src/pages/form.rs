//! What a form sends.

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::look::Look;
use super::page;
use crate::body::{Unread, read};
use crate::limits::FORM_BYTES_MAX;

/// The fields of a form as they were filled in, without the blanks around them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filled(Vec<(String, String)>);

impl Filled {
    pub(crate) fn of(query: &[u8]) -> Filled {
        let pairs = form_urlencoded::parse(query);
        Filled(pairs.map(|(name, value)| (name.into_owned(), value.trim().to_owned())).collect())
    }

    /// What stands in a field; nothing, where it is absent.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        found.next().map_or("", |(_, value)| value.as_str())
    }

    /// What stands in a field that may be left empty.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Everything that was chosen in a group of boxes.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box is ticked.
    pub(crate) fn is_ticked(&self, name: &str) -> bool {
        self.given(name).is_some()
    }
}

impl<S: Send + Sync> FromRequest<S> for Filled {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Filled, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(look) = Look::from_request_parts(&mut parts, state).await;
        if !is_form(&parts.headers) {
            return Err(page::form_refused(look, StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        match read(&parts.headers, body, FORM_BYTES_MAX).await {
            Ok(bytes) => Ok(Filled::of(&bytes)),
            Err(Unread::TooLarge) => Err(page::form_refused(look, StatusCode::PAYLOAD_TOO_LARGE)),
            Err(Unread::TooSlow | Unread::CutOff) => Err(page::form_refused(look, StatusCode::BAD_REQUEST)),
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
