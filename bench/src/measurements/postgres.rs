//! Charges on PostgreSQL: through Coffer's HTTP, beside the statement that people write by hand, on the same server.

use std::sync::Arc;

use coffer_load::{Pace, Values};
use coffer_test_postgres::{Cluster, Database};

use crate::ledger::{Target, plan};
use crate::peers::by_hand::{self, ByHand, Postgres};
use crate::rounds::{Contender, Loaded, Rounds, drive};
use crate::server::Node;
use crate::table::{Ratio, Ratios, Row, Unit, grouped};
use crate::{Failure, Places};

/// How many connections Coffer is tried with.
const CONNECTIONS: [usize; 4] = [64, 128, 256, 512];
const RATIO_MIN: Ratio = Ratio::of_thousandths(1_500);
const NODES_RATIO_MIN: Ratio = Ratio::of_thousandths(1_300);

const ACCOUNTS: usize = 10_000;
const ACCOUNTS_QUICK: usize = 1_000;
const ENTRIES_FEW: usize = 100_000;
const ENTRIES_FEW_QUICK: usize = 8_000;
const ENTRIES_MANY: usize = 10_000_000;
const ENTRIES_MANY_QUICK: usize = 40_000;
const GROWTH_CONNECTIONS: usize = 256;
/// After a checkpoint PostgreSQL logs every page whole when it is first changed; after so long it has met nearly all.
const SETTLE_SECONDS: u64 = 40;
const GROWTH_RATIO_MIN: Ratio = Ratio::of_thousandths(800);

/// Coffer on a database of its own, with accounts to charge.
struct Ledger {
    database: Database,
    accounts: Arc<Values>,
    node: Node,
}

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let (effort, folder) = (places.effort, places.temporary()?);
    let postgres = Postgres::start(places)?;
    let by_hand = ByHand::make(&postgres.cluster, folder.path(), effort.or_quick(ACCOUNTS, ACCOUNTS_QUICK))?;
    let ledger = Ledger::make(places, &postgres.cluster).await?;

    let load = Loaded::Pgbench { by_hand: &by_hand, clients: 1 };
    let hand = Contender::new("by hand", postgres.pid, load);
    let (hand, clients) = hand.at_its_best(effort, &by_hand::CLIENTS).await?;
    let (coffer, connections) = ledger.contender(postgres.pid).at_its_best(effort, &CONNECTIONS).await?;
    let (commits_before, done_before) = (ledger.commits(), coffer.done());
    let rounds = Rounds::measure(effort, &[&coffer, &hand]).await?;
    let commits = ledger.commits() - commits_before;
    let charges_per_commit = (coffer.done() - done_before) / commits.max(1);

    let second = Node::start(places, ledger.database.url(), "coffer-second.log").await?;
    let both = ledger.charge_through_both(places, connections, &second.target()).await?;
    let alone = coffer.turn(effort.round_seconds()).await?.per_second;
    second.server.end().await?;
    ledger.node.server.end().await?;
    rows(&rounds, (clients, connections), charges_per_commit, (both, alone))
}

/// The same load on few entries and on many.
pub(crate) async fn measure_growth(places: &Places) -> Result<Vec<Row>, Failure> {
    let effort = places.effort;
    let (entries_few, entries_many) =
        (effort.or_quick(ENTRIES_FEW, ENTRIES_FEW_QUICK), effort.or_quick(ENTRIES_MANY, ENTRIES_MANY_QUICK));
    let postgres = Postgres::start(places)?;
    let ledger = Ledger::make(places, &postgres.cluster).await?;
    let contender = ledger.contender(postgres.pid).with(GROWTH_CONNECTIONS);
    let target = ledger.node.target();
    let (mut settled, mut after_checkpoint) = (Vec::new(), Vec::new());
    let mut there = ledger.accounts.len();
    for entries in [entries_few, entries_many] {
        target.charge_many(&ledger.accounts, entries.saturating_sub(there)).await?;
        there = entries;
        ledger.database.execute("CHECKPOINT");
        after_checkpoint.push(contender.turn(2 * effort.round_seconds()).await?.per_second);
        contender.turn(effort.or_quick(SETTLE_SECONDS, 1)).await?;
        settled.push(contender.turn(2 * effort.round_seconds()).await?.per_second);
    }
    ledger.node.server.end().await?;
    let row = |work, measured: &[u64]| {
        let (few, many) = (measured[0], measured[1]);
        let ratios = Ratios::of(Ratio::of(many, few));
        let ratios = ratios.ok_or_else(|| Failure("nothing was measured".to_owned()))?;
        let peer = format!("at {} entries", grouped(entries_few as u64));
        Ok(Row::new(work, many, Unit::PerSecond).beside(peer, few, ratios))
    };
    let work = format!("charges on PostgreSQL at {} entries", grouped(entries_many as u64));
    Ok(vec![
        row(work, &settled)?.ratio_at_least(GROWTH_RATIO_MIN),
        row("  just after a checkpoint".to_owned(), &after_checkpoint)?,
    ])
}

fn rows(
    rounds: &Rounds,
    (clients, connections): (usize, usize),
    charges_per_commit: u64,
    (both, alone): (u64, u64),
) -> Result<Vec<Row>, Failure> {
    let nodes = Ratio::of(both, alone);
    let nodes = Ratios::of(nodes).ok_or_else(|| Failure("nothing was measured".to_owned()))?;
    let work = format!("charges on PostgreSQL, {connections} connections{}", rounds.disturbed());
    Ok(vec![
        Row::new(work, rounds.median(0, |turn| turn.per_second), Unit::PerSecond)
            .beside(
                format!("by hand, {clients} clients"),
                rounds.median(1, |turn| turn.per_second),
                rounds.ratios(0, 1, |turn| turn.per_second)?,
            )
            .ratio_at_least(RATIO_MIN)
            .charted("charges on PostgreSQL, beside the same by hand"),
        Row::new("  median latency", rounds.median(0, |turn| turn.median_ns), Unit::Nanoseconds),
        Row::new("  99th percentile of latency", rounds.median(0, |turn| turn.ns_99th), Unit::Nanoseconds),
        Row::new("  charges a transaction, of two round trips", charges_per_commit, Unit::Count),
        Row::new("the same through two nodes", both, Unit::PerSecond)
            .beside("one node", alone, nodes)
            .goal(format!(">= {NODES_RATIO_MIN} with cores for both"), nodes.median >= NODES_RATIO_MIN),
    ])
}

impl Ledger {
    async fn make(places: &Places, cluster: &Cluster) -> Result<Ledger, Failure> {
        let database = cluster.fresh_database();
        let node = Node::start(places, database.url(), "coffer-postgres.log").await?;
        let accounts = node.target().make_rich(places.effort.or_quick(ACCOUNTS, ACCOUNTS_QUICK)).await?;
        database.execute("VACUUM ANALYZE");
        Ok(Ledger { database, accounts, node })
    }

    /// Coffer and its PostgreSQL.
    fn contender(&self, postgres: u32) -> Contender<'static> {
        let Node { server } = &self.node;
        let requests = self.node.target().charges(&self.accounts);
        Contender::http("coffer", server.pid, server.address, requests).served_by(postgres)
    }

    /// Half of the connections go to each node, each half from a thread of its own.
    async fn charge_through_both(
        &self,
        places: &Places,
        connections: usize,
        second: &Target,
    ) -> Result<u64, Failure> {
        let through = |target: &Target| {
            let plan = plan(target.address, connections / 2, Pace::Closed, places.effort.round_seconds());
            drive(plan, target.charges(&self.accounts))
        };
        let (one, two) = tokio::join!(through(&self.node.target()), through(second));
        Ok(one?.0.per_second(1) + two?.0.per_second(1))
    }

    /// How many transactions the database has committed.
    fn commits(&self) -> u64 {
        let sql = "SELECT pg_stat_clear_snapshot(), xact_commit::text FROM pg_stat_database \
                   WHERE datname = current_database()";
        let rows = self.database.execute(sql);
        let mut numbers = rows.iter().filter_map(|row| row.get(1)?.as_ref()?.parse().ok());
        numbers.next_back().unwrap_or(0)
    }
}
