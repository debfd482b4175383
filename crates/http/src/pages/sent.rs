//! What becomes of a form: it is read as the body of the API's own request, so that every rule is the same, and where it is
//! refused it is shown again, with what was filled in and why.

use axum::http::StatusCode;
use coffer_ledger::{IdempotencyKey, Refusal};
use coffer_service::Unavailable;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::form::Filled;
use super::look::Language;
use super::{once, refusals, rules};
use crate::body;
use crate::problem::{Code, Problem};

/// The hidden field with the name under which a form is carried out.
pub(crate) const NAME: &str = "name_of_request";

/// A form that was not carried out: what was filled in, and why.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) filled: Filled,
    pub(crate) why: Why,
}

#[derive(Debug)]
pub(crate) enum Why {
    /// A rule is broken, a field may be named; or the store cannot be reached.
    Problem(Box<Problem>),
    /// The ledger refused it.
    Refused(Box<Refusal>),
    /// It may have been carried out: its outcome was lost.
    InDoubt(Box<Problem>),
}

impl From<Problem> for Why {
    fn from(problem: Problem) -> Why {
        Why::Problem(Box::new(problem))
    }
}

impl From<Unavailable> for Why {
    fn from(error: Unavailable) -> Why {
        match error {
            Unavailable::InDoubt | Unavailable::InPart(_) => Why::InDoubt(Box::new(Problem::from(error))),
            Unavailable::Overloaded
            | Unavailable::ShuttingDown
            | Unavailable::ClockStrayed(_)
            | Unavailable::Store(_) => Why::from(Problem::from(error)),
        }
    }
}

impl Why {
    /// Whether it may have been carried out all the same.
    pub(crate) fn is_in_doubt(&self) -> bool {
        match self {
            Why::InDoubt(_) => true,
            Why::Problem(_) | Why::Refused(_) => false,
        }
    }
}

impl Failed {
    /// What is wrong with a field.
    pub(crate) fn of_field(&self, name: &str, language: Language) -> Option<String> {
        let problem = self.problem();
        if problem.field() != Some(name) {
            return None;
        }
        Some(match (&self.why, language) {
            (Why::Refused(refusal), Language::Chinese) => {
                refusals::told(refusal, language).trim_end_matches('。').to_owned()
            }
            (Why::Refused(_) | Why::Problem(_) | Why::InDoubt(_), _) => rules::told(problem.rule(), language),
        })
    }

    /// What is wrong, where none of these fields is at fault.
    pub(crate) fn as_a_whole(&self, fields: &[&str], language: Language) -> Option<String> {
        let problem = self.problem();
        if problem.field().is_some_and(|field| fields.contains(&field)) {
            return None;
        }
        Some(match &self.why {
            Why::Problem(_) | Why::InDoubt(_) => rules::told_whole(&problem, language),
            Why::Refused(refusal) => refusals::told(refusal, language),
        })
    }

    /// With which status the page is sent that shows it.
    pub(crate) fn status(&self) -> StatusCode {
        self.problem().status()
    }

    /// What the API would answer.
    fn problem(&self) -> Problem {
        match &self.why {
            Why::Problem(problem) | Why::InDoubt(problem) => (**problem).clone(),
            Why::Refused(refusal) => Problem::from((**refusal).clone()),
        }
    }

    /// The name that the form has when it is sent again. Where nobody knows whether it was carried out it keeps its own, and
    /// so cannot be carried out twice; what was refused is remembered under that name, and needs another.
    pub(crate) fn next_name(&self) -> String {
        match &self.why {
            Why::InDoubt(_) => self.filled.get(NAME).to_owned(),
            Why::Problem(problem) if problem.code() == Code::Unavailable => self.filled.get(NAME).to_owned(),
            Why::Problem(_) | Why::Refused(_) => once::name(),
        }
    }
}

/// The fields of a form as the body of a request: those that are filled in, as text.
pub(crate) fn body<T: DeserializeOwned>(filled: &Filled, fields: &[&'static str]) -> Result<T, Problem> {
    let given = fields.iter().filter_map(|name| Some(((*name).to_owned(), filled.given(name)?.into())));
    parse(given.collect())
}

/// An object as the body of a request.
pub(crate) fn parse<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, Problem> {
    body::parse(Value::Object(object).to_string().as_bytes())
}

/// The name that a form came with.
pub(crate) fn name(filled: &Filled) -> Result<IdempotencyKey, Problem> {
    IdempotencyKey::try_from(filled.get(NAME).to_owned())
        .map_err(|_| Problem::invalid(NAME, rules::FORM_IS_STALE))
}

/// A moment as browsers write it, in UTC, as the API has it.
pub(crate) fn moment(filled: &Filled, name: &str) -> Option<Value> {
    let given = filled.given(name)?;
    let text = match given.len() {
        10 => format!("{given}T00:00:00Z"),
        16 => format!("{given}:00Z"),
        19 => format!("{given}Z"),
        _ => given.to_owned(),
    };
    Some(text.into())
}
