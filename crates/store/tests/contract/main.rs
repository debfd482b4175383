//! The contract suite: what every store must do, run on every store.

mod commands;
mod driver;

mod entries;
mod erasure;
mod limits;

mod catalogue;
mod lists;
mod spending;
mod statements;

mod sqlite;
mod upgrade;

use std::sync::Arc;

use coffer_store::{DataDirectory, MemoryStore, SqliteStore, Store};
use driver::StoreDriver;
use tempfile::TempDir;

/// A store to be tested, and the directory that it needs to live.
struct Fresh {
    store: Arc<dyn Store>,
    _directory: Option<TempDir>,
}

fn memory() -> Fresh {
    Fresh { store: Arc::new(MemoryStore::default()), _directory: None }
}

fn sqlite() -> Fresh {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(DataDirectory::lock(directory.path()).expect("an empty directory"));
    Fresh { store: Arc::new(store.expect("an empty ledger")), _directory: Some(directory) }
}

/// Makes a store.
type Make = fn() -> Fresh;

const STORES: [(&str, Make); 2] = [("memory", memory), ("sqlite", sqlite)];

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_as_told() {
    for (name, fresh) in STORES {
        eprintln!("on {name}");
        coffer_scenarios::check_all(async || StoreDriver::new(fresh())).await;
    }
}
