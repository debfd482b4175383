//! A million accounts and ten million entries, beside a ledger that has just begun; and a start with them, after a crash.

use std::path::Path;

use tokio::process::Command;

use super::idle_accounts::{memory_rows, rest};
use crate::ledger::Rich;
use crate::rounds::{Contender, Rounds};
use crate::server::Coffer;
use crate::table::{Ratio, Row, Unit, grouped};
use crate::{Failure, Places};

const ACCOUNTS: usize = 1_000_000;
const ACCOUNTS_QUICK: usize = 10_000;
const ENTRIES: usize = 10_000_000;
const ENTRIES_QUICK: usize = 100_000;
const RATIO_MIN: Ratio = Ratio::of_thousandths(850);
const START_MS_MAX: u64 = 3_000;

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let effort = places.effort;
    // Each account's grant is an entry.
    let few = Rich::start(places, effort.accounts()).await?;
    let many = Rich::start(places, effort.or_quick(ACCOUNTS, ACCOUNTS_QUICK)).await?;
    let entries = effort.or_quick(ENTRIES, ENTRIES_QUICK);
    let by_batch = many.coffer.target().charge_many(&many.accounts, entries - many.accounts.len()).await?;
    eprintln!("  {} entries are there, made at {}/s", grouped(entries as u64), grouped(by_batch));

    let contender = |name, Rich { coffer, accounts, .. }: &Rich| {
        let server = &coffer.server;
        Contender::http(name, server.pid, server.address, coffer.target().charges(accounts))
    };
    let contenders = [&contender("many entries", &many), &contender("few entries", &few)];
    let rounds = Rounds::measure(effort, &contenders).await?;
    few.coffer.server.end().await?;

    let Rich { coffer, accounts, data } = many;
    coffer.server.kill().await?;
    let coffer = Coffer::start(places, data.path(), None).await?;
    rest(places).await;
    let (start_ms, bytes) = (coffer.start_ms, coffer.server.resident_bytes()?);
    let count = accounts.len() as u64;
    // It serves, and not only says so.
    coffer.target().charge_many(&accounts, 1).await?;
    coffer.server.end().await?;
    verify(places, data.path()).await?;

    let (many, few) = (grouped(entries as u64), grouped(effort.accounts() as u64));
    let many_accounts = grouped(count);
    let mut rows = vec![
        Row::new(
            format!("charges at {many} entries, {many_accounts} accounts{}", rounds.disturbed()),
            rounds.median(0, |turn| turn.per_second),
            Unit::PerSecond,
        )
        .beside(
            format!("at {few} entries"),
            rounds.median(1, |turn| turn.per_second),
            rounds.ratios(0, 1, |turn| turn.per_second)?,
        )
        .ratio_at_least(RATIO_MIN)
        .charted("charges at 10 million entries, beside at 100,000"),
        Row::new(
            format!("start with {many} entries and {many_accounts} accounts after kill -9"),
            start_ms,
            Unit::Milliseconds,
        )
        .at_most(START_MS_MAX),
    ];
    rows.extend(memory_rows(&many_accounts, count, bytes));
    Ok(rows)
}

/// What was measured must be a ledger that is in order.
async fn verify(places: &Places, data: &Path) -> Result<(), Failure> {
    let mut command = Command::new(places.binaries.join("coffer"));
    command.env_clear().arg("verify").arg("--data").arg(data).kill_on_drop(true);
    let output = command.output().await.map_err(|error| Failure::of("coffer verify", error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::of("coffer verify", String::from_utf8_lossy(&[output.stdout, output.stderr].concat())))
}
