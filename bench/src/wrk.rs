//! wrk: a load that others wrote, to check the own one against.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::client::BALANCE_PATH;
use crate::peers::installed;
use crate::{Failure, Places};

/// What wrk may take beyond the time that it was given.
const PATIENCE_MS: u64 = 20_000;

/// A load of one thread.
#[derive(Clone, Copy)]
pub(crate) struct Wrk {
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
}

impl Wrk {
    /// Reads balances with the keys in a file, in turn.
    pub(crate) async fn reads_per_second(
        self,
        places: &Places,
        address: SocketAddr,
        keys: &Path,
    ) -> Result<u64, Failure> {
        let mut command = Command::new(installed("wrk", "wrk")?);
        command
            .args(["--connections", &self.connections.to_string()])
            .args(["--threads", "1", "--duration", &format!("{}s", self.seconds)])
            .arg("--script")
            .arg(places.scripts.join("balance.lua"))
            .arg(format!("http://{address}{BALANCE_PATH}"))
            .arg("--")
            .arg(keys)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let time_max = Duration::from_millis(self.seconds * 1000 + PATIENCE_MS);
        let output = tokio::time::timeout(time_max, command.output()).await;
        let output = output.map_err(|late| Failure::of("wrk", late))?;
        let output = output.map_err(|error| Failure::of("wrk", error))?;
        per_second(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| {
            let said = [output.stdout, output.stderr].concat();
            Failure::of("wrk counted errors or nothing", String::from_utf8_lossy(&said).trim())
        })
    }
}

/// Reads the line that the script prints last. `None` where a request failed.
fn per_second(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("measured "))?;
    let numbers: Option<Vec<u64>> = line.split(' ').map(|number| number.parse().ok()).collect();
    let &[requests, duration_us, 0, 0] = numbers?.as_slice() else {
        return None;
    };
    requests.checked_mul(1_000_000)?.checked_div(duration_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_failed_is_no_measurement() {
        assert_eq!(per_second("Running\nmeasured 3000 1500000 0 0\n"), Some(2000));
        assert_eq!(per_second("measured 3000 1500000 1 0\n"), None);
        assert_eq!(per_second("measured 3000 1500000 0 2\n"), None);
        assert_eq!(per_second("Running\n"), None);
    }
}
