//! A correct server on paper: it answers at once, writes its journal, and hands both to the checker.
//!
//! Every call takes the window in which its client waits. Its effect takes place when it is called, so the order
//! of the calls is the order of the journal.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::credits::{Balance, Credits};
use super::journal::{EntryKind, EntrySeen, Journal};
use super::record::{History, Moment, Operation, Payer, Read, Request, Seen, Told, Try};

/// One account, what its clients know, and its journal.
#[derive(Clone)]
pub(super) struct World {
    pub(super) history: History,
    pub(super) journal: Journal,
    /// What is left of every hold and of every charge, by its id.
    left: HashMap<String, Credits>,
    /// The ids of holds and charges, in the order in which they were made.
    made: Vec<String>,
}

/// From when to when a client waits.
pub(super) type Wait = std::ops::Range<u64>;

impl World {
    pub(super) fn new(overdraft_limit: Credits) -> World {
        let journal = Journal { overdraft_limit, entries: Vec::new() };
        World { history: History::default(), journal, left: HashMap::new(), made: Vec::new() }
    }

    pub(super) fn balance(&self) -> Balance {
        self.journal.entries.last().map_or_else(Balance::default, |entry| entry.after)
    }

    /// Holds (`hld`) or charges (`chg`) that were made, the last one first.
    pub(super) fn made(&self, prefix: &str) -> impl Iterator<Item = &String> {
        self.made.iter().rev().filter(move |id| id.starts_with(prefix))
    }

    /// Carries out a request for a client that waits for so long.
    pub(super) fn send(&mut self, name: &str, request: Request, wait: Wait) {
        let (status, body) = self.carry_out(name, &request);
        let tries = vec![told(wait, status, false, body.to_string())];
        self.history.operations.push(Operation { name: name.to_owned(), account: 0, request, tries });
    }

    /// Carries out a request whose first answer was lost, with a retry that is answered.
    pub(super) fn send_twice(&mut self, name: &str, request: Request, first_invoked: u64, wait: Wait) {
        self.send(name, request, wait);
        let tries = &mut self.history.operations.last_mut().expect("it was just sent").tries;
        tries[0].answer.as_mut().expect("it was answered").replayed = true;
        tries.insert(0, Try { invoked: Moment(first_invoked), answer: None });
    }

    /// Sends an operation that was answered once more.
    pub(super) fn repeat(&mut self, name: &str, wait: Wait) {
        let operation = self.operation(name);
        let first = operation.tries.iter().find_map(|one| one.answer.clone()).expect("it was answered");
        operation.tries.push(told(wait, first.status, true, first.text));
    }

    pub(super) fn read(&mut self, wait: Wait) {
        let Balance { available, held } = self.balance();
        self.read_as(Seen::ByOperator { available, held, seq: self.journal.last() }, wait.clone());
        self.read_as(Seen::ByCustomer { available }, wait);
    }

    pub(super) fn read_as(&mut self, seen: Seen, wait: Wait) {
        let (invoked, answered) = (Moment(wait.start), Moment(wait.end));
        self.history.reads.push(Read { account: 0, invoked, answered, seen });
    }

    pub(super) fn operation(&mut self, name: &str) -> &mut Operation {
        let found = self.history.operations.iter_mut().find(|operation| operation.name == name);
        found.unwrap_or_else(|| panic!("no operation {name}"))
    }

    /// The id that an operation was acknowledged with.
    pub(super) fn id_of(&mut self, name: &str) -> String {
        let answer = self.operation(name).tries.iter().find_map(|one| one.answer.clone());
        let body: Value = serde_json::from_str(&answer.expect("it was answered").text).expect("JSON");
        body["id"].as_str().expect("an id").to_owned()
    }

    /// Carries a request out; the journal knows, and the client is not told.
    pub(super) fn carry_out(&mut self, name: &str, request: &Request) -> (u16, Value) {
        let id = |prefix: &str, world: &World| format!("{prefix}_{}", world.journal.last() + 1);
        match request {
            Request::Grant { credits } => {
                let grant = id("grt", self);
                self.post(EntryKind::Grant, *credits, Credits::ZERO, Ids::grant(&grant, name));
                (201, json!({"id": grant, "credits": credits.to_string()}))
            }
            Request::Charge { credits, .. } => {
                if let Some(refusal) = self.short(*credits) {
                    return refusal;
                }
                let charge = id("chg", self);
                self.post(EntryKind::Charge, -*credits, Credits::ZERO, Ids::charge(&charge, name));
                self.make(&charge, *credits);
                (201, self.answer(&charge, *credits))
            }
            Request::Hold { credits, .. } => {
                if let Some(refusal) = self.short(*credits) {
                    return refusal;
                }
                let hold = id("hld", self);
                self.post(EntryKind::Hold, -*credits, *credits, Ids::hold(&hold, name));
                self.make(&hold, *credits);
                (201, self.answer(&hold, *credits))
            }
            Request::Capture { hold, credits, is_final } => self.capture(hold, *credits, *is_final),
            Request::Release { hold } => match self.left_of(hold) {
                Credits::ZERO => conflict("hold_closed"),
                left => {
                    self.post(EntryKind::Release, left, -left, Ids::hold(hold, ""));
                    self.take(hold, left);
                    (200, self.answer(hold, left))
                }
            },
            Request::Refund { charge, credits } => {
                let left = self.left_of(charge);
                let credits = credits.unwrap_or(left);
                if credits > left || left == Credits::ZERO {
                    return conflict("refund_exceeds_charge");
                }
                self.post(EntryKind::Refund, credits, Credits::ZERO, Ids::charge(charge, ""));
                self.take(charge, credits);
                (201, self.answer(&id("rfd", self), credits))
            }
        }
    }

    fn capture(&mut self, hold: &str, credits: Credits, is_final: bool) -> (u16, Value) {
        let left = self.left_of(hold);
        if left == Credits::ZERO {
            return conflict("hold_closed");
        }
        if credits > left {
            return conflict("capture_exceeds_hold");
        }
        let charge = format!("chg_{}", self.journal.last() + 1);
        let ids = Ids { charge_id: Some(charge.clone()), ..Ids::hold(hold, "") };
        self.post(EntryKind::Capture, Credits::ZERO, -credits, ids);
        self.take(hold, credits);
        self.make(&charge, credits);
        let rest = left - credits;
        if is_final && rest != Credits::ZERO {
            self.post(EntryKind::Release, rest, -rest, Ids::hold(hold, ""));
            self.take(hold, rest);
        }
        (201, self.answer(&charge, credits))
    }

    fn answer(&self, id: &str, credits: Credits) -> Value {
        let Balance { available, held } = self.balance();
        let balance = json!({"available": available.to_string(), "held": held.to_string()});
        json!({"id": id, "credits": credits.to_string(), "balance": balance})
    }

    fn short(&self, required: Credits) -> Option<(u16, Value)> {
        let Balance { available, .. } = self.balance();
        (required > available + self.journal.overdraft_limit).then(|| (402, short(required, available)))
    }

    fn make(&mut self, id: &str, credits: Credits) {
        self.left.insert(id.to_owned(), credits);
        self.made.push(id.to_owned());
    }

    fn left_of(&self, id: &str) -> Credits {
        self.left.get(id).copied().unwrap_or_default()
    }

    fn take(&mut self, id: &str, credits: Credits) {
        let left = self.left.get_mut(id).expect("it was made");
        *left = *left - credits;
    }

    pub(super) fn post(&mut self, kind: EntryKind, available: Credits, held: Credits, ids: Ids) {
        let change = Balance { available, held };
        let Ids { grant_id, charge_id, hold_id, reference } = ids;
        let (seq, after) = (self.journal.last() + 1, self.balance() + change);
        let entry = EntrySeen { seq, kind, change, after, grant_id, charge_id, hold_id, reference };
        self.journal.entries.push(entry);
    }
}

/// What an entry names.
#[derive(Default)]
pub(super) struct Ids {
    pub(super) grant_id: Option<String>,
    pub(super) charge_id: Option<String>,
    pub(super) hold_id: Option<String>,
    pub(super) reference: Option<String>,
}

impl Ids {
    fn grant(id: &str, name: &str) -> Ids {
        Ids { grant_id: Some(id.to_owned()), ..Ids::named(name) }
    }

    pub(super) fn charge(id: &str, name: &str) -> Ids {
        Ids { charge_id: Some(id.to_owned()), ..Ids::named(name) }
    }

    pub(super) fn hold(id: &str, name: &str) -> Ids {
        Ids { hold_id: Some(id.to_owned()), ..Ids::named(name) }
    }

    fn named(name: &str) -> Ids {
        Ids { reference: (!name.is_empty()).then(|| name.to_owned()), ..Ids::default() }
    }
}

/// A try with its answer.
pub(super) fn told(wait: Wait, status: u16, replayed: bool, text: String) -> Try {
    Try { invoked: Moment(wait.start), answer: Some(Told { at: Moment(wait.end), status, replayed, text }) }
}

/// The body of a 402.
pub(super) fn short(required: Credits, available: Credits) -> Value {
    json!({
        "code": "insufficient_credits", "required": required.to_string(), "available": available.to_string()
    })
}

fn conflict(reason: &str) -> (u16, Value) {
    (409, json!({"code": "conflict", "reason": reason}))
}

pub(super) fn grant(credits: i64) -> Request {
    Request::Grant { credits: Credits::whole(credits) }
}

pub(super) fn charge(credits: i64) -> Request {
    Request::Charge { credits: Credits::whole(credits), payer: Payer::Account }
}

pub(super) fn hold(credits: i64) -> Request {
    Request::Hold { credits: Credits::whole(credits), payer: Payer::Account }
}

pub(super) fn capture(hold: &str, credits: i64, is_final: bool) -> Request {
    Request::Capture { hold: hold.to_owned(), credits: Credits::whole(credits), is_final }
}

pub(super) fn release(hold: &str) -> Request {
    Request::Release { hold: hold.to_owned() }
}

pub(super) fn refund(charge: &str, credits: Option<i64>) -> Request {
    Request::Refund { charge: charge.to_owned(), credits: credits.map(Credits::whole) }
}
