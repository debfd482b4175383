//! Decisions: one pure function from a snapshot and a command to an outcome and its effects.
//!
//! Each command is one file. In each, the guards come first, in an order that is part of the public
//! contract; then the line *from here the command succeeds*; then only effects. A refused command has no
//! effect, except that a refusal which the contract says is remembered is remembered.

mod amounts;
mod draft;

mod create_account;
mod update_account;

mod adjust;
mod grant;
mod void_grant;

mod spending;

mod charge;
mod refund;

mod capture;
mod hold;
mod release;

mod erase_texts;
mod settle;

mod create_key;
mod revoke_key;
mod rotate_key;
mod update_key;

mod prices;

mod operator_keys;

mod sessions;

use std::borrow::Cow;

use draft::Draft;

use crate::action;
use crate::snapshot::Effects;
use crate::{
    Account, AccountId, Audited, Command, Entry, Fingerprint, Grant, Hold, HoldId, Idempotency,
    IdempotencyKey, KeyRecord, Outcome, Refusal, Remembered, RememberedChange, Reply, Snapshot, Timestamp,
};

/// What comes of a command: its outcome, and what the snapshot takes in by [`Decision::absorb_into`].
#[derive(Debug)]
#[must_use]
pub struct Decision {
    reply: Reply,
    effects: Effects,
}

impl Decision {
    /// Lets the snapshot take in the effects, and answers with the reply.
    pub fn absorb_into(self, snapshot: &mut Snapshot) -> Reply {
        snapshot.absorb(self.effects);
        self.reply
    }

    /// The decision with a row for the audit log, if anything was done: what is replayed was told before.
    fn with_action(mut self, audited: &Audited, at: Timestamp) -> Decision {
        if self.reply.replayed || self.effects == Effects::default() {
            return self;
        }
        let by = (audited.actor, audited.channel);
        let action = action::told(audited.id, at, by, &audited.command, &self.reply.outcome);
        self.effects.action = action.map(Box::new);
        self
    }

    fn refused(refusal: Refusal) -> Decision {
        Decision::done(Outcome::Refused(refusal), Effects::default())
    }

    fn done(outcome: Outcome, effects: Effects) -> Decision {
        Decision { reply: Reply { outcome, replayed: false }, effects }
    }
}

/// What comes of a command at a time, given what was loaded for it.
pub fn decide(snapshot: &Snapshot, clock: Timestamp, command: &Command) -> Decision {
    match command {
        Command::CreateAccount(command) => create_account::decide(snapshot, clock, command),
        Command::UpdateAccount(command) => update_account::decide(snapshot, clock, command),
        Command::Grant(command) => {
            let name = Named::new(command.account_id, &command.idempotency, command.fingerprint());
            name.once(snapshot, clock, |name| grant::decide(snapshot, clock, command, name))
        }
        Command::VoidGrant(command) => {
            let name = Named::new(command.account_id, &command.idempotency, command.fingerprint());
            name.once(snapshot, clock, |name| void_grant::decide(snapshot, clock, command, name))
        }
        Command::Adjust(command) => {
            let name = Named::new(command.account_id, &command.idempotency, command.fingerprint());
            name.once(snapshot, clock, |name| adjust::decide(snapshot, clock, command, name))
        }
        Command::Charge(command) => {
            let name = Named::new(command.account_id, &command.idempotency, command.fingerprint());
            name.once(snapshot, clock, |name| charge::decide(snapshot, clock, command, name))
        }
        Command::Refund(command) => {
            let name = Named::new(command.account_id, &command.idempotency, command.fingerprint());
            name.once(snapshot, clock, |name| refund::decide(snapshot, clock, command, name))
        }
        Command::Hold(command) => {
            let name = Named::new(command.account_id, &command.idempotency, command.fingerprint());
            name.once(snapshot, clock, |name| hold::decide(snapshot, clock, command, name))
        }
        Command::Capture(command) => {
            let name = Named::new(command.account_id, &command.idempotency, command.fingerprint());
            name.once(snapshot, clock, |name| capture::decide(snapshot, clock, command, name))
        }
        Command::Release(command) => {
            let name = Named::new(command.account_id, &command.idempotency, command.fingerprint());
            name.once(snapshot, clock, |name| release::decide(snapshot, clock, command, name))
        }
        Command::Settle(command) => settle::decide(snapshot, clock, command),
        Command::EraseTexts(command) => erase_texts::decide(snapshot, command),
        Command::CreateKey(command) => create_key::decide(snapshot, clock, command),
        Command::UpdateKey(command) => update_key::decide(snapshot, clock, command),
        Command::RotateKey(command) => rotate_key::decide(snapshot, clock, command),
        Command::RevokeKey(command) => revoke_key::decide(snapshot, clock, command),
        Command::PutPrice(command) => prices::put(snapshot, clock, command),
        Command::DeletePrice(command) => prices::delete(snapshot, command),
        Command::CreateOperatorKey(command) => operator_keys::create(snapshot, clock, command),
        Command::RevokeOperatorKey(command) => operator_keys::revoke(snapshot, clock, command),
        Command::OfferSession(command) => sessions::offer(snapshot, clock, command),
        Command::OpenSession(command) => sessions::open(snapshot, clock, command),
        Command::SignIn(command) => sessions::sign_in(snapshot, clock, command),
        Command::UseSession(command) => sessions::note_use(snapshot, clock, command),
        Command::EndSession(command) => sessions::end(snapshot, command),
        Command::EndSessions(command) => sessions::end_all(snapshot, command),
        Command::Audited(audited) => decide(snapshot, clock, &audited.command).with_action(audited, clock),
    }
}

/// The account as it stands at a time, with everything settled that has fallen due until then. Reads show
/// this; the entries that go with it are written by the next command that reaches the account.
#[must_use]
pub fn settle(account: &Account, until: Timestamp) -> Cow<'_, Account> {
    if !is_due(account, until) {
        return Cow::Borrowed(account);
    }
    Cow::Owned(Draft::open(account, until).into_account())
}

/// The entries that settling an account until a time will write.
#[must_use]
pub fn entries_due(account: &Account, until: Timestamp) -> Vec<Entry> {
    if is_due(account, until) { Draft::open(account, until).into_entries() } else { Vec::new() }
}

/// Grants of an account as they stand at a time, with everything settled that has fallen due until then. All must have
/// been read at one moment.
#[must_use]
pub fn settle_grants(account: &Account, mut grants: Vec<Grant>, until: Timestamp) -> Vec<Grant> {
    if is_due(account, until) {
        let draft = Draft::open(account, until);
        for grant in &mut grants {
            if let Some(lot) = draft.touched_lot(grant.lot.grant_id) {
                grant.lot = lot;
            }
        }
    }
    grants
}

/// Keys of an account as they stand at a time: with what their caps get back from holds that have lapsed until then. All
/// must have been read at one moment.
#[must_use]
pub fn settle_keys(account: &Account, mut keys: Vec<KeyRecord>, until: Timestamp) -> Vec<KeyRecord> {
    if is_due(account, until) {
        let draft = Draft::open(account, until);
        for record in &mut keys {
            record.key = draft.key(&record.key);
        }
    }
    keys
}

fn is_due(account: &Account, until: Timestamp) -> bool {
    account.next_due().is_some_and(|due| due <= until)
}

/// The open hold that a command names.
fn open_hold<'a>(snapshot: &Snapshot, draft: &'a Draft, id: HoldId) -> Result<&'a Hold, Refusal> {
    let account = draft.account();
    if let Some(hold) = account.holds.get(id) {
        return Ok(hold);
    }
    let known =
        draft.has_ended(id) || snapshot.closed_hold(id).is_some_and(|hold| hold.account_id == account.id);
    Err(if known { Refusal::HoldIsClosed } else { Refusal::HoldIsUnknown })
}

/// A request that moves credits, by the name its caller gave it.
struct Named<'a> {
    account_id: AccountId,
    key: &'a IdempotencyKey,
    fingerprint: Fingerprint,
}

impl<'a> Named<'a> {
    fn new(account_id: AccountId, key: &'a IdempotencyKey, fingerprint: Fingerprint) -> Named<'a> {
        Named { account_id, key, fingerprint }
    }

    fn idempotency(&self) -> Idempotency {
        Idempotency { key: self.key.clone(), fingerprint: self.fingerprint }
    }

    /// Answers as the first time, if there was a first time; else decides, and remembers the answer.
    ///
    /// The look-up comes before anything that may have changed since the first time. An unknown account goes
    /// before it, for the account is the scope of the name.
    fn once(
        &self,
        snapshot: &Snapshot,
        clock: Timestamp,
        decide: impl FnOnce(Idempotency) -> Decision,
    ) -> Decision {
        if !snapshot.accounts.contains_key(&self.account_id) {
            return Decision::refused(Refusal::AccountIsUnknown);
        }
        if let Some(first) = snapshot.remembered.get(&(self.account_id, self.key.clone())) {
            if first.fingerprint != self.fingerprint {
                return Decision::refused(Refusal::IdempotencyKeyWasReused);
            }
            let reply = Reply { outcome: first.outcome.clone(), replayed: true };
            return Decision { reply, effects: Effects::default() };
        }
        let mut decision = decide(self.idempotency());
        decision.effects.remembered = self.remember(&decision, clock);
        decision
    }

    fn remember(&self, decision: &Decision, at: Timestamp) -> Option<RememberedChange> {
        let outcome = &decision.reply.outcome;
        if let Outcome::Refused(refusal) = outcome
            && !refusal.is_remembered()
        {
            return None;
        }
        Some(RememberedChange {
            account_id: self.account_id,
            key: self.key.clone(),
            remembered: Remembered { fingerprint: self.fingerprint, outcome: outcome.clone() },
            at,
            has_entry: decision.effects.entries.iter().any(|entry| {
                entry.idempotency.as_ref().is_some_and(|idempotency| idempotency.key == *self.key)
            }),
        })
    }
}
