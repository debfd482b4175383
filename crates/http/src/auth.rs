//! Who calls. A handler that takes an [`Operator`] cannot be reached without one: only this module makes them.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, header, request};
use axum::response::{IntoResponse, Response};
use coffer_ledger::Scope;
use coffer_service::Secret;

use crate::App;
use crate::address::ClientAddress;
use crate::problem::{Code, Problem};

/// A live operator's key that may do what `May` says.
pub(crate) struct Operator<May>(PhantomData<May>);

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
        let secret = bearer(&parts.headers).map(|secret| secret.hash());
        let scopes = match &secret {
            Some(secret) => {
                app.service.operator(secret).await.map_err(|error| Problem::from(error).into_response())?
            }
            None => None,
        };
        let (Some(secret), Some(scopes)) = (secret, scopes) else {
            return Err(refused(parts, app));
        };
        app.rates
            .operator_request(secret)
            .map_err(|fast| Problem::rate_limited(fast.retry_after_seconds).into_response())?;
        if !scopes.contains(May::SCOPE) {
            let detail = format!("the operator key lacks the scope {}", May::SCOPE);
            return Err(Problem::new(Code::Forbidden, detail).into_response());
        }
        Ok(Operator(PhantomData))
    }
}

fn refused(parts: &request::Parts, app: &App) -> Response {
    let from = parts.extensions.get::<ClientAddress>().expect("every request has an address");
    match app.rates.failed_authentication(*from) {
        Ok(()) => Problem::unauthorized(
            "operator_key",
            "a live operator key is needed: Authorization: Bearer <operator key>",
        )
        .into_response(),
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

/// The secret in a customer's header, if there is exactly one.
pub(crate) fn presented(headers: &HeaderMap, name: &header::HeaderName) -> Option<Secret> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok().map(Secret::presented)
}
