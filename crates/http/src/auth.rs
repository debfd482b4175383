//! Who calls. A handler that takes an [`Operator`] cannot be reached without one: only this module makes them.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, HeaderValue, header, request};
use axum::response::{IntoResponse, Response};
use coffer_ledger::{AccountId, Actor, Channel, Command, KeyId, Scope};
use coffer_service::{LiveOperator, Secret, Standing, audited};

use crate::App;
use crate::address::ClientAddress;
use crate::problem::{Problem, dead_api_key};

/// A live operator's key that may do what `May` says.
pub(crate) struct Operator<May> {
    by: Actor,
    _may: PhantomData<May>,
}

impl<May> Operator<May> {
    /// A command as this operator's action, of which the audit log tells.
    pub(crate) fn acts(&self, command: Command) -> Command {
        audited(self.by, Channel::Api, command)
    }

    /// Who acts, and by which way.
    pub(crate) fn by(&self) -> (Actor, Channel) {
        (self.by, Channel::Api)
    }
}

/// A part of the operator API, as a type.
pub(crate) trait Permission {
    const SCOPE: Scope;
}

macro_rules! permission {
    ($($name:ident),*) => {$(
        pub(crate) struct $name;
        impl Permission for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )*};
}

permission!(Read, Charge, Grant, Manage, Admin);

impl<May: Permission> FromRequestParts<Arc<App>> for Operator<May> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut request::Parts, app: &Arc<App>) -> Result<Self, Response> {
        let any = AnyOperator::from_request_parts(parts, app).await?;
        any.may(May::SCOPE).map_err(IntoResponse::into_response)?;
        Ok(Operator { by: any.0.actor(), _may: PhantomData })
    }
}

/// A live operator's key, whatever it may do: for requests that do several things.
pub(crate) struct AnyOperator(LiveOperator);

impl FromRequestParts<Arc<App>> for AnyOperator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut request::Parts, app: &Arc<App>) -> Result<Self, Response> {
        let secret = bearer(&parts.headers).map(|secret| secret.hash());
        let operator = match &secret {
            Some(secret) => {
                app.service.operator(secret).await.map_err(|error| Problem::from(error).into_response())?
            }
            None => None,
        };
        let (Some(secret), Some(operator)) = (secret, operator) else {
            return Err(refused(parts, app));
        };
        app.rates
            .operator_request(secret)
            .map_err(|fast| Problem::rate_limited(fast.retry_after_seconds).into_response())?;
        Ok(AnyOperator(operator))
    }
}

impl AnyOperator {
    /// Whether the key may do this.
    pub(crate) fn may(&self, scope: Scope) -> Result<(), Problem> {
        if self.0.scopes().contains(scope) {
            return Ok(());
        }
        Err(Problem::forbidden(scope))
    }

    /// A command as this operator's action, of which the audit log tells.
    pub(crate) fn acts(&self, command: Command) -> Command {
        audited(self.0.actor(), Channel::Api, command)
    }
}

/// The holder of a live customer's key.
pub(crate) struct Customer {
    pub(crate) account_id: AccountId,
    pub(crate) key_id: KeyId,
}

impl FromRequestParts<Arc<App>> for Customer {
    type Rejection = Response;

    /// By the customers' header, or as a bearer token. A live key is never refused for its address.
    async fn from_request_parts(parts: &mut request::Parts, app: &Arc<App>) -> Result<Self, Response> {
        let secret = match KeyHeader::of(&parts.headers, app) {
            KeyHeader::Absent => bearer(&parts.headers),
            KeyHeader::Secret(secret) => Some(secret),
            KeyHeader::Unclear => None,
        };
        let standing = match secret {
            Some(secret) => app.service.standing(&secret.hash()).await,
            None => Ok(Standing::Unknown),
        };
        match standing {
            Ok(Standing::Live(key)) => Ok(Customer { account_id: key.account_id, key_id: key.id }),
            Ok(Standing::Dead(_) | Standing::Unknown) => {
                let from = parts.extensions.get::<ClientAddress>().expect("every request has an address");
                Err(match app.rates.failed_authentication(*from) {
                    Ok(()) => dead_api_key().into_response(),
                    Err(fast) => Problem::rate_limited(fast.retry_after_seconds).into_response(),
                })
            }
            Err(error) => Err(Problem::from(error).into_response()),
        }
    }
}

fn refused(parts: &request::Parts, app: &App) -> Response {
    let from = parts.extensions.get::<ClientAddress>().expect("every request has an address");
    match app.rates.failed_authentication(*from) {
        Ok(()) => Problem::operator_key_needed().into_response(),
        Err(fast) => Problem::rate_limited(fast.retry_after_seconds).into_response(),
    }
}

/// The secret in `Authorization: Bearer …`, if there is exactly one.
fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::presented(secret.trim()))
}

/// What the customers' header says.
pub(crate) enum KeyHeader {
    /// It is not there.
    Absent,
    /// One secret.
    Secret(Secret),
    /// Several, or what can be none.
    Unclear,
}

impl KeyHeader {
    pub(crate) fn of(headers: &HeaderMap, app: &App) -> KeyHeader {
        let mut values = headers.get_all(app.settings.api_key_header.name()).iter();
        match (values.next().map(HeaderValue::to_str), values.next()) {
            (None, _) => KeyHeader::Absent,
            (Some(Ok(text)), None) => KeyHeader::Secret(Secret::presented(text)),
            (Some(_), _) => KeyHeader::Unclear,
        }
    }
}

impl FromRequestParts<Arc<App>> for KeyHeader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut request::Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(KeyHeader::of(&parts.headers, app))
    }
}
