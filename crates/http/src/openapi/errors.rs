//! Which errors each operation can answer.
//!
//! Most of them follow from what an operation is: who may call it, whether it reads a body, whether it moves credits.
//! The rest are refusals of the ledger, and for each of those one exhaustive match says who can meet it: a new refusal
//! does not compile until it is here. The examples are the problems that the server itself makes.

use axum::http::Method;
use coffer_ledger::{Credits, ExternalId, Operation, RESERVED_OPERATION, Refusal, Scope, Timestamp};
use coffer_service::Unavailable;

use crate::limits::{BATCH_BYTES_MAX, BODY_BYTES_MAX, RETRY_AFTER_SECONDS};
use crate::problem::{Code, Problem, dead_api_key};
use crate::{idempotency, paging};

/// Who may call an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Caller {
    /// An operator whose key has a scope.
    Operator(Scope),
    /// An operator, whatever the key may do.
    AnyOperator,
    /// The holder of a customer's key.
    Customer,
    /// Everybody.
    Anybody,
}

/// What an operation is, as far as its errors follow from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape<'a> {
    pub(super) operation: &'a str,
    pub(super) caller: Caller,
    pub(super) has_body: bool,
    pub(super) has_query: bool,
    pub(super) has_pages: bool,
    pub(super) moves_credits: bool,
}

/// Every error that an operation can answer, by status.
pub(super) fn problems(shape: Shape<'_>) -> Vec<Problem> {
    let mut problems = follow_from(shape);
    let refusals = refusals().into_iter().filter(|refusal| operations(refusal).contains(&shape.operation));
    problems.extend(refusals.map(Problem::from));
    problems.extend(met_by_handlers(shape.operation));
    problems.sort_by_key(|problem| problem.status().as_u16());
    problems
}

/// What follows from the operation's shape.
fn follow_from(shape: Shape<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if shape.has_body {
        problems
            .push(Problem::invalid("body", "must be JSON: EOF while parsing an object at line 1 column 1"));
        let bytes_max = if shape.operation == "batch" { BATCH_BYTES_MAX } else { BODY_BYTES_MAX };
        problems.push(Problem::body_too_large(bytes_max));
        problems.push(Problem::body_is_not_json());
    }
    if shape.has_pages {
        problems.extend(paging::count_max(Some("1000")).err());
    } else if shape.has_query {
        let rule = "2026-11-22".parse::<Timestamp>().expect_err("a day is no time");
        problems.push(Problem::invalid("at", rule));
    }
    if shape.moves_credits {
        problems.push(idempotency::missing());
        problems.push(Refusal::IdempotencyKeyWasReused.into());
    }
    match shape.caller {
        Caller::Operator(scope) => {
            problems.extend([Problem::operator_key_needed(), Problem::forbidden(scope)]);
        }
        Caller::AnyOperator => problems.push(Problem::operator_key_needed()),
        Caller::Customer => problems.push(dead_api_key()),
        Caller::Anybody => {}
    }
    if shape.caller != Caller::Anybody {
        problems.push(Problem::rate_limited(RETRY_AFTER_SECONDS).problem);
        problems.push(Unavailable::Overloaded.into());
    }
    if shape.moves_credits || shape.operation == "batch" {
        problems.push(Unavailable::InDoubt.into());
    }
    problems.push(Problem::method_not_allowed(&Method::TRACE));
    problems.push(Problem::headers_too_large());
    problems.push(Problem::internal());
    problems
}

/// What a handler refuses before it asks the ledger.
fn met_by_handlers(operation: &str) -> Vec<Problem> {
    match operation {
        "import_key" => vec![Problem::conflict(
            "own_prefix",
            "secret: must not begin with cof_live_, which marks the secrets that this server makes",
        )],
        "put_price" | "delete_price" => {
            vec![Problem::invalid("operation", coffer_ledger::TextError::ControlCharacter)]
        }
        "batch" => vec![Unavailable::InPart(Box::new(Unavailable::ShuttingDown)).into()],
        "readyz" => vec![Problem::new(Code::Unavailable, "commits do not work just now")],
        _ => Vec::new(),
    }
}

const SPEND: [&str; 2] = ["create_charge", "create_hold"];

/// The operations that can be refused like this.
fn operations(refusal: &Refusal) -> &'static [&'static str] {
    match refusal {
        Refusal::AccountIsUnknown => &[
            "show_account",
            "update_account",
            "erase_texts",
            "show_balance",
            "list_entries",
            "show_usage",
            "create_grant",
            "list_grants",
            "create_adjustment",
            "create_charge",
            "create_hold",
            "create_key",
            "import_key",
            "list_keys",
            "create_portal_session",
        ],
        Refusal::AccountIsFrozen | Refusal::KeyLimitIsExceeded { .. } | Refusal::ApiKeyIsDead => &SPEND,
        Refusal::AccountIsClosed => &[
            "update_account",
            "create_grant",
            "void_grant",
            "create_adjustment",
            "create_charge",
            "refund_charge",
            "create_hold",
            "create_key",
            "import_key",
            "create_portal_session",
        ],
        Refusal::AccountHasOpenHolds | Refusal::AccountIsInDebt => &["update_account"],
        Refusal::ExternalIdIsTaken(_) => &["create_account"],
        Refusal::GrantIsUnknown => &["show_grant", "void_grant"],
        Refusal::GrantIsClosed => &["void_grant"],
        Refusal::ChargeIsUnknown => &["show_charge", "refund_charge"],
        Refusal::RefundExceedsCharge { .. } => &["refund_charge"],
        Refusal::HoldIsUnknown => &["show_hold", "capture_hold", "release_hold"],
        Refusal::HoldIsClosed => &["capture_hold", "release_hold"],
        Refusal::HoldHasNoOperation
        | Refusal::NothingWouldBeCaptured
        | Refusal::CaptureExceedsHold { .. } => &["capture_hold"],
        Refusal::OperationIsUnknown(_) => &["create_charge", "create_hold", "verify_key", "delete_price"],
        Refusal::OperationIsReserved(_) => &["put_price", "delete_price"],
        Refusal::KeyIsUnknown => &["show_key", "update_key", "rotate_key", "revoke_key"],
        Refusal::KeyIsRevoked => &["update_key", "rotate_key"],
        Refusal::TooManySecretsLiveOn => &["rotate_key"],
        // Everywhere else the secret is a new one, of 256 random bits.
        Refusal::SecretIsTaken => &["import_key"],
        Refusal::OperatorKeyIsUnknown | Refusal::LastOperatorKeyMustLive => &["revoke_operator_key"],
        Refusal::ExpiryIsNotInTheFuture { .. } => &["create_grant", "create_key", "update_key"],
        Refusal::ExpiryIsNotAfterStart => &["create_grant"],
        // Wherever credits move: see `follow_from`.
        Refusal::IdempotencyKeyWasReused => &[],
        // Sessions are opened by pages, not by this API.
        Refusal::SessionIsUnknown => &[],
        Refusal::CreditsAreInsufficient { .. } => {
            &["create_adjustment", "create_charge", "create_hold", "capture_hold"]
        }
        Refusal::BalanceIsOutOfRange => &[
            "create_grant",
            "create_adjustment",
            "create_charge",
            "refund_charge",
            "create_hold",
            "capture_hold",
        ],
        Refusal::TooManyGrantsAreOpen => &["create_grant", "create_adjustment", "refund_charge"],
        Refusal::TooManyHoldsAreOpen => &["create_hold"],
    }
}

/// One of each refusal, to show. A refusal that is new in [`operations`] belongs here as well.
fn refusals() -> Vec<Refusal> {
    let credits = |whole| Credits::from_whole(whole).expect("a small amount");
    let operation = |name: &str| Operation::try_from(name.to_owned()).expect("a short name");
    let external_id = ExternalId::try_from("customer-42".to_owned()).expect("a short id");
    vec![
        Refusal::AccountIsUnknown,
        Refusal::AccountIsFrozen,
        Refusal::AccountIsClosed,
        Refusal::AccountHasOpenHolds,
        Refusal::AccountIsInDebt,
        Refusal::ExternalIdIsTaken(external_id),
        Refusal::GrantIsUnknown,
        Refusal::GrantIsClosed,
        Refusal::ChargeIsUnknown,
        Refusal::RefundExceedsCharge { required: credits(5), left: credits(3) },
        Refusal::HoldIsUnknown,
        Refusal::HoldIsClosed,
        Refusal::HoldHasNoOperation,
        Refusal::NothingWouldBeCaptured,
        Refusal::CaptureExceedsHold { required: credits(5), held: credits(3) },
        Refusal::OperationIsUnknown(operation("remove-watermrak")),
        Refusal::OperationIsReserved(operation(RESERVED_OPERATION)),
        Refusal::KeyIsUnknown,
        Refusal::KeyIsRevoked,
        Refusal::TooManySecretsLiveOn,
        Refusal::ApiKeyIsDead,
        Refusal::SecretIsTaken,
        Refusal::OperatorKeyIsUnknown,
        Refusal::LastOperatorKeyMustLive,
        Refusal::ExpiryIsNotInTheFuture { at: "2026-11-22T13:00:00.000Z".parse().expect("a time") },
        Refusal::ExpiryIsNotAfterStart,
        Refusal::KeyLimitIsExceeded { required: credits(10), remaining: credits(4) },
        Refusal::CreditsAreInsufficient { required: credits(10), available: credits(3) },
        Refusal::BalanceIsOutOfRange,
        Refusal::TooManyGrantsAreOpen,
        Refusal::TooManyHoldsAreOpen,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    #[test]
    fn whoever_is_refused_is_an_operation() {
        let document = super::super::document(&Settings::default()).to_string();
        for refusal in refusals() {
            assert!(!operations(&refusal).is_empty(), "{refusal:?} is met by nobody");
            for name in operations(&refusal) {
                assert!(document.contains(&format!("\"operationId\":\"{name}\"")), "{name}");
            }
        }
    }
}
