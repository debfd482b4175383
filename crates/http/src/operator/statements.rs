//! `/v1/accounts/{id}/entries` and `/v1/accounts/{id}/usage`: what happened on an account.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use coffer_ledger::{AccountId, Credits, Timestamp};
use coffer_service::{Usage, UsageBy, UsageOf};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::path::Id;
use crate::auth::{Operator, Read};
use crate::body::Params;
use crate::entries::{self, EntryBody, EntryParams, View};
use crate::fields::{self, Parsed};
use crate::openapi::form;
use crate::paging::List;
use crate::problem::Problem;
use crate::{App, Shared};

/// List an account's entries, newest first; or, as CSV or NDJSON, all of them as they happened.
///
/// Times grow with the numbers. A page may hold fewer entries than its limit although there are more.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/entries", operation_id = "list_entries", tag = "statements", security(("operator_key" = ["read"])),
    params(
        ("id" = form::AccountId, Path, description = "The account's id"),
        ("from" = Option<form::TimeGiven>, Query, description = "Only entries of this time or later"),
        ("to" = Option<form::TimeGiven>, Query, description = "Only entries before this time"),
        ("kind" = Option<form::KindOfEntry>, Query, description = "Only entries of this kind"),
        ("limit" = Option<form::PageLimit>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<form::Cursor>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses(
        (status = 200, content((List<EntryBody> = "application/json"), (String = "text/csv"), (String = "application/x-ndjson"))),
    )
)]
pub(crate) async fn entries(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(id): Id<AccountId>,
    headers: HeaderMap,
    Params(params): Params<EntryParams>,
) -> Result<Response, Problem> {
    known(&app, id).await?;
    entries::answer(&app, id, View::Operator, &headers, params).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageParams {
    by: Option<Parsed<UsageByName>>,
    from: Option<Parsed<Timestamp>>,
    to: Option<Parsed<Timestamp>>,
}

/// What usage is summed by.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = UsageBy)]
pub(crate) enum UsageByName {
    Day,
    Key,
    Operation,
}

impl FromStr for UsageByName {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<UsageByName, &'static str> {
        match text {
            "day" => Ok(UsageByName::Day),
            "key" => Ok(UsageByName::Key),
            "operation" => Ok(UsageByName::Operation),
            _ => Err("must be day, key or operation"),
        }
    }
}

/// What an account has spent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountUsage)]
pub(crate) struct AccountUsageBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::AccountId)]
    account_id: AccountId,
    by: UsageByName,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Time>)]
    from: Option<Timestamp>,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Time>)]
    to: Option<Timestamp>,
    data: Vec<UsageBody>,
}

/// What was spent on one day, with one key or on one operation: `day`, `key_id` or `operation` says which.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Usage)]
pub(crate) struct UsageBody {
    /// The day in UTC, such as `2026-11-22`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = form::Day, required = false)]
    day: Option<String>,
    /// The customer's key; `null` for what was charged without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<form::KeyId>, required = false)]
    key_id: Option<serde_json::Value>,
    /// The operation; `null` for what was charged in credits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<form::Text>, required = false)]
    operation: Option<serde_json::Value>,
    /// Charges less refunds.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    credits: Credits,
    /// What charges and captures came to.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    charged: Credits,
    /// What was refunded meanwhile.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    refunded: Credits,
    /// How many charges and captures there were.
    charges: u64,
}

impl From<Usage> for UsageBody {
    fn from(usage: Usage) -> UsageBody {
        let text = |text: Option<String>| Some(serde_json::Value::from(text));
        let (day, key_id, operation) = match usage.of {
            UsageOf::Day(day) => (day.to_string().split('T').next().map(str::to_owned), None, None),
            UsageOf::Key(id) => (None, text(id.map(|id| id.to_string())), None),
            UsageOf::Operation(operation) => {
                (None, None, text(operation.map(|operation| operation.to_string())))
            }
        };
        let credits = usage.charged.checked_sub(usage.refunded);
        UsageBody {
            day,
            key_id,
            operation,
            credits: credits.expect("two lifetime totals of one account differ by less than the range"),
            charged: usage.charged,
            refunded: usage.refunded,
            charges: usage.charges,
        }
    }
}

/// What an account has spent, summed by day, key or operation. A refund counts when it was made.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/usage", operation_id = "show_usage", tag = "statements", security(("operator_key" = ["read"])),
    params(
        ("id" = form::AccountId, Path, description = "The account's id"),
        ("by" = Option<UsageByName>, Query, description = "What it is summed by; `day` if not given"),
        ("from" = Option<form::TimeGiven>, Query, description = "Only what happened at this time or later"),
        ("to" = Option<form::TimeGiven>, Query, description = "Only what happened before this time"),
    ),
    responses((status = 200, body = AccountUsageBody))
)]
pub(crate) async fn usage(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(id): Id<AccountId>,
    Params(params): Params<UsageParams>,
) -> Result<Json<AccountUsageBody>, Problem> {
    known(&app, id).await?;
    let name = params.by.map_or(UsageByName::Day, |by| by.0);
    let by = match name {
        UsageByName::Day => UsageBy::Day,
        UsageByName::Key => UsageBy::Key,
        UsageByName::Operation => UsageBy::Operation,
    };
    let (from, to) = (params.from.map(|from| from.0), params.to.map(|to| to.0));
    let sums = app
        .service
        .reader()
        .usage(id, by, from.unwrap_or(Timestamp::MIN), to.unwrap_or(Timestamp::MAX))
        .await?;
    let data = sums.into_iter().map(UsageBody::from).collect();
    Ok(Json(AccountUsageBody { account_id: id, by: name, from, to, data }))
}

async fn known(app: &App, id: AccountId) -> Result<(), Problem> {
    let account = app.service.reader().account(id).await?;
    account.map(|_| ()).ok_or_else(|| Problem::not_found("account"))
}
