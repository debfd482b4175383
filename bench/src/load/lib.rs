//! Load on a server, from one thread that takes as little of a processor as it can.
//!
//! Requests are bytes that were built before; what differs from one to the next is written into them in place.
//! Of an answer only what tells its status and its end is parsed. A request allocates nothing.
//!
//! In a *closed* loop each connection sends its next request when it has the answer to the last: that finds the most
//! that a server does, and its latencies leave out whoever would have come meanwhile. In an *open* loop requests are due
//! at a fixed rate, whether or not the server keeps up, and each latency counts from the moment at which its request was due:
//! a server that halts for a while is charged with everybody who had to wait.
//!
//! What is measured, and whether it is good, is not decided here.

mod answer;
mod connection;
mod counted;
mod engine;
mod request;
mod timer;

use std::net::SocketAddr;
use std::time::Duration;

pub use answer::Protocol;
pub use counted::Counted;
pub use engine::run;
pub use request::{Expected, Order, Requests, Template, Values};

/// Why there is no measurement. The message is for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(String);

impl Broken {
    pub(crate) fn of(tried: &str, cause: impl std::fmt::Display) -> Broken {
        Broken(format!("{tried}: {cause}"))
    }
}

/// How to load a server.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it speaks.
    pub protocol: Protocol,
    /// How many connections are made and kept, each with one request at a time.
    pub connections: usize,
    /// When the next request is sent.
    pub pace: Pace,
    /// When nothing more is sent.
    pub until: Until,
}

/// When the next request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// On each connection when the answer to the last one has come.
    Closed,
    /// So many a second, whatever the server does.
    Open {
        /// At least one.
        per_second: u64,
    },
}

/// When nothing more is sent. What is under way then is still waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// So long after the start.
    Elapsed(Duration),
    /// When there are no more requests.
    Exhausted,
}
