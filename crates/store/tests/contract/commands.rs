//! Commands with little to say, and a way to apply them.

use std::sync::Arc;

use coffer_ledger::{
    AccountId, Category, ChargeCredits, ChargeId, Command, Cost, CreateAccount, Credits, GrantCredits,
    GrantId, IdempotencyKey, Metadata, Name, Note, Outcome, Priority, Reference, Salt, Timestamp,
};
use coffer_store::{Batch, Store};

pub(crate) fn id(number: u8) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[7] = number;
    bytes
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
        account_id: AccountId::from_bytes(id(account)),
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

/// What a charge is before it is decided how it differs from others.
pub(crate) fn spend(number: u8, account: u8, amount: i64) -> ChargeCredits {
    ChargeCredits {
        id: ChargeId::from_bytes(id(number)),
        account_id: AccountId::from_bytes(id(account)),
        key: None,
        cost: Cost::Credits(credits(amount)),
        note: Note::default(),
        idempotency: IdempotencyKey::try_from(format!("charge-{number}")).expect("visible"),
    }
}

pub(crate) fn noted(reference: &str, salt: u8) -> Note {
    let reference = Reference::try_from(reference.to_owned()).expect("short");
    Note::new(Some(reference), Metadata::default(), Salt([salt; 16]))
}

pub(crate) async fn apply(store: &Arc<dyn Store>, second: i64, commands: Vec<Command>) -> Vec<Outcome> {
    let replies = store.apply(Batch { clock: at(second), commands }).await.expect("a batch is written");
    replies.into_iter().map(|reply| reply.outcome).collect()
}
