//! The server: connections, their limits, and how they end.
//!
//! An accept loop of its own, because `axum::serve` has no timeout for slow headers and no limit on
//! connections. Ending: no new connection is taken, requests under way are answered, then the service commits
//! what is queued.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use coffer_service::SessionToken;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use crate::limits::{CONNECTIONS_MAX, HEADERS_BYTES_READ_MAX, HEADERS_MS_MAX, SHUTDOWN_MS_MAX};
use crate::request::Endpoint;
use crate::router::{Routers, Surface};
use crate::{App, portal};

const BACKLOG: u32 = 4096;
const FIRST_REQUEST_MS_AT_END: u64 = 100;
const ACCEPT_PAUSE_MS: u64 = 100;
const FORGET_RATES_EVERY_MS: u64 = 60_000;

/// Ports that are bound and will be served.
pub struct Server {
    app: Arc<App>,
    ports: Vec<(TcpListener, Endpoint)>,
}

/// Why a port cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {cause}")]
pub struct ServerError {
    address: SocketAddr,
    cause: io::Error,
}

impl Server {
    /// Binds the port for everything, or, with two addresses, one for customers and one for operators.
    ///
    /// # Errors
    /// Where a port cannot be bound.
    pub fn bind(
        routers: &Routers,
        listen: SocketAddr,
        operator_listen: Option<SocketAddr>,
    ) -> Result<Server, ServerError> {
        let app = Arc::clone(&routers.app);
        let mut ports = Vec::new();
        match operator_listen {
            None => ports.push((bind(listen)?, routers.surface(Surface::Whole))),
            Some(operator_listen) => {
                ports.push((bind(listen)?, routers.surface(Surface::Public)));
                ports.push((bind(operator_listen)?, routers.surface(Surface::Operator)));
            }
        }
        let server = Server { app, ports };
        let addresses = server.addresses();
        if let Some(public) = addresses.first() {
            server.app.places.bound(*public, addresses.get(1).copied());
        }
        Ok(server)
    }

    /// The addresses that are bound, in the order in which they were given.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.ports.iter().filter_map(|(port, _)| port.local_addr().ok()).collect()
    }

    /// The address that opens a customer's page once, with the token of a link.
    #[must_use]
    pub fn portal_link(&self, token: &SessionToken) -> String {
        portal::link(&self.app, token)
    }

    /// Serves until `ended` resolves, then answers what is under way.
    pub async fn run(self, ended: impl Future<Output = ()>) {
        let (end, ending) = watch::channel(false);
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut ports = tokio::task::JoinSet::new();
        for (listener, endpoint) in self.ports {
            let port = Port { listener, endpoint, places: Arc::clone(&places) };
            ports.spawn(port.serve(ending.clone()));
        }
        let rates = tokio::spawn(forget_rates(self.app));
        ended.await;
        end.send_replace(true);
        ports.join_all().await;
        rates.abort();
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, ServerError> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|cause| ServerError { address, cause })
}

async fn forget_rates(app: Arc<App>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(FORGET_RATES_EVERY_MS));
    loop {
        ticks.tick().await;
        app.rates.forget_the_slow();
    }
}

struct Port {
    listener: TcpListener,
    endpoint: Endpoint,
    places: Arc<Semaphore>,
}

impl Port {
    async fn serve(self, ending: watch::Receiver<bool>) {
        // Every connection holds a sender; when the last is gone, the receiver hears it.
        let (open, mut all_closed) = mpsc::channel::<()>(1);
        let mut ended = ending.clone();
        let mut ended = pin!(ended.wait_for(|ending| *ending));
        loop {
            tokio::select! {
                _ = &mut ended => break,
                (stream, peer, place) = self.accept() => {
                    let life = Life { ending: ending.clone(), _place: place, _open: open.clone() };
                    connect(&self.endpoint, stream, peer, life);
                }
            }
        }
        self.connect_all_who_wait(&ending, &open);
        drop(open);
        let patience = Duration::from_millis(SHUTDOWN_MS_MAX);
        if tokio::time::timeout(patience, all_closed.recv()).await.is_err() {
            tracing::warn!("some requests were not answered in time; their connections are dropped");
        }
    }

    /// Takes the connections that the system has accepted already: their clients think that they are heard.
    fn connect_all_who_wait(self, ending: &watch::Receiver<bool>, open: &mpsc::Sender<()>) {
        let Port { listener, endpoint, places } = self;
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((stream, peer)) = listener.accept()
            && let Ok(place) = Arc::clone(&places).try_acquire_owned()
        {
            let life = Life { ending: ending.clone(), _place: place, _open: open.clone() };
            match stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                Ok(stream) => connect(&endpoint, stream, peer, life),
                Err(error) => tracing::debug!(%error, "a last connection broke"),
            }
        }
    }

    /// The next connection, once there is a place for it.
    async fn accept(&self) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        let place = Arc::clone(&self.places).acquire_owned().await.expect("the places are never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, place),
                Err(error) => {
                    // A client that has gone is no news; no more descriptors is, and passes.
                    if !matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                    ) {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                    }
                }
            }
        }
    }
}

/// What a connection holds as long as it lives, and how it hears of the end.
struct Life {
    ending: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
    _open: mpsc::Sender<()>,
}

impl Life {
    /// Resolves when the connection is to end: once the server ends, but not before what lies in the system's
    /// buffer could be read. hyper would close a connection that it has read nothing from, although its client
    /// has sent a request.
    async fn ends(&mut self, has_begun: &AtomicBool) {
        if self.ending.wait_for(|ending| *ending).await.is_ok() && !has_begun.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(FIRST_REQUEST_MS_AT_END)).await;
        }
    }
}

/// Serves a connection on a task of its own.
fn connect(endpoint: &Endpoint, stream: TcpStream, peer: SocketAddr, mut life: Life) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let open = endpoint.app.metrics.connections.clone();
    let endpoint = endpoint.clone();
    tokio::spawn(async move {
        open.inc();
        let has_begun = AtomicBool::new(false);
        let service = service_fn(|request: hyper::Request<Incoming>| {
            has_begun.store(true, Ordering::Relaxed);
            let answer = endpoint.clone().answer(peer.ip(), request.map(Body::new));
            async move { Ok::<_, std::convert::Infallible>(answer.await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(HEADERS_MS_MAX))
            .max_header_size(HEADERS_BYTES_READ_MAX)
            // An answer is short: one buffer is cheaper to send than a list of two.
            .writev(false)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let closed = tokio::select! {
            // Where the process stood still, both may be due at once: what has come is read before the end.
            biased;
            closed = connection.as_mut() => closed,
            () = life.ends(&has_begun) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        // A client that breaks off, or sends what is no HTTP, has been told what there was to tell.
        if let Err(error) = closed {
            tracing::debug!(%error, %peer, "a connection broke");
        }
        open.dec();
    });
}
