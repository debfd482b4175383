//! A customer who was let in by a link, to one account.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::{HeaderValue, StatusCode, request};
use axum::response::Response;
use coffer_ledger::{AccountId, Actor, Channel, Command, Session};
use coffer_service::audited;

use super::cookie::Whose;
use super::words::{self, SessionWords};
use crate::App;
use crate::pages::frame::{Frame, Shape};
use crate::pages::look::Look;
use crate::pages::page::{Heading, Page};
use crate::pages::part;
use crate::problem::Problem;

/// A customer who was let in. All that is shown and done is of this account: pages take no other id of an account.
pub(crate) struct CustomerHere {
    pub(crate) account_id: AccountId,
    pub(crate) session: Session,
}

impl FromRequestParts<Arc<App>> for CustomerHere {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut request::Parts, app: &Arc<App>) -> Result<Self, Response> {
        let found = match Whose::Customer.token(app, &parts.headers) {
            Some(token) => app.service.customer_session(&token).await,
            None => Ok(None),
        };
        let Ok(look) = Look::from_request_parts(parts, app).await;
        match found {
            Ok(Some((account_id, session))) => Ok(CustomerHere { account_id, session }),
            Ok(None) => Err(nobody(look, parts)),
            Err(error) => Err(words::unavailable(look, &Problem::from(error))),
        }
    }
}

impl CustomerHere {
    /// A command as the customer's action, of which the audit log tells.
    pub(crate) fn acts(&self, command: Command) -> Command {
        audited(Actor::Customer, Channel::Portal, command)
    }
}

/// Only the site that the customer came from can make another link.
fn nobody(look: Look, parts: &request::Parts) -> Response {
    let words = SessionWords::of(look.language);
    let heading = Heading::new(words.session_over).lead(part::text(words.session_over_text));
    let page = Page::new(Frame::new(look, Shape::Card, words.session_over), heading);
    let mut response = page.respond(StatusCode::UNAUTHORIZED);
    if parts.headers.contains_key("hx-request") {
        response.headers_mut().insert("hx-refresh", HeaderValue::from_static("true"));
    }
    response
}
