//! What Coffer is measured against.
//!
//! Each measurement has a module and gives rows of one table. This file chooses among them, prints the table,
//! and writes it to a file. Nothing here decides whether a number is good: a goal is printed beside it.

mod measurements;

mod ledger;
mod peers;
mod rounds;
mod server;

mod client;
mod wrk;

mod chart;
mod effort;
mod machine;
mod process;
mod results;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use effort::Effort;
use machine::Machine;
use measurements::{batches, charges, growth, idle_accounts, latency, postgres, reads, single, stream};
use table::{Row, Table};

/// The measurements by name, in the order in which they run.
const MEASUREMENTS: [&str; 12] = [
    "reads",
    "charges",
    "charges-best",
    "charges-hot",
    "batch",
    "single",
    "latency",
    "stream",
    "idle-accounts",
    "postgres",
    "growth",
    "postgres-growth",
];
/// Those that take so long that they only run where they are named, or with `--full`.
const ONLY_FULL: [&str; 2] = ["growth", "postgres-growth"];

const SCRIPTS: &str = "bench";
const OUT: &str = "bench/out";
const RESULTS_TEXT: &str = "results.txt";
const RESULTS: &str = "results.json";
const CHART: &str = "results.svg";
/// The chart that the documentation shows.
const CHART_OF_DOCS: &str = "docs/images/speed.svg";

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
    /// How much is measured.
    effort: Effort,
}

impl Places {
    fn find(effort: Effort) -> Result<Places, Failure> {
        let scripts = PathBuf::from(SCRIPTS);
        if !scripts.join("balance.lua").exists() {
            return Err(Failure("start it with bench/run".to_owned()));
        }
        let binary = std::env::current_exe().map_err(|error| Failure::of("find this binary", error))?;
        let binaries = binary.parent().unwrap_or(Path::new(".")).to_owned();
        let out = PathBuf::from(OUT);
        std::fs::create_dir_all(&out).map_err(|error| Failure::of(OUT, error))?;
        Ok(Places { binaries, scripts, out, effort })
    }

    /// A folder that is gone once it is dropped.
    fn temporary(&self) -> Result<tempfile::TempDir, Failure> {
        tempfile::tempdir_in(&self.out).map_err(|error| Failure::of("make a temporary folder", error))
    }
}

/// What was asked for.
enum Asked {
    Measure {
        names: Vec<String>,
        effort: Effort,
    },
    /// Draws the chart of the documentation from the last results, or from a file of results.
    Chart {
        results: PathBuf,
    },
}

impl Asked {
    fn parse(words: impl Iterator<Item = String>) -> Result<Asked, String> {
        let (mut names, mut effort) = (Vec::new(), Effort::default());
        let mut words = words.peekable();
        if words.peek().is_some_and(|word| word == "chart") {
            let results = words.nth(1).map_or_else(|| Path::new(OUT).join(RESULTS), PathBuf::from);
            return Ok(Asked::Chart { results });
        }
        for word in words {
            match word.as_str() {
                "--quick" => effort.is_quick = true,
                "--full" => effort.is_full = true,
                name if MEASUREMENTS.contains(&name) => names.push(word),
                _ => return Err(format!("{word} is none of {}", MEASUREMENTS.join(", "))),
            }
        }
        Ok(Asked::Measure { names, effort })
    }
}

// One thread, and another for the load: on a small machine the cores belong to what is measured.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Asked::parse(std::env::args().skip(1)) {
        Err(wrong) => {
            eprintln!("bench: {wrong}");
            eprintln!("usage: bench/run [--quick] [--full] [NAME ...] | bench/run chart [FILE]");
            return ExitCode::from(2);
        }
        Ok(Asked::Chart { results }) => draw_for_docs(&results).map(|()| true),
        // Whichever comes first: what is dropped on the way takes its servers with it.
        Ok(Asked::Measure { names, effort }) => tokio::select! {
            measured = measure(&names, effort) => measured,
            () = told_to_end() => Err(Failure("ended before it was done".to_owned())),
        },
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what is named, or else everything. `false` where something could not be measured.
async fn measure(names: &[String], effort: Effort) -> Result<bool, Failure> {
    let places = Places::find(effort)?;
    let machine = Machine::look(&places).await?;
    let mut table = Table { machine, is_quick: effort.is_quick, rows: Vec::new() };
    for name in MEASUREMENTS {
        let is_chosen = if names.is_empty() {
            effort.is_full || !ONLY_FULL.contains(&name)
        } else {
            names.iter().any(|chosen| chosen == name)
        };
        if !is_chosen {
            continue;
        }
        eprintln!("measuring: {name}");
        let rows = run(name, &places).await.unwrap_or_else(|failure| {
            eprintln!("bench: {name}: {failure}");
            vec![Row::failed(name, &failure)]
        });
        table.rows.extend(rows.into_iter().map(|row| Row { measurement: name, ..row }));
        // After each, so that what is ended early has measured something.
        write(&table, &places)?;
    }
    print!("{table}");
    eprintln!("written to {OUT}: {RESULTS_TEXT}, {RESULTS} for programs, and {CHART}");
    Ok(table.rows.iter().all(|row| row.coffer.is_ok()))
}

fn write(table: &Table, places: &Places) -> Result<(), Failure> {
    let failed = |error| Failure::of("write the results", error);
    std::fs::write(places.out.join(RESULTS_TEXT), table.to_string()).map_err(failed)?;
    let results = places.out.join(RESULTS);
    results::write(table, &results)?;
    let chart = places.out.join(CHART);
    let is_drawn = draw(&results::read(&results)?, &chart)?;
    // One of an earlier run would be taken for one of this.
    if !is_drawn && chart.exists() {
        std::fs::remove_file(chart).map_err(failed)?;
    }
    Ok(())
}

async fn run(name: &str, places: &Places) -> Result<Vec<Row>, Failure> {
    match name {
        "reads" => reads::measure(places).await,
        "charges" => charges::measure(places).await,
        "charges-best" => charges::measure_at_best(places).await,
        "charges-hot" => charges::measure_hot(places).await,
        "batch" => batches::measure(places).await,
        "single" => single::measure(places).await,
        "latency" => latency::measure(places).await,
        "stream" => stream::measure(places).await,
        "idle-accounts" => idle_accounts::measure(places).await,
        "postgres" => postgres::measure(places).await,
        "growth" => growth::measure(places).await,
        "postgres-growth" => postgres::measure_growth(places).await,
        other => unreachable!("{other} is no measurement"),
    }
}

/// Draws the chart of the documentation.
fn draw_for_docs(results: &Path) -> Result<(), Failure> {
    let results = results::read(results)?;
    if results["quick"] != false {
        return Err(Failure("a quick run means nothing: measure again".to_owned()));
    }
    if !draw(&results, Path::new(CHART_OF_DOCS))? {
        return Err(Failure("none of the results belongs into the chart".to_owned()));
    }
    eprintln!("drawn: {CHART_OF_DOCS}");
    Ok(())
}

/// Draws a chart of results. `false` where there is nothing to draw.
fn draw(results: &serde_json::Value, chart: &Path) -> Result<bool, Failure> {
    let Some(svg) = chart::draw(results)? else { return Ok(false) };
    let failed = |error| Failure::of("write the chart", error);
    if let Some(folder) = chart.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(chart, svg).map_err(failed)?;
    Ok(true)
}

async fn told_to_end() {
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be listened to");
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be listened to");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
