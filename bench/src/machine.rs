//! What it was measured on, and with which versions.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::peers::{by_hand, installed, nginx, redis};
use crate::table::{in_thousands, median};
use crate::{Failure, Places};

const VERSION_MS_MAX: u64 = 10_000;
const SYNCS: usize = 501;

/// A machine and the versions on it.
pub(crate) struct Machine(Vec<(&'static str, String)>);

impl Machine {
    /// # Errors
    /// Where a program is missing that every measurement needs. One that only a peer needs is said to be missing.
    pub(crate) async fn look(places: &Places) -> Result<Machine, Failure> {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let coffer = places.binaries.join("coffer");
        let commit = version("git", &["describe", "--always", "--dirty"]).await.unwrap_or_default();
        let mut lines = vec![
            ("machine", format!("{cores} cores, {}, Linux {}", cpu_model(), kernel())),
            ("disk", format!("{} µs for a sync of 4 KiB (median)", in_thousands(sync_ns(places)?))),
            ("coffer", format!("{} {commit}", version(&coffer.to_string_lossy(), &["--version"]).await?)),
            ("rustc", version("rustc", &["--version"]).await?),
        ];
        for (name, program, argument) in [
            ("nginx", installed(nginx::PROGRAM, nginx::PACKAGE), "-v"),
            ("redis", installed(redis::PROGRAM, redis::PACKAGE), "--version"),
            ("postgres", by_hand::program("postgres"), "--version"),
            ("wrk", installed("wrk", "wrk"), "--version"),
        ] {
            let said = match program {
                Ok(program) => version(&program.to_string_lossy(), &[argument]).await?,
                Err(missing) => format!("NOT MEASURED: {missing}"),
            };
            lines.push((name, said));
        }
        Ok(Machine(lines))
    }

    /// What is told, each with its name.
    pub(crate) fn lines(&self) -> &[(&'static str, String)] {
        &self.0
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            writeln!(f, "{name:8} {}", value.trim())?;
        }
        Ok(())
    }
}

/// The first line that a program says about itself. wrk says it with a failing status, and nginx where errors go.
async fn version(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(program);
    let output = command.args(arguments).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_millis(VERSION_MS_MAX), output).await;
    let output = output.map_err(|late| Failure::of(program, late))?;
    let output = output.map_err(|error| Failure::of(&format!("{program} is needed"), error))?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next().ok_or_else(|| Failure::of(program, "it does not tell its version"))?;
    // Some repeat their name, and wrk goes on about its author.
    let name = std::path::Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    let line = line.strip_prefix(&*name).unwrap_or(line).split(" Copyright").next();
    Ok(line.unwrap_or_default().trim().to_owned())
}

fn cpu_model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(':')).map(|(_, model)| model.trim().to_owned());
    model.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn kernel() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

/// How long the disk takes to keep a little, in nanoseconds: what every commit waits for.
pub(crate) fn sync_ns(places: &Places) -> Result<u64, Failure> {
    let failed = |error| Failure::of("write a file", error);
    let mut file = tempfile::tempfile_in(&places.out).map_err(failed)?;
    let mut took = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        file.write_all(&[0; 4096]).map_err(failed)?;
        let started = Instant::now();
        file.sync_data().map_err(failed)?;
        took.push(started.elapsed());
    }
    let median = median(took).expect("it was synced more than once");
    Ok(u64::try_from(median.as_nanos()).unwrap_or(u64::MAX))
}
