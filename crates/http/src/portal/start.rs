//! Getting started: one call to try, and the same call in five languages, with this server's address in it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::frame::{Place, frame};
use super::tried::{Answered, TryForm};
use super::visitor::Visitor;
use crate::docs::endpoint;
use crate::pages::example::Written;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Copyable, Html};
use crate::{App, Shared};

const EXAMPLES: [Written; 5] =
    [Written::Curl, Written::JavaScript, Written::Python, Written::Java, Written::Php];

/// The page.
pub(super) async fn show(State(app): Shared, visitor: Visitor) -> Response {
    respond(&app, &visitor, None)
}

pub(super) fn respond(app: &App, visitor: &Visitor, answer: Option<Answered>) -> Response {
    let words = visitor.words();
    let mut heading = Heading::new(words.start).lead(part::text(words.start_lead));
    heading.actions.push(Action::link(ActionLook::Plain, words.endpoint, endpoint::PATH));
    let mut page = Page::new(frame(visitor, Place::Start, words.start), heading);
    let try_it = TryForm::asking(app, visitor, answer);
    let mut trying = Section::new("try", words.try_it, Html::of(&try_it));
    trying.lead = part::remark(words.try_text);
    let base = app.base_url();
    let examples = EXAMPLES.map(|written| {
        let example = written.example(&base, &app.settings);
        let copyable = Copyable {
            language: visitor.look.language,
            label: example.name.to_owned(),
            text: example.text,
            is_code: true,
        };
        part::titled(example.name, Html::of(&copyable))
    });
    let mut list = Section::new("examples", words.examples, part::stack(examples));
    list.lead = part::remark(words.examples_text);
    page.sections = vec![trying, list];
    page.respond(StatusCode::OK)
}
