//! Whether a database's books are looked through whole: nothing is found in what was written in order, beside writers too,
//! and each damage is found.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use coffer_ledger::{AccountId, Command, CreateAccount, CreateKey, ExternalId, GrantCredits, RotateKey};
use coffer_store::{Batch, ClockSource, LaneChoice, PostgresError, PostgresOptions, PostgresStore, Store};
use coffer_test_postgres::{Cluster, Database};

use crate::commands::{at, grant, key, open, spend};
use crate::driver::StoreDriver;
use crate::history::{self, own, secret};
use crate::{Fresh, in_postgres};

pub(crate) fn options(database: &Database, lanes: LaneChoice) -> PostgresOptions {
    let url = database.url().parse().expect("a URL of a database");
    PostgresOptions { clock: ClockSource::Sender, lanes, ..PostgresOptions::new(url, 4) }
}

/// What does not follow from the entries.
pub(crate) async fn findings(database: &Database, lanes: LaneChoice) -> Vec<String> {
    let mut findings = Vec::new();
    let options = options(database, lanes);
    let verified = PostgresStore::verify(&options, |finding| findings.push(finding)).await;
    assert_eq!(verified.expect("a database that can be read").findings, findings.len() as u64);
    findings
}

const FORMS: [LaneChoice; 2] = [LaneChoice::AsTheTablesAre, LaneChoice::OnePerBucket];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_in_any_scenario() {
    struct Verifying {
        database: Arc<Database>,
        driver: StoreDriver,
        rows: usize,
    }

    impl coffer_scenarios::Driver for Verifying {
        async fn run(&mut self, at: coffer_ledger::Timestamp, action: &coffer_scenarios::Action) -> String {
            let came = self.driver.run(at, action).await;
            self.rows += 1;
            // Often enough to meet every state, and seldom enough to be done soon.
            if self.rows.is_multiple_of(4) {
                let found = findings(&self.database, LaneChoice::AsTheTablesAre).await;
                assert_eq!(found, Vec::<String>::new(), "after {action:?}");
            }
            came
        }
    }

    coffer_scenarios::check_all(async || {
        let fresh = in_postgres(LaneChoice::AsTheTablesAre).await;
        let database = Arc::new(fresh.database.expect("it has a database"));
        let driver = StoreDriver::new(Fresh { store: fresh.store, directory: None, database: None });
        Verifying { database, driver, rows: 0 }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_in_a_history_of_every_kind() {
    for lanes in FORMS {
        let fresh = in_postgres(lanes).await;
        history::make(&fresh.store).await;
        let kinds = history::kinds(&fresh.store).await;
        let all = ["adjust", "capture", "charge", "expire", "grant", "hold", "refund", "release", "void"];
        assert_eq!(kinds, BTreeSet::from(all));
        let indebted = fresh.store.account(history::account(77)).await.expect("a read").expect("an account");
        assert!(indebted.debt.is_positive(), "{indebted:?}");
        let database = fresh.database.as_ref().expect("it has a database");
        for lanes in FORMS {
            assert_eq!(findings(database, lanes).await, Vec::<String>::new(), "{lanes:?}");
        }
    }
}

/// What a writer is told, and what it tells.
#[derive(Default)]
struct Writing {
    is_over: AtomicBool,
    batches: AtomicU32,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_while_others_write() {
    const VERIFIED_MAX: usize = 200;
    let fresh = in_postgres(LaneChoice::OnePerBucket).await;
    let database = fresh.database.as_ref().expect("it has a database");
    let writers = [3, 200].map(|account| {
        let writing = Arc::new(Writing::default());
        let writer = tokio::spawn(write_until_over(Arc::clone(&fresh.store), account, Arc::clone(&writing)));
        (writing, writer)
    });
    let has_written_much = |writing: &Writing| writing.batches.load(Ordering::Relaxed) > 20;
    let are_done =
        || writers.iter().all(|(writing, writer)| has_written_much(writing) || writer.is_finished());
    for (verified, lanes) in FORMS.into_iter().cycle().take(VERIFIED_MAX).enumerate() {
        if verified >= 10 && are_done() {
            break;
        }
        assert_eq!(findings(database, lanes).await, Vec::<String>::new(), "{lanes:?}");
    }
    for (writing, writer) in writers {
        let has_written_much = has_written_much(&writing);
        writing.is_over.store(true, Ordering::Relaxed);
        writer.await.expect("a writer does not panic");
        assert!(has_written_much, "it has written meanwhile");
    }
    assert_eq!(findings(database, LaneChoice::AsTheTablesAre).await, Vec::<String>::new());
}

/// Makes accounts with keys, rotates these, and spends with them; tells how often it has done so.
async fn write_until_over(store: Arc<dyn Store>, account: u8, writing: Arc<Writing>) {
    let mut batches = 0;
    while !writing.is_over.load(Ordering::Relaxed) {
        batches += 1;
        let number = u8::try_from(batches % 200).expect("less than 256");
        let unique = |mut bytes: [u8; 16]| {
            bytes[9..13].copy_from_slice(&u32::to_be_bytes(batches));
            bytes
        };
        let Command::CreateAccount(opened) = open(number) else { unreachable!("an account is created") };
        let id = AccountId::from_bytes(unique(own(account, 0)));
        let external_id = Some(ExternalId::try_from(format!("{account}-{batches}")).expect("short"));
        let hash = |rotation: u8| {
            let mut bytes = *secret(account, rotation).bytes();
            bytes[1..5].copy_from_slice(&u32::to_be_bytes(batches));
            coffer_ledger::SecretHash::from_bytes(bytes)
        };
        let made = CreateKey {
            id: coffer_ledger::KeyId::from_bytes(unique(own(account, 1))),
            account_id: id,
            secret: hash(0),
            ..key(number, account)
        };
        let rotated = RotateKey { id: made.id, secret: hash(1), hint: made.hint.clone(), overlap_ms: 1_000 };
        let granted = GrantCredits {
            id: coffer_ledger::GrantId::from_bytes(unique(own(account, 2))),
            account_id: id,
            ..grant(2, account, 9)
        };
        let mut spent = spend(3, account, 4);
        (spent.id, spent.account_id) = (coffer_ledger::ChargeId::from_bytes(unique(own(account, 3))), id);
        let batch = [
            vec![
                Command::CreateAccount(CreateAccount { id, external_id, ..opened }),
                Command::CreateKey(made),
                Command::Grant(granted),
            ],
            vec![Command::Charge(spent), Command::RotateKey(rotated)],
        ];
        for commands in batch {
            store.apply(Batch { clock: at(1), commands }).await.expect("a batch is written");
        }
        writing.batches.store(batches, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_no_ledger_is_not_looked_through() {
    let database = Cluster::shared().fresh_database();
    let options = options(&database, LaneChoice::AsTheTablesAre);
    let verified = PostgresStore::verify(&options, |finding| panic!("{finding}")).await;
    assert!(matches!(verified, Err(PostgresError::NoLedger)), "{verified:?}");
    let tables = database.execute("SELECT count(*) FROM pg_class WHERE relname = 'coffer_schema'");
    assert_eq!(tables, [[Some("0".to_owned())]], "nothing was made");

    PostgresStore::open(&options).await.expect("an empty ledger").close().await;
    database.execute("UPDATE coffer_schema SET version = 99");
    let verified = PostgresStore::verify(&options, |finding| panic!("{finding}")).await;
    assert!(matches!(verified, Err(PostgresError::TooNew { .. })), "{verified:?}");
}
