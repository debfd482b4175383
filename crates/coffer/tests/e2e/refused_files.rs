//! Files that are no ledger, or one that this program cannot read: refused by name, and left as they are.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::{TempDir, tempdir};

use crate::support::{Server, run, run_refused, serve};

/// A data directory with a ledger that a server has left in good order.
async fn kept_ledger() -> (TempDir, PathBuf) {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(1_000).await;
    for number in 0..50 {
        server.api.charge(&account, 1, &format!("charge-{number}")).await.expect("an answer").wants(201);
    }
    server.stop();
    let file = data.path().join("coffer.db");
    // A log beside the file has newer pages, and would hide what is done to those in the file.
    python_sqlite(&file, "PRAGMA wal_checkpoint(TRUNCATE);");
    (data, file)
}

/// Every file in a data directory but the lock, which every attempt signs.
fn contents(data: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(data).expect("the directory is there");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let content = |path: PathBuf| {
        let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
        (name, std::fs::read(&path).expect("the file is readable"))
    };
    files.map(content).filter(|(name, _)| name != "lock").collect()
}

/// Starts a server, which must refuse the file by name and leave everything as it was. Answers what it says.
fn is_refused(data: &Path, file: &Path) -> String {
    let before = contents(data);
    let ended = run_refused(serve(data));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&file.display().to_string()), "{}", ended.stderr);
    let after = contents(data);
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "no file came or went");
    for (name, content) in &after {
        assert!(*content == before[name], "{name} was changed");
    }
    ended.stderr
}

/// Changes a database with another program.
fn python_sqlite(file: &Path, statements: &str) {
    let program =
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.close()";
    let mut python = Command::new("python3");
    python.args(["-c", program]).arg(file).arg(statements);
    let ended = run(python);
    assert_eq!(ended.code, Some(0), "python3 with sqlite3 is needed (apt install python3): {}", ended.stderr);
}

#[tokio::test]
async fn garbage_over_the_header_is_refused() {
    let (data, file) = kept_ledger().await;
    let mut open = OpenOptions::new().write(true).open(&file).expect("the ledger is there");
    open.write_all(&[0xA5; 100]).expect("the file can be written");
    is_refused(data.path(), &file);
}

#[tokio::test]
async fn garbage_over_the_schema_is_refused() {
    let (data, file) = kept_ledger().await;
    let mut open = OpenOptions::new().write(true).open(&file).expect("the ledger is there");
    open.seek(SeekFrom::Start(100)).expect("the file is longer");
    open.write_all(&[0xA5; 3_900]).expect("the file can be written");
    is_refused(data.path(), &file);
}

#[tokio::test]
async fn a_truncated_file_is_refused() {
    let (data, file) = kept_ledger().await;
    let whole = std::fs::read(&file).expect("the ledger is there");
    for length in [whole.len() - 4096, whole.len() / 2, 4096, 50] {
        std::fs::write(&file, &whole[..length]).expect("the file can be written");
        is_refused(data.path(), &file);
    }
    std::fs::write(&file, &whole).expect("the file can be written");
    Server::start(data.path()).stop();
}

#[test]
fn a_text_file_is_refused() {
    let data = tempdir().expect("a temporary directory");
    let file = data.path().join("coffer.db");
    std::fs::write(&file, "My shopping list: eggs, flour, and a ledger.\n".repeat(200)).expect("a file");
    is_refused(data.path(), &file);
}

#[test]
fn the_database_of_another_application_is_refused() {
    let data = tempdir().expect("a temporary directory");
    let file = data.path().join("coffer.db");
    python_sqlite(&file, "CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('bread');");
    is_refused(data.path(), &file);
}

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_refused() {
    let (data, file) = kept_ledger().await;
    python_sqlite(&file, "PRAGMA user_version = 999;");
    let said = is_refused(data.path(), &file);
    assert!(said.contains("999") && said.contains("newer"), "{said}");
}

#[tokio::test]
async fn a_damaged_index_of_the_journal_is_refused() {
    let (data, file) = kept_ledger().await;
    let mut python = Command::new("python3");
    let program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(c.execute(\"SELECT rootpage FROM \
                   sqlite_master WHERE name = 'entries_by_charge'\").fetchone()[0])";
    python.args(["-c", program]).arg(&file);
    let page: u64 = run(python).stdout.trim().parse().expect("the number of a page");
    let mut open = OpenOptions::new().write(true).open(&file).expect("the ledger is there");
    open.seek(SeekFrom::Start((page - 1) * 4096)).expect("the file is longer");
    open.write_all(&[0xFF; 4096]).expect("the file can be written");
    is_refused(data.path(), &file);
}

#[tokio::test]
async fn a_ledger_that_does_not_add_up_stops_the_process_without_an_answer() {
    let (data, file) = kept_ledger().await;
    python_sqlite(&file, "UPDATE accounts SET available = available + 1000000;");
    let server = Server::start(data.path());
    let accounts = server.api.get("/v1/accounts").await.wants(200);
    let account = accounts.json()["data"][0]["id"].as_str().expect("an id").to_owned();
    let unheard = server.api.charge(&account, 1, "on-made-up-credits").await;
    assert!(unheard.is_err(), "nobody may be told that this was charged: {unheard:?}");
    let ended = server.process.ended();
    assert_eq!(ended.code, None, "a signal has ended it: {}", ended.stderr);
    assert!(ended.stderr.contains("the lots do not add up"), "{}", ended.stderr);
}
