//! One client that charges one thing at a time, beside one sync of the same disk.

use crate::ledger::Rich;
use crate::machine::sync_ns;
use crate::rounds::Contender;
use crate::table::{Ratio, Ratios, Row, Unit, grouped, in_thousands, median};
use crate::{Failure, Places};

const BEYOND_SYNC_NS_MAX: u64 = 200_000;

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let effort = places.effort;
    let Rich { coffer, accounts, data: _data } = Rich::start(places, effort.accounts()).await?;
    let (server, requests) = (&coffer.server, coffer.target().charges(&accounts));
    let contender = Contender::http("coffer", server.pid, server.address, requests).with(1);
    contender.turn(effort.warm_up_seconds()).await?;
    let mut rounds = Vec::new();
    for _ in 0..effort.rounds() {
        let sync = sync_ns(places)?;
        let turn = contender.turn(effort.round_seconds()).await?;
        eprintln!("  a charge {} µs, a sync {} µs", in_thousands(turn.median_ns), in_thousands(sync));
        rounds.push((turn, sync));
    }
    coffer.server.end().await?;

    let middle = |numbers: Vec<u64>| median(numbers).unwrap_or(0);
    let took = middle(rounds.iter().map(|(turn, _)| turn.median_ns).collect());
    let sync = middle(rounds.iter().map(|(_, sync)| *sync).collect());
    let beyond = middle(rounds.iter().map(|(turn, sync)| turn.median_ns.saturating_sub(*sync)).collect());
    let ratios = Ratios::of(rounds.iter().filter_map(|(turn, sync)| Ratio::of(turn.median_ns, *sync)));
    let ratios = ratios.ok_or_else(|| Failure("no round was measured".to_owned()))?;
    let last = middle(rounds.iter().map(|(turn, _)| turn.ns_99th).collect());
    let goal = format!("<= a sync + {} µs", grouped(BEYOND_SYNC_NS_MAX / 1000));
    Ok(vec![
        Row::new("one client, one charge at a time, median (less is better)", took, Unit::Nanoseconds)
            .beside("one fdatasync", sync, ratios)
            .goal(goal, beyond <= BEYOND_SYNC_NS_MAX),
        Row::new("  beyond the sync", beyond, Unit::Nanoseconds),
        Row::new("  99th percentile", last, Unit::Nanoseconds),
    ])
}
