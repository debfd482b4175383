//! `/v1/charges/{id}/refund`: credits of a charge that are given back.

use axum::extract::State;
use axum::response::Response;
use coffer_ledger::{
    AccountId, ChargeId, Command, Credits, GrantId, IdempotencyKey, Refund, RefundCharge, RefundId, Timestamp,
};
use coffer_service::mint_id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::path::Id;
use super::{BalanceBody, answer};
use crate::auth::{Grant, Operator};
use crate::body::Payload;
use crate::fields::{self, Amount};
use crate::idempotency::Named;
use crate::openapi::form;
use crate::problem::Problem;
use crate::{App, Shared};

/// What gives credits of a charge back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRefundBody {
    /// How much: more than zero. All that is left of the charge, if not given.
    #[schema(value_type = Option<form::AmountAboveZero>)]
    credits: Option<Amount>,
}

impl CreateRefundBody {
    pub(crate) fn command(
        &self,
        app: &App,
        charge_id: ChargeId,
        account_id: AccountId,
        idempotency: IdempotencyKey,
    ) -> Result<Command, Problem> {
        if self.credits.is_some_and(|credits| !credits.0.is_positive()) {
            return Err(Problem::invalid("credits", "must be more than zero"));
        }
        let bucket = account_id.bucket();
        Ok(Command::Refund(RefundCharge {
            id: RefundId::from_bytes(mint_id(bucket)),
            charge_id,
            account_id,
            credits: self.credits.map(|credits| credits.0),
            paid_lot_id: GrantId::from_bytes(mint_id(bucket)),
            refund_lot_id: GrantId::from_bytes(mint_id(bucket)),
            refund_lot_days: app.settings.refund_lot_days.get(),
            idempotency,
        }))
    }
}

/// A refund.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub(crate) struct RefundBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::RefundId)]
    id: RefundId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::ChargeId)]
    charge_id: ChargeId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::AccountId)]
    account_id: AccountId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    credits: Credits,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    created_at: Timestamp,
    /// The account's balance right after the refund.
    balance: BalanceBody,
}

impl RefundBody {
    pub(super) fn of(refund: &Refund) -> RefundBody {
        RefundBody {
            id: refund.id,
            charge_id: refund.charge_id,
            account_id: refund.account_id,
            credits: refund.credits,
            created_at: refund.created_at,
            balance: refund.balance.into(),
        }
    }
}

/// Give credits of a charge back, to the lots that they came from.
///
/// What would return to a lot that has expired becomes a promotional lot that lives for 30 days, unless the server is
/// configured otherwise.
#[utoipa::path(
    post, path = "/v1/charges/{id}/refund", operation_id = "refund_charge", tag = "charges", security(("operator_key" = ["grant"])),
    params(
        ("id" = form::ChargeId, Path, description = "The charge's id"),
        ("Idempotency-Key" = form::IdempotencyKey, Header, description = "Your name for this request: 1 to 255 visible characters"),
    ),
    request_body(content = CreateRefundBody),
    responses((status = 201, body = RefundBody))
)]
pub(crate) async fn create(
    State(app): Shared,
    _operator: Operator<Grant>,
    Id(charge_id): Id<ChargeId>,
    name: Result<Named, Problem>,
    Payload(body): Payload<CreateRefundBody>,
) -> Result<Response, Problem> {
    let Named(idempotency) = name?;
    let accounts = app.service.reader().accounts_of_charges(vec![charge_id]).await?;
    let account_id = *accounts.get(&charge_id).ok_or_else(|| Problem::not_found("charge"))?;
    let command = body.command(&app, charge_id, account_id, idempotency)?;
    let reply = app.service.submit_named(command).await?;
    Ok(answer::reply(reply, app.service.now()))
}
