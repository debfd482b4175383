//! What befalls a server under load: `kill -9`, and standing still.

use std::path::Path;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use rustix::process::Signal;

use crate::support::{Server, coffer};

const OPERATOR_KEY: &str = "the-operators-key-of-a-run-of-histories";

const ROUND_MILLISECONDS: std::ops::Range<u64> = 700..2_300;
const STANDSTILL: Duration = Duration::from_millis(300);
const DOWN_MILLISECONDS_MAX: u64 = 150;

/// Every round's, in an order that the seed decides.
const EVENTS: [Event; 10] = [
    Event::Crash,
    Event::Crash,
    Event::Crash,
    Event::Crash,
    Event::Crash,
    Event::Standstill,
    Event::Standstill,
    Event::Standstill,
    Event::CrashAtAStandstill,
    Event::CrashAtAStandstill,
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event {
    /// `kill -9`, and a new start on the same data and the same port.
    Crash,
    /// SIGSTOP, and SIGCONT a while later: whoever loses patience meanwhile asks again on a new connection, and
    /// then the server finds both.
    Standstill,
    /// The requests that were waiting are gone with it.
    CrashAtAStandstill,
}

/// A server with a port of its own, which it keeps over its crashes.
pub(crate) struct Stormy<'a> {
    data: &'a Path,
    address: String,
    pub(crate) server: Server,
}

impl<'a> Stormy<'a> {
    pub(crate) fn start(data: &'a Path, random: &mut SmallRng) -> Stormy<'a> {
        let address = free_address(random);
        let server = serve(data, &address);
        Stormy { data, address, server }
    }

    /// Lets everything happen, at random moments.
    pub(crate) async fn rage(mut self, random: &mut SmallRng) -> Server {
        let mut events = EVENTS;
        events.shuffle(random);
        for event in events {
            sleep(random.random_range(ROUND_MILLISECONDS)).await;
            println!("{event:?}");
            if matches!(event, Event::Standstill | Event::CrashAtAStandstill) {
                self.server.process.signal(Signal::STOP);
                tokio::time::sleep(STANDSTILL).await;
            }
            match event {
                Event::Standstill => self.server.process.signal(Signal::CONT),
                Event::Crash | Event::CrashAtAStandstill => {
                    self.server.kill();
                    sleep(random.random_range(0..DOWN_MILLISECONDS_MAX)).await;
                    self.server = serve(self.data, &self.address);
                }
            }
        }
        sleep(ROUND_MILLISECONDS.start).await;
        self.server
    }
}

fn serve(data: &Path, address: &str) -> Server {
    let mut command = coffer(&["serve", "--listen", address, "--data"]);
    command.arg(data).env("COFFER_OPERATOR_KEY", OPERATOR_KEY);
    Server::start_with(command, OPERATOR_KEY)
}

/// An address that nobody listens on, below the ports that systems give to clients: else a client that knocks
/// while the server is down could be given the server's own port, connect to itself, and keep it. And below the ports of the
/// tests' databases: one of them could take the port while the server is down.
pub(super) fn free_address(random: &mut SmallRng) -> String {
    loop {
        let address = format!("127.0.0.1:{}", random.random_range(10_000..20_000));
        if std::net::TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

pub(super) async fn sleep(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}
