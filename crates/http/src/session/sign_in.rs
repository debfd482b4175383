//! Signing in with an operator's key, and out again.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use coffer_service::Secret;

use super::cookie::Whose;
use super::words::{self, SessionWords};
use super::{SIGN_IN_PATH, client};
use crate::address::ClientAddress;
use crate::pages::field::{Field, FieldKind};
use crate::pages::form::Filled;
use crate::pages::frame::{Frame, Shape};
use crate::pages::href::is_local;
use crate::pages::look::Look;
use crate::pages::respond::{self, see_other};
use crate::problem::Problem;
use crate::{App, Shared};

#[derive(Template)]
#[template(path = "session/sign_in.html")]
struct SignInPage {
    frame: Frame,
    words: &'static SessionWords,
    action: &'static str,
    next: String,
    key: Field,
}

/// The form.
pub(super) async fn show(look: Look, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    respond::page(StatusCode::OK, &page(look, query.get("next"), None))
}

/// Lets an operator in. A wrong key counts as a failed authentication; a live one is never refused for its address.
pub(super) async fn sign_in(
    State(app): Shared,
    Extension(address): Extension<ClientAddress>,
    look: Look,
    headers: HeaderMap,
    filled: Filled,
) -> Response {
    let key = filled.get("key");
    let next = filled.get("next");
    let words = SessionWords::of(look.language);
    match app.service.sign_in(&Secret::presented(key), client(&headers)).await {
        Ok(Ok((token, session))) => {
            end_earlier(&app, &headers).await;
            let next = if is_in_console(next) { next } else { "/console" };
            let mut response = see_other(next);
            Whose::Operator.keep(&app, &token, &session, &mut response);
            response
        }
        Ok(Err(_)) => match app.rates.failed_authentication(address) {
            Ok(()) => {
                let error = if key.is_empty() { words.key_is_missing } else { words.key_is_wrong };
                respond::page(StatusCode::UNAUTHORIZED, &page(look, next, Some(error)))
            }
            Err(fast) => {
                let page = page(look, next, Some(words.too_fast));
                let mut response = respond::page(StatusCode::TOO_MANY_REQUESTS, &page);
                let seconds = HeaderValue::from(fast.retry_after_seconds);
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
                response
            }
        },
        Err(unavailable) => words::unavailable(look, &Problem::from(unavailable)),
    }
}

/// Ends this session.
pub(super) async fn sign_out(State(app): Shared, look: Look, headers: HeaderMap) -> Response {
    // Whoever has no session is out already.
    if let Err(problem) = end(&app, &headers).await {
        return words::unavailable(look, &problem);
    }
    signed_out(&app)
}

/// Sends whoever is out to where one gets in again.
pub(crate) fn signed_out(app: &App) -> Response {
    let mut response = see_other(SIGN_IN_PATH);
    Whose::Operator.forget(app, &mut response);
    response
}

async fn end(app: &Arc<App>, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(token) = Whose::Operator.token(app, headers) else { return Ok(()) };
    if let Some((_, session)) = app.service.operator_session(&token).await? {
        app.service.sign_out(session.id, session.of).await?;
    }
    Ok(())
}

/// Whoever signs in anew needs the session that the browser had no more. If it cannot be ended it lapses.
async fn end_earlier(app: &Arc<App>, headers: &HeaderMap) {
    if let Err(problem) = end(app, headers).await {
        tracing::debug!(detail = problem.detail(), "an earlier session could not be ended");
    }
}

/// Whither one may be sent after signing in: nowhere else, whatever a link says.
fn is_in_console(next: &str) -> bool {
    is_local(next) && (next == "/console" || next.starts_with("/console/") || next.starts_with("/console?"))
}

fn page(look: Look, next: &str, error: Option<&str>) -> SignInPage {
    let words = SessionWords::of(look.language);
    let key = Field::new(look.language, "key", words.operator_key, FieldKind::Secret);
    let key = Field { autocomplete: "current-password", ..key };
    let mut frame = Frame::new(look, Shape::Card, words.sign_in);
    frame.place_name = words.console.to_owned();
    frame.home = "/console".to_owned();
    SignInPage {
        frame,
        words,
        action: SIGN_IN_PATH,
        next: if is_in_console(next) { next.to_owned() } else { String::new() },
        key: key.hint(words.operator_key_hint).required().error(error.map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_out_of_the_console() {
        for next in ["/console", "/console/accounts?q=a", "/console?x"] {
            assert!(is_in_console(next), "{next}");
        }
        for next in ["", "/", "/consoles", "//evil.example/console", "https://evil.example", "/portal"] {
            assert!(!is_in_console(next), "{next}");
        }
    }
}
