//! A port for a server that may be stopped and started again.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

/// Below the ports that the system gives to outgoing connections: one of those could take the port of a server that is
/// stopped for a moment. Below 20,000 are the ports of servers of other tests, which are stopped for a moment as well.
const PORTS: Range<u16> = 20_000..32_000;

/// A port of the loopback address that nobody listens on. Somebody may take it before the server does, which then
/// fails to start.
pub(crate) fn free() -> u16 {
    let size = PORTS.end - PORTS.start;
    let random = RandomState::new().hash_one(std::process::id());
    let first = u16::try_from(random % u64::from(size)).expect("less than a port's number");
    let ports = (0..size).map(|step| PORTS.start + (first + step) % size);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.into_iter().find(is_free).expect("some port is free")
}
