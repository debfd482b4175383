//! `coffer verify` on files that are no ledger of this version, or none at all: it says what they are, and changes nothing.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::{Ended, Server, coffer, run};

/// The first schema that was ever written.
const VERSION_1: &str = include_str!("../../../store/src/sqlite/migrations/0001_ledger.sql");
const APPLICATION_ID: i32 = 0x436f_6672;

fn verify(data: &Path, more: &[&str]) -> Ended {
    let mut command = coffer(&["verify", "--data"]);
    command.arg(data).args(more);
    run(command)
}

/// A data directory with a file of SQLite's that a script has made.
fn made_by(script: &str) -> (TempDir, PathBuf) {
    let data = tempdir().expect("a temporary directory");
    let file = data.path().join("coffer.db");
    Connection::open(&file).expect("a new file").execute_batch(script).expect("SQL");
    (data, file)
}

/// Verifies a file that must be refused, and left as it is. Answers what is said.
fn refused(data: &Path, file: &Path) -> String {
    let before = std::fs::read(file).ok();
    let ended = verify(data, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
    assert!(ended.stderr.contains(&file.display().to_string()), "{}", ended.stderr);
    assert!(before == std::fs::read(file).ok(), "the file was changed");
    assert_eq!(verify(data, &["--json"]).code, Some(1));
    ended.stderr
}

#[test]
fn where_there_is_no_ledger() {
    let data = tempdir().expect("a temporary directory");
    let said = refused(data.path(), &data.path().join("coffer.db"));
    assert!(said.contains("there is no ledger at"), "{said}");
    assert_eq!(std::fs::read_dir(data.path()).expect("a directory").count(), 0, "nothing was made");
    let missing = data.path().join("missing");
    let said = refused(&missing, &missing.join("coffer.db"));
    assert!(said.contains("there is no ledger at"), "{said}");
    assert!(!missing.exists());
}

#[test]
fn an_empty_file_a_text_and_a_directory() {
    for content in ["", "My shopping list: eggs, flour, and a ledger.\n"] {
        let data = tempdir().expect("a temporary directory");
        let file = data.path().join("coffer.db");
        std::fs::write(&file, content.repeat(200)).expect("a file");
        let said = refused(data.path(), &file);
        assert!(said.contains("is not a Coffer ledger") || said.contains("is not a database"), "{said}");
    }
    let data = tempdir().expect("a temporary directory");
    let file = data.path().join("coffer.db");
    std::fs::create_dir(&file).expect("a directory can be made");
    let said = refused(data.path(), &file);
    assert!(said.contains("there is no ledger at"), "{said}");
}

#[test]
fn the_database_of_another_application() {
    let (data, file) = made_by("CREATE TABLE recipes (name TEXT); PRAGMA application_id = 7;");
    let said = refused(data.path(), &file);
    assert!(said.contains("another application"), "{said}");
}

#[test]
fn a_ledger_of_a_newer_version() {
    let (data, file) =
        made_by(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 99;"));
    let said = refused(data.path(), &file);
    assert!(said.contains("schema version 99") && said.contains("use the newer Coffer"), "{said}");
}

#[test]
fn a_ledger_of_an_older_version_until_a_server_has_upgraded_it() {
    let of_version_1 = format!(
        "PRAGMA journal_mode = wal; {VERSION_1} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;"
    );
    let (data, file) = made_by(&of_version_1);
    let said = refused(data.path(), &file);
    assert!(said.contains("schema version 1") && said.contains("start a server on it once"), "{said}");
    Server::start(data.path()).stop();
    assert_eq!(verify(data.path(), &[]).stdout, "ok: 0 accounts, 0 entries\n");
    let copies = std::fs::read_dir(data.path()).expect("a directory").map(|entry| entry.expect("an entry"));
    let copies =
        copies.filter(|entry| entry.file_name().to_string_lossy().starts_with("coffer-before-version-"));
    assert_eq!(copies.count(), 1, "it was copied before");
}

#[tokio::test]
async fn an_empty_ledger_and_one_with_little_in_it() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let ended = verify(data.path(), &[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "ok: 0 accounts, 0 entries\n"), "{ended:?}");
    server.api.account_with(5).await;
    server.stop();
    let ended = verify(data.path(), &["--json"]);
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(said, json!({"ok": true, "accounts": 1, "entries": 1, "findings": []}));
}

#[tokio::test]
async fn findings_as_json() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(5).await;
    server.stop();
    let connection = Connection::open(data.path().join("coffer.db")).expect("a ledger");
    connection.execute("UPDATE accounts SET spent = spent + 1", []).expect("a row");
    drop(connection);
    let ended = verify(data.path(), &["--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((&said["ok"], &said["accounts"], &said["entries"]), (&json!(false), &json!(1), &json!(1)));
    let finding = said["findings"][0].as_str().expect("text");
    assert!(finding.starts_with(&account) && finding.contains("spent is 0.000001"), "{finding}");
}
