//! The contract suite: what every store must do, run on every store.

mod commands;
mod driver;

mod entries;
mod erasure;
mod limits;

mod catalogue;
mod lists;
mod names;
mod people;
mod spending;
mod statements;

mod others;
mod postgres;
mod sqlite;
mod two_nodes;
mod upgrade;
mod usage;

mod history;

mod books;
mod damage;
mod migrate;

use std::pin::Pin;
use std::sync::Arc;

use coffer_store::{
    ClockSource, DataDirectory, LaneChoice, MemoryStore, PostgresOptions, PostgresStore, SqliteStore, Store,
};
use coffer_test_postgres::{Cluster, Database};
use driver::StoreDriver;
use tempfile::TempDir;

/// A store to be tested, and what it needs to live.
struct Fresh {
    store: Arc<dyn Store>,
    directory: Option<TempDir>,
    database: Option<Database>,
}

fn memory() -> Fresh {
    Fresh { store: Arc::new(MemoryStore::default()), directory: None, database: None }
}

fn sqlite() -> Fresh {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(DataDirectory::lock(directory.path()).expect("an empty directory"));
    Fresh { store: Arc::new(store.expect("an empty ledger")), directory: Some(directory), database: None }
}

/// PostgreSQL, spoken to as one database or as a sharded one.
async fn in_postgres(lanes: LaneChoice) -> Fresh {
    let database = Cluster::shared().fresh_database();
    let url = database.url().parse().expect("a URL of a database");
    let options = PostgresOptions { clock: ClockSource::Sender, lanes, ..PostgresOptions::new(url, 4) };
    let store = PostgresStore::open(&options).await.expect("an empty database");
    Fresh { store: Arc::new(store), directory: None, database: Some(database) }
}

/// Makes a store.
type Make = fn() -> Pin<Box<dyn Future<Output = Fresh> + Send>>;

const STORES: [(&str, Make); 4] = [
    ("memory", || Box::pin(async { memory() })),
    ("sqlite", || Box::pin(async { sqlite() })),
    ("postgres", || Box::pin(in_postgres(LaneChoice::AsTheTablesAre))),
    ("postgres, a lane for each bucket", || Box::pin(in_postgres(LaneChoice::OnePerBucket))),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_as_told() {
    for (name, fresh) in STORES {
        eprintln!("on {name}");
        coffer_scenarios::check_all(async || StoreDriver::new(fresh().await)).await;
    }
}
