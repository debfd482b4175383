//! How steps become commands: ids, names and salts are minted, places become ids, sizes become amounts.
//!
//! Knows only what a user of the store knows: what was sent, and what was answered.

mod again;
mod moment;
mod objects;

use coffer_ledger::{
    Account, AccountId, AccountStatus, AdjustCredits, AdjustmentId, CaptureAmount, CaptureHold,
    ChargeCredits, ChargeId, Command, Cost, CreateAccount, CreateKey, Credits, DeletePrice, ExternalId,
    GrantCredits, GrantId, Hint, Hold, HoldCredits, HoldId, IdempotencyKey, KeyId, KeyUse, Metadata, Name,
    Note, Priority, PutPrice, Reason, Reference, RefundCharge, RefundId, ReleaseHold, RevokeKey, RotateKey,
    Salt, SecretHash, Settle, Timestamp, UpdateAccount, UpdateKey, UuidBytes, VoidGrant,
};

use self::moment::{Moment, named_operation, positive, quantity, share};
use self::objects::Objects;
use crate::account::{Amount, amount};
use crate::step::{Act, CostOf, Payer, Pick, Portion, Size, Span};

/// Makes commands.
#[derive(Debug, Default)]
pub(super) struct Maker {
    minted: u64,
    objects: Objects,
    sent: Vec<Command>,
    /// The latest time at which a key got another secret.
    rotated_at: Timestamp,
}

impl Maker {
    /// What every history begins with, a batch each: two accounts, a key, two prices.
    pub(super) fn beginning() -> [Act; 5] {
        [
            Act::CreateAccount { external_id: None, overdraft_limit: Size::Whole(10) },
            Act::CreateAccount { external_id: None, overdraft_limit: Size::Whole(1) },
            Act::CreateKey { account: 0, limit: None, expires_at: None, secret: None },
            Act::PutPrice { operation: 0, parts: 1_500_000_000_000 },
            Act::PutPrice { operation: 1, parts: 500_000 },
        ]
    }

    /// The accounts that were made, oldest first.
    pub(super) fn accounts(&self) -> Vec<AccountId> {
        self.objects.accounts.clone()
    }

    pub(super) fn objects(&mut self) -> &mut Objects {
        &mut self.objects
    }

    /// The command of an act, or nothing where it repeats one and none was sent.
    pub(super) fn command(&mut self, act: &Act, clock: Timestamp, accounts: &[Account]) -> Option<Command> {
        let now = Moment { clock, accounts };
        let command = match *act {
            Act::Retry { sent, change } => self.again(sent, change, now)?,
            Act::CreateAccount { external_id, overdraft_limit } => {
                self.create_account(external_id, overdraft_limit, now)
            }
            Act::UpdateAccount { account, status, overdraft_limit } => {
                let id = self.account(account, now);
                Command::UpdateAccount(UpdateAccount {
                    id,
                    name: None,
                    overdraft_limit: overdraft_limit.map(|size| now.credits(size, id)),
                    status,
                    metadata: None,
                })
            }
            Act::Settle { account } => Command::Settle(Settle { account_id: self.account(account, now) }),
            Act::Grant { .. } => self.grant(act, now),
            Act::VoidGrant { grant, stranger } => {
                let (account_id, id) = self.named_grant(grant, stranger, now);
                let idempotency = self.name();
                Command::VoidGrant(VoidGrant { id, account_id, idempotency })
            }
            Act::Adjust { account, credits, is_negative, allow_negative } => {
                let account_id = self.account(account, now);
                let credits = now.credits(credits, account_id);
                let reason = Reason::try_from("because".to_owned()).expect("a short text");
                Command::Adjust(AdjustCredits {
                    id: AdjustmentId::from_bytes(self.mint(account_id, now)),
                    account_id,
                    credits: if is_negative { -credits } else { credits },
                    allow_negative,
                    note: Note::of_reason(reason, self.salt()),
                    idempotency: self.name(),
                })
            }
            Act::Charge { payer, cost, reference } => self.charge(payer, cost, reference, now),
            Act::Refund { charge, stranger, portion, days } => {
                self.refund(charge, stranger, portion, days, now)
            }
            Act::Hold { payer, cost, lasts, reference } => self.hold(payer, cost, lasts, reference, now),
            Act::Capture { .. } => self.capture(act, now),
            Act::Release { hold, stranger } => {
                let (account_id, id) = self.named_hold(hold, stranger, now);
                let idempotency = self.name();
                Command::Release(ReleaseHold { id, account_id, idempotency })
            }
            Act::CreateKey { .. } => self.create_key(act, now),
            Act::UpdateKey { .. } => self.update_key(act, now),
            Act::RotateKey { key, overlap_ms, secret } => {
                let (_, id) = self.named_key(key, now);
                self.rotated_at = self.rotated_at.max(now.clock);
                let secret = self.secret(secret);
                Command::RotateKey(RotateKey { id, secret, hint: hint(), overlap_ms })
            }
            Act::RevokeKey { key } => Command::RevokeKey(RevokeKey { id: self.named_key(key, now).1 }),
            Act::PutPrice { operation, parts } => Command::PutPrice(PutPrice {
                id: self.mint(AccountId::from_bytes([0; 16]), now),
                operation: named_operation(operation),
                rate: format!("{}.{:012}", parts / 1_000_000_000_000, parts % 1_000_000_000_000)
                    .parse()
                    .expect("a rate"),
                unit: None,
                description: None,
            }),
            Act::DeletePrice { operation } => {
                Command::DeletePrice(DeletePrice { operation: named_operation(operation) })
            }
        };
        self.sent.push(command.clone());
        Some(command)
    }

    /// Ids begin with the time, as real ones do; within one millisecond their order is nobody's.
    fn mint(&mut self, account_id: AccountId, now: Moment<'_>) -> UuidBytes {
        self.minted += 1;
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&now.clock.unix_ms().to_be_bytes()[2..]);
        bytes[6..14].copy_from_slice(&self.minted.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        bytes[15] = account_id.bucket().0;
        bytes
    }

    fn name(&mut self) -> IdempotencyKey {
        self.minted += 1;
        IdempotencyKey::try_from(format!("request-{}", self.minted)).expect("a visible name")
    }

    fn salt(&mut self) -> Salt {
        self.minted += 1;
        let mut salt = [7; 16];
        salt[..8].copy_from_slice(&self.minted.to_be_bytes());
        Salt(salt)
    }

    fn note(&mut self, reference: Option<u8>) -> Note {
        let text = reference.map(|number| format!("reference {number}"));
        let reference = text.map(|text| Reference::try_from(text).expect("a short text"));
        Note::new(reference, Metadata::default(), self.salt())
    }

    /// A new secret, or one that is known already.
    fn secret(&mut self, known: Option<Pick>) -> SecretHash {
        if let Some(secret) = known.and_then(|pick| self.objects.any_secret(pick)) {
            return secret;
        }
        self.minted += 1;
        let mut bytes = [9; 32];
        bytes[..8].copy_from_slice(&self.minted.to_be_bytes());
        SecretHash::from_bytes(bytes)
    }

    /// An account; closed ones come last, for nothing happens on them any more.
    fn account(&self, pick: Pick, now: Moment<'_>) -> AccountId {
        let is_closed =
            |id: &AccountId| now.account(*id).is_some_and(|account| account.status == AccountStatus::Closed);
        let mut accounts = self.objects.accounts.clone();
        accounts.sort_by_key(is_closed);
        accounts[usize::from(pick) % accounts.len()]
    }

    /// Another account than this one.
    fn stranger_to(&self, id: AccountId) -> AccountId {
        let other = self.objects.accounts.iter().find(|other| **other != id);
        *other.expect("every history has two accounts")
    }

    fn named_grant(&mut self, pick: Pick, stranger: bool, now: Moment<'_>) -> (AccountId, GrantId) {
        let unknown = (self.account(0, now), GrantId::from_bytes(self.mint(self.account(0, now), now)));
        let (owner, id) = self.objects.grant(pick).unwrap_or(unknown);
        (if stranger { self.stranger_to(owner) } else { owner }, id)
    }

    fn named_hold(&mut self, pick: Pick, stranger: bool, now: Moment<'_>) -> (AccountId, HoldId) {
        let unknown = (self.account(0, now), HoldId::from_bytes(self.mint(self.account(0, now), now)));
        // Mostly an open one: most holds have ended long ago.
        let is_open = |(owner, id): (AccountId, HoldId)| {
            now.account(owner).is_some_and(|owner| owner.holds.get(id).is_some())
        };
        let (owner, id) = self.objects.hold(pick, is_open).unwrap_or(unknown);
        (if stranger { self.stranger_to(owner) } else { owner }, id)
    }

    fn named_key(&mut self, pick: Pick, now: Moment<'_>) -> (AccountId, KeyId) {
        let unknown = (self.account(0, now), KeyId::from_bytes(self.mint(self.account(0, now), now)));
        self.objects.key(pick).unwrap_or(unknown)
    }

    fn payer(&mut self, payer: Payer, now: Moment<'_>) -> (AccountId, Option<KeyUse>) {
        match payer {
            Payer::Account(account) => (self.account(account, now), None),
            Payer::Key { key, secret } => {
                let (account_id, key_id) = self.named_key(key, now);
                // Whether a secret that was replaced opens anything while the clock lies before that, nobody says.
                let secret = if now.clock < self.rotated_at { 0 } else { secret };
                let secret = self.objects.secret(key_id, secret).unwrap_or_else(|| self.secret(None));
                (account_id, Some(KeyUse { key_id, secret }))
            }
            Payer::StrangeKey { account, key } => {
                let (owner, key_id) = self.named_key(key, now);
                let secret = self.objects.secret(key_id, 0).unwrap_or_else(|| self.secret(None));
                let account_id = self.account(account, now);
                let payer = if account_id == owner { self.stranger_to(owner) } else { account_id };
                (payer, Some(KeyUse { key_id, secret }))
            }
        }
    }

    fn create_account(&mut self, external_id: Option<u8>, overdraft: Size, now: Moment<'_>) -> Command {
        self.minted += 1;
        let bucket = u8::try_from(self.minted % 256).expect("a rest of a byte");
        let id = AccountId::from_bytes(self.mint(AccountId::from_bytes([bucket; 16]), now));
        let external_id = external_id.map(|number| format!("customer {number}"));
        Command::CreateAccount(CreateAccount {
            id,
            name: Name::try_from("an account".to_owned()).expect("a short name"),
            external_id: external_id.map(|text| ExternalId::try_from(text).expect("a short text")),
            overdraft_limit: now.credits(overdraft, id),
            metadata: Metadata::default(),
        })
    }

    fn grant(&mut self, act: &Act, now: Moment<'_>) -> Command {
        let Act::Grant { account, credits, category, priority, effective_at, expires_at, reference } = *act
        else {
            unreachable!("this makes grants")
        };
        let account_id = self.account(account, now);
        Command::Grant(GrantCredits {
            id: GrantId::from_bytes(self.mint(account_id, now)),
            account_id,
            credits: now.credits(credits, account_id),
            category,
            priority: Priority::new(priority).expect("a priority up to 100"),
            effective_at: effective_at.map(|when| now.time(when, account_id)),
            expires_at: expires_at.map(|when| now.time(when, account_id)),
            note: self.note(reference),
            idempotency: self.name(),
        })
    }

    fn charge(&mut self, payer: Payer, cost: CostOf, reference: Option<u8>, now: Moment<'_>) -> Command {
        let (account_id, key) = self.payer(payer, now);
        Command::Charge(ChargeCredits {
            id: ChargeId::from_bytes(self.mint(account_id, now)),
            account_id,
            key,
            cost: now.cost(cost, account_id),
            note: self.note(reference),
            idempotency: self.name(),
        })
    }

    fn hold(
        &mut self,
        payer: Payer,
        cost: CostOf,
        lasts: Span,
        reference: Option<u8>,
        now: Moment<'_>,
    ) -> Command {
        let (account_id, key) = self.payer(payer, now);
        let cost = match now.cost(cost, account_id) {
            Cost::Credits(Credits::ZERO) => now.cost(CostOf::Credits(Size::Millionths(1)), account_id),
            other => other,
        };
        Command::Hold(HoldCredits {
            id: HoldId::from_bytes(self.mint(account_id, now)),
            account_id,
            key,
            cost,
            expires_in_ms: now.span_ms(lasts, account_id),
            note: self.note(reference),
            idempotency: self.name(),
        })
    }

    fn capture(&mut self, act: &Act, now: Moment<'_>) -> Command {
        let Act::Capture { hold, stranger, portion, is_final, excess } = *act else {
            unreachable!("this makes captures")
        };
        let (account_id, hold_id) = self.named_hold(hold, stranger, now);
        let left = now.account(account_id).and_then(|account| account.holds.get(hold_id)).map(Hold::left);
        let left = left.map_or(0, amount);
        let amount = match portion {
            Portion::All => CaptureAmount::All,
            Portion::Nothing => CaptureAmount::Credits(Credits::ZERO),
            Portion::Left { nudge } => CaptureAmount::Credits(positive(left + Amount::from(nudge))),
            Portion::Share { hundredths } => CaptureAmount::Credits(share(left, hundredths)),
            Portion::Credits(size) => CaptureAmount::Credits(now.credits(size, account_id)),
            Portion::Quantity { millionths } => CaptureAmount::Quantity(quantity(millionths)),
        };
        Command::Capture(CaptureHold {
            id: ChargeId::from_bytes(self.mint(account_id, now)),
            hold_id,
            account_id,
            amount,
            // Nothing may only be captured at the end.
            is_final: is_final || portion == Portion::Nothing,
            excess,
            idempotency: self.name(),
        })
    }

    fn refund(&mut self, pick: Pick, stranger: bool, portion: Portion, days: u8, now: Moment<'_>) -> Command {
        let unknown = (self.account(0, now), ChargeId::from_bytes(self.mint(self.account(0, now), now)), 0);
        let (owner, charge_id, charged) = self.objects.charge(pick).unwrap_or(unknown);
        let account_id = if stranger { self.stranger_to(owner) } else { owner };
        let credits = match portion {
            Portion::All | Portion::Nothing => None,
            Portion::Left { nudge } => Some(positive(charged + Amount::from(nudge))),
            Portion::Share { hundredths } => Some(share(charged, hundredths)),
            Portion::Credits(size) => Some(now.credits(size, account_id)),
            Portion::Quantity { millionths } => Some(positive(Amount::from(millionths))),
        };
        Command::Refund(RefundCharge {
            id: RefundId::from_bytes(self.mint(account_id, now)),
            charge_id,
            account_id,
            credits,
            paid_lot_id: GrantId::from_bytes(self.mint(account_id, now)),
            refund_lot_id: GrantId::from_bytes(self.mint(account_id, now)),
            refund_lot_days: u16::from(days),
            idempotency: self.name(),
        })
    }

    fn create_key(&mut self, act: &Act, now: Moment<'_>) -> Command {
        let Act::CreateKey { account, limit, expires_at, secret } = *act else {
            unreachable!("this makes keys")
        };
        let account_id = self.account(account, now);
        Command::CreateKey(CreateKey {
            id: KeyId::from_bytes(self.mint(account_id, now)),
            account_id,
            name: Name::try_from("a key".to_owned()).expect("a short name"),
            secret: self.secret(secret),
            hint: hint(),
            expires_at: expires_at.map(|when| now.time(when, account_id)),
            limit: limit.map(|limit| now.limit(limit, account_id)),
            metadata: Metadata::default(),
        })
    }

    fn update_key(&mut self, act: &Act, now: Moment<'_>) -> Command {
        let Act::UpdateKey { key, limit, expires_at, disabled } = *act else {
            unreachable!("this changes keys")
        };
        let (account_id, id) = self.named_key(key, now);
        Command::UpdateKey(UpdateKey {
            id,
            name: None,
            expires_at: expires_at.map(|when| when.map(|when| now.time(when, account_id))),
            limit: limit.map(|limit| limit.map(|limit| now.limit(limit, account_id))),
            disabled,
            metadata: None,
        })
    }
}

fn hint() -> Hint {
    Hint::try_from("…0000".to_owned()).expect("a short text")
}
