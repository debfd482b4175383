//! Balance reads, beside a handler that answers a constant over the same web framework.
//!
//! Both servers stay up, and the load goes to one and the other in turn: what disturbs the machine for a
//! while disturbs both. Rounds during which other programs were busy are measured again.

use std::path::{Path, PathBuf};

use crate::client::{Client, Operator};
use crate::load::{Counted, Load};
use crate::process::CpuTime;
use crate::server::{Coffer, Server};
use crate::table::{Ratio, Ratios, Row, grouped, in_thousands, median};
use crate::{Failure, Places};

const KEYS: usize = 1_000;
const CREDITS: &str = "1234";
const BALANCE: &str = r#"{"code":100000,"message":{},"result":{"user_credits":"1234"}}"#;

const WORKERS: [usize; 2] = [1, 2];
const CONNECTIONS: usize = 64;
const WARM_UP_SECONDS: u64 = 2;
const ROUND_SECONDS: u64 = 5;
const ROUNDS: usize = 9;
/// Disturbed rounds included. If there are too few calm ones by then, the least disturbed ones count.
const ROUNDS_MAX: usize = 15;
/// How much of one core other programs may take during a round.
const OTHERS_PERCENT_MAX: u64 = 10;

const RATIO_MIN: Ratio = Ratio::of_thousandths(800);

/// One server under load for a while.
struct Turn {
    counted: Counted,
    /// What the server took of a processor, in the kernel and out of it.
    cpu_ns_per_request: u64,
    /// How much of its workers' time the server took.
    busy_percent: u64,
    others_percent: u64,
}

/// Both servers, one after the other.
struct Round {
    bare: Turn,
    coffer: Turn,
}

impl Round {
    fn others_percent(&self) -> u64 {
        self.bare.others_percent.max(self.coffer.others_percent)
    }

    fn is_calm(&self) -> bool {
        self.others_percent() <= OTHERS_PERCENT_MAX
    }
}

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for workers in WORKERS {
        rows.extend(measure_with(places, workers).await?);
    }
    Ok(rows)
}

async fn measure_with(places: &Places, workers: usize) -> Result<Vec<Row>, Failure> {
    let data = places.temporary()?;
    let coffer = Coffer::start(places, data.path(), Some(workers)).await?;
    let bare = Server::start_bare(places, workers).await?;
    let (keys, file) = make_keys(&coffer, data.path()).await?;
    let load = Load { connections: CONNECTIONS, threads: workers, seconds: ROUND_SECONDS };

    for server in [&bare, &coffer.server] {
        let warm_up = Load { seconds: WARM_UP_SECONDS, ..load };
        warm_up.of_balance_reads(places, server.address, &file).await?;
    }
    let mut rounds: Vec<Round> = Vec::new();
    while rounds.iter().filter(|round| round.is_calm()).count() < ROUNDS && rounds.len() < ROUNDS_MAX {
        let bare = turn(places, load, workers, &bare, &file).await?;
        let coffer = turn(places, load, workers, &coffer.server, &file).await?;
        let round = Round { bare, coffer };
        eprintln!(
            "  {}: bare {}/s, coffer {}/s; other programs took {} % of a core",
            in_words(workers),
            grouped(round.bare.counted.requests_per_second),
            grouped(round.coffer.counted.requests_per_second),
            round.others_percent(),
        );
        rounds.push(round);
    }
    rounds.sort_by_key(Round::others_percent);
    rounds.truncate(ROUNDS);

    check_keys(&coffer, &keys).await?;
    coffer.server.end().await?;
    bare.end().await?;
    rows(workers, &rounds)
}

/// Makes the accounts, and writes their keys into a file, one a line.
async fn make_keys(coffer: &Coffer, folder: &Path) -> Result<(Vec<String>, PathBuf), Failure> {
    let mut operator = Operator::connect(coffer.server.address, &coffer.operator_key).await?;
    let mut keys = Vec::with_capacity(KEYS);
    for number in 0..KEYS {
        keys.push(operator.account_with_key(number, CREDITS).await?);
    }
    let file = folder.join("keys.txt");
    std::fs::write(&file, keys.join("\n") + "\n").map_err(|error| Failure::of("write the keys", error))?;
    Ok((keys, file))
}

/// wrk does not look at bodies, and a dead key would be answered with success too.
async fn check_keys(coffer: &Coffer, keys: &[String]) -> Result<(), Failure> {
    let mut client = Client::connect(coffer.server.address).await?;
    for key in keys {
        let answer = client.balance(key).await?;
        if answer.status != 200 || answer.text() != BALANCE {
            return Err(Failure(format!("a balance read answered {}: {}", answer.status, answer.text())));
        }
    }
    Ok(())
}

async fn turn(
    places: &Places,
    load: Load,
    workers: usize,
    server: &Server,
    keys: &Path,
) -> Result<Turn, Failure> {
    let before = CpuTime::now(server.pid)?;
    let counted = load.of_balance_reads(places, server.address, keys).await?;
    let used = before.until(CpuTime::now(server.pid)?);
    let core_ns = load.seconds * 1_000_000_000;
    Ok(Turn {
        counted,
        cpu_ns_per_request: used.process_ns / counted.requests.max(1),
        busy_percent: used.process_ns * 100 / (core_ns * workers as u64),
        others_percent: used.others_ns * 100 / core_ns,
    })
}

fn in_words(workers: usize) -> String {
    format!("{workers} {}", if workers == 1 { "worker" } else { "workers" })
}

fn rows(workers: usize, rounds: &[Round]) -> Result<Vec<Row>, Failure> {
    let middle = |number: fn(&Turn) -> u64| {
        let coffer = median(rounds.iter().map(|round| number(&round.coffer)));
        let bare = median(rounds.iter().map(|round| number(&round.bare)));
        // Of each round by itself, so that the two that are compared were measured side by side.
        let ratios = rounds.iter().filter_map(|round| Ratio::of(number(&round.coffer), number(&round.bare)));
        let numbers = coffer.zip(bare).zip(Ratios::of(ratios));
        numbers.ok_or_else(|| Failure("no round was measured".to_owned()))
    };
    let mut what = format!("{}, {CONNECTIONS} connections", in_words(workers));
    let disturbed_count = rounds.iter().filter(|round| !round.is_calm()).count();
    if disturbed_count > 0 {
        what = format!("{what}, {disturbed_count} of {} rounds disturbed", rounds.len());
    }
    let ((coffer, bare), ratios) = middle(|turn| turn.counted.requests_per_second)?;
    let throughput = Row::new(format!("balance reads, {what}"), format!("{}/s", grouped(coffer)))
        .beside(format!("bare axum {}/s", grouped(bare)), ratios)
        .goal(&format!(">= {RATIO_MIN}"), ratios.median >= RATIO_MIN);
    let beside = |work: &str, number: fn(&Turn) -> u64, text: fn(u64) -> String| {
        let ((coffer, bare), ratios) = middle(number)?;
        Ok::<_, Failure>(Row::new(format!("  {work}"), text(coffer)).beside(text(bare), ratios))
    };
    let cpu = |ns| format!("{} µs", in_thousands(ns));
    let time = |us| format!("{} µs", grouped(us));
    let percent = |percent| format!("{percent} %");
    Ok(vec![
        throughput,
        beside("processor time a request (less is better)", |turn| turn.cpu_ns_per_request, cpu)?,
        beside("how busy its workers were", |turn| turn.busy_percent, percent)?,
        beside("median latency (less is better)", |turn| turn.counted.latency_us_median, time)?,
        beside("99th percentile of latency (less is better)", |turn| turn.counted.latency_us_99th, time)?,
    ])
}
