//! `/v1/keys/verify`: what a customer's key would be told, without spending anything.

use axum::Json;
use axum::extract::State;
use coffer_ledger::{AccountId, Credits, KeyId, Operation, Refusal};
use coffer_service::{Secret, WouldCharge};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::spending;
use crate::Shared;
use crate::auth::{Charge, Operator};
use crate::body::Payload;
use crate::fields::{self, Amount, Text};
use crate::openapi::form;
use crate::problem::Problem;

/// Which key, and what for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyKeyBody {
    /// The customer's key.
    api_key: String,
    /// An operation of the catalogue.
    #[schema(value_type = Option<form::Text>)]
    operation: Option<Text<Operation>>,
    /// How much of the operation: more than zero, 1 if not given.
    #[schema(value_type = Option<form::AmountAboveZero>)]
    quantity: Option<Amount>,
    /// How many credits, in place of an operation.
    #[schema(value_type = Option<form::Amount>)]
    credits: Option<Amount>,
}

/// What the key would be told.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = KeyVerification)]
pub(crate) struct KeyVerificationBody {
    /// Whether the key is live. If not, everything else is `null` or false.
    valid: bool,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::AccountId>)]
    account_id: Option<AccountId>,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::KeyId>)]
    key_id: Option<KeyId>,
    /// What it would cost; `null` where no cost was asked for.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Credits>)]
    would_charge: Option<Credits>,
    /// Whether a charge of that would be let through now.
    allowed: bool,
    /// What the account has available.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Credits>)]
    available: Option<Credits>,
}

/// Look whether a customer's key would be let through. Nothing is spent.
#[utoipa::path(
    post, path = "/v1/keys/verify", operation_id = "verify_key", tag = "keys", security(("operator_key" = ["charge"])),
    request_body = VerifyKeyBody,
    responses((status = 200, body = KeyVerificationBody))
)]
pub(crate) async fn verify(
    State(app): Shared,
    _operator: Operator<Charge>,
    Payload(body): Payload<VerifyKeyBody>,
) -> Result<Json<KeyVerificationBody>, Problem> {
    let cost = spending::cost(body.credits, body.operation, body.quantity)?;
    match app.service.check_key(&Secret::presented(&body.api_key).hash(), cost).await? {
        WouldCharge::Dead => Ok(Json(KeyVerificationBody::default())),
        WouldCharge::OperationIsUnknown(operation) => Err(Refusal::OperationIsUnknown(operation).into()),
        WouldCharge::Checked(check) => Ok(Json(KeyVerificationBody {
            valid: true,
            account_id: Some(check.key.account_id),
            key_id: Some(check.key.id),
            would_charge: check.would_charge,
            allowed: check.allowed,
            available: Some(check.available),
        })),
    }
}
