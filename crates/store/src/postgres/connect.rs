//! Connections: where they lead, how they are secured, and how many there are.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Timeouts};
use percent_encoding::percent_decode_str;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::PostgresError;
use super::statement::Form;
use super::unverified::Unverified;
use crate::DatabaseUrl;

/// How long a connection may take to be made.
const CONNECT_SECONDS_MAX: u64 = 5;
/// How long somebody waits for a connection that others use.
const WAIT_SECONDS_MAX: u64 = 5;
/// After how long without a word the other side is asked whether it is still there.
const KEEPALIVE_SECONDS: u64 = 10;
/// After how long sent data that nobody acknowledges ends a connection.
const UNACKNOWLEDGED_SECONDS_MAX: u64 = 20;

/// Where the database is, and how it is used.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// The database.
    pub url: DatabaseUrl,
    /// How many connections there may be.
    pub connections: usize,
    /// By whose clock batches are decided.
    pub clock: ClockSource,
    /// How commands are laid into batches.
    pub lanes: LaneChoice,
}

impl PostgresOptions {
    /// A database, with the usual settings.
    #[must_use]
    pub const fn new(url: DatabaseUrl, connections: usize) -> PostgresOptions {
        PostgresOptions { url, connections, clock: ClockSource::Database, lanes: LaneChoice::AsTheTablesAre }
    }
}

/// By whose clock batches are decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockSource {
    /// The database's, which all nodes share.
    Database,
    /// That of whoever sends the batch: for tests, which cannot wait for midnight.
    Sender,
}

/// How commands are laid into batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LaneChoice {
    /// Few lanes with many buckets each, or, where the tables are distributed, one for each bucket.
    AsTheTablesAre,
    /// One for each bucket: for tests of what a sharded database is sent.
    OnePerBucket,
}

impl LaneChoice {
    /// The form that statements have on tables that would have another.
    pub(super) const fn form(self, of_tables: Form) -> Form {
        match self {
            LaneChoice::AsTheTablesAre => of_tables,
            LaneChoice::OnePerBucket => Form::OneBucket,
        }
    }
}

/// How much is asked of the other side's certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Trust {
    /// Nothing: what is sent is encrypted, and whoever stands between can read it all the same.
    Anybody,
    /// That one of the authorities in this file, or one that this machine trusts, has signed it for the host's name.
    Authorities(Option<PathBuf>),
}

/// Connections of one kind of work.
pub(super) fn pool(url: &DatabaseUrl, connections: usize) -> Result<Pool, PostgresError> {
    let (mut config, trust) = parse(url)?;
    config
        .application_name("coffer")
        .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
        .keepalives_idle(Duration::from_secs(KEEPALIVE_SECONDS))
        .tcp_user_timeout(Duration::from_secs(UNACKNOWLEDGED_SECONDS_MAX));
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, MakeRustlsConnect::new(tls(&trust)?), recycling);
    let wait = Some(Duration::from_secs(WAIT_SECONDS_MAX));
    let timeouts = Timeouts { wait, create: wait, recycle: wait };
    let builder = Pool::builder(manager).max_size(connections).timeouts(timeouts);
    let pool = builder.runtime(deadpool_postgres::Runtime::Tokio1).build();
    pool.map_err(|error| PostgresError::Unusable(error.to_string()))
}

/// The driver knows neither `verify-full` nor `sslrootcert`.
fn parse(url: &DatabaseUrl) -> Result<(Config, Trust), PostgresError> {
    let (address, query) = url.expose().split_once('?').unwrap_or((url.expose(), ""));
    let (mut others, mut mode, mut authorities) = (Vec::new(), "prefer", None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = value,
            Some(("sslrootcert", value)) => {
                let path = percent_decode_str(value).decode_utf8_lossy().into_owned();
                authorities = Some(PathBuf::from(path));
            }
            Some(_) | None => others.push(pair),
        }
    }
    let (mode, trust) = match (mode, authorities) {
        ("disable", _) => ("disable", Trust::Anybody),
        ("prefer", None) => ("prefer", Trust::Anybody),
        ("require", None) => ("require", Trust::Anybody),
        ("prefer" | "require" | "verify-full", authorities) => ("require", Trust::Authorities(authorities)),
        _ => {
            let rule = "sslmode must be disable, prefer, require or verify-full";
            return Err(PostgresError::BadUrl(rule.to_owned()));
        }
    };
    let mode = format!("sslmode={mode}");
    others.push(&mode);
    let config = format!("{address}?{}", others.join("&")).parse::<Config>();
    // The error names an option at most, never the password.
    config.map(|config| (config, trust)).map_err(|error| PostgresError::BadUrl(super::describe(&error)))
}

fn tls(trust: &Trust) -> Result<rustls::ClientConfig, PostgresError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| PostgresError::Unusable(error.to_string()))?;
    let builder = match trust {
        Trust::Anybody => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified::new(provider)))
        }
        Trust::Authorities(file) => builder.with_root_certificates(authorities(file.as_deref())?),
    };
    Ok(builder.with_no_client_auth())
}

fn authorities(file: Option<&std::path::Path>) -> Result<RootCertStore, PostgresError> {
    let mut trusted = RootCertStore::empty();
    let Some(file) = file else {
        trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(trusted);
    };
    let unusable = |what: String| PostgresError::BadUrl(format!("sslrootcert {}: {what}", file.display()));
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        trusted.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if trusted.is_empty() { Err(unusable("it holds no certificate".to_owned())) } else { Ok(trusted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Result<(Config, Trust), PostgresError> {
        parse(&url.parse().expect("a URL of a database"))
    }

    #[test]
    fn certificates_are_looked_at_where_that_is_asked_for() {
        use tokio_postgres::config::SslMode;
        let file = |path: &str| Trust::Authorities(Some(PathBuf::from(path)));
        for (query, mode, trust) in [
            ("", SslMode::Prefer, Trust::Anybody),
            ("?sslmode=disable", SslMode::Disable, Trust::Anybody),
            ("?sslmode=require", SslMode::Require, Trust::Anybody),
            ("?sslmode=verify-full", SslMode::Require, Trust::Authorities(None)),
            ("?sslmode=require&sslrootcert=/etc/ca%20s.pem", SslMode::Require, file("/etc/ca s.pem")),
            ("?sslrootcert=/ca.pem&sslmode=verify-full", SslMode::Require, file("/ca.pem")),
        ] {
            let (config, found) = parsed(&format!("postgres://u:p@h/d{query}")).expect(query);
            assert_eq!((config.get_ssl_mode(), found), (mode, trust), "{query}");
        }
        let error = parsed("postgres://u:secret@h/d?sslmode=verify-ca").expect_err("an unknown mode");
        assert!(error.to_string().contains("sslmode"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_a_url_is_told_without_its_password() {
        let error = parsed("postgres://u:hunter2@h/d?colour=green").expect_err("an unknown option");
        assert!(error.to_string().contains("colour") && !error.to_string().contains("hunter2"), "{error}");
    }
}
