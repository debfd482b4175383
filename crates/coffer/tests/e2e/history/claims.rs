//! Which entries are which operation's: once and only once, and none that nobody asked for.
//!
//! An acknowledged operation names its entry by the id in its answer. One that was never answered has an entry or
//! none, so an entry that no answer names may be its: the one of its reference, or, where entries have none, the
//! first one that fits. Which of several fits is a guess, so a run asks until everything is answered.

use std::collections::HashMap;

use super::anomaly::{Anomaly, Fault};
use super::answers::{Done, Outcome, Settled};
use super::credits::{Balance, Credits};
use super::journal::{EntryKind, EntrySeen, Journal};
use super::record::Request;

/// The entries of an operation, first and last: two of them where a final capture gives back the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) last: u64,
}

/// Finds the entries of every operation, in the order of the operations, and adds what is wrong with them.
pub(super) fn claim(
    journal: &Journal,
    operations: &[Settled],
    anomalies: &mut Vec<Anomaly>,
) -> Vec<Option<Span>> {
    let mut claims = Claims::of(operations);
    let mut entries = journal.entries.as_slice();
    while let [entry, rest @ ..] = entries {
        entries = match claims.take(entry, rest.first()) {
            Ok(Taken::One) => rest,
            Ok(Taken::WithTheRest) => &rest[1..],
            Err(anomaly) => {
                anomalies.push(anomaly);
                rest
            }
        };
    }
    for (settled, span) in operations.iter().zip(&claims.spans) {
        if let (Some(Outcome::Done(done)), None) = (&settled.outcome, span) {
            let what = format!("{}: {:?} as {}", settled.operation.name, settled.operation.request, done.id);
            anomalies.push(Anomaly::new(Fault::AcknowledgedAndLost, what));
        }
    }
    claims.spans
}

/// What an entry and the answer that acknowledges it have in common, and no other entry has.
#[derive(PartialEq, Eq, Hash)]
enum Mark<'a> {
    Id(EntryKind, &'a str),
    /// Entries do not name refunds. Clients see to it that two refunds of one charge differ in their credits.
    Refund {
        charge: &'a str,
        credits: Credits,
    },
}

/// How many entries were an operation's.
enum Taken {
    One,
    WithTheRest,
}

struct Claims<'a> {
    operations: &'a [Settled<'a>],
    by_answer: HashMap<Mark<'a>, usize>,
    by_name: HashMap<&'a str, usize>,
    /// Operations that were never answered, by the hold or the charge that they name.
    unanswered: HashMap<(EntryKind, &'a str), Vec<usize>>,
    spans: Vec<Option<Span>>,
}

impl<'a> Claims<'a> {
    fn of(operations: &'a [Settled<'a>]) -> Claims<'a> {
        let mut claims = Claims {
            operations,
            by_answer: HashMap::new(),
            by_name: HashMap::new(),
            unanswered: HashMap::new(),
            spans: vec![None; operations.len()],
        };
        for (index, Settled { operation, outcome, .. }) in operations.iter().enumerate() {
            claims.by_name.insert(&operation.name, index);
            if let Some(Outcome::Done(done)) = outcome {
                claims.by_answer.insert(mark_of_answer(&operation.request, done), index);
            }
            if let (None, Some(target)) = (outcome, target(&operation.request)) {
                claims.unanswered.entry((kind(&operation.request), target)).or_default().push(index);
            }
        }
        claims
    }

    /// Gives an entry to its operation, and the next one too if it is the rest of a final capture.
    fn take(&mut self, entry: &EntrySeen, next: Option<&EntrySeen>) -> Result<Taken, Anomaly> {
        let index = self.find(entry)?;
        let is_final =
            matches!(self.operations[index].operation.request, Request::Capture { is_final: true, .. });
        let is_rest = |next: &&EntrySeen| next.kind == EntryKind::Release && next.hold_id == entry.hold_id;
        let (last, taken) = match next.filter(is_rest) {
            Some(rest) if is_final => (rest, Taken::WithTheRest),
            _ => (entry, Taken::One),
        };
        self.spans[index] = Some(Span { first: entry.seq, last: last.seq });
        self.compare(index, entry, last).map(|()| taken)
    }

    /// Whose entry it is.
    fn find(&self, entry: &EntrySeen) -> Result<usize, Anomaly> {
        let index = match mark_of_entry(entry).and_then(|mark| self.by_answer.get(&mark)) {
            Some(index) => *index,
            None => self.find_unnamed(entry)?,
        };
        let Some(span) = self.spans[index] else { return Ok(index) };
        let name = &self.operations[index].operation.name;
        Err(Anomaly::new(
            Fault::CarriedOutTwice,
            format!("{name}: in entry {} and in {}", span.first, show(entry)),
        ))
    }

    /// Whose entry it is that no answer names: of an operation without an answer, or of one that was carried out
    /// once already.
    fn find_unnamed(&self, entry: &EntrySeen) -> Result<usize, Anomaly> {
        let nobody = || Anomaly::new(Fault::AskedForByNobody, show(entry));
        let name = match entry.kind {
            EntryKind::Grant | EntryKind::Charge | EntryKind::Hold => entry.reference.as_deref(),
            EntryKind::Capture | EntryKind::Release => entry.hold_id.as_deref(),
            EntryKind::Refund => entry.charge_id.as_deref(),
            EntryKind::Expire | EntryKind::Void | EntryKind::Adjust => None,
        };
        let name = name.ok_or_else(nobody)?;
        if matches!(entry.kind, EntryKind::Capture | EntryKind::Release | EntryKind::Refund) {
            let waiting = self.unanswered.get(&(entry.kind, name)).into_iter().flatten();
            let mut waiting = waiting.copied().filter(|index| self.fits(*index, entry));
            return waiting.next().or_else(|| self.who_did(entry.kind, name)).ok_or_else(nobody);
        }
        // These carry the name of their operation.
        let index = *self.by_name.get(name).ok_or_else(nobody)?;
        let settled = &self.operations[index];
        match &settled.outcome {
            _ if kind(&settled.operation.request) != entry.kind => Err(nobody()),
            None => Ok(index),
            Some(Outcome::Done(done)) => {
                let what = format!("{name} was acknowledged as {}, and there is {}", done.id, show(entry));
                Err(Anomaly::new(Fault::CarriedOutTwice, what))
            }
            Some(Outcome::Short { .. } | Outcome::Conflict(_)) => {
                let what = format!("{name} was refused, and there is {}", show(entry));
                Err(Anomaly::new(Fault::EntryIsNotTheAnswer, what))
            }
        }
    }

    /// Whether an operation without an answer, and without an entry so far, may have caused an entry.
    fn fits(&self, index: usize, entry: &EntrySeen) -> bool {
        let asked = asked(&self.operations[index].operation.request);
        self.spans[index].is_none() && asked.is_none_or(|credits| change(entry.kind, credits) == entry.change)
    }

    /// An operation that did the same to the hold or the charge, in an entry of its own.
    fn who_did(&self, done: EntryKind, to: &str) -> Option<usize> {
        let did = |index: &usize| {
            let request = &self.operations[*index].operation.request;
            self.spans[*index].is_some() && kind(request) == done && target(request) == Some(to)
        };
        (0..self.operations.len()).find(did)
    }

    /// Compares an operation's entries with what was asked for and what was answered.
    fn compare(&self, index: usize, entry: &EntrySeen, last: &EntrySeen) -> Result<(), Anomaly> {
        let Settled { operation, outcome, .. } = &self.operations[index];
        let differs = |how: String| {
            let what =
                format!("{}: {:?}: {how}, and there is {}", operation.name, operation.request, show(entry));
            Err(Anomaly::new(Fault::EntryIsNotTheAnswer, what))
        };
        let asked = asked(&operation.request);
        if asked.is_some_and(|credits| change(entry.kind, credits) != entry.change) {
            return differs("another change was asked for".to_owned());
        }
        let Some(Outcome::Done(done)) = outcome else { return Ok(()) };
        // A release is answered with its hold, whose credits are those it was made with.
        let is_release = entry.kind == EntryKind::Release;
        if !is_release && change(entry.kind, done.credits) != entry.change {
            return differs(format!("{} were answered", done.credits));
        }
        // The balance as the operation has left it, with the rest of a final capture given back.
        match done.balance {
            Some(balance) if balance != last.after => differs(format!("{balance} was answered")),
            _ => Ok(()),
        }
    }
}

fn mark_of_answer<'a>(request: &'a Request, done: &'a Done) -> Mark<'a> {
    match request {
        Request::Refund { charge, .. } => Mark::Refund { charge, credits: done.credits },
        Request::Grant { .. }
        | Request::Charge { .. }
        | Request::Hold { .. }
        | Request::Capture { .. }
        | Request::Release { .. } => Mark::Id(kind(request), &done.id),
    }
}

fn mark_of_entry(entry: &EntrySeen) -> Option<Mark<'_>> {
    let id = match entry.kind {
        EntryKind::Grant => entry.grant_id.as_deref()?,
        EntryKind::Charge | EntryKind::Capture => entry.charge_id.as_deref()?,
        EntryKind::Hold | EntryKind::Release => entry.hold_id.as_deref()?,
        EntryKind::Refund => {
            return Some(Mark::Refund {
                charge: entry.charge_id.as_deref()?,
                credits: entry.change.available,
            });
        }
        EntryKind::Expire | EntryKind::Void | EntryKind::Adjust => return None,
    };
    Some(Mark::Id(entry.kind, id))
}

/// The kind of entry that a request makes.
fn kind(request: &Request) -> EntryKind {
    match request {
        Request::Grant { .. } => EntryKind::Grant,
        Request::Charge { .. } => EntryKind::Charge,
        Request::Hold { .. } => EntryKind::Hold,
        Request::Capture { .. } => EntryKind::Capture,
        Request::Release { .. } => EntryKind::Release,
        Request::Refund { .. } => EntryKind::Refund,
    }
}

/// The hold or the charge that a request names.
fn target(request: &Request) -> Option<&str> {
    match request {
        Request::Grant { .. } | Request::Charge { .. } | Request::Hold { .. } => None,
        Request::Capture { hold, .. } | Request::Release { hold } => Some(hold),
        Request::Refund { charge, .. } => Some(charge),
    }
}

/// How much a request asks for, where it says so.
pub(super) fn asked(request: &Request) -> Option<Credits> {
    match request {
        Request::Grant { credits }
        | Request::Charge { credits, .. }
        | Request::Hold { credits, .. }
        | Request::Capture { credits, .. } => Some(*credits),
        Request::Refund { credits, .. } => *credits,
        Request::Release { .. } => None,
    }
}

/// What so many credits change in an entry of the kind.
fn change(kind: EntryKind, credits: Credits) -> Balance {
    let (available, held) = match kind {
        EntryKind::Grant | EntryKind::Refund | EntryKind::Adjust => (credits, Credits::ZERO),
        EntryKind::Charge | EntryKind::Expire | EntryKind::Void => (-credits, Credits::ZERO),
        EntryKind::Hold => (-credits, credits),
        EntryKind::Capture => (Credits::ZERO, -credits),
        EntryKind::Release => (credits, -credits),
    };
    Balance { available, held }
}

fn show(entry: &EntrySeen) -> String {
    let EntrySeen { seq, kind, change, after, grant_id, charge_id, hold_id, reference } = entry;
    let id = [charge_id, hold_id, grant_id].into_iter().flatten().next().map_or("", String::as_str);
    let reference = reference.as_deref().unwrap_or_default();
    format!("entry {seq}: {kind:?} {id} {reference}: {change}, leaving {after}")
}
