//! `coffer serve`: the server, from its start to its end.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coffer_http::Server;
use coffer_ledger::{Command, CreateOperatorKey, Name, OperatorKeyId, Outcome, Scope, Scopes};
use coffer_service::{Clock, KeyPrefix, Secret, Service, mint_id_anywhere};
use coffer_store::{DataDirectory, Reader as _, SqliteStore};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::Failure;
use crate::cli::Globals;
use crate::config::{Config, ServerOptions};
use crate::terminal::say;

pub(crate) const DATA_DEFAULT: &str = "coffer-data";

pub(crate) fn run(globals: &Globals, options: ServerOptions) -> Result<(), Failure> {
    refuse_client_options(globals)?;
    let config = Config::of(options, globals.data.as_deref())?;
    let data = config.data.clone().unwrap_or_else(|| PathBuf::from(DATA_DEFAULT));
    start_log(&config)?;
    runtime(&config)?.block_on(async {
        let running = Running::start(&config, &data).await?;
        for address in running.server.addresses() {
            say(format_args!("coffer is listening on http://{address}"));
        }
        running.until_told_to_end().await
    })
}

/// A server has no use for what is said to a client, and a key on its command line would be seen by everybody.
pub(crate) fn refuse_client_options(globals: &Globals) -> Result<(), Failure> {
    let given = [
        ("--operator-key", globals.operator_key.is_some()),
        ("--json", globals.json),
        ("--idempotency-key", globals.idempotency_key.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some(("--operator-key", _)) => Err(Failure::Usage(
            "--operator-key is for commands that talk to a server; give a server its key by COFFER_OPERATOR_KEY or \
             COFFER_OPERATOR_KEY_FILE"
                .to_owned(),
        )),
        Some((name, _)) => Err(Failure::Usage(format!("{name} is for commands that talk to a server"))),
        None => Ok(()),
    }
}

/// A server that is about to serve.
pub(crate) struct Running {
    pub(crate) service: Arc<Service>,
    pub(crate) server: Server,
}

impl Running {
    /// Locks the data directory, opens the ledger, makes the first operator's key, and binds the ports.
    pub(crate) async fn start(config: &Config, data: &Path) -> Result<Running, Failure> {
        let directory = DataDirectory::lock(data).map_err(failed)?;
        let operator_key_file = directory.operator_key();
        let store = tokio::task::block_in_place(|| SqliteStore::open(directory)).map_err(failed)?;
        let operator_key = config.operator_key.as_ref().map(Secret::hash);
        if let Some(secret) = &operator_key
            && store.holder(secret, coffer_ledger::Timestamp::MIN).await.map_err(failed)?.is_some()
        {
            let message = "the configured operator key is a customer's key of this ledger: take another";
            return Err(Failure::Usage(message.to_owned()));
        }
        let service = Service::start(Arc::new(store), Clock::system(), operator_key);
        if config.operator_key.is_none() {
            make_first_operator_key(&service, &operator_key_file).await?;
        }
        let routers = coffer_http::routers(Arc::clone(&service), config.settings.clone());
        match Server::bind(&routers, config.listen, config.operator_listen) {
            Ok(server) => Ok(Running { service, server }),
            Err(error) => {
                service.close().await;
                Err(failed(error))
            }
        }
    }

    /// Serves until the process is told to end, then answers everybody who is queued.
    pub(crate) async fn until_told_to_end(self) -> Result<(), Failure> {
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let told = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("the server ends: it takes no more connections and answers what is under way");
        };
        self.server.run(told).await;
        self.service.close().await;
        tracing::info!("the server has ended");
        Ok(())
    }
}

/// Makes an operator's key where nobody could get in: none is live that can make others.
///
/// The file comes before the ledger: after a crash between the two, the next start finds no live key and
/// makes another. The other way round, a live key would exist whose secret nobody has.
async fn make_first_operator_key(service: &Service, file: &Path) -> Result<(), Failure> {
    let keys = service.operator_keys().await.map_err(failed)?;
    if keys.iter().any(|key| key.revoked_at.is_none() && key.scopes.contains(Scope::Admin)) {
        return Ok(());
    }
    let secret = Secret::generate(&KeyPrefix::operator());
    write_secret(file, &secret)
        .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", file.display())))?;
    create_operator_key(service, "first operator", &secret, Scopes::ALL).await?;
    tracing::info!(file = %file.display(), "an operator key was made; its secret is in the file");
    Ok(())
}

/// Makes an operator's key with a secret.
pub(crate) async fn create_operator_key(
    service: &Service,
    name: &str,
    secret: &Secret,
    scopes: Scopes,
) -> Result<OperatorKeyId, Failure> {
    let command = CreateOperatorKey {
        id: OperatorKeyId::from_bytes(mint_id_anywhere()),
        name: Name::try_from(name.to_owned()).map_err(|rule| Failure::Usage(format!("name {rule}")))?,
        secret: secret.hash(),
        hint: secret.hint(&KeyPrefix::operator()),
        scopes,
    };
    let id = command.id;
    match service.submit(Command::CreateOperatorKey(command)).await.map_err(failed)? {
        Outcome::OperatorKeyCreated(_) => Ok(id),
        other => Err(Failure::Failed(format!("the operator key was not made: {other:?}"))),
    }
}

/// Writes a secret for its owner alone, durable before it is used.
fn write_secret(file: &Path, secret: &Secret) -> std::io::Result<()> {
    let draft = file.with_extension("key.new");
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(out, "{}", secret.expose())?;
    out.sync_all()?;
    std::fs::rename(&draft, file)?;
    let directory = file.parent().unwrap_or(Path::new("."));
    std::fs::File::open(directory)?.sync_all()
}

pub(crate) fn runtime(config: &Config) -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.workers.get())
        .thread_name("coffer-http")
        .enable_all()
        .build()
        .map_err(failed)
}

/// Logs to standard error. No key and no body ever gets into it; a request that went well is no line at the
/// default level.
pub(crate) fn start_log(config: &Config) -> Result<(), Failure> {
    check_log_filter(&config.log)?;
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| Failure::Usage(format!("log must be a filter such as info: {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.log_as_json {
        log.json().init();
    } else {
        log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init();
    }
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    Ok(())
}

/// A word that is no level would be taken for the name of a module, and nothing would be logged.
fn check_log_filter(filter: &str) -> Result<(), Failure> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let known = |part: &str| part.contains('=') || LEVELS.contains(&part.to_ascii_lowercase().as_str());
    match filter.split(',').map(str::trim).find(|part| !known(part)) {
        Some(part) => Err(Failure::Usage(format!(
            "log must be made of levels and module=level, such as info or info,coffer_http=debug: {part:?} is neither"
        ))),
        None => Ok(()),
    }
}

pub(crate) fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}
