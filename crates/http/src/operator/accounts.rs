//! `/v1/accounts`: who holds credits, and what they have.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use coffer_ledger::{
    Account, AccountId, AccountProfile, AccountRecord, AccountStatus, Command, CreateAccount, Credits,
    ExternalId, Metadata, Name, Timestamp, UpdateAccount, settle,
};
use coffer_service::{AccountFilter, mint_id_anywhere};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BalanceBody;
use super::answer::{self, Beside};
use super::path::Id;
use crate::Shared;
use crate::auth::{Manage, Operator, Read};
use crate::body::{Params, Payload};
use crate::fields::{self, Amount, Pairs, Parsed, Text};
use crate::openapi::form;
use crate::paging::{self, List};
use crate::problem::Problem;

/// What opens an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateAccountBody {
    /// What it is called: 1 to 255 characters.
    #[schema(value_type = form::Text)]
    name: Text<Name>,
    /// Your own id for it, unique, fixed at creation: 1 to 255 characters.
    #[schema(value_type = Option<form::Text>)]
    external_id: Option<Text<ExternalId>>,
    /// How far below zero charges may take it; "0" if not given.
    #[schema(value_type = Option<form::Amount>)]
    overdraft_limit: Option<Amount>,
    /// Up to 50 pairs of strings.
    #[serde(default)]
    #[schema(value_type = Option<form::Metadata>)]
    metadata: Option<Pairs>,
}

impl CreateAccountBody {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let overdraft_limit = self.overdraft_limit.map_or(Credits::ZERO, |limit| limit.0);
        if overdraft_limit.is_negative() {
            return Err(Problem::invalid("overdraft_limit", "must be zero or more"));
        }
        Ok(Command::CreateAccount(CreateAccount {
            id: AccountId::from_bytes(mint_id_anywhere()),
            name: self.name.0,
            external_id: self.external_id.map(|external_id| external_id.0),
            overdraft_limit,
            metadata: self.metadata.unwrap_or_default().0,
        }))
    }
}

/// What changes an account. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateAccountBody {
    /// What it is called: 1 to 255 characters.
    #[schema(value_type = Option<form::Text>)]
    name: Option<Text<Name>>,
    /// How far below zero charges may take it. A debt beyond a lowered limit stays; nothing more can be spent.
    #[schema(value_type = Option<form::Amount>)]
    overdraft_limit: Option<Amount>,
    /// `frozen` refuses new charges and holds; `closed` voids what is left, and is for good.
    #[schema(value_type = Option<StatusBody>)]
    status: Option<Parsed<StatusBody>>,
    /// Replaces the pairs that the account had.
    #[schema(value_type = Option<form::Metadata>)]
    metadata: Option<Pairs>,
}

impl UpdateAccountBody {
    pub(crate) fn command(self, id: AccountId) -> Result<Command, Problem> {
        let overdraft_limit = self.overdraft_limit.map(|limit| limit.0);
        if overdraft_limit.is_some_and(Credits::is_negative) {
            return Err(Problem::invalid("overdraft_limit", "must be zero or more"));
        }
        Ok(Command::UpdateAccount(UpdateAccount {
            id,
            name: self.name.map(|name| name.0),
            overdraft_limit,
            status: self.status.map(|status| status.0.into()),
            metadata: self.metadata.map(|metadata| metadata.0),
        }))
    }
}

/// What erases the free text of an account's movements.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EraseBody {
    /// Only what happened at this time or before; everything, if not given.
    #[schema(value_type = Option<form::TimeGiven>)]
    until: Option<Parsed<Timestamp>>,
}

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Erasure)]
pub(crate) struct ErasureBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::AccountId)]
    account_id: AccountId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    until: Timestamp,
    /// How many entries hold no free text any more: the first so many of the account.
    entries: u64,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::AccountId)]
    id: AccountId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Text)]
    name: Name,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Text>)]
    external_id: Option<ExternalId>,
    status: StatusBody,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    overdraft_limit: Credits,
    #[serde(serialize_with = "fields::pairs")]
    #[schema(value_type = form::Metadata)]
    metadata: Metadata,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
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
    post, path = "/v1/accounts", operation_id = "create_account", tag = "accounts", security(("operator_key" = ["manage"])),
    request_body = CreateAccountBody,
    responses((status = 201, body = AccountBody))
)]
pub(crate) async fn create(
    State(app): Shared,
    operator: Operator<Manage>,
    Payload(body): Payload<CreateAccountBody>,
) -> Result<Response, Problem> {
    let outcome = app.service.submit(operator.acts(body.command()?)).await?;
    Ok(answer::outcome(outcome, Beside::at(app.service.now())).into_response())
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
    get, path = "/v1/accounts", operation_id = "list_accounts", tag = "accounts", security(("operator_key" = ["read"])),
    params(
        ("external_id" = Option<form::Text>, Query, description = "Only the account with this external id"),
        ("status" = Option<StatusBody>, Query, description = "Only accounts with this status"),
        ("limit" = Option<form::PageLimit>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<form::Cursor>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<AccountBody>))
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
    get, path = "/v1/accounts/{id}", operation_id = "show_account", tag = "accounts", security(("operator_key" = ["read"])),
    params(("id" = form::AccountId, Path, description = "The account's id")),
    responses((status = 200, body = AccountBody))
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

/// Change an account.
#[utoipa::path(
    patch, path = "/v1/accounts/{id}", operation_id = "update_account", tag = "accounts", security(("operator_key" = ["manage"])),
    params(("id" = form::AccountId, Path, description = "The account's id")),
    request_body = UpdateAccountBody,
    responses((status = 200, body = AccountBody))
)]
pub(crate) async fn update(
    State(app): Shared,
    operator: Operator<Manage>,
    Id(id): Id<AccountId>,
    Payload(body): Payload<UpdateAccountBody>,
) -> Result<Response, Problem> {
    let outcome = app.service.submit(operator.acts(body.command(id)?)).await?;
    Ok(answer::outcome(outcome, Beside::at(app.service.now())).into_response())
}

/// Erase the free text of an account's movements: references, metadata and reasons.
///
/// Amounts, times and the digests of the text stay, so that the chain of hashes stays whole. Erasing again changes
/// nothing.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/erase", operation_id = "erase_texts", tag = "accounts", security(("operator_key" = ["manage"])),
    params(("id" = form::AccountId, Path, description = "The account's id")),
    request_body = EraseBody,
    responses((status = 200, body = ErasureBody))
)]
pub(crate) async fn erase(
    State(app): Shared,
    operator: Operator<Manage>,
    Id(account_id): Id<AccountId>,
    Payload(body): Payload<EraseBody>,
) -> Result<Json<ErasureBody>, Problem> {
    let now = app.service.now();
    let until = body.until.map_or(now, |until| until.0);
    let last = app.service.erase_texts(account_id, until, operator.by()).await??;
    Ok(Json(ErasureBody { account_id, until, entries: last.0 }))
}
