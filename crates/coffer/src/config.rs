//! Configuration: flags over `COFFER_*` variables over a TOML file. Valid once it is parsed.

use std::env::VarError;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use coffer_http::{CorsOrigins, Origin, PublicUrl, RateLimits, Settings};
use coffer_service::Secret;
use serde::Deserialize;

use crate::Failure;
use crate::cli::Globals;
use crate::storage::{Concealed, Place, Storage};

/// What a server is started with. The TOML file has the same names, with `_` for `-`.
#[derive(Args, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerOptions {
    /// A TOML file with these options
    #[arg(long, env = "COFFER_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// The address to serve [default: 127.0.0.1:8080]
    #[arg(long, env = "COFFER_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Another address for /v1, /console and /metrics
    #[arg(long, env = "COFFER_OPERATOR_LISTEN", value_name = "ADDRESS")]
    operator_listen: Option<SocketAddr>,
    #[arg(skip)]
    data: Option<PathBuf>,
    #[arg(skip)]
    database_url: Option<Concealed>,
    /// Connections to the database, 2 to 1000 [default: 20]
    #[arg(long, env = "COFFER_DATABASE_CONNECTIONS", value_name = "N")]
    database_connections: Option<u16>,
    /// Threads that serve HTTP [default: the number of cores]
    #[arg(long, env = "COFFER_WORKERS", value_name = "N")]
    workers: Option<NonZeroUsize>,
    /// The product in the balance endpoint's path [default: unwatermark]
    #[arg(long, env = "COFFER_PRODUCT", value_name = "NAME")]
    product: Option<String>,
    /// The header that carries customers' keys [default: ZF-API-KEY]
    #[arg(long, env = "COFFER_API_KEY_HEADER", value_name = "NAME")]
    api_key_header: Option<String>,
    /// What customers' secrets begin with [default: cof_live_]
    #[arg(long, env = "COFFER_KEY_PREFIX", value_name = "PREFIX")]
    key_prefix: Option<String>,
    /// Origins whose pages may call the balance endpoint [default: every page]
    #[arg(long, env = "COFFER_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    cors_origins: Vec<String>,
    /// Networks whose X-Forwarded-For counts
    #[arg(long, env = "COFFER_TRUSTED_PROXIES", value_name = "NET", value_delimiter = ',')]
    trusted_proxies: Vec<String>,
    /// Failed authentications a second from one address, 0 for no limit [default: 10]
    #[arg(long, env = "COFFER_FAILED_AUTHENTICATIONS_PER_SECOND", value_name = "N")]
    failed_authentications_per_second: Option<u32>,
    /// How many of them may come at once [default: 100]
    #[arg(long, env = "COFFER_FAILED_AUTHENTICATIONS_BURST", value_name = "N")]
    failed_authentications_burst: Option<NonZeroU32>,
    /// Balance reads a second with one customer's key, 0 for no limit [default: 0]
    #[arg(long, env = "COFFER_BALANCE_READS_PER_SECOND", value_name = "N")]
    balance_reads_per_second: Option<u32>,
    /// Requests a second with one operator's key, 0 for no limit [default: 0]
    #[arg(long, env = "COFFER_OPERATOR_REQUESTS_PER_SECOND", value_name = "N")]
    operator_requests_per_second: Option<u32>,
    /// The address (scheme and host) at which customers reach the pages [default: where it listens]
    #[arg(long, env = "COFFER_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Where operators reach the console, if it has an address of its own [default: where that listens]
    #[arg(long, env = "COFFER_OPERATOR_URL", value_name = "URL")]
    operator_url: Option<String>,
    /// Origins that customers may be sent back to from their page
    #[arg(long, env = "COFFER_RETURN_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    return_origins: Vec<String>,
    /// How long the lots live that take what is refunded to expired ones, in days [default: 30]
    #[arg(long, env = "COFFER_REFUND_LOT_DAYS", value_name = "DAYS")]
    refund_lot_days: Option<NonZeroU16>,
    /// What is logged, such as info, debug or coffer_http=debug [default: info]
    #[arg(long, env = "COFFER_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How it is logged: text or json [default: text]
    #[arg(long, env = "COFFER_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<String>,
    /// A file with the operator key that opens everything while the server runs
    #[arg(skip)]
    operator_key_file: Option<PathBuf>,
}

/// What a server runs with.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) operator_listen: Option<SocketAddr>,
    /// What keeps the ledger, if anything says so.
    pub(crate) storage: Option<Storage>,
    pub(crate) workers: NonZeroUsize,
    pub(crate) settings: Settings,
    pub(crate) operator_key: Option<Secret>,
    pub(crate) log: String,
    pub(crate) log_as_json: bool,
}

/// Variables besides those of the options above.
const OTHER_VARIABLES: [&str; 7] = [
    "COFFER_DATA",
    "COFFER_DATABASE_URL",
    "COFFER_DATABASE_URL_FILE",
    "COFFER_URL",
    "COFFER_API_KEY",
    "COFFER_OPERATOR_KEY",
    "COFFER_OPERATOR_KEY_FILE",
];

impl Config {
    /// Puts flags and variables over the file, and checks everything.
    pub(crate) fn of(options: ServerOptions, globals: &Globals) -> Result<Config, Failure> {
        let mut file = match &options.config {
            Some(path) => read_file(path)?,
            None => ServerOptions::default(),
        };
        let operator_key_file = file.operator_key_file.clone();
        let in_file = Place::in_file(file.data.take(), file.database_url.take())?;
        let place = Place::given(globals)?.or(in_file);
        let options = options.over(file);
        let mut settings = Settings::default();
        parse("product", options.product.as_deref(), str::parse, &mut settings.product)?;
        parse("api_key_header", options.api_key_header.as_deref(), str::parse, &mut settings.api_key_header)?;
        parse("key_prefix", options.key_prefix.as_deref(), str::parse, &mut settings.key_prefix)?;
        if !options.cors_origins.is_empty() && options.cors_origins != ["*"] {
            settings.cors_origins =
                CorsOrigins::Only(parse_all::<Origin>("cors_origins", &options.cors_origins)?);
        }
        settings.trusted_proxies = parse_networks(&options.trusted_proxies)?;
        settings.rate_limits = options.rate_limits();
        settings.public_url = public_url("public_url", options.public_url.as_deref())?;
        settings.operator_url = public_url("operator_url", options.operator_url.as_deref())?;
        if settings.operator_url.is_some() && options.operator_listen.is_none() {
            return Err(usage(
                "operator_url",
                "goes with operator_listen: without it the console is at public_url",
            ));
        }
        settings.return_origins = parse_all("return_origins", &options.return_origins)?;
        settings.refund_lot_days = options.refund_lot_days.unwrap_or(settings.refund_lot_days);
        let log_as_json = match options.log_format.as_deref() {
            None | Some("text") => false,
            Some("json") => true,
            Some(_) => return Err(usage("log_format", "must be text or json")),
        };
        Ok(Config {
            listen: options.listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080)),
            operator_listen: options.operator_listen,
            storage: Storage::of(place, options.database_connections)?,
            workers: match options.workers {
                Some(workers) => workers,
                None => std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            },
            settings,
            operator_key: configured_operator_key(operator_key_file.as_deref())?,
            log: options.log.unwrap_or_else(|| "info".to_owned()),
            log_as_json,
        })
    }
}

impl ServerOptions {
    fn over(self, file: ServerOptions) -> ServerOptions {
        ServerOptions {
            config: self.config,
            listen: self.listen.or(file.listen),
            operator_listen: self.operator_listen.or(file.operator_listen),
            data: self.data.or(file.data),
            database_url: self.database_url.or(file.database_url),
            database_connections: self.database_connections.or(file.database_connections),
            workers: self.workers.or(file.workers),
            product: self.product.or(file.product),
            api_key_header: self.api_key_header.or(file.api_key_header),
            key_prefix: self.key_prefix.or(file.key_prefix),
            cors_origins: or_list(self.cors_origins, file.cors_origins),
            trusted_proxies: or_list(self.trusted_proxies, file.trusted_proxies),
            failed_authentications_per_second: self
                .failed_authentications_per_second
                .or(file.failed_authentications_per_second),
            failed_authentications_burst: self
                .failed_authentications_burst
                .or(file.failed_authentications_burst),
            balance_reads_per_second: self.balance_reads_per_second.or(file.balance_reads_per_second),
            operator_requests_per_second: self
                .operator_requests_per_second
                .or(file.operator_requests_per_second),
            public_url: self.public_url.or(file.public_url),
            operator_url: self.operator_url.or(file.operator_url),
            return_origins: or_list(self.return_origins, file.return_origins),
            refund_lot_days: self.refund_lot_days.or(file.refund_lot_days),
            log: self.log.or(file.log),
            log_format: self.log_format.or(file.log_format),
            operator_key_file: self.operator_key_file.or(file.operator_key_file),
        }
    }

    fn rate_limits(&self) -> RateLimits {
        let default = RateLimits::default();
        let rate = |given: Option<u32>, default| given.map_or(default, NonZeroU32::new);
        RateLimits {
            failed_authentications_per_second: rate(
                self.failed_authentications_per_second,
                default.failed_authentications_per_second,
            ),
            failed_authentications_burst: self
                .failed_authentications_burst
                .unwrap_or(default.failed_authentications_burst),
            balance_reads_per_second: rate(self.balance_reads_per_second, default.balance_reads_per_second),
            operator_requests_per_second: rate(
                self.operator_requests_per_second,
                default.operator_requests_per_second,
            ),
        }
    }
}

/// The operator's key from `COFFER_OPERATOR_KEY`, the file that `COFFER_OPERATOR_KEY_FILE` names, or the file
/// that the configuration names.
fn configured_operator_key(file: Option<&Path>) -> Result<Option<Secret>, Failure> {
    let Some(text) = operator_key_from_environment()? else {
        let Some(file) = file else { return Ok(None) };
        return operator_secret("operator_key_file", &read_secret(file)?).map(Some);
    };
    operator_secret("COFFER_OPERATOR_KEY", &text).map(Some)
}

fn operator_secret(name: &str, text: &str) -> Result<Secret, Failure> {
    Secret::configured(text).map_err(|rule| usage(name, rule))
}

/// The text of `COFFER_OPERATOR_KEY`, or of the file that `COFFER_OPERATOR_KEY_FILE` names.
pub(crate) fn operator_key_from_environment() -> Result<Option<String>, Failure> {
    secret_from_environment("COFFER_OPERATOR_KEY")
}

/// The text of a variable, or of the file that the variable with `_FILE` at its end names.
pub(crate) fn secret_from_environment(name: &str) -> Result<Option<String>, Failure> {
    let name_of_file = format!("{name}_FILE");
    match (variable(name)?, variable(&name_of_file)?) {
        (Some(_), Some(_)) => Err(usage(name, format!("must not be set beside {name_of_file}"))),
        (Some(text), None) => Ok(Some(text)),
        (None, Some(path)) => read_secret(Path::new(&path)).map(Some),
        (None, None) => Ok(None),
    }
}

/// The text of a variable that is set and not empty.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(usage(name, "must be text in UTF-8")),
    }
}

/// A secret in a file, without the line's end.
pub(crate) fn read_secret(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Failed(format!("cannot read {}: {error}", path.display())))?;
    Ok(text.trim().to_owned())
}

/// Names of `COFFER_*` variables that are set and mean nothing.
pub(crate) fn unknown_variables() -> Vec<String> {
    let command = ServerOptions::augment_args(clap::Command::new("serve"));
    let known: Vec<String> = command
        .get_arguments()
        .filter_map(|argument| argument.get_env())
        .map(|name| name.to_string_lossy().into_owned())
        .chain(OTHER_VARIABLES.map(str::to_owned))
        .collect();
    let set = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    set.filter(|name| name.starts_with("COFFER_") && !known.contains(name)).collect()
}

fn read_file(path: &Path) -> Result<ServerOptions, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Failed(format!("cannot read {}: {error}", path.display())))?;
    toml::from_str(&text).map_err(|error| refused_file(path, &text, &error))
}

/// What is wrong with a TOML file: with the line that is, unless a password may stand in it.
fn refused_file(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
    let is_secret = text.lines().nth(line).is_some_and(|line| line.contains("database_url"));
    if is_secret {
        let message = error.message();
        return Failure::Usage(format!("{}: line {}: database_url: {message}", path.display(), line + 1));
    }
    Failure::Usage(format!("{}: {error}", path.display()))
}

fn parse<T, E: std::fmt::Display>(
    name: &str,
    given: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
    setting: &mut T,
) -> Result<(), Failure> {
    if let Some(text) = given {
        *setting = parse(text).map_err(|rule| usage(name, rule))?;
    }
    Ok(())
}

fn public_url(name: &str, given: Option<&str>) -> Result<Option<PublicUrl>, Failure> {
    given.map(|text| text.parse().map_err(|rule| usage(name, rule))).transpose()
}

fn parse_all<T: FromStr<Err: std::fmt::Display>>(name: &str, given: &[String]) -> Result<Vec<T>, Failure> {
    given.iter().map(|text| text.parse().map_err(|rule| usage(name, rule))).collect()
}

/// Networks such as `10.0.0.0/8`; a single address is a network of one.
fn parse_networks(given: &[String]) -> Result<Vec<ipnet::IpNet>, Failure> {
    let network = |text: &String| {
        let single = text.parse::<IpAddr>().map(ipnet::IpNet::from);
        single.or_else(|_| text.parse()).map_err(|_| {
            usage("trusted_proxies", format!("{text} is neither an address nor a network such as 10.0.0.0/8"))
        })
    };
    given.iter().map(network).collect()
}

fn or_list(over: Vec<String>, under: Vec<String>) -> Vec<String> {
    if over.is_empty() { under } else { over }
}

pub(crate) fn usage(name: &str, rule: impl std::fmt::Display) -> Failure {
    Failure::Usage(format!("{name} {rule}"))
}
