//! `/v1/accounts`: who holds credits, and what they have.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use coffer_ledger::{
    Account, AccountId, AccountProfile, AccountRecord, AccountStatus, Category, Command, CreateAccount,
    Credits, ExternalId, GrantId, Lot, Metadata, Name, NextExpiry, Priority, Timestamp, settle,
};
use coffer_service::{AccountFilter, mint_id_anywhere};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BalanceBody;
use super::answer::{self, Beside};
use super::grants::CategoryBody;
use super::path::Id;
use crate::Shared;
use crate::auth::{Manage, Operator, Read};
use crate::body::{Params, Payload};
use crate::fields::{self, Amount, AmountForm, Pairs, Parsed, Text};
use crate::paging::{self, List};
use crate::problem::Problem;

/// What opens an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateAccountBody {
    /// What it is called: 1 to 255 characters.
    #[schema(value_type = String, max_length = 255, example = "Acme")]
    name: Text<Name>,
    /// Your own id for it, unique, fixed at creation: 1 to 255 characters.
    #[schema(value_type = Option<String>, max_length = 255)]
    external_id: Option<Text<ExternalId>>,
    /// How far below zero charges may take it; "0" if not given.
    #[schema(value_type = Option<AmountForm>)]
    overdraft_limit: Option<Amount>,
    /// Up to 50 pairs of strings.
    #[serde(default)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    metadata: Option<Pairs>,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, example = "acc_01jd7z4r5efkyv3q8x9w2m6n0p")]
    id: AccountId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, example = "Acme")]
    name: Name,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<String>)]
    external_id: Option<ExternalId>,
    status: StatusBody,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, example = "0")]
    overdraft_limit: Credits,
    #[serde(serialize_with = "fields::pairs")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    metadata: Metadata,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    balance: BalanceBody,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AccountStatus)]
pub(crate) enum StatusBody {
    Active,
    Frozen,
    Closed,
}

impl FromStr for StatusBody {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<StatusBody, &'static str> {
        match text {
            "active" => Ok(StatusBody::Active),
            "frozen" => Ok(StatusBody::Frozen),
            "closed" => Ok(StatusBody::Closed),
            _ => Err("must be active, frozen or closed"),
        }
    }
}

impl From<AccountStatus> for StatusBody {
    fn from(status: AccountStatus) -> StatusBody {
        match status {
            AccountStatus::Active => StatusBody::Active,
            AccountStatus::Frozen => StatusBody::Frozen,
            AccountStatus::Closed => StatusBody::Closed,
        }
    }
}

impl From<StatusBody> for AccountStatus {
    fn from(status: StatusBody) -> AccountStatus {
        match status {
            StatusBody::Active => AccountStatus::Active,
            StatusBody::Frozen => AccountStatus::Frozen,
            StatusBody::Closed => AccountStatus::Closed,
        }
    }
}

impl AccountBody {
    pub(super) fn of(profile: &AccountProfile, account: &Account) -> AccountBody {
        AccountBody {
            id: profile.id,
            name: profile.name.clone(),
            external_id: profile.external_id.clone(),
            status: account.status.into(),
            overdraft_limit: account.overdraft_limit,
            metadata: profile.metadata.clone(),
            created_at: profile.created_at,
            balance: account.balance.into(),
        }
    }

    fn settled(record: &AccountRecord, now: Timestamp) -> AccountBody {
        AccountBody::of(&record.profile, &settle(&record.account, now))
    }
}

/// Open an account.
#[utoipa::path(
    post, path = "/v1/accounts", operation_id = "create_account", tag = "accounts", security(("operator_key" = [])),
    request_body = CreateAccountBody,
    responses((status = 201, body = AccountBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn create(
    State(app): Shared,
    _operator: Operator<Manage>,
    Payload(body): Payload<CreateAccountBody>,
) -> Result<Response, Problem> {
    let overdraft_limit = body.overdraft_limit.map_or(Credits::ZERO, |limit| limit.0);
    if overdraft_limit.is_negative() {
        return Err(Problem::invalid("overdraft_limit", "must be zero or more"));
    }
    let command = CreateAccount {
        id: AccountId::from_bytes(mint_id_anywhere()),
        name: body.name.0,
        external_id: body.external_id.map(|external_id| external_id.0),
        overdraft_limit,
        metadata: body.metadata.unwrap_or_default().0,
    };
    let outcome = app.service.submit(Command::CreateAccount(command)).await?;
    Ok(answer::outcome(outcome, Beside { now: app.service.now(), secret: None, last_used_at: None }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    external_id: Option<Text<ExternalId>>,
    status: Option<Parsed<StatusBody>>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// List accounts, newest first.
#[utoipa::path(
    get, path = "/v1/accounts", operation_id = "list_accounts", tag = "accounts", security(("operator_key" = [])),
    params(
        ("external_id" = Option<String>, Query, description = "Only the account with this external id"),
        ("status" = Option<StatusBody>, Query, description = "Only accounts with this status"),
        ("limit" = Option<u32>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<AccountBody>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(app): Shared,
    _operator: Operator<Read>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<AccountBody>>, Problem> {
    let span = paging::span(params.limit.as_deref(), params.cursor.as_deref())?;
    let filter = AccountFilter {
        external_id: params.external_id.map(|external_id| external_id.0),
        status: params.status.map(|status| status.0.into()),
    };
    let page = app.service.reader().account_records(filter, span).await?;
    let now = app.service.now();
    Ok(Json(List::of(page, |record| record.profile.id.bytes(), |record| AccountBody::settled(&record, now))))
}

/// Look at an account.
#[utoipa::path(
    get, path = "/v1/accounts/{id}", operation_id = "show_account", tag = "accounts", security(("operator_key" = [])),
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = AccountBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn show(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(id): Id<AccountId>,
) -> Result<Json<AccountBody>, Problem> {
    let record = app.service.reader().account_record(id).await?;
    let record = record.ok_or_else(|| Problem::not_found("account"))?;
    Ok(Json(AccountBody::settled(&record, app.service.now())))
}

/// What an account has, to the lot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountBalance)]
pub(crate) struct AccountBalanceBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String)]
    account_id: AccountId,
    /// What can be spent; below zero when in debt, the overdraft limit not added.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, example = "1234")]
    available: Credits,
    /// What open holds have reserved.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, example = "0")]
    held: Credits,
    /// `available` and `held` together.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, example = "1234")]
    posted: Credits,
    /// How far below zero charges may take `available`.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, example = "0")]
    overdraft_limit: Credits,
    /// What expires next, if anything does.
    next_expiry: Option<NextExpiryBody>,
    /// Open grants in burn order.
    grants: Vec<LotBody>,
    /// The number of the account's last entry.
    seq: u64,
    /// When this was so.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Credits that expire unless they are spent before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NextExpiry)]
pub(crate) struct NextExpiryBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String)]
    credits: Credits,
}

/// What is left of an open grant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenGrant)]
pub(crate) struct LotBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String)]
    id: GrantId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String)]
    remaining: Credits,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = String)]
    held: Credits,
    category: CategoryBody,
    priority: u8,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl From<&Lot> for LotBody {
    fn from(lot: &Lot) -> LotBody {
        LotBody {
            id: lot.grant_id,
            remaining: lot.remaining,
            held: lot.held,
            category: Category::into(lot.category),
            priority: Priority::get(lot.priority),
            expires_at: lot.expires_at,
        }
    }
}

/// Look at an account's balance.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/balance", operation_id = "show_balance", tag = "accounts", security(("operator_key" = [])),
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = AccountBalanceBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn balance(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(id): Id<AccountId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<AccountBalanceBody>, Problem> {
    let settled = app.service.account(id).await?.ok_or_else(|| Problem::not_found("account"))?;
    let account = &settled.account;
    let posted = account.balance.available.checked_add(account.balance.held);
    let expiry = |NextExpiry { at, credits }| NextExpiryBody { at, credits };
    Ok(Json(AccountBalanceBody {
        account_id: id,
        available: account.balance.available,
        held: account.balance.held,
        posted: posted.expect("the ledger keeps what is posted in range"),
        overdraft_limit: account.overdraft_limit,
        next_expiry: account.next_expiry().map(expiry),
        grants: account.started_lots().map(LotBody::from).collect(),
        seq: account.seq.0,
        at: settled.at,
    }))
}

/// No parameter is known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}
