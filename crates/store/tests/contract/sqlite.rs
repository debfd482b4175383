//! What only the embedded store must do: last, and hold together.

use std::sync::Arc;

use coffer_ledger::{AccountId, Command, Outcome};
use coffer_store::{DataDirectory, LedgerFile, OpenError, SqliteStore, Store};

use crate::commands::{apply, charge, credits, grant, id, open};
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
    let later =
        coffer_ledger::GrantCredits { effective_at: Some(crate::commands::at(500)), ..grant(2, 1, 3) };
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
        let fresh = Fresh { store: reopen(directory.path()), _directory: None, database: None };
        Reopening { driver: StoreDriver::new(fresh), directory }
    })
    .await;
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
    let batch = coffer_store::Batch { clock: crate::commands::at(0), commands: vec![open(1)] };
    let refused = fresh.store.apply(batch).await.expect_err("the store is closed");
    assert!(matches!(refused, coffer_store::StoreError::Closed));
}
