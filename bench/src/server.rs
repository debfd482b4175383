//! Servers: Coffer, and what it is measured against, each a process of its own on loopback.
//!
//! A server is ended by its process id, and never outlives the value that stands for it.

use std::ffi::OsStr;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::client::Client;
use crate::ledger::Target;
use crate::{Failure, Places, process};

const START_MS_MAX: u64 = 120_000;
const START_POLL_MS: u64 = 20;
const END_MS_MAX: u64 = 60_000;

/// A server that runs.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
    child: Child,
    /// Kept open: a server that writes to a closed pipe would fail.
    _said: Lines<BufReader<ChildStdout>>,
}

/// Coffer that runs on a data directory.
pub(crate) struct Coffer {
    pub(crate) server: Server,
    pub(crate) operator_key: String,
    /// How long it took from its start until it was ready.
    pub(crate) start_ms: u64,
}

impl Coffer {
    /// Starts Coffer as it ships, with so many threads that serve HTTP or as many as it takes by itself.
    pub(crate) async fn start(
        places: &Places,
        data: &Path,
        workers: Option<usize>,
    ) -> Result<Coffer, Failure> {
        let started = Instant::now();
        let mut command = command(&places.binaries.join("coffer"), &places.out.join("coffer.log"))?;
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        if let Some(workers) = workers {
            command.args(["--workers", &workers.to_string()]);
        }
        let server = Server::start(command, "coffer is listening on http://").await?;
        let mut client = Client::connect(server.address).await?;
        let ready = client.get("/readyz").await?;
        if ready.status != 200 {
            return Err(Failure(format!("coffer started, and is not ready: {}", ready.text())));
        }
        let start_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let key: PathBuf = data.join("operator.key");
        let operator_key =
            std::fs::read_to_string(key).map_err(|error| Failure::of("read the operator's key", error))?;
        Ok(Coffer { server, operator_key: operator_key.trim().to_owned(), start_ms })
    }

    /// Where it is, and the key that opens it.
    pub(crate) fn target(&self) -> Target {
        Target { address: self.server.address, operator_key: self.operator_key.clone() }
    }
}

/// Coffer that runs on a database.
pub(crate) struct Node {
    pub(crate) server: Server,
}

impl Node {
    /// The operator's key that every node is given.
    pub(crate) const OPERATOR_KEY: &str = "only-for-measuring-0123456789abcdef0123456789";

    /// Starts Coffer as it ships, on a database.
    pub(crate) async fn start(places: &Places, database_url: &str, log: &str) -> Result<Node, Failure> {
        let mut command = command(&places.binaries.join("coffer"), &places.out.join(log))?;
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("COFFER_DATABASE_URL", database_url)
            .env("COFFER_OPERATOR_KEY", Node::OPERATOR_KEY);
        Ok(Node { server: Server::start(command, "coffer is listening on http://").await? })
    }

    /// Where it is, and the key that opens it.
    pub(crate) fn target(&self) -> Target {
        Target { address: self.server.address, operator_key: Node::OPERATOR_KEY.to_owned() }
    }
}

impl Server {
    /// Starts the server that does nothing but answer.
    pub(crate) async fn start_bare(places: &Places, workers: usize) -> Result<Server, Failure> {
        let mut command = command(&places.binaries.join("bare"), &places.out.join("bare.log"))?;
        command.arg(workers.to_string());
        Server::start(command, "bare is listening on http://").await
    }

    async fn start(mut command: Command, announces: &str) -> Result<Server, Failure> {
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().map_err(|error| Failure::of(&format!("start {program}"), error))?;
        let stdout = child.stdout.take().expect("its output is a pipe");
        let mut said = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(Duration::from_millis(START_MS_MAX), said.next_line()).await;
        let line = line.map_err(|late| Failure::of(&format!("{program} does not start"), late))?;
        let line = line.map_err(|error| Failure::of(&program, error))?.unwrap_or_default();
        let address = line.strip_prefix(announces).and_then(|address| address.parse().ok());
        let address =
            address.ok_or_else(|| Failure(format!("{program} did not start; its log is in bench/out")))?;
        let pid = child.id().ok_or_else(|| Failure(format!("{program} has ended")))?;
        Ok(Server { address, pid, child, _said: said })
    }

    /// Starts a server that does not tell where it listens: it was told.
    pub(crate) async fn start_at(mut command: Command, address: SocketAddr) -> Result<Server, Failure> {
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().map_err(|error| Failure::of(&format!("start {program}"), error))?;
        let stdout = child.stdout.take().expect("its output is a pipe");
        let pid = child.id().ok_or_else(|| Failure(format!("{program} has ended")))?;
        let deadline = Instant::now() + Duration::from_millis(START_MS_MAX);
        while tokio::net::TcpStream::connect(address).await.is_err() {
            let ended = child.try_wait().map_err(|error| Failure::of(&program, error))?;
            if ended.is_some() || Instant::now() > deadline {
                return Err(Failure(format!("{program} did not start; its log is in bench/out")));
            }
            tokio::time::sleep(Duration::from_millis(START_POLL_MS)).await;
        }
        Ok(Server { address, pid, child, _said: BufReader::new(stdout).lines() })
    }

    pub(crate) fn resident_bytes(&self) -> Result<u64, Failure> {
        process::resident_bytes(self.pid)
    }

    /// Tells the server to end, and waits until it has.
    pub(crate) async fn end(self) -> Result<(), Failure> {
        self.end_by(Signal::TERM).await
    }

    /// Ends the server as a crash does, and waits until it is gone.
    pub(crate) async fn kill(self) -> Result<(), Failure> {
        self.end_by(Signal::KILL).await
    }

    async fn end_by(mut self, signal: Signal) -> Result<(), Failure> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).expect("a process id is positive");
        kill_process(pid, signal).map_err(|error| Failure::of("end a server", error))?;
        let ended = tokio::time::timeout(Duration::from_millis(END_MS_MAX), self.child.wait()).await;
        let ended = ended.map_err(|late| Failure::of("a server does not end", late))?;
        ended.map(|_status| ()).map_err(|error| Failure::of("end a server", error))
    }
}

/// A program without the environment of this one: variables must not change what is measured.
pub(crate) fn command(program: &Path, log: &Path) -> Result<Command, Failure> {
    let log = File::create(log).map_err(|error| Failure::of("write a server's log", error))?;
    let mut command = Command::new(AsRef::<OsStr>::as_ref(program));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
    Ok(command)
}
