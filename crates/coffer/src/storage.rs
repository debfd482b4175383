//! Where the ledger is: in a directory of this machine, or in a database that servers share.
//!
//! Owns which of the two is meant where flags, variables and the TOML file speak of it. A URL may hold a password: it is
//! shown nowhere before it has been parsed, and without its password after.

use std::fmt;
use std::path::PathBuf;

use coffer_store::{DatabaseUrl, PostgresOptions};
use serde::Deserialize;

use crate::Failure;
use crate::cli::Globals;
use crate::config::{secret_from_environment, usage};

/// The data directory where none is named.
pub(crate) const DATA_DEFAULT: &str = "coffer-data";

/// The variable that has the URL of a database; with `_FILE` at its end, the one that names a file with it.
pub(crate) const DATABASE_URL_VARIABLE: &str = "COFFER_DATABASE_URL";

const CONNECTIONS_MIN: u16 = 2;
const CONNECTIONS_MAX: u16 = 1000;
const CONNECTIONS_DEFAULT: u16 = 20;
/// A command that does one thing after another needs few.
const TOOL_CONNECTIONS: u16 = CONNECTIONS_MIN;

const _: () = assert!(CONNECTIONS_MIN < CONNECTIONS_DEFAULT && CONNECTIONS_DEFAULT < CONNECTIONS_MAX);

/// What keeps the ledger.
#[derive(Clone, Debug)]
pub(crate) enum Storage {
    /// SQLite, in a directory that one process has for itself.
    Embedded { data: PathBuf },
    /// A database that any number of servers share.
    Postgres { url: DatabaseUrl, connections: u16 },
}

impl Storage {
    /// What a server keeps its ledger in, if anything says so.
    pub(crate) fn of(place: Option<Place>, connections: Option<u16>) -> Result<Option<Storage>, Failure> {
        match (place, connections) {
            (Some(Place::Database(url)), connections) => {
                let connections = connections.unwrap_or(CONNECTIONS_DEFAULT);
                if (CONNECTIONS_MIN..=CONNECTIONS_MAX).contains(&connections) {
                    return Ok(Some(Storage::Postgres { url, connections }));
                }
                let rule = format!("must be {CONNECTIONS_MIN} to {CONNECTIONS_MAX}");
                Err(usage("database_connections", rule))
            }
            (Some(Place::Directory(_)) | None, Some(_)) => {
                Err(usage("database_connections", "goes with database_url: a data directory has none"))
            }
            (Some(Place::Directory(data)), None) => Ok(Some(Storage::Embedded { data })),
            (None, None) => Ok(None),
        }
    }
}

/// Where somebody says that the ledger is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Directory(PathBuf),
    Database(DatabaseUrl),
}

impl Place {
    /// What the flags say, or else the variables.
    pub(crate) fn given(globals: &Globals) -> Result<Option<Place>, Failure> {
        // A flag that says the same as the variable may be taken for it: at worst, two places are refused.
        let variable = std::env::var_os("COFFER_DATA").map(PathBuf::from);
        let (data, data_variable) = match &globals.data {
            data if *data == variable => (None, variable),
            data => (data.clone(), variable),
        };
        let url = parsed("--database-url", globals.database_url.clone())?;
        if let Some(place) = Place::one_of(data, url, ["--data", "--database-url"])? {
            return Ok(Some(place));
        }
        Place::one_of(data_variable, database_url_variable()?, ["COFFER_DATA", DATABASE_URL_VARIABLE])
    }

    /// What the TOML file says.
    pub(crate) fn in_file(
        data: Option<PathBuf>,
        database_url: Option<Concealed>,
    ) -> Result<Option<Place>, Failure> {
        Place::one_of(data, parsed("database_url", database_url)?, ["data", "database_url"])
    }

    fn one_of(
        data: Option<PathBuf>,
        url: Option<DatabaseUrl>,
        names: [&str; 2],
    ) -> Result<Option<Place>, Failure> {
        match (data, url) {
            (Some(_), Some(_)) => {
                let [data, url] = names;
                let rule = format!("and {url} say both where the ledger is: give one of them");
                Err(usage(data, rule))
            }
            (Some(data), None) => Ok(Some(Place::Directory(data))),
            (None, url) => Ok(url.map(Place::Database)),
        }
    }
}

/// The database that an option of a command's own names, or else `--database-url` or a variable.
pub(crate) fn database_given(
    name: &str,
    own: Option<Concealed>,
    globals: &Globals,
) -> Result<Option<DatabaseUrl>, Failure> {
    match (own, &globals.database_url) {
        (Some(_), Some(_)) => Err(usage(name, "and --database-url name both a database: give one of them")),
        (None, None) => database_url_variable(),
        (own @ Some(_), None) => parsed(name, own),
        (None, given @ Some(_)) => parsed("--database-url", given.clone()),
    }
}

/// How a command that is no server uses a database.
pub(crate) fn tool_options(url: DatabaseUrl) -> PostgresOptions {
    PostgresOptions::new(url, TOOL_CONNECTIONS.into())
}

fn database_url_variable() -> Result<Option<DatabaseUrl>, Failure> {
    parsed(DATABASE_URL_VARIABLE, secret_from_environment(DATABASE_URL_VARIABLE)?.map(Concealed))
}

/// A URL, under the name by which it was given.
fn parsed(name: &str, text: Option<Concealed>) -> Result<Option<DatabaseUrl>, Failure> {
    text.map(|Concealed(text)| text.parse().map_err(|rule| usage(name, rule))).transpose()
}

/// A text that may hold a password: nothing is known of it yet, so none of it is shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Concealed(String);

impl From<String> for Concealed {
    fn from(text: String) -> Concealed {
        Concealed(text)
    }
}

impl fmt::Debug for Concealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Concealed(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> DatabaseUrl {
        text.parse().expect("a URL")
    }

    fn rule(refused: Result<impl fmt::Debug, Failure>) -> String {
        match refused.expect_err("a rule is broken") {
            Failure::Usage(rule) => rule,
            other => panic!("not a matter of usage: {other}"),
        }
    }

    #[test]
    fn two_places_are_refused_and_both_named() {
        let (data, database) =
            (|| Some(PathBuf::from("data")), || Some(url("postgres://me:hunter2@db/coffer")));
        let names = ["--data", "--database-url"];
        let refused = rule(Place::one_of(data(), database(), names));
        assert_eq!(refused, "--data and --database-url say both where the ledger is: give one of them");
        assert_eq!(Place::one_of(data(), None, names).ok().flatten(), data().map(Place::Directory));
        assert_eq!(Place::one_of(None, database(), names).ok().flatten(), database().map(Place::Database));
        assert_eq!(Place::one_of(None, None, names).ok().flatten(), None);
    }

    #[test]
    fn connections_are_bounded_and_go_with_a_database() {
        let of = |connections| Storage::of(Some(Place::Database(url("postgres://db"))), connections);
        for (given, taken) in [(None, 20), (Some(2), 2), (Some(1000), 1000)] {
            let storage = of(given).expect("a number within the bounds");
            assert!(
                matches!(storage, Some(Storage::Postgres { connections, .. }) if connections == taken),
                "{given:?}: {storage:?}"
            );
        }
        for given in [0, 1, 1001] {
            assert_eq!(rule(of(Some(given))), "database_connections must be 2 to 1000");
        }
        for place in [None, Some(Place::Directory("data".into()))] {
            let refused = rule(Storage::of(place, Some(20)));
            assert!(refused.starts_with("database_connections goes with database_url"), "{refused}");
        }
    }

    #[test]
    fn a_url_that_is_none_is_named_and_not_shown() {
        let refused = rule(parsed("database_url", Some(Concealed("mysql://me:hunter2@db".to_owned()))));
        assert_eq!(refused, "database_url must begin with postgres:// or postgresql://");
        assert!(!format!("{:?}", Concealed("postgres://me:hunter2@db".to_owned())).contains("hunter2"));
    }
}
