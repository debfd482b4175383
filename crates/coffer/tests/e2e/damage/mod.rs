//! Damage to a ledger's file: `coffer verify` finds it, ends with 1, and says where it is.
//!
//! The file holds every kind of entry ([`crate::every_kind`]). Each test changes one thing in a copy of it, with no regard for
//! the rules, and looks what is found.

mod entries;
mod indexes;
mod pages;
mod projections;

use std::path::PathBuf;

use coffer_ledger::AccountId;
use rusqlite::Connection;
use rusqlite::types::{FromSql, Value};
use tempfile::{TempDir, tempdir};
use tokio::sync::OnceCell;

use crate::every_kind::EveryKind;
use crate::support::{Ended, Server, coffer, run};

static EVERYTHING: OnceCell<Vec<u8>> = OnceCell::const_new();

/// A copy of a ledger with everything in it, for a test to damage.
struct Damaged {
    directory: TempDir,
}

impl Damaged {
    async fn copy() -> Damaged {
        let content = EVERYTHING.get_or_init(everything).await;
        let damaged = Damaged { directory: tempdir().expect("a temporary directory") };
        std::fs::write(damaged.file(), content).expect("the file can be written");
        damaged
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("coffer.db")
    }

    fn connection(&self) -> Connection {
        Connection::open(self.file()).expect("the file opens")
    }

    /// Changes the file, past all rules. At least one row must be concerned.
    fn change(&self, statement: &str) {
        let changed = self.connection().execute(statement, []);
        assert!(changed.unwrap_or_else(|error| panic!("{statement}: {error}")) > 0, "{statement}");
    }

    fn look_up<Found: FromSql>(&self, query: &str) -> Found {
        let found = self.connection().query_row(query, [], |row| row.get(0));
        found.unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// Runs `coffer verify`.
    fn verify(&self) -> Ended {
        let mut command = coffer(&["verify", "--data"]);
        command.arg(self.directory.path());
        run(command)
    }

    /// Runs `coffer verify`, which must find something, and answers what it says.
    fn found(&self, what: &str) -> String {
        let ended = self.verify();
        assert_eq!(ended.code, Some(1), "{what}: {ended:?}");
        assert!(ended.stderr.contains(" findings in "), "{what}: {ended:?}");
        ended.stdout
    }
}

/// The file of a ledger with everything in it, left in good order.
async fn everything() -> Vec<u8> {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    EveryKind::make(&server.api).await.has_every_kind(&server.api).await;
    server.stop();
    let file = data.path().join("coffer.db");
    assert!(!data.path().join("coffer.db-wal").exists(), "a clean end leaves no log beside the file");
    std::fs::read(file).expect("the file is there")
}

/// An account's id as people write it.
fn account_id(bytes: &[u8]) -> String {
    AccountId::from_bytes(bytes.try_into().expect("an id is 16 bytes")).to_string()
}

/// A value with one bit turned over; nothing, where there is no bit.
fn flipped(value: &Value, bit: u32) -> Option<Value> {
    Some(match value {
        Value::Null | Value::Real(_) => return None,
        Value::Integer(number) => Value::Integer(number ^ (1 << (bit % 40))),
        Value::Blob(bytes) => Value::Blob(flipped_bytes(bytes.clone(), bit, 8)?),
        // A letter stays a letter, or text would be no text.
        Value::Text(text) => {
            let bytes = flipped_bytes(text.clone().into_bytes(), bit, 7)?;
            Value::Text(String::from_utf8(bytes).expect("the text was ASCII"))
        }
    })
}

fn flipped_bytes(mut bytes: Vec<u8>, bit: u32, bits_used: u32) -> Option<Vec<u8>> {
    let place = usize::try_from(bit / bits_used).expect("a small number") % bytes.len().max(1);
    *bytes.get_mut(place)? ^= 1 << (bit % bits_used);
    Some(bytes)
}

#[tokio::test]
async fn nothing_is_found_where_nothing_is_damaged() {
    let ended = Damaged::copy().await.verify();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
