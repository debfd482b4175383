//! What the ledger does, told as tables: one event a row, the expected outcome in the last column.
//!
//! The same tables run on every store and through HTTP. A [`Driver`] carries out an [`Action`] at a time and
//! says in words what came of it; [`check_all`] compares the words. How a row reads is in `parse/`, what it does
//! is in `rows.rs`, the tables are in `tables/`, a file per topic.

mod parse;
mod rows;
mod tables;

use coffer_ledger::Timestamp;

pub use rows::{Action, CaptureRow, GrantRow, KeyRow, Look, Payer, RowCost, Secret, SpendingRow};

/// When every scenario begins: a Saturday at noon, nine days before the end of a month.
pub const BEGINNING: &str = "2026-08-22T12:00:00.000Z";

/// Carries out actions on something that keeps a ledger.
#[expect(async_fn_in_trait, reason = "the tests run a driver on one task")]
pub trait Driver {
    /// Carries out an action at a time, and says what came of it.
    async fn run(&mut self, at: Timestamp, action: &Action) -> String;
}

/// Runs every table, each on a fresh driver, and panics with the first row of each that comes out otherwise.
pub async fn check_all<D: Driver>(mut fresh: impl AsyncFnMut() -> D) {
    let mut otherwise = Vec::new();
    for (name, table) in tables::TOPICS.into_iter().flatten() {
        otherwise.extend(check(name, table, &mut fresh().await).await.err());
    }
    assert!(otherwise.is_empty(), "these do not come out as told:\n{}", otherwise.concat());
}

async fn check(name: &str, table: &str, driver: &mut impl Driver) -> Result<(), String> {
    let beginning: Timestamp = BEGINNING.parse().expect("a time");
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let mut cells = row.split('|').map(str::trim);
        let (Some(at), Some(action), Some(expected), None) =
            (cells.next(), cells.next(), cells.next(), cells.next())
        else {
            panic!("{name}: {row}: a row has three cells");
        };
        let at = parse::after(beginning, at);
        let came = driver.run(at, &parse::action(beginning, action)).await;
        if came != expected {
            return Err(format!("\n  scenario: {name}\n  row:      {row}\n  came:     {came}\n"));
        }
    }
    Ok(())
}
