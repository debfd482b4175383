//! Who looks at the console: an operator who is signed in, and how the pages are to look.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request;
use axum::response::Response;
use coffer_ledger::{Actor, Command, Scope, Scopes, SessionId, SessionOf};
use coffer_service::LiveOperator;

use super::words::ConsoleWords;
use crate::App;
use crate::pages::frame::Who;
use crate::pages::look::Look;
use crate::problem::Problem;
use crate::session::OperatorHere;

/// An operator who is signed in. Whoever is not is sent to sign in.
pub(crate) struct Visitor {
    pub(super) look: Look,
    here: OperatorHere,
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut request::Parts, app: &Arc<App>) -> Result<Visitor, Response> {
        let here = OperatorHere::from_request_parts(parts, app).await?;
        let Ok(look) = Look::from_request_parts(parts, app).await;
        Ok(Visitor { look, here })
    }
}

impl Visitor {
    pub(super) fn words(&self) -> &'static ConsoleWords {
        ConsoleWords::of(self.look.language)
    }

    /// Refuses what the operator's key may not do.
    pub(super) fn allowed(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) { Ok(()) } else { Err(Problem::forbidden(scope)) }
    }

    /// Refuses to do on a page what the operator's key may not do, or not see there: whoever does something sees what came of it.
    pub(super) fn allowed_to_do(&self, scope: Scope) -> Result<(), Problem> {
        self.allowed(Scope::Read)?;
        self.allowed(scope)
    }

    /// Whether the operator's key may do this.
    pub(super) fn may(&self, scope: Scope) -> bool {
        self.here.may(scope)
    }

    /// A command as this operator's action.
    pub(super) fn acts(&self, command: Command) -> Command {
        self.here.acts(command)
    }

    pub(super) fn actor(&self) -> Actor {
        self.here.operator.actor()
    }

    /// The key that the session was opened with.
    pub(super) fn key(&self) -> SessionOf {
        self.here.operator.key()
    }

    pub(super) fn session(&self) -> SessionId {
        self.here.session.id
    }

    pub(super) fn who(&self) -> Who {
        let name = match &self.here.operator {
            LiveOperator::Known(key) => key.name.to_string(),
            LiveOperator::Configured(_) => self.words().configured.to_owned(),
        };
        let scopes = self.here.operator.scopes();
        let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
        let all = scopes == Scopes::ALL;
        let detail = if all { self.words().all_scopes.to_owned() } else { names.join(", ") };
        Who { name, detail, sign_out: "/console/sign-out".to_owned() }
    }
}
