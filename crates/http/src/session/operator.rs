//! An operator who is signed in.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, request};
use axum::response::{IntoResponse as _, Response};
use coffer_ledger::{Channel, Command, Scope, Session};
use coffer_service::{LiveOperator, audited};

use super::cookie::Whose;
use super::{SIGN_IN_PATH, words};
use crate::App;
use crate::pages::href::{href, place};
use crate::pages::look::Look;
use crate::pages::respond::see_other;
use crate::problem::Problem;

/// An operator who is signed in with a key that is live now. Whoever is not is sent to sign in.
pub(crate) struct OperatorHere {
    pub(crate) operator: LiveOperator,
    pub(crate) session: Session,
}

impl FromRequestParts<Arc<App>> for OperatorHere {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut request::Parts, app: &Arc<App>) -> Result<Self, Response> {
        let found = match Whose::Operator.token(app, &parts.headers) {
            Some(token) => app.service.operator_session(&token).await,
            None => Ok(None),
        };
        match found {
            Ok(Some((operator, session))) => Ok(OperatorHere { operator, session }),
            Ok(None) => {
                // What a form was to do is not done by signing in, so the way leads to a page that asks for it again.
                let next = place(&parts.method, &parts.uri);
                Err(to(&parts.headers, &href(SIGN_IN_PATH, [("next", next.as_str())])))
            }
            Err(error) => {
                let Ok(look) = Look::from_request_parts(parts, app).await;
                Err(words::unavailable(look, &Problem::from(error)))
            }
        }
    }
}

impl OperatorHere {
    /// Whether the operator's key may do this.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.operator.scopes().contains(scope)
    }

    /// A command as this operator's action, of which the audit log tells.
    pub(crate) fn acts(&self, command: Command) -> Command {
        audited(self.operator.actor(), Channel::Console, command)
    }
}

/// Sends a browser to a page, its scripts too: they would follow a redirection and show the page inside another one.
fn to(headers: &HeaderMap, place: &str) -> Response {
    if !headers.contains_key("hx-request") {
        return see_other(place);
    }
    let mut response = StatusCode::UNAUTHORIZED.into_response();
    let place = HeaderValue::try_from(place).expect("a path with an encoded query is visible ASCII");
    response.headers_mut().insert("hx-redirect", place);
    response
}
