//! A form that narrows a list. It is part of the address, so that it can be kept and sent on.

use askama::Template;

use super::field::Field;
use super::look::Language;
use super::part::Html;

#[derive(Template)]
#[template(path = "pages/filters.html")]
struct Filters<'a> {
    language: Language,
    path: &'a str,
    fields: &'a [Field],
    submit: &'a str,
}

/// The form, and the button for whoever has no script.
pub(crate) fn form(language: Language, path: &str, fields: &[Field], submit: &str) -> Html {
    Html::of(&Filters { language, path, fields, submit })
}
