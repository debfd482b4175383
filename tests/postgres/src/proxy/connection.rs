//! One connection through the proxy: a thread for what the client sends, another for what the server answers.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use super::control::{Control, Cut};
use super::wire::{self, Message, Prepared};

pub(super) struct Connection {
    number: u64,
    client: TcpStream,
    server: TcpStream,
    control: Arc<Control>,
    debts: Arc<Debts>,
}

/// What the server owes.
#[derive(Default)]
struct Debts {
    /// How many requests it has not answered to the end.
    answers: AtomicUsize,
    /// The client is gone, and what the server still answers is for nobody.
    is_orphan: AtomicBool,
}

/// Whether the client's side goes on after a message.
#[derive(PartialEq)]
enum Next {
    More,
    End,
}

impl Connection {
    /// Serves a connection to its end.
    pub(super) fn serve(client: TcpStream, server: TcpStream, control: Arc<Control>) -> io::Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let Some(number) = control.admit([client.try_clone()?, server.try_clone()?]) else { return Ok(()) };
        let mut connection = Connection { number, client, server, control, debts: Arc::default() };
        let ended = connection.run();
        // Where one side is gone, the other has to learn of it.
        drop(connection.client.shutdown(Shutdown::Both));
        drop(connection.server.shutdown(Shutdown::Both));
        connection.control.forget(number);
        ended
    }

    fn run(&mut self) -> io::Result<()> {
        if self.greet()? == Next::End {
            return Ok(());
        }
        let answers = self.forward_answers()?;
        let forwarded = self.forward_requests();
        if !self.debts.is_orphan.load(Ordering::Acquire) {
            drop(self.server.shutdown(Shutdown::Write));
        }
        drop(answers.join());
        forwarded
    }

    /// Forwards what comes before the first message with a type. TLS is refused, for nobody could look into it.
    fn greet(&mut self) -> io::Result<Next> {
        loop {
            let message = Message::read_first(&mut self.client)?;
            match message.code() {
                wire::TLS | wire::GSS => self.client.write_all(b"N")?,
                wire::CANCEL => {
                    self.server.write_all(&message.bytes)?;
                    // The server ends the connection when it has done what was asked.
                    self.server.read_to_end(&mut Vec::new())?;
                    return Ok(Next::End);
                }
                _ => {
                    self.debts.answers.fetch_add(1, Ordering::AcqRel);
                    self.server.write_all(&message.bytes)?;
                    return Ok(Next::More);
                }
            }
        }
    }

    fn forward_requests(&mut self) -> io::Result<()> {
        let mut prepared = Prepared::default();
        let mut client = BufReader::new(self.client.try_clone()?);
        while let Some(message) = Message::read(&mut client)? {
            let cut = if prepared.commits(&message) { self.control.commit_comes(self.number) } else { None };
            match cut {
                None => self.forward_request(&message)?,
                Some(Cut::Before) => return self.server.shutdown(Shutdown::Both),
                Some(Cut::After) => return self.leave_alone_with(&message),
            }
        }
        Ok(())
    }

    fn forward_request(&mut self, message: &Message) -> io::Result<()> {
        if message.is_answered() {
            self.debts.answers.fetch_add(1, Ordering::AcqRel);
        }
        self.server.write_all(&message.bytes)
    }

    /// Sends a commit on and ends the client's side. The server's stays until it has answered: a connection that ends with
    /// bytes unread could take the commit with it.
    fn leave_alone_with(&mut self, commit: &Message) -> io::Result<()> {
        // The answer to come is counted first, or an earlier one could pass for the last.
        self.debts.answers.fetch_add(1, Ordering::AcqRel);
        self.debts.is_orphan.store(true, Ordering::Release);
        self.client.shutdown(Shutdown::Both)?;
        self.server.write_all(&commit.bytes)?;
        if commit.is_answered() { Ok(()) } else { self.server.write_all(&wire::SYNC) }
    }

    fn forward_answers(&self) -> io::Result<JoinHandle<io::Result<()>>> {
        let (server, mut client) = (self.server.try_clone()?, self.client.try_clone()?);
        let (number, control, debts) = (self.number, Arc::clone(&self.control), Arc::clone(&self.debts));
        Ok(thread::spawn(move || {
            let mut server = BufReader::new(server);
            while let Some(message) = Message::read(&mut server)? {
                control.wait_before_answer(number);
                let left = debts.settle(&message);
                if !debts.is_orphan.load(Ordering::Acquire) {
                    client.write_all(&message.bytes)?;
                } else if left == 0 {
                    break;
                }
            }
            // The other direction waits for a client that has nobody left to talk to.
            client.shutdown(Shutdown::Both)
        }))
    }
}

impl Debts {
    /// Takes note of a message of the server, and says how many answers it still owes.
    fn settle(&self, message: &Message) -> usize {
        let paid = usize::from(message.ends_answer());
        self.answers.fetch_sub(paid, Ordering::AcqRel) - paid
    }
}
