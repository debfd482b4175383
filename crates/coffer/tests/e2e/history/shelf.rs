//! The holds and charges of an account that clients know of, and reach for at the same time.

use std::sync::Mutex;

use rand::RngExt as _;
use rand::rngs::SmallRng;
use serde_json::Value;

use super::credits::Credits;
use super::record::{Operation, Request, Told};

/// Few, so that clients meet on one hold.
const HOLDS_MAX: usize = 8;
const CHARGES_MAX: usize = 12;
/// Less than any charge, and never half of one or all of it: charges are made of quarters of a credit, and no two
/// refunds of one charge may be of the same credits, because entries do not name refunds.
const PARTIAL_REFUND: Credits = Credits::millionths(100_000);

/// What clients know of an account.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<Known>);

#[derive(Default)]
struct Known {
    holds: Vec<(String, Credits)>,
    charges: Vec<KnownCharge>,
}

struct KnownCharge {
    id: String,
    credits: Credits,
    partly_refunded: bool,
}

impl Shelf {
    /// Remembers what an operation has made, and forgets most of what it has used up: some of it stays, for those
    /// who come too late.
    pub(crate) fn learn(&self, operation: &Operation, random: &mut SmallRng) {
        let Some(answer) = operation.tries.iter().find_map(|one| one.answer.as_ref()) else { return };
        let made = made(answer);
        let mut known = self.0.lock().expect("no client panics with the shelf");
        if !random.random_ratio(1, 5) {
            known.forget(operation, answer);
        }
        match (&operation.request, made) {
            (Request::Hold { .. }, Some(made)) => known.holds.push(made),
            (Request::Charge { .. } | Request::Capture { .. }, Some(made)) => known.add_charge(made),
            (Request::Grant { .. } | Request::Release { .. } | Request::Refund { .. }, Some(_))
            | (_, None) => {}
        }
    }

    pub(crate) fn has_enough_holds(&self) -> bool {
        self.0.lock().expect("no client panics with the shelf").holds.len() >= HOLDS_MAX
    }

    /// Some hold, and how much was held with it.
    pub(crate) fn hold(&self, random: &mut SmallRng) -> Option<(String, Credits)> {
        let known = self.0.lock().expect("no client panics with the shelf");
        let last = known.holds.len().checked_sub(1)?;
        Some(known.holds[random.random_range(0..=last)].clone())
    }

    /// Some charge, and how much of it to refund: a little, all that is left, or too much.
    pub(crate) fn refund(&self, random: &mut SmallRng) -> Option<(String, Option<Credits>)> {
        let mut known = self.0.lock().expect("no client panics with the shelf");
        let last = known.charges.len().checked_sub(1)?;
        let charge = &mut known.charges[random.random_range(0..=last)];
        let credits = match random.random_range(0..4) {
            0 if !charge.partly_refunded => {
                charge.partly_refunded = true;
                Some(PARTIAL_REFUND)
            }
            1 => Some(charge.credits + Credits::MILLIONTH),
            _ => None,
        };
        Some((charge.id.clone(), credits))
    }
}

impl Known {
    fn forget(&mut self, operation: &Operation, answer: &Told) {
        let is_refused = answer.status == 409;
        match &operation.request {
            Request::Capture { hold, is_final, .. } => {
                if answer.text.contains("hold_closed") || (*is_final && !is_refused) {
                    self.holds.retain(|(id, _)| id != hold);
                }
            }
            Request::Release { hold } => self.holds.retain(|(id, _)| id != hold),
            Request::Refund { charge, credits: None } => self.charges.retain(|known| known.id != *charge),
            Request::Grant { .. }
            | Request::Charge { .. }
            | Request::Hold { .. }
            | Request::Refund { credits: Some(_), .. } => {}
        }
    }

    fn add_charge(&mut self, (id, credits): (String, Credits)) {
        if self.charges.len() == CHARGES_MAX {
            self.charges.remove(0);
        }
        self.charges.push(KnownCharge { id, credits, partly_refunded: false });
    }
}

/// The id and the credits of what an answer says was made.
fn made(answer: &Told) -> Option<(String, Credits)> {
    let body: Value = serde_json::from_str(&answer.text).ok()?;
    let credits = Credits::parse(body["credits"].as_str()?)?;
    (answer.status == 201).then(|| Some((body["id"].as_str()?.to_owned(), credits)))?
}
