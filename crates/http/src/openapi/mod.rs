//! The OpenAPI 3.1 document. Handlers and wire structs say what they know of themselves; what can be told for all
//! operations at once is told here, an idea a file.

mod about;

mod answers;
mod errors;
mod examples;

mod bodies;
pub(crate) mod form;

mod balance;

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use coffer_ledger::Scope;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::operator::{
    accounts, adjustments, balances, batch, charges, grants, holds, keys, operator_keys, portal_sessions,
    prices, refunds, statements, verify,
};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::{Shared, customer, docs, health};

pub(crate) use about::chapters;
use errors::{Caller, Shape};

/// How the handlers name the header of customers' keys, whose name is a matter of configuration.
const API_KEY_HEADER: &str = "ZF-API-KEY";

/// The document of a server with these settings, as JSON.
#[must_use]
pub fn document(settings: &Settings) -> Value {
    let api_key_header = settings.api_key_header.to_string();
    let mut document = serde_json::to_value(Document::openapi()).expect("the document is JSON");
    document["info"]["description"] = about::description().into();
    document["servers"] = json!([{ "url": "/", "description": "This server." }]);
    document["tags"] = about::tags();
    document["components"]["securitySchemes"] = about::security_schemes(&api_key_header);
    document["components"]["headers"] = answers::headers();
    bodies::complete(&mut document);
    extend(&mut document["components"]["schemas"], balance::schemas());

    let mut shared = Map::new();
    let paths = document["paths"].as_object_mut().expect("the document has paths");
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        complete(operation, &api_key_header, &mut shared);
    }
    let balance = json!({
        "post": balance::operation(&api_key_header), "options": balance::preflight(&api_key_header),
    });
    let mut all = Map::from_iter([(settings.product.balance_path(), balance)]);
    all.append(paths);
    *paths = all;
    document["components"]["responses"] = shared.into();
    document
}

fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

fn complete(operation: &mut Value, api_key_header: &str, shared: &mut Map<String, Value>) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten();
    for parameter in parameters {
        if parameter["name"] == API_KEY_HEADER {
            parameter["name"] = api_key_header.into();
        }
        // A parameter may be absent, but it cannot be `null`.
        if let Some(schema) = parameter["schema"].get("oneOf").map(|alternatives| alternatives[0].clone()) {
            parameter["schema"] = schema;
        }
    }
    let id = operation["operationId"].as_str().expect("an operation has an id").to_owned();
    let shape = shape(&id, operation);
    answers::complete(operation, shape, shared);
    let told = examples::requests(&id).into_iter();
    let told: Map<String, Value> =
        told.map(|(title, body)| (title.to_owned(), json!({ "value": body }))).collect();
    if !told.is_empty() {
        operation["requestBody"]["content"]["application/json"]["examples"] = told.into();
    }
    if shape.caller == Caller::Anybody {
        operation["security"] = json!([]);
    }
}

fn shape<'a>(id: &'a str, operation: &Value) -> Shape<'a> {
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let has = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
    Shape {
        operation: id,
        caller: caller(&operation["security"]),
        has_body: operation.get("requestBody").is_some(),
        has_query: parameters.iter().any(|parameter| parameter["in"] == "query"),
        has_pages: has("limit"),
        moves_credits: has("Idempotency-Key"),
    }
}

fn caller(security: &Value) -> Caller {
    match &security[0] {
        Value::Object(scheme) if scheme.contains_key("api_key") => Caller::Customer,
        Value::Object(scheme) if scheme.contains_key("operator_key") => {
            match scheme["operator_key"][0].as_str() {
                Some(scope) => Caller::Operator(scope.parse::<Scope>().expect("a handler names its scope")),
                None => Caller::AnyOperator,
            }
        }
        _ => Caller::Anybody,
    }
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "server", security(()),
    responses((status = 200, description = "An OpenAPI 3.1 document.", body = serde_json::Value))
)]
pub(crate) async fn show(State(app): Shared) -> impl IntoResponse {
    let app = Arc::clone(&app);
    ([(header::CONTENT_TYPE, "application/json")], app.documents.openapi(&app.settings))
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Coffer", license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),),
    components(schemas(Problem, form::AdjustmentId, form::IdempotencyKey, form::Secret)),
    paths(
        customer::balance,
        customer::entries,
        accounts::create,
        accounts::list,
        accounts::show,
        accounts::update,
        accounts::erase,
        portal_sessions::create,
        balances::show,
        grants::create,
        grants::list,
        grants::show,
        grants::void,
        adjustments::create,
        charges::create,
        charges::list,
        charges::show,
        refunds::create,
        holds::create,
        holds::list,
        holds::show,
        holds::capture,
        holds::release,
        batch::run,
        keys::create,
        keys::import,
        keys::list,
        keys::show,
        keys::update,
        keys::rotate,
        keys::revoke,
        verify::verify,
        prices::list,
        prices::put,
        prices::delete,
        statements::entries,
        statements::usage,
        operator_keys::create,
        operator_keys::list,
        operator_keys::revoke,
        health::livez,
        health::readyz,
        health::metrics,
        show,
        docs::show,
    )
)]
struct Document;
