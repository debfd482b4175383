//! Holds, and what becomes of them.

use coffer_ledger::{
    CaptureAmount, CaptureHold, EntryKind, Excess, HoldCredits, HoldStatus, Operation, Origin, Quantity,
    Refusal, ReleaseHold, Timestamp,
};

use super::spending::Spending;
use super::{Verdict, catalogue};
use crate::account::{Account, Amount, Charge, Hold, Take, amount, credits, taken};
use crate::answer::{Answer, BalanceView, ChargeView, HoldView, PriceView};

const HOLDS_OPEN_MAX: usize = 10_000;

impl Account {
    pub(super) fn hold(&mut self, hold: &HoldCredits, prices: &[PriceView], at: Timestamp) -> Verdict {
        let Spending { key_id, required, priced } = self.may_spend(hold.key, &hold.cost, prices, at)?;
        if self.holds.iter().filter(|hold| hold.is_open()).count() >= HOLDS_OPEN_MAX {
            return Err(Refusal::TooManyHoldsAreOpen);
        }
        let takes = self.draw(required);
        let lots = taken(&takes);
        self.count(key_id, at, required);
        let expires_at = at.unix_ms() + i64::from(hold.expires_in_ms);
        self.holds.push(Hold {
            id: hold.id,
            key_id,
            priced,
            credits: required,
            captured: 0,
            takes,
            status: HoldStatus::Open,
            reference: hold.note.reference.clone(),
            created_at: at,
            expires_at: Timestamp::from_unix_ms(expires_at).expect("histories end before the year 9999"),
        });
        let origin = Origin { hold_id: Some(hold.id), key_id, ..Origin::default() };
        self.write(EntryKind::Hold, at, -required, required, lots, origin);
        Ok(Answer::Held(self.hold_view(self.holds.len() - 1)))
    }

    pub(super) fn capture(&mut self, capture: &CaptureHold, at: Timestamp) -> Verdict {
        let place = self.holds.iter().position(|hold| hold.id == capture.hold_id);
        let place = place.ok_or(Refusal::HoldIsUnknown)?;
        let hold = &self.holds[place];
        if !hold.is_open() {
            return Err(Refusal::HoldIsClosed);
        }
        let held = hold.left();
        let captured = capture_amount(hold, capture.amount)?;
        if captured == 0 && !capture.is_final {
            return Err(Refusal::NothingWouldBeCaptured);
        }
        let from_hold = captured.min(held);
        let beyond = captured - from_hold;
        if beyond > 0 {
            match capture.excess {
                Excess::Refuse => {
                    let (required, held) = (credits(captured), credits(held));
                    return Err(Refusal::CaptureExceedsHold { required, held });
                }
                Excess::Charge => self.must_cover(beyond)?,
                Excess::Force => {}
            }
        }
        let (operation, quantity) = purpose(&self.holds[place], capture.amount);
        let hold = &mut self.holds[place];
        hold.captured += captured;
        let mut takes = take_from_hold(hold, from_hold);
        let (key_id, counted_at) = (hold.key_id, hold.created_at);
        takes.extend(self.draw(beyond));
        self.count(key_id, at, beyond);
        let (charge_id, hold_id) = (Some(capture.id), Some(capture.hold_id));
        let origin = Origin { charge_id, hold_id, key_id, ..Origin::default() };
        self.write(EntryKind::Capture, at, -beyond, -from_hold, taken(&takes), origin);
        self.charges.push(Charge {
            id: capture.id,
            key_id,
            operation: operation.clone(),
            credits: captured,
            refunded: 0,
            takes,
            counts: vec![(counted_at, from_hold), (at, beyond)],
        });
        if capture.is_final {
            let hold = &mut self.holds[place];
            let is_captured = hold.captured > 0;
            hold.status = if is_captured { HoldStatus::Captured } else { HoldStatus::Released };
            if hold.left() > 0 {
                self.give_back(place, at, |expires_at| expires_at <= at);
            }
        }
        let hold = &self.holds[place];
        Ok(Answer::Captured(ChargeView {
            id: capture.id,
            key_id,
            hold_id: Some(hold.id),
            operation,
            quantity,
            credits: captured,
            refunded: 0,
            reference: hold.reference.clone(),
            created_at: at,
            balance: BalanceView::of_model(self),
        }))
    }

    pub(super) fn release(&mut self, release: &ReleaseHold, at: Timestamp) -> Verdict {
        let place = self.holds.iter().position(|hold| hold.id == release.id);
        let place = place.ok_or(Refusal::HoldIsUnknown)?;
        let hold = &mut self.holds[place];
        if !hold.is_open() {
            return Err(Refusal::HoldIsClosed);
        }
        hold.status = HoldStatus::Released;
        self.give_back(place, at, |expires_at| expires_at <= at);
        Ok(Answer::Released(self.hold_view(place)))
    }

    fn hold_view(&self, place: usize) -> HoldView {
        HoldView::of_model(&self.holds[place], BalanceView::of_model(self))
    }
}

/// What a capture is for. All of a hold of which nothing was captured is the quantity that it was made for.
fn purpose(hold: &Hold, wanted: CaptureAmount) -> (Option<Operation>, Option<Quantity>) {
    let Some((operation, made_for, _)) = hold.priced.clone() else { return (None, None) };
    let quantity = match wanted {
        CaptureAmount::All => (hold.captured == 0).then_some(made_for),
        CaptureAmount::Credits(_) => None,
        CaptureAmount::Quantity(quantity) => Some(quantity),
    };
    (Some(operation), quantity)
}

fn capture_amount(hold: &Hold, wanted: CaptureAmount) -> Result<Amount, Refusal> {
    match (wanted, &hold.priced) {
        (CaptureAmount::All, _) => Ok(hold.left()),
        (CaptureAmount::Credits(credits), _) => Ok(amount(credits)),
        (CaptureAmount::Quantity(_), None) => Err(Refusal::HoldHasNoOperation),
        (CaptureAmount::Quantity(quantity), Some((_, _, rate))) => Ok(catalogue::product(*rate, quantity)),
    }
}

fn take_from_hold(hold: &mut Hold, credits: Amount) -> Vec<Take> {
    let mut wanted = credits;
    let mut takes = Vec::new();
    for (lot, left) in &mut hold.takes {
        let part = wanted.min(*left);
        if part > 0 {
            *left -= part;
            wanted -= part;
            takes.push((*lot, part));
        }
    }
    hold.takes.retain(|(_, left)| *left > 0);
    takes
}
