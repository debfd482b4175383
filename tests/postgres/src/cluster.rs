//! A server of its own: made, started, stopped, crashed, looked into.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

use crate::certificate;
use crate::database::{Database, Urls};
use crate::keeper::Keeper;
use crate::port;
use crate::settings::{Durability, Settings, Tls};
use crate::sql::{self, Row};

/// The cluster's user, who may do everything.
const USER: &str = "coffer";

/// The database from which others are made and dropped.
const ADMINISTRATION: &str = "postgres";

/// What the server has to say, in the cluster's directory.
const LOG: &str = "server.log";

/// How often a start is tried on another port, when somebody else was quicker to take the one that was free.
const STARTS_MAX: usize = 5;

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// Ends all connections, rolls back what they had not committed, and closes its books.
    Fast,
    /// As a crash does: ends at once, and recovers from its log at the next start.
    Immediate,
}

/// A server that runs, until this value is dropped or this process ends.
pub struct Cluster {
    keeper: Mutex<Keeper>,
    port: u16,
    settings: Settings,
    directory: PathBuf,
    databases: AtomicU64,
}

impl Cluster {
    /// Starts one to which a test may do anything, with PostgreSQL's own durability.
    ///
    /// # Panics
    /// Where the server's programs are missing, or do not come to serve.
    #[must_use]
    pub fn start() -> Cluster {
        Cluster::with(Settings::default())
    }

    /// Starts one with other settings.
    ///
    /// # Panics
    /// Where the server's programs are missing, or do not come to serve.
    #[must_use]
    pub fn with(settings: Settings) -> Cluster {
        let mut keeper = Keeper::start();
        let directory = keeper.directory().to_owned();
        make(&mut keeper, settings);
        let port = start_somewhere(&mut keeper);
        let cluster =
            Cluster { keeper: Mutex::new(keeper), port, settings, directory, databases: AtomicU64::new(0) };
        sql::wait_until_ready(&cluster.url_by_socket(ADMINISTRATION));
        cluster
    }

    /// The one for all tests of this process that only want to keep something for a while: [`Durability::Fast`], started
    /// by who asks first, ended together with the process. Nobody may stop it.
    #[must_use]
    pub fn shared() -> &'static Cluster {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Cluster::with(Settings { durability: Durability::Fast, ..Settings::default() }))
    }

    /// A new and empty database.
    ///
    /// # Panics
    /// Where the server does not make one, for example because it is stopped.
    #[must_use]
    pub fn fresh_database(&self) -> Database {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let urls = Urls {
            network: self.url(&name),
            socket: self.url_by_socket(&name),
            administration: self.url_by_socket(ADMINISTRATION),
        };
        Database::create(name, urls)
    }

    /// Where a client finds a database of this cluster.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@{}/{database}", self.address())
    }

    /// The same by the name `localhost`, the only one in the server's certificate.
    #[must_use]
    pub fn url_by_name(&self, database: &str) -> String {
        format!("postgres://{USER}@localhost:{}/{database}", self.port)
    }

    /// Where the server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The certificate of whoever has signed the server's, in PEM.
    ///
    /// # Panics
    /// Where the server does not speak TLS.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        assert_ne!(self.settings.tls, Tls::Off, "only a server that speaks TLS has a certificate");
        self.directory.join(certificate::AUTHORITY)
    }

    /// Carries out statements outside of any test's database, such as `ALTER SYSTEM`, and answers their rows.
    ///
    /// # Panics
    /// Where the server refuses one.
    #[track_caller]
    pub fn administer(&self, sql: &str) -> Vec<Row> {
        sql::query(&self.url_by_socket(ADMINISTRATION), sql)
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// Stops the server.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn stop(&self, how: Stop) {
        self.run(&format!("pg_ctl -D data -w -m {} stop", how.word()));
    }

    /// Starts the server again on the same port and data, and waits until it answers.
    ///
    /// # Panics
    /// Where it runs already, or does not come to serve.
    pub fn start_again(&self) {
        self.run(&start(self.port));
        sql::wait_until_ready(&self.url_by_socket(ADMINISTRATION));
    }

    /// Has the server crash, recover, and answer again.
    ///
    /// # Panics
    /// Where it does not.
    pub fn restart_immediate(&self) {
        self.stop(Stop::Immediate);
        self.start_again();
    }

    /// Has the server stand still with all its processes: it takes connections, as its system does for it, and says nothing.
    /// It goes on when the value is dropped.
    ///
    /// # Panics
    /// Where it does not run.
    #[must_use]
    pub fn freeze(&self) -> Frozen<'_> {
        let pid = std::fs::read_to_string(self.directory.join("data/postmaster.pid"));
        let pid = pid.expect("a server that runs has a number").lines().next().unwrap_or_default().to_owned();
        // The first of them before the others, so that it makes no more.
        self.run(&format!("kill -STOP {pid}"));
        // And the last to go on, so that it takes none of the others away before that one has been told: one may have ended.
        let processes = format!("{} {pid}", children(&pid).join(" "));
        self.run(&format!("kill -STOP {processes}"));
        Frozen { cluster: self, processes }
    }

    /// What the server has written to its log.
    ///
    /// # Panics
    /// Where there is none, for example because somebody has removed the cluster's directory.
    #[must_use]
    pub fn log(&self) -> String {
        let text = std::fs::read(self.directory.join(LOG)).expect("a server that was started has a log");
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Where the cluster lives; gone together with it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The number of the process that ends the server when this one has ended.
    #[must_use]
    pub fn keeper_id(&self) -> u32 {
        self.keeper().id()
    }

    /// Through the server's socket, which takes connections without TLS in any case.
    fn url_by_socket(&self, database: &str) -> String {
        let directory = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@{directory}:{}/{database}", self.port)
    }

    fn run(&self, command: &str) {
        // Of its own, lest a panic find the keeper locked.
        let done = self.keeper().run(command);
        done.unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().expect("nothing panics that holds the keeper")
    }
}

/// A server that stands still, until this value is dropped.
pub struct Frozen<'a> {
    cluster: &'a Cluster,
    processes: String,
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.cluster.run(&format!("kill -CONT {}", self.processes));
    }
}

/// The processes that a process has started.
fn children(pid: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("this is Linux").flatten();
    let is_child = |number: &String| {
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        // Behind its name, which may be anything: its state, and whose child it is.
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        rest.split_whitespace().nth(1) == Some(pid)
    };
    processes.filter_map(|process| process.file_name().into_string().ok()).filter(is_child).collect()
}

impl Stop {
    fn word(self) -> &'static str {
        match self {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        }
    }
}

/// Makes an empty cluster in the keeper's directory.
fn make(keeper: &mut Keeper, settings: Settings) {
    // A cluster of a test need not survive the machine, whatever its commits are worth.
    let initdb = format!("initdb -D data -U {USER} -A trust -E UTF8 --locale=C --no-sync --no-instructions");
    keeper.run(&initdb).unwrap_or_else(|error| panic!("{error}"));
    let directory = keeper.directory();
    if settings.tls != Tls::Off {
        certificate::write(directory);
    }
    let data = directory.join("data");
    let added = OpenOptions::new().append(true).open(data.join("postgresql.conf"));
    let mut added = added.expect("initdb has written postgresql.conf");
    added.write_all(settings.configuration(directory).as_bytes()).expect("the file takes lines");
    std::fs::write(data.join("pg_hba.conf"), settings.entrance()).expect("initdb has written pg_hba.conf");
}

/// Starts the server for the first time, and says on which port.
fn start_somewhere(keeper: &mut Keeper) -> u16 {
    for _ in 1..STARTS_MAX {
        let port = port::free();
        if keeper.run(&start(port)).is_ok() {
            return port;
        }
    }
    let port = port::free();
    let started = keeper.run(&start(port));
    let log = || std::fs::read_to_string(keeper.directory().join(LOG)).unwrap_or_default();
    started.unwrap_or_else(|error| panic!("{error}\n{}", log()));
    port
}

fn start(port: u16) -> String {
    format!("pg_ctl -D data -w -l {LOG} -o '-p {port}' start")
}
