//! `/v1/me`: the same objects for the holder of a customer's key.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::Shared;
use crate::auth::Customer;
use crate::body::Params;
use crate::entries::{self, EntryBody, EntryParams, View};
use crate::openapi::form;
use crate::operator::balances::{self, AccountBalanceBody};
use crate::paging::List;
use crate::problem::Problem;

/// Look at the balance of your account.
#[utoipa::path(
    get, path = "/v1/me/balance", operation_id = "my_balance", tag = "customers", security(("api_key" = []), ("api_key_bearer" = [])),
    responses((status = 200, body = AccountBalanceBody))
)]
pub(crate) async fn balance(
    State(app): Shared,
    customer: Customer,
) -> Result<Json<AccountBalanceBody>, Problem> {
    Ok(Json(balances::current(&app, customer.account_id).await?))
}

/// List your entries, newest first; or, as CSV or NDJSON, all of them as they happened.
///
/// They are those of your key and those of the account itself, without metadata and reasons.
#[utoipa::path(
    get, path = "/v1/me/entries", operation_id = "my_entries", tag = "customers", security(("api_key" = []), ("api_key_bearer" = [])),
    params(
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
    customer: Customer,
    headers: HeaderMap,
    Params(params): Params<EntryParams>,
) -> Result<Response, Problem> {
    let app = Arc::clone(&app);
    entries::answer(&app, customer.account_id, View::Customer(customer.key_id), &headers, params).await
}
