//! `/v1/accounts/{id}/balance`: what an account has, to the lot, and what it had.

use axum::Json;
use axum::extract::State;
use coffer_ledger::{AccountId, Balance, Category, Credits, GrantId, Lot, NextExpiry, Priority, Timestamp};
use coffer_service::{PastBalance, Settled};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::grants::CategoryBody;
use super::path::Id;
use crate::auth::{Operator, Read};
use crate::body::Params;
use crate::fields::{self, Parsed};
use crate::openapi::form;
use crate::problem::Problem;
use crate::{App, Shared};

/// What an account has, to the lot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountBalance)]
pub(crate) struct AccountBalanceBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::AccountId)]
    account_id: AccountId,
    /// What can be spent; below zero when in debt, the overdraft limit not added.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    available: Credits,
    /// What open holds have reserved.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    held: Credits,
    /// `available` and `held` together.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    posted: Credits,
    /// How far below zero charges may take `available`; `null` for a time that has passed.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Credits>)]
    overdraft_limit: Option<Credits>,
    /// What expires next, if anything does; `null` for a time that has passed.
    next_expiry: Option<NextExpiryBody>,
    /// Open grants in burn order; `null` for a time that has passed.
    grants: Option<Vec<LotBody>>,
    /// The number of the account's last entry.
    seq: u64,
    /// When this was so.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    at: Timestamp,
}

/// Credits that expire unless they are spent before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NextExpiry)]
pub(crate) struct NextExpiryBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    at: Timestamp,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    credits: Credits,
}

/// What is left of an open grant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenGrant)]
pub(crate) struct LotBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::GrantId)]
    id: GrantId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    remaining: Credits,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    held: Credits,
    category: CategoryBody,
    #[schema(maximum = 100)]
    priority: u8,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Time>)]
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

impl AccountBalanceBody {
    fn of(settled: &Settled) -> AccountBalanceBody {
        let account = &settled.account;
        let expiry = |NextExpiry { at, credits }| NextExpiryBody { at, credits };
        AccountBalanceBody {
            account_id: account.id,
            available: account.balance.available,
            held: account.balance.held,
            posted: account.posted(),
            overdraft_limit: Some(account.overdraft_limit),
            next_expiry: account.next_expiry().map(expiry),
            grants: Some(account.started_lots().map(LotBody::from).collect()),
            seq: account.seq.0,
            at: settled.at,
        }
    }

    fn past(account_id: AccountId, past: PastBalance, at: Timestamp) -> AccountBalanceBody {
        let Balance { available, held } = past.balance;
        AccountBalanceBody {
            account_id,
            available,
            held,
            posted: available.checked_add(held).expect("the ledger keeps what is posted in range"),
            overdraft_limit: None,
            next_expiry: None,
            grants: None,
            seq: past.seq.0,
            at,
        }
    }
}

/// An account's balance now.
pub(crate) async fn current(app: &App, id: AccountId) -> Result<AccountBalanceBody, Problem> {
    let settled = app.service.account(id).await?.ok_or_else(|| Problem::not_found("account"))?;
    Ok(AccountBalanceBody::of(&settled))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BalanceParams {
    at: Option<Parsed<Timestamp>>,
}

/// Look at an account's balance, now or at a time that has passed.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/balance", operation_id = "show_balance", tag = "accounts", security(("operator_key" = ["read"])),
    params(
        ("id" = form::AccountId, Path, description = "The account's id"),
        ("at" = Option<form::TimeGiven>, Query, description = "A time that has passed"),
    ),
    responses((status = 200, body = AccountBalanceBody))
)]
pub(crate) async fn show(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(id): Id<AccountId>,
    Params(params): Params<BalanceParams>,
) -> Result<Json<AccountBalanceBody>, Problem> {
    let Some(Parsed(at)) = params.at else { return Ok(Json(current(&app, id).await?)) };
    let now = app.service.now();
    if at > now {
        return Err(Problem::invalid("at", format!("must not lie in the future; it is {now}")));
    }
    let past = app.service.balance_at(id, at).await?.ok_or_else(|| Problem::not_found("account"))?;
    Ok(Json(AccountBalanceBody::past(id, past, at)))
}
