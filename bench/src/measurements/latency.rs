//! Latency at half of the most that the server does: requests come by the clock, whether or not it keeps up.

use std::time::Duration;

use coffer_load::Requests;

use super::reads;
use crate::ledger::{Rich, balance_reads};
use crate::rounds::{Contender, Rounds};
use crate::server::{Coffer, Server};
use crate::table::{Row, Unit, grouped, median};
use crate::{Failure, Places};

const CONNECTIONS_CHARGES: usize = 256;
const CONNECTIONS_READS: usize = 64;
const CHARGE_99TH_MAX: Duration = Duration::from_millis(10);
const READ_99TH_MAX: Duration = Duration::from_millis(2);
/// So many rounds find out the most.
const ROUNDS_AT_MOST: usize = 3;

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let Rich { coffer, accounts, data: _data } = Rich::start(places, places.effort.accounts()).await?;
    let requests = coffer.target().charges(&accounts);
    let charges = at_half(places, &coffer.server, CONNECTIONS_CHARGES, &requests).await?;
    coffer.server.end().await?;

    let data = places.temporary()?;
    let coffer = Coffer::start(places, data.path(), Some(1)).await?;
    let keys = reads::make_keys(places, &coffer).await?;
    let requests = balance_reads(coffer.server.address, &keys);
    let reads = at_half(places, &coffer.server, CONNECTIONS_READS, &requests).await?;
    coffer.server.end().await?;

    let mut all = rows("charges", &charges, CHARGE_99TH_MAX);
    all.extend(rows("balance reads", &reads, READ_99TH_MAX));
    Ok(all)
}

/// Finds the most that the server does, and then asks half of it.
async fn at_half(
    places: &Places,
    server: &Server,
    connections: usize,
    requests: &Requests,
) -> Result<Rounds, Failure> {
    let effort = places.effort;
    let contender =
        || Contender::http("coffer", server.pid, server.address, requests.again()).with(connections);
    let busy = contender();
    busy.turn(effort.warm_up_seconds()).await?;
    let mut most = Vec::new();
    for _ in 0..ROUNDS_AT_MOST {
        most.push(busy.turn(effort.try_seconds()).await?.per_second);
    }
    let most = median(most).unwrap_or(0);
    eprintln!("  the most is {}/s", grouped(most));
    Rounds::measure(effort, &[&contender().by_the_clock(most.div_ceil(2).max(1))]).await
}

fn rows(what: &str, rounds: &Rounds, ns_99th_max: Duration) -> Vec<Row> {
    let ns_99th_max = u64::try_from(ns_99th_max.as_nanos()).unwrap_or(u64::MAX);
    let per_second = grouped(rounds.median(0, |turn| turn.per_second));
    let work = format!("{what} by the clock at {per_second}/s, 99th percentile{}", rounds.disturbed());
    vec![
        Row::new(work, rounds.median(0, |turn| turn.ns_99th), Unit::Nanoseconds).at_most(ns_99th_max),
        Row::new("  median", rounds.median(0, |turn| turn.median_ns), Unit::Nanoseconds),
        Row::new("  99.9th percentile", rounds.median(0, |turn| turn.ns_999th), Unit::Nanoseconds),
        Row::new(
            "  the load's own delay, 99th percentile",
            rounds.median(0, |turn| turn.delay_ns_99th),
            Unit::Nanoseconds,
        ),
    ]
}
