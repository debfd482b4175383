//! `/v1/holds`: credits that are reserved, and what becomes of them.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use coffer_ledger::limits::{HOLD_MS_DEFAULT, HOLD_MS_MAX};
use coffer_ledger::{
    AccountId, CaptureAmount, CaptureHold, ChargeId, Command, Cost, Credits, Excess, HoldCredits, HoldId,
    HoldRecord, HoldStatus, IdempotencyKey, KeyId, Metadata, Note, Operation, Quantity, Reference,
    ReleaseHold, Timestamp,
};
use coffer_service::{mint_id, mint_salt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::charges::ChargeBody;
use super::path::Id;
use super::spending::{self, Payer};
use super::{BalanceBody, Nothing, answer};
use crate::auth::{Charge, KeyHeader, Operator, Read};
use crate::body::{Params, Payload};
use crate::fields::{self, Amount, Pairs, Parsed, Text};
use crate::idempotency::Named;
use crate::openapi::form;
use crate::paging::{self, List};
use crate::problem::Problem;
use crate::{App, Shared};

const SECONDS_MAX: u32 = HOLD_MS_MAX / 1000;

/// What reserves credits: of an account, or of the account of a customer's key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateHoldBody {
    /// Whose credits. Give this or the customer's key.
    #[schema(value_type = Option<form::AccountId>)]
    account_id: Option<Parsed<AccountId>>,
    /// The customer's key. It may come in the customer's header instead.
    #[schema(value_type = Option<String>)]
    api_key: Option<String>,
    /// How much: more than zero. Give this or an operation.
    #[schema(value_type = Option<form::AmountAboveZero>)]
    credits: Option<Amount>,
    /// An operation of the catalogue: what it costs is reserved.
    #[schema(value_type = Option<form::Text>)]
    operation: Option<Text<Operation>>,
    /// How much of the operation: more than zero, 1 if not given.
    #[schema(value_type = Option<form::AmountAboveZero>)]
    quantity: Option<Amount>,
    /// How long it lasts, in seconds: 1 to 604800, 900 if not given.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 604_800)]
    expires_in: Option<Seconds>,
    /// Your own word for it: 1 to 255 characters.
    #[schema(value_type = Option<form::Text>)]
    reference: Option<Text<Reference>>,
    /// Up to 50 pairs of strings.
    #[schema(value_type = Option<form::Metadata>)]
    metadata: Option<Pairs>,
}

/// How long a hold lasts, as a JSON number of seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(crate) struct Seconds(u32);

impl TryFrom<i64> for Seconds {
    type Error = String;
    fn try_from(number: i64) -> Result<Seconds, String> {
        let seconds = u32::try_from(number).ok().filter(|seconds| (1..=SECONDS_MAX).contains(seconds));
        seconds
            .map(Seconds)
            .ok_or_else(|| format!("must be a whole number of seconds from 1 to {SECONDS_MAX}"))
    }
}

impl CreateHoldBody {
    pub(super) async fn command(
        self,
        app: &App,
        header: KeyHeader,
        idempotency: IdempotencyKey,
    ) -> Result<Command, Problem> {
        let cost = spending::cost_given(spending::cost(self.credits, self.operation, self.quantity)?)?;
        if matches!(cost, Cost::Credits(credits) if credits.is_zero()) {
            return Err(Problem::invalid("credits", "must be more than zero"));
        }
        let payer = Payer { account_id: self.account_id.as_ref(), api_key: self.api_key.as_deref(), header };
        let (account_id, key) = payer.find(app).await?;
        let reference = self.reference.map(|reference| reference.0);
        Ok(Command::Hold(HoldCredits {
            id: HoldId::from_bytes(mint_id(account_id.bucket())),
            account_id,
            key,
            cost,
            expires_in_ms: self.expires_in.map_or(HOLD_MS_DEFAULT, |Seconds(seconds)| seconds * 1000),
            note: Note::new(reference, self.metadata.unwrap_or_default().0, mint_salt()),
            idempotency,
        }))
    }
}

/// What spends reserved credits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaptureHoldBody {
    /// How much. All that is held still, if neither this nor a quantity is given. Zero gives everything back.
    #[schema(value_type = Option<form::Amount>)]
    credits: Option<Amount>,
    /// How much of the operation that the hold was made for, at the price that it had then.
    #[schema(value_type = Option<form::AmountAboveZero>)]
    quantity: Option<Amount>,
    /// Whether the hold ends with it, and what is left is given back; true if not given.
    #[serde(rename = "final")]
    is_final: Option<bool>,
    /// What happens where it is for more than is held: `refuse` (if not given) refuses it, `charge` takes the rest from
    /// what is available or refuses all of it, `force` lets the rest become debt.
    #[schema(value_type = Option<ExcessBody>)]
    excess: Option<Parsed<ExcessBody>>,
}

/// What happens where a capture is for more than is held.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Excess)]
pub(crate) enum ExcessBody {
    Refuse,
    Charge,
    Force,
}

impl FromStr for ExcessBody {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<ExcessBody, &'static str> {
        match text {
            "refuse" => Ok(ExcessBody::Refuse),
            "charge" => Ok(ExcessBody::Charge),
            "force" => Ok(ExcessBody::Force),
            _ => Err("must be refuse, charge or force"),
        }
    }
}

impl From<ExcessBody> for Excess {
    fn from(excess: ExcessBody) -> Excess {
        match excess {
            ExcessBody::Refuse => Excess::Refuse,
            ExcessBody::Charge => Excess::Charge,
            ExcessBody::Force => Excess::Force,
        }
    }
}

impl CaptureHoldBody {
    pub(super) fn command(
        self,
        hold_id: HoldId,
        account_id: AccountId,
        idempotency: IdempotencyKey,
    ) -> Result<Command, Problem> {
        let is_final = self.is_final.unwrap_or(true);
        let amount = match (self.credits, self.quantity) {
            (None, None) => CaptureAmount::All,
            (Some(Amount(credits)), None) if credits.is_negative() => {
                return Err(Problem::invalid("credits", "must be zero or more"));
            }
            (Some(Amount(credits)), None) if credits.is_zero() && !is_final => {
                return Err(Problem::invalid(
                    "credits",
                    "must be more than zero, unless the capture is final",
                ));
            }
            (Some(Amount(credits)), None) => CaptureAmount::Credits(credits),
            (None, Some(quantity)) => CaptureAmount::Quantity(spending::quantity(quantity)?),
            (Some(_), Some(_)) => {
                return Err(Problem::invalid("quantity", "must not be given beside credits"));
            }
        };
        Ok(Command::Capture(CaptureHold {
            id: ChargeId::from_bytes(mint_id(account_id.bucket())),
            hold_id,
            account_id,
            amount,
            is_final,
            excess: self.excess.map_or(Excess::default(), |excess| excess.0.into()),
            idempotency,
        }))
    }
}

/// A hold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hold)]
pub(crate) struct HoldBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::HoldId)]
    id: HoldId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::AccountId)]
    account_id: AccountId,
    /// The customer's key that it was made with.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::KeyId>)]
    key_id: Option<KeyId>,
    /// The priced operation; `null` where `credits` were given.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Text>)]
    operation: Option<Operation>,
    /// The quantity of the operation; `null` where `credits` were given.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Credits>)]
    quantity: Option<Quantity>,
    /// How much it reserved.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    credits: Credits,
    /// How much was charged through it, more than it reserved included.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    captured: Credits,
    status: HoldStatusBody,
    /// When it lapses unless it has ended before.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    expires_at: Timestamp,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Text>)]
    reference: Option<Reference>,
    #[serde(serialize_with = "fields::pairs")]
    #[schema(value_type = form::Metadata)]
    metadata: Metadata,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    created_at: Timestamp,
    /// The account's balance right after it was made; in the answer to a release, right after that.
    balance: BalanceBody,
}

/// Where a hold stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = HoldStatus)]
pub(crate) enum HoldStatusBody {
    Open,
    Captured,
    Released,
    Expired,
}

impl FromStr for HoldStatusBody {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<HoldStatusBody, &'static str> {
        match text {
            "open" => Ok(HoldStatusBody::Open),
            "captured" => Ok(HoldStatusBody::Captured),
            "released" => Ok(HoldStatusBody::Released),
            "expired" => Ok(HoldStatusBody::Expired),
            _ => Err("must be open, captured, released or expired"),
        }
    }
}

impl From<HoldStatus> for HoldStatusBody {
    fn from(status: HoldStatus) -> HoldStatusBody {
        match status {
            HoldStatus::Open => HoldStatusBody::Open,
            HoldStatus::Captured => HoldStatusBody::Captured,
            HoldStatus::Released => HoldStatusBody::Released,
            HoldStatus::Expired => HoldStatusBody::Expired,
        }
    }
}

impl From<HoldStatusBody> for HoldStatus {
    fn from(status: HoldStatusBody) -> HoldStatus {
        match status {
            HoldStatusBody::Open => HoldStatus::Open,
            HoldStatusBody::Captured => HoldStatus::Captured,
            HoldStatusBody::Released => HoldStatus::Released,
            HoldStatusBody::Expired => HoldStatus::Expired,
        }
    }
}

impl HoldBody {
    pub(super) fn of(record: HoldRecord) -> HoldBody {
        let HoldRecord { hold, note, balance } = record;
        let (operation, quantity) = hold.priced.map(|priced| (priced.operation, priced.quantity)).unzip();
        HoldBody {
            id: hold.id,
            account_id: hold.account_id,
            key_id: hold.key_id,
            operation,
            quantity,
            credits: hold.credits,
            captured: hold.captured,
            status: hold.status.into(),
            expires_at: hold.expires_at,
            reference: note.reference,
            metadata: note.metadata,
            created_at: hold.created_at,
            balance: balance.into(),
        }
    }
}

/// Reserve credits.
#[utoipa::path(
    post, path = "/v1/holds", operation_id = "create_hold", tag = "holds", security(("operator_key" = ["charge"])),
    params(
        ("Idempotency-Key" = form::IdempotencyKey, Header, description = "Your name for this request: 1 to 255 visible characters"),
        ("ZF-API-KEY" = Option<form::Secret>, Header, description = "The customer's key, in place of `api_key`"),
    ),
    request_body = CreateHoldBody,
    responses((status = 201, body = HoldBody))
)]
pub(crate) async fn create(
    State(app): Shared,
    _operator: Operator<Charge>,
    header: KeyHeader,
    name: Result<Named, Problem>,
    Payload(body): Payload<CreateHoldBody>,
) -> Result<Response, Problem> {
    let Named(idempotency) = name?;
    let command = body.command(&app, header, idempotency).await?;
    let reply = app.service.submit_named(command).await?;
    Ok(answer::reply(reply, app.service.now()))
}

/// Spend what a hold has reserved, and perhaps more.
#[utoipa::path(
    post, path = "/v1/holds/{id}/capture", operation_id = "capture_hold", tag = "holds", security(("operator_key" = ["charge"])),
    params(
        ("id" = form::HoldId, Path, description = "The hold's id"),
        ("Idempotency-Key" = form::IdempotencyKey, Header, description = "Your name for this request: 1 to 255 visible characters"),
    ),
    request_body = CaptureHoldBody,
    responses((status = 201, body = ChargeBody))
)]
pub(crate) async fn capture(
    State(app): Shared,
    _operator: Operator<Charge>,
    Id(id): Id<HoldId>,
    name: Result<Named, Problem>,
    Payload(body): Payload<CaptureHoldBody>,
) -> Result<Response, Problem> {
    let Named(idempotency) = name?;
    let account_id = account_of(&app, id).await?;
    let reply = app.service.submit_named(body.command(id, account_id, idempotency)?).await?;
    Ok(answer::reply(reply, app.service.now()))
}

/// Give back what a hold has reserved.
#[utoipa::path(
    post, path = "/v1/holds/{id}/release", operation_id = "release_hold", tag = "holds", security(("operator_key" = ["charge"])),
    params(
        ("id" = form::HoldId, Path, description = "The hold's id"),
        ("Idempotency-Key" = form::IdempotencyKey, Header, description = "Your name for this request: 1 to 255 visible characters"),
    ),
    request_body = Nothing,
    responses((status = 200, body = HoldBody))
)]
pub(crate) async fn release(
    State(app): Shared,
    _operator: Operator<Charge>,
    Id(id): Id<HoldId>,
    name: Result<Named, Problem>,
    Payload(Nothing {}): Payload<Nothing>,
) -> Result<Response, Problem> {
    let Named(idempotency) = name?;
    let account_id = account_of(&app, id).await?;
    let reply = app.service.submit_named(release_command(id, account_id, idempotency)).await?;
    Ok(answer::reply(reply, app.service.now()))
}

pub(super) const fn release_command(
    id: HoldId,
    account_id: AccountId,
    idempotency: IdempotencyKey,
) -> Command {
    Command::Release(ReleaseHold { id, account_id, idempotency })
}

async fn account_of(app: &App, id: HoldId) -> Result<AccountId, Problem> {
    let accounts = app.service.reader().accounts_of_holds(vec![id]).await?;
    accounts.get(&id).copied().ok_or_else(|| Problem::not_found("hold"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    account_id: Option<Parsed<AccountId>>,
    status: Option<Parsed<HoldStatusBody>>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// List holds, newest first.
#[utoipa::path(
    get, path = "/v1/holds", operation_id = "list_holds", tag = "holds", security(("operator_key" = ["read"])),
    params(
        ("account_id" = Option<form::AccountId>, Query, description = "Only holds of this account"),
        ("status" = Option<HoldStatusBody>, Query, description = "Only holds with this status"),
        ("limit" = Option<form::PageLimit>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<form::Cursor>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<HoldBody>))
)]
pub(crate) async fn list(
    State(app): Shared,
    _operator: Operator<Read>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<HoldBody>>, Problem> {
    let span = paging::span(params.limit.as_deref(), params.cursor.as_deref())?;
    let status = params.status.map(|status| status.0.into());
    let page = app.service.holds(params.account_id.map(|id| id.0), status, span).await?;
    Ok(Json(List::of(page, |record| record.hold.id.bytes(), HoldBody::of)))
}

/// Look at a hold.
#[utoipa::path(
    get, path = "/v1/holds/{id}", operation_id = "show_hold", tag = "holds", security(("operator_key" = ["read"])),
    params(("id" = form::HoldId, Path, description = "The hold's id")),
    responses((status = 200, body = HoldBody))
)]
pub(crate) async fn show(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(id): Id<HoldId>,
) -> Result<Json<HoldBody>, Problem> {
    let record = app.service.hold(id).await?.ok_or_else(|| Problem::not_found("hold"))?;
    Ok(Json(HoldBody::of(record)))
}
