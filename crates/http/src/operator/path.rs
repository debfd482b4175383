//! What paths name. What is no id names nothing, so it is 404 like an id that nobody has.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, RawPathParams};
use axum::http::request;
use coffer_ledger::Operation;

use crate::problem::Problem;

/// The id in the path.
pub(crate) struct Id<T>(pub(crate) T);

/// What an id in a path is of.
pub(crate) trait Named: FromStr {
    const WHAT: &'static str;
}

impl Named for coffer_ledger::AccountId {
    const WHAT: &'static str = "account";
}
impl Named for coffer_ledger::GrantId {
    const WHAT: &'static str = "grant";
}
impl Named for coffer_ledger::ChargeId {
    const WHAT: &'static str = "charge";
}
impl Named for coffer_ledger::HoldId {
    const WHAT: &'static str = "hold";
}
impl Named for coffer_ledger::KeyId {
    const WHAT: &'static str = "key";
}
impl Named for coffer_ledger::OperatorKeyId {
    const WHAT: &'static str = "operator key";
}

impl<T: Named, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Id<T>, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let id = params.ok().and_then(|params| params.iter().find_map(|(_, value)| value.parse().ok()));
        id.map(Id).ok_or_else(|| Problem::not_found(T::WHAT))
    }
}

/// The operation in the path.
pub(crate) struct OperationName(pub(crate) Operation);

impl<S: Send + Sync> FromRequestParts<S> for OperationName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Problem> {
        let Ok(Path(name)) = Path::<String>::from_request_parts(parts, state).await else {
            return Err(Problem::invalid("operation", "must be UTF-8"));
        };
        let operation = Operation::try_from(name);
        operation.map(OperationName).map_err(|rule| Problem::invalid("operation", rule))
    }
}
