//! Schemas as words: what a value is, what rules it keeps, and where more is told about it.

use serde_json::Value;

use super::text::{self, Span};

/// The document, in which references lead somewhere.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'a>(pub(super) &'a Value);

impl<'a> Lookup<'a> {
    /// What a part of the document is, where it may be a reference to another part.
    pub(super) fn resolve(self, part: &'a Value) -> &'a Value {
        let target = part["$ref"].as_str().and_then(|path| self.0.pointer(path.trim_start_matches('#')));
        target.unwrap_or(part)
    }
}

/// A word of what a value is; with an anchor, there is more about it there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) anchor: Option<String>,
}

impl Word {
    fn plain(text: impl Into<String>) -> Word {
        Word { text: text.into(), anchor: None }
    }
}

/// A field of an object, or a parameter.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// Where a parameter stands; empty for a field.
    pub(super) place: &'static str,
    pub(super) is_required: bool,
    pub(super) kind: Vec<Word>,
    pub(super) description: Vec<Span>,
    pub(super) rules: Vec<Span>,
}

/// A schema of its own.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) name: String,
    pub(super) anchor: String,
    pub(super) description: Vec<Span>,
    pub(super) kind: Vec<Word>,
    pub(super) rules: Vec<Span>,
    pub(super) example: Option<String>,
    pub(super) fields: Vec<Field>,
}

/// Where a schema is told about.
pub(super) fn anchor(name: &str) -> String {
    format!("schema-{name}")
}

/// The schemas of the document, objects and single values.
pub(super) fn schemas(document: &Value) -> Vec<Schema> {
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    schemas.map(|(name, schema)| self::schema(name, schema)).collect()
}

fn schema(name: &str, schema: &Value) -> Schema {
    let example = &schema["examples"][0];
    Schema {
        name: name.to_owned(),
        anchor: anchor(name),
        description: text::prose(schema["description"].as_str().unwrap_or_default()),
        kind: kind(schema),
        rules: text::prose(&rules(schema)),
        example: (!example.is_null())
            .then(|| example.as_str().map_or_else(|| example.to_string(), str::to_owned)),
        fields: fields(schema),
    }
}

/// The fields of an object.
pub(super) fn fields(schema: &Value) -> Vec<Field> {
    let is_required = |name: &str| {
        schema["required"].as_array().is_some_and(|required| required.iter().any(|required| required == name))
    };
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.map(|(name, property)| field(name, property, is_required(name))).collect()
}

fn field(name: &str, schema: &Value, is_required: bool) -> Field {
    Field {
        name: name.to_owned(),
        place: "",
        is_required,
        kind: kind(schema),
        description: text::prose(schema["description"].as_str().unwrap_or_default()),
        rules: text::prose(&rules(schema)),
    }
}

/// A parameter of an operation.
pub(super) fn parameter(parameter: &Value) -> Field {
    let field = field(
        parameter["name"].as_str().unwrap_or_default(),
        &parameter["schema"],
        parameter["required"].as_bool().unwrap_or(false),
    );
    let place = match parameter["in"].as_str() {
        Some("path") => "path",
        Some("query") => "query",
        _ => "header",
    };
    let description = text::prose(parameter["description"].as_str().unwrap_or_default());
    Field { place, description, ..field }
}

/// What a value is.
pub(super) fn kind(schema: &Value) -> Vec<Word> {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return vec![Word { text: name.replace("List_", "list of "), anchor: Some(anchor(name)) }];
    }
    if let Some(value) = schema.get("const") {
        return vec![Word::plain(value.to_string())];
    }
    if let Some(names) = schema["enum"].as_array() {
        let names: Vec<String> = names.iter().map(Value::to_string).collect();
        return vec![Word::plain(names.join(" or "))];
    }
    for alternatives in ["oneOf", "anyOf"] {
        let alternatives = schema[alternatives].as_array().filter(|_| schema.get("properties").is_none());
        if let Some(alternatives) = alternatives {
            return joined(alternatives.iter().map(kind));
        }
    }
    match &schema["type"] {
        Value::Array(types) => {
            joined(types.iter().map(|name| vec![Word::plain(name.as_str().unwrap_or_default())]))
        }
        Value::String(name) if name == "array" => {
            let mut words = vec![Word::plain("list of ")];
            words.extend(kind(&schema["items"]));
            words
        }
        Value::String(name) => vec![Word::plain(name.as_str())],
        _ => vec![Word::plain("anything")],
    }
}

fn joined(kinds: impl Iterator<Item = Vec<Word>>) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for kind in kinds {
        if !words.is_empty() {
            words.push(Word::plain(" or "));
        }
        words.extend(kind);
    }
    words
}

/// The rules that a value keeps beside its type.
fn rules(schema: &Value) -> String {
    let mut rules = Vec::new();
    let bounds = |least: &str, most: &str| (schema[least].as_u64(), schema[most].as_u64());
    for (least, most, unit) in [
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
        ("", "maxProperties", " pairs"),
    ] {
        match bounds(least, most) {
            (Some(1), None) if unit == " characters" => rules.push("not empty".to_owned()),
            (Some(least), None) => rules.push(format!("at least {least}{unit}")),
            (None, Some(most)) => rules.push(format!("at most {most}{unit}")),
            (Some(least), Some(most)) => rules.push(format!("{least} to {most}{unit}")),
            (None, None) => {}
        }
    }
    match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        (Some(least), Some(most)) => rules.push(format!("{least} to {most}")),
        (Some(least), None) if least != 0 => rules.push(format!("{least} or more")),
        (Some(_) | None, _) => {}
    }
    if let Some(default) = schema.get("default") {
        rules.push(format!("`{default}` if not given"));
    }
    rules.extend(pattern(schema));
    for alternative in schema["oneOf"].as_array().into_iter().flatten() {
        rules.extend(pattern(alternative));
    }
    rules.join("; ")
}

/// A pattern says more than it hides, unless it only keeps control characters out.
fn pattern(schema: &Value) -> Option<String> {
    let pattern = schema["pattern"].as_str().filter(|pattern| !pattern.contains("\\x00"))?;
    Some(format!("`{pattern}`"))
}
