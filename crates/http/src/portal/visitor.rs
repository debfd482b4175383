//! The customer who looks: who it is, in which language, and what the account has.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request;
use axum::response::Response;
use coffer_ledger::{Account, AccountId, AccountProfile, AccountRecord, Command, SessionId, settle};

use super::frame::refused_in;
use super::words::PortalWords;
use crate::App;
use crate::pages::frame::Who;
use crate::pages::look::Look;
use crate::problem::Problem;
use crate::session::CustomerHere;

/// A customer who was let in, with the account.
pub(crate) struct Visitor {
    pub(super) look: Look,
    /// The account, with everything settled that has fallen due.
    pub(super) account: Account,
    profile: AccountProfile,
    here: CustomerHere,
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut request::Parts, app: &Arc<App>) -> Result<Visitor, Response> {
        let here = CustomerHere::from_request_parts(parts, app).await?;
        let Ok(look) = Look::from_request_parts(parts, app).await;
        match app.service.reader().account_record(here.account_id).await {
            Ok(Some(AccountRecord { profile, account })) => {
                let account = settle(&account, app.service.now()).into_owned();
                Ok(Visitor { look, account, profile, here })
            }
            // An account is never taken away.
            Ok(None) => Err(refused_in(&look, &Problem::not_found("account"))),
            Err(error) => Err(refused_in(&look, &Problem::from(error))),
        }
    }
}

impl Visitor {
    pub(super) fn words(&self) -> &'static PortalWords {
        PortalWords::of(self.look.language)
    }

    pub(super) fn account_id(&self) -> AccountId {
        self.here.account_id
    }

    pub(super) fn session(&self) -> SessionId {
        self.here.session.id
    }

    pub(super) fn way_back(&self) -> Option<&coffer_ledger::ReturnUrl> {
        self.here.session.return_url.as_ref()
    }

    /// A command as the customer's action, of which the audit log tells.
    pub(super) fn acts(&self, command: Command) -> Command {
        self.here.acts(command)
    }

    pub(super) fn who(&self) -> Who {
        Who {
            name: self.profile.name.as_str().to_owned(),
            detail: self.words().signed_in_by_link.to_owned(),
            sign_out: "/portal/sign-out".to_owned(),
        }
    }
}
