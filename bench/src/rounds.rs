//! Rounds: every contender under load for a while, one after the other, and again.
//!
//! All servers stay up, so that what disturbs the machine for a while disturbs all of them. Rounds during which other
//! programs were busy are measured again.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use coffer_load::{Broken, Counted, Pace, Plan, Protocol, Requests, Until};

use crate::effort::Effort;
use crate::machine::sync_ns;
use crate::peers::by_hand::ByHand;
use crate::process::CpuTime;
use crate::table::{Ratio, Ratios, grouped, median};
use crate::wrk::Wrk;
use crate::{Failure, Places};

/// What rounds are called during which other programs were busy.
pub(crate) const DISTURBED: &str = "rounds disturbed";

/// How much of one core other programs may take during a round.
const OTHERS_PERCENT_MAX: u64 = 10;

/// Over how many connections the load goes, where nothing else is said.
pub(crate) const CONNECTIONS: usize = 64;

/// Whom the load goes to.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    /// The processes that serve, each with those that it started.
    pub(crate) pids: Vec<u32>,
    pub(crate) load: Loaded<'a>,
    /// How much is done by each request.
    pub(crate) done_by_each: u64,
    /// All that was done, in turns that do not count too.
    done: Cell<u64>,
}

/// By what.
pub(crate) enum Loaded<'a> {
    /// The benchmark's own load.
    Here { address: SocketAddr, protocol: Protocol, connections: usize, pace: Pace, requests: Box<Requests> },
    /// pgbench, with so many clients.
    Pgbench { by_hand: &'a ByHand, clients: usize },
    /// wrk, with the keys in a file.
    Wrk { places: &'a Places, address: SocketAddr, connections: usize, keys: &'a Path },
    /// Syncs of a file, one after the other, which no server does.
    Syncs { places: &'a Places },
}

/// One server under load for a while.
#[derive(Clone, Copy, Default)]
pub(crate) struct Turn {
    pub(crate) per_second: u64,
    /// Of latency, which pgbench and wrk are not asked for.
    pub(crate) median_ns: u64,
    pub(crate) ns_99th: u64,
    pub(crate) ns_999th: u64,
    /// How late the load itself was: in an open loop, for 99 of 100 requests.
    pub(crate) delay_ns_99th: u64,
    /// What the server took of a processor, in the kernel and out of it.
    pub(crate) cpu_ns_per_request: u64,
    /// What the load took.
    pub(crate) load_ns_per_request: u64,
    /// How much of one core the server took.
    pub(crate) busy_percent: u64,
    others_percent: u64,
    /// All that were answered, those that came late included.
    pub(crate) answers: u64,
}

/// The rounds that count: in each, a turn of every contender.
pub(crate) struct Rounds(Vec<Vec<Turn>>);

/// Runs a load in a thread of its own; what waits for it goes on listening to signals.
pub(crate) async fn drive(plan: Plan, mut requests: Requests) -> Result<(Counted, Requests), Failure> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let counted = coffer_load::run(&plan, &mut requests).and_then(Counted::flawless);
        // Nobody listens any more where the benchmark was told to end.
        drop(tell.send(counted.map(|counted| (counted, requests))));
    });
    let counted: Result<_, Broken> = told.await.map_err(|lost| Failure::of("the load", lost))?;
    counted.map_err(|broken| Failure::of("the load", broken))
}

impl<'a> Contender<'a> {
    /// One over HTTP, with as many connections as usual.
    pub(crate) fn http(
        name: &'static str,
        pid: u32,
        address: SocketAddr,
        requests: Requests,
    ) -> Contender<'a> {
        let load = Loaded::Here {
            address,
            protocol: Protocol::Http,
            connections: CONNECTIONS,
            pace: Pace::Closed,
            requests: Box::new(requests),
        };
        Contender::new(name, pid, load)
    }

    pub(crate) fn new(name: &'static str, pid: u32, load: Loaded<'a>) -> Contender<'a> {
        Contender { name, pids: vec![pid], load, done_by_each: 1, done: Cell::new(0) }
    }

    /// All that was done so far.
    pub(crate) fn done(&self) -> u64 {
        self.done.get()
    }

    /// The same with so many connections or clients.
    pub(crate) fn with(mut self, count: usize) -> Contender<'a> {
        match &mut self.load {
            Loaded::Here { connections, .. } | Loaded::Wrk { connections, .. } => *connections = count,
            Loaded::Pgbench { clients, .. } => *clients = count,
            Loaded::Syncs { .. } => {}
        }
        self
    }

    /// The same, where another process serves, too.
    pub(crate) fn served_by(mut self, pid: u32) -> Contender<'a> {
        self.pids.push(pid);
        self
    }

    /// The same, but asked by the clock.
    pub(crate) fn by_the_clock(mut self, per_second: u64) -> Contender<'a> {
        if let Loaded::Here { pace, .. } = &mut self.load {
            *pace = Pace::Open { per_second };
        }
        self
    }

    /// The same with as many connections or clients as serve it best.
    pub(crate) async fn at_its_best(
        mut self,
        effort: Effort,
        counts: &[usize],
    ) -> Result<(Contender<'a>, usize), Failure> {
        let mut best = (0, 0);
        for count in counts {
            self = self.with(*count);
            let per_second = self.turn(effort.try_seconds()).await?.per_second;
            eprintln!("  {}: {}/s with {count}", self.name, grouped(per_second));
            best = best.max((per_second, *count));
        }
        Ok((self.with(best.1), best.1))
    }

    pub(crate) async fn turn(&self, seconds: u64) -> Result<Turn, Failure> {
        let before = CpuTime::now(&self.pids)?;
        let started = Instant::now();
        let mut turn = self.loaded(seconds).await.map_err(|failure| Failure::of(self.name, failure))?;
        let used = before.until(CpuTime::now(&self.pids)?);
        let took_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
        self.done.set(self.done.get() + turn.answers * self.done_by_each);
        turn.cpu_ns_per_request = used.server_ns / turn.answers.max(1);
        turn.busy_percent = used.server_ns * 100 / took_ns;
        turn.others_percent = used.others_ns * 100 / took_ns;
        Ok(turn)
    }

    async fn loaded(&self, seconds: u64) -> Result<Turn, Failure> {
        match &self.load {
            Loaded::Here { address, protocol, connections, pace, requests } => {
                let (address, protocol, connections, pace) = (*address, *protocol, *connections, *pace);
                let until = Until::Elapsed(Duration::from_secs(seconds));
                let plan = Plan { address, protocol, connections, pace, until };
                let (counted, _) = drive(plan, requests.again()).await?;
                Ok(Turn::of(&counted, self.done_by_each))
            }
            Loaded::Pgbench { by_hand, clients } => {
                let per_second = by_hand.charges_per_second(*clients, seconds).await?;
                Ok(Turn { per_second, answers: per_second * seconds, ..Turn::default() })
            }
            Loaded::Wrk { places, address, connections, keys } => {
                let wrk = Wrk { connections: *connections, seconds };
                let per_second = wrk.reads_per_second(places, *address, keys).await?;
                Ok(Turn { per_second, answers: per_second * seconds, ..Turn::default() })
            }
            Loaded::Syncs { places } => {
                let median_ns = sync_ns(places)?;
                Ok(Turn { per_second: 1_000_000_000 / median_ns.max(1), median_ns, ..Turn::default() })
            }
        }
    }
}

impl Turn {
    fn of(counted: &Counted, done_by_each: u64) -> Turn {
        let load_ns = u64::try_from(counted.cpu.as_nanos()).unwrap_or(u64::MAX);
        Turn {
            per_second: counted.per_second(done_by_each),
            median_ns: counted.latency_ns(0.5),
            ns_99th: counted.latency_ns(0.99),
            ns_999th: counted.latency_ns(0.999),
            delay_ns_99th: counted.delay_ns(0.99),
            load_ns_per_request: load_ns / counted.answers_in_all().max(1),
            answers: counted.answers_in_all(),
            ..Turn::default()
        }
    }
}

impl Rounds {
    /// Warms all of them up, and then loads one after the other until there are enough calm rounds.
    pub(crate) async fn measure(effort: Effort, contenders: &[&Contender<'_>]) -> Result<Rounds, Failure> {
        Rounds::measure_times(effort, effort.rounds(), contenders).await
    }

    /// The same with another number of rounds that count.
    pub(crate) async fn measure_times(
        effort: Effort,
        count: usize,
        contenders: &[&Contender<'_>],
    ) -> Result<Rounds, Failure> {
        for contender in contenders {
            contender.turn(effort.warm_up_seconds()).await?;
        }
        let mut rounds: Vec<Vec<Turn>> = Vec::new();
        while rounds.iter().filter(|round| is_calm(round)).count() < count
            && rounds.len() < count + effort.rounds_again()
        {
            let mut round = Vec::with_capacity(contenders.len());
            for contender in contenders {
                round.push(contender.turn(effort.round_seconds()).await?);
            }
            let numbers: Vec<String> = contenders
                .iter()
                .zip(&round)
                .map(|(contender, turn)| format!("{} {}/s", contender.name, grouped(turn.per_second)))
                .collect();
            let (numbers, others) = (numbers.join(", "), others_percent(&round));
            eprintln!("  {numbers}; other programs took {others} % of a core");
            rounds.push(round);
        }
        rounds.sort_by_key(|round| others_percent(round));
        rounds.truncate(count);
        Ok(Rounds(rounds))
    }

    /// The median of a contender's number.
    pub(crate) fn median(&self, contender: usize, number: impl Fn(&Turn) -> u64) -> u64 {
        median(self.0.iter().map(|round| number(&round[contender]))).unwrap_or(0)
    }

    /// The median of what is made of a whole round.
    pub(crate) fn median_of_rounds(&self, number: impl Fn(&[Turn]) -> u64) -> u64 {
        median(self.0.iter().map(|round| number(round))).unwrap_or(0)
    }

    /// One contender's number over another's, of each round by itself, so that the two that are compared were measured side
    /// by side.
    pub(crate) fn ratios(
        &self,
        one: usize,
        other: usize,
        number: impl Fn(&Turn) -> u64,
    ) -> Result<Ratios, Failure> {
        let ratios = self.0.iter().filter_map(|round| Ratio::of(number(&round[one]), number(&round[other])));
        Ratios::of(ratios).ok_or_else(|| Failure("no round was measured".to_owned()))
    }

    /// What is to be said where too few rounds were calm, and else nothing.
    pub(crate) fn disturbed(&self) -> String {
        let disturbed = self.0.iter().filter(|round| !is_calm(round)).count();
        if disturbed == 0 {
            return String::new();
        }
        format!(" ({disturbed} of {} {DISTURBED})", self.0.len())
    }
}

fn others_percent(round: &[Turn]) -> u64 {
    round.iter().map(|turn| turn.others_percent).max().unwrap_or(0)
}

fn is_calm(round: &[Turn]) -> bool {
    others_percent(round) <= OTHERS_PERCENT_MAX
}
