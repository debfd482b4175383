//! How a form becomes a command: through the body of the API's own request, so that every rule is the same.

use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::{Command, IdempotencyKey, Outcome, Reply};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::frame::{Place, frame};
use super::refusals;
use super::visitor::Visitor;
use crate::App;
use crate::body;
use crate::pages::form::Filled;
use crate::pages::look::Language;
use crate::pages::once;
use crate::pages::page::{Heading, Page};
use crate::pages::part::{self, Notice, Tone};
use crate::problem::{Code, Problem};

/// The hidden field with the name under which a form is carried out.
pub(super) const NAME: &str = "name_of_request";

/// A form that was not carried out: what was filled in, and why.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) filled: Filled,
    pub(super) why: Why,
}

#[derive(Debug)]
pub(super) enum Why {
    /// A rule is broken, a field may be named; or the store cannot be reached.
    Problem(Box<Problem>),
    /// The ledger refused it.
    Refused(Box<coffer_ledger::Refusal>),
}

impl From<Problem> for Why {
    fn from(problem: Problem) -> Why {
        Why::Problem(Box::new(problem))
    }
}

impl Failed {
    /// What is wrong with a field.
    pub(super) fn of_field(&self, name: &str) -> Option<String> {
        match &self.why {
            Why::Problem(problem) if problem.field() == Some(name) => {
                let detail = problem.detail();
                Some(detail.strip_prefix(&format!("{name}: ")).unwrap_or(detail).to_owned())
            }
            Why::Problem(_) | Why::Refused(_) => None,
        }
    }

    /// What is wrong, where none of these fields is at fault.
    pub(super) fn as_a_whole(&self, fields: &[&str], language: Language) -> Option<String> {
        match &self.why {
            Why::Problem(problem) if problem.field().is_some_and(|field| fields.contains(&field)) => None,
            Why::Problem(problem) => Some(problem.detail().to_owned()),
            Why::Refused(refusal) => Some(refusals::told(refusal, language)),
        }
    }

    /// With which status the page is sent that shows it.
    pub(super) fn status(&self) -> StatusCode {
        match &self.why {
            Why::Problem(problem) => problem.status(),
            Why::Refused(refusal) => Problem::from((**refusal).clone()).status(),
        }
    }

    /// The name that the form has when it is sent again. Where nobody knows whether it was carried out it keeps its own, and
    /// so cannot be carried out twice; what was refused is remembered under that name, and needs another.
    pub(super) fn next_name(&self) -> String {
        match &self.why {
            Why::Problem(problem) if problem.code() == Code::Unavailable => self.filled.get(NAME).to_owned(),
            Why::Problem(_) | Why::Refused(_) => once::name(),
        }
    }
}

/// The fields of a form as the body of a request: those that are filled in, as text.
pub(super) fn body<T: DeserializeOwned>(filled: &Filled, fields: &[&'static str]) -> Result<T, Problem> {
    let given = fields.iter().filter_map(|name| Some(((*name).to_owned(), filled.given(name)?.into())));
    parse(given.collect())
}

/// An object as the body of a request.
pub(super) fn parse<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, Problem> {
    body::parse(Value::Object(object).to_string().as_bytes())
}

/// The name that a form came with.
pub(super) fn name(filled: &Filled) -> Result<IdempotencyKey, Problem> {
    IdempotencyKey::try_from(filled.get(NAME).to_owned())
        .map_err(|_| Problem::invalid(NAME, "must come with the form: open it again"))
}

/// A moment as browsers write it, in UTC, as the API has it.
pub(super) fn moment(filled: &Filled, name: &str) -> Option<Value> {
    let given = filled.given(name)?;
    let text = match given.len() {
        10 => format!("{given}T00:00:00Z"),
        16 => format!("{given}:00Z"),
        19 => format!("{given}Z"),
        _ => given.to_owned(),
    };
    Some(text.into())
}

/// Carries out a command that is this visitor's action.
pub(super) async fn carry_out(app: &App, visitor: &Visitor, command: Command) -> Result<Outcome, Why> {
    let Reply { outcome, .. } =
        app.service.submit_named(visitor.acts(command)).await.map_err(Problem::from)?;
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
        Code::Forbidden => (common.error_forbidden, problem.detail().to_owned()),
        Code::Unavailable => (common.error_unavailable, common.error_unavailable_text.to_owned()),
        _ => (common.error_refused, problem.detail().to_owned()),
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
        _ => return None,
    };
    Some(Notice { tone: Tone::Good, title: String::new(), text: text.to_owned() })
}
