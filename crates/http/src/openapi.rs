//! The OpenAPI 3.1 document, made from the handlers and their wire structs.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::operator::{
    accounts, adjustments, balances, batch, charges, grants, holds, keys, operator_keys, prices, refunds,
    statements, verify,
};
use crate::settings::Settings;
use crate::{Shared, customer};

/// The document of a server with these settings, as JSON.
#[must_use]
pub fn document(settings: &Settings) -> Value {
    let mut document = serde_json::to_value(Document::openapi()).expect("the document is JSON");
    let paths = document["paths"].as_object_mut().expect("the document has paths");
    let balance = paths.remove(BALANCE_PATH).expect("the document has the balance endpoint");
    paths.insert(settings.product.balance_path(), balance);
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(|path| path.values_mut()) {
        let parameters = operation["parameters"].as_array_mut().into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter["name"] == API_KEY_HEADER) {
            parameter["name"] = settings.api_key_header.to_string().into();
        }
    }
    document
}

pub(crate) async fn show(State(app): Shared) -> Json<Value> {
    Json(document(&app.settings))
}

const API_KEY_HEADER: &str = "ZF-API-KEY";
const BALANCE_PATH: &str = "/api/{product}/api/v1/get-credits-balance";

/// How many credits are left.
///
/// Free: it never changes a balance. HTTP 200 carries both codes: 100000 with the credits, and 800002 for a key
/// that is missing, unknown, revoked, expired or disabled. The body is ignored.
#[utoipa::path(
    post, path = "/api/{product}/api/v1/get-credits-balance", tag = "balance",
    params(("ZF-API-KEY" = String, Header, description = "The customer's key")),
    responses(
        (status = 200, description = "The balance, or that the key opens nothing", body = serde_json::Value, examples(
            ("success" = (value = json!({"code": 100_000, "message": {}, "result": {"user_credits": "1234"}}))),
            ("dead key" = (value = json!({
                "code": 800_002, "message": {"en": "User api key not exist.", "zh": "用户api key不存在"}, "result": null
            }))),
        )),
        (status = "default", description = "The HTTP status as code", body = serde_json::Value),
    )
)]
#[expect(dead_code, reason = "documents the endpoint, which is served for every method by one handler")]
fn get_credits_balance() {}

struct OperatorKeys;

impl Modify for OperatorKeys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("operator_key", SecurityScheme::Http(bearer.clone()));
        components.add_security_scheme("api_key_bearer", SecurityScheme::Http(bearer));
        let header = ApiKey::Header(ApiKeyValue::new(API_KEY_HEADER));
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(header));
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Coffer",
        description = "Prepaid credits behind an API: keys, accounts, grants, charges. Credits are decimal \
                       strings with at most 6 fraction digits; times are RFC 3339 in UTC with milliseconds.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    modifiers(&OperatorKeys),
    paths(
        get_credits_balance,
        accounts::create,
        accounts::list,
        accounts::show,
        accounts::update,
        accounts::erase,
        balances::show,
        statements::entries,
        statements::usage,
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
        customer::balance,
        customer::entries,
        operator_keys::create,
        operator_keys::list,
        operator_keys::revoke,
    )
)]
struct Document;
