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
    let mut response = outcome(reply.outcome, now, None);
    if reply.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// Tells an outcome. A secret that was made for it is shown with it, this once.
pub(super) fn outcome(outcome: Outcome, now: Timestamp, secret: Option<&Secret>) -> Response {
    match outcome {
        Outcome::AccountCreated(record) => created(AccountBody::of(&record.profile, &record.account)),
        // As it stood when it was made: a replay tells the same.
        Outcome::Granted(grant) => {
            let then = grant.created_at;
            created(GrantBody::of(grant, then))
        }
        Outcome::Charged(charge) => created(ChargeBody::of(charge)),
        Outcome::Settled => StatusCode::NO_CONTENT.into_response(),
        Outcome::KeyCreated(record) => created(KeyBody::of(record, now, secret)),
        Outcome::KeyUpdated(record) | Outcome::KeyRevoked(record) => {
            Json(KeyBody::of(record, now, None)).into_response()
        }
        Outcome::OperatorKeyCreated(key) => created(OperatorKeyBody::of(key, secret)),
        Outcome::OperatorKeyRevoked(key) => Json(OperatorKeyBody::of(key, None)).into_response(),
        Outcome::Refused(refusal) => Problem::from(refusal).into_response(),
    }
}

fn created(body: impl serde::Serialize) -> Response {
    (StatusCode::CREATED, Json(body)).into_response()
}
