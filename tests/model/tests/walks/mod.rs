//! Whole histories, walked on a fresh store.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coffer_model::{Mismatch, Mix, Step, Walk};
use coffer_store::{
    ClockSource, DataDirectory, LedgerFile, MemoryStore, PostgresOptions, PostgresStore, SqliteStore, Store,
};
use coffer_test_postgres::Cluster;

/// On the store in memory.
pub(crate) fn in_memory(mix: Mix, steps: &[Step]) -> Result<(), Mismatch> {
    runtime().block_on(async {
        let mut walk = Walk::begin(Arc::new(MemoryStore::default()), mix).await?;
        for step in steps {
            walk.step(step).await?;
        }
        walk.check_past().await
    })
}

/// On the embedded store, whose ledger is looked through and opened anew now and then, from what is in its file: in turn
/// after it was closed, and as a kill leaves it.
pub(crate) fn in_sqlite(steps: &[Step]) -> Result<(), Mismatch> {
    const STEPS_BEFORE_REOPENING: usize = 40;
    let mut directory = tempfile::tempdir().expect("a temporary directory");
    runtime().block_on(async {
        let mut store = open(directory.path());
        let mut walk = Walk::begin(Arc::clone(&store), Mix::Small).await?;
        for (turn, some) in steps.chunks(STEPS_BEFORE_REOPENING).enumerate() {
            for step in some {
                walk.step(step).await?;
            }
            walk.go_on_with(Arc::new(MemoryStore::default()));
            if turn % 2 == 0 {
                // In some turns there is time to write a part of what trails behind the journal.
                tokio::time::sleep(Duration::from_millis(15 * (turn as u64 % 3))).await;
                directory = as_killed(directory.path());
            }
            store.close().await;
            drop(store);
            assert_sound(directory.path());
            store = open(directory.path());
            walk.go_on_with(Arc::clone(&store));
            walk.check().await?;
            walk.check_past().await?;
        }
        Ok(())
    })
}

/// The files of a ledger as they lie there at this moment, in a directory of their own.
fn as_killed(ledger: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a temporary directory");
    for file in ["coffer.db", "coffer.db-wal"] {
        std::fs::copy(ledger.join(file), copy.path().join(file)).expect("a ledger that is open has both");
    }
    copy
}

/// On PostgreSQL, by one node after the other, each of which knows nothing but what is in the database.
pub(crate) fn in_postgres(steps: &[Step]) -> Result<(), Mismatch> {
    const STEPS_OF_A_NODE: usize = 40;
    const CONNECTIONS: usize = 2;
    let database = Cluster::shared().fresh_database();
    let url = database.url().parse().expect("a URL of a database");
    let options = PostgresOptions { clock: ClockSource::Sender, ..PostgresOptions::new(url, CONNECTIONS) };
    let node = async || PostgresStore::open(&options).await.expect("a ledger");
    runtime().block_on(async {
        let mut walk = Walk::begin(Arc::new(node().await), Mix::Small).await?;
        for some in steps.chunks(STEPS_OF_A_NODE) {
            for step in some {
                walk.step(step).await?;
            }
            walk.go_on_with(Arc::new(node().await));
            walk.check().await?;
            walk.check_past().await?;
        }
        Ok(())
    })
}

fn open(path: &Path) -> Arc<dyn Store> {
    let directory = DataDirectory::lock(path).expect("nobody else is there");
    Arc::new(SqliteStore::open(directory).expect("a ledger"))
}

/// Everything in the file follows from its entries.
fn assert_sound(path: &Path) {
    let mut findings = Vec::new();
    LedgerFile::of_directory(path).verify(|finding| findings.push(finding)).expect("a readable file");
    assert_eq!(findings, Vec::<String>::new(), "the audit of the file");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
