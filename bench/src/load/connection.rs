//! One connection: what it still has to send, and what it has received of an answer.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::Broken;
use crate::answer::{Head, Protocol};

const CONNECT_MS_MAX: u64 = 10_000;
/// What is read at once, and more where an answer is known to be longer.
const INBOX_BYTES: usize = 16 * 1024;

pub(crate) struct Connection {
    stream: TcpStream,
    /// What the system did not take yet of a request.
    unsent: Vec<u8>,
    inbox: Vec<u8>,
    filled: usize,
    head: Option<Head>,
    /// When the request that is under way was due.
    pub(crate) due: Option<Instant>,
    /// Since when it has had no request.
    pub(crate) free_since: Instant,
}

/// An answer, as long as nothing else is received.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) fn open(address: SocketAddr, registry: &Registry, token: Token) -> Result<Connection, Broken> {
        let failed = |error| Broken::of("connect", error);
        let time_max = Duration::from_millis(CONNECT_MS_MAX);
        let stream = std::net::TcpStream::connect_timeout(&address, time_max).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_nonblocking(true).map_err(failed)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE).map_err(failed)?;
        Ok(Connection {
            stream,
            unsent: Vec::new(),
            inbox: vec![0; INBOX_BYTES],
            filled: 0,
            head: None,
            due: None,
            free_since: Instant::now(),
        })
    }

    /// Sends a request that was due at a time.
    pub(crate) fn send(&mut self, request: &[u8], due: Instant) -> Result<(), Broken> {
        assert!(self.due.is_none(), "a connection has one request at a time");
        self.due = Some(due);
        let sent = self.write(request)?;
        self.unsent.extend_from_slice(&request[sent..]);
        Ok(())
    }

    /// Goes on with what is under way. Whether an answer is complete: it must be taken then.
    pub(crate) fn go_on(&mut self, event: &Event, protocol: Protocol) -> Result<bool, Broken> {
        if event.is_writable() && !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            let sent = self.write(&unsent)?;
            self.unsent = unsent;
            self.unsent.drain(..sent);
        }
        if event.is_readable() || event.is_read_closed() { self.receive(protocol) } else { Ok(false) }
    }

    /// The answer that is complete. The connection is free then, and what it received stays until it is used again.
    pub(crate) fn take_answer(&mut self) -> Answer<'_> {
        let head = self.head.take().expect("an answer is complete");
        self.due = None;
        self.filled = 0;
        Answer { status: head.status, body: &self.inbox[head.body()] }
    }

    /// How much of it the system takes.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.stream.write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Broken::of("send a request", error)),
            }
        }
        Ok(sent)
    }

    fn receive(&mut self, protocol: Protocol) -> Result<bool, Broken> {
        loop {
            let room = self.inbox.len() - self.filled;
            let count = match self.stream.read(&mut self.inbox[self.filled..]) {
                Ok(0) => return Err(Broken("the server closed a connection".to_owned())),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Broken::of("receive an answer", error)),
            };
            if self.due.is_none() {
                return Err(Broken("the server answered what it was not asked".to_owned()));
            }
            self.filled += count;
            if self.is_complete(protocol)? {
                return Ok(true);
            }
            // Less than there was room for: that was all, and what comes later wakes the loop again.
            if count < room {
                return Ok(false);
            }
        }
    }

    fn is_complete(&mut self, protocol: Protocol) -> Result<bool, Broken> {
        if self.head.is_none() {
            self.head = protocol.head(&self.inbox[..self.filled])?;
        }
        let end = self.head.map_or(self.filled + 1, |head| head.end);
        if self.filled > end {
            return Err(Broken("an answer is longer than it says".to_owned()));
        }
        if self.inbox.len() < end {
            self.inbox.resize(end.next_multiple_of(INBOX_BYTES), 0);
        }
        if self.filled == end && !self.unsent.is_empty() {
            return Err(Broken("the server answered a request that it did not have yet".to_owned()));
        }
        Ok(self.filled == end)
    }
}
