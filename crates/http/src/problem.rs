//! Refusals and failures of the operator API, as RFC 9457 problems.
//!
//! What the client reads is here; what the log says is written where a cause is handled.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use coffer_ledger::limits::{GRANTS_OPEN_MAX, HOLDS_OPEN_MAX, SECRETS_RETIRED_MAX};
use coffer_ledger::{Credits, Refusal, Scope};
use coffer_service::{ReadError, Unavailable};
use serde::Serialize;
use utoipa::ToSchema;

use crate::fields;
use crate::limits::{HEADERS_BYTES_MAX, RETRY_AFTER_SECONDS};
use crate::openapi::form;

/// An error, as RFC 9457 has it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: `code` says which error it is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The HTTP status in words.
    #[schema(example = "Payment Required")]
    title: &'static str,
    /// The HTTP status.
    #[serde(serialize_with = "fields::status")]
    #[schema(value_type = u16, example = 402)]
    status: StatusCode,
    /// What went wrong, for people.
    #[schema(example = "the account has 3 credits available, and 10 are required")]
    detail: String,
    /// Which error it is, for programs.
    #[schema(example = "insufficient_credits")]
    code: Code,
    /// Which of the errors under this code it is, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    reason: Option<&'static str>,
    /// The field of the request that breaks a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    field: Option<String>,
    /// The credits that the request needs.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::Credits, required = false)]
    required: Option<Credits>,
    /// The credits that the account has available.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::Credits, required = false)]
    available: Option<Credits>,
    /// The credits that the key's limit leaves.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::Credits, required = false)]
    remaining: Option<Credits>,
}

/// Every error of the operator API.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    /// The request breaks a rule.
    InvalidRequest,
    /// The key opens nothing.
    Unauthorized,
    /// The account has too little.
    InsufficientCredits,
    /// The key's limit leaves too little.
    KeyLimitExceeded,
    /// The operator's key may not do this.
    Forbidden,
    /// The account is frozen.
    AccountFrozen,
    /// Nothing is there.
    NotFound,
    /// The path has other methods.
    MethodNotAllowed,
    /// The request does not fit what is there.
    Conflict,
    /// The body is too large.
    PayloadTooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// Another request was made under this idempotency key.
    IdempotencyKeyReused,
    /// The headers are too large.
    HeadersTooLarge,
    /// Too many requests.
    RateLimited,
    /// The server broke.
    Internal,
    /// The server cannot do it just now.
    Unavailable,
}

impl Code {
    const fn status(self) -> StatusCode {
        match self {
            Code::InvalidRequest => StatusCode::BAD_REQUEST,
            Code::Unauthorized => StatusCode::UNAUTHORIZED,
            Code::InsufficientCredits | Code::KeyLimitExceeded => StatusCode::PAYMENT_REQUIRED,
            Code::Forbidden | Code::AccountFrozen => StatusCode::FORBIDDEN,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::Conflict => StatusCode::CONFLICT,
            Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Code::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Problem {
        let status = code.status();
        Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status,
            detail: detail.into(),
            code,
            reason: None,
            field: None,
            required: None,
            available: None,
            remaining: None,
        }
    }

    /// A field of the request breaks a rule.
    pub(crate) fn invalid(field: &str, rule: impl std::fmt::Display) -> Problem {
        let problem = Problem::new(Code::InvalidRequest, format!("{field}: {rule}"));
        Problem { field: Some(field.to_owned()), ..problem }
    }

    pub(crate) const fn code(&self) -> Code {
        self.code
    }

    /// What went wrong, for people.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The same without the name of the field, for where it stands beside that.
    pub(crate) fn rule(&self) -> &str {
        let named =
            self.field.as_deref().and_then(|field| self.detail.strip_prefix(field)?.strip_prefix(": "));
        named.unwrap_or(&self.detail)
    }

    /// The field that breaks a rule.
    pub(crate) fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn conflict(reason: &'static str, detail: impl Into<String>) -> Problem {
        Problem { reason: Some(reason), ..Problem::new(Code::Conflict, detail) }
    }

    pub(crate) fn not_found(what: &str) -> Problem {
        Problem::new(Code::NotFound, format!("there is no such {what}"))
    }

    pub(crate) fn unauthorized(reason: &'static str, detail: &str) -> Problem {
        Problem { reason: Some(reason), ..Problem::new(Code::Unauthorized, detail) }
    }

    /// Nobody with a live operator's key calls.
    pub(crate) fn operator_key_needed() -> Problem {
        let detail = "a live operator key is needed: Authorization: Bearer <operator key>";
        Problem::unauthorized("operator_key", detail)
    }

    pub(crate) fn forbidden(lacks: Scope) -> Problem {
        Problem::new(Code::Forbidden, format!("the operator key lacks the scope {lacks}"))
    }

    pub(crate) fn method_not_allowed(method: &Method) -> Problem {
        Problem::new(Code::MethodNotAllowed, format!("this path does not take {method}"))
    }

    pub(crate) fn body_too_large(bytes_max: usize) -> Problem {
        Problem::new(Code::PayloadTooLarge, format!("the body must have at most {bytes_max} bytes"))
    }

    pub(crate) fn body_is_not_json() -> Problem {
        let detail = "a body needs the header Content-Type: application/json";
        Problem::new(Code::UnsupportedMediaType, detail)
    }

    pub(crate) fn headers_too_large() -> Problem {
        let detail = format!("the headers must have at most {HEADERS_BYTES_MAX} bytes");
        Problem::new(Code::HeadersTooLarge, detail)
    }

    /// A handler has panicked.
    pub(crate) fn internal() -> Problem {
        let detail = "the server broke; what the request did is unknown, send it again";
        Problem::new(Code::Internal, detail)
    }

    pub(crate) fn rate_limited(retry_after_seconds: u64) -> RetryLater {
        let detail = format!("too many requests; try again in {retry_after_seconds} s");
        RetryLater { problem: Problem::new(Code::RateLimited, detail), retry_after_seconds }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.reason == Some("operator_key") {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.code == Code::Unavailable {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}

/// A problem that says when to come back.
#[derive(Debug)]
pub(crate) struct RetryLater {
    pub(crate) problem: Problem,
    retry_after_seconds: u64,
}

impl IntoResponse for RetryLater {
    fn into_response(self) -> Response {
        let retry_after: (HeaderName, HeaderValue) = (header::RETRY_AFTER, self.retry_after_seconds.into());
        ([retry_after], self.problem).into_response()
    }
}

/// How the operator API tells each refusal of the ledger.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal {
            Refusal::AccountIsUnknown => Problem::not_found("account"),
            Refusal::AccountIsFrozen => {
                Problem::new(Code::AccountFrozen, "the account is frozen: new charges and holds are refused")
            }
            Refusal::AccountIsClosed => Problem::conflict("account_closed", "the account is closed"),
            Refusal::AccountHasOpenHolds => {
                Problem::conflict("open_holds", "the account has open holds: capture or release them first")
            }
            Refusal::AccountIsInDebt => Problem::conflict(
                "in_debt",
                "the account is in debt: grant what it owes, or adjust it, first",
            ),
            Refusal::ExternalIdIsTaken(external_id) => Problem::conflict(
                "external_id_taken",
                format!("another account has the external_id {external_id}"),
            ),
            Refusal::GrantIsUnknown => Problem::not_found("grant"),
            Refusal::GrantIsClosed => {
                Problem::conflict("grant_closed", "the grant has expired, was voided or is depleted")
            }
            Refusal::ChargeIsUnknown => Problem::not_found("charge"),
            Refusal::RefundExceedsCharge { required, left } => Problem::conflict(
                "refund_exceeds_charge",
                format!("the charge leaves {left} credits to give back, and {required} are asked for"),
            ),
            Refusal::HoldIsUnknown => Problem::not_found("hold"),
            Refusal::HoldIsClosed => {
                Problem::conflict("hold_closed", "the hold was captured or released, or its time is over")
            }
            Refusal::HoldHasNoOperation => {
                Problem::invalid("quantity", "the hold was made for credits: capture credits")
            }
            Refusal::NothingWouldBeCaptured => {
                Problem::invalid("credits", "must be more than zero, unless the capture is final")
            }
            Refusal::CaptureExceedsHold { required, held } => Problem::conflict(
                "capture_exceeds_hold",
                format!("the hold reserves {held} credits, and {required} are asked for; see excess"),
            ),
            Refusal::OperationIsUnknown(operation) => {
                Problem::new(Code::NotFound, format!("the catalogue has no operation {operation}"))
            }
            Refusal::OperationIsReserved(operation) => Problem::conflict(
                "reserved_operation",
                format!("{operation} is free, and its price cannot be changed"),
            ),
            Refusal::KeyIsUnknown => Problem::not_found("key"),
            Refusal::KeyIsRevoked => {
                Problem::conflict("key_revoked", "the key was revoked, and stays so: create another one")
            }
            Refusal::TooManySecretsLiveOn => Problem::conflict(
                "too_many_secrets",
                format!("{SECRETS_RETIRED_MAX} earlier secrets of the key live on: wait until one has died"),
            ),
            Refusal::ApiKeyIsDead => dead_api_key(),
            Refusal::SecretIsTaken => {
                Problem::conflict("secret_taken", "a key with this secret exists already")
            }
            Refusal::OperatorKeyIsUnknown => Problem::not_found("operator key"),
            Refusal::SessionIsUnknown => Problem::not_found("session"),
            Refusal::LastOperatorKeyMustLive => Problem::conflict(
                "last_operator_key",
                "it is the last operator key with the scope admin: create another one first",
            ),
            Refusal::ExpiryIsNotInTheFuture { at } => {
                Problem::invalid("expires_at", format!("must lie in the future; it is {at}"))
            }
            Refusal::ExpiryIsNotAfterStart => Problem::invalid("expires_at", "must lie after effective_at"),
            Refusal::IdempotencyKeyWasReused => Problem::new(
                Code::IdempotencyKeyReused,
                "another request was made under this idempotency key; nothing was done",
            ),
            Refusal::KeyLimitIsExceeded { required, remaining } => Problem {
                required: Some(required),
                remaining: Some(remaining),
                ..Problem::new(
                    Code::KeyLimitExceeded,
                    format!("the key's limit leaves {remaining} credits, and {required} are required"),
                )
            },
            Refusal::CreditsAreInsufficient { required, available } => Problem {
                required: Some(required),
                available: Some(available),
                ..Problem::new(
                    Code::InsufficientCredits,
                    format!("the account has {available} credits available, and {required} are required"),
                )
            },
            Refusal::BalanceIsOutOfRange => Problem::conflict(
                "balance_out_of_range",
                "a balance or a lifetime total would leave ±9000000000000 credits",
            ),
            Refusal::TooManyGrantsAreOpen => Problem::conflict(
                "too_many_open",
                format!("the account has {GRANTS_OPEN_MAX} open grants, and may have no more"),
            ),
            Refusal::TooManyHoldsAreOpen => Problem::conflict(
                "too_many_open",
                format!("the account has {HOLDS_OPEN_MAX} open holds, and may have no more"),
            ),
        }
    }
}

/// The customer's key opens nothing, whatever the cause.
pub(crate) fn dead_api_key() -> Problem {
    Problem::unauthorized("api_key", "the customer's key is unknown, revoked, expired or disabled")
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Problem {
        let detail = match error {
            Unavailable::Overloaded
            | Unavailable::ShuttingDown
            | Unavailable::ClockStrayed(_)
            | Unavailable::Store(_) => format!("{error}; nothing was done, try again"),
            // What was done is unknown, or a part of it was: the error says so, and what to do.
            Unavailable::InDoubt | Unavailable::InPart(_) => error.to_string(),
        };
        Problem::new(Code::Unavailable, detail)
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Problem {
        note_failed_read(&error);
        Problem::new(Code::Unavailable, "the store cannot be read just now; try again")
    }
}

/// Logs why a read failed. A store that is away says so itself, and once.
pub(crate) fn note_failed_read(error: &ReadError) {
    match error {
        ReadError::Unreachable(_) | ReadError::Closed => tracing::debug!(%error, "a read failed"),
        ReadError::DiskIsFull
        | ReadError::Locked
        | ReadError::Unreadable(_)
        | ReadError::Contended
        | ReadError::RowsLocked(_)
        | ReadError::InDoubt
        | ReadError::SchemaChanged { .. }
        | ReadError::ClockStrayed => tracing::error!(%error, "a read failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_that_nothing_was_done_unless_that_is_known() {
        let shutting_down = || Box::new(Unavailable::ShuttingDown);
        let told = [
            (Unavailable::ShuttingDown, "the server is shutting down; nothing was done, try again"),
            (
                Unavailable::InDoubt,
                "the connection to the database was lost at the commit, so it is unknown whether this was done; where the \
                 request has an idempotency key, send it again with the same one to find out, and otherwise look before you \
                 send it again",
            ),
            (
                Unavailable::InPart(shutting_down()),
                "the server is shutting down; a part of it was done, send all of it again with the same idempotency keys",
            ),
        ];
        for (error, detail) in told {
            let problem = Problem::from(error);
            assert_eq!(problem.detail, detail);
            let response = problem.into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        }
    }
}
