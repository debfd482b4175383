//! A charge as people write it by hand for PostgreSQL: one statement, sent by pgbench.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use coffer_test_postgres::{Cluster, Database, Settings, Size};
use tokio::process::Command;

use crate::{Failure, Places};

/// How many clients pgbench is tried with.
pub(crate) const CLIENTS: [usize; 4] = [8, 16, 32, 64];

/// What people write: one statement that takes the credits and notes it, and says nothing where there are too few.
const CHARGE: &str = "\
\\set account random(1, :accounts)
WITH charged AS (
    UPDATE credits SET available = available - 1 WHERE account_id = :account AND available >= 1
    RETURNING account_id, available
)
INSERT INTO charges (account_id, idempotency_key, credits, available_after)
SELECT account_id, gen_random_uuid(), 1, available FROM charged RETURNING available_after;
";

const TABLES: &str = "
CREATE TABLE credits (account_id bigint PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0));
CREATE TABLE charges (id bigserial PRIMARY KEY, account_id bigint NOT NULL, idempotency_key uuid NOT NULL,
    credits bigint NOT NULL, available_after bigint NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, idempotency_key))";

/// A PostgreSQL of its own.
pub(crate) struct Postgres {
    pub(crate) cluster: Cluster,
    /// The process that starts all others of it.
    pub(crate) pid: u32,
}

impl Postgres {
    /// # Errors
    /// Where it is missing, or its data lies on another disk than what it is measured against.
    pub(crate) fn start(places: &Places) -> Result<Postgres, Failure> {
        program("postgres")?;
        program("pgbench")?;
        // Both who are measured have it.
        let cluster = Cluster::with(Settings { size: Size::Busy, ..Settings::default() });
        let device = |path: &Path| {
            let metadata = std::fs::metadata(path);
            metadata.map(|data| data.dev()).map_err(|error| Failure::of(&path.display().to_string(), error))
        };
        if device(cluster.directory())? != device(&places.out)? {
            let elsewhere = cluster.directory().parent().unwrap_or(Path::new("/")).display().to_string();
            return Err(Failure::of(
                "PostgreSQL's data lies on another disk than bench/out: set TMPDIR",
                elsewhere,
            ));
        }
        let file = cluster.directory().join("data/postmaster.pid");
        let text =
            std::fs::read_to_string(&file).map_err(|error| Failure::of("read postmaster.pid", error))?;
        let pid = text.lines().next().and_then(|line| line.trim().parse().ok());
        let pid = pid.ok_or_else(|| Failure("postmaster.pid has no process id".to_owned()))?;
        Ok(Postgres { cluster, pid })
    }
}

/// The statement by hand, in a database of its own.
pub(crate) struct ByHand {
    database: Database,
    script: PathBuf,
    accounts: usize,
}

impl ByHand {
    pub(crate) fn make(cluster: &Cluster, folder: &Path, accounts: usize) -> Result<ByHand, Failure> {
        let database = cluster.fresh_database();
        database.execute(TABLES);
        database.execute(&format!(
            "INSERT INTO credits SELECT number, 1000000000 FROM generate_series(1, {accounts}) number"
        ));
        database.execute("VACUUM ANALYZE credits");
        let script = folder.join("by_hand.sql");
        std::fs::write(&script, CHARGE).map_err(|error| Failure::of("write a script", error))?;
        Ok(ByHand { database, script, accounts })
    }

    pub(crate) async fn charges_per_second(&self, clients: usize, seconds: u64) -> Result<u64, Failure> {
        let mut command = Command::new(program("pgbench")?);
        command
            .args(["--no-vacuum", "--protocol", "prepared", "--jobs", "2"])
            .args(["--client", &clients.to_string(), "--time", &seconds.to_string()])
            .args(["--define", &format!("accounts={}", self.accounts), "--file"])
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

/// A program of PostgreSQL's, which Debian does not put on the path.
///
/// # Errors
/// Where PostgreSQL is missing: how to install it.
pub(crate) fn program(name: &str) -> Result<PathBuf, Failure> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin").join(name)).find(|path| path.exists());
    found.map_or_else(|| super::installed(name, "postgresql"), Ok)
}
