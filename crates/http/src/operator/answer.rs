//! Answers: how each outcome of the ledger is told, first and replayed ones alike.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use coffer_ledger::{Outcome, Reply, Timestamp};
use coffer_service::Secret;

use super::accounts::AccountBody;
use super::charges::ChargeBody;
use super::grants::GrantBody;
use super::keys::KeyBody;
use super::operator_keys::OperatorKeyBody;
use crate::problem::Problem;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Tells a reply to a request with an idempotency key.
pub(super) fn reply(reply: Reply, now: Timestamp) -> Response {
    let mut response = outcome(reply.outcome, Beside { now, secret: None, last_used_at: None });
    if reply.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// What an answer shows that the outcome does not know.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// The time, which a key's status depends on.
    pub(super) now: Timestamp,
    /// The secret that was made for it, shown this once.
    pub(super) secret: Option<&'a Secret>,
    /// When the key that it tells of was last used.
    pub(super) last_used_at: Option<Timestamp>,
}

/// Tells an outcome.
pub(super) fn outcome(outcome: Outcome, beside: Beside<'_>) -> Response {
    let Beside { now, secret, last_used_at } = beside;
    match outcome {
        Outcome::AccountCreated(record) => created(AccountBody::of(&record.profile, &record.account)),
        // As it stood when it was made: a replay tells the same.
        Outcome::Granted(grant) => {
            let then = grant.created_at;
            created(GrantBody::of(grant, then))
        }
        Outcome::Charged(charge) => created(ChargeBody::of(charge)),
        Outcome::Settled => StatusCode::NO_CONTENT.into_response(),
        Outcome::KeyCreated(record) => created(KeyBody::of(record, now, None, secret)),
        Outcome::KeyUpdated(record) | Outcome::KeyRevoked(record) => {
            Json(KeyBody::of(record, now, last_used_at, None)).into_response()
        }
        Outcome::OperatorKeyCreated(key) => created(OperatorKeyBody::of(key, secret)),
        Outcome::OperatorKeyRevoked(key) => Json(OperatorKeyBody::of(key, None)).into_response(),
        Outcome::Refused(refusal) => Problem::from(refusal).into_response(),
    }
}

fn created(body: impl serde::Serialize) -> Response {
    (StatusCode::CREATED, Json(body)).into_response()
}
