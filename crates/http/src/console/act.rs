//! How a form of the console is carried out, and what is said afterwards.

use axum::response::Response;
use coffer_ledger::{Command, Outcome, Reply};

use super::frame::{Place, frame};
use super::visitor::Visitor;
use crate::App;
use crate::pages::form::Filled;
use crate::pages::page::{Heading, Page};
use crate::pages::part::{self, Notice, Tone};
use crate::pages::rules;
use crate::problem::{Code, Problem};

pub(super) use crate::pages::sent::{Failed, NAME, Why, body, moment, name, parse};

/// Carries out a command that is this visitor's action.
pub(super) async fn carry_out(app: &App, visitor: &Visitor, command: Command) -> Result<Outcome, Why> {
    let Reply { outcome, .. } = app.service.submit_named(visitor.acts(command)).await?;
    match outcome {
        Outcome::Refused(refusal) => Err(Why::Refused(Box::new(refusal))),
        outcome => Ok(outcome),
    }
}

/// A page that says why there is none.
pub(super) fn refused(visitor: &Visitor, place: Place, problem: &Problem) -> Response {
    let common = visitor.look.language.words();
    let (title, text) = match problem.code() {
        Code::NotFound => (common.error_not_found, common.error_not_found_text.to_owned()),
        Code::Forbidden => (common.error_forbidden, rules::told_whole(problem, visitor.look.language)),
        Code::Unavailable => (common.error_unavailable, common.error_unavailable_text.to_owned()),
        _ => (common.error_refused, rules::told_whole(problem, visitor.look.language)),
    };
    let page = Page::new(frame(visitor, place, title), Heading::new(title).lead(part::text(text)));
    page.respond(problem.status())
}

/// What has just been done, as the address says it.
pub(super) fn done(words: &super::words::ConsoleWords, filled: &Filled) -> Option<Notice> {
    let text = match filled.get("done") {
        "granted" => words.done_granted,
        "adjusted" => words.done_adjusted,
        "refunded" => words.done_refunded,
        "voided" => words.done_voided,
        "released" => words.done_released,
        "updated" => words.done_updated,
        "frozen" => words.done_frozen,
        "unfrozen" => words.done_unfrozen,
        "closed" => words.done_closed,
        "created" => words.done_created,
        "price-set" => words.done_price_set,
        "price-deleted" => words.done_price_deleted,
        "key-revoked" => words.done_key_revoked,
        "session-ended" => words.done_session_ended,
        "already" => words.already_done,
        "link-already" => words.link_already,
        _ => return None,
    };
    // What was sent before may have come to nothing then.
    let is_doubtful = matches!(filled.get("done"), "already" | "link-already");
    let tone = if is_doubtful { Tone::Attention } else { Tone::Good };
    Some(Notice { tone, title: String::new(), text: text.to_owned() })
}
