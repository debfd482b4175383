//! The ledger, opened for a server or for one command: its store, its clock, and the operator's key without which nobody
//! gets in.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coffer_ledger::{
    Command, CreateOperatorKey, Name, OperatorKey, OperatorKeyId, Outcome, Scope, Scopes, Timestamp,
};
use coffer_service::{Clock, KeyPrefix, Secret, Service, mint_id_anywhere};
use coffer_store::{DataDirectory, DatabaseUrl, PostgresOptions, PostgresStore, Span, SqliteStore, Store};

use crate::Failure;
use crate::database::refused;
use crate::serve::failed;
use crate::storage::Storage;

/// Operators' keys that are read at once, to see whether one opens the ledger.
const KEYS_READ_MAX: usize = 100;

/// A ledger on which nobody works yet.
pub(crate) struct Ledger {
    store: Arc<dyn Store>,
    clock: Clock,
    home: Home,
}

/// What belongs to a ledger besides what its store keeps.
enum Home {
    /// A directory has a place for the first operator's key.
    Directory { operator_key: PathBuf },
    /// A database has none that only its owner reads.
    Database(DatabaseUrl),
}

impl Ledger {
    /// Opens what is there, or makes an empty ledger.
    pub(crate) async fn open(storage: &Storage) -> Result<Ledger, Failure> {
        match storage {
            Storage::Embedded { data } => Ledger::in_directory(DataDirectory::lock(data).map_err(failed)?),
            Storage::Postgres { url, connections } => {
                Ledger::in_database(PostgresOptions::new(url.clone(), usize::from(*connections))).await
            }
        }
    }

    /// Opens the ledger of a directory that is locked. Needs a runtime of several threads.
    pub(crate) fn in_directory(directory: DataDirectory) -> Result<Ledger, Failure> {
        let home = Home::Directory { operator_key: directory.operator_key() };
        let store = tokio::task::block_in_place(|| SqliteStore::open(directory)).map_err(failed)?;
        Ok(Ledger { store: Arc::new(store), clock: Clock::system(), home })
    }

    /// Opens the ledger of a database.
    pub(crate) async fn in_database(options: PostgresOptions) -> Result<Ledger, Failure> {
        let store = PostgresStore::open(&options).await.map_err(|error| refused(&options.url, error))?;
        let clock = Clock::Database(store.clock());
        Ok(Ledger { store: Arc::new(store), clock, home: Home::Database(options.url) })
    }

    /// Starts to work, for somebody who needs no operator's key.
    pub(crate) fn start(self) -> Arc<Service> {
        Service::start(self.store, self.clock, None)
    }

    /// The time by its clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Starts to work under another clock, for what is to have happened at another time.
    pub(crate) fn start_under(self, clock: Clock) -> Arc<Service> {
        Service::start(self.store, clock, None)
    }

    /// Starts to work for operators: with the key that is configured, or those in the ledger, or a first one.
    pub(crate) async fn start_for_operators(
        self,
        configured: Option<&Secret>,
    ) -> Result<Arc<Service>, Failure> {
        let Ledger { store, clock, home } = self;
        if let Some(secret) = configured.map(Secret::hash) {
            if store.holder(&secret, Timestamp::MIN).await.map_err(failed)?.is_some() {
                let message = "the configured operator key is a customer's key of this ledger: take another";
                return Err(Failure::Usage(message.to_owned()));
            }
            return Ok(Service::start(store, clock, Some(secret)));
        }
        let opens = is_opened(&*store).await?;
        match home {
            Home::Database(url) if !opens => Err(Failure::Usage(format!(
                "no operator key opens the ledger of {url}: set COFFER_OPERATOR_KEY or COFFER_OPERATOR_KEY_FILE, or make \
                 one with coffer operator-key create --database-url URL"
            ))),
            Home::Directory { operator_key } if !opens => {
                let service = Service::start(store, clock, None);
                make_first_operator_key(&service, &operator_key).await?;
                Ok(service)
            }
            Home::Database(_) | Home::Directory { .. } => Ok(Service::start(store, clock, None)),
        }
    }
}

/// Whether a key is live that can make others.
async fn is_opened(store: &dyn Store) -> Result<bool, Failure> {
    let mut before = None;
    loop {
        let page = store.operator_keys(Span { before, count_max: KEYS_READ_MAX }).await.map_err(failed)?;
        let mut keys = page.items.iter();
        if keys.any(|key| key.revoked_at.is_none() && key.scopes.contains(Scope::Admin)) {
            return Ok(true);
        }
        before = page.items.last().filter(|_| page.has_more).map(|key| key.id.bytes());
        if before.is_none() {
            return Ok(false);
        }
    }
}

/// Makes an operator's key where nobody could get in: none is live that can make others.
///
/// The file comes before the ledger: after a crash between the two, the next start finds no live key and
/// makes another. The other way round, a live key would exist whose secret nobody has.
async fn make_first_operator_key(service: &Service, file: &Path) -> Result<(), Failure> {
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
) -> Result<OperatorKey, Failure> {
    let command = CreateOperatorKey {
        id: OperatorKeyId::from_bytes(mint_id_anywhere()),
        name: Name::try_from(name.to_owned()).map_err(|rule| Failure::Usage(format!("name {rule}")))?,
        secret: secret.hash(),
        hint: secret.hint(&KeyPrefix::operator()),
        scopes,
    };
    match service.submit(Command::CreateOperatorKey(command)).await.map_err(failed)? {
        Outcome::OperatorKeyCreated(key) => Ok(key),
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
