//! The balance endpoint: `POST /api/{product}/api/v1/get-credits-balance`, byte for byte as its clients know it.
//!
//! Its quirks live here and nowhere else, each with who needs it:
//! - HTTP 200 carries success and dead keys alike: clients test for 200 first, then read `code`;
//! - `code` is 100000 or 800002, and for everything else the HTTP status: the envelope must parse always;
//! - texts come in English and Chinese; the success has an empty object in their place;
//! - `user_credits` is a string, so that no client rounds it;
//! - the body is ignored, whatever its type: some clients send an empty form, some nothing;
//! - browser pages of any origin may call it: the key is in a header that the page was given, not in a cookie.

mod cors;
mod envelope;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use coffer_ledger::{Refusal, SecretHash};

use crate::address::ClientAddress;
use crate::auth::KeyHeader;
use crate::limits::{BALANCE_BODY_BYTES_MAX, RETRY_AFTER_SECONDS};
use crate::problem::note_failed_read;
use crate::{App, body};

pub(crate) use envelope::{DEAD_KEY, Failure, envelope_of};

/// Answers any method, so that the preflight and the 405 are this endpoint's own. Whether a browser page may
/// read the answer is decided around it, for failures that never get here as well: see [`allow_page`].
pub(crate) async fn answer(app: &App, from: ClientAddress, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::OPTIONS => cors::preflight(&app.settings),
        Method::POST => match body::discard(&parts.headers, body, BALANCE_BODY_BYTES_MAX).await {
            Ok(()) => {
                let secret = match KeyHeader::of(&parts.headers, app) {
                    KeyHeader::Secret(secret) => Some(secret.hash()),
                    KeyHeader::Absent | KeyHeader::Unclear => None,
                };
                balance(app, secret, from).await
            }
            Err(unread) => envelope::failed(Failure::of_body(unread)),
        },
        _ => envelope::failed(Failure::MethodNotAllowed),
    }
}

/// The answer to what goes wrong before or around [`answer`].
pub(crate) fn failed(failure: Failure) -> Response {
    envelope::failed(failure)
}

/// Lets the browser page that asks read the answer, if it may.
pub(crate) fn allow_page(app: &App, origin: Option<&HeaderValue>, response: &mut Response) {
    cors::allow(&app.settings, origin, response.headers_mut());
}

/// Free: it never changes a balance. A live key is never refused for its address; every dead one takes the
/// same path.
async fn balance(app: &App, secret: Option<SecretHash>, from: ClientAddress) -> Response {
    let available = match &secret {
        Some(secret) => app.service.available(secret).await,
        None => Ok(None),
    };
    let counted = match (&available, secret) {
        (Ok(Some(_)), Some(secret)) => app.rates.balance_read(secret),
        (Ok(None), _) => app.rates.failed_authentication(from),
        (Err(_), _) | (Ok(Some(_)), None) => Ok(()),
    };
    if let Err(fast) = counted {
        return envelope::failed(Failure::RateLimited { retry_after_seconds: fast.retry_after_seconds });
    }
    match available.map(|available| available.ok_or(Refusal::ApiKeyIsDead)) {
        Ok(Ok(credits)) => envelope::succeeded(credits),
        Ok(Err(refusal)) => envelope::refused(&refusal),
        Err(error) => {
            note_failed_read(&error);
            envelope::failed(Failure::Unavailable)
        }
    }
}

impl Failure {
    /// Headers that go with it.
    fn headers(self, headers: &mut HeaderMap) {
        match self {
            Failure::MethodNotAllowed => {
                headers.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
            }
            Failure::RateLimited { retry_after_seconds } => {
                headers.insert(header::RETRY_AFTER, retry_after_seconds.into());
            }
            Failure::Unavailable => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
            }
            Failure::BodyTooSlow
            | Failure::BodyCutOff
            | Failure::BodyTooLarge
            | Failure::HeadersTooLarge
            | Failure::Internal => {}
        }
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Failure::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Failure::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Failure::BodyCutOff => StatusCode::BAD_REQUEST,
            Failure::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Failure::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Failure::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Failure::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
