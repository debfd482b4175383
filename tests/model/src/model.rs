//! The model: what must come of each command.
//!
//! Owns the idempotency look-up and which account a command is for; what single commands do is beside this file.

mod catalogue;
mod grants;
mod holds;
mod keys;
mod profiles;
mod spending;

use coffer_ledger::{
    AccountId, AdjustmentId, ChargeId, Command, ExternalId, GrantId, HoldId, IdempotencyKey, Note, RefundId,
    Refusal, SecretHash, Timestamp,
};

use crate::account::Account;
use crate::answer::{Answer, Answered, PriceView};

/// A ledger, kept in plain vectors.
#[derive(Clone, Debug)]
pub struct Model {
    /// The accounts, in the order in which they were made.
    pub accounts: Vec<Account>,
    external_ids: Vec<ExternalId>,
    prices: Vec<PriceView>,
    /// Every secret that a key has or had.
    secrets: Vec<SecretHash>,
    remembered: Vec<Remembered>,
}

#[derive(Clone, Debug)]
struct Remembered {
    account_id: AccountId,
    key: IdempotencyKey,
    request: Command,
    answer: Answer,
}

/// What a command on an account comes to.
type Verdict = Result<Answer, Refusal>;

impl Default for Model {
    fn default() -> Model {
        Model {
            accounts: Vec::new(),
            external_ids: Vec::new(),
            prices: vec![catalogue::reserved()],
            secrets: Vec::new(),
            remembered: Vec::new(),
        }
    }
}

impl Model {
    /// The account with this id.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// Carries out a command, and says what must come of it.
    ///
    /// # Panics
    /// Where the command is none that moves credits or has to do with it.
    pub fn apply(&mut self, clock: Timestamp, command: &Command) -> Answered {
        match command {
            Command::CreateAccount(create) => first(self.create_account(clock, create)),
            Command::UpdateAccount(update) => {
                first(self.on_account(update.id, clock, |account, at| account.update(update, at)))
            }
            Command::Settle(settle) => {
                first(self.on_account(settle.account_id, clock, |_, _| Ok(Answer::Settled)))
            }
            Command::Grant(grant) => {
                self.once(command, grant.account_id, clock, &grant.idempotency, |account, at| {
                    account.grant(grant, at)
                })
            }
            Command::VoidGrant(void) => {
                self.once(command, void.account_id, clock, &void.idempotency, |account, at| {
                    account.void_grant(void, at)
                })
            }
            Command::Adjust(adjust) => {
                self.once(command, adjust.account_id, clock, &adjust.idempotency, |account, at| {
                    account.adjust(adjust, at)
                })
            }
            Command::Charge(charge) => {
                let prices = self.prices.clone();
                self.once(command, charge.account_id, clock, &charge.idempotency, |account, at| {
                    account.charge(charge, &prices, at)
                })
            }
            Command::Refund(refund) => {
                self.once(command, refund.account_id, clock, &refund.idempotency, |account, at| {
                    account.refund(refund, at)
                })
            }
            Command::Hold(hold) => {
                let prices = self.prices.clone();
                self.once(command, hold.account_id, clock, &hold.idempotency, |account, at| {
                    account.hold(hold, &prices, at)
                })
            }
            Command::Capture(capture) => {
                self.once(command, capture.account_id, clock, &capture.idempotency, |account, at| {
                    account.capture(capture, at)
                })
            }
            Command::Release(release) => {
                self.once(command, release.account_id, clock, &release.idempotency, |account, at| {
                    account.release(release, at)
                })
            }
            Command::CreateKey(create) => first(self.create_key(clock, create)),
            Command::UpdateKey(update) => first(self.update_key(clock, update)),
            Command::RotateKey(rotate) => first(self.rotate_key(clock, rotate)),
            Command::RevokeKey(revoke) => first(self.revoke_key(revoke)),
            Command::PutPrice(put) => first(self.put_price(clock, put)),
            Command::DeletePrice(delete) => first(self.delete_price(delete)),
            Command::EraseTexts(_)
            | Command::CreateOperatorKey(_)
            | Command::RevokeOperatorKey(_)
            | Command::OfferSession(_)
            | Command::OpenSession(_)
            | Command::SignIn(_)
            | Command::UseSession(_)
            | Command::EndSession(_)
            | Command::EndSessions(_)
            | Command::Audited(_) => panic!("no history has {command:?}"),
        }
    }

    /// Does something to an account of which everything due has been done, or, where it is refused, nothing.
    fn on_account(
        &mut self,
        id: AccountId,
        clock: Timestamp,
        act: impl FnOnce(&mut Account, Timestamp) -> Verdict,
    ) -> Verdict {
        let found = self.accounts.iter_mut().find(|account| account.id == id);
        let account = found.ok_or(Refusal::AccountIsUnknown)?;
        let mut changed = account.clone();
        let at = clock.max(account.last_at());
        changed.settle(at);
        let answer = act(&mut changed, at)?;
        *account = changed;
        Ok(answer)
    }

    /// Does it, unless the same request was answered before.
    fn once(
        &mut self,
        command: &Command,
        account_id: AccountId,
        clock: Timestamp,
        key: &IdempotencyKey,
        act: impl FnOnce(&mut Account, Timestamp) -> Verdict,
    ) -> Answered {
        let request = request(command);
        let mut known = self.remembered.iter().filter(|known| known.account_id == account_id);
        if let Some(known) = known.find(|known| known.key == *key) {
            if known.request != request {
                return first(Err(Refusal::IdempotencyKeyWasReused));
            }
            return Answered { answer: known.answer.clone(), replayed: true };
        }
        let answered = first(self.on_account(account_id, clock, act));
        let is_remembered = match &answered.answer {
            Answer::Refused(refusal) => refusal.is_remembered(),
            _ => true,
        };
        if is_remembered {
            let answer = answered.answer.clone();
            self.remembered.push(Remembered { account_id, key: key.clone(), request, answer });
        }
        answered
    }
}

fn first(verdict: Verdict) -> Answered {
    Answered { answer: verdict.unwrap_or_else(Answer::Refused), replayed: false }
}

/// The request without what is minted anew for every try, and without its own name.
fn request(command: &Command) -> Command {
    let no_grant = GrantId::from_bytes([0; 16]);
    let nameless = || IdempotencyKey::try_from("-".to_owned()).expect("a visible name");
    let mut request = command.clone();
    match &mut request {
        Command::Grant(grant) => {
            grant.id = no_grant;
            grant.note = unsalted(&grant.note);
            grant.idempotency = nameless();
        }
        Command::VoidGrant(void) => void.idempotency = nameless(),
        Command::Adjust(adjust) => {
            adjust.id = AdjustmentId::from_bytes([0; 16]);
            adjust.note = unsalted(&adjust.note);
            adjust.idempotency = nameless();
        }
        Command::Charge(charge) => {
            charge.id = ChargeId::from_bytes([0; 16]);
            charge.note = unsalted(&charge.note);
            charge.idempotency = nameless();
            if let Some(key) = &mut charge.key {
                key.secret = SecretHash::from_bytes([0; 32]);
            }
        }
        Command::Refund(refund) => {
            refund.id = RefundId::from_bytes([0; 16]);
            refund.paid_lot_id = no_grant;
            refund.refund_lot_id = no_grant;
            refund.refund_lot_days = 0;
            refund.idempotency = nameless();
        }
        Command::Hold(hold) => {
            hold.id = HoldId::from_bytes([0; 16]);
            hold.note = unsalted(&hold.note);
            hold.idempotency = nameless();
            if let Some(key) = &mut hold.key {
                key.secret = SecretHash::from_bytes([0; 32]);
            }
        }
        Command::Capture(capture) => {
            capture.id = ChargeId::from_bytes([0; 16]);
            capture.idempotency = nameless();
        }
        Command::Release(release) => release.idempotency = nameless(),
        Command::CreateAccount(_)
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
    request
}

fn unsalted(note: &Note) -> Note {
    Note { salt: None, ..note.clone() }
}
