//! The balance endpoint in the document: its envelope, and every failure that keeps it.

use serde_json::{Map, Value, json};

use super::answers::header;
use crate::balance::{Failure, envelope_of};
use crate::limits::RETRY_AFTER_SECONDS;

/// The operation, whose path and headers are a matter of configuration.
pub(super) fn operation(header_name: &str) -> Value {
    let mut responses = json!({ "200": known_or_not() });
    for failure in Failure::ALL {
        responses[failure.status().as_str()] = failed(failure);
    }
    json!({
        "operationId": "get_credits_balance",
        "tags": ["balance"],
        "summary": "How many credits are left.",
        "description": format!(
            "Free: it never changes a balance. HTTP 200 carries both codes, 100000 with the credits, and 800002 for a \
             key that is missing, unknown, revoked, expired or disabled. Every failure keeps the envelope and has the \
             HTTP status as its code. The body is ignored, whatever its type, up to 64 KiB.\n\nPages of any origin may \
             call it, unless the server is configured otherwise: `OPTIONS` answers the preflight, and every answer has \
             `Access-Control-Allow-Origin`. The header `{header_name}` may be written in any case."
        ),
        "security": [{ "api_key": [] }],
        "requestBody": { "description": "Ignored.", "content": { "*/*": {} } },
        "responses": responses,
    })
}

/// What a browser asks before it lets a page of another origin call.
pub(super) fn preflight(header_name: &str) -> Value {
    let fixed = |value: &str| json!({ "required": true, "schema": { "const": value } });
    let mut responses = json!({ "204": {
        "description": "The page may call.",
        "headers": {
            "X-Request-Id": header("RequestId"),
            "Access-Control-Allow-Methods": fixed("POST, OPTIONS"),
            "Access-Control-Allow-Headers": fixed(&format!("{header_name}, Content-Type")),
            "Access-Control-Max-Age": fixed("86400"),
            "Access-Control-Allow-Origin": allowed_origin(),
        },
    } });
    for failure in [Failure::HeadersTooLarge, Failure::Internal] {
        responses[failure.status().as_str()] = failed(failure);
    }
    json!({
        "operationId": "get_credits_balance_preflight",
        "tags": ["balance"],
        "summary": "The preflight of a browser's page.",
        "security": [],
        "responses": responses,
    })
}

fn allowed_origin() -> Value {
    json!({
        "description": "`*`, or, with a configured list, the origin that asks if it is on the list.",
        "schema": { "type": "string" },
    })
}

/// The schemas of the envelope.
pub(super) fn schemas() -> Value {
    let texts = json!({
        "type": "object",
        "required": ["en", "zh"],
        "additionalProperties": false,
        "properties": {
            "en": { "type": "string", "description": "In English." },
            "zh": { "type": "string", "description": "In Chinese." },
        },
    });
    json!({
        "CreditsBalance": {
            "description": "The balance.",
            "type": "object",
            "required": ["code", "message", "result"],
            "additionalProperties": false,
            "properties": {
                "code": { "const": 100_000 },
                "message": { "type": "object", "maxProperties": 0, "description": "Empty." },
                "result": {
                    "type": "object",
                    "required": ["user_credits"],
                    "additionalProperties": false,
                    "properties": {
                        "user_credits": {
                            "$ref": "#/components/schemas/Credits",
                            "description": "What can be spent: below zero when in debt, the overdraft limit not added.",
                        },
                    },
                },
            },
        },
        "CreditsBalanceRefused": {
            "description": "No balance, and why.",
            "type": "object",
            "required": ["code", "message", "result"],
            "additionalProperties": false,
            "properties": {
                "code": { "type": "integer", "description": "800002 for a dead key, else the HTTP status." },
                "message": texts,
                "result": { "type": "null" },
            },
        },
    })
}

fn headers() -> Map<String, Value> {
    let fixed = |value: &str| json!({ "required": true, "schema": { "const": value } });
    let headers = json!({
        "X-Request-Id": header("RequestId"),
        "Cache-Control": fixed("no-store"),
        "X-Content-Type-Options": fixed("nosniff"),
        "Access-Control-Allow-Origin": allowed_origin(),
    });
    match headers {
        Value::Object(headers) => headers,
        _ => unreachable!("the headers are an object"),
    }
}

fn known_or_not() -> Value {
    let dead: Value = serde_json::from_str(crate::balance::DEAD_KEY).expect("the answer is JSON");
    let balance = json!({ "code": 100_000, "message": {}, "result": { "user_credits": "1234" } });
    json!({
        "description": "The balance, or that the key opens nothing.",
        "headers": headers(),
        "content": { "application/json": {
            "schema": { "oneOf": [
                { "$ref": "#/components/schemas/CreditsBalance" },
                {
                    "$ref": "#/components/schemas/CreditsBalanceRefused",
                    "properties": { "code": { "const": dead["code"] } },
                },
            ] },
            "examples": {
                "balance": { "summary": "The key is live.", "value": balance },
                "dead key": { "summary": "Every dead key is told the same.", "value": dead },
            },
        } },
    })
}

fn failed(failure: Failure) -> Value {
    let envelope: Value = serde_json::from_str(&envelope_of(failure)).expect("the envelope is JSON");
    let mut headers = headers();
    match failure {
        Failure::MethodNotAllowed => {
            headers.insert(
                "Allow".to_owned(),
                json!({ "required": true, "schema": { "const": "POST, OPTIONS" } }),
            );
        }
        Failure::RateLimited { .. } | Failure::Unavailable => {
            headers.insert("Retry-After".to_owned(), header("RetryAfter"));
        }
        Failure::BodyTooSlow
        | Failure::BodyCutOff
        | Failure::BodyTooLarge
        | Failure::HeadersTooLarge
        | Failure::Internal => {}
    }
    json!({
        "description": envelope["message"]["en"],
        "headers": headers,
        "content": { "application/json": {
            "schema": {
                "$ref": "#/components/schemas/CreditsBalanceRefused",
                "properties": { "code": { "const": envelope["code"] } },
            },
            "example": envelope,
        } },
    })
}

impl Failure {
    /// Every failure, to show, by status.
    const ALL: [Failure; 8] = [
        Failure::BodyCutOff,
        Failure::MethodNotAllowed,
        Failure::BodyTooSlow,
        Failure::BodyTooLarge,
        Failure::RateLimited { retry_after_seconds: RETRY_AFTER_SECONDS },
        Failure::HeadersTooLarge,
        Failure::Internal,
        Failure::Unavailable,
    ];
}
