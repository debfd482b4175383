//! Text of the page: prose with code in it, and JSON in colours. The template escapes all of it.

use serde_json::Value;

/// A run of text that looks alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Span {
    /// The class of its looks; empty for plain text.
    pub(super) class: &'static str,
    pub(super) text: String,
}

impl Span {
    fn new(class: &'static str, text: impl Into<String>) -> Span {
        Span { class, text: text.into() }
    }
}

/// A paragraph in which what stands between backticks is code.
pub(super) fn prose(text: &str) -> Vec<Span> {
    let parts = text.split('`').enumerate();
    parts
        .filter(|(_, part)| !part.is_empty())
        .map(|(place, part)| Span::new(if place % 2 == 1 { "code" } else { "" }, part.replace('\n', " ")))
        .collect()
}

/// The paragraphs of a description.
pub(super) fn paragraphs(text: &str) -> Vec<Vec<Span>> {
    text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()).map(prose).collect()
}

/// JSON over several lines, its parts told apart.
pub(super) fn json(value: &Value) -> Vec<Span> {
    let mut spans = Vec::new();
    write(value, 0, &mut spans);
    spans
}

fn write(value: &Value, depth: usize, spans: &mut Vec<Span>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            spans.push(Span::new("", "{"));
            for (place, (name, value)) in fields.iter().enumerate() {
                spans.push(Span::new("", separator(place, depth + 1)));
                spans.push(Span::new("key", Value::from(name.as_str()).to_string()));
                spans.push(Span::new("", ": "));
                write(value, depth + 1, spans);
            }
            spans.push(Span::new("", line(depth) + "}"));
        }
        Value::Array(items) if !items.is_empty() => {
            spans.push(Span::new("", "["));
            for (place, item) in items.iter().enumerate() {
                spans.push(Span::new("", separator(place, depth + 1)));
                write(item, depth + 1, spans);
            }
            spans.push(Span::new("", line(depth) + "]"));
        }
        Value::String(_) => spans.push(Span::new("string", value.to_string())),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            spans.push(Span::new("literal", value.to_string()));
        }
        Value::Object(_) | Value::Array(_) => spans.push(Span::new("", value.to_string())),
    }
}

fn separator(place: usize, depth: usize) -> String {
    if place == 0 { line(depth) } else { format!(",{}", line(depth)) }
}

fn line(depth: usize) -> String {
    format!("\n{}", "  ".repeat(depth))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn backticks_make_code() {
        assert_eq!(
            prose("give `a` or\n`b`"),
            [Span::new("", "give "), Span::new("code", "a"), Span::new("", " or "), Span::new("code", "b")]
        );
        assert_eq!(paragraphs("a\n\nb\n").len(), 2);
    }

    #[test]
    fn json_is_written_over_lines() {
        let shown = |value| json(&value).into_iter().map(|span| span.text).collect::<String>();
        for value in [json!({"a": {}, "b": [1, "x\"y"], "c": null}), json!([]), json!("<b>"), json!([[true]])]
        {
            assert_eq!(shown(value.clone()), serde_json::to_string_pretty(&value).expect("JSON"));
        }
    }
}
