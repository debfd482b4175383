//! `/v1/accounts/{id}/adjustments`: corrections by hand.

use axum::extract::State;
use axum::response::Response;
use coffer_ledger::{
    AccountId, AdjustCredits, Adjustment, AdjustmentId, Command, Credits, IdempotencyKey, Note, Reason,
    Timestamp,
};
use coffer_service::{mint_id, mint_salt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::path::Id;
use super::{BalanceBody, answer};
use crate::Shared;
use crate::auth::{Grant, Operator};
use crate::body::Payload;
use crate::fields::{self, Amount, Text};
use crate::idempotency::Named;
use crate::openapi::form;
use crate::problem::Problem;

/// What corrects a balance.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateAdjustmentBody {
    /// By how much: above zero it gives credits that never expire, below zero it takes some.
    #[schema(value_type = form::AmountNotZero)]
    credits: Amount,
    /// Why: 1 to 255 characters.
    #[schema(value_type = form::Text)]
    reason: Text<Reason>,
    /// Whether more may be taken than is available, past the overdraft limit too.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    allow_negative: Option<bool>,
}

impl CreateAdjustmentBody {
    pub(crate) fn command(
        self,
        account_id: AccountId,
        idempotency: IdempotencyKey,
    ) -> Result<Command, Problem> {
        if self.credits.0.is_zero() {
            return Err(Problem::invalid("credits", "must not be zero"));
        }
        Ok(Command::Adjust(AdjustCredits {
            id: AdjustmentId::from_bytes(mint_id(account_id.bucket())),
            account_id,
            credits: self.credits.0,
            allow_negative: self.allow_negative.unwrap_or(false),
            note: Note::of_reason(self.reason.0, mint_salt()),
            idempotency,
        }))
    }
}

/// An adjustment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Adjustment)]
pub(crate) struct AdjustmentBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::AdjustmentId)]
    id: AdjustmentId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::AccountId)]
    account_id: AccountId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    credits: Credits,
    /// Why; `null` once it has been erased.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Text>)]
    reason: Option<Reason>,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    created_at: Timestamp,
    /// The account's balance right after it.
    balance: BalanceBody,
}

impl AdjustmentBody {
    pub(super) fn of(adjustment: Adjustment) -> AdjustmentBody {
        AdjustmentBody {
            id: adjustment.id,
            account_id: adjustment.account_id,
            credits: adjustment.credits,
            reason: adjustment.reason,
            created_at: adjustment.created_at,
            balance: adjustment.balance.into(),
        }
    }
}

/// Correct a balance by hand.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/adjustments", operation_id = "create_adjustment", tag = "adjustments",
    security(("operator_key" = ["grant"])),
    params(
        ("id" = form::AccountId, Path, description = "The account's id"),
        ("Idempotency-Key" = form::IdempotencyKey, Header, description = "Your name for this request: 1 to 255 visible characters"),
    ),
    request_body = CreateAdjustmentBody,
    responses((status = 201, body = AdjustmentBody))
)]
pub(crate) async fn create(
    State(app): Shared,
    operator: Operator<Grant>,
    Id(account_id): Id<AccountId>,
    name: Result<Named, Problem>,
    Payload(body): Payload<CreateAdjustmentBody>,
) -> Result<Response, Problem> {
    let Named(idempotency) = name?;
    let reply = app.service.submit_named(operator.acts(body.command(account_id, idempotency)?)).await?;
    Ok(answer::reply(reply, app.service.now()))
}
