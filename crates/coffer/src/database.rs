//! `coffer schema upgrade`, and the part of `coffer verify` that looks at a database: the database of a ledger as a whole.

use coffer_ledger::Finding;
use coffer_store::{DatabaseUrl, PostgresStore, Upgraded, Verified};
use serde_json::json;

use crate::Failure;
use crate::cli::Globals;
use crate::serve::failed;
use crate::storage::{Place, tool_options};
use crate::terminal::say;

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

/// What is said of a database that was refused, or that refuses: which one it is, without its password.
pub(crate) fn refused(url: &DatabaseUrl, error: impl std::fmt::Display) -> Failure {
    Failure::Failed(format!("{url}: {error}"))
}

fn run<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    Ok(tokio::runtime::Runtime::new().map_err(failed)?.block_on(work))
}
