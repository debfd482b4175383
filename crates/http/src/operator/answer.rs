//! Answers: how each outcome of the ledger is told, first and replayed ones alike, in single calls and in batches.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use coffer_ledger::{Outcome, Reply, Timestamp};
use coffer_service::Secret;
use serde::Serialize;

use super::accounts::AccountBody;
use super::adjustments::AdjustmentBody;
use super::charges::ChargeBody;
use super::grants::GrantBody;
use super::holds::HoldBody;
use super::keys::KeyBody;
use super::operator_keys::OperatorKeyBody;
use super::prices::PriceBody;
use super::refunds::RefundBody;
use crate::problem::Problem;

/// What most answers fit into.
const ANSWER_BYTES: usize = 512;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What the caller is told.
#[derive(Debug)]
pub(super) enum Answer {
    /// A status and JSON.
    Told(StatusCode, Vec<u8>),
    /// A status alone.
    Empty,
    /// A refusal.
    Refused(Box<Problem>),
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Answer::Told(status, json) => {
                (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json)
                    .into_response()
            }
            Answer::Empty => StatusCode::NO_CONTENT.into_response(),
            Answer::Refused(problem) => problem.into_response(),
        }
    }
}

/// Tells a reply to a request with an idempotency key.
pub(super) fn reply(reply: Reply, now: Timestamp) -> Response {
    let mut response = outcome(reply.outcome, Beside::at(now)).into_response();
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

impl Beside<'_> {
    /// The time alone.
    pub(super) const fn at(now: Timestamp) -> Beside<'static> {
        Beside { now, secret: None, last_used_at: None }
    }
}

/// Tells an outcome.
pub(super) fn outcome(outcome: Outcome, beside: Beside<'_>) -> Answer {
    let Beside { now, secret, last_used_at } = beside;
    match outcome {
        Outcome::AccountCreated(record) => created(&AccountBody::of(&record.profile, &record.account)),
        Outcome::AccountUpdated(record) => done(&AccountBody::of(&record.profile, &record.account)),
        // As it stood when it was made: a replay tells the same.
        Outcome::Granted(grant) => {
            let then = grant.created_at;
            created(&GrantBody::of(grant, then))
        }
        // A voided grant is voided at every time.
        Outcome::GrantVoided(grant) => done(&GrantBody::of(grant, now)),
        Outcome::Adjusted(adjustment) => created(&AdjustmentBody::of(adjustment)),
        Outcome::Charged(charge) | Outcome::Captured(charge) => created(&ChargeBody::of(charge)),
        Outcome::Refunded(refund) => created(&RefundBody::of(&refund)),
        Outcome::Held(record) => created(&HoldBody::of(record)),
        Outcome::Released(record) => done(&HoldBody::of(record)),
        Outcome::Settled | Outcome::TextsErased | Outcome::PriceDeleted => Answer::Empty,
        Outcome::KeyCreated(record) => created(&KeyBody::of(record, now, None, secret)),
        Outcome::KeyRotated(record) => created(&KeyBody::of(record, now, last_used_at, secret)),
        Outcome::KeyUpdated(record) | Outcome::KeyRevoked(record) => {
            done(&KeyBody::of(record, now, last_used_at, None))
        }
        Outcome::PricePut(price) => done(&PriceBody::of(price)),
        Outcome::OperatorKeyCreated(key) => created(&OperatorKeyBody::of(key, secret)),
        Outcome::OperatorKeyRevoked(key) => done(&OperatorKeyBody::of(key, None)),
        // A portal session is told with its link, which only its maker knows; the others are told by pages.
        Outcome::SessionOffered(_)
        | Outcome::SessionOpened(_)
        | Outcome::SessionUsed
        | Outcome::SessionsEnded { .. } => Answer::Empty,
        Outcome::Refused(refusal) => Answer::Refused(Box::new(Problem::from(refusal))),
    }
}

fn created(body: &impl Serialize) -> Answer {
    Answer::Told(StatusCode::CREATED, json(body))
}

fn done(body: &impl Serialize) -> Answer {
    Answer::Told(StatusCode::OK, json(body))
}

fn json(body: &impl Serialize) -> Vec<u8> {
    let mut json = Vec::with_capacity(ANSWER_BYTES);
    serde_json::to_writer(&mut json, body).expect("an answer can be written as JSON");
    json
}
