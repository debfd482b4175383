//! `coffer backup` and `coffer restore`: a copy is whole and sound, or there is none.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::every_kind::EveryKind;
use crate::load::Clients;
use crate::small_disk::SmallDisk;
use crate::support::{Api, Ended, Server, coffer, run, run_refused, serve, until};

const GRANTED: i64 = 1_000_000;
const CLIENTS: usize = 4;

fn back_up(data: &Path, file: &Path) -> Ended {
    let mut command = coffer(&["backup"]);
    command.arg(file).arg("--data").arg(data);
    run(command)
}

fn restore(file: &Path, data: &Path) -> Ended {
    let mut command = coffer(&["restore"]);
    command.arg(file).arg("--data").arg(data);
    run(command)
}

fn done(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// It has failed, and said so of the path.
fn failed(ended: &Ended, path: &Path, why: &str) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&path.display().to_string()), "{path:?}: {}", ended.stderr);
    assert!(ended.stderr.contains(why), "{why}: {}", ended.stderr);
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("the directory is there");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<String> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

fn serve_restored(data: &Path, operator_key: &str) -> Server {
    Server::start_with(serve(data), operator_key)
}

/// A ledger with everything in it, its server, and a place for copies.
struct Kept {
    server: Server,
    data: TempDir,
    copies: TempDir,
    everything: EveryKind,
}

impl Kept {
    async fn make() -> Kept {
        let data = tempdir().expect("a temporary directory");
        let copies = tempdir().expect("a temporary directory");
        let server = Server::start(data.path());
        let everything = EveryKind::make(&server.api).await;
        // What a copy has to bring into its tables leaves pages that hold nothing: then its size would be a matter of chance.
        until("everything is in its table", async || {
            let file = rusqlite::Connection::open(data.path().join("coffer.db")).expect("a ledger");
            file.query_row("SELECT count(*) FROM redo", [], |row| row.get::<_, i64>(0)) == Ok(0)
        })
        .await;
        Kept { server, data, copies, everything }
    }

    fn copy(&self, name: &str) -> PathBuf {
        self.copies.path().join(name)
    }
}

/// The charges of an account, by its statement.
async fn charges_of(api: &Api, account: &str) -> BTreeSet<String> {
    let path = format!("/v1/accounts/{account}/entries?kind=charge");
    let accept = [("Accept", "application/x-ndjson")];
    let entries = api.call(Method::GET, &path, &accept, None).await.expect("an answer").wants(200).text;
    let charge = |entry: &str| {
        let entry: Value = serde_json::from_str(entry).expect("JSON");
        entry["charge_id"].as_str().expect("text").to_owned()
    };
    entries.lines().map(charge).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_has_a_moment_of_the_ledger() {
    let (data, copies) = (tempdir().expect("a directory"), tempdir().expect("a directory"));
    let server = Server::start(data.path());
    let account = server.api.account_with(GRANTED).await;
    for round in 0..4 {
        let mut before = Clients::start(&server.api, &account, &format!("before-{round}"), CLIENTS);
        before.wait_for(150).await;
        let mut before = before.end().await;
        assert_eq!(before.acknowledged(), before.count());
        let mut meanwhile = Clients::start(&server.api, &account, &format!("meanwhile-{round}"), CLIENTS);
        meanwhile.wait_for(20).await;
        let file = copies.path().join(format!("{round}.db"));
        done(&back_up(data.path(), &file));
        meanwhile.wait_for(meanwhile.acknowledged() + 20).await;
        let meanwhile = meanwhile.end().await;

        let restored = copies.path().join(format!("restored-{round}"));
        done(&restore(&file, &restored));
        let from_backup = serve_restored(&restored, server.api.operator_key());
        let charges = charges_of(&from_backup.api, &account).await;
        // Of each client it has the first so many requests, and no later one without those before it.
        let mut found = 0;
        for (client, requests) in meanwhile.in_order() {
            let is_there = |charge: &Option<&str>| charge.is_some_and(|charge| charges.contains(charge));
            let first = requests.iter().take_while(|charge| is_there(charge)).count();
            let rest = requests[first..].iter().filter(|charge| is_there(charge)).count();
            assert_eq!(rest, 0, "{client}: a charge is there, and one before it is not");
            found += first;
        }
        assert!(found < meanwhile.acknowledged(), "it is of a moment before the end");
        assert!(found >= 20, "it has what was acknowledged before it began");
        // Those that were under way at the end of an earlier round are acknowledged, so all are accounted for.
        let spent = GRANTED - from_backup.api.available(&account).await;
        assert_eq!(spent, i64::try_from(charges.len()).expect("a small number"));
        before.retry_all(&from_backup.api, &account).await;
        assert_eq!(GRANTED - from_backup.api.available(&account).await, spent, "nothing was charged again");
        from_backup.stop();
    }
    server.stop();
}

#[tokio::test]
async fn a_restored_ledger_is_the_ledger() {
    let kept = Kept::make().await;
    let (file, restored) = (kept.copy("copy.db"), kept.copy("restored"));
    done(&back_up(kept.data.path(), &file));
    let mode = std::fs::metadata(&file).expect("the copy is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "a ledger is nobody's but its owner's");
    assert_eq!(names_in(kept.copies.path()), ["copy.db"]);

    let ended = restore(&file, &restored);
    done(&ended);
    assert!(ended.stdout.contains("coffer operator-key create"), "{}", ended.stdout);
    assert_eq!(names_in(&restored), ["coffer.db", "lock"], "no key of an operator is in a backup");
    let server = serve_restored(&restored, kept.server.api.operator_key());
    assert_eq!(kept.everything.balances(&server.api).await, kept.everything.balances(&kept.server.api).await);
    assert_eq!(
        kept.everything.statements(&server.api).await,
        kept.everything.statements(&kept.server.api).await
    );
    kept.everything.is_answered_again(&server.api).await;
    // It goes on by itself from there.
    server.api.charge(&kept.everything.accounts[0], 1, "afterwards").await.expect("an answer").wants(201);
    assert_eq!(names_in(&restored).iter().filter(|name| *name == "operator.key").count(), 0);
    server.stop();
    kept.server.stop();
}

#[tokio::test]
async fn no_secret_is_in_a_backup() {
    let kept = Kept::make().await;
    let file = kept.copy("copy.db");
    done(&back_up(kept.data.path(), &file));
    let content = std::fs::read(&file).expect("the copy is there");
    let operator_key = kept.server.api.operator_key();
    for secret in [operator_key, &kept.everything.secret] {
        // Not even the part of it that only its owner knows.
        let random = secret.rsplit_once('_').expect("a key has a prefix").1;
        for needle in [secret, random] {
            assert!(!content.windows(needle.len()).any(|window| window == needle.as_bytes()));
        }
    }
    kept.server.stop();
}

#[tokio::test]
async fn a_backup_overwrites_nothing() {
    let kept = Kept::make().await;
    let file = kept.copy("notes.txt");
    std::fs::write(&file, "mine").expect("a file can be made");
    failed(&back_up(kept.data.path(), &file), &file, "nothing is overwritten");
    assert_eq!(std::fs::read_to_string(&file).expect("the file is there"), "mine");
    let directory = kept.copy("directory");
    std::fs::create_dir(&directory).expect("a directory can be made");
    failed(&back_up(kept.data.path(), &directory), &directory, "nothing is overwritten");
    let link = kept.copy("link");
    std::os::unix::fs::symlink(kept.copy("nothing"), &link).expect("a link can be made");
    assert_eq!(back_up(kept.data.path(), &link).code, Some(1));
    let ledger = kept.data.path().join("coffer.db");
    failed(&back_up(kept.data.path(), &ledger), &ledger, "nothing is overwritten");
    assert_eq!(names_in(kept.copies.path()), ["directory", "link", "notes.txt"]);
    kept.server.stop();
}

#[tokio::test]
async fn a_backup_to_where_nothing_can_be_written_fails() {
    let kept = Kept::make().await;
    let nowhere = kept.copy("missing").join("copy.db");
    failed(&back_up(kept.data.path(), &nowhere), &nowhere, "cannot be written");
    let below_a_file = kept.data.path().join("coffer.db").join("copy.db");
    failed(&back_up(kept.data.path(), &below_a_file), &below_a_file, "cannot be written");
    let Some(disk) = SmallDisk::mount("16m") else { return };
    disk.remount_read_only();
    let read_only = disk.path().join("copy.db");
    failed(&back_up(kept.data.path(), &read_only), &read_only, "cannot be written");
    assert_eq!(names_in(kept.copies.path()), Vec::<String>::new());
    kept.server.stop();
}

#[tokio::test]
async fn a_backup_of_nothing_fails() {
    let (data, copies) = (tempdir().expect("a directory"), tempdir().expect("a directory"));
    let file = copies.path().join("copy.db");
    failed(&back_up(data.path(), &file), &data.path().join("coffer.db"), "there is no ledger at");
    assert_eq!(names_in(copies.path()), Vec::<String>::new());
    assert_eq!(names_in(data.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_backup_that_does_not_fit_leaves_no_file() {
    let kept = Kept::make().await;
    let whole = kept.copy("whole.db");
    done(&back_up(kept.data.path(), &whole));
    let needed = std::fs::metadata(&whole).expect("the copy is there").len();
    // Less than the copy needs, and less than looking it through needs as well.
    for size in [4096, needed / 2, needed - 4096, needed] {
        let Some(disk) = SmallDisk::mount(&size.to_string()) else { return };
        let file = disk.path().join("copy.db");
        failed(&back_up(kept.data.path(), &file), &file, "full");
        assert_eq!(names_in(disk.path()), Vec::<String>::new());
    }
    // The server has not noticed.
    let account = &kept.everything.accounts[0];
    kept.server.api.charge(account, 1, "afterwards").await.expect("an answer").wants(201);
    let Some(disk) = SmallDisk::mount("16m") else { return };
    done(&back_up(kept.data.path(), &disk.path().join("copy.db")));
    assert_eq!(names_in(disk.path()), ["copy.db"]);
    kept.server.stop();
}

#[tokio::test]
async fn a_restore_that_does_not_fit_leaves_no_ledger() {
    let kept = Kept::make().await;
    let file = kept.copy("copy.db");
    done(&back_up(kept.data.path(), &file));
    let Some(disk) = SmallDisk::mount("128k") else { return };
    failed(&restore(&file, &disk.data()), &disk.data().join("coffer.db"), "full");
    assert_eq!(names_in(&disk.data()), ["lock"]);
    kept.server.stop();
}

#[tokio::test]
async fn a_damaged_ledger_is_not_backed_up() {
    let kept = Kept::make().await;
    kept.server.stop();
    let ledger = kept.data.path().join("coffer.db");
    let connection = rusqlite::Connection::open(&ledger).expect("a ledger");
    connection.execute("UPDATE entries SET credits = credits + 1 WHERE number = 3", []).expect("a row");
    drop(connection);
    let file = kept.copies.path().join("copy.db");
    failed(&back_up(kept.data.path(), &file), &ledger, "does not verify");
    assert_eq!(names_in(kept.copies.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_ledger_is_restored_into_an_empty_directory_only() {
    let kept = Kept::make().await;
    let file = kept.copy("copy.db");
    done(&back_up(kept.data.path(), &file));
    let before = kept.everything.balances(&kept.server.api).await;
    failed(&restore(&file, kept.data.path()), kept.data.path(), "in use by another coffer process");
    assert_eq!(kept.everything.balances(&kept.server.api).await, before);
    kept.server.stop();
    failed(&restore(&file, kept.data.path()), kept.data.path(), "is not empty");

    let others = kept.copies.path().join("others");
    std::fs::create_dir(&others).expect("a directory can be made");
    std::fs::write(others.join("notes.txt"), "mine").expect("a file can be made");
    failed(&restore(&file, &others), &others, "is not empty");
    assert!(!others.join("coffer.db").exists());
    let below_a_file = file.join("restored");
    failed(&restore(&file, &below_a_file), &below_a_file, "cannot be written to");

    let mut nowhere = coffer(&["restore"]);
    nowhere.arg(&file);
    let ended = run(nowhere);
    assert_eq!(ended.code, Some(2), "where to is always said: {ended:?}");
    assert!(ended.stderr.contains("--data"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_damaged_backup_is_not_restored() {
    let kept = Kept::make().await;
    let file = kept.copy("copy.db");
    done(&back_up(kept.data.path(), &file));
    kept.server.stop();
    let whole = std::fs::read(&file).expect("the copy is there");
    let damaged = kept.copies.path().join("damaged.db");
    let restored = kept.copies.path().join("restored");
    let is_refused = |content: &[u8], what: &str| {
        std::fs::write(&damaged, content).expect("a file can be written");
        let ended = restore(&damaged, &restored);
        assert_eq!(ended.code, Some(1), "{what}: {ended:?}");
        assert!(ended.stderr.contains(&damaged.display().to_string()), "{what}: {}", ended.stderr);
        if restored.exists() {
            assert_eq!(names_in(&restored), ["lock"], "{what}");
        }
    };

    is_refused(b"", "an empty file");
    is_refused(b"a text", "a text");
    for length in [50, 4096, whole.len() / 2, whole.len() - 4096] {
        is_refused(&whole[..length], &format!("the first {length} bytes"));
    }
    let with = |change: &str| {
        std::fs::write(&damaged, &whole).expect("a file can be written");
        let connection = rusqlite::Connection::open(&damaged).expect("a ledger");
        connection.execute_batch(change).unwrap_or_else(|error| panic!("{change}: {error}"));
        drop(connection);
        std::fs::read(&damaged).expect("the file is there")
    };
    for change in [
        "UPDATE entries SET credits = credits + 1 WHERE number = 3",
        "UPDATE entries SET idempotency_key = 'another' WHERE number = 3",
        "UPDATE accounts SET available = available + 1",
        "DELETE FROM entries WHERE number = 3",
        "DELETE FROM lots",
        "PRAGMA user_version = 99",
        "PRAGMA user_version = 1",
        "PRAGMA application_id = 7",
        "DROP TABLE entries",
    ] {
        is_refused(&with(change), change);
    }
    // In the middle of every page that may hold rows.
    for page in 1..whole.len() / 4096 {
        let mut content = whole.clone();
        content[page * 4096..page * 4096 + 100].fill(0xA5);
        is_refused(&content, &format!("page {page} is overwritten"));
    }

    // What was refused stands in nobody's way.
    done(&restore(&file, &restored));
    let server = serve_restored(&restored, &"x".repeat(40));
    assert_eq!(server.api.get("/v1/accounts").await.status, 401, "nobody else's key opens it");
    server.stop();
}

#[tokio::test]
async fn a_backup_is_no_data_directory() {
    let kept = Kept::make().await;
    let file = kept.copy("copy.db");
    done(&back_up(kept.data.path(), &file));
    let ended = run_refused(serve(&file));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    kept.server.stop();
}
