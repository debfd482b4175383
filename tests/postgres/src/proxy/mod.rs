//! A proxy between clients and a cluster, which breaks connections when a test wants it.
//!
//! It reads the wire protocol and knows a COMMIT when it sees one. It refuses TLS, for it could not look into it.

mod connection;
mod control;
mod wire;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::database::Database;
use connection::Connection;
use control::Control;
pub use control::Cut;

/// A proxy on a port of its own, until this value is dropped.
pub struct Proxy {
    address: SocketAddr,
    server: SocketAddr,
    control: Arc<Control>,
    listener: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Stands before a cluster and lets everything through.
    ///
    /// # Panics
    /// Where no port is to be had.
    #[must_use]
    pub fn start(cluster: &Cluster) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound port has an address");
        let (server, control) = (cluster.address(), Arc::new(Control::default()));
        let told = Arc::clone(&control);
        let listener = thread::spawn(move || listen(&listener, server, &told));
        Proxy { address, server, control, listener: Some(listener) }
    }

    /// Where a client finds a database of the cluster through this proxy.
    #[must_use]
    pub fn url(&self, database: &Database) -> String {
        database.url().replace(&self.server.to_string(), &self.address.to_string())
    }

    /// Ends all connections that there are, at once and in both directions.
    pub fn cut_all(&self) {
        self.control.cut_all();
    }

    /// Whether new connections are ended before a word is said. Those that there are stay.
    pub fn refuse(&self, is_refusing: bool) {
        self.control.refuse(is_refusing);
    }

    /// Cuts the connections of the next commits, whoever sends them; after those that were asked for before.
    pub fn cut_next_commits(&self, count: usize, cut: Cut) {
        self.control.cut_next_commits(count, cut);
    }

    /// Lets all commits through again.
    pub fn cut_no_commits(&self) {
        self.control.forget_cuts();
    }

    /// Holds back every message of the server for a time, zero for none. It holds back the end of a connection, too.
    pub fn delay_answers(&self, delay: Duration) {
        self.control.delay(delay);
    }

    /// How many commits clients have sent so far.
    #[must_use]
    pub fn commits(&self) -> usize {
        self.control.commits()
    }

    /// How many of them were cut.
    #[must_use]
    pub fn commits_cut(&self) -> usize {
        self.control.was_cut()
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.control.open()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.control.end();
        // The listener looks up when somebody comes. If nobody can, it has ended.
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
    }
}

fn listen(listener: &TcpListener, server: SocketAddr, control: &Arc<Control>) {
    for client in listener.incoming() {
        if control.has_ended() {
            return;
        }
        let (Ok(client), control) = (client, Arc::clone(control)) else { continue };
        thread::spawn(move || {
            // A server that is stopped refuses; the client sees its connection end. What breaks a connection later is
            // often what the test wants, and both ends see it.
            let served =
                TcpStream::connect(server).and_then(|server| Connection::serve(client, server, control));
            drop(served);
        });
    }
}
