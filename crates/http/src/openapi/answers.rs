//! The answers of an operation: what succeeds, as its handler has it, and every error, with headers and examples.

use serde_json::{Map, Value, json};

use super::errors::{self, Shape};
use super::examples;
use crate::problem::Problem;

/// Headers that several answers have, by their names in the document.
pub(super) fn headers() -> Value {
    let text = |description: &str, example: &str| {
        json!({
            "description": description,
            "required": true,
            "schema": { "type": "string", "minLength": 1, "examples": [example] },
        })
    };
    let mut replayed =
        text("There, and `true`, where the answer is the one that an earlier request got.", "true");
    replayed["required"] = false.into();
    replayed["schema"] = json!({ "const": "true" });
    let mut perhaps_challenge = text("How to authenticate, where the operator's key is missing.", "Bearer");
    perhaps_challenge["required"] = false.into();
    json!({
        "RequestId": text("The request's id, which the log has as well.", "5f0c2a9100000001"),
        "RetryAfter": {
            "description": "After so many seconds it is worth trying again.",
            "required": true,
            "schema": { "type": "integer", "minimum": 1, "examples": [1] },
        },
        "Allow": text("The methods that the path takes.", "GET,HEAD,POST"),
        "Challenge": text("How to authenticate.", "Bearer"),
        "PerhapsChallenge": perhaps_challenge,
        "Replayed": replayed,
    })
}

pub(super) fn header(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// Completes the responses of an operation. What many operations answer alike goes to `shared`.
pub(super) fn complete(operation: &mut Value, shape: Shape<'_>, shared: &mut Map<String, Value>) {
    let responses = operation["responses"].as_object_mut().expect("an operation has responses");
    for (status, response) in responses.iter_mut() {
        succeed(response, status, shape);
    }
    let problems = errors::problems(shape);
    for alike in problems.chunk_by(|one, other| one.status() == other.status()) {
        let response = failure(alike, shape.moves_credits);
        responses.insert(alike[0].status().as_str().to_owned(), share(response, alike, shared));
    }
}

fn succeed(response: &mut Value, status: &str, shape: Shape<'_>) {
    if response.get("description").is_none_or(|text| text == "") {
        response["description"] = if status == "201" { "Created." } else { "Done." }.into();
    }
    response["headers"]["X-Request-Id"] = header("RequestId");
    if shape.moves_credits {
        response["headers"]["Idempotency-Replayed"] = header("Replayed");
    }
    let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) else { return };
    for (media_type, content) in content {
        if let Some(example) = examples::answer(shape.operation, media_type) {
            content["example"] = example;
        }
    }
}

/// The response to everything that is told with one status.
fn failure(problems: &[Problem], moves_credits: bool) -> Value {
    let told: Vec<Value> =
        problems.iter().map(|problem| serde_json::to_value(problem).expect("a problem is JSON")).collect();
    let mut headers = json!({ "X-Request-Id": header("RequestId") });
    match problems[0].status().as_u16() {
        401 if told.iter().all(|problem| problem["reason"] == "operator_key") => {
            headers["WWW-Authenticate"] = header("Challenge");
        }
        401 if told.iter().any(|problem| problem["reason"] == "operator_key") => {
            headers["WWW-Authenticate"] = header("PerhapsChallenge");
        }
        402 | 409 if moves_credits => headers["Idempotency-Replayed"] = header("Replayed"),
        405 => headers["Allow"] = header("Allow"),
        429 | 503 => headers["Retry-After"] = header("RetryAfter"),
        _ => {}
    }
    json!({
        "description": description(&told),
        "headers": headers,
        "content": { "application/problem+json": { "schema": schema(&told), "examples": shown(&told) } },
    })
}

/// The codes, and the reasons where a code has some.
fn description(told: &[Value]) -> String {
    let mut codes: Vec<String> = Vec::new();
    for problem in told {
        let code = match (problem["code"].as_str(), problem["reason"].as_str()) {
            (Some(code), Some(reason)) => format!("`{code}` (`{reason}`)"),
            (code, _) => format!("`{}`", code.unwrap_or_default()),
        };
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes.join(", ")
}

/// A problem with one of these codes and reasons, and with what goes with it.
fn schema(told: &[Value]) -> Value {
    let mut kinds: Vec<Value> = Vec::new();
    for problem in told {
        let kind = kind(problem);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let mut schema = json!({ "$ref": "#/components/schemas/Problem" });
    match <[Value; 1]>::try_from(kinds) {
        Ok([Value::Object(kind)]) => schema.as_object_mut().expect("an object").extend(kind),
        Ok([_]) => {}
        Err(kinds) => schema["oneOf"] = kinds.into(),
    }
    schema
}

fn kind(problem: &Value) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for name in ["status", "code", "reason"] {
        if let Some(value) = problem.get(name) {
            properties.insert(name.to_owned(), json!({ "const": value }));
        }
    }
    for name in ["reason", "required", "available", "remaining"] {
        if problem.get(name).is_some() {
            required.push(name);
        }
    }
    let mut kind = json!({ "properties": properties });
    if !required.is_empty() {
        kind["required"] = json!(required);
    }
    kind
}

fn shown(told: &[Value]) -> Value {
    let mut examples = Map::new();
    for problem in told {
        let beside = problem["reason"].as_str().or(problem["field"].as_str());
        let code = problem["code"].as_str().expect("a problem has a code");
        let name = beside.map_or_else(|| code.to_owned(), |beside| format!("{code}: {beside}"));
        let alike = examples.keys().filter(|known| known.starts_with(&name)).count();
        let name = if alike == 0 { name } else { format!("{name} {}", alike + 1) };
        examples.insert(name, json!({ "summary": problem["detail"], "value": problem }));
    }
    examples.into()
}

/// A reference, where other operations answer exactly so.
fn share(response: Value, problems: &[Problem], shared: &mut Map<String, Value>) -> Value {
    let [_] = problems else { return response };
    let name = camel_case(&response["description"].as_str().unwrap_or_default().replace(['`', '(', ')'], ""));
    let known = shared.entry(name.clone()).or_insert_with(|| response.clone());
    if *known == response { json!({ "$ref": format!("#/components/responses/{name}") }) } else { response }
}

fn camel_case(words: &str) -> String {
    let words = words.split(['_', ' ']).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}
