//! Load: wrk, and what it counted.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::client::{BALANCE_PATH, CHARGES_PATH};
use crate::{Failure, Places};

/// What wrk may take beyond the time that it was given.
const PATIENCE_MS: u64 = 20_000;

/// How to load a server.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) threads: usize,
    pub(crate) seconds: u64,
}

/// What came of it. Every request was answered, with a status of success.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) requests: u64,
    pub(crate) requests_per_second: u64,
    pub(crate) latency_us_median: u64,
    pub(crate) latency_us_99th: u64,
}

impl Load {
    /// Reads balances with the keys in a file, in turn.
    pub(crate) async fn of_balance_reads(
        self,
        places: &Places,
        address: SocketAddr,
        keys: &Path,
    ) -> Result<Counted, Failure> {
        let mut command = self.wrk(places, "balance.lua", address, BALANCE_PATH);
        command.arg(keys);
        self.run(command).await
    }

    /// Charges accounts in a file, by chance; `run` is a number that no other load on the same ledger has.
    pub(crate) async fn of_charges(
        self,
        places: &Places,
        address: SocketAddr,
        accounts: &Path,
        operator_key: &str,
        run: u64,
    ) -> Result<Counted, Failure> {
        let mut command = self.wrk(places, "charges.lua", address, CHARGES_PATH);
        command.arg(accounts).arg(operator_key).arg(run.to_string());
        self.run(command).await
    }

    fn wrk(self, places: &Places, script: &str, address: SocketAddr, path: &str) -> Command {
        let mut command = Command::new("wrk");
        command
            .args(["--connections", &self.connections.to_string()])
            .args(["--threads", &self.threads.to_string()])
            .args(["--duration", &format!("{}s", self.seconds)])
            .arg("--script")
            .arg(places.scripts.join(script))
            .arg(format!("http://{address}{path}"))
            .arg("--")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    async fn run(self, mut command: Command) -> Result<Counted, Failure> {
        let time_max = Duration::from_millis(self.seconds * 1000 + PATIENCE_MS);
        let output = tokio::time::timeout(time_max, command.output()).await;
        let output = output.map_err(|late| Failure::of("wrk", late))?;
        let output = output.map_err(|error| Failure::of("wrk", error))?;
        counted(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| {
            let said = [output.stdout, output.stderr].concat();
            Failure::of("wrk counted errors or nothing", String::from_utf8_lossy(&said).trim())
        })
    }
}

/// Reads the line that the script prints last. `None` where a request failed.
fn counted(text: &str) -> Option<Counted> {
    let line = text.lines().find_map(|line| line.strip_prefix("measured "))?;
    let numbers: Option<Vec<u64>> = line.split(' ').map(|number| number.parse().ok()).collect();
    let &[requests, duration_us, 0, 0, latency_us_median, latency_us_99th] = numbers?.as_slice() else {
        return None;
    };
    let requests_per_second = requests.checked_mul(1_000_000)?.checked_div(duration_us)?;
    Some(Counted { requests, requests_per_second, latency_us_median, latency_us_99th })
}
