//! An operation on the page: what it takes, what it answers, what it may refuse.

use serde_json::Value;

use super::text::{self, Span};
use super::types::{self, Field, Lookup, Word};

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) anchor: String,
    /// Such as `POST`, and in lower case, for its colour.
    pub(super) method: String,
    pub(super) method_class: String,
    pub(super) path: String,
    /// The parts of the path, between which a line may break.
    pub(super) path_parts: Vec<String>,
    pub(super) summary: String,
    pub(super) description: Vec<Vec<Span>>,
    pub(super) access: Vec<Span>,
    pub(super) parameters: Vec<Field>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    pub(super) errors: Vec<Failure>,
    /// Each once, for the heading of the errors.
    pub(super) error_statuses: Vec<String>,
    pub(super) call: String,
}

#[derive(Debug)]
pub(super) struct Body {
    pub(super) is_required: bool,
    pub(super) description: Vec<Span>,
    pub(super) fields: Vec<Field>,
    pub(super) examples: Vec<Example>,
}

#[derive(Debug)]
pub(super) struct Example {
    pub(super) title: String,
    pub(super) json: Vec<Span>,
}

/// What succeeds.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: String,
    pub(super) description: Vec<Span>,
    pub(super) media_types: Vec<String>,
    pub(super) kind: Vec<Word>,
    pub(super) headers: Vec<String>,
    pub(super) examples: Vec<Example>,
}

/// An error that may be answered.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: String,
    pub(super) code: String,
    pub(super) reason: String,
    pub(super) detail: String,
    /// The fields of the problem that go with it.
    pub(super) beside: Vec<String>,
}

/// An operation of the document.
pub(super) fn operation(document: Lookup<'_>, method: &str, path: &str, operation: &Value) -> Operation {
    let (mut answers, mut errors) = (Vec::new(), Vec::new());
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let response = document.resolve(response);
        let content = &response["content"];
        if status.as_str() < "400" {
            answers.push(answer(status, response));
        } else if let Value::Null = content["application/problem+json"] {
            errors.push(enveloped(status, &content["application/json"]["example"]));
        } else {
            errors.extend(failures(status, &content["application/problem+json"]));
        }
    }
    let mut error_statuses: Vec<String> = errors.iter().map(|error| error.status.clone()).collect();
    error_statuses.dedup();
    let description = operation["description"].as_str().unwrap_or_default();
    Operation {
        anchor: operation["operationId"].as_str().unwrap_or_default().to_owned(),
        method: method.to_uppercase(),
        method_class: method.to_owned(),
        path: path.to_owned(),
        path_parts: path.split_inclusive('/').map(str::to_owned).collect(),
        summary: operation["summary"].as_str().unwrap_or_default().trim_end_matches('.').to_owned(),
        description: text::paragraphs(description),
        access: access(document, &operation["security"]),
        parameters: operation["parameters"].as_array().into_iter().flatten().map(types::parameter).collect(),
        body: operation.get("requestBody").map(|asked| body(document, asked)),
        answers,
        errors,
        error_statuses,
        call: call(document, method, path, operation),
    }
}

fn body(document: Lookup<'_>, asked: &Value) -> Body {
    let content = asked["content"].as_object().into_iter().flat_map(|content| content.values()).next();
    let content = content.unwrap_or(&Value::Null);
    let schema = document.resolve(&content["schema"]);
    let fields = types::fields(schema);
    let description = asked["description"].as_str().or(schema["description"].as_str());
    Body {
        is_required: asked["required"].as_bool().unwrap_or(false),
        description: text::prose(description.unwrap_or_default()),
        fields,
        examples: examples(content),
    }
}

fn answer(status: &str, response: &Value) -> Answer {
    let contents = response["content"].as_object();
    let content = contents.and_then(|contents| contents.values().next()).unwrap_or(&Value::Null);
    let headers = response["headers"].as_object().into_iter().flat_map(|headers| headers.keys());
    // Every answer has an id, as the introduction says.
    let headers = headers.filter(|name| *name != "X-Request-Id");
    Answer {
        status: status.to_owned(),
        description: text::prose(response["description"].as_str().unwrap_or_default()),
        media_types: contents.into_iter().flat_map(|contents| contents.keys().cloned()).collect(),
        kind: if content.is_null() { Vec::new() } else { types::kind(&content["schema"]) },
        headers: headers.cloned().collect(),
        examples: examples(content),
    }
}

fn examples(content: &Value) -> Vec<Example> {
    let titled = content["examples"].as_object().into_iter().flatten();
    let titled =
        titled.map(|(title, example)| Example { title: title.clone(), json: text::json(&example["value"]) });
    let single = content.get("example").map(|value| Example {
        title: String::new(),
        json: match value {
            // Text is not JSON, and is shown as it comes.
            Value::String(text) => text::prose(&text.replace('`', "'")),
            _ => text::json(value),
        },
    });
    single.into_iter().chain(titled).collect()
}

fn failures(status: &str, problem: &Value) -> Vec<Failure> {
    let shown = problem["examples"].as_object().into_iter().flat_map(|examples| examples.values());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    shown
        .map(|example| {
            let problem = &example["value"];
            let beside = ["required", "available", "remaining"];
            Failure {
                status: status.to_owned(),
                code: text(&problem["code"]),
                reason: text(&problem["reason"]),
                detail: text(&problem["detail"]),
                beside: beside
                    .into_iter()
                    .filter(|name| problem.get(name).is_some())
                    .map(str::to_owned)
                    .collect(),
            }
        })
        .collect()
}

/// A failure in the envelope of the balance endpoint.
fn enveloped(status: &str, envelope: &Value) -> Failure {
    Failure {
        status: status.to_owned(),
        code: envelope["code"].to_string(),
        reason: String::new(),
        detail: envelope["message"]["en"].as_str().unwrap_or_default().to_owned(),
        beside: Vec::new(),
    }
}

/// Who may call it.
fn access(document: Lookup<'_>, security: &Value) -> Vec<Span> {
    let scheme = security[0].as_object().and_then(|schemes| schemes.iter().next());
    text::prose(&match scheme {
        Some((name, scopes)) if name == "operator_key" => match scopes[0].as_str() {
            Some(scope) => format!("An operator key with the scope `{scope}`."),
            None => "An operator key; each part needs the scope of its single call.".to_owned(),
        },
        Some((name, _)) => {
            let header =
                document.0["components"]["securitySchemes"][name]["name"].as_str().unwrap_or_default();
            let bearer = if security[1].is_null() { "" } else { ", or as a bearer token" };
            format!("A customer's key in the header `{header}`{bearer}.")
        }
        None => "No key.".to_owned(),
    })
}

/// A line of shell that calls it.
fn call(document: Lookup<'_>, method: &str, path: &str, operation: &Value) -> String {
    let mut path = path.to_owned();
    let mut headers = Vec::new();
    match operation["security"][0].as_object().and_then(|schemes| schemes.keys().next()).map(String::as_str) {
        Some("operator_key") => headers.push("Authorization: Bearer $OPERATOR_KEY".to_owned()),
        Some(name) => {
            let header =
                document.0["components"]["securitySchemes"][name]["name"].as_str().unwrap_or_default();
            headers.push(format!("{header}: $API_KEY"));
        }
        None => {}
    }
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        let example = &document.resolve(&parameter["schema"])["examples"][0];
        let example = example.as_str().unwrap_or("remove-watermark");
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), example),
            Some("header") if parameter["required"] == true => headers.push(format!("{name}: {example}")),
            _ => {}
        }
    }
    let mut lines = vec![match method {
        "get" => format!("curl $URL{path}"),
        _ => format!("curl -X {} $URL{path}", method.to_uppercase()),
    }];
    lines.extend(headers.iter().map(|header| format!("-H \"{header}\"")));
    let examples = operation["requestBody"]["content"]["application/json"]["examples"].as_object();
    if let Some(example) = examples.and_then(|examples| examples.values().next()) {
        lines.push("-H \"Content-Type: application/json\"".to_owned());
        lines.push(format!("-d '{}'", example["value"]));
    }
    lines.join(" \\\n  ")
}
