//! A page: a heading and sections.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::dialog::Dialog;
use super::frame::{Frame, Shape};
use super::look::Look;
use super::part::{self, Action, Html, Notice};
use super::respond;

/// A page.
#[derive(Template, Clone, Debug)]
#[template(path = "pages/page.html")]
pub(crate) struct Page {
    pub(crate) frame: Frame,
    pub(crate) heading: Heading,
    /// What has just been done, or must be known.
    pub(crate) notices: Vec<Notice>,
    pub(crate) sections: Vec<Section>,
    pub(crate) dialog: Option<Dialog>,
}

/// The first thing on a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heading {
    /// The page above this one: label and address.
    pub(crate) above: Option<(String, String)>,
    pub(crate) title: String,
    pub(crate) badge: Html,
    pub(crate) lead: Html,
    pub(crate) actions: Vec<Action>,
}

impl Heading {
    pub(crate) fn new(title: impl Into<String>) -> Heading {
        Heading { title: title.into(), ..Heading::default() }
    }

    pub(crate) fn lead(self, lead: Html) -> Heading {
        Heading { lead, ..self }
    }
}

/// A part of a page under a heading of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    /// What addresses lead to it by.
    pub(crate) anchor: &'static str,
    /// Without one it stands bare.
    pub(crate) title: String,
    pub(crate) lead: Html,
    pub(crate) actions: Vec<Action>,
    pub(crate) body: Html,
    /// Whether it is a box although it has no heading.
    pub(crate) is_boxed: bool,
    /// Whether it shares its line with the next where there is room.
    pub(crate) is_half: bool,
    /// Seconds after which a script fetches it again; 0 is never.
    pub(crate) refresh_seconds: u16,
}

impl Section {
    pub(crate) fn bare(body: Html) -> Section {
        Section { body, ..Section::default() }
    }

    /// A box without a heading.
    pub(crate) fn boxed(body: Html) -> Section {
        Section { body, is_boxed: true, ..Section::default() }
    }

    pub(crate) fn new(anchor: &'static str, title: impl Into<String>, body: Html) -> Section {
        Section { anchor, title: title.into(), body, ..Section::default() }
    }

    pub(crate) fn half(self) -> Section {
        Section { is_half: true, ..self }
    }
}

/// The page for whoever opens an address at which there is none.
pub(crate) fn nothing_here(look: Look, status: StatusCode) -> Response {
    let words = look.language.words();
    told(look, status, words.error_not_found, words.error_not_found_text)
}

/// The page for whoever sends what is no form, or more than any form has.
pub(crate) fn form_refused(look: Look, status: StatusCode) -> Response {
    let words = look.language.words();
    told(look, status, words.error_refused, words.error_no_form)
}

fn told(look: Look, status: StatusCode, title: &str, text: &str) -> Response {
    Page::new(Frame::new(look, Shape::Card, title), Heading::new(title).lead(part::text(text)))
        .respond(status)
}

impl Page {
    pub(crate) fn new(frame: Frame, heading: Heading) -> Page {
        Page { frame, heading, notices: Vec::new(), sections: Vec::new(), dialog: None }
    }

    /// The page as an answer.
    pub(crate) fn respond(&self, status: StatusCode) -> Response {
        respond::page(status, self)
    }
}
