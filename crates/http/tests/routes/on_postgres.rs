//! The same tests as in `main.rs`, on PostgreSQL: what a route answers does not depend on the store.

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

use coffer_store::{ClockSource, PostgresOptions, PostgresStore};
use coffer_test_postgres::Cluster;
use scenarios::{HttpDriver, Way};
use support::Fresh;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

/// How many connections a store of these tests may have.
const CONNECTIONS: usize = 4;

/// PostgreSQL, in a database of its own. The tests set the clock.
fn fresh() -> Fresh {
    let database = Cluster::shared().fresh_database();
    let url = database.url().parse().expect("a URL of a database");
    let options = PostgresOptions { clock: ClockSource::Sender, ..PostgresOptions::new(url, CONNECTIONS) };
    let store = block_in_place(|| Handle::current().block_on(PostgresStore::open(&options)));
    Fresh { store: Arc::new(store.expect("an empty database")), needs: Box::new(database) }
}

/// Each in one of the ways, by turns: all ways for each would take minutes, and the embedded store goes through them.
#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_as_told() {
    let mut ways = [Way::Calls, Way::Batches, Way::InTurns].into_iter().cycle();
    coffer_scenarios::check_all(async || HttpDriver::new(ways.next().expect("a cycle has no end"))).await;
}

#[test]
fn no_test_runs_on_one_store_only() {
    let modules =
        |text: &'static str| text.lines().filter(|line| line.starts_with("mod ")).collect::<Vec<_>>();
    assert_eq!(modules(include_str!("main.rs")), modules(include_str!("on_postgres.rs")));
}
