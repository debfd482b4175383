//! Fields of forms: a label, what is filled in, a hint, and the rule that it breaks.

use askama::Template;

use super::look::Language;
use super::part::Html;

/// A field with its label.
#[derive(Template, Clone, Debug)]
#[template(path = "pages/field.html")]
pub(crate) struct Field {
    pub(crate) language: Language,
    pub(crate) name: &'static str,
    pub(crate) label: String,
    pub(crate) kind: FieldKind,
    pub(crate) value: String,
    pub(crate) hint: String,
    pub(crate) error: Option<String>,
    pub(crate) is_required: bool,
    pub(crate) is_plain: bool,
    /// What browsers may fill in for the person.
    pub(crate) autocomplete: &'static str,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum FieldKind {
    Text,
    /// A number, typed on the keys for numbers; what it may be, the server says.
    Decimal,
    Secret,
    Search,
    /// A day or a moment, in UTC.
    Date,
    Moment,
    /// One of several values, each with its words.
    Choice(Vec<(String, String)>),
    /// Any of several values: value, words, explanation.
    Boxes(Vec<(String, String, String)>),
    /// Yes or no: the label stands beside the box.
    Box,
}

impl Field {
    pub(crate) fn new(
        language: Language,
        name: &'static str,
        label: impl Into<String>,
        kind: FieldKind,
    ) -> Field {
        Field {
            language,
            name,
            label: label.into(),
            kind,
            value: String::new(),
            hint: String::new(),
            error: None,
            is_required: false,
            is_plain: false,
            autocomplete: "off",
        }
    }

    pub(crate) fn value(self, value: impl Into<String>) -> Field {
        Field { value: value.into(), ..self }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Field {
        Field { hint: hint.into(), ..self }
    }

    /// Without a word on whether it may be left empty: for what narrows a list.
    pub(crate) fn plain(self) -> Field {
        Field { is_plain: true, ..self }
    }

    pub(crate) fn required(self) -> Field {
        Field { is_required: true, ..self }
    }

    pub(crate) fn error(self, error: Option<String>) -> Field {
        Field { error, ..self }
    }

    pub(crate) fn html(&self) -> Html {
        Html::of(self)
    }

    /// What `type` says of an input that is one line.
    fn input_type(&self) -> &'static str {
        match &self.kind {
            FieldKind::Text | FieldKind::Decimal | FieldKind::Choice(_) => "text",
            FieldKind::Secret => "password",
            FieldKind::Search => "search",
            FieldKind::Date => "date",
            FieldKind::Moment => "datetime-local",
            FieldKind::Boxes(_) | FieldKind::Box => "checkbox",
        }
    }

    fn is_decimal(&self) -> bool {
        self.kind == FieldKind::Decimal
    }

    /// Whether a box is ticked: the value names those that are, apart by blanks.
    fn is_chosen(&self, value: &str) -> bool {
        self.value.split(' ').any(|chosen| chosen == value)
    }

    fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let error = self.error.as_ref().map(|_| format!("{}-error", self.name));
        hint.into_iter().chain(error).collect::<Vec<_>>().join(" ")
    }
}
