//! How a cluster is to be, and how that is written for its server.

use std::path::Path;

use crate::certificate::{CERTIFICATE, KEY};

/// How a cluster is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// What a commit is worth in it.
    pub durability: Durability,
    /// Whether it speaks TLS.
    pub tls: Tls,
    /// What it is sized for.
    pub size: Size,
}

/// What a commit is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Durability {
    /// What PostgreSQL does unless told otherwise: what is committed is on disk.
    #[default]
    Durable,
    /// `fsync`, `synchronous_commit` and `full_page_writes` off: quick, and a crash may lose or break anything.
    Fast,
}

/// What a server is sized for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Size {
    /// What PostgreSQL takes unless told otherwise: it starts on the smallest machine.
    #[default]
    Small,
    /// Millions of rows that are written all the time: as `docs/operations.md` advises.
    Busy,
}

/// Whether a server speaks TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Tls {
    /// It does not.
    #[default]
    Off,
    /// Whoever asks for it gets it.
    Offered,
    /// Whoever comes over the network without it is refused.
    Required,
}

impl Settings {
    /// What is added to `postgresql.conf`.
    pub(crate) fn configuration(self, directory: &Path) -> String {
        let directory = directory.display();
        let mut text = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{directory}'\nmax_connections = 200\n"
        );
        match self.durability {
            Durability::Durable => {}
            Durability::Fast => {
                text.push_str("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n");
            }
        }
        match self.size {
            Size::Small => {}
            Size::Busy => text.push_str(
                "shared_buffers = 2GB\nmax_wal_size = 16GB\ncheckpoint_timeout = 15min\nwal_compression = lz4\n",
            ),
        }
        match self.tls {
            Tls::Off => {}
            Tls::Offered | Tls::Required => {
                let files = [("ssl_cert_file", CERTIFICATE), ("ssl_key_file", KEY)];
                text.push_str("ssl = on\n");
                text.extend(files.map(|(name, file)| format!("{name} = '{directory}/{file}'\n")));
            }
        }
        text
    }

    /// Who may come in: `pg_hba.conf`. Whoever reaches the socket, in a directory of the server's user, may.
    pub(crate) fn entrance(self) -> &'static str {
        match self.tls {
            Tls::Off | Tls::Offered => "local all all trust\nhost all all 127.0.0.1/32 trust\n",
            Tls::Required => "local all all trust\nhostssl all all 127.0.0.1/32 trust\n",
        }
    }
}
