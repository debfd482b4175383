//! Entries of one account, streamed as NDJSON: how many rows a second, and what memory it takes meanwhile.

use std::time::Instant;

use crate::client::Operator;
use crate::ledger::Rich;
use crate::process;
use crate::table::{Row, Unit, grouped, median};
use crate::{Failure, Places};

const ENTRIES: usize = 400_000;
const ENTRIES_QUICK: usize = 16_000;
const PER_SECOND_MIN: u64 = 300_000;
/// What a stream may hold at a time, however long it is.
const MEMORY_MAX_BYTES: u64 = 16_000_000;
const STREAMS: usize = 3;

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let Rich { coffer, accounts, data: _data } = Rich::start(places, 1).await?;
    let target = coffer.target();
    let entries = places.effort.or_quick(ENTRIES, ENTRIES_QUICK);
    target.charge_many(&accounts, entries).await?;
    let mut operator = Operator::connect(target.address, &target.operator_key).await?;
    let account = String::from_utf8_lossy(accounts.get(0)).into_owned();

    let (mut per_second, mut grown) = (Vec::new(), Vec::new());
    for _ in 0..STREAMS {
        process::forget_peak(coffer.server.pid)?;
        let before = coffer.server.resident_bytes()?;
        let started = Instant::now();
        let (rows, bytes) = operator.stream_entries(&account).await?;
        let took = started.elapsed();
        grown.push(process::resident_bytes_peak(coffer.server.pid)?.saturating_sub(before));
        // The charges, and the grant before them.
        if rows != entries as u64 + 1 {
            return Err(Failure(format!("{rows} of {} entries were streamed", entries + 1)));
        }
        let rate = u128::from(rows) * 1_000_000_000 / took.as_nanos().max(1);
        per_second.push(u64::try_from(rate).unwrap_or(u64::MAX));
        eprintln!("  {}/s, {} bytes a row", grouped(per_second[per_second.len() - 1]), bytes / rows);
    }
    coffer.server.end().await?;
    let most = |numbers: Vec<u64>| numbers.into_iter().max().unwrap_or(0);
    Ok(vec![
        Row::new(
            format!("entries streamed as NDJSON, {} of one account", grouped(entries as u64)),
            median(per_second).unwrap_or(0),
            Unit::PerSecond,
        )
        .at_least(PER_SECOND_MIN),
        Row::new("  memory more than before, at most", most(grown), Unit::Bytes).at_most(MEMORY_MAX_BYTES),
    ])
}
