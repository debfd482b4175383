//! Charges on PostgreSQL: through Coffer's HTTP, beside the statement that people write by hand, on the same server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use coffer_test_postgres::{Cluster, Database};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::client::Operator;
use crate::load::{Counted, Load};
use crate::server::Node;
use crate::table::{Ratio, Ratios, Row, grouped, median};
use crate::{Failure, Places};

const ACCOUNTS: usize = 10_000;
const CREDITS: &str = "1000000000";
const MAKERS: usize = 64;

/// How many clients pgbench is tried with, and Coffer.
const CLIENTS: [usize; 4] = [8, 16, 32, 64];
const CONNECTIONS: [usize; 4] = [64, 128, 256, 512];
const TRY_SECONDS: u64 = 4;
const ROUND_SECONDS: u64 = 8;
const ROUNDS: usize = 3;
const RATIO_MIN: Ratio = Ratio::of_thousandths(1_500);
const NODES_RATIO_MIN: Ratio = Ratio::of_thousandths(1_300);

const ENTRIES_FEW: usize = 100_000;
const ENTRIES_MANY: usize = 10_000_000;
const BATCH: usize = 10_000;
const BATCHES_AT_ONCE: usize = 3;
const GROWTH_RATIO_MIN: Ratio = Ratio::of_thousandths(800);

/// What people write: one statement that takes the credits and notes it, and says nothing where there are too few.
const BY_HAND: &str = "\
\\set account random(1, :accounts)
WITH charged AS (
    UPDATE credits SET available = available - 1 WHERE account_id = :account AND available >= 1
    RETURNING account_id, available
)
INSERT INTO charges (account_id, idempotency_key, credits, available_after)
SELECT account_id, gen_random_uuid(), 1, available FROM charged RETURNING available_after;
";

const BY_HAND_TABLES: &str = "
CREATE TABLE credits (account_id bigint PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0));
CREATE TABLE charges (id bigserial PRIMARY KEY, account_id bigint NOT NULL, idempotency_key uuid NOT NULL,
    credits bigint NOT NULL, available_after bigint NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, idempotency_key))";

/// The statement by hand, in a database of its own.
struct ByHand {
    database: Database,
    script: PathBuf,
}

/// Coffer on a database of its own, with accounts to charge.
struct Ledger {
    database: Database,
    accounts: PathBuf,
    node: Node,
    runs: u64,
}

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let folder = places.temporary()?;
    let cluster = Cluster::start();
    let by_hand = ByHand::make(&cluster, folder.path())?;
    let mut ledger = Ledger::make(places, &cluster, folder.path()).await?;

    let mut clients = (0, 0);
    for count in CLIENTS {
        clients = clients.max((by_hand.charges_per_second(count, TRY_SECONDS).await?, count));
    }
    let mut connections = (0, 0);
    for count in CONNECTIONS {
        connections =
            connections.max((ledger.charge(places, count, TRY_SECONDS).await?.requests_per_second, count));
    }
    let (mut hand, mut coffer) = (Vec::new(), Vec::new());
    let before = ledger.commits();
    let mut charges = 0;
    for _ in 0..ROUNDS {
        hand.push(by_hand.charges_per_second(clients.1, ROUND_SECONDS).await?);
        let counted = ledger.charge(places, connections.1, ROUND_SECONDS).await?;
        charges += counted.requests;
        coffer.push(counted);
    }
    let commits = ledger.commits() - before;
    let second = Node::start(places, ledger.database.url(), "coffer-second.log").await?;
    let both = ledger.charge_through_both(places, connections.1, &second).await?;
    let alone = ledger.charge(places, connections.1, ROUND_SECONDS).await?.requests_per_second;
    second.server.end().await?;
    ledger.node.server.end().await?;
    rows(&hand, &coffer, (clients.1, connections.1), charges / commits.max(1), (both, alone))
}

/// The same load on few entries and on many.
pub(crate) async fn measure_growth(places: &Places) -> Result<Vec<Row>, Failure> {
    let folder = places.temporary()?;
    let cluster = Cluster::start();
    let mut ledger = Ledger::make(places, &cluster, folder.path()).await?;
    let connections = 256;
    ledger.fill(ENTRIES_FEW).await?;
    let few = ledger.charge(places, connections, ROUND_SECONDS).await?.requests_per_second;
    ledger.fill(ENTRIES_MANY).await?;
    ledger.database.execute("CHECKPOINT");
    let many = ledger.charge(places, connections, ROUND_SECONDS).await?.requests_per_second;
    ledger.node.server.end().await?;
    let ratios =
        Ratios::of(Ratio::of(many, few)).ok_or_else(|| Failure("nothing was measured".to_owned()))?;
    let what = format!("charges on PostgreSQL at {} entries", grouped(ENTRIES_MANY as u64));
    Ok(vec![
        Row::new(what, format!("{}/s", grouped(many)))
            .beside(format!("at {} entries {}/s", grouped(ENTRIES_FEW as u64), grouped(few)), ratios)
            .goal(&format!(">= {GROWTH_RATIO_MIN}"), ratios.median >= GROWTH_RATIO_MIN),
    ])
}

fn rows(
    hand: &[u64],
    coffer: &[Counted],
    (clients, connections): (usize, usize),
    charges_per_commit: u64,
    (both, alone): (u64, u64),
) -> Result<Vec<Row>, Failure> {
    let nothing = || Failure("no round was measured".to_owned());
    let per_second = || coffer.iter().map(|counted| counted.requests_per_second);
    let ratios = Ratios::of(per_second().zip(hand).filter_map(|(coffer, hand)| Ratio::of(coffer, *hand)));
    let ratios = ratios.ok_or_else(nothing)?;
    let latency = |of: fn(&Counted) -> u64| median(coffer.iter().map(of)).ok_or_else(nothing);
    let time = |us| format!("{} µs", grouped(us));
    let nodes = Ratios::of(Ratio::of(both, alone)).ok_or_else(nothing)?;
    Ok(vec![
        Row::new(
            format!("charges on PostgreSQL, {connections} connections"),
            format!("{}/s", grouped(median(per_second()).ok_or_else(nothing)?)),
        )
        .beside(
            format!(
                "by hand, {clients} clients {}/s",
                grouped(median(hand.iter().copied()).ok_or_else(nothing)?)
            ),
            ratios,
        )
        .goal(&format!(">= {RATIO_MIN}"), ratios.median >= RATIO_MIN),
        Row::new("  median latency", time(latency(|counted| counted.latency_us_median)?)),
        Row::new("  99th percentile of latency", time(latency(|counted| counted.latency_us_99th)?)),
        Row::new("  charges a transaction, of two round trips", grouped(charges_per_commit)),
        Row::new("the same through two nodes", format!("{}/s", grouped(both)))
            .beside(format!("one node {}/s", grouped(alone)), nodes)
            .goal(&format!(">= {NODES_RATIO_MIN} with cores for both"), nodes.median >= NODES_RATIO_MIN),
    ])
}

impl ByHand {
    fn make(cluster: &Cluster, folder: &Path) -> Result<ByHand, Failure> {
        let database = cluster.fresh_database();
        database.execute(BY_HAND_TABLES);
        let accounts = format!(
            "INSERT INTO credits SELECT number, 1000000000 FROM generate_series(1, {ACCOUNTS}) number"
        );
        database.execute(&accounts);
        database.execute("VACUUM ANALYZE credits");
        let script = folder.join("by_hand.sql");
        std::fs::write(&script, BY_HAND).map_err(|error| Failure::of("write a script", error))?;
        Ok(ByHand { database, script })
    }

    async fn charges_per_second(&self, clients: usize, seconds: u64) -> Result<u64, Failure> {
        let mut command = Command::new(program("pgbench"));
        command
            .args(["--no-vacuum", "--protocol", "prepared", "--jobs", "2"])
            .args(["--client", &clients.to_string(), "--time", &seconds.to_string()])
            .args(["--define", &format!("accounts={ACCOUNTS}"), "--file"])
            .arg(&self.script)
            .arg(self.database.url())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command.output().await.map_err(|error| Failure::of("pgbench", error))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let number =
            line.and_then(|line| line.split(['.', ' ']).next()).and_then(|number| number.parse().ok());
        number.ok_or_else(|| Failure::of("pgbench", String::from_utf8_lossy(&output.stderr)))
    }
}

impl Ledger {
    async fn make(places: &Places, cluster: &Cluster, folder: &Path) -> Result<Ledger, Failure> {
        let database = cluster.fresh_database();
        let node = Node::start(places, database.url(), "coffer-postgres.log").await?;
        let ids = make_accounts(node.server.address).await?;
        let accounts = folder.join("accounts.txt");
        std::fs::write(&accounts, ids.join("\n") + "\n")
            .map_err(|error| Failure::of("write accounts", error))?;
        database.execute("VACUUM ANALYZE");
        Ok(Ledger { database, accounts, node, runs: 0 })
    }

    async fn charge(
        &mut self,
        places: &Places,
        connections: usize,
        seconds: u64,
    ) -> Result<Counted, Failure> {
        self.runs += 1;
        let load = Load { connections, threads: 2, seconds };
        load.of_charges(places, self.node.server.address, &self.accounts, Node::OPERATOR_KEY, self.runs).await
    }

    async fn charge_through_both(
        &mut self,
        places: &Places,
        connections: usize,
        second: &Node,
    ) -> Result<u64, Failure> {
        self.runs += 2;
        let load = Load { connections: connections / 2, threads: 1, seconds: ROUND_SECONDS };
        let through =
            |address, run| load.of_charges(places, address, &self.accounts, Node::OPERATOR_KEY, run);
        let (one, two) = tokio::join!(
            through(self.node.server.address, self.runs - 1),
            through(second.server.address, self.runs)
        );
        Ok(one?.requests_per_second + two?.requests_per_second)
    }

    /// How many transactions the database has committed.
    fn commits(&self) -> u64 {
        let sql = "SELECT pg_stat_clear_snapshot(), xact_commit::text FROM pg_stat_database \
                   WHERE datname = current_database()";
        let rows = self.database.execute(sql);
        number_in(&rows, 1)
    }

    /// Makes charges until there are so many entries.
    async fn fill(&self, entries: usize) -> Result<(), Failure> {
        let there = self.database.execute("SELECT count(*)::text FROM entries");
        let there = usize::try_from(number_in(&there, 0)).unwrap_or(0);
        let accounts =
            std::fs::read_to_string(&self.accounts).map_err(|error| Failure::of("read accounts", error))?;
        let accounts: Arc<Vec<String>> = Arc::new(accounts.lines().map(str::to_owned).collect());
        let batches = entries.saturating_sub(there).div_ceil(BATCH);
        let next = Arc::new(AtomicUsize::new(0));
        let mut callers = JoinSet::new();
        for _ in 0..BATCHES_AT_ONCE {
            let (accounts, next) = (Arc::clone(&accounts), Arc::clone(&next));
            let mut operator = Operator::connect(self.node.server.address, Node::OPERATOR_KEY).await?;
            callers.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= batches {
                        return Ok::<_, Failure>(());
                    }
                    let charged: Vec<&str> = (0..BATCH)
                        .map(|index| &*accounts[(number * BATCH + index) % accounts.len()])
                        .collect();
                    operator.charge_all(&format!("fill-{there}-{number}"), &charged).await?;
                }
            });
        }
        while let Some(done) = callers.join_next().await {
            done.map_err(|error| Failure::of("make entries", error))??;
        }
        Ok(())
    }
}

/// The number in a column of the first row that has one.
fn number_in(rows: &[coffer_test_postgres::Row], column: usize) -> u64 {
    let mut numbers = rows.iter().filter_map(|row| row.get(column)?.as_ref()?.parse().ok());
    numbers.next_back().unwrap_or(0)
}

async fn make_accounts(address: SocketAddr) -> Result<Vec<String>, Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut makers = JoinSet::new();
    for _ in 0..MAKERS {
        let mut operator = Operator::connect(address, Node::OPERATOR_KEY).await?;
        let next = Arc::clone(&next);
        makers.spawn(async move {
            let mut ids = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= ACCOUNTS {
                    return Ok::<_, Failure>(ids);
                }
                ids.push(operator.account_with_grant(number, CREDITS).await?);
            }
        });
    }
    let mut ids = Vec::new();
    while let Some(made) = makers.join_next().await {
        ids.extend(made.map_err(|error| Failure::of("make accounts", error))??);
    }
    Ok(ids)
}

/// A program of PostgreSQL's, which Debian does not put on the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin").join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| PathBuf::from(name))
}
