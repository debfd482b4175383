//! `coffer schema upgrade`, `coffer migrate`, and the part of `coffer verify` that looks at a database: the database of a
//! ledger as a whole.

use std::path::Path;
use std::time::{Duration, Instant};

use coffer_ledger::Finding;
use coffer_store::{DatabaseUrl, Migrated, PostgresStore, Progress, Upgraded, Verified};
use serde_json::json;

use crate::Failure;
use crate::cli::Globals;
use crate::serve::failed;
use crate::storage::{Concealed, Place, database_given, tool_options};
use crate::terminal::{complain, say};

const TELL_EVERY: Duration = Duration::from_secs(1);

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

/// Looks whether everything in a database follows from its entries, beside servers that write to it. Tells each finding as
/// it is made.
pub(crate) fn verify(url: DatabaseUrl, tell: impl FnMut(Finding)) -> Result<Verified, Failure> {
    let options = tool_options(url);
    let verified = run(PostgresStore::verify(&options, tell))?;
    verified.map_err(|error| refused(&options.url, error))
}

/// Moves the ledger of a data directory to a database: the one that `to` names, or the one that is given besides.
pub(crate) fn migrate(globals: &Globals, from: &Path, to: Option<Concealed>) -> Result<(), Failure> {
    let Some(url) = database_given("--to", to, globals)? else {
        return Err(Failure::Usage("migrate needs --to URL, or the variable COFFER_DATABASE_URL".to_owned()));
    };
    let options = tool_options(url);
    let url = &options.url;
    let migrated = run(coffer_store::migrate(from, &options, teller(globals)))?;
    let Migrated { accounts, entries } =
        migrated.map_err(|error| Failure::Failed(format!("from {} to {url}: {error}", from.display())))?;
    if globals.json {
        say(json!({"ok": true, "database": url.to_string(), "accounts": accounts, "entries": entries}));
    } else {
        say(format_args!(
            "migrated and verified: {accounts} accounts, {entries} entries, in {url}\n\
             Its operator keys open it as before. What is in {} is as it was: start no server on it again, or there \
             are two ledgers.",
            from.display()
        ));
    }
    Ok(())
}

/// Tells on standard error how far a migration has come: nobody waits for many minutes without a word.
fn teller(globals: &Globals) -> impl FnMut(Progress) + use<> {
    let is_told = !globals.json;
    let mut last = Instant::now();
    move |progress| match progress {
        Progress::Copied { accounts, accounts_total, entries, entries_total } => {
            if is_told && last.elapsed() >= TELL_EVERY {
                last = Instant::now();
                complain(format_args!(
                    "copied {accounts} of {accounts_total} accounts, {entries} of {entries_total} entries"
                ));
            }
        }
        Progress::Verifying if is_told => complain("everything is copied; verifying"),
        Progress::Verifying => {}
    }
}

/// What is said of a database that was refused, or that refuses: which one it is, without its password.
pub(crate) fn refused(url: &DatabaseUrl, error: impl std::fmt::Display) -> Failure {
    Failure::Failed(format!("{url}: {error}"))
}

fn run<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    Ok(tokio::runtime::Runtime::new().map_err(failed)?.block_on(work))
}
