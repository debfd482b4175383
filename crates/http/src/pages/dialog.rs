//! A form over a page. It is part of the page that the server renders (`?do=…`), so it works without a script, shows what was
//! filled in and what is wrong with it, and has an address; a script turns it into a modal one.

use askama::Template;

use super::field::Field;
use super::look::Language;
use super::part::{Html, Tone};

/// A form over a page.
#[derive(Template, Clone, Debug)]
#[template(path = "pages/dialog.html")]
pub(crate) struct Dialog {
    pub(crate) language: Language,
    pub(crate) title: String,
    /// What it does, in a sentence or two; may be empty.
    pub(crate) text: String,
    /// Where the form goes.
    pub(crate) action: String,
    pub(crate) fields: Vec<Field>,
    /// What goes with it unseen: names and values.
    pub(crate) hidden: Vec<(&'static str, String)>,
    pub(crate) submit: String,
    /// [`Tone::Bad`] for what cannot be taken back.
    pub(crate) tone: Tone,
    /// Where the page is without it.
    pub(crate) back: String,
    /// Why the form was refused, where that is no single field's fault.
    pub(crate) error: Option<String>,
    /// What stands between the text and the fields, such as a secret to copy. With an empty `submit` it is all there is.
    pub(crate) body: Html,
}

impl Dialog {
    fn is_danger(&self) -> bool {
        self.tone == Tone::Bad
    }
}
