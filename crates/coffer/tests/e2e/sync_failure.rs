//! A disk that cannot write what it took. After a failed sync the system may have dropped the pages, and a second sync
//! says that all is well: so the process must stop at the first one, and nobody may be told of what it was to make durable.
//!
//! `strace` lets the sync fail in a server under load, and notes how far the log was durable. Then the test drops what
//! was not, as the system may do, and wants to find everything that was acknowledged.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rusqlite::Connection;
use tempfile::tempdir;

use crate::load::{Clients, Record};
use crate::support::{Ended, Server, coffer, run};
use crate::tracer::Tracer;

const GRANTED: i64 = 1_000_000;
const CLIENTS: usize = 6;
const INJECTED: &str = "(INJECTED)";

/// Lets calls on one of a server's files fail; `None`, said loudly, where processes cannot be traced.
async fn let_fail(server: &Server, file: &Path, injection: &str) -> Option<Tracer> {
    Tracer::attach(server, &[file], &["-f", "-e", injection]).await
}

/// Everything that the server has asked of the file, once it has ended.
fn calls(tracer: Tracer) -> Vec<String> {
    tracer.noted().texts().flat_map(|text| Vec::from_iter(text.lines().map(str::to_owned))).collect()
}

/// How long the log was when it was last durable: what lies behind is what the system may have dropped.
fn durable_length(calls: &[String]) -> u64 {
    let (mut written, mut durable) = (0, 0);
    for call in calls {
        if call.contains("pwrite64(") {
            let (length, offset) = length_and_offset(call);
            // A log that begins anew is as long as what is written to it from then on.
            written = if offset == 0 { length } else { written.max(offset + length) };
        } else if call.contains("sync(") && call.ends_with("= 0") {
            durable = written;
        }
    }
    assert!(durable > 0, "the log was durable at least once: {calls:?}");
    durable
}

/// The two numbers at the end of `pwrite64(12, "…"..., 4096, 181336) = 4096`.
fn length_and_offset(call: &str) -> (u64, u64) {
    let arguments = call.rsplit_once(')').expect("a call ends").0;
    let mut from_the_end = arguments.rsplit(", ");
    let offset = from_the_end.next().and_then(|text| text.parse().ok()).expect("an offset");
    let length = from_the_end.next().and_then(|text| text.parse().ok()).expect("a length");
    (length, offset)
}

/// The server has stopped at the first failure: it has tried nothing again, and said why it ends.
fn stopped_at_once(ended: &Ended, calls: &[String], why: &str) {
    assert_eq!(ended.code, None, "a signal has ended it: {}", ended.stderr);
    assert!(ended.stderr.contains(why), "{}", ended.stderr);
    assert!(ended.stderr.contains("recovers at its next start"), "{}", ended.stderr);
    let first = calls.iter().position(|call| call.contains(INJECTED)).expect("a call was let fail");
    let after = calls[first + 1..].iter().filter(|call| call.contains("sync(") || call.contains("pwrite64("));
    assert_eq!(after.count(), 0, "nothing is written or synced after a failure: {calls:?}");
}

/// Whatever was acknowledged is there once, whatever was sent can be sent again, and all of it adds up.
async fn nothing_was_lost(data: &Path, account: &str, mut record: Record) {
    let server = Server::start(data);
    record.retry_all(&server.api, account).await;
    let spent = GRANTED - server.api.available(account).await;
    assert_eq!(spent, i64::try_from(record.count()).expect("a small number"));
    server.stop();
    let mut verify = coffer(&["verify", "--data"]);
    verify.arg(data);
    let verified = run(verify);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

/// What becomes of the pages that were not durable when the process stopped.
#[derive(Clone, Copy, Debug)]
enum Pages {
    /// They stay in the system's memory, and the next start finds them.
    Kept,
    /// The system has dropped them.
    Dropped,
}

/// Who else has the ledger open, and with it the log's index, which tells what was moved into the file.
#[derive(Clone, Copy, Debug)]
enum Others {
    None,
    Open,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_cannot_be_synced_is_told_to_nobody() {
    for (when, pages) in [(1, Pages::Dropped), (20, Pages::Kept), (40, Pages::Dropped), (75, Pages::Kept)] {
        let data = tempdir().expect("a temporary directory");
        let server = Server::start(data.path());
        let account = server.api.account_with(GRANTED).await;
        let log = data.path().join("coffer.db-wal");
        // Of the first sync under a tracer it is not known how far the log was durable before it: it stands still.
        let length_before = std::fs::metadata(&log).expect("the log is there").len();
        let injection = format!("inject=fsync,fdatasync:error=EIO:when={when}+");
        let Some(tracer) = let_fail(&server, &log, &injection).await else { return };
        let clients = Clients::start(&server.api, &account, "failing", CLIENTS);
        let ended = server.process.ended();
        let calls = calls(tracer);
        let record = clients.end().await;
        stopped_at_once(&ended, &calls, "the ledger cannot be written");
        assert_eq!(record.acknowledged() == 0, when == 1, "who is told anything: {when}");
        assert!(record.acknowledged() < record.count(), "somebody waited for the failed commit");

        if matches!(pages, Pages::Dropped) {
            let durable = if when == 1 { length_before } else { durable_length(&calls) };
            let file = OpenOptions::new().write(true).open(&log).expect("the log is there");
            assert!(durable < file.metadata().expect("it has a length").len(), "the batch was written");
            file.set_len(durable).expect("a file can be cut");
        }
        nothing_was_lost(data.path(), &account, record).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_stops_the_process() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(GRANTED).await;
    let log = data.path().join("coffer.db-wal");
    let injection = "inject=pwrite64:error=EIO:when=200+";
    let Some(tracer) = let_fail(&server, &log, injection).await else { return };
    let clients = Clients::start(&server.api, &account, "failing", CLIENTS);
    let ended = server.process.ended();
    let calls = calls(tracer);
    let record = clients.end().await;
    stopped_at_once(&ended, &calls, "the ledger cannot be written");
    assert!(0 < record.acknowledged() && record.acknowledged() < record.count());
    nothing_was_lost(data.path(), &account, record).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_synced_leaves_the_log_as_it_was() {
    let cases = [(Pages::Kept, Others::None), (Pages::Dropped, Others::None), (Pages::Dropped, Others::Open)];
    for (pages, others) in cases {
        let data = tempdir().expect("a temporary directory");
        let server = Server::start(data.path());
        let account = server.api.account_with(GRANTED).await;
        let path = data.path().join("coffer.db");
        let before = std::fs::read(&path).expect("the file is there");
        // Closed last: SQLite's locks of this process would go with it.
        let file = OpenOptions::new().write(true).open(&path).expect("the file is there");
        let other = matches!(others, Others::Open).then(|| {
            let other = Connection::open(&path).expect("the file can be opened by others");
            let tables =
                other.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
            assert!(tables.expect("it can be read") > 0);
            other
        });
        let injection = "inject=fsync,fdatasync:error=EIO:when=1+";
        let Some(tracer) = let_fail(&server, &path, injection).await else { return };
        // The log is moved into the file once it is long enough.
        let clients = Clients::start(&server.api, &account, "failing", CLIENTS);
        let ended = server.process.ended();
        let calls = calls(tracer);
        let record = clients.end().await;
        stopped_at_once(&ended, &calls, "the log cannot be moved into the file");
        assert!(calls.iter().any(|call| call.contains("pwrite64(")), "the log was being moved: {calls:?}");
        if matches!(pages, Pages::Dropped) {
            file.set_len(before.len() as u64).expect("a file can be cut");
            file.write_all_at(&before, 0).expect("a file can be written");
        }
        nothing_was_lost(data.path(), &account, record).await;
        drop(other);
        drop(file);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_fails_at_the_end_is_no_clean_end() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(GRANTED).await;
    let file = data.path().join("coffer.db");
    let before = std::fs::read(&file).expect("the file is there");
    let injection = "inject=fsync,fdatasync:error=EIO:when=1+";
    let Some(tracer) = let_fail(&server, &file, injection).await else { return };
    let mut clients = Clients::start(&server.api, &account, "ending", CLIENTS);
    clients.wait_for(100).await;
    server.process.signal(rustix::process::Signal::TERM);
    let ended = server.process.ended();
    let calls = calls(tracer);
    let record = clients.end().await;
    stopped_at_once(&ended, &calls, "the log cannot be moved into the file");
    std::fs::write(&file, &before).expect("a file can be written");
    nothing_was_lost(data.path(), &account, record).await;
}
