//! What accounts that nobody uses cost: memory, and time at a restart.

use std::time::Duration;

use coffer_load::{Pace, Plan, Protocol, Until};

use crate::ledger::{CREDITS_READ, balance_reads};
use crate::rounds::drive;
use crate::server::Coffer;
use crate::table::{Row, Unit, grouped};
use crate::{Failure, Places};

/// How long a server is left alone before its memory is read.
const REST_MS: u64 = 3_000;

/// What a server without accounts may take, and what each account may add.
const BASE_BYTES: u64 = 60_000_000;
const ACCOUNT_BYTES_MAX: u64 = 300;

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let data = places.temporary()?;
    let coffer = Coffer::start(places, data.path(), None).await?;
    rest(places).await;
    let empty_bytes = coffer.server.resident_bytes()?;

    let target = coffer.target();
    let made = target.make_accounts(places.effort.accounts()).await?;
    target.grant_all(&made.accounts, CREDITS_READ).await?;
    let keys = target.make_keys(&made.accounts).await?;
    rest(places).await;
    let made_bytes = coffer.server.resident_bytes()?;
    coffer.server.end().await?;

    let coffer = Coffer::start(places, data.path(), None).await?;
    rest(places).await;
    let restarted_bytes = coffer.server.resident_bytes()?;
    let address = coffer.server.address;
    // Every key must answer with its balance, byte by byte.
    let reads = balance_reads(address, &keys).limited(keys.len() as u64);
    let (protocol, pace, until) = (Protocol::Http, Pace::Closed, Until::Exhausted);
    drive(Plan { address, protocol, connections: 16, pace, until }, reads).await?;
    let start_ms = coffer.start_ms;
    coffer.server.end().await?;

    let count = keys.len() as u64;
    let accounts = grouped(count);
    let mut rows = vec![
        Row::new("memory of an empty server", empty_bytes, Unit::Bytes).at_most(BASE_BYTES),
        Row::new(format!("memory with {accounts} idle accounts, just made"), made_bytes, Unit::Bytes),
    ];
    rows.extend(memory_rows(&accounts, count, restarted_bytes));
    rows.push(Row::new(format!("start with {accounts} accounts until ready"), start_ms, Unit::Milliseconds));
    rows.push(Row::new("accounts made, one a call, 256 connections", made.per_second, Unit::PerSecond));
    Ok(rows)
}

/// What a server takes that has just started on so many accounts.
pub(crate) fn memory_rows(accounts: &str, count: u64, bytes: u64) -> [Row; 2] {
    let each = bytes.saturating_sub(BASE_BYTES) / count.max(1);
    [
        Row::new(format!("memory with {accounts} idle accounts, after a restart"), bytes, Unit::Bytes),
        Row::new("  for each account beyond a base of 60 MB", each, Unit::BytesPerAccount)
            .at_most(ACCOUNT_BYTES_MAX),
    ]
}

/// Leaves servers alone for a while: just after much work, the allocator still holds room that it used for it.
pub(crate) async fn rest(places: &Places) {
    tokio::time::sleep(Duration::from_millis(places.effort.or_quick(REST_MS, 500))).await;
}
