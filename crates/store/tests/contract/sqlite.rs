//! What only the embedded store must do: last, and hold together.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_ledger::{AccountId, Command, EraseTexts, Metadata, Note, Outcome, Salt, Seq, UpdateAccount};
use coffer_store::{DataDirectory, LedgerFile, OpenError, SqliteStore, Store};

use crate::commands::{apply, at, charge, credits, grant, id, one_of_many, open, spend};
use crate::driver::StoreDriver;
use crate::{Fresh, sqlite};

fn reopen(path: &std::path::Path) -> Arc<dyn Store> {
    let directory = DataDirectory::lock(path).expect("nobody else is there");
    Arc::new(SqliteStore::open(directory).expect("a ledger"))
}

/// What does not follow from the entries.
pub(crate) fn findings(path: &std::path::Path) -> Vec<String> {
    let mut findings = Vec::new();
    LedgerFile::of_directory(path).verify(|finding| findings.push(finding)).expect("a readable file");
    findings
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reopened_ledger_is_the_same() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = reopen(directory.path());
    let later = coffer_ledger::GrantCredits { effective_at: Some(at(500)), ..grant(2, 1, 3) };
    let refusal = charge(9, 1, 100);
    let commands = vec![
        open(1),
        Command::Grant(grant(1, 1, 9)),
        Command::Grant(later.clone()),
        charge(3, 1, 4),
        refusal.clone(),
    ];
    let first = apply(&store, 0, commands).await;
    let account_id = AccountId::from_bytes(id(1));
    let before = store.account(account_id).await.expect("a read").expect("an account");
    store.close().await;
    drop(store);

    let store = reopen(directory.path());
    let after = store.account(account_id).await.expect("a read").expect("an account");
    assert_eq!(before, after);
    let again = vec![Command::Grant(grant(1, 1, 9)), Command::Grant(later), charge(3, 1, 4), refusal];
    let replayed = apply(&store, 100, again).await;
    assert_eq!(first[1..], replayed[..], "what was answered is answered again, from the file");
    assert_eq!(after.balance.available, credits(5));
    let more = apply(&store, 600, vec![charge(4, 1, 8)]).await;
    assert!(matches!(more[0], Outcome::Charged(_)), "the later grant has started: {more:?}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_as_told_when_the_ledger_is_verified_and_reopened_before_every_row() {
    struct Reopening {
        directory: tempfile::TempDir,
        driver: StoreDriver,
    }

    impl coffer_scenarios::Driver for Reopening {
        async fn run(&mut self, at: coffer_ledger::Timestamp, action: &coffer_scenarios::Action) -> String {
            self.driver
                .reopen(async |old| {
                    old.close().await;
                    drop(old);
                    assert_eq!(findings(self.directory.path()), Vec::<String>::new(), "before {action:?}");
                    reopen(self.directory.path())
                })
                .await;
            self.driver.run(at, action).await
        }
    }

    coffer_scenarios::check_all(async || {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let fresh = Fresh { store: reopen(directory.path()), directory: None, database: None };
        Reopening { driver: StoreDriver::new(fresh), directory }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_as_told_when_the_server_is_killed_before_every_row() {
    struct Killing {
        directory: tempfile::TempDir,
        driver: StoreDriver,
    }

    impl coffer_scenarios::Driver for Killing {
        async fn run(&mut self, at: coffer_ledger::Timestamp, action: &coffer_scenarios::Action) -> String {
            let killed = as_killed(self.directory.path());
            assert_eq!(findings(killed.path()), Vec::<String>::new(), "before {action:?}");
            self.driver
                .reopen(async |old| {
                    old.close().await;
                    drop(old);
                    reopen(killed.path())
                })
                .await;
            self.directory = killed;
            self.driver.run(at, action).await
        }
    }

    coffer_scenarios::check_all(async || {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let fresh = Fresh { store: reopen(directory.path()), directory: None, database: None };
        Killing { driver: StoreDriver::new(fresh), directory }
    })
    .await;
}

/// So many requests that the idempotency keys of the first are looked for in the file.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_remembered_among_very_many() {
    // So many that some runs have been merged, and others not.
    const CHARGES: u8 = 80;
    const BATCH: u32 = 1_000;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = reopen(directory.path());
    apply(
        &store,
        0,
        vec![
            open(1),
            open(2),
            Command::Grant(grant(1, 1, 1_000_000)),
            Command::Grant(grant(2, 2, 1_000_000)),
        ],
    )
    .await;
    let batch = |number: u8| (0..BATCH).map(|place| one_of_many(u32::from(number) * BATCH + place)).collect();
    let mut answers = Vec::new();
    for number in 0..CHARGES {
        answers.push(apply(&store, 1, batch(number)).await);
    }
    let killed = as_killed(directory.path());
    store.close().await;
    for ledger in [&directory, &killed] {
        assert_eq!(findings(ledger.path()), Vec::<String>::new());
        let store = reopen(ledger.path());
        for number in [0, 33, CHARGES - 1] {
            let again = apply(&store, 2, batch(number)).await;
            // Charged anew it would tell another balance.
            assert_eq!(again, answers[usize::from(number)]);
        }
        store.close().await;
    }
    for (damage, expected, is_opened) in [
        ("UPDATE name_chunks SET names = substr(names, 17) WHERE id = :chunk", "is not whole", false),
        ("DELETE FROM name_chunks WHERE id = :chunk", "is not whole", false),
        ("UPDATE name_runs SET through = through + 100000 WHERE id = :run", "is not whole", false),
        // No memory is asked for as many.
        ("UPDATE name_runs SET names = 1 << 60 WHERE id = :run", "is not whole", false),
        ("UPDATE name_chunks SET names = substr(names, 2) WHERE id = :chunk", "cannot be read", false),
        ("UPDATE entries SET idempotency_key = 'another' WHERE number = 5", "by its idempotency key", true),
        (
            "UPDATE entries SET idempotency_key = (SELECT idempotency_key FROM entries WHERE number = 6), \
             account_id = (SELECT account_id FROM entries WHERE number = 6) WHERE number = 5",
            "an idempotency key has two entries",
            true,
        ),
    ] {
        let damaged = tempfile::tempdir().expect("a temporary directory");
        std::fs::copy(directory.path().join("coffer.db"), damaged.path().join("coffer.db")).expect("a copy");
        let damage = damage
            .replace(":chunk", "(SELECT min(id) FROM name_chunks WHERE run IN (SELECT id FROM name_runs))")
            .replace(":run", "(SELECT max(id) FROM name_runs)");
        let changed = open_file(damaged.path()).execute(&damage, []);
        assert_eq!(changed, Ok(1), "{damage}");
        let found = findings(damaged.path());
        assert!(found.iter().any(|finding| finding.contains(expected)), "{damage}: {found:#?}");
        // Names that are missing would be taken for new.
        let opened = SqliteStore::open(DataDirectory::lock(damaged.path()).expect("nobody else is there"));
        assert_eq!(opened.is_ok(), is_opened, "{damage}");
    }
}

/// Text that takes more than a page, so that pages are freed when it goes.
#[tokio::test(flavor = "multi_thread")]
async fn erased_text_lies_in_no_page_of_the_file() {
    const MARK: &str = "a-person-s-own-words";
    let directory = tempfile::tempdir().expect("a temporary directory");
    let has_mark = || {
        let bytes = std::fs::read(directory.path().join("coffer.db")).expect("a file");
        bytes.windows(MARK.len()).any(|window| window == MARK.as_bytes())
    };
    let pairs = (0..20).map(|number| (format!("key-{number}"), MARK.repeat(20)));
    let metadata = Metadata::try_from(pairs.collect::<BTreeMap<String, String>>()).expect("allowed");
    let mut spent = spend(11, 1, 1);
    spent.note = Note::new(None, metadata.clone(), Salt([1; 16]));
    let mut given = grant(1, 1, 20);
    given.note = Note::new(None, metadata, Salt([2; 16]));
    let store = reopen(directory.path());
    let told = vec![open(1), Command::Grant(given), Command::Charge(spent), charge(12, 1, 1)];
    apply(&store, 0, told).await;
    store.close().await;
    assert!(has_mark(), "it was written");
    let store = reopen(directory.path());
    let (from, through, until) = (Seq(1), Seq(3), at(9));
    let erase = EraseTexts { account_id: AccountId::from_bytes(id(1)), from, through, until };
    assert_eq!(apply(&store, 10, vec![Command::EraseTexts(erase)]).await, [Outcome::TextsErased]);
    store.close().await;
    assert!(!has_mark(), "it is gone");
    assert_eq!(findings(directory.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_and_a_change_of_an_account_may_come_together() {
    const ROUNDS: u32 = 12;
    const BATCH: u32 = 500;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = reopen(directory.path());
    let credits_for_all = |number| Command::Grant(grant(number, number, 1_000_000));
    apply(&store, 0, vec![open(1), open(2), credits_for_all(1), credits_for_all(2)]).await;
    for round in 0..ROUNDS {
        let mut commands: Vec<Command> = (0..BATCH).map(|place| one_of_many(round * BATCH + place)).collect();
        let limit = Some(credits(i64::from(round)));
        commands.push(Command::UpdateAccount(UpdateAccount {
            id: AccountId::from_bytes(id(1)),
            name: None,
            overdraft_limit: limit.filter(|_| round % 3 == 2),
            status: None,
            metadata: None,
        }));
        // In most rounds only charges, so that much trails when the account is changed.
        commands.truncate(if round % 3 == 2 { commands.len() } else { BATCH as usize });
        apply(&store, 1, commands).await;
        // A read brings what trails into the file: it comes after the change.
        for number in [1, 2].into_iter().filter(|_| round % 3 == 2) {
            let last = store.last_entry(AccountId::from_bytes(id(number)), at(9)).await;
            let seq = last.expect("a read").map(|entry| entry.seq.0);
            assert_eq!(seq, Some(1 + u64::from((round + 1) * BATCH / 2)), "account {number}, round {round}");
        }
    }
    let killed = as_killed(directory.path());
    store.close().await;
    assert_eq!(findings(killed.path()), Vec::<String>::new());
    assert_eq!(findings(directory.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_what_is_not_in_its_table_yet_is_found() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = reopen(directory.path());
    apply(&store, 0, vec![open(1), Command::Grant(grant(1, 1, 200))]).await;
    let killed = killed_before_the_sweep(&store, directory.path()).await;
    store.close().await;
    assert_eq!(findings(killed.path()), Vec::<String>::new());
    let newest = "(SELECT max(id) FROM redo)";
    let changed = open_file(killed.path())
        .execute(&format!("UPDATE redo SET images = substr(images, 1, 40) WHERE id = {newest}"), []);
    assert_eq!(changed, Ok(1), "the charge has a redo row");
    let found = findings(killed.path());
    assert!(found.iter().any(|finding| finding.contains("cannot be read")), "{found:#?}");
    let refused = SqliteStore::open(DataDirectory::lock(killed.path()).expect("nobody else is there"));
    assert!(matches!(refused, Err(OpenError::Damaged { .. })), "it is not opened as if nothing was missing");
}

/// The files of a ledger that was killed after a charge whose redo row is still there. The writer removes it within some
/// milliseconds, which the copy may take: then the next charge is tried.
async fn killed_before_the_sweep(store: &Arc<dyn Store>, ledger: &std::path::Path) -> tempfile::TempDir {
    for number in 2..=100 {
        apply(store, 1, vec![charge(number, 1, 1)]).await;
        let killed = as_killed(ledger);
        let has_redo = "SELECT EXISTS (SELECT 1 FROM redo)";
        if open_file(killed.path()).query_row(has_redo, [], |row| row.get(0)).expect("a ledger") {
            return killed;
        }
    }
    panic!("each redo row was gone before the files were copied");
}

fn open_file(directory: &std::path::Path) -> rusqlite::Connection {
    rusqlite::Connection::open(directory.join("coffer.db")).expect("a file")
}

/// The files of a ledger as they lie there at this moment, in a directory of their own. While they are copied somebody reads, so
/// that the log is not begun anew in between.
fn as_killed(ledger: &std::path::Path) -> tempfile::TempDir {
    let reader = open_file(ledger);
    reader.execute_batch("BEGIN; SELECT 1 FROM sqlite_schema").expect("a file that can be read");
    let copy = tempfile::tempdir().expect("a temporary directory");
    for file in ["coffer.db", "coffer.db-wal"] {
        std::fs::copy(ledger.join(file), copy.path().join(file)).expect("a ledger that is open has both");
    }
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_one_process_s() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let held = DataDirectory::lock(directory.path()).expect("an empty directory");
    let error = DataDirectory::lock(directory.path()).expect_err("it is locked");
    assert!(matches!(error, OpenError::InUse { .. }));
    let message = error.to_string();
    assert!(message.contains(&directory.path().display().to_string()), "{message}");
    assert!(message.contains(&std::process::id().to_string()), "{message}");
    drop(held);
    DataDirectory::lock(directory.path()).expect("it is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_store_refuses() {
    let fresh = sqlite();
    fresh.store.close().await;
    let batch = coffer_store::Batch { clock: at(0), commands: vec![open(1)] };
    let refused = fresh.store.apply(batch).await.expect_err("the store is closed");
    assert!(matches!(refused, coffer_store::StoreError::Closed));
}
