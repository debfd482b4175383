//! `coffer schema upgrade`, `coffer migrate`, and what `coffer verify` does with a database: the database of a ledger as a
//! whole.

use std::path::Path;
use std::time::{Duration, Instant};

use coffer_ledger::Finding;
use coffer_store::{DatabaseUrl, MigrateError, Migrated, PostgresStore, Progress, Upgraded, Verified};
use serde_json::json;

use crate::cli::Globals;
use crate::serve::failed;
use crate::storage::{Concealed, Place, tool_options};
use crate::terminal::{complain, say};
use crate::{Failure, storage};

/// How often a migration says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn upgrade_schema(globals: &Globals) -> Result<(), Failure> {
    let Some(Place::Database(url)) = Place::given(globals)? else {
        let message = "schema upgrade needs --database-url URL: a data directory is upgraded when a server starts on it";
        return Err(Failure::Usage(message.to_owned()));
    };
    let options = tool_options(url);
    let upgraded = run(PostgresStore::upgrade_schema(&options))?;
    let Upgraded { from, to } = upgraded.map_err(|error| refused(&options.url, error))?;
    let url = &options.url;
    if globals.json {
        say(json!({"ok": true, "database": url.to_string(), "from": from, "to": to}));
    } else if from == to {
        say(format_args!("nothing to do: {url} has schema version {to}"));
    } else if from == 0 {
        say(format_args!("made schema version {to} in {url}"));
    } else {
        say(format_args!("upgraded {url} from schema version {from} to {to}"));
    }
    Ok(())
}

/// Looks through a ledger beside the servers that use it.
pub(crate) fn verify(url: DatabaseUrl, tell: impl FnMut(Finding)) -> Result<Verified, Failure> {
    let options = tool_options(url);
    run(PostgresStore::verify(&options, tell))?.map_err(|error| refused(&options.url, error))
}

pub(crate) fn migrate(globals: &Globals, from: &Path, to: Option<Concealed>) -> Result<(), Failure> {
    let Some(url) = storage::database("--to", to, globals)? else {
        let message = "migrate needs --to URL, or COFFER_DATABASE_URL: an empty database";
        return Err(Failure::Usage(message.to_owned()));
    };
    let options = tool_options(url);
    let mut told_at: Option<Instant> = None;
    let moved = run(coffer_store::migrate(from, &options, |progress| match progress {
        Progress::Copied { accounts, accounts_total, entries, entries_total } => {
            if told_at.is_none_or(|at| at.elapsed() >= PROGRESS_EVERY) {
                told_at = Some(Instant::now());
                let accounts = format_args!("{accounts} of {accounts_total} accounts");
                complain(format_args!("copied {accounts}, {entries} of {entries_total} entries"));
            }
        }
        Progress::Verifying => complain("everything is copied; verifying"),
    }))?;
    let Migrated { accounts, entries } = moved.map_err(|error| match error {
        // These name the directory.
        MigrateError::Source(_) | MigrateError::Unreadable { .. } => failed(error),
        other => refused(&options.url, other),
    })?;
    let url = &options.url;
    if globals.json {
        say(json!({"ok": true, "database": url.to_string(), "accounts": accounts, "entries": entries}));
    } else {
        say(format_args!("migrated and verified: {accounts} accounts, {entries} entries, to {url}"));
        say(
            "Servers with --database-url serve it from now on; its operator keys are those of the directory.",
        );
    }
    Ok(())
}

/// What is said of a database that was refused, or that refuses: which one it is, without its password.
pub(crate) fn refused(url: &DatabaseUrl, error: impl std::fmt::Display) -> Failure {
    Failure::Failed(format!("{url}: {error}"))
}

fn run<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    Ok(tokio::runtime::Runtime::new().map_err(failed)?.block_on(work))
}
