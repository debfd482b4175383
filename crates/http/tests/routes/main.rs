//! The API, route by route: the router in this process, a real store under it. What a scenario on the ledger
//! says is told here through HTTP, too. The same tests run on the embedded store here, and on PostgreSQL from
//! `on_postgres.rs`.

mod support;

mod scenarios;

mod accounts;
mod adjustments;
mod balance;
mod balances;
mod batch;
mod charges;
mod customers;
mod erasure;
mod grants;
mod holds;
mod keys;
mod operator_keys;
mod operator_sessions;
mod portal;
mod prices;
mod refunds;
mod statements;
mod verify;

mod authentication;
mod bodies;
mod console;
mod console_acts;
mod documents;
mod pages;
mod rules;

use std::sync::Arc;

use coffer_store::{DataDirectory, SqliteStore};
use scenarios::{HttpDriver, Way};
use support::Fresh;

/// The embedded store, in a directory of its own.
fn fresh() -> Fresh {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(DataDirectory::lock(directory.path()).expect("an empty directory"));
    Fresh { store: Arc::new(store.expect("an empty ledger")), needs: Box::new(directory) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_as_told() {
    coffer_scenarios::check_all(async || HttpDriver::new(Way::Calls)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_as_told_in_batches() {
    coffer_scenarios::check_all(async || HttpDriver::new(Way::Batches)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_as_told_in_calls_and_batches_in_turns() {
    coffer_scenarios::check_all(async || HttpDriver::new(Way::InTurns)).await;
}
