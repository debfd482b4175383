//! The page: an introduction, the operations by their groups, and what their bodies are made of.

use askama::Template;
use serde_json::{Map, Value};

use super::operation::{self, Operation};
use super::text::{self, Span};
use super::types::{self, Lookup, Schema};
use crate::openapi;

#[derive(Template)]
#[template(path = "docs.html")]
struct Page {
    version: String,
    chapters: Vec<Chapter>,
    groups: Vec<Group>,
    objects: Vec<Schema>,
    values: Vec<Schema>,
}

struct Chapter {
    heading: &'static str,
    anchor: String,
    text: Vec<Span>,
}

/// Operations that belong together.
struct Group {
    name: String,
    anchor: String,
    description: Vec<Span>,
    operations: Vec<Operation>,
}

/// The page that tells of a document.
pub(super) fn render(document: &Value) -> String {
    let (objects, values) = schemas(document);
    let page = Page {
        version: document["info"]["version"].as_str().unwrap_or_default().to_owned(),
        chapters: chapters(),
        groups: groups(document),
        objects,
        values,
    };
    page.render().expect("a String takes everything")
}

fn chapters() -> Vec<Chapter> {
    let chapters = openapi::chapters().into_iter();
    chapters
        .map(|(heading, text)| Chapter { heading, anchor: slug(heading), text: text::prose(&text) })
        .collect()
}

fn groups(document: &Value) -> Vec<Group> {
    let tags = document["tags"].as_array().into_iter().flatten();
    tags.map(|tag| {
        let name = tag["name"].as_str().unwrap_or_default();
        Group {
            name: name.to_owned(),
            anchor: format!("group-{}", slug(name)),
            description: text::prose(tag["description"].as_str().unwrap_or_default()),
            operations: operations(document, name),
        }
    })
    .collect()
}

fn operations(document: &Value, tag: &str) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flat_map(Map::iter) {
            if operation["tags"][0] == tag {
                found.push(operation::operation(Lookup(document), method, path, operation));
            }
        }
    }
    found
}

/// Objects with fields, and single values.
fn schemas(document: &Value) -> (Vec<Schema>, Vec<Schema>) {
    let is_object = |schema: &Schema| !schema.fields.is_empty();
    types::schemas(document).into_iter().partition(is_object)
}

fn slug(heading: &str) -> String {
    heading.to_ascii_lowercase().replace(' ', "-")
}
