//! Whether a ledger that is moved to a database is the same there, wherever the moving breaks off.

use std::path::Path;
use std::sync::Arc;

use coffer_ledger::{Command, Credits, SessionOf};
use coffer_store::{
    AccountFilter, ActionFilter, Batch, ChargeFilter, DataDirectory, FileError, HoldFilter, LaneChoice,
    MigrateError, Migrated, OpenError, PostgresError, PostgresStore, Progress, Span, SqliteStore, Store,
    migrate,
};
use coffer_test_postgres::{Cluster, Database};
use tempfile::TempDir;

use crate::books::{findings, options};
use crate::commands::{at, charge, grant, id, open};
use crate::driver::StoreDriver;
use crate::entries::entries_of;
use crate::history::{self, ACCOUNTS, END_SECONDS, account};
use crate::upgrade::write_version_1;
use crate::{Fresh, commands, people};

const FORMS: [LaneChoice; 2] = [LaneChoice::AsTheTablesAre, LaneChoice::OnePerBucket];

fn embedded(directory: &Path) -> Arc<dyn Store> {
    let locked = DataDirectory::lock(directory).expect("nobody else is there");
    Arc::new(SqliteStore::open(locked).expect("a ledger"))
}

async fn shared(database: &Database, lanes: LaneChoice) -> Arc<dyn Store> {
    Arc::new(PostgresStore::open(&options(database, lanes)).await.expect("a ledger"))
}

fn nothing(_: Progress) {}

/// Everything that can be looked at, as text that two stores can be compared by.
async fn everything(store: &Arc<dyn Store>) -> Vec<String> {
    let span = Span { before: None, count_max: 100 };
    let mut seen = vec![
        format!("{:?}", store.account_records(AccountFilter::default(), span).await),
        format!("{:?}", store.charges(ChargeFilter::default(), span).await),
        format!("{:?}", store.prices(span).await),
        format!("{:?}", store.operator_keys(span).await),
        format!("{:?}", store.operator_sessions(span).await),
        format!("{:?}", store.actions(ActionFilter::default(), span).await),
    ];
    let all = HoldFilter { account_id: None, status: None, at: at(END_SECONDS) };
    seen.push(format!("{:?}", store.holds(all, span).await));
    for number in ACCOUNTS {
        let id = account(number);
        seen.push(format!("{:?}", entries_of(store, id).await));
        seen.push(format!("{:?}", store.grants(id, span).await));
        seen.push(format!("{:?}", store.sessions_of(SessionOf::Account(id)).await));
        let keys = store.key_records(id, span).await.expect("a read").expect("an account").1;
        let ids = keys.items.iter().map(|record| record.key.id).collect();
        seen.push(format!("{keys:?} {:?}", store.key_uses(ids).await));
        seen.push(format!("{:?}", store.last_entry(id, at(2)).await));
        let holder = store.holder(&history::secret(number, 1), at(2)).await.expect("a read");
        seen.push(format!("{:?}", holder.map(|holder| (holder.key.id, holder.account.balance))));
        let before = store.holder(&history::secret(number, 0), at(2)).await.expect("a read");
        seen.push(format!("{:?}", before.map(|holder| holder.key.id)));
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_moved() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = embedded(directory.path());
    let asked = history::make(&store).await;
    people::make(&store, END_SECONDS + 1).await;
    let (replies, seen) = (history::ask_again(&store, &asked).await, everything(&store).await);
    store.close().await;
    drop(store);
    for lanes in FORMS {
        let database = Cluster::shared().fresh_database();
        let moved =
            migrate(directory.path(), &options(&database, lanes), nothing).await.expect("it is moved");
        assert_eq!(moved.accounts, ACCOUNTS.len() as u64);
        assert_eq!(findings(&database, lanes).await, Vec::<String>::new());
        let there = shared(&database, lanes).await;
        for (here, there) in seen.iter().zip(everything(&there).await) {
            assert_eq!(*here, there, "{lanes:?}");
        }
        assert_eq!(history::ask_again(&there, &asked).await, replies, "{lanes:?}");
    }
    let store = embedded(directory.path());
    assert_eq!(everything(&store).await, seen, "the directory is as it was");
    assert_eq!(history::ask_again(&store, &asked).await, replies);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_as_told_when_the_ledger_is_moved_in_the_middle() {
    struct Moving {
        directory: TempDir,
        database: Arc<Database>,
        driver: StoreDriver,
        rows_left: usize,
    }

    impl coffer_scenarios::Driver for Moving {
        async fn run(&mut self, at: coffer_ledger::Timestamp, action: &coffer_scenarios::Action) -> String {
            self.rows_left = self.rows_left.wrapping_sub(1);
            if self.rows_left == 0 {
                let move_it = async |old: Arc<dyn Store>| {
                    old.close().await;
                    drop(old);
                    let lanes = LaneChoice::AsTheTablesAre;
                    let to = options(&self.database, lanes);
                    migrate(self.directory.path(), &to, nothing).await.expect("it is moved");
                    shared(&self.database, lanes).await
                };
                self.driver.reopen(move_it).await;
            }
            self.driver.run(at, action).await
        }
    }

    let mut scenarios = 0;
    coffer_scenarios::check_all(async || {
        scenarios += 1;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let fresh = Fresh { store: embedded(directory.path()), directory: None, database: None };
        let database = Arc::new(Cluster::shared().fresh_database());
        Moving { directory, database, driver: StoreDriver::new(fresh), rows_left: 4 + scenarios % 7 }
    })
    .await;
}

/// Charges of a ledger that takes several portions to move: most of them of one account.
const CHARGES: u32 = 11_000;

async fn many_entries(directory: &Path) {
    let store = embedded(directory);
    let mut commands = Vec::new();
    for number in 1..=40 {
        commands.extend([open(number), Command::Grant(grant(number, number, 1_000_000))]);
    }
    store.apply(Batch { clock: at(0), commands }).await.expect("a batch is written");
    for from in (0..CHARGES).step_by(1_000) {
        let commands = (from..from + 1_000).map(|place| {
            let payer = if place % 4 == 0 { u8::try_from(place % 39).expect("small") + 2 } else { 1 };
            let Command::Charge(mut spent) = charge(1, payer, 1) else { unreachable!("a charge") };
            let mut bytes = id(1);
            bytes[..4].copy_from_slice(&place.to_be_bytes());
            spent.id = coffer_ledger::ChargeId::from_bytes(bytes);
            spent.idempotency = format!("charge-{place}").try_into().expect("visible");
            Command::Charge(spent)
        });
        let batch = Batch { clock: at(1), commands: commands.collect() };
        store.apply(batch).await.expect("a batch is written");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_goes_on() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    many_entries(directory.path()).await;
    let lanes = LaneChoice::AsTheTablesAre;
    for portions in 1..=3 {
        let database = Cluster::shared().fresh_database();
        let to = options(&database, lanes);
        let (mut left, mut copied) = (portions, 0);
        let broken = migrate(directory.path(), &to, |progress| {
            left -= 1;
            if left == 0 {
                let Progress::Copied { accounts, .. } = progress else {
                    panic!("there are several portions")
                };
                copied = accounts;
                database.terminate_backends();
            }
        });
        let broken = broken.await.expect_err("the connections are gone");
        assert!(matches!(broken, MigrateError::BrokenOff(_)), "{broken}");

        let refused = PostgresStore::open(&to).await.expect_err("it is half a ledger");
        assert!(matches!(refused, PostgresError::IsBeingFilled), "{refused}");
        let refused = PostgresStore::verify(&to, |_| {}).await.expect_err("it is half a ledger");
        assert!(matches!(refused, PostgresError::IsBeingFilled), "{refused}");

        let mut first = None;
        let moved = migrate(directory.path(), &to, |progress| {
            first.get_or_insert(progress);
        });
        let moved = moved.await.expect("it goes on");
        assert_eq!(moved, Migrated { accounts: 40, entries: u64::from(CHARGES) + 40 });
        match first {
            Some(Progress::Copied { accounts, .. }) => {
                // The first account takes several portions, and is not there before the last of them.
                assert!(accounts >= copied && (portions == 1 || copied > 0), "{accounts} {copied}");
            }
            Some(Progress::Verifying) => assert_eq!(copied, 40, "nothing was left to copy"),
            None => panic!("it has not told how far it is"),
        }
        let refused = migrate(directory.path(), &to, nothing).await.expect_err("it is done");
        assert!(matches!(refused, MigrateError::Target(PostgresError::HoldsALedger)), "{refused}");
        assert_eq!(findings(&database, lanes).await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_ledger_does_not_go_on_with_it() {
    let (one, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    many_entries(one.path()).await;
    let store = embedded(other.path());
    history::make(&store).await;
    store.close().await;
    let database = Cluster::shared().fresh_database();
    let to = options(&database, LaneChoice::AsTheTablesAre);
    let mut count = 0;
    let broken = migrate(one.path(), &to, |_| {
        count += 1;
        if count == 3 {
            database.terminate_backends();
        }
    });
    broken.await.expect_err("the connections are gone");
    let refused = migrate(other.path(), &to, nothing).await.expect_err("it is another ledger");
    assert!(matches!(refused, MigrateError::AnotherLedger(_)), "{refused}");
    migrate(one.path(), &to, nothing).await.expect("it goes on");
}

/// Two operators who migrate copies of one ledger to one database: the second is told, and takes nothing from the first.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_migrate_at_once_one_is_refused() {
    let (one, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    many_entries(one.path()).await;
    std::fs::copy(one.path().join("coffer.db"), other.path().join("coffer.db")).expect("a ledger at rest");
    let database = Cluster::shared().fresh_database();
    let to = options(&database, LaneChoice::AsTheTablesAre);
    let mut refused = None;
    let moved = migrate(one.path(), &to, |_| {
        if refused.is_none() {
            let second = migrate(other.path(), &to, nothing);
            let runtime = tokio::runtime::Handle::current();
            refused = Some(tokio::task::block_in_place(|| runtime.block_on(second)));
        }
    });
    let moved = moved.await.expect("the first is not disturbed");
    assert_eq!(moved, Migrated { accounts: 40, entries: u64::from(CHARGES) + 40 });
    let refused = refused.expect("the first has told how far it is").expect_err("another is at work");
    assert!(matches!(refused, MigrateError::Target(PostgresError::FilledByAnother)), "{refused}");
    let refused = migrate(other.path(), &to, nothing).await.expect_err("it is done");
    assert!(matches!(refused, MigrateError::Target(PostgresError::HoldsALedger)), "{refused}");
    assert_eq!(findings(&database, LaneChoice::AsTheTablesAre).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_ledger_at_rest_is_moved_and_only_to_an_empty_database() {
    let database = Cluster::shared().fresh_database();
    let to = options(&database, LaneChoice::AsTheTablesAre);
    let directory = tempfile::tempdir().expect("a temporary directory");

    let absent = directory.path().join("absent");
    let refused = migrate(&absent, &to, nothing).await.expect_err("there is nothing");
    assert!(matches!(refused, MigrateError::Source(FileError::Missing(_))), "{refused}");
    assert!(!absent.exists(), "nothing was made");

    let store = embedded(directory.path());
    let refused = migrate(directory.path(), &to, nothing).await.expect_err("it is in use");
    let is_in_use = matches!(refused, MigrateError::Source(FileError::Refused(OpenError::InUse { .. })));
    assert!(is_in_use && refused.to_string().contains("in use by another coffer process"), "{refused}");
    store.close().await;
    drop(store);

    let old = tempfile::tempdir().expect("a temporary directory");
    write_version_1(old.path());
    let refused = migrate(old.path(), &to, nothing).await.expect_err("it is old");
    assert!(refused.to_string().contains("start a server on it once"), "{refused}");
    assert!(database.execute("SELECT FROM pg_class WHERE relname = 'coffer_schema'").is_empty());

    let other = Cluster::shared().fresh_database();
    other.execute("CREATE TABLE holds (id int)");
    let refused = migrate(directory.path(), &options(&other, LaneChoice::AsTheTablesAre), nothing).await;
    let refused = refused.expect_err("it has tables of another application");
    assert!(matches!(refused, MigrateError::Target(PostgresError::NotALedger(_))), "{refused}");

    shared(&database, LaneChoice::AsTheTablesAre).await.close().await;
    let refused = migrate(directory.path(), &to, nothing).await.expect_err("there is a ledger");
    assert!(matches!(refused, MigrateError::Target(PostgresError::HoldsALedger)), "{refused}");
    shared(&database, LaneChoice::AsTheTablesAre).await.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_sealed_is_sealed() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    write_version_1(directory.path());
    embedded(directory.path()).close().await;
    let database = Cluster::shared().fresh_database();
    let lanes = LaneChoice::AsTheTablesAre;
    let moved = migrate(directory.path(), &options(&database, lanes), nothing).await.expect("it is moved");
    assert_eq!(moved, Migrated { accounts: 2, entries: 6 });
    let there = shared(&database, lanes).await;
    let balance = there.account(commands::account(1)).await.expect("a read").expect("an account").balance;
    assert_eq!(balance.available, Credits::from_whole(-3).expect("in range"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_does_not_serve() {
    for (damage, expected) in [
        ("UPDATE entries SET idempotency_key = 'charge-x' WHERE seq = 4", "what it answers has changed"),
        ("UPDATE remembered SET fingerprint = zeroblob(32)", "has changed"),
        ("UPDATE accounts SET available = available + 1", "the account's available is"),
        ("DELETE FROM lots", "rows in its table"),
        ("DELETE FROM accounts WHERE seq = (SELECT max(seq) FROM accounts)", "rows in its table"),
        ("UPDATE entries SET lots = x'01' WHERE seq = 4", "cannot be read"),
    ] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = embedded(directory.path());
        history::make(&store).await;
        let commands = vec![open(9), Command::Grant(grant(9, 9, 1))];
        store.apply(Batch { clock: at(300), commands }).await.expect("a batch is written");
        store.close().await;
        drop(store);
        let file = rusqlite::Connection::open(directory.path().join("coffer.db")).expect("a file");
        file.execute_batch(damage).expect(damage);
        drop(file);
        let database = Cluster::shared().fresh_database();
        let to = options(&database, LaneChoice::AsTheTablesAre);
        let refused = migrate(directory.path(), &to, nothing).await.expect_err(damage);
        assert!(refused.to_string().contains(expected), "{damage}: {refused}");
        let refused = PostgresStore::open(&to).await.expect_err("it was not moved whole");
        assert!(matches!(refused, PostgresError::IsBeingFilled), "{refused}");
    }
}
