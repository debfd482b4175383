//! Outcomes in the words of the tables.

use coffer_ledger::{
    AccountStatus, Grant, GrantStatus, HoldStatus, KeyRecord, KeyStatus, Outcome, Refusal, Timestamp,
};

pub(super) fn outcome(outcome: &Outcome, at: Timestamp) -> String {
    match outcome {
        Outcome::AccountCreated(_) => "opened".to_owned(),
        Outcome::AccountUpdated(record) => match record.account.status {
            AccountStatus::Active => "active".to_owned(),
            AccountStatus::Frozen => "frozen".to_owned(),
            AccountStatus::Closed => "closed".to_owned(),
        },
        Outcome::Granted(grant) => {
            let status = grant_status(grant.status(grant.created_at));
            format!("granted {}, {} left, {status}", grant.lot.granted, grant.lot.remaining)
        }
        Outcome::GrantVoided(voided) => grant(voided, at),
        Outcome::Adjusted(adjustment) => {
            format!("adjusted {}, available {}", adjustment.credits, adjustment.balance.available)
        }
        Outcome::Charged(charge) => {
            format!("charged {}, available {}", charge.credits, charge.balance.available)
        }
        Outcome::Refunded(refund) => {
            format!("refunded {}, available {}", refund.credits, refund.balance.available)
        }
        Outcome::Held(record) => {
            format!("held {}, available {}", record.hold.credits, record.balance.available)
        }
        Outcome::Captured(charge) => {
            let balance = charge.balance;
            format!("captured {}, available {}, held {}", charge.credits, balance.available, balance.held)
        }
        Outcome::Released(record) => {
            let (status, balance) = (hold_status(record.hold.status), record.balance);
            format!("{status}, available {}, held {}", balance.available, balance.held)
        }
        Outcome::Settled => "settled".to_owned(),
        Outcome::KeyCreated(record)
        | Outcome::KeyUpdated(record)
        | Outcome::KeyRotated(record)
        | Outcome::KeyRevoked(record) => key_status(record, at).to_owned(),
        Outcome::PricePut(price) => format!("priced {}", price.rate),
        Outcome::PriceDeleted => "unpriced".to_owned(),
        Outcome::Refused(refusal) => refused(refusal),
        Outcome::TextsErased
        | Outcome::OperatorKeyCreated(_)
        | Outcome::OperatorKeyRevoked(_)
        | Outcome::SessionOffered(_)
        | Outcome::SessionOpened(_)
        | Outcome::SessionUsed
        | Outcome::SessionsEnded { .. } => unreachable!("no row comes to {outcome:?}"),
    }
}

pub(super) fn grant(grant: &Grant, at: Timestamp) -> String {
    let status = grant_status(grant.status(at));
    format!("{status}, {} left, {} held", grant.lot.remaining, grant.lot.held)
}

fn grant_status(status: GrantStatus) -> &'static str {
    match status {
        GrantStatus::Pending => "pending",
        GrantStatus::Active => "active",
        GrantStatus::Depleted => "depleted",
        GrantStatus::Expired => "expired",
        GrantStatus::Voided => "voided",
    }
}

pub(super) fn hold_status(status: HoldStatus) -> &'static str {
    match status {
        HoldStatus::Open => "open",
        HoldStatus::Captured => "captured",
        HoldStatus::Released => "released",
        HoldStatus::Expired => "expired",
    }
}

fn key_status(record: &KeyRecord, at: Timestamp) -> &'static str {
    match record.key.status(at) {
        KeyStatus::Active => "active",
        KeyStatus::Disabled => "disabled",
        KeyStatus::Expired => "expired",
        KeyStatus::Revoked => "revoked",
    }
}

fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::KeyLimitIsExceeded { required, remaining } => {
            format!("402 key_limit_exceeded, required {required}, remaining {remaining}")
        }
        Refusal::CreditsAreInsufficient { required, available } => {
            format!("402 insufficient_credits, required {required}, available {available}")
        }
        Refusal::AccountIsUnknown
        | Refusal::GrantIsUnknown
        | Refusal::ChargeIsUnknown
        | Refusal::HoldIsUnknown
        | Refusal::OperationIsUnknown(_)
        | Refusal::KeyIsUnknown
        | Refusal::OperatorKeyIsUnknown => "404 not_found".to_owned(),
        Refusal::ExpiryIsNotInTheFuture { .. } | Refusal::ExpiryIsNotAfterStart => {
            "400 invalid_request, expires_at".to_owned()
        }
        Refusal::HoldHasNoOperation => "400 invalid_request, quantity".to_owned(),
        Refusal::NothingWouldBeCaptured => "400 invalid_request, credits".to_owned(),
        Refusal::ApiKeyIsDead => "401 unauthorized, api_key".to_owned(),
        Refusal::AccountIsFrozen => "403 account_frozen".to_owned(),
        Refusal::IdempotencyKeyWasReused => "422 idempotency_key_reused".to_owned(),
        Refusal::AccountIsClosed => conflict("account_closed"),
        Refusal::AccountHasOpenHolds => conflict("open_holds"),
        Refusal::AccountIsInDebt => conflict("in_debt"),
        Refusal::ExternalIdIsTaken(_) => conflict("external_id_taken"),
        Refusal::GrantIsClosed => conflict("grant_closed"),
        Refusal::RefundExceedsCharge { .. } => conflict("refund_exceeds_charge"),
        Refusal::HoldIsClosed => conflict("hold_closed"),
        Refusal::CaptureExceedsHold { .. } => conflict("capture_exceeds_hold"),
        Refusal::OperationIsReserved(_) => conflict("reserved_operation"),
        Refusal::KeyIsRevoked => conflict("key_revoked"),
        Refusal::TooManySecretsLiveOn => conflict("too_many_secrets"),
        Refusal::SecretIsTaken => conflict("secret_taken"),
        Refusal::LastOperatorKeyMustLive => conflict("last_operator_key"),
        Refusal::SessionIsUnknown => "404 not_found".to_owned(),
        Refusal::BalanceIsOutOfRange => conflict("balance_out_of_range"),
        Refusal::TooManyGrantsAreOpen | Refusal::TooManyHoldsAreOpen => conflict("too_many_open"),
    }
}

fn conflict(reason: &str) -> String {
    format!("409 conflict, {reason}")
}
