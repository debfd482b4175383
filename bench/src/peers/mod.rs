//! What Coffer is measured against, each started by the benchmark, on loopback, with data of its own.

pub(crate) mod by_hand;
pub(crate) mod nginx;
pub(crate) mod redis;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use crate::Failure;

/// Where Debian puts servers, beside what is on the path of a person.
const FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// A program that a package brings.
///
/// # Errors
/// Where it is missing: how to install it.
pub(crate) fn installed(program: &str, package: &str) -> Result<PathBuf, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from));
    let missing = || Failure(format!("{program} is missing: apt-get install {package}"));
    folders.find_map(|folder| Some(folder.join(program)).filter(|file| file.is_file())).ok_or_else(missing)
}

/// An address on which nobody listens.
pub(crate) fn free_address() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map_err(|error| Failure::of("find a free port", error))
}
