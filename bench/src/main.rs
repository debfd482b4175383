//! What Coffer is measured against.
//!
//! Each measurement has a module and gives rows of one table. This file chooses among them, prints the table,
//! and writes it to a file. Nothing here decides whether a number is good: a goal is printed beside it.

mod balance;
mod idle_accounts;
mod shared_ledger;

mod client;
mod load;
mod server;

mod machine;
mod process;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use machine::Machine;
use table::{Row, Table};

/// The measurements by name, in the order in which they run.
const MEASUREMENTS: [&str; 4] = ["balance", "idle-accounts", "postgres", "postgres-growth"];
/// Those that take so long that they only run where they are named.
const ONLY_NAMED: [&str; 1] = ["postgres-growth"];

const SCRIPTS: &str = "bench";
const OUT: &str = "bench/out";
const RESULTS: &str = "results.txt";

/// Why something could not be measured. The message is for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

impl Failure {
    /// What was tried, and what came of it.
    fn of(tried: &str, cause: impl std::fmt::Display) -> Failure {
        Failure(format!("{tried}: {cause}"))
    }
}

/// Where things are.
struct Places {
    /// The folder with the binaries, this one among them.
    binaries: PathBuf,
    /// The folder with what wrk is to run.
    scripts: PathBuf,
    /// Where results, logs and the servers' data go. It lies on the disk that the checkout lies on: writes to
    /// a file system in memory would cost nothing.
    out: PathBuf,
}

impl Places {
    fn find() -> Result<Places, Failure> {
        let scripts = PathBuf::from(SCRIPTS);
        if !scripts.join("balance.lua").exists() {
            return Err(Failure("start it with bench/run".to_owned()));
        }
        let binary = std::env::current_exe().map_err(|error| Failure::of("find this binary", error))?;
        let binaries = binary.parent().unwrap_or(Path::new(".")).to_owned();
        let out = PathBuf::from(OUT);
        std::fs::create_dir_all(&out).map_err(|error| Failure::of(OUT, error))?;
        Ok(Places { binaries, scripts, out })
    }

    /// A folder that is gone once it is dropped.
    fn temporary(&self) -> Result<tempfile::TempDir, Failure> {
        tempfile::tempdir_in(&self.out).map_err(|error| Failure::of("make a temporary folder", error))
    }
}

// One thread: on a small machine the cores belong to what is measured.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = names.iter().find(|name| !MEASUREMENTS.contains(&name.as_str())) {
        eprintln!("bench: {unknown} is none of {}", MEASUREMENTS.join(", "));
        return ExitCode::from(2);
    }
    // Whichever comes first: what is dropped on the way takes its servers with it.
    let measured = tokio::select! {
        measured = measure(&names) => measured,
        () = told_to_end() => Err(Failure("ended before it was done".to_owned())),
    };
    match measured {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what is named, or else everything. `false` where something could not be measured.
async fn measure(names: &[String]) -> Result<bool, Failure> {
    let places = Places::find()?;
    let mut table = Table::new(Machine::look(&places).await?);
    let mut complete = true;
    for name in MEASUREMENTS {
        let is_chosen = if names.is_empty() {
            !ONLY_NAMED.contains(&name)
        } else {
            names.iter().any(|chosen| chosen == name)
        };
        if !is_chosen {
            continue;
        }
        eprintln!("measuring: {name}");
        let measured = match name {
            "balance" => balance::measure(&places).await,
            "idle-accounts" => idle_accounts::measure(&places).await,
            "postgres" => shared_ledger::measure(&places).await,
            "postgres-growth" => shared_ledger::measure_growth(&places).await,
            other => unreachable!("{other} is no measurement"),
        };
        match measured {
            Ok(rows) => table.extend(rows),
            Err(failure) => {
                eprintln!("bench: {name}: {failure}");
                table.extend(vec![Row::failed(name, &failure)]);
                complete = false;
            }
        }
    }
    let text = table.to_string();
    print!("{text}");
    let results = places.out.join(RESULTS);
    std::fs::write(&results, text).map_err(|error| Failure::of("write the results", error))?;
    eprintln!("written to {}", results.display());
    Ok(complete)
}

async fn told_to_end() {
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be listened to");
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be listened to");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
