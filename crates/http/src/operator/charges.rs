//! `/v1/charges`: credits that are spent.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use coffer_ledger::{
    AccountId, Charge, ChargeCredits, ChargeId, Command, Credits, HoldId, IdempotencyKey, KeyId, Metadata,
    Note, Operation, Quantity, Reference, Timestamp,
};
use coffer_service::{ChargeFilter, mint_id, mint_salt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::path::Id;
use super::spending::{self, Payer};
use super::{BalanceBody, answer};
use crate::auth::{self, KeyHeader, Operator, Read};
use crate::body::{Params, Payload};
use crate::fields::{self, Amount, Pairs, Parsed, Text};
use crate::idempotency::Named;
use crate::openapi::form;
use crate::paging::{self, List};
use crate::problem::Problem;
use crate::{App, Shared};

/// What spends credits: of an account, or of the account of a customer's key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateChargeBody {
    /// Whose credits. Give this or the customer's key.
    #[schema(value_type = Option<form::AccountId>)]
    account_id: Option<Parsed<AccountId>>,
    /// The customer's key, which is checked and charged in one step. It may come in the customer's header instead.
    #[schema(value_type = Option<String>)]
    api_key: Option<String>,
    /// How much: zero or more. Give this or an operation.
    #[schema(value_type = Option<form::Amount>)]
    credits: Option<Amount>,
    /// An operation of the catalogue: what it costs is charged.
    #[schema(value_type = Option<form::Text>)]
    operation: Option<Text<Operation>>,
    /// How much of the operation: more than zero, 1 if not given.
    #[schema(value_type = Option<form::AmountAboveZero>)]
    quantity: Option<Amount>,
    /// Your own word for it: 1 to 255 characters.
    #[schema(value_type = Option<form::Text>)]
    reference: Option<Text<Reference>>,
    /// Up to 50 pairs of strings.
    #[schema(value_type = Option<form::Metadata>)]
    metadata: Option<Pairs>,
}

impl CreateChargeBody {
    pub(super) async fn command(
        self,
        app: &App,
        header: KeyHeader,
        idempotency: IdempotencyKey,
    ) -> Result<Command, Problem> {
        let cost = spending::cost_given(spending::cost(self.credits, self.operation, self.quantity)?)?;
        let payer = Payer { account_id: self.account_id.as_ref(), api_key: self.api_key.as_deref(), header };
        let (account_id, key) = payer.find(app).await?;
        let reference = self.reference.map(|reference| reference.0);
        Ok(Command::Charge(ChargeCredits {
            id: ChargeId::from_bytes(mint_id(account_id.bucket())),
            account_id,
            key,
            cost,
            note: Note::new(reference, self.metadata.unwrap_or_default().0, mint_salt()),
            idempotency,
        }))
    }
}

/// A charge.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Charge)]
pub(crate) struct ChargeBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::ChargeId)]
    id: ChargeId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::AccountId)]
    account_id: AccountId,
    /// The customer's key that it was made with.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::KeyId>)]
    key_id: Option<KeyId>,
    /// The hold that it captured.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::HoldId>)]
    hold_id: Option<HoldId>,
    /// The priced operation; `null` where `credits` were given.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Text>)]
    operation: Option<Operation>,
    /// The quantity of the operation; `null` where it was not priced by quantity.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Credits>)]
    quantity: Option<Quantity>,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    credits: Credits,
    /// How much of it has been given back.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    refunded: Credits,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Text>)]
    reference: Option<Reference>,
    #[serde(serialize_with = "fields::pairs")]
    #[schema(value_type = form::Metadata)]
    metadata: Metadata,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    created_at: Timestamp,
    /// The account's balance right after the charge.
    balance: BalanceBody,
}

impl ChargeBody {
    pub(super) fn of(charge: Charge) -> ChargeBody {
        ChargeBody {
            id: charge.id,
            account_id: charge.account_id,
            key_id: charge.key_id,
            hold_id: charge.hold_id,
            operation: charge.purpose.operation,
            quantity: charge.purpose.quantity,
            credits: charge.credits,
            refunded: charge.refunded,
            reference: charge.note.reference,
            metadata: charge.note.metadata,
            created_at: charge.created_at,
            balance: charge.balance.into(),
        }
    }
}

/// Spend credits.
#[utoipa::path(
    post, path = "/v1/charges", operation_id = "create_charge", tag = "charges", security(("operator_key" = ["charge"])),
    params(
        ("Idempotency-Key" = form::IdempotencyKey, Header, description = "Your name for this request: 1 to 255 visible characters"),
        ("ZF-API-KEY" = Option<form::Secret>, Header, description = "The customer's key, in place of `api_key`"),
    ),
    request_body = CreateChargeBody,
    responses((status = 201, body = ChargeBody))
)]
pub(crate) async fn create(
    State(app): Shared,
    _operator: Operator<auth::Charge>,
    header: KeyHeader,
    name: Result<Named, Problem>,
    Payload(body): Payload<CreateChargeBody>,
) -> Result<Response, Problem> {
    let Named(idempotency) = name?;
    let command = body.command(&app, header, idempotency).await?;
    let reply = app.service.submit_named(command).await?;
    Ok(answer::reply(reply, app.service.now()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    account_id: Option<Parsed<AccountId>>,
    reference: Option<Text<Reference>>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// List charges, newest first.
#[utoipa::path(
    get, path = "/v1/charges", operation_id = "list_charges", tag = "charges", security(("operator_key" = ["read"])),
    params(
        ("account_id" = Option<form::AccountId>, Query, description = "Only charges of this account"),
        ("reference" = Option<form::Text>, Query, description = "Only charges with this reference"),
        ("limit" = Option<form::PageLimit>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<form::Cursor>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<ChargeBody>))
)]
pub(crate) async fn list(
    State(app): Shared,
    _operator: Operator<Read>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<ChargeBody>>, Problem> {
    let span = paging::span(params.limit.as_deref(), params.cursor.as_deref())?;
    let filter = ChargeFilter {
        account_id: params.account_id.map(|id| id.0),
        reference: params.reference.map(|reference| reference.0),
    };
    let page = app.service.reader().charges(filter, span).await?;
    Ok(Json(List::of(page, |charge| charge.id.bytes(), ChargeBody::of)))
}

/// Look at a charge.
#[utoipa::path(
    get, path = "/v1/charges/{id}", operation_id = "show_charge", tag = "charges", security(("operator_key" = ["read"])),
    params(("id" = form::ChargeId, Path, description = "The charge's id")),
    responses((status = 200, body = ChargeBody))
)]
pub(crate) async fn show(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(id): Id<ChargeId>,
) -> Result<Json<ChargeBody>, Problem> {
    let charge = app.service.reader().charge(id).await?.ok_or_else(|| Problem::not_found("charge"))?;
    Ok(Json(ChargeBody::of(charge)))
}
