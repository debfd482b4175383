//! Rows as commands, with what a service fills in: ids, salts, hashes of secrets, defaults.

use coffer_ledger::limits::{HOLD_MS_DEFAULT, REFUND_LOT_DAYS_DEFAULT};
use coffer_ledger::{
    AccountId, AccountStatus, AdjustCredits, AdjustmentId, Bucket, CaptureHold, Category, ChargeCredits,
    ChargeId, Command, Cost, CreateAccount, CreateKey, Credits, DeletePrice, ExternalId, GrantCredits,
    GrantId, Hint, HoldCredits, HoldId, IdempotencyKey, KeyId, KeyLimit, KeyUse, Metadata, Name, Note,
    Operation, Priority, PutPrice, Quantity, Reason, Reference, RefundCharge, RefundId, ReleaseHold,
    RevokeKey, RotateKey, Salt, SecretHash, Settle, Timestamp, UpdateAccount, UpdateKey, VoidGrant,
};
use coffer_scenarios::{Action, CaptureRow, GrantRow, Payer, RowCost, SpendingRow};

use super::StoreDriver;

/// What nothing that was minted has.
const NOBODY: [u8; 16] = [9; 16];

impl StoreDriver {
    /// The command of a row, or `None` where it looks.
    pub(super) fn command(&mut self, action: &Action) -> Option<Command> {
        Some(match action {
            Action::Open { account, overdraft, external_id } => {
                Command::CreateAccount(self.open(account, *overdraft, external_id.clone()))
            }
            Action::SetStatus { account, status } => self.update_account(account, Some(*status), None),
            Action::SetOverdraft { account, limit } => self.update_account(account, None, Some(*limit)),
            Action::Settle { account } => Command::Settle(Settle { account_id: self.account(account) }),
            Action::Grant(row) => Command::Grant(self.grant(row)),
            Action::Void { grant, name } => Command::VoidGrant(self.void(grant, name)),
            Action::Adjust { account, credits, allow_negative, name } => {
                Command::Adjust(self.adjust(account, *credits, *allow_negative, name))
            }
            Action::Charge(row) => Command::Charge(self.charge(row)),
            Action::Refund { charge, credits, name } => Command::Refund(self.refund(charge, *credits, name)),
            Action::Hold { spending, expires_in_ms } => Command::Hold(self.hold(spending, *expires_in_ms)),
            Action::Capture(row) => Command::Capture(self.capture(row)),
            Action::Release { hold, name } => Command::Release(self.release(hold, name)),
            Action::CreateKey(row) => {
                let secret = secret(&row.name, 0);
                self.create_key(&row.name, &row.account, secret, row.expires_at, row.limit)
            }
            Action::ImportKey { key, account, secret: text } => {
                self.create_key(key, account, secret(text, 0), None, None)
            }
            Action::SetDisabled { key, disabled } => self.update_key(key, Some(*disabled), None),
            Action::SetLimit { key, limit } => self.update_key(key, None, Some(*limit)),
            Action::Rotate { key, overlap_ms } => self.rotate(key, *overlap_ms),
            Action::Revoke { key } => Command::RevokeKey(RevokeKey { id: self.key(key) }),
            Action::PutPrice { operation: name, rate } => Command::PutPrice(PutPrice {
                id: self.mint(Bucket::CATALOGUE),
                operation: operation(name),
                rate: *rate,
                unit: None,
                description: None,
            }),
            Action::DeletePrice { operation: name } => {
                Command::DeletePrice(DeletePrice { operation: operation(name) })
            }
            Action::Look(_) => return None,
        })
    }

    fn account(&self, name: &str) -> AccountId {
        self.names.accounts.get(name).copied().unwrap_or_else(|| AccountId::from_bytes(NOBODY))
    }

    fn key(&self, name: &str) -> KeyId {
        self.names.keys.get(name).map_or_else(|| KeyId::from_bytes(NOBODY), |key| key.id)
    }

    /// An account to look in for what does not exist.
    fn any_account(&self) -> AccountId {
        self.names.accounts.values().copied().next().expect("a scenario begins with an account")
    }

    fn open(&mut self, account: &str, overdraft: Credits, external_id: Option<String>) -> CreateAccount {
        CreateAccount {
            id: AccountId::from_bytes(self.mint_account()),
            name: name(account),
            external_id: external_id.map(|text| ExternalId::try_from(text).expect("short")),
            overdraft_limit: overdraft,
            metadata: Metadata::default(),
        }
    }

    fn update_account(
        &self,
        account: &str,
        status: Option<AccountStatus>,
        overdraft_limit: Option<Credits>,
    ) -> Command {
        let id = self.account(account);
        Command::UpdateAccount(UpdateAccount { id, name: None, overdraft_limit, status, metadata: None })
    }

    fn grant(&mut self, row: &GrantRow) -> GrantCredits {
        GrantCredits {
            id: GrantId::from_bytes(self.mint(self.account(&row.account).bucket())),
            account_id: self.account(&row.account),
            credits: row.credits,
            category: row.category.unwrap_or(Category::Paid),
            priority: row.priority.unwrap_or(Priority::DEFAULT),
            effective_at: row.effective_at,
            expires_at: row.expires_at,
            note: self.note(row.reference.as_deref()),
            idempotency: idempotency(&row.name),
        }
    }

    fn void(&self, grant: &str, name: &str) -> VoidGrant {
        let known = self.names.grants.get(grant).copied();
        let (account_id, id) = known.unwrap_or_else(|| (self.any_account(), GrantId::from_bytes(NOBODY)));
        VoidGrant { id, account_id, idempotency: idempotency(name) }
    }

    fn adjust(&mut self, account: &str, credits: Credits, allow_negative: bool, name: &str) -> AdjustCredits {
        let reason = Reason::try_from("a correction".to_owned()).expect("short");
        AdjustCredits {
            id: AdjustmentId::from_bytes(self.mint(self.account(account).bucket())),
            account_id: self.account(account),
            credits,
            allow_negative,
            note: Note::of_reason(reason, self.salt()),
            idempotency: idempotency(name),
        }
    }

    fn charge(&mut self, row: &SpendingRow) -> ChargeCredits {
        let (account_id, key) = self.payer(&row.payer);
        ChargeCredits {
            id: ChargeId::from_bytes(self.mint(account_id.bucket())),
            account_id,
            key,
            cost: cost(&row.cost),
            note: self.note(row.reference.as_deref()),
            idempotency: idempotency(&row.name),
        }
    }

    fn refund(&mut self, charge: &str, credits: Option<Credits>, name: &str) -> RefundCharge {
        let known = self.names.charges.get(charge).copied();
        let (account_id, charge_id) =
            known.unwrap_or_else(|| (self.any_account(), ChargeId::from_bytes(NOBODY)));
        RefundCharge {
            id: RefundId::from_bytes(self.mint(account_id.bucket())),
            charge_id,
            account_id,
            credits,
            paid_lot_id: GrantId::from_bytes(self.mint(account_id.bucket())),
            refund_lot_id: GrantId::from_bytes(self.mint(account_id.bucket())),
            refund_lot_days: REFUND_LOT_DAYS_DEFAULT,
            idempotency: idempotency(name),
        }
    }

    fn hold(&mut self, row: &SpendingRow, expires_in_ms: Option<u32>) -> HoldCredits {
        let (account_id, key) = self.payer(&row.payer);
        HoldCredits {
            id: HoldId::from_bytes(self.mint(account_id.bucket())),
            account_id,
            key,
            cost: cost(&row.cost),
            expires_in_ms: expires_in_ms.unwrap_or(HOLD_MS_DEFAULT),
            note: self.note(row.reference.as_deref()),
            idempotency: idempotency(&row.name),
        }
    }

    fn capture(&mut self, row: &CaptureRow) -> CaptureHold {
        let (account_id, hold_id) = self.held(&row.hold);
        CaptureHold {
            id: ChargeId::from_bytes(self.mint(account_id.bucket())),
            hold_id,
            account_id,
            amount: row.amount,
            is_final: row.is_final.unwrap_or(true),
            excess: row.excess.unwrap_or_default(),
            idempotency: idempotency(&row.name),
        }
    }

    fn release(&self, hold: &str, name: &str) -> ReleaseHold {
        let (account_id, id) = self.held(hold);
        ReleaseHold { id, account_id, idempotency: idempotency(name) }
    }

    fn held(&self, hold: &str) -> (AccountId, HoldId) {
        let known = self.names.holds.get(hold).copied();
        known.unwrap_or_else(|| (self.any_account(), HoldId::from_bytes(NOBODY)))
    }

    fn payer(&self, payer: &Payer) -> (AccountId, Option<KeyUse>) {
        match payer {
            Payer::Account(account) => (self.account(account), None),
            Payer::Key(secret) => {
                let known = &self.names.keys[&secret.key];
                let used = KeyUse { key_id: known.id, secret: self.names.secret(secret) };
                (known.account_id, Some(used))
            }
        }
    }

    fn create_key(
        &mut self,
        key: &str,
        account: &str,
        secret: SecretHash,
        expires_at: Option<Timestamp>,
        limit: Option<KeyLimit>,
    ) -> Command {
        Command::CreateKey(CreateKey {
            id: KeyId::from_bytes(self.mint(self.account(account).bucket())),
            account_id: self.account(account),
            name: name(key),
            secret,
            hint: hint(),
            expires_at,
            limit,
            metadata: Metadata::default(),
        })
    }

    fn update_key(&self, key: &str, disabled: Option<bool>, limit: Option<Option<KeyLimit>>) -> Command {
        let id = self.key(key);
        Command::UpdateKey(UpdateKey { id, name: None, expires_at: None, limit, disabled, metadata: None })
    }

    fn rotate(&self, key: &str, overlap_ms: Option<u32>) -> Command {
        let rotations = self.names.keys.get(key).map_or(0, |known| known.secrets.len());
        Command::RotateKey(RotateKey {
            id: self.key(key),
            secret: secret(key, rotations),
            hint: hint(),
            overlap_ms: overlap_ms.unwrap_or(0),
        })
    }

    fn note(&self, reference: Option<&str>) -> Note {
        let reference = reference.map(|text| Reference::try_from(text.to_owned()).expect("short"));
        Note::new(reference, Metadata::default(), self.salt())
    }

    /// Another one for every command.
    fn salt(&self) -> Salt {
        Salt((u128::from(self.minted) << 64).to_be_bytes())
    }
}

fn cost(cost: &RowCost) -> Cost {
    match cost {
        RowCost::Credits(credits) => Cost::Credits(*credits),
        RowCost::Operation { operation: name, quantity } => {
            Cost::Operation { operation: operation(name), quantity: quantity.unwrap_or(Quantity::ONE) }
        }
    }
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).expect("a short name")
}

fn operation(text: &str) -> Operation {
    Operation::try_from(text.to_owned()).expect("a short name")
}

fn idempotency(text: &str) -> IdempotencyKey {
    IdempotencyKey::try_from(text.to_owned()).expect("a visible name")
}

fn hint() -> Hint {
    Hint::try_from("…".to_owned()).expect("short")
}

/// What stands for the hash of a secret: the text and how often its key was rotated, folded into 32 bytes.
fn secret(text: &str, rotations: usize) -> SecretHash {
    let mut bytes = [0_u8; 32];
    for (place, byte) in text.bytes().enumerate() {
        bytes[place % 31] = bytes[place % 31].rotate_left(3) ^ byte;
    }
    bytes[31] = u8::try_from(rotations).expect("a few rotations");
    SecretHash::from_bytes(bytes)
}
