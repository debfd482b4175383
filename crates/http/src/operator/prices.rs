//! `/v1/prices`: what operations cost.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use coffer_ledger::{Command, DeletePrice, Description, Operation, Price, PutPrice, Rate, Timestamp, Unit};
use coffer_service::mint_id_anywhere;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{self, Beside};
use super::path::OperationName;
use crate::Shared;
use crate::auth::{Manage, Operator, Read};
use crate::body::{Params, Payload};
use crate::fields::{self, Text};
use crate::openapi::form;
use crate::paging::{List, PageParams};
use crate::problem::Problem;

/// What sets a price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutPriceBody {
    /// What one unit costs: zero or more, with at most 12 fraction digits. "0" is free.
    #[schema(value_type = form::UnitPriceGiven)]
    credits_per_unit: RateText,
    /// What the operation is counted in, such as `image` or `1000 tokens`.
    #[schema(value_type = Option<form::Text>)]
    unit: Option<Text<Unit>>,
    /// What the operation is.
    #[schema(value_type = Option<form::Text>)]
    description: Option<Text<Description>>,
}

impl PutPriceBody {
    pub(crate) fn command(self, operation: Operation) -> Command {
        Command::PutPrice(PutPrice {
            id: mint_id_anywhere(),
            operation,
            rate: self.credits_per_unit.0,
            unit: self.unit.map(|unit| unit.0),
            description: self.description.map(|description| description.0),
        })
    }
}

/// A price as a decimal string or a JSON integer, never a float.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateText(Rate);

impl<'de> Deserialize<'de> for RateText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RateText, D::Error> {
        struct Decimal;

        impl Visitor<'_> for Decimal {
            type Value = RateText;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a decimal string such as \"0.0025\", or a JSON integer")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RateText, E> {
                text.parse().map(RateText).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, whole: i64) -> Result<RateText, E> {
                self.visit_str(&whole.to_string())
            }

            fn visit_u64<E: Error>(self, whole: u64) -> Result<RateText, E> {
                self.visit_str(&whole.to_string())
            }
        }

        deserializer.deserialize_any(Decimal)
    }
}

/// A price.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Price)]
pub(crate) struct PriceBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Text)]
    operation: Operation,
    /// What one unit costs.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::UnitPrice)]
    credits_per_unit: Rate,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Text>)]
    unit: Option<Unit>,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Text>)]
    description: Option<Description>,
    /// When it was last set; `null` for the one that every catalogue has.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Time>)]
    updated_at: Option<Timestamp>,
}

impl PriceBody {
    pub(super) fn of(price: Price) -> PriceBody {
        PriceBody {
            operation: price.operation,
            credits_per_unit: price.rate,
            unit: price.unit,
            description: price.description,
            updated_at: price.updated_at,
        }
    }
}

/// List prices, newest first.
#[utoipa::path(
    get, path = "/v1/prices", operation_id = "list_prices", tag = "prices", security(("operator_key" = ["read"])),
    params(
        ("limit" = Option<form::PageLimit>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<form::Cursor>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<PriceBody>))
)]
pub(crate) async fn list(
    State(app): Shared,
    _operator: Operator<Read>,
    Params(params): Params<PageParams>,
) -> Result<Json<List<PriceBody>>, Problem> {
    let page = app.service.reader().prices(params.span()?).await?;
    Ok(Json(List::of(page, |price| price.id, PriceBody::of)))
}

/// Set the price of an operation. Charges and holds that were made before keep the price of then.
#[utoipa::path(
    put, path = "/v1/prices/{operation}", operation_id = "put_price", tag = "prices", security(("operator_key" = ["manage"])),
    params(("operation" = form::Text, Path, description = "The operation: 1 to 255 characters")),
    request_body = PutPriceBody,
    responses((status = 200, body = PriceBody))
)]
pub(crate) async fn put(
    State(app): Shared,
    operator: Operator<Manage>,
    OperationName(operation): OperationName,
    Payload(body): Payload<PutPriceBody>,
) -> Result<Response, Problem> {
    let outcome = app.service.submit(operator.acts(body.command(operation))).await?;
    Ok(answer::outcome(outcome, Beside::at(app.service.now())).into_response())
}

/// Take an operation out of the catalogue.
#[utoipa::path(
    delete, path = "/v1/prices/{operation}", operation_id = "delete_price", tag = "prices", security(("operator_key" = ["manage"])),
    params(("operation" = form::Text, Path, description = "The operation")),
    responses((status = 204, description = "It has no price any more"))
)]
pub(crate) async fn delete(
    State(app): Shared,
    operator: Operator<Manage>,
    OperationName(operation): OperationName,
) -> Result<Response, Problem> {
    let command = DeletePrice { operation };
    let outcome = app.service.submit(operator.acts(Command::DeletePrice(command))).await?;
    Ok(answer::outcome(outcome, Beside::at(app.service.now())).into_response())
}
