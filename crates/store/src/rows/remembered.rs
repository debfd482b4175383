//! Answers that no entry carries.

use coffer_ledger::{Credits, Fingerprint, GrantId, Refusal};

use super::{Columns, Result};

/// What is remembered apart from entries: a grant that starts later, or a refusal.
pub(crate) const REMEMBERED: &str = "fingerprint, grant_id, voided, refusal, required, left_over";

pub(crate) enum RememberedRow {
    PendingGrant(Fingerprint, GrantId),
    VoidedPendingGrant(Fingerprint, GrantId),
    Refusal(Fingerprint, Refusal),
}

pub(crate) fn remembered(columns: &mut Columns<'_>) -> Result<RememberedRow> {
    let fingerprint = Fingerprint(columns.bytes()?);
    let grant_id = columns.optional_bytes()?;
    let voided = columns.flag()?;
    if let Some(grant_id) = grant_id.map(GrantId::from_bytes) {
        return Ok(if voided {
            RememberedRow::VoidedPendingGrant(fingerprint, grant_id)
        } else {
            RememberedRow::PendingGrant(fingerprint, grant_id)
        });
    }
    let name: String = columns.text()?;
    let amounts = (columns.optional_credits()?, columns.optional_credits()?);
    let refusal = parse_refusal(&name, amounts).ok_or_else(|| columns.meaningless("refusal"))?;
    Ok(RememberedRow::Refusal(fingerprint, refusal))
}

/// The name and the amounts under which a refusal is kept; `None` for those that are not remembered.
pub(crate) fn refusal(refusal: &Refusal) -> Option<(&'static str, Option<Credits>, Option<Credits>)> {
    match refusal {
        Refusal::KeyLimitIsExceeded { required, remaining } => {
            Some(("key_limit_exceeded", Some(*required), Some(*remaining)))
        }
        Refusal::CreditsAreInsufficient { required, available } => {
            Some(("insufficient_credits", Some(*required), Some(*available)))
        }
        Refusal::RefundExceedsCharge { required, left } => {
            Some(("refund_exceeds_charge", Some(*required), Some(*left)))
        }
        Refusal::CaptureExceedsHold { required, held } => {
            Some(("capture_exceeds_hold", Some(*required), Some(*held)))
        }
        Refusal::HoldIsClosed => Some(("hold_closed", None, None)),
        Refusal::GrantIsClosed => Some(("grant_closed", None, None)),
        Refusal::BalanceIsOutOfRange => Some(("balance_out_of_range", None, None)),
        Refusal::TooManyGrantsAreOpen => Some(("too_many_grants_open", None, None)),
        Refusal::TooManyHoldsAreOpen => Some(("too_many_holds_open", None, None)),
        Refusal::AccountIsClosed => Some(("account_closed", None, None)),
        Refusal::AccountIsUnknown
        | Refusal::AccountIsFrozen
        | Refusal::AccountHasOpenHolds
        | Refusal::AccountIsInDebt
        | Refusal::ExternalIdIsTaken(_)
        | Refusal::GrantIsUnknown
        | Refusal::ChargeIsUnknown
        | Refusal::HoldIsUnknown
        | Refusal::HoldHasNoOperation
        | Refusal::NothingWouldBeCaptured
        | Refusal::OperationIsUnknown(_)
        | Refusal::OperationIsReserved(_)
        | Refusal::KeyIsUnknown
        | Refusal::KeyIsRevoked
        | Refusal::TooManySecretsLiveOn
        | Refusal::ApiKeyIsDead
        | Refusal::SecretIsTaken
        | Refusal::OperatorKeyIsUnknown
        | Refusal::SessionIsUnknown
        | Refusal::LastOperatorKeyMustLive
        | Refusal::ExpiryIsNotInTheFuture { .. }
        | Refusal::ExpiryIsNotAfterStart
        | Refusal::IdempotencyKeyWasReused => None,
    }
}

fn parse_refusal(name: &str, amounts: (Option<Credits>, Option<Credits>)) -> Option<Refusal> {
    match (name, amounts) {
        ("key_limit_exceeded", (Some(required), Some(remaining))) => {
            Some(Refusal::KeyLimitIsExceeded { required, remaining })
        }
        ("insufficient_credits", (Some(required), Some(available))) => {
            Some(Refusal::CreditsAreInsufficient { required, available })
        }
        ("refund_exceeds_charge", (Some(required), Some(left))) => {
            Some(Refusal::RefundExceedsCharge { required, left })
        }
        ("capture_exceeds_hold", (Some(required), Some(held))) => {
            Some(Refusal::CaptureExceedsHold { required, held })
        }
        ("hold_closed", (None, None)) => Some(Refusal::HoldIsClosed),
        ("grant_closed", (None, None)) => Some(Refusal::GrantIsClosed),
        ("balance_out_of_range", (None, None)) => Some(Refusal::BalanceIsOutOfRange),
        ("too_many_grants_open", (None, None)) => Some(Refusal::TooManyGrantsAreOpen),
        ("too_many_holds_open", (None, None)) => Some(Refusal::TooManyHoldsAreOpen),
        ("account_closed", (None, None)) => Some(Refusal::AccountIsClosed),
        _ => None,
    }
}
