//! Nodes: servers that share a database and nothing else.

use std::process::Command;

use coffer_test_postgres::Database;

use crate::support::{Api, Server, coffer};

pub(crate) const OPERATOR_KEY: &str = "the-operators-key-of-all-nodes-of-a-test";

/// `coffer serve` on a database, at an address.
pub(crate) fn serve_at(listen: &str, url: &str) -> Command {
    let mut command = coffer(&["serve", "--listen", listen, "--database-url", url]);
    command.env("COFFER_OPERATOR_KEY", OPERATOR_KEY);
    command
}

/// Starts a node on a port that is free.
pub(crate) fn start(url: &str) -> Server {
    Server::start_with(serve_at("127.0.0.1:0", url), OPERATOR_KEY)
}

/// Two nodes on one database, which outlives them.
pub(crate) struct Pair {
    pub(crate) nodes: [Server; 2],
    _database: Database,
}

impl Pair {
    pub(crate) fn start(database: Database) -> Pair {
        let nodes = [start(database.url()), start(database.url())];
        Pair { nodes, _database: database }
    }

    /// The API of a node, for what one after the other is sent to both.
    pub(crate) fn api(&self, number: usize) -> &Api {
        &self.nodes[number % self.nodes.len()].api
    }

    pub(crate) fn stop(self) {
        for node in self.nodes {
            node.stop();
        }
    }
}
