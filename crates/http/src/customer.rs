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
use crate::operator::balances::{self, AccountBalanceBody, BalanceParams};
use crate::paging::List;
use crate::problem::Problem;

/// Look at the balance of your account.
#[utoipa::path(
    get, path = "/v1/me/balance", operation_id = "my_balance", tag = "customers", security(("api_key" = []), ("api_key_bearer" = [])),
    params(("at" = Option<String>, Query, description = "A time that has passed")),
    responses((status = 200, body = AccountBalanceBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn balance(
    State(app): Shared,
    customer: Customer,
    Params(params): Params<BalanceParams>,
) -> Result<Json<AccountBalanceBody>, Problem> {
    Ok(Json(balances::at_a_time(&app, customer.account_id, &params).await?))
}

/// List your entries, newest first; or, as CSV or NDJSON, all of them as they happened.
///
/// They are those of your key and those of the account itself, without metadata and reasons.
#[utoipa::path(
    get, path = "/v1/me/entries", operation_id = "my_entries", tag = "customers", security(("api_key" = []), ("api_key_bearer" = [])),
    params(
        ("from" = Option<String>, Query, description = "Only entries of this time or later"),
        ("to" = Option<String>, Query, description = "Only entries before this time"),
        ("kind" = Option<String>, Query, description = "Only entries of this kind"),
        ("limit" = Option<u32>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
        ("Accept" = Option<String>, Header, description = "`text/csv` or `application/x-ndjson` for the whole range as a stream"),
    ),
    responses(
        (status = 200, content((List<EntryBody> = "application/json"), (String = "text/csv"), (String = "application/x-ndjson"))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
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
