//! Usage is the same whether it is read from the journal, from its sums by day, or from both.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coffer_ledger::{
    ChargeCredits, ChargeId, Command, GrantId, IdempotencyKey, Outcome, RefundCharge, RefundId, Timestamp,
    UuidBytes,
};
use coffer_store::{
    ClockSource, DataDirectory, LaneChoice, MemoryStore, PostgresOptions, PostgresStore, SqliteStore, Store,
    UsageBy,
};
use rusqlite::Connection;

use crate::commands::{
    account, apply, at, charge, credits, grant, id, key, one, open, price, refund, spend, used,
};
use crate::postgres::found;
use crate::{STORES, books, in_postgres, sqlite};

const HOUR: i64 = 60 * 60;
/// Batches, one every five hours, and how many charges each has: more than a day's are summed at a time, and fewer.
const BATCHES: u32 = 12;
const CHARGES: u32 = 300;

/// An id in the bucket of account 1, and none of those that have a small number.
fn numbered(number: u32) -> UuidBytes {
    let mut bytes = id(1);
    bytes[4..8].copy_from_slice(&(1_000 + number).to_be_bytes());
    bytes
}

fn spent(number: u32) -> Command {
    let charge = ChargeCredits {
        id: ChargeId::from_bytes(numbered(number)),
        key: [None, used(1), used(2)][number as usize % 3],
        idempotency: IdempotencyKey::try_from(format!("charge-{number}")).expect("visible"),
        ..spend(0, 1, i64::from(number % 7))
    };
    Command::Charge(match number % 5 {
        0 => ChargeCredits { cost: one("resize"), ..charge },
        1 => ChargeCredits { cost: one("upscale"), ..charge },
        _ => charge,
    })
}

fn given_back(number: u32) -> Command {
    Command::Refund(RefundCharge {
        id: RefundId::from_bytes(numbered(number)),
        charge_id: ChargeId::from_bytes(numbered(number)),
        credits: Some(credits(1)),
        paid_lot_id: GrantId::from_bytes(numbered(1_000_000 + number)),
        refund_lot_id: GrantId::from_bytes(numbered(2_000_000 + number)),
        idempotency: IdempotencyKey::try_from(format!("refund-{number}")).expect("visible"),
        ..refund(0, 1, 0)
    })
}

async fn opened(store: &Arc<dyn Store>) {
    let keys = [1, 2].map(|number| Command::CreateKey(key(number, 1)));
    let prices = [price(1, "resize", "2"), price(2, "upscale", "5")];
    apply(store, 0, [vec![open(1), open(2)], keys.into(), prices.into()].concat()).await;
    apply(store, 0, vec![Command::Grant(grant(1, 1, 1_000_000)), Command::Grant(grant(2, 2, 9))]).await;
    apply(store, 0, vec![charge(99, 2, 4)]).await;
}

/// One of the batches.
async fn work(store: &Arc<dyn Store>, batch: u32) {
    let second = i64::from(batch) * 5 * HOUR;
    let first = batch * CHARGES + 1;
    apply(store, second, (first..first + CHARGES).map(spent).collect()).await;
    apply(store, second + 7, [first + 2, first + 4].map(given_back).into()).await;
}

/// What a naive store says of every stretch between some times, the account's usage by day, key and operation.
async fn assert_like(expected: &Arc<dyn Store>, store: &Arc<dyn Store>, of: &str) {
    let hours = [-30, 0, 5, 14, 24, 35, 48].map(|hour| at(hour * HOUR));
    // Midnights, too: from there to there all days are whole.
    let mut times = [hours.map(Timestamp::start_of_day), hours].concat();
    times.extend([Timestamp::MIN, Timestamp::MAX]);
    times.sort_unstable();
    times.dedup();
    for (from, to) in times.iter().flat_map(|from| times.iter().map(move |to| (*from, *to))) {
        for by in [UsageBy::Day, UsageBy::Key, UsageBy::Operation] {
            let expected = expected.usage(account(1), by, from, to).await.expect("a read");
            let found = store.usage(account(1), by, from, to).await.expect("a read");
            assert_eq!(found, expected, "{of} {by:?} {from} {to}");
        }
    }
}

/// Waits until the sums go through an entry.
async fn summed(through: impl FnMut() -> Option<i64>, entries: i64) {
    summed_within(2_000, through, entries).await;
}

/// The same, with so many looks.
async fn summed_within(looks: usize, mut through: impl FnMut() -> Option<i64>, entries: i64) {
    for _ in 0..looks {
        if through().is_some_and(|through| through >= entries) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("usage is not summed through entry {entries}, but {:?}", through());
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_the_same_however_far_it_is_summed() {
    for (name, fresh) in STORES.into_iter().filter(|(name, _)| *name != "memory") {
        let expected: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let fresh = fresh().await;
        for store in [&expected, &fresh.store] {
            opened(store).await;
        }
        for batch in 0..BATCHES {
            for store in [&expected, &fresh.store] {
                work(store, batch).await;
            }
            if batch % 4 == 1 {
                assert_like(&expected, &fresh.store, &format!("{name} after batch {batch}")).await;
            }
        }
        // The last whole block ends a little before the last entry.
        let last = fresh.store.account(account(1)).await.expect("a read").expect("an account").seq.0;
        let last_block = i64::try_from(last / 512 * 512).expect("few");
        let mut noted: Box<dyn FnMut() -> Option<i64>> = match (&fresh.database, &fresh.directory) {
            (Some(database), _) => {
                Box::new(|| found(database, "SELECT seq FROM usage_through").first()?.parse().ok())
            }
            (None, Some(directory)) => {
                let file = Connection::open(directory.path().join("coffer.db")).expect("a file");
                Box::new(move || file.query_row("SELECT seq FROM usage_through", [], |row| row.get(0)).ok())
            }
            (None, None) => unreachable!("a store that is kept nowhere"),
        };
        summed(&mut noted, last_block).await;
        assert_like(&expected, &fresh.store, &format!("{name} when it is summed")).await;
        let other = fresh.store.usage(account(2), UsageBy::Day, Timestamp::MIN, Timestamp::MAX).await;
        assert_eq!(other.expect("a read").len(), 1, "{name}");
    }
}

/// What is done to the sums of one account, and a part of what must be said. SQLite's text; PostgreSQL has other ids.
const DAMAGES: [(&str, &str); 7] = [
    ("UPDATE usage_days SET charges = charges + 1", "its usage by day is not what its entries come to"),
    ("UPDATE usage_days SET charged = charged - 1", "its usage by day is not what its entries come to"),
    ("UPDATE usage_days SET refunded = refunded + 1", "its usage by day is not what its entries come to"),
    ("DELETE FROM usage_days WHERE operation = 'resize'", "its usage by day is not what its entries come to"),
    ("UPDATE usage_through SET seq = seq + 512", "its usage by day is not what its entries come to"),
    ("UPDATE usage_through SET seq = seq + 5000", "its usage is summed through an entry that is not there"),
    ("DELETE FROM usage_through", "usage"),
];

async fn much_used(store: &Arc<dyn Store>) -> i64 {
    opened(store).await;
    for batch in 0..4 {
        work(store, batch).await;
    }
    1_024
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_sums_in_a_file_is_found() {
    let fresh = sqlite();
    let summed_through = much_used(&fresh.store).await;
    let directory = fresh.directory.expect("it has a directory");
    let path = directory.path().join("coffer.db");
    let file = Connection::open(&path).expect("a file");
    let through = || file.query_row("SELECT seq FROM usage_through", [], |row| row.get(0)).ok();
    summed(through, summed_through).await;
    fresh.store.close().await;
    let findings = || sqlite::findings(directory.path());
    assert_eq!(findings(), Vec::<String>::new());
    file.execute_batch("CREATE TEMP TABLE days AS SELECT * FROM usage_days; CREATE TEMP TABLE through AS SELECT * FROM usage_through")
        .expect("copies");
    for (damage, said) in DAMAGES {
        file.execute_batch(damage).expect(damage);
        assert!(findings().iter().any(|finding| finding.contains(said)), "{damage}: {:#?}", findings());
        file.execute_batch(
            "DELETE FROM usage_days; INSERT INTO usage_days SELECT * FROM days; \
             DELETE FROM usage_through; INSERT INTO usage_through SELECT * FROM through",
        )
        .expect("what was there");
    }
    assert_eq!(findings(), Vec::<String>::new());
    let stranger = "INSERT INTO usage_through VALUES (zeroblob(16), 512)";
    file.execute_batch(stranger).expect(stranger);
    assert!(findings().iter().any(|finding| finding.contains("sums of usage of no account")));
}

/// The ledger of a directory as a version would have left it that had no sums, opened by this one.
fn without_sums(directory: &Path) -> (SqliteStore, Connection) {
    let file = Connection::open(directory.join("coffer.db")).expect("a file");
    file.execute_batch("DELETE FROM usage_days; DELETE FROM usage_through").expect("a change");
    let locked = DataDirectory::lock(directory).expect("nobody else is there");
    (SqliteStore::open(locked).expect("a ledger"), file)
}

fn through(file: &Connection) -> Option<i64> {
    file.query_row("SELECT max(seq) FROM usage_through", [], |row| row.get(0)).expect("an answer")
}

/// What a process left when it ended, or a version that had no sums, is summed after the next start.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_summed_in_a_file_is_summed_after_a_start() {
    let fresh = sqlite();
    let summed_through = much_used(&fresh.store).await;
    fresh.store.close().await;
    let directory = fresh.directory.expect("it has a directory");
    let (store, file) = without_sums(directory.path());
    summed(|| through(&file), summed_through).await;
    store.close().await;
    assert_eq!(sqlite::findings(directory.path()), Vec::<String>::new());
}

/// Charges of nothing, of which there may be many, to an account.
fn nothing(account_number: u8, numbers: std::ops::Range<u32>) -> Vec<Command> {
    let charge = |number: u32| ChargeCredits {
        id: ChargeId::from_bytes(numbered(10_000_000 + u32::from(account_number) * 1_000_000 + number)),
        idempotency: IdempotencyKey::try_from(format!("nothing-{number}")).expect("visible"),
        ..spend(0, account_number, 0)
    };
    numbers.map(charge).map(Command::Charge).collect()
}

/// Whoever ends the store does not wait for what an older version has left to be summed.
#[tokio::test(flavor = "multi_thread")]
async fn closing_a_file_does_not_wait_for_sums() {
    let fresh = sqlite();
    apply(&fresh.store, 0, vec![open(1)]).await;
    for part in 0..4 {
        apply(&fresh.store, 1, nothing(1, part * 10_000..(part + 1) * 10_000)).await;
    }
    fresh.store.close().await;
    let directory = fresh.directory.expect("it has a directory");
    let mut ends = Vec::new();
    // On a busy machine all may be summed before this task is told of the beginning.
    for _ in 0..5 {
        let (store, file) = without_sums(directory.path());
        summed(|| through(&file), 512).await;
        store.close().await;
        ends.extend(through(&file));
        assert_eq!(sqlite::findings(directory.path()), Vec::<String>::new());
    }
    assert!(ends.iter().any(|end| *end < 40_000 / 512 * 512), "it is closed before all is summed: {ends:?}");
}

/// All entries of an account are placed at once when it is new, and so the sweep never comes to it.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_batch_of_an_account_is_summed() {
    for (name, fresh) in STORES.into_iter().filter(|(name, _)| *name != "memory") {
        let fresh = fresh().await;
        apply(&fresh.store, 0, [vec![open(1)], nothing(1, 0..600)].concat()).await;
        eprintln!("on {name}");
        match (&fresh.database, &fresh.directory) {
            (Some(database), _) => {
                let sql = "SELECT seq FROM usage_through";
                summed(|| found(database, sql).first()?.parse().ok(), 512).await;
            }
            (None, Some(directory)) => {
                let file = Connection::open(directory.path().join("coffer.db")).expect("a file");
                summed(|| file.query_row("SELECT seq FROM usage_through", [], |row| row.get(0)).ok(), 512)
                    .await;
            }
            (None, None) => unreachable!("a store that is kept nowhere"),
        }
    }
}

/// A sum that has no room for more, for account 1.
const FULL: &str = "9223372036854775000";

/// The sums of one account are damaged: it works as before, and those of others are summed.
#[tokio::test(flavor = "multi_thread")]
async fn damage_to_one_sum_in_a_file_stops_nobody() {
    let fresh = sqlite();
    let directory = fresh.directory.expect("it has a directory");
    apply(&fresh.store, 0, vec![open(1), open(2), Command::Grant(grant(1, 1, 1_000))]).await;
    let file = Connection::open(directory.path().join("coffer.db")).expect("a file");
    let day = at(0).start_of_day().unix_ms();
    file.execute(
        &format!("INSERT INTO usage_days SELECT id, {day}, zeroblob(16), '', 0, {FULL}, 0 FROM accounts"),
        [],
    )
    .expect("a change");
    file.execute("DELETE FROM usage_days WHERE account_id = (SELECT max(account_id) FROM usage_days)", [])
        .expect("a change");
    apply(&fresh.store, 0, [vec![charge(3, 1, 1)], nothing(1, 0..600)].concat()).await;
    apply(&fresh.store, 0, nothing(2, 0..600)).await;
    let through = || file.query_row("SELECT seq FROM usage_through", [], |row| row.get(0)).ok();
    summed(through, 512).await;
    assert!(matches!(apply(&fresh.store, 1, vec![charge(4, 1, 1)]).await[..], [Outcome::Charged(_)]));
    let entries: i64 =
        file.query_row("SELECT count(*) FROM usage_through", [], |row| row.get(0)).expect("a count");
    assert_eq!(entries, 1, "the damaged one is left alone");
    fresh.store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_one_sum_in_a_database_stops_no_other() {
    let fresh = in_postgres(LaneChoice::AsTheTablesAre).await;
    let database = fresh.database.as_ref().expect("it has a database");
    apply(&fresh.store, 0, vec![open(1), open(2), Command::Grant(grant(1, 1, 1_000))]).await;
    let day = at(0).start_of_day().unix_ms();
    database.execute(&format!(
        "INSERT INTO usage_days SELECT bucket, id, {day}, '00000000-0000-0000-0000-000000000000', '', 0, {FULL}, 0 \
         FROM accounts ORDER BY id LIMIT 1"
    ));
    apply(&fresh.store, 0, [vec![charge(3, 1, 1)], nothing(1, 0..600)].concat()).await;
    apply(&fresh.store, 0, nothing(2, 0..600)).await;
    let through = "SELECT max(seq) FROM usage_through";
    summed(|| found(database, through).first()?.parse().ok(), 512).await;
    assert_eq!(found(database, "SELECT count(*) FROM usage_through WHERE seq > 0"), ["1"]);
    assert!(matches!(apply(&fresh.store, 1, vec![charge(4, 1, 1)]).await[..], [Outcome::Charged(_)]));
    fresh.store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_sums_in_a_database_is_found() {
    let lanes = LaneChoice::AsTheTablesAre;
    let fresh = in_postgres(lanes).await;
    let database = fresh.database.as_ref().expect("it has a database");
    let summed_through = much_used(&fresh.store).await;
    summed(|| found(database, "SELECT seq FROM usage_through").first()?.parse().ok(), summed_through).await;
    fresh.store.close().await;
    database.execute("CREATE SCHEMA kept");
    let tables = ["usage_days", "usage_through"];
    for table in tables {
        database.execute(&format!("CREATE TABLE kept.{table} AS TABLE {table}"));
    }
    let others = [
        ("UPDATE usage_days SET bucket = 9", "rows of usage_days in another bucket"),
        ("UPDATE usage_through SET bucket = 9", "rows of usage_through in another bucket"),
        ("DELETE FROM usage_through", "sums of usage that go through no entry"),
        (
            "INSERT INTO usage_through VALUES (7, '00000000-0000-0000-0000-000000000007', 512)",
            "there are sums of usage of it, and no account",
        ),
    ];
    for (damage, said) in DAMAGES.into_iter().chain(others) {
        assert_eq!(books::findings(database, lanes).await, Vec::<String>::new(), "before {damage}");
        database.execute(damage);
        let findings = books::findings(database, lanes).await;
        assert!(findings.iter().any(|finding| finding.contains(said)), "{damage}: {findings:#?}");
        for table in tables {
            database.execute(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept.{table}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_sum_the_same_add_each_block_once() {
    let lanes = LaneChoice::AsTheTablesAre;
    let fresh = in_postgres(lanes).await;
    let database = fresh.database.as_ref().expect("it has a database");
    let summed_through = much_used(&fresh.store).await;
    let through = || found(database, "SELECT seq FROM usage_through").first()?.parse().ok();
    summed(through, summed_through).await;
    for _ in 0..5 {
        database.execute("DELETE FROM usage_days; DELETE FROM usage_through");
        let url = database.url().parse().expect("a URL of a database");
        let options = PostgresOptions { clock: ClockSource::Sender, lanes, ..PostgresOptions::new(url, 4) };
        let nodes = tokio::join!(
            PostgresStore::open(&options),
            PostgresStore::open(&options),
            PostgresStore::open(&options)
        );
        // What one could not add because of the others is tried again after half a minute.
        summed_within(6_000, through, summed_through).await;
        for node in [nodes.0, nodes.1, nodes.2] {
            node.expect("a node").close().await;
        }
        assert_eq!(books::findings(database, lanes).await, Vec::<String>::new());
    }
}
