//! A ledger with something of everything: each kind of entry, holds and grants in each state, debt, refusals that are
//! remembered, rotated keys, erased text. In accounts of several buckets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coffer_ledger::{
    AccountId, AdjustCredits, AdjustmentId, CaptureAmount, CaptureHold, Category, Command, CreateAccount,
    CreateKey, CreateOperatorKey, Credits, EraseTexts, ExternalId, GrantCredits, HoldCredits, IdempotencyKey,
    KeyId, KeyLimit, KeyUse, Metadata, Note, OperatorKeyId, Period, Priority, Reason, RefundCharge, Reply,
    RotateKey, Salt, Scopes, SecretHash, Seq, UpdateAccount, VoidGrant,
};
use coffer_store::{Batch, Store};

use crate::commands::{
    at, capture, credits, grant, hold, key, noted, one, open, price, refund, release, spend,
};

/// The accounts that the history is of, each in a bucket of its own.
pub(crate) const ACCOUNTS: [u8; 3] = [1, 77, 255];
/// When everything has happened.
pub(crate) const END_SECONDS: i64 = 200;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// What was asked for under a name and can be asked for again, and when.
pub(crate) type Asked = Vec<(i64, Command)>;

/// An id of an account's bucket, which is the account's number as well.
pub(crate) fn own(account: u8, number: u8) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[7] = number;
    bytes[8] = account;
    bytes[15] = account;
    bytes
}

pub(crate) fn account(number: u8) -> AccountId {
    AccountId::from_bytes(own(number, 0))
}

pub(crate) fn secret(account: u8, rotation: u8) -> SecretHash {
    let mut bytes = [account; 32];
    bytes[0] = rotation;
    // A bucket of the directory that is no account's.
    bytes[31] = account.wrapping_mul(3).wrapping_add(rotation);
    SecretHash::from_bytes(bytes)
}

fn key_id(account: u8) -> KeyId {
    KeyId::from_bytes(own(account, 90))
}

fn used(account: u8) -> Option<KeyUse> {
    Some(KeyUse { key_id: key_id(account), secret: secret(account, 0) })
}

/// Gives the ids of a command to an account.
trait Owned {
    fn of(self, account: u8) -> Self;
}

impl Owned for GrantCredits {
    fn of(self, number: u8) -> GrantCredits {
        let id = coffer_ledger::GrantId::from_bytes(own(number, self.id.bytes()[7]));
        GrantCredits { id, account_id: account(number), ..self }
    }
}

impl Owned for coffer_ledger::ChargeCredits {
    fn of(self, number: u8) -> coffer_ledger::ChargeCredits {
        let id = coffer_ledger::ChargeId::from_bytes(own(number, self.id.bytes()[7]));
        coffer_ledger::ChargeCredits { id, account_id: account(number), ..self }
    }
}

impl Owned for HoldCredits {
    fn of(self, number: u8) -> HoldCredits {
        let id = coffer_ledger::HoldId::from_bytes(own(number, self.id.bytes()[7]));
        HoldCredits { id, account_id: account(number), ..self }
    }
}

impl Owned for CaptureHold {
    fn of(self, number: u8) -> CaptureHold {
        let id = coffer_ledger::ChargeId::from_bytes(own(number, self.id.bytes()[7]));
        let hold_id = coffer_ledger::HoldId::from_bytes(own(number, self.hold_id.bytes()[7]));
        CaptureHold { id, hold_id, account_id: account(number), ..self }
    }
}

impl Owned for RefundCharge {
    fn of(self, number: u8) -> RefundCharge {
        let grant =
            |id: coffer_ledger::GrantId| coffer_ledger::GrantId::from_bytes(own(number, id.bytes()[7]));
        RefundCharge {
            id: coffer_ledger::RefundId::from_bytes(own(number, self.id.bytes()[7])),
            charge_id: coffer_ledger::ChargeId::from_bytes(own(number, self.charge_id.bytes()[7])),
            account_id: account(number),
            paid_lot_id: grant(self.paid_lot_id),
            refund_lot_id: grant(self.refund_lot_id),
            ..self
        }
    }
}

/// Makes all of it, and answers what can be asked for again.
pub(crate) async fn make(store: &Arc<dyn Store>) -> Asked {
    let operator_key = CreateOperatorKey {
        id: OperatorKeyId::from_bytes([5; 16]),
        name: "desk".to_owned().try_into().expect("short"),
        secret: SecretHash::from_bytes([9; 32]),
        hint: "…wxyz".to_owned().try_into().expect("short"),
        scopes: Scopes::ALL,
    };
    let catalogue = vec![price(1, "draw", "2.5"), Command::CreateOperatorKey(operator_key)];
    carry_out(store, 0, catalogue).await;
    let mut asked = Vec::new();
    for number in ACCOUNTS {
        for (second, commands) in steps(number) {
            carry_out(store, second, commands.clone()).await;
            asked.extend(commands.into_iter().filter(is_named).map(|command| (second, command)));
        }
    }
    let uses = ACCOUNTS.iter().map(|number| (key_id(*number), at(150))).collect::<BTreeMap<_, _>>();
    store.note_key_uses(uses).await.expect("a write");
    asked
}

async fn carry_out(store: &Arc<dyn Store>, second: i64, commands: Vec<Command>) {
    // On a sharded store a batch has one bucket.
    let mut lanes: BTreeMap<usize, Vec<Command>> = BTreeMap::new();
    for command in commands {
        lanes.entry(store.lane_of(command.bucket())).or_default().push(command);
    }
    for commands in lanes.into_values() {
        store.apply(Batch { clock: at(second), commands }).await.expect("a batch is written");
    }
}

/// What was answered to everything that is asked for again.
pub(crate) async fn ask_again(store: &Arc<dyn Store>, asked: &Asked) -> Vec<Reply> {
    let mut replies = Vec::new();
    for (_, command) in asked {
        let batch = Batch { clock: at(END_SECONDS + 1), commands: vec![command.clone()] };
        replies.extend(store.apply(batch).await.expect("a batch is written"));
    }
    assert!(replies.iter().all(|reply| reply.replayed), "{replies:?}");
    replies
}

/// The kinds of entries there are.
pub(crate) async fn kinds(store: &Arc<dyn Store>) -> BTreeSet<&'static str> {
    let mut kinds = BTreeSet::new();
    for number in ACCOUNTS {
        let entries = crate::entries::entries_of(store, account(number)).await;
        kinds.extend(entries.iter().map(|entry| entry.kind.as_str()));
    }
    kinds
}

fn is_named(command: &Command) -> bool {
    matches!(
        command,
        Command::Grant(_)
            | Command::VoidGrant(_)
            | Command::Adjust(_)
            | Command::Charge(_)
            | Command::Refund(_)
            | Command::Hold(_)
            | Command::Capture(_)
            | Command::Release(_)
    )
}

fn steps(number: u8) -> Vec<(i64, Vec<Command>)> {
    vec![
        (0, beginning(number)),
        (1, spending(number)),
        (2, corrections(number)),
        // The grant that expires has, and so has the hold.
        (100, afterwards(number)),
        (END_SECONDS, vec![debt(number), erasure(number)]),
    ]
}

fn beginning(number: u8) -> Vec<Command> {
    let Command::CreateAccount(opened) = open(1) else { unreachable!("an account is created") };
    let external_id = ExternalId::try_from(format!("customer-{number}")).expect("short");
    let opened = CreateAccount {
        id: account(number),
        external_id: Some(external_id),
        overdraft_limit: credits(20),
        ..opened
    };
    let limit = KeyLimit { credits: credits(500), period: Period::Month };
    let key = CreateKey {
        id: key_id(number),
        account_id: account(number),
        secret: secret(number, 0),
        limit: Some(limit),
        ..key(number, number)
    };
    let metadata = Metadata::try_from(BTreeMap::from([("from".to_owned(), "shop".to_owned())]));
    let reference = "order 1".to_owned().try_into().expect("short");
    let note = Note::new(Some(reference), metadata.expect("short"), Salt([number; 16]));
    let expiring = GrantCredits {
        priority: Priority::new(10).expect("a priority"),
        category: Category::Promotional,
        expires_at: Some(at(50)),
        ..grant(2, number, 80)
    };
    let starting = |number, account, second| GrantCredits {
        effective_at: Some(at(second)),
        ..grant(number, account, 7)
    };
    let grants = [
        GrantCredits { note, ..grant(1, number, 100) },
        expiring,
        starting(3, number, 30),
        starting(4, number, DAY_SECONDS),
        starting(5, number, DAY_SECONDS),
        grant(6, number, 20),
    ];
    let mut commands = vec![Command::CreateAccount(opened), Command::CreateKey(key)];
    commands.extend(grants.map(|grant| Command::Grant(grant.of(number))));
    commands
}

fn spending(number: u8) -> Vec<Command> {
    let mut by_key = spend(11, number, 30).of(number);
    (by_key.key, by_key.note) = (used(number), noted("drawing", 2));
    let mut priced = spend(12, number, 1).of(number);
    (priced.key, priced.cost) = (used(number), one("draw"));
    let mut held = hold(21, number, 20).of(number);
    (held.key, held.note) = (used(number), noted("video", 3));
    let part = CaptureHold {
        amount: CaptureAmount::Credits(credits(5)),
        is_final: false,
        ..capture(31, number, 21).of(number)
    };
    let rest =
        CaptureHold { amount: CaptureAmount::Credits(credits(3)), ..capture(32, number, 21).of(number) };
    let released = hold(22, number, 4).of(number);
    let release = match release(number, 22) {
        Command::Release(row) => {
            let id = coffer_ledger::HoldId::from_bytes(own(number, 22));
            Command::Release(coffer_ledger::ReleaseHold { id, account_id: account(number), ..row })
        }
        other => other,
    };
    let kept = HoldCredits { expires_in_ms: 86_400_000, ..hold(24, number, 9).of(number) };
    vec![
        Command::Charge(by_key),
        Command::Charge(priced),
        Command::Hold(held),
        Command::Capture(part),
        Command::Capture(rest),
        Command::Hold(released),
        release,
        Command::Hold(hold(23, number, 6).of(number)),
        Command::Hold(kept),
    ]
}

fn corrections(number: u8) -> Vec<Command> {
    let adjust = |place: u8, amount: Credits| {
        Command::Adjust(AdjustCredits {
            id: AdjustmentId::from_bytes(own(number, place)),
            account_id: account(number),
            credits: amount,
            allow_negative: false,
            note: Note::of_reason(Reason::try_from("they waited".to_owned()).expect("short"), Salt([4; 16])),
            idempotency: IdempotencyKey::try_from(format!("adjust-{place}")).expect("visible"),
        })
    };
    let void = |grant: u8| {
        Command::VoidGrant(VoidGrant {
            id: coffer_ledger::GrantId::from_bytes(own(number, grant)),
            account_id: account(number),
            idempotency: IdempotencyKey::try_from(format!("void-{grant}")).expect("visible"),
        })
    };
    let rotation = RotateKey {
        id: key_id(number),
        secret: secret(number, 1),
        hint: "…efgh".to_owned().try_into().expect("short"),
        overlap_ms: 3_600_000,
    };
    let beyond = RefundCharge { credits: Some(credits(31)), ..refund(44, number, 11).of(number) };
    let negative = Credits::from_millionths(-1_500_000).expect("in range");
    vec![
        adjust(41, credits(5)),
        adjust(42, negative),
        void(5),
        void(6),
        Command::Charge(spend(13, number, 100_000).of(number)),
        Command::Refund(beyond),
        Command::RotateKey(rotation),
    ]
}

fn afterwards(number: u8) -> Vec<Command> {
    let part = RefundCharge { credits: Some(credits(10)), ..refund(51, number, 11).of(number) };
    vec![
        Command::Refund(part),
        Command::Refund(refund(52, number, 12).of(number)),
        Command::Charge(spend(14, number, 1).of(number)),
    ]
}

fn debt(number: u8) -> Command {
    // All that is left, and a part of the overdraft.
    Command::UpdateAccount(UpdateAccount {
        id: account(number),
        name: None,
        overdraft_limit: Some(credits(30)),
        status: None,
        metadata: None,
    })
}

fn erasure(number: u8) -> Command {
    let (from, through) = (Seq(1), Seq(3));
    Command::EraseTexts(EraseTexts { account_id: account(number), from, through, until: at(0) })
}
