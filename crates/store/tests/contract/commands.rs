//! Commands with little to say, and a way to apply them.

use std::sync::Arc;

use coffer_ledger::{
    AccountId, CaptureAmount, CaptureHold, Category, ChargeCredits, ChargeId, Command, Cost, CreateAccount,
    CreateKey, Credits, Excess, GrantCredits, GrantId, Hint, HoldCredits, HoldId, IdempotencyKey, KeyId,
    KeyUse, Metadata, Name, Note, Operation, Outcome, Priority, PutPrice, Quantity, Reference, RefundCharge,
    RefundId, ReleaseHold, Salt, SecretHash, Timestamp,
};
use coffer_store::{Batch, Store};

pub(crate) fn id(number: u8) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[7] = number;
    bytes
}

pub(crate) fn account(number: u8) -> AccountId {
    AccountId::from_bytes(id(number))
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_800_000_000_000 + second * 1000).expect("a time")
}

pub(crate) fn credits(whole: i64) -> Credits {
    Credits::from_whole(whole).expect("in range")
}

pub(crate) fn open(number: u8) -> Command {
    Command::CreateAccount(CreateAccount {
        id: AccountId::from_bytes(id(number)),
        name: Name::try_from(format!("account {number}")).expect("short"),
        external_id: None,
        overdraft_limit: Credits::ZERO,
        metadata: Metadata::default(),
    })
}

pub(crate) fn grant(number: u8, account: u8, amount: i64) -> GrantCredits {
    GrantCredits {
        id: GrantId::from_bytes(id(number)),
        account_id: self::account(account),
        credits: credits(amount),
        category: Category::Paid,
        priority: Priority::DEFAULT,
        effective_at: None,
        expires_at: None,
        note: noted("invoice 7", number),
        idempotency: IdempotencyKey::try_from(format!("grant-{number}")).expect("visible"),
    }
}

pub(crate) fn charge(number: u8, account: u8, amount: i64) -> Command {
    Command::Charge(spend(number, account, amount))
}

/// A charge of one credit, of which there may be any number, to one of two accounts.
pub(crate) fn one_of_many(number: u32) -> Command {
    let mut id = [9; 16];
    id[4..8].copy_from_slice(&number.to_be_bytes());
    Command::Charge(ChargeCredits {
        id: ChargeId::from_bytes(id),
        idempotency: IdempotencyKey::try_from(format!("one-of-many-{number}")).expect("visible"),
        ..spend(0, if number.is_multiple_of(2) { 1 } else { 2 }, 1)
    })
}

/// What a charge is before it is decided how it differs from others.
pub(crate) fn spend(number: u8, account: u8, amount: i64) -> ChargeCredits {
    ChargeCredits {
        id: ChargeId::from_bytes(id(number)),
        account_id: self::account(account),
        key: None,
        cost: Cost::Credits(credits(amount)),
        note: Note::default(),
        idempotency: IdempotencyKey::try_from(format!("charge-{number}")).expect("visible"),
    }
}

/// All that is left of a charge.
pub(crate) fn refund(number: u8, account: u8, charge: u8) -> RefundCharge {
    RefundCharge {
        id: RefundId::from_bytes(id(number)),
        charge_id: ChargeId::from_bytes(id(charge)),
        account_id: self::account(account),
        credits: None,
        paid_lot_id: GrantId::from_bytes(id(number)),
        refund_lot_id: GrantId::from_bytes(id(number + 100)),
        refund_lot_days: 30,
        idempotency: IdempotencyKey::try_from(format!("refund-{number}")).expect("visible"),
    }
}

/// Of a minute.
pub(crate) fn hold(number: u8, account: u8, amount: i64) -> HoldCredits {
    HoldCredits {
        id: HoldId::from_bytes(id(number)),
        account_id: self::account(account),
        key: None,
        cost: Cost::Credits(credits(amount)),
        expires_in_ms: 60_000,
        note: Note::default(),
        idempotency: IdempotencyKey::try_from(format!("hold-{number}")).expect("visible"),
    }
}

/// All of a hold, finally.
pub(crate) fn capture(number: u8, account: u8, hold: u8) -> CaptureHold {
    CaptureHold {
        id: ChargeId::from_bytes(id(number)),
        hold_id: HoldId::from_bytes(id(hold)),
        account_id: self::account(account),
        amount: CaptureAmount::All,
        is_final: true,
        excess: Excess::Refuse,
        idempotency: IdempotencyKey::try_from(format!("capture-{number}")).expect("visible"),
    }
}

pub(crate) fn release(account: u8, hold: u8) -> Command {
    Command::Release(ReleaseHold {
        id: HoldId::from_bytes(id(hold)),
        account_id: self::account(account),
        idempotency: IdempotencyKey::try_from(format!("release-{hold}")).expect("visible"),
    })
}

pub(crate) fn key(number: u8, account: u8) -> CreateKey {
    CreateKey {
        id: KeyId::from_bytes(id(number)),
        account_id: self::account(account),
        name: Name::try_from(format!("key {number}")).expect("short"),
        secret: secret(number),
        hint: Hint::try_from("…abcd".to_owned()).expect("short"),
        expires_at: None,
        limit: None,
        metadata: Metadata::default(),
    }
}

pub(crate) fn secret(number: u8) -> SecretHash {
    SecretHash::from_bytes([number; 32])
}

/// The use of a key whose secret has its number.
pub(crate) fn used(number: u8) -> Option<KeyUse> {
    Some(KeyUse { key_id: KeyId::from_bytes(id(number)), secret: secret(number) })
}

pub(crate) fn price(number: u8, name: &str, rate: &str) -> Command {
    Command::PutPrice(PutPrice {
        id: id(number),
        operation: operation(name),
        rate: rate.parse().expect("a price"),
        unit: None,
        description: None,
    })
}

pub(crate) fn operation(name: &str) -> Operation {
    Operation::try_from(name.to_owned()).expect("short")
}

/// One unit of an operation.
pub(crate) fn one(name: &str) -> Cost {
    Cost::Operation { operation: operation(name), quantity: Quantity::ONE }
}

pub(crate) fn noted(reference: &str, salt: u8) -> Note {
    let reference = Reference::try_from(reference.to_owned()).expect("short");
    Note::new(Some(reference), Metadata::default(), Salt([salt; 16]))
}

pub(crate) async fn apply(store: &Arc<dyn Store>, second: i64, commands: Vec<Command>) -> Vec<Outcome> {
    let replies = store.apply(Batch { clock: at(second), commands }).await.expect("a batch is written");
    replies.into_iter().map(|reply| reply.outcome).collect()
}
