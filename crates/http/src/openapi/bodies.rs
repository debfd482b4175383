//! What the derived schemas of bodies cannot say: fields that exclude each other, the operations of a batch, and which
//! fields an answer always has.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::form;

const PREFIX: &str = "#/components/schemas/";

/// Completes the schemas of a document.
pub(super) fn complete(document: &mut Value) {
    let asked = schemas_of_requests(document);
    let schemas = document["components"]["schemas"].as_object_mut().expect("the document has schemas");
    for (name, form) in form::all() {
        schemas.insert(name.to_owned(), form);
    }
    for (name, schema) in schemas.iter_mut() {
        schema.as_object_mut().into_iter().for_each(lift_descriptions);
        if !asked.contains(name) {
            require_what_may_be_null(name, schema);
        }
    }
    for (name, schema) in schemas.iter_mut() {
        // The derived schema of a list has that of its items within.
        if let Some(item) = name.strip_prefix("List_") {
            schema["properties"]["data"]["items"] = reference(item);
        }
    }
    add_rules(schemas);
    add_batch_operations(schemas);
    require_bodies(document);
}

/// The schemas that requests are made of.
fn schemas_of_requests(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let paths = document["paths"].as_object().into_iter().flat_map(Map::values);
    let operations = paths.filter_map(Value::as_object).flat_map(Map::values);
    for operation in operations {
        collect(document, &operation["requestBody"], &mut found);
    }
    found
}

fn collect(document: &Value, part: &Value, found: &mut BTreeSet<String>) {
    if let Some(name) = part["$ref"].as_str().and_then(|path| path.strip_prefix(PREFIX))
        && found.insert(name.to_owned())
    {
        collect(document, &document["components"]["schemas"][name], found);
    }
    match part {
        Value::Array(parts) => parts.iter().for_each(|part| collect(document, part, found)),
        Value::Object(fields) => fields.values().for_each(|part| collect(document, part, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// utoipa describes a field that may be `null` inside of the alternative that is not `null`.
fn lift_descriptions(schema: &mut Map<String, Value>) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        let alternatives = property.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten();
        let description = alternatives
            .filter_map(Value::as_object_mut)
            .find_map(|alternative| alternative.remove("description"));
        if let Some(description) = description {
            property["description"] = description;
        }
    }
}

/// An answer leaves no field out that may be `null`, with these exceptions.
const MAY_BE_NULL_OR_ABSENT: [&str; 1] = ["Usage"];

fn require_what_may_be_null(name: &str, schema: &mut Value) {
    if MAY_BE_NULL_OR_ABSENT.contains(&name) {
        return;
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    let may_be_null = |property: &Value| {
        let is_null = |kind: &Value| kind["type"] == "null";
        property["oneOf"].as_array().is_some_and(|kinds| kinds.iter().any(is_null))
            || property["type"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
    };
    let null: Vec<Value> = properties
        .iter()
        .filter(|(_, property)| may_be_null(property))
        .map(|(name, _)| json!(name))
        .collect();
    for name in null {
        require(schema, name);
    }
}

fn require(schema: &mut Value, name: Value) {
    match schema["required"].as_array_mut() {
        Some(required) if required.contains(&name) => {}
        Some(required) => required.push(name),
        None => schema["required"] = json!([name]),
    }
}

/// Rules about several fields. `null` counts as absent in a request.
fn add_rules(schemas: &mut Map<String, Value>) {
    let absent = json!({ "type": "null" });
    let given = json!({ "not": { "type": "null" } });
    let credits = json!({
        "title": "for credits",
        "required": ["credits"],
        "properties": { "credits": given, "operation": absent, "quantity": absent },
    });
    let operation = json!({
        "title": "for an operation of the catalogue",
        "required": ["operation"],
        "properties": { "operation": given, "credits": absent },
    });
    let neither = json!({
        "title": "for nothing",
        "properties": { "credits": absent, "operation": absent, "quantity": absent },
    });
    let one_of = |a: &str, b: &str| json!([{ "properties": { a: absent } }, { "properties": { b: absent } }]);
    for name in ["CreateChargeBody", "CreateHoldBody"] {
        schemas[name]["oneOf"] = json!([credits, operation]);
        schemas[name]["anyOf"] = one_of("account_id", "api_key");
    }
    schemas["VerifyKeyBody"]["oneOf"] = json!([credits, operation, neither]);
    schemas["CaptureHoldBody"]["anyOf"] = one_of("credits", "quantity");
    schemas["ImportKeyBody"]["anyOf"] = json!([
        { "properties": { "secret": { "minLength": 32 } } },
        { "properties": { "allow_weak": { "const": true } }, "required": ["allow_weak"] },
    ]);
}

/// An operation of a batch: the body of a single call, and what that call has in its path.
struct BatchOperation {
    kind: &'static str,
    name: &'static str,
    body: &'static str,
    in_path: &'static [(&'static str, &'static str)],
}

const BATCH_OPERATIONS: [BatchOperation; 6] = [
    BatchOperation {
        kind: "grant",
        name: "GrantOperation",
        body: "CreateGrantBody",
        in_path: &[("account_id", "AccountId")],
    },
    BatchOperation { kind: "charge", name: "ChargeOperation", body: "CreateChargeBody", in_path: &[] },
    BatchOperation { kind: "hold", name: "HoldOperation", body: "CreateHoldBody", in_path: &[] },
    BatchOperation {
        kind: "capture",
        name: "CaptureOperation",
        body: "CaptureHoldBody",
        in_path: &[("hold_id", "HoldId")],
    },
    BatchOperation {
        kind: "release",
        name: "ReleaseOperation",
        body: "Nothing",
        in_path: &[("hold_id", "HoldId")],
    },
    BatchOperation {
        kind: "refund",
        name: "RefundOperation",
        body: "CreateRefundBody",
        in_path: &[("charge_id", "ChargeId")],
    },
];

fn add_batch_operations(schemas: &mut Map<String, Value>) {
    let mut alternatives = Vec::new();
    let mut mapping = Map::new();
    for BatchOperation { kind, name, body, in_path } in BATCH_OPERATIONS {
        let mut operation = schemas[body].clone();
        operation["description"] = json!(format!("A {kind}, as an operation of a batch."));
        let mut fields = json!({ "type": { "const": kind }, "idempotency_key": reference("IdempotencyKey") });
        for (field, id) in in_path {
            fields[*field] = reference(id);
        }
        for (field, schema) in fields.as_object().into_iter().flatten() {
            operation["properties"][field] = schema.clone();
            require(&mut operation, json!(field));
        }
        schemas.insert(name.to_owned(), operation);
        alternatives.push(reference(name));
        mapping.insert(kind.to_owned(), format!("{PREFIX}{name}").into());
    }
    schemas["BatchOperation"]["oneOf"] = alternatives.into();
    schemas["BatchOperation"]["discriminator"] = json!({ "propertyName": "type", "mapping": mapping });
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("{PREFIX}{name}") })
}

/// An empty body counts as `{}`: a body is needed where a field is.
fn require_bodies(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    for operation in paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let Some(body) = operation.get_mut("requestBody") else { continue };
        let schema = body["content"]["application/json"]["schema"]["$ref"].as_str();
        let Some(name) = schema.and_then(|path| path.strip_prefix(PREFIX)) else { continue };
        let rules = ["required", "oneOf"];
        body["required"] = rules.iter().any(|rule| schemas[name].get(rule).is_some()).into();
    }
}
