//! Balance reads, beside servers that answer the same bytes and look at nothing: a handler over the same web framework, and
//! nginx.

use std::path::Path;
use std::sync::Arc;

use coffer_load::Values;

use crate::ledger::{BALANCE_READ, CREDITS_READ, balance_reads, write_keys};
use crate::peers::nginx;
use crate::rounds::{CONNECTIONS, Contender, Loaded, Rounds, Turn};
use crate::server::{Coffer, Server};
use crate::table::{Ratio, Row, Unit, grouped};
use crate::{Failure, Places};

const WORKERS: usize = 1;
const BARE_RATIO_MIN: Ratio = Ratio::of_thousandths(900);
const NGINX_RATIO_MIN: Ratio = Ratio::of_thousandths(880);
const CROSS_CHECK_ROUNDS: usize = 2;

/// The contenders by their places in a round.
const COFFER: usize = 0;
const BARE: usize = 1;
const NGINX: usize = 2;

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let data = places.temporary()?;
    let coffer = Coffer::start(places, data.path(), Some(WORKERS)).await?;
    let keys = make_keys(places, &coffer).await?;
    let bare = Server::start_bare(places, WORKERS).await?;
    let nginx = nginx::start(places, data.path(), BALANCE_READ).await;

    let contender = |name, server: &Server| {
        Contender::http(name, server.pid, server.address, balance_reads(server.address, &keys))
    };
    let mut contenders = vec![contender("coffer", &coffer.server), contender("bare axum", &bare)];
    contenders.extend(nginx.as_ref().ok().map(|nginx| contender("nginx", nginx)));
    let contenders: Vec<&Contender<'_>> = contenders.iter().collect();
    let rounds = Rounds::measure(places.effort, &contenders).await?;
    let cross_check = cross_check(places, data.path(), &keys, &coffer.server, &bare).await;

    let rows = rows(&rounds, keys.len(), nginx.as_ref().err(), cross_check)?;
    coffer.server.end().await?;
    bare.end().await?;
    if let Ok(nginx) = nginx {
        nginx.end().await?;
    }
    Ok(rows)
}

/// Makes accounts with a grant and a key each; answers the keys.
pub(crate) async fn make_keys(places: &Places, coffer: &Coffer) -> Result<Arc<Values>, Failure> {
    let target = coffer.target();
    let accounts = target.make_accounts(places.effort.accounts()).await?.accounts;
    target.grant_all(&accounts, CREDITS_READ).await?;
    target.make_keys(&accounts).await
}

/// The same by wrk: a load that others wrote must come to about the same ratio.
async fn cross_check(
    places: &Places,
    folder: &Path,
    keys: &Values,
    coffer: &Server,
    bare: &Server,
) -> Result<Row, Failure> {
    let file = folder.join("keys.txt");
    write_keys(keys, &file)?;
    let contender = |name, server: &Server| {
        let load = Loaded::Wrk { places, address: server.address, connections: CONNECTIONS, keys: &file };
        Contender::new(name, server.pid, load)
    };
    let contenders = [&contender("coffer by wrk", coffer), &contender("bare axum by wrk", bare)];
    let rounds = Rounds::measure_times(places.effort, CROSS_CHECK_ROUNDS, &contenders).await?;
    let per_second = |turn: &Turn| turn.per_second;
    Ok(Row::new(CROSS_CHECK, rounds.median(0, per_second), Unit::PerSecond).beside(
        "bare axum",
        rounds.median(1, per_second),
        rounds.ratios(0, 1, per_second)?,
    ))
}

const CROSS_CHECK: &str = "  cross-check by wrk";

fn rows(
    rounds: &Rounds,
    keys: usize,
    nginx_failure: Option<&Failure>,
    cross_check: Result<Row, Failure>,
) -> Result<Vec<Row>, Failure> {
    let per_second = |turn: &Turn| turn.per_second;
    let work = format!(
        "balance reads, {} keys, {CONNECTIONS} connections{}",
        grouped(keys as u64),
        rounds.disturbed()
    );
    let row = |work: String, peer, place, number: fn(&Turn) -> u64, unit| {
        let ratios = rounds.ratios(COFFER, place, number)?;
        Ok::<_, Failure>(Row::new(work, rounds.median(COFFER, number), unit).beside(
            peer,
            rounds.median(place, number),
            ratios,
        ))
    };
    let mut rows = vec![
        row(work.clone(), "bare axum", BARE, per_second, Unit::PerSecond)?
            .ratio_at_least(BARE_RATIO_MIN)
            .charted("balance reads, beside a bare axum handler"),
    ];
    match nginx_failure {
        Some(failure) => rows.push(Row::failed(format!("{work}, beside nginx"), failure)),
        None => rows.push(
            row("  the same".to_owned(), "nginx return 200", NGINX, per_second, Unit::PerSecond)?
                .ratio_at_least(NGINX_RATIO_MIN)
                .charted("balance reads, beside nginx `return 200`"),
        ),
    }
    let cpu = "  processor time a request (less is better)".to_owned();
    rows.push(row(cpu, "bare axum", BARE, |turn| turn.cpu_ns_per_request, Unit::Nanoseconds)?);
    rows.push(row(
        "  of one core busy".to_owned(),
        "bare axum",
        BARE,
        |turn| turn.busy_percent,
        Unit::Percent,
    )?);
    let load = "  processor time of the load a request".to_owned();
    rows.push(row(load, "bare axum", BARE, |turn| turn.load_ns_per_request, Unit::Nanoseconds)?);
    rows.push(cross_check.unwrap_or_else(|failure| Row::failed(CROSS_CHECK, &failure)));
    Ok(rows)
}
