//! `coffer serve`: the server, from its start to its end.

use std::sync::Arc;

use coffer_http::Server;
use coffer_service::Service;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::Failure;
use crate::cli::Globals;
use crate::config::{Config, ServerOptions};
use crate::ledger::Ledger;
use crate::storage::{DATA_DEFAULT, Storage};
use crate::terminal::say;

pub(crate) fn run(globals: &Globals, options: ServerOptions) -> Result<(), Failure> {
    refuse_client_options(globals)?;
    let config = Config::of(options, globals)?;
    let storage = config.storage.clone().unwrap_or_else(|| Storage::Embedded { data: DATA_DEFAULT.into() });
    start_log(&config)?;
    runtime(&config)?.block_on(async {
        let running = Running::start(&config, &storage).await?;
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
    told: Told,
}

/// How the process is told to end. Signals are listened for before anybody hears that it serves, or one that comes at once
/// would end it in the middle of something.
struct Told {
    terminate: Signal,
    interrupt: Signal,
}

impl Told {
    fn listen() -> Result<Told, Failure> {
        let terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        Ok(Told { terminate, interrupt })
    }
}

impl Running {
    /// Opens the ledger, makes sure that an operator can get in, and binds the ports.
    pub(crate) async fn start(config: &Config, storage: &Storage) -> Result<Running, Failure> {
        let ledger = Ledger::open(storage).await?;
        let told = Told::listen()?;
        let service = ledger.start_for_operators(config.operator_key.as_ref()).await?;
        let routers = coffer_http::routers(Arc::clone(&service), config.settings.clone());
        match Server::bind(&routers, config.listen, config.operator_listen) {
            Ok(server) => Ok(Running { service, server, told }),
            Err(error) => {
                service.close().await;
                Err(failed(error))
            }
        }
    }

    /// Serves until the process is told to end, then answers everybody who is queued.
    pub(crate) async fn until_told_to_end(self) -> Result<(), Failure> {
        let Told { mut terminate, mut interrupt } = self.told;
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
