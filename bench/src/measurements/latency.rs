//! Latency at half of the most that the server does: requests come by the clock, whether or not it keeps up.

use std::net::SocketAddr;
use std::time::Duration;

use coffer_load::{Pace, Requests};

use super::reads;
use crate::ledger::{Rich, balance_reads, plan};
use crate::rounds::{Contender, drive};
use crate::server::{Coffer, Server};
use crate::table::{Row, Unit, grouped, median};
use crate::{Failure, Places};

const CONNECTIONS_CHARGES: usize = 256;
const CONNECTIONS_READS: usize = 64;
const CHARGE_P99_MAX: Duration = Duration::from_millis(10);
const READ_P99_MAX: Duration = Duration::from_millis(2);
/// As many rounds find out the most.
const ROUNDS_AT_MOST: usize = 3;

/// What was seen at half of the most.
struct Seen {
    per_second: u64,
    median_ns: u64,
    ns_99th: u64,
    ns_999th: u64,
    /// How late the load itself was, which is no fault of the server's and part of the others.
    delay_ns_99th: u64,
}

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let Rich { coffer, accounts, data: _data } = Rich::start(places, places.effort.accounts()).await?;
    let requests = coffer.target().charges(&accounts);
    let charges = at_half(places, &coffer.server, CONNECTIONS_CHARGES, requests).await?;
    coffer.server.end().await?;

    let data = places.temporary()?;
    let coffer = Coffer::start(places, data.path(), Some(1)).await?;
    let keys = reads::make_keys(places, &coffer).await?;
    let requests = balance_reads(coffer.server.address, &keys);
    let read = at_half(places, &coffer.server, CONNECTIONS_READS, requests).await?;
    coffer.server.end().await?;

    let mut rows = rows("charges", &charges, CHARGE_P99_MAX);
    rows.extend(rows_of_reads(&read));
    Ok(rows)
}

fn rows_of_reads(seen: &Seen) -> Vec<Row> {
    rows("balance reads", seen, READ_P99_MAX)
}

/// Finds the most that the server does, and then asks half of it.
async fn at_half(
    places: &Places,
    server: &Server,
    connections: usize,
    requests: Requests,
) -> Result<Seen, Failure> {
    let effort = places.effort;
    let contender = Contender::http("coffer", server.pid, server.address, requests.again()).with(connections);
    contender.turn(effort.warm_up_seconds()).await?;
    let mut most = Vec::new();
    for _ in 0..ROUNDS_AT_MOST {
        most.push(contender.turn(effort.try_seconds()).await?.per_second);
    }
    let per_second = median(most).unwrap_or(0).div_ceil(2).max(1);
    let mut rounds = Vec::new();
    for _ in 0..effort.rounds() {
        rounds.push(by_the_clock(places, server.address, connections, per_second, &requests).await?);
    }
    let middle = |number: fn(&Seen) -> u64| median(rounds.iter().map(number)).unwrap_or(0);
    Ok(Seen {
        per_second: middle(|seen| seen.per_second),
        median_ns: middle(|seen| seen.median_ns),
        ns_99th: middle(|seen| seen.ns_99th),
        ns_999th: middle(|seen| seen.ns_999th),
        delay_ns_99th: middle(|seen| seen.delay_ns_99th),
    })
}

async fn by_the_clock(
    places: &Places,
    address: SocketAddr,
    connections: usize,
    per_second: u64,
    requests: &Requests,
) -> Result<Seen, Failure> {
    let plan = plan(address, connections, Pace::Open { per_second }, places.effort.round_seconds());
    let (counted, _) = drive(plan, requests.again()).await?;
    let seen = Seen {
        per_second: counted.per_second(1),
        median_ns: counted.latency_ns(0.5),
        ns_99th: counted.latency_ns(0.99),
        ns_999th: counted.latency_ns(0.999),
        delay_ns_99th: counted.delay_ns(0.99),
    };
    eprintln!("  {}/s asked, {} µs for 99 of 100", grouped(per_second), grouped(seen.ns_99th / 1000));
    Ok(seen)
}

fn rows(what: &str, seen: &Seen, ns_99th_max: Duration) -> Vec<Row> {
    let ns_99th_max = u64::try_from(ns_99th_max.as_nanos()).unwrap_or(u64::MAX);
    let work = format!("{what} by the clock at {}/s, 99th percentile", grouped(seen.per_second));
    let row = |work: &str, ns| Row::new(work, ns, Unit::Nanoseconds);
    vec![
        row(&work, seen.ns_99th).at_most(ns_99th_max),
        row("  median", seen.median_ns),
        row("  99.9th percentile", seen.ns_999th),
        row("  the load's own delay, 99th percentile", seen.delay_ns_99th),
    ]
}
