//! Requests that are sent again, as they were or with something changed.

use coffer_ledger::{
    AccountId, AdjustmentId, CaptureAmount, ChargeCredits, ChargeId, Command, Cost, Credits, GrantId, HoldId,
    IdempotencyKey, Reason, RefundId,
};

use super::{Maker, Moment, positive};
use crate::account::amount;
use crate::step::{Change, Pick};

impl Maker {
    /// An earlier request once more: ids and salts are minted anew, as they are for every try.
    pub(super) fn again(&mut self, pick: Pick, change: Change, now: Moment<'_>) -> Option<Command> {
        let named = self.sent.iter().rev().filter(|command| name_of(command).is_some());
        let place = usize::from(pick).checked_rem(named.clone().count())?;
        let mut command = named.clone().nth(place)?.clone();
        self.mint_again(&mut command, now);
        match change {
            Change::Nothing => {}
            Change::Reference => self.change_text(&mut command),
            Change::Credits => change_credits(&mut command),
            Change::Name => *name_mut(&mut command)? = self.name(),
            Change::Kind => {
                let (account_id, idempotency) = name_of(&command)?;
                command = Command::Charge(ChargeCredits {
                    id: ChargeId::from_bytes(self.mint(account_id, now)),
                    account_id,
                    key: None,
                    cost: Cost::Credits(positive(1)),
                    note: self.note(None),
                    idempotency,
                });
            }
        }
        Some(command)
    }

    fn mint_again(&mut self, command: &mut Command, now: Moment<'_>) {
        match command {
            Command::Grant(grant) => {
                grant.id = GrantId::from_bytes(self.mint(grant.account_id, now));
                grant.note.salt = grant.note.salt.map(|_| self.salt());
            }
            Command::Adjust(adjust) => {
                adjust.id = AdjustmentId::from_bytes(self.mint(adjust.account_id, now));
                adjust.note.salt = adjust.note.salt.map(|_| self.salt());
            }
            Command::Charge(charge) => {
                charge.id = ChargeId::from_bytes(self.mint(charge.account_id, now));
                charge.note.salt = charge.note.salt.map(|_| self.salt());
            }
            Command::Refund(refund) => {
                refund.id = RefundId::from_bytes(self.mint(refund.account_id, now));
                refund.paid_lot_id = GrantId::from_bytes(self.mint(refund.account_id, now));
                refund.refund_lot_id = GrantId::from_bytes(self.mint(refund.account_id, now));
            }
            Command::Hold(hold) => {
                hold.id = HoldId::from_bytes(self.mint(hold.account_id, now));
                hold.note.salt = hold.note.salt.map(|_| self.salt());
            }
            Command::Capture(capture) => {
                capture.id = ChargeId::from_bytes(self.mint(capture.account_id, now));
            }
            Command::VoidGrant(_)
            | Command::Release(_)
            | Command::CreateAccount(_)
            | Command::UpdateAccount(_)
            | Command::Settle(_)
            | Command::EraseTexts(_)
            | Command::CreateKey(_)
            | Command::UpdateKey(_)
            | Command::RotateKey(_)
            | Command::RevokeKey(_)
            | Command::PutPrice(_)
            | Command::DeletePrice(_)
            | Command::CreateOperatorKey(_)
            | Command::RevokeOperatorKey(_)
            | Command::OfferSession(_)
            | Command::OpenSession(_)
            | Command::SignIn(_)
            | Command::UseSession(_)
            | Command::EndSession(_)
            | Command::EndSessions(_)
            | Command::Audited(_) => {}
        }
    }

    fn change_text(&mut self, command: &mut Command) {
        let note = self.note(Some(0));
        match command {
            Command::Grant(grant) => grant.note = note,
            Command::Charge(charge) => charge.note = note,
            Command::Hold(hold) => hold.note = note,
            Command::Adjust(adjust) => {
                adjust.note.reason = Some(Reason::try_from("another".to_owned()).expect("a short text"));
            }
            _ => {}
        }
    }
}

fn change_credits(command: &mut Command) {
    let changed = |credits: Credits| {
        let more = positive(amount(credits).abs() + 1);
        if credits.is_negative() { -more } else { more }
    };
    match command {
        Command::Grant(grant) => grant.credits = changed(grant.credits),
        Command::Adjust(adjust) => adjust.credits = changed(adjust.credits),
        Command::Charge(charge) => {
            if let Cost::Credits(credits) = &mut charge.cost {
                *credits = changed(*credits);
            }
        }
        Command::Hold(hold) => hold.expires_in_ms = hold.expires_in_ms.max(2) - 1,
        Command::Refund(refund) => refund.credits = refund.credits.map(changed).or(Some(positive(1))),
        Command::Capture(capture) => {
            capture.amount = match capture.amount {
                CaptureAmount::Credits(credits) => CaptureAmount::Credits(changed(credits)),
                CaptureAmount::All | CaptureAmount::Quantity(_) => CaptureAmount::Credits(positive(1)),
            };
        }
        _ => {}
    }
}

fn name_of(command: &Command) -> Option<(AccountId, IdempotencyKey)> {
    let (account_id, name) = match command {
        Command::Grant(grant) => (grant.account_id, &grant.idempotency),
        Command::VoidGrant(void) => (void.account_id, &void.idempotency),
        Command::Adjust(adjust) => (adjust.account_id, &adjust.idempotency),
        Command::Charge(charge) => (charge.account_id, &charge.idempotency),
        Command::Refund(refund) => (refund.account_id, &refund.idempotency),
        Command::Hold(hold) => (hold.account_id, &hold.idempotency),
        Command::Capture(capture) => (capture.account_id, &capture.idempotency),
        Command::Release(release) => (release.account_id, &release.idempotency),
        _ => return None,
    };
    Some((account_id, name.clone()))
}

fn name_mut(command: &mut Command) -> Option<&mut IdempotencyKey> {
    Some(match command {
        Command::Grant(grant) => &mut grant.idempotency,
        Command::VoidGrant(void) => &mut void.idempotency,
        Command::Adjust(adjust) => &mut adjust.idempotency,
        Command::Charge(charge) => &mut charge.idempotency,
        Command::Refund(refund) => &mut refund.idempotency,
        Command::Hold(hold) => &mut hold.idempotency,
        Command::Capture(capture) => &mut capture.idempotency,
        Command::Release(release) => &mut release.idempotency,
        _ => return None,
    })
}
