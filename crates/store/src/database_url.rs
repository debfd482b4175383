//! Where a database is, and how it is opened: a secret, for it may hold a password.
//!
//! Only what has to be known to show it without its password is checked here. What else it says is for the client of the
//! database to understand.

use std::fmt;
use std::str::FromStr;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// Parameters that say where the database is. No other is shown: a password, for one, may be a parameter too.
const PARAMETERS_SHOWN: [&str; 4] = ["host", "port", "dbname", "user"];

/// The URL of a PostgreSQL database. `Debug` and `Display` leave its password out.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Box<str>);

/// Why a text is no such URL. The message is a rule that completes "database_url …", and shows nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// It is for another kind of database, or for none.
    #[error("must begin with postgres:// or postgresql://")]
    Scheme,
    /// It is unclear where the password ends.
    #[error(
        "must have one @ at most, before the host: write it as %40 elsewhere, and / ? # in a password as %2F %3F %23"
    )]
    Ambiguous,
    /// What stands in the place of a port is no port.
    #[error("must have a number from 1 to 65535 as each port, if any")]
    Port,
    /// There are control characters or spaces in it.
    #[error("must not have spaces or control characters")]
    Blank,
}

impl DatabaseUrl {
    /// The URL with its password, for whoever opens the database.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A URL in parts. What cannot be told apart from a password is no URL.
struct Parts<'a> {
    scheme: &'static str,
    user: Option<&'a str>,
    hosts: &'a str,
    path: &'a str,
    parameters: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Parts<'a>, DatabaseUrlError> {
        let after = |scheme: &&'static str| Some((*scheme, text.strip_prefix(*scheme)?));
        let (scheme, rest) = SCHEMES.iter().find_map(after).ok_or(DatabaseUrlError::Scheme)?;
        if rest.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err(DatabaseUrlError::Blank);
        }
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (credentials, hosts) = match authority.split_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        if hosts.contains('@') || rest.contains(['@', '#']) {
            return Err(DatabaseUrlError::Ambiguous);
        }
        // A URL that has lost its host has the password where the port should be.
        if !hosts.split(',').all(has_valid_port) {
            return Err(DatabaseUrlError::Port);
        }
        let user = credentials.map(|credentials| credentials.split(':').next().unwrap_or_default());
        let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        Ok(Parts { scheme, user, hosts, path, parameters })
    }
}

/// Whether `host`, `host:port`, `[address]` or `[address]:port` has a port that is one, if it has any.
fn has_valid_port(host: &str) -> bool {
    let after = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, after)) => after.strip_prefix(':').or((!after.is_empty()).then_some(after)),
        None => host.split_once(':').map(|(_, port)| port),
    };
    after.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;
    fn from_str(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
        Parts::of(text)?;
        Ok(DatabaseUrl(text.into()))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { scheme, user, hosts, path, parameters } =
            Parts::of(&self.0).expect("it was checked when it was parsed");
        out.write_str(scheme)?;
        if let Some(user) = user {
            write!(out, "{user}@")?;
        }
        write!(out, "{hosts}{path}")?;
        let is_shown = |parameter: &&str| {
            let name = parameter.split('=').next().unwrap_or_default();
            PARAMETERS_SHOWN.contains(&name)
        };
        for (place, parameter) in parameters.split('&').filter(is_shown).enumerate() {
            write!(out, "{}{parameter}", if place == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://coffer:hunter2@db.example:5432/coffer", "postgres://coffer@db.example:5432/coffer"),
            ("postgresql://coffer:hunter2@db/coffer?sslmode=require", "postgresql://coffer@db/coffer"),
            ("postgres://coffer:a:hunter2@db", "postgres://coffer@db"),
            ("postgres://coffer:%40hunter2%2F@db/coffer", "postgres://coffer@db/coffer"),
            ("postgres://:hunter2@db/coffer", "postgres://@db/coffer"),
            ("postgres://coffer@one:1,two:2/coffer", "postgres://coffer@one:1,two:2/coffer"),
            ("postgres://coffer:hunter2@[::1]:5432/coffer", "postgres://coffer@[::1]:5432/coffer"),
            ("postgres://[::1]/coffer", "postgres://[::1]/coffer"),
            ("postgres:///coffer?host=/run/postgresql", "postgres:///coffer?host=/run/postgresql"),
            ("postgres://?password=hunter2&host=db&user=me", "postgres://?host=db&user=me"),
            ("postgres://db/coffer?pass%77ord=hunter2&sslpassword=hunter2", "postgres://db/coffer"),
        ] {
            let parsed: DatabaseUrl = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(parsed.expose(), url);
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(format!("{parsed:?}"), format!("DatabaseUrl({shown})"));
        }
    }

    #[test]
    fn what_could_show_a_password_is_refused() {
        for (url, error) in [
            ("", DatabaseUrlError::Scheme),
            ("mysql://coffer:hunter2@db/coffer", DatabaseUrlError::Scheme),
            ("host=db password=hunter2", DatabaseUrlError::Scheme),
            ("postgres:/coffer:hunter2@db", DatabaseUrlError::Scheme),
            ("postgres://coffer:hunter@2@db/coffer", DatabaseUrlError::Ambiguous),
            ("postgres://coffer:hunter/2@db/coffer", DatabaseUrlError::Ambiguous),
            ("postgres://coffer:hunter?2@db/coffer", DatabaseUrlError::Ambiguous),
            ("postgres://coffer:hunter#2@db/coffer", DatabaseUrlError::Ambiguous),
            ("postgres://coffer:hunter2/coffer", DatabaseUrlError::Port),
            ("postgres://db:/coffer", DatabaseUrlError::Port),
            ("postgres://db:0/coffer", DatabaseUrlError::Port),
            ("postgres://[::1]hunter2/coffer", DatabaseUrlError::Port),
            ("postgres://one,coffer:hunter2/coffer", DatabaseUrlError::Port),
            ("postgres://coffer:hunter 2@db/coffer", DatabaseUrlError::Blank),
            ("postgres://db/coffer\n", DatabaseUrlError::Blank),
        ] {
            assert_eq!(url.parse::<DatabaseUrl>(), Err(error), "{url}");
        }
    }
}
