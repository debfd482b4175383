//! What only the embedded store must do: a file of an older version is upgraded, and nothing of it is lost.

use std::path::Path;

use coffer_ledger::{
    ChargeCredits, Command, Credits, EntryKind, ExternalId, GrantCredits, GrantStatus, KeyId, KeyLimit,
    KeyStatus, Metadata, Note, Outcome, Period, Reference, Refusal, Reply, Salt,
};
use coffer_store::{AccountFilter, Batch, DataDirectory, Span, SqliteStore, Store};
use rusqlite::Connection;

use crate::commands::{
    account, apply, at, charge, credits, grant, hold, id, noted, refund, secret, spend, used,
};
use crate::entries::{assert_chained, entries_of};
use crate::sqlite::findings;

/// The file as the first version made it, and what the last program of that version wrote into it.
pub(crate) fn write_version_1(directory: &Path) {
    let file = Connection::open(directory.join("coffer.db")).expect("a new file");
    file.pragma_update(None, "journal_mode", "wal").expect("a setting");
    file.execute_batch(include_str!("../../src/sqlite/migrations/0001_ledger.sql")).expect("the schema");
    file.execute_batch(include_str!("version_1.sql")).expect("the rows");
    file.pragma_update(None, "application_id", 0x436f_6672).expect("a setting");
    file.pragma_update(None, "user_version", 1).expect("a setting");
    file.close().expect("a whole file");
}

fn open(directory: &Path) -> std::sync::Arc<dyn Store> {
    let locked = DataDirectory::lock(directory).expect("nobody else is there");
    std::sync::Arc::new(SqliteStore::open(locked).expect("a ledger"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_of_version_1_is_copied_and_everything_is_found() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    write_version_1(directory.path());
    let store = open(directory.path());

    let customer = ExternalId::try_from("customer-1".to_owned()).expect("short");
    let filter = AccountFilter { external_id: Some(customer), status: None };
    let span = Span { before: None, count_max: 9 };
    let page = store.account_records(filter, span).await.expect("a read");
    let record = &page.items[0];
    assert_eq!((record.profile.id, record.profile.metadata.pairs().len()), (account(1), 1));
    let found = &record.account;
    assert_eq!((found.balance.available, found.debt), (credits(-3), credits(3)));
    assert_eq!((found.overdraft_limit, found.seq.0, found.lots_made), (credits(5), 6, 3));
    assert_eq!((found.refund_lot, found.holds.len()), (None, 0));
    let all = store.account_records(AccountFilter::default(), span).await.expect("a read");
    assert_eq!(all.items.len(), 2);

    let (of, grants) = store.grants(account(1), span).await.expect("a read").expect("an account");
    assert_eq!(of, *found);
    let statuses: Vec<GrantStatus> = grants.items.iter().map(|grant| grant.status(at(90))).collect();
    assert_eq!(statuses, [GrantStatus::Pending, GrantStatus::Expired, GrantStatus::Depleted]);
    assert!(grants.items.iter().all(|grant| !grant.lot.is_voided()));
    let references: Vec<Option<&str>> =
        grants.items.iter().map(|grant| grant.reference.as_ref().map(Reference::as_str)).collect();
    assert_eq!(references, [Some("later"), None, Some("invoice 7")]);

    let (_, keys) = store.key_records(account(1), span).await.expect("a read").expect("an account");
    let key = &keys.items[1].key;
    assert_eq!(key.limit, Some(KeyLimit { credits: credits(10), period: Period::Day }));
    assert_eq!((key.spent(at(90)), key.retired.len()), (credits(5), 0));
    assert_eq!(keys.items[0].key.status(at(90)), KeyStatus::Revoked);
    let key_id = KeyId::from_bytes(id(1));
    assert_eq!(store.key_uses(vec![key_id]).await.expect("a read").get(&key_id), Some(&at(80)));
    assert!(store.holder(&secret(1), coffer_ledger::Timestamp::MAX).await.expect("a read").is_some());
    assert!(store.operator_key(&secret(7)).await.expect("a read").is_some());

    let entries = entries_of(&store, account(1)).await;
    assert_chained(&entries);
    let kinds: Vec<EntryKind> = entries.iter().map(|entry| entry.kind).collect();
    let [given, charged, expired] = [EntryKind::Grant, EntryKind::Charge, EntryKind::Expire];
    assert_eq!(kinds, [given, given, charged, charged, expired, charged]);
    let charges = store.charges(coffer_store::ChargeFilter::default(), span).await.expect("a read");
    let amounts: Vec<Credits> = charges.items.iter().map(|charge| charge.credits).collect();
    assert_eq!(amounts, [credits(12), credits(1), credits(4)]);
    assert_eq!(charges.items[2].note.reference.as_ref().map(Reference::as_str), Some("order 8"));
    store.close().await;
    assert_eq!(findings(directory.path()), Vec::<String>::new());

    let copy = Connection::open(directory.path().join("coffer-before-version-4.db")).expect("a copy");
    let number = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    assert_eq!(number("PRAGMA user_version"), 1);
    assert_eq!(number("SELECT count(*) FROM entries"), 6);
    assert_eq!(number("SELECT sum(grants_made) FROM accounts"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_version_1_answered_is_answered_again() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    write_version_1(directory.path());
    let store = open(directory.path());
    let pairs = std::collections::BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    let reference = Reference::try_from("invoice 7".to_owned()).expect("short");
    let note = Note::new(Some(reference), Metadata::try_from(pairs).expect("short"), Salt([9; 16]));
    let by_key = |charge| ChargeCredits { key: used(1), ..charge };
    let commands = vec![
        Command::Grant(GrantCredits { note, ..grant(1, 1, 9) }),
        Command::Grant(GrantCredits { expires_at: Some(at(60)), note: Note::default(), ..grant(2, 1, 6) }),
        Command::Grant(GrantCredits {
            effective_at: Some(at(500)),
            note: noted("later", 9),
            ..grant(3, 1, 4)
        }),
        Command::Charge(ChargeCredits { note: noted("order 8", 9), ..by_key(spend(2, 1, 4)) }),
        Command::Charge(by_key(spend(3, 1, 1))),
        charge(4, 1, 12),
        charge(1, 1, 6),
        charge(1, 1, 7),
    ];
    let replies = store.apply(Batch { clock: at(200), commands }).await.expect("a batch is written");
    let told = |reply: &Reply| match &reply.outcome {
        Outcome::Granted(grant) => grant.lot.remaining,
        Outcome::Charged(charge) => charge.balance.available,
        Outcome::Refused(Refusal::CreditsAreInsufficient { required, .. }) => *required,
        other => panic!("{other:?}"),
    };
    assert!(replies[..7].iter().all(|reply| reply.replayed), "{replies:?}");
    let amounts: Vec<Credits> = replies[..7].iter().map(told).collect();
    assert_eq!(amounts, [9, 6, 4, 11, 10, -3, 6].map(credits));
    assert_eq!(replies[7].outcome, Outcome::Refused(Refusal::IdempotencyKeyWasReused));
    assert_eq!(entries_of(&store, account(1)).await.len(), 6);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgraded_ledger_does_everything_new() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    write_version_1(directory.path());
    let store = open(directory.path());
    // The third grant starts and pays the debt; the charge was paid from a lot that has expired.
    apply(&store, 600, vec![Command::Refund(refund(21, 1, 2)), Command::Hold(hold(5, 1, 3))]).await;
    let found = store.account(account(1)).await.expect("a read").expect("an account");
    assert_eq!((found.balance.available, found.balance.held), (credits(2), credits(3)));
    assert_eq!(found.refund_lot.map(|lot| lot.day), Some(at(600).start_of_day()));
    let (_, key) = store.key_record(KeyId::from_bytes(id(1))).await.expect("a read").expect("a key");
    assert_eq!(key.key.spent(at(600)), credits(1));
    store.close().await;

    let store = open(directory.path());
    let again = store.account(account(1)).await.expect("a read").expect("an account");
    assert_eq!(found, again, "it is upgraded once");
    assert_chained(&entries_of(&store, account(1)).await);
    store.close().await;
    assert_eq!(findings(directory.path()), Vec::<String>::new());
    let files = std::fs::read_dir(directory.path()).expect("a directory");
    let names = files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8"));
    let copies: Vec<String> = names.filter(|name| name.contains("before")).collect();
    assert_eq!(copies, ["coffer-before-version-4.db"]);
}
