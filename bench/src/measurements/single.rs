//! One client that charges one thing at a time, beside one sync of the same disk.

use crate::ledger::Rich;
use crate::rounds::{Contender, Loaded, Rounds, Turn};
use crate::table::{Row, Unit, grouped};
use crate::{Failure, Places};

const BEYOND_SYNC_NS_MAX: u64 = 200_000;

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let effort = places.effort;
    let Rich { coffer, accounts, data: _data } = Rich::start(places, effort.accounts()).await?;
    let (server, requests) = (&coffer.server, coffer.target().charges(&accounts));
    let charging = Contender::http("coffer", server.pid, server.address, requests).with(1);
    let syncing = Contender::new("a sync", std::process::id(), Loaded::Syncs { places });
    let rounds = Rounds::measure(effort, &[&charging, &syncing]).await?;
    coffer.server.end().await?;

    let took = |turn: &Turn| turn.median_ns;
    let beyond = rounds.median_of_rounds(|round| round[0].median_ns.saturating_sub(round[1].median_ns));
    let work = format!("one client, one charge at a time, median{} (less is better)", rounds.disturbed());
    let goal = format!("<= a sync + {} µs", grouped(BEYOND_SYNC_NS_MAX / 1000));
    Ok(vec![
        Row::new(work, rounds.median(0, took), Unit::Nanoseconds)
            .beside("one fdatasync", rounds.median(1, took), rounds.ratios(0, 1, took)?)
            .goal(goal, beyond <= BEYOND_SYNC_NS_MAX),
        Row::new("  beyond the sync", beyond, Unit::Nanoseconds),
        Row::new("  99th percentile", rounds.median(0, |turn| turn.ns_99th), Unit::Nanoseconds),
    ])
}
