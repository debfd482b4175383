//! The answers to one operation: that all of them agree, and what they say.
//!
//! An idempotency key promises one effect and one answer, whoever asks again and when: a twin under way at the
//! same time, a retry after a lost answer, a repetition of what was acknowledged long ago.

use serde_json::Value;

use super::anomaly::{Anomaly, Fault};
use super::credits::{Balance, Credits};
use super::record::{Moment, Operation, Request, Told, Try};

/// An operation, as its answers tell it.
pub(super) struct Settled<'a> {
    pub(super) operation: &'a Operation,
    pub(super) window: Window,
    /// `None` where nobody was told anything.
    pub(super) outcome: Option<Outcome>,
}

/// Between which moments something took effect: after it was first asked for, and before anybody was told. A later
/// answer says nothing new, so the window ends with the first one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Window {
    pub(super) invoked: Moment,
    pub(super) answered: Moment,
}

/// What an operation came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Done(Done),
    /// 402.
    Short {
        required: Credits,
        available: Credits,
    },
    /// 409.
    Conflict(Conflict),
}

/// What was made, or for a release which hold it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Done {
    pub(super) id: String,
    pub(super) credits: Credits,
    /// The balance right after it; a grant's answer has none.
    pub(super) balance: Option<Balance>,
}

/// Why what a request names does not allow it. Each of these stays true once it has become true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Conflict {
    HoldClosed,
    CaptureExceedsHold,
    RefundExceedsCharge,
}

/// Looks through the answers to an operation, and adds what is wrong with them.
pub(super) fn settle<'a>(operation: &'a Operation, anomalies: &mut Vec<Anomaly>) -> Settled<'a> {
    let name = &operation.name;
    let mut told: Vec<(&Try, &Told)> =
        operation.tries.iter().filter_map(|one| Some((one, one.answer.as_ref()?))).collect();
    told.sort_by_key(|(_, answer)| answer.at);
    if let Some(difference) = difference(operation, &told) {
        anomalies.push(difference);
    }
    if let Some(what) = unmarked(operation, &told) {
        anomalies.push(Anomaly::new(Fault::ReplayIsNotMarked, format!("{name}: {what}")));
    }
    let mut outcome = None;
    if let Some((_, first)) = told.first() {
        outcome = Outcome::parse(&operation.request, first);
        if outcome.is_none() {
            let what = format!("{name}: {:?}: {} {}", operation.request, first.status, first.text);
            anomalies.push(Anomaly::new(Fault::StrangeAnswer, what));
        }
    }
    let invoked = operation.tries.iter().map(|one| one.invoked).min().unwrap_or(Moment::NEVER);
    let answered = told.first().map_or(Moment::NEVER, |(_, answer)| answer.at);
    Settled { operation, window: Window { invoked, answered }, outcome }
}

/// The first answer that is another than the one before it. Two ids are two effects.
fn difference(operation: &Operation, told: &[(&Try, &Told)]) -> Option<Anomaly> {
    let differs = |pair: &&[(&Try, &Told)]| {
        let (_, before) = pair[0];
        let (_, after) = pair[1];
        (before.status, &before.text) != (after.status, &after.text)
    };
    let pair = told.windows(2).find(differs)?;
    let [(_, before), (_, after)] = pair else { return None };
    let ids = [before, after].map(|told| match Outcome::parse(&operation.request, told) {
        Some(Outcome::Done(done)) => Some(done.id),
        Some(Outcome::Short { .. } | Outcome::Conflict(_)) | None => None,
    });
    let fault = match ids {
        [Some(before), Some(after)] if before != after => Fault::CarriedOutTwice,
        _ => Fault::AnswerChanged,
    };
    let Operation { name, .. } = operation;
    let what =
        format!("{name}: first {} {}, then {} {}", before.status, before.text, after.status, after.text);
    Some(Anomaly::new(fault, what))
}

/// What is wrong with which answers say that they are replays: the first is none, and all others are. Who asked
/// after somebody had been told is never the first.
fn unmarked(operation: &Operation, told: &[(&Try, &Told)]) -> Option<String> {
    let (_, first_answer) = told.first()?;
    let fresh: Vec<&(&Try, &Told)> = told.iter().filter(|(_, answer)| !answer.replayed).collect();
    let late = fresh.iter().find(|(one, _)| one.invoked > first_answer.at);
    if let Some((one, _)) = late {
        return Some(format!("asked again at {:?} and not answered with a replay", one.invoked));
    }
    match fresh.len() {
        0 if told.len() == operation.tries.len() => Some("a replay of an answer that nobody got".to_owned()),
        0 | 1 => None,
        count => Some(format!("{count} answers say that they are the first")),
    }
}

impl Outcome {
    /// What an answer says; `None` where the contract has no such answer to the request.
    fn parse(request: &Request, told: &Told) -> Option<Outcome> {
        let body: Value = serde_json::from_str(&told.text).ok()?;
        let credits = |field: &str| Credits::parse(body[field].as_str()?);
        match (request, told.status) {
            (Request::Release { .. }, 200)
            | (
                Request::Grant { .. }
                | Request::Charge { .. }
                | Request::Hold { .. }
                | Request::Capture { .. }
                | Request::Refund { .. },
                201,
            ) => {
                let id = body["id"].as_str()?.to_owned();
                let balance = balance(&body["balance"]);
                if balance.is_none() && !matches!(request, Request::Grant { .. }) {
                    return None;
                }
                Some(Outcome::Done(Done { id, credits: credits("credits")?, balance }))
            }
            (Request::Charge { .. } | Request::Hold { .. }, 402) => {
                (body["code"] == "insufficient_credits").then_some(())?;
                Some(Outcome::Short { required: credits("required")?, available: credits("available")? })
            }
            (request, 409) => {
                (body["code"] == "conflict").then_some(())?;
                Conflict::parse(request, body["reason"].as_str()?).map(Outcome::Conflict)
            }
            _ => None,
        }
    }
}

impl Conflict {
    fn parse(request: &Request, reason: &str) -> Option<Conflict> {
        match (request, reason) {
            (Request::Capture { .. } | Request::Release { .. }, "hold_closed") => Some(Conflict::HoldClosed),
            (Request::Capture { .. }, "capture_exceeds_hold") => Some(Conflict::CaptureExceedsHold),
            (Request::Refund { .. }, "refund_exceeds_charge") => Some(Conflict::RefundExceedsCharge),
            _ => None,
        }
    }
}

fn balance(body: &Value) -> Option<Balance> {
    let credits = |field: &str| Credits::parse(body[field].as_str()?);
    Some(Balance { available: credits("available")?, held: credits("held")? })
}
