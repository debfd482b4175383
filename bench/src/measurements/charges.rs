//! Durable charges, one a call, under random idempotency keys: beside a handler that does nothing for the same request, beside
//! charges written by hand for PostgreSQL and for Redis, and on one account beside many.

use coffer_load::{Pace, Protocol};

use crate::client::Operator;
use crate::ledger::{CREDITS_PLENTY, Rich};
use crate::peers::by_hand::{self, ByHand, Postgres};
use crate::peers::redis::Redis;
use crate::rounds::{CONNECTIONS, Contender, Loaded, Rounds, Turn};
use crate::server::Server;
use crate::table::{Ratio, Row, Unit, grouped};
use crate::{Failure, Places};

/// With how many connections Coffer and Redis are tried.
const CONNECTIONS_TRIED: [usize; 3] = [64, 128, 256];
const CORES: fn() -> usize = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);

const BARE_RATIO_MIN: Ratio = Ratio::of_thousandths(400);
const POSTGRES_RATIO_MIN: Ratio = Ratio::of_thousandths(3_000);
const REDIS_RATIO_MIN: Ratio = Ratio::of_thousandths(1_500);
const HOT_RATIO_MIN: Ratio = Ratio::of_thousandths(900);

const fn per_second(turn: &Turn) -> u64 {
    turn.per_second
}

/// At as many connections as the bare handler.
pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let Rich { coffer, accounts, data: _data } = Rich::start(places, places.effort.accounts()).await?;
    let bare = Server::start_bare(places, CORES()).await?;
    let (target, server) = (coffer.target(), &coffer.server);
    let requests = target.charges(&accounts);
    let contenders = [
        &Contender::http("coffer", server.pid, server.address, requests),
        &Contender::http("bare axum", bare.pid, bare.address, target.charges_at(bare.address, &accounts)),
    ];
    let rounds = Rounds::measure(places.effort, &contenders).await?;
    coffer.server.end().await?;
    bare.end().await?;

    let many = grouped(accounts.len() as u64);
    let work = format!("charges, {many} accounts, {CONNECTIONS} connections{}", rounds.disturbed());
    let beside = |work: String, number: fn(&Turn) -> u64, unit| {
        let row = Row::new(work, rounds.median(0, number), unit);
        Ok::<_, Failure>(row.beside("bare axum", rounds.median(1, number), rounds.ratios(0, 1, number)?))
    };
    Ok(vec![
        beside(work, per_second, Unit::PerSecond)?
            .ratio_at_least(BARE_RATIO_MIN)
            .charted("charges, beside a handler that keeps nothing"),
        beside(
            "  processor time a charge (less is better)".to_owned(),
            |turn| turn.cpu_ns_per_request,
            Unit::Nanoseconds,
        )?,
        beside(
            "  processor time of the load a charge".to_owned(),
            |turn| turn.load_ns_per_request,
            Unit::Nanoseconds,
        )?,
        beside("  median latency (less is better)".to_owned(), |turn| turn.median_ns, Unit::Nanoseconds)?,
        beside(
            "  99th percentile of latency (less is better)".to_owned(),
            |turn| turn.ns_99th,
            Unit::Nanoseconds,
        )?,
    ])
}

/// Each at its best number of connections or clients.
pub(crate) async fn measure_at_best(places: &Places) -> Result<Vec<Row>, Failure> {
    let effort = places.effort;
    let Rich { coffer, accounts, data } = Rich::start(places, effort.accounts()).await?;
    let server = &coffer.server;
    let contender = Contender::http("coffer", server.pid, server.address, coffer.target().charges(&accounts));
    let (contender, connections) = contender.at_its_best(effort, &CONNECTIONS_TRIED).await?;
    let work = format!("charges, {} accounts, {connections} connections", grouped(accounts.len() as u64));

    let mut rows = Vec::new();
    let postgres = beside_postgres(places, data.path(), &contender, &work).await;
    rows.push(postgres.unwrap_or_else(|failure| Row::failed(format!("{work}, beside PostgreSQL"), &failure)));
    let redis = beside_redis(places, &contender, &work).await;
    rows.push(redis.unwrap_or_else(|failure| Row::failed(format!("{work}, beside Redis"), &failure)));
    coffer.server.end().await?;
    Ok(rows)
}

async fn beside_postgres(
    places: &Places,
    folder: &std::path::Path,
    coffer: &Contender<'_>,
    work: &str,
) -> Result<Row, Failure> {
    let postgres = Postgres::start(places)?;
    let by_hand = ByHand::make(&postgres.cluster, folder, places.effort.accounts())?;
    let load = Loaded::Pgbench { by_hand: &by_hand, clients: 1 };
    let peer = Contender::new("PostgreSQL by hand", postgres.pid, load);
    let (peer, clients) = peer.at_its_best(places.effort, &by_hand::CLIENTS).await?;
    let rounds = Rounds::measure(places.effort, &[coffer, &peer]).await?;
    Ok(Row::new(format!("{work}{}", rounds.disturbed()), rounds.median(0, per_second), Unit::PerSecond)
        .beside(
            format!("PostgreSQL by hand, {clients} clients"),
            rounds.median(1, per_second),
            rounds.ratios(0, 1, per_second)?,
        )
        .ratio_at_least(POSTGRES_RATIO_MIN)
        .charted("charges, beside PostgreSQL by hand"))
}

async fn beside_redis(places: &Places, coffer: &Contender<'_>, work: &str) -> Result<Row, Failure> {
    let data = places.temporary()?;
    let redis = Redis::start(places, data.path(), places.effort.accounts()).await?;
    let (address, protocol) = (redis.server.address, Protocol::Redis);
    let (pace, requests) = (Pace::Closed, Box::new(redis.charges()));
    let load = Loaded::Here { address, protocol, connections: 1, pace, requests };
    let peer = Contender::new("Redis", redis.server.pid, load);
    let (peer, connections) = peer.at_its_best(places.effort, &CONNECTIONS_TRIED).await?;
    let rounds = Rounds::measure(places.effort, &[coffer, &peer]).await?;
    let charged = redis.charged().await?;
    if charged != peer.done() {
        return Err(Failure(format!("Redis noted {charged} charges of {}", peer.done())));
    }
    redis.server.end().await?;
    Ok(Row::new(format!("{work}{}", rounds.disturbed()), rounds.median(0, per_second), Unit::PerSecond)
        .beside(
            format!("Redis, fsync always, {connections} connections"),
            rounds.median(1, per_second),
            rounds.ratios(0, 1, per_second)?,
        )
        .ratio_at_least(REDIS_RATIO_MIN)
        .charted("charges, beside Redis Lua with appendfsync always"))
}

/// All on one account, beside the same spread over many.
pub(crate) async fn measure_hot(places: &Places) -> Result<Vec<Row>, Failure> {
    let Rich { coffer, accounts, data: _data } = Rich::start(places, places.effort.accounts()).await?;
    let target = coffer.target();
    let hot = target.make_rich(1).await?;
    let server = &coffer.server;
    let contender =
        |name, accounts| Contender::http(name, server.pid, server.address, target.charges(accounts));
    let contenders = [&contender("one account", &hot), &contender("spread", &accounts)];
    let rounds = Rounds::measure(places.effort, &contenders).await?;

    // What was answered must be what is in the ledger: no more, and no less.
    let mut operator = Operator::connect(target.address, &target.operator_key).await?;
    let available = operator.available(&String::from_utf8_lossy(hot.get(0))).await?;
    let granted: u64 = CREDITS_PLENTY.parse().map_err(|error| Failure::of("read the grant", error))?;
    let charged = contenders[0].done();
    if available != (granted - charged).to_string() {
        return Err(Failure(format!(
            "after {charged} charges of {granted} credits, {available} are available"
        )));
    }
    coffer.server.end().await?;
    let work = format!("charges on one hot account, {CONNECTIONS} connections{}", rounds.disturbed());
    let peer = format!("spread over {}", grouped(accounts.len() as u64));
    Ok(vec![
        Row::new(work, rounds.median(0, per_second), Unit::PerSecond)
            .beside(peer, rounds.median(1, per_second), rounds.ratios(0, 1, per_second)?)
            .ratio_at_least(HOT_RATIO_MIN)
            .charted("charges on one hot account, beside spread ones"),
    ])
}
