//! `/v1/charges`: credits that are spent.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use coffer_ledger::{
    AccountId, Charge, ChargeCredits, ChargeId, Command, Credits, HoldId, KeyId, KeyUse, Metadata, Note,
    Reference, Timestamp,
};
use coffer_service::{Secret, Standing, mint_id, mint_salt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::path::Id;
use super::{BalanceBody, answer};
use crate::auth::{self, Operator, Read};
use crate::body::Payload;
use crate::fields::{self, Amount, AmountForm, Pairs, Parsed, Text};
use crate::idempotency::Named;
use crate::problem::{Problem, dead_api_key};
use crate::{App, Shared};

/// What spends credits: of an account, or of the account of a customer's key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateChargeBody {
    /// Whose credits. Give this or the customer's key.
    #[schema(value_type = Option<String>, example = "acc_01jd7z4r5efkyv3q8x9w2m6n0p")]
    account_id: Option<Parsed<AccountId>>,
    /// The customer's key, which is checked and charged in one step. It may come in the customer's header instead.
    #[schema(value_type = Option<String>)]
    api_key: Option<String>,
    /// How much: zero or more.
    #[schema(value_type = AmountForm)]
    credits: Amount,
    /// Your own word for it: 1 to 255 characters.
    #[schema(value_type = Option<String>, max_length = 255)]
    reference: Option<Text<Reference>>,
    /// Up to 50 pairs of strings.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    metadata: Option<Pairs>,
}

/// A charge.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Charge)]
pub(crate) struct ChargeBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, example = "chg_01jd7z4r5efkyv3q8x9w2m6n0p")]
    id: ChargeId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String)]
    account_id: AccountId,
    /// The customer's key that it was made with.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<String>)]
    key_id: Option<KeyId>,
    /// The hold that it captured.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<String>)]
    hold_id: Option<HoldId>,
    /// The priced operation; `null` where `credits` were given.
    operation: Option<String>,
    /// The quantity of the operation; `null` where `credits` were given.
    quantity: Option<String>,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, example = "1")]
    credits: Credits,
    /// How much of it has been given back.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, example = "0")]
    refunded: Credits,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<String>)]
    reference: Option<Reference>,
    #[serde(serialize_with = "fields::pairs")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    metadata: Metadata,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, format = DateTime)]
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
            operation: None,
            quantity: None,
            credits: charge.credits,
            refunded: charge.refunded,
            reference: charge.reference,
            metadata: charge.metadata,
            created_at: charge.created_at,
            balance: charge.balance.into(),
        }
    }
}

/// Spend credits.
#[utoipa::path(
    post, path = "/v1/charges", operation_id = "create_charge", tag = "charges", security(("operator_key" = [])),
    params(
        ("Idempotency-Key" = String, Header, description = "Your name for this request: 1 to 255 visible characters"),
        ("ZF-API-KEY" = Option<String>, Header, description = "The customer's key, in place of `api_key`"),
    ),
    request_body = CreateChargeBody,
    responses((status = 201, body = ChargeBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn create(
    State(app): Shared,
    _operator: Operator<auth::Charge>,
    headers: HeaderMap,
    name: Result<Named, Problem>,
    Payload(body): Payload<CreateChargeBody>,
) -> Result<Response, Problem> {
    let Named(idempotency) = name?;
    if body.credits.0.is_negative() {
        return Err(Problem::invalid("credits", "must be zero or more"));
    }
    let (account_id, key) = payer(&app, &headers, &body).await?;
    let reference = body.reference.map(|reference| reference.0);
    let command = ChargeCredits {
        id: ChargeId::from_bytes(mint_id(account_id.bucket())),
        account_id,
        key,
        credits: body.credits.0,
        note: Note::new(reference, body.metadata.unwrap_or_default().0, mint_salt()),
        idempotency,
    };
    let reply = app.service.submit_named(Command::Charge(command)).await?;
    Ok(answer::reply(reply, app.service.now()))
}

/// Whose credits: an account's, or those of the account of a customer's key. A key that is dead by now still
/// names its account, for the request may be the retry of one that it was live for.
async fn payer(
    app: &App,
    headers: &HeaderMap,
    body: &CreateChargeBody,
) -> Result<(AccountId, Option<KeyUse>), Problem> {
    let header = &app.settings.api_key_header;
    let in_header = headers.contains_key(header.name());
    let secret = match (&body.account_id, &body.api_key) {
        (Some(account_id), None) if !in_header => return Ok((account_id.0, None)),
        (None, Some(secret)) if !in_header => Some(Secret::presented(secret)),
        (None, None) if in_header => auth::presented(headers, header.name()),
        (None, None) => {
            return Err(Problem::invalid("account_id", "give account_id, or the customer's api_key"));
        }
        (Some(_), _) => {
            return Err(Problem::invalid("account_id", "must not be given beside the customer's key"));
        }
        (None, Some(_)) => {
            return Err(Problem::invalid("api_key", format!("must not be given beside the header {header}")));
        }
    };
    let Some(secret) = secret else { return Err(dead_api_key()) };
    match app.service.standing(&secret.hash()).await? {
        Standing::Live(key) | Standing::Dead(key) => {
            Ok((key.account_id, Some(KeyUse { key_id: key.id, secret: secret.hash() })))
        }
        Standing::Unknown if secret.is_mistyped(&app.settings.key_prefix) => Err(Problem::unauthorized(
            "api_key",
            "the customer's key is mistyped or cut off: its checksum is wrong",
        )),
        Standing::Unknown => Err(dead_api_key()),
    }
}

/// Look at a charge.
#[utoipa::path(
    get, path = "/v1/charges/{id}", operation_id = "show_charge", tag = "charges", security(("operator_key" = [])),
    params(("id" = String, Path, description = "The charge's id")),
    responses((status = 200, body = ChargeBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn show(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(id): Id<ChargeId>,
) -> Result<Json<ChargeBody>, Problem> {
    let charge = app.service.reader().charge(id).await?.ok_or_else(|| Problem::not_found("charge"))?;
    Ok(Json(ChargeBody::of(charge)))
}
