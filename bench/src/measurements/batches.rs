//! Charges by `POST /v1/batch`.

use coffer_load::Order;

use crate::ledger::{BATCH_CHARGES, Rich};
use crate::rounds::{Contender, Rounds};
use crate::table::{Row, Unit, grouped};
use crate::{Failure, Places};

const CALLERS: usize = 3;
/// What TigerBeetle accepts on the machine of the first measurements.
const PER_SECOND_MIN: u64 = 200_000;

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let Rich { coffer, accounts, data: _data } = Rich::start(places, places.effort.accounts()).await?;
    let requests = coffer.target().batches_of_charges(&accounts, Order::ByChance, BATCH_CHARGES);
    let server = &coffer.server;
    let mut contender = Contender::http("coffer", server.pid, server.address, requests).with(CALLERS);
    contender.done_by_each = BATCH_CHARGES as u64;
    let rounds = Rounds::measure(places.effort, &[&contender]).await?;
    coffer.server.end().await?;

    let calls = format!("{} a call, {CALLERS} callers", grouped(BATCH_CHARGES as u64));
    let work = format!("charges by batch, {calls}{}", rounds.disturbed());
    let cpu = |of_call: u64| of_call / BATCH_CHARGES as u64;
    Ok(vec![
        Row::new(work, rounds.median(0, |turn| turn.per_second), Unit::PerSecond).at_least(PER_SECOND_MIN),
        Row::new("  median latency of a call", rounds.median(0, |turn| turn.median_ns), Unit::Nanoseconds),
        Row::new(
            "  processor time a charge",
            cpu(rounds.median(0, |turn| turn.cpu_ns_per_request)),
            Unit::Nanoseconds,
        ),
    ])
}
