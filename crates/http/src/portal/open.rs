//! Opening a link, and leaving.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use coffer_ledger::{Refusal, ReturnUrl};
use coffer_service::SessionToken;

use super::words::PortalWords;
use crate::address::ClientAddress;
use crate::pages::SETTINGS_PATH;
use crate::pages::form::Filled;
use crate::pages::frame::{Frame, Shape};
use crate::pages::look::Look;
use crate::pages::page::{Heading, Page};
use crate::pages::part::{self, Action, ActionLook, Notice, Tone};
use crate::pages::respond::{self, see_other};
use crate::problem::Problem;
use crate::session::{self, CustomerHere, Whose};
use crate::{App, Shared};

#[derive(Template)]
#[template(path = "session/open.html")]
struct OpenPage {
    frame: Frame,
    words: &'static PortalWords,
    notice: Option<Notice>,
}

/// The page that a link leads to. It spends nothing: its script posts the token that is behind the `#`.
pub(super) async fn show(look: Look) -> Response {
    respond::page(StatusCode::OK, &page(look, None))
}

/// Spends a link, and lets in whoever has it.
pub(super) async fn open(
    State(app): Shared,
    Extension(address): Extension<ClientAddress>,
    look: Look,
    headers: HeaderMap,
    filled: Filled,
) -> Response {
    let words = PortalWords::of(look.language);
    let opened = match SessionToken::presented(filled.get("token")) {
        Some(link) => app.service.open_session(&link, session::client(&headers)).await,
        None => Ok(Err(Refusal::SessionIsUnknown)),
    };
    match opened {
        Ok(Ok((token, session))) => {
            end_earlier(&app, &headers).await;
            let mut response = see_other(SETTINGS_PATH);
            Whose::Customer.keep(&app, &token, &session, &mut response);
            response
        }
        Ok(Err(_)) => {
            let (status, text) = match app.rates.failed_authentication(address) {
                Ok(()) => (StatusCode::UNAUTHORIZED, words.link_is_dead_text),
                Err(_) => (StatusCode::TOO_MANY_REQUESTS, words.too_fast),
            };
            let title = words.link_is_dead.to_owned();
            let notice = Notice { tone: Tone::Bad, title, text: text.to_owned() };
            respond::page(status, &page(look, Some(notice)))
        }
        Err(unavailable) => {
            let problem = Problem::from(unavailable);
            let words = look.language.words();
            let (title, text) = (words.error_unavailable.to_owned(), words.error_unavailable_text.to_owned());
            let notice = Notice { tone: Tone::Bad, title, text };
            respond::page(problem.status(), &page(look, Some(notice)))
        }
    }
}

/// Another link in the same browser takes the place of the session that it had.
async fn end_earlier(app: &App, headers: &HeaderMap) {
    let Some(token) = Whose::Customer.token(app, headers) else { return };
    if let Ok(Some((_, earlier))) = app.service.customer_session(&token).await
        && let Err(error) = app.service.sign_out(earlier.id, earlier.of).await
    {
        tracing::debug!(%error, "an earlier session could not be ended");
    }
}

/// Ends the session, and says where to go from here.
pub(super) async fn sign_out(State(app): Shared, look: Look, here: CustomerHere) -> Response {
    let session = &here.session;
    if let Err(unavailable) = app.service.sign_out(session.id, session.of).await {
        return respond::page(Problem::from(unavailable).status(), &page(look, None));
    }
    left(&app, look, session.return_url.as_ref())
}

/// What whoever has left sees.
pub(super) fn left(app: &App, look: Look, way_back: Option<&ReturnUrl>) -> Response {
    let words = PortalWords::of(look.language);
    let mut heading = Heading::new(words.signed_out).lead(part::text(words.signed_out_text));
    if let Some(url) = way_back {
        heading.actions.push(Action::link(ActionLook::Primary, words.way_back, url.as_str()));
    }
    let mut response =
        Page::new(Frame::new(look, Shape::Card, words.signed_out), heading).respond(StatusCode::OK);
    Whose::Customer.forget(app, &mut response);
    response
}

fn page(look: Look, notice: Option<Notice>) -> OpenPage {
    let words = PortalWords::of(look.language);
    OpenPage { frame: Frame::new(look, Shape::Card, words.title), words, notice }
}
