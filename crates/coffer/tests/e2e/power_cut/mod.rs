//! The power fails under load. A disk then has everything that was synced, and of the rest some sectors and not others;
//! whatever was acknowledged must be there, and nothing twice.
//!
//! `strace` notes every write and every sync of a server under load, and what its clients are told is noted with the time. From
//! that the test makes the files as a disk might have them at some moment, and starts a server on them: not only at one moment, but at
//! moments of each kind that there is.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::task::JoinSet;

use self::calls::{Call, What};
use self::disk::Disk;
use crate::support::{Api, Server, coffer, run, until_within};
use crate::tracer::Tracer;

mod calls;
mod disk;

const ACCOUNTS: usize = 24;
const CLIENTS: usize = 6;
/// How many are sent at least: enough for runs of idempotency keys.
const BATCHES: usize = 200;
/// How many are sent at least after the log has begun anew.
const BATCHES_AFTER: usize = 30;
const CHARGES: usize = 100;
/// Every so many operations there is a hold in the place of a charge.
const HOLD_EVERY: usize = 40;
/// How long each part of the load may take: under a tracer that notes every byte the server is slow.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long nobody asks for anything in the end, while tables are brought up to date.
const AT_REST: Duration = Duration::from_millis(500);
/// How many moments there are of each kind.
const MOMENTS: usize = 4;
/// How many writes after the beginning of a log count as its first ones.
const FIRST_WRITES: usize = 40;

const FILE: usize = 0;
const LOG: usize = 1;

/// What a client has sent at once, and what it was told.
struct Batch {
    operations: Value,
    names: Vec<String>,
    ids: Vec<String>,
    /// When, in nanoseconds since 1970.
    told_at: u64,
}

#[derive(Default)]
struct Shared {
    /// How many batches all clients have been told of.
    told: AtomicUsize,
    is_over: AtomicBool,
}

impl Shared {
    async fn wait_for(&self, batches: usize) {
        let are_told = async || self.told.load(Ordering::Relaxed) >= batches;
        until_within(PATIENCE, "so many batches are written", are_told).await;
    }
}

/// What the log begins with; other bytes once it has begun anew.
fn beginning(log: &Path) -> [u8; 32] {
    let mut bytes = [0; 32];
    File::open(log).and_then(|mut log| log.read_exact(&mut bytes)).expect("the log has a header");
    bytes
}

/// Charges and holds on all accounts, one batch after the other until it is told to end.
async fn work(api: Api, accounts: Vec<String>, client: usize, shared: Arc<Shared>) -> Vec<Batch> {
    let mut batches = Vec::new();
    while !shared.is_over.load(Ordering::Relaxed) {
        let batch = batches.len();
        let numbers = (0..CHARGES).map(|number| batch * CHARGES + number);
        let names: Vec<String> = numbers.clone().map(|number| format!("cut-{client}-{number}")).collect();
        let operations = numbers.zip(&names).map(|(number, name)| {
            let kind = if number % HOLD_EVERY == 0 { "hold" } else { "charge" };
            let account = &accounts[(client * 7 + number) % accounts.len()];
            json!({"type": kind, "account_id": account, "credits": 1, "idempotency_key": name})
        });
        let operations = Value::from_iter(operations);
        let ids = send(&api, &operations).await.into_iter().map(|(id, _)| id).collect();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("later than 1970");
        let told_at = u64::try_from(now.as_nanos()).expect("before 2554");
        batches.push(Batch { operations, names, ids, told_at });
        shared.told.fetch_add(1, Ordering::Relaxed);
    }
    batches
}

/// Sends a batch of which all succeeds: the id of each charge or hold, and whether it had been made before.
async fn send(api: &Api, operations: &Value) -> Vec<(String, bool)> {
    let answer = api.post("/v1/batch", json!({"operations": operations})).await.wants(200).json();
    let results = answer["results"].as_array().expect("a list").iter();
    let of_one = |result: &Value| {
        assert_eq!(result["status"], 201, "{result}");
        (result["body"]["id"].as_str().expect("an id").to_owned(), result["replayed"] == true)
    };
    results.map(of_one).collect()
}

/// When the power fails, and what share of the sectors of each file is written though it was not synced.
struct Moment {
    at: u64,
    written: [f64; 2],
}

/// Some moments of each kind, in order.
fn moments(calls: &[Call], random: &mut SmallRng) -> Vec<Moment> {
    let mut moments = Vec::new();
    for (kind, times) in kinds(calls).iter().enumerate() {
        assert!(!times.is_empty(), "there is no moment of kind {kind}");
        for _ in 0..MOMENTS {
            let mut one_of = |shares: [f64; 4]| shares[random.random_range(0..shares.len())];
            let written = [one_of([0.0, 0.5, 0.95, 1.0]), one_of([0.0, 0.0, 0.5, 0.95])];
            moments.push(Moment { at: times[random.random_range(0..times.len())], written });
        }
    }
    moments.sort_by_key(|moment| moment.at);
    moments
}

/// The times at which something of each kind happens.
fn kinds(calls: &[Call]) -> [Vec<u64>; 6] {
    let mut kinds = <[Vec<u64>; 6]>::default();
    let [logged, begun_anew, moved, moved_beside, syncing, synced] = &mut kinds;
    let (mut log_is_synced, mut writes_of_log) = (true, FIRST_WRITES);
    for call in calls {
        match (&call.what, call.file) {
            (What::Write { offset, .. }, LOG) => {
                log_is_synced = false;
                writes_of_log = if *offset == 0 { 0 } else { writes_of_log + 1 };
                logged.push(call.begun);
                if writes_of_log < FIRST_WRITES {
                    begun_anew.push(call.begun);
                }
            }
            // Pages that are moved into the file.
            (What::Write { .. }, _) => {
                moved.push(call.begun);
                if !log_is_synced {
                    moved_beside.push(call.begun);
                }
            }
            (What::Sync, file) => {
                log_is_synced |= file == LOG;
                syncing.push(call.begun);
                synced.push(call.ended);
            }
            (What::Resize(_), _) => {}
        }
    }
    kinds
}

/// Starts a server on what is left. Whatever was told before the power failed is told again; what was under way is done once.
async fn nothing_was_lost(data: &Path, clients: &[Vec<Batch>], failed_at: u64) {
    let server = Server::start(data);
    let mut told = Vec::new();
    for batches in clients {
        let count = batches.partition_point(|batch| batch.told_at <= failed_at);
        told.extend(batches[..count].iter().flat_map(|batch| &batch.names));
        if let Some(last) = batches[..count].last() {
            let again = last.ids.iter().map(|id| (id.clone(), true));
            assert_eq!(send(&server.api, &last.operations).await, Vec::from_iter(again));
        }
        if let Some(next) = batches.get(count) {
            send(&server.api, &next.operations).await;
            told.extend(&next.names);
        }
    }
    server.stop();
    let mut verify = coffer(&["verify", "--data"]);
    verify.arg(data);
    let verified = run(verify);
    assert_eq!(verified.code, Some(0), "{verified:?}");

    let connection = Connection::open(data.join("coffer.db")).expect("the file is there");
    let sql = "SELECT idempotency_key FROM entries WHERE idempotency_key LIKE 'cut-%'";
    let mut statement = connection.prepare(sql).expect("SQL");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("SQL");
    let mut there: Vec<String> = rows.collect::<Result<_, _>>().expect("SQL");
    there.sort_unstable();
    assert!(there.windows(2).all(|two| two[0] != two[1]), "something was done twice");
    let missing = told.iter().filter(|name| there.binary_search(name).is_err());
    assert_eq!(Vec::from_iter(missing), Vec::<&&String>::new(), "lost, though it was told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_nothing_that_was_told() {
    let mut random = SmallRng::seed_from_u64(rand::random());
    let data = tempdir().expect("a temporary directory");
    // The tracer tells where a file really is.
    let directory = data.path().canonicalize().expect("the directory is there");
    let server = Server::start(&directory);
    let mut accounts = Vec::new();
    for _ in 0..ACCOUNTS {
        accounts.push(server.api.account_with(1_000_000).await);
    }
    let paths = ["coffer.db", "coffer.db-wal"].map(|name| directory.join(name));
    let files = [paths[FILE].as_path(), paths[LOG].as_path()];
    let Some(tracer) = Tracer::attach(&server, &files, calls::OPTIONS).await else { return };
    // What is noted from now on is on top of this.
    let before = files.map(|path| std::fs::read(path).expect("a server has both files"));
    let began = beginning(files[LOG]);
    let shared = Arc::new(Shared::default());
    let mut tasks = JoinSet::new();
    for client in 0..CLIENTS {
        tasks.spawn(work(server.api.clone(), accounts.clone(), client, Arc::clone(&shared)));
    }
    shared.wait_for(BATCHES).await;
    until_within(PATIENCE, "the log begins anew", async || beginning(files[LOG]) != began).await;
    shared.wait_for(shared.told.load(Ordering::Relaxed) + BATCHES_AFTER).await;
    shared.is_over.store(true, Ordering::Relaxed);
    let clients = tasks.join_all().await;
    tokio::time::sleep(AT_REST).await;
    let noted = tracer.detach();
    server.kill();
    let calls = calls::read(&noted, files);

    let [file, log] = before;
    let mut disks = [Disk::new(FILE, file, &calls), Disk::new(LOG, log, &calls)];
    for Moment { at, written } in moments(&calls, &mut random) {
        let mut found = tempdir().expect("a temporary directory");
        println!(
            "the power fails at {at}, with {written:?} of what was not synced: {}",
            found.path().display()
        );
        // Until all is well with them, to be looked at.
        found.disable_cleanup(true);
        for file in [FILE, LOG] {
            let name = files[file].file_name().expect("a name");
            let bytes = disks[file].cut(at, written[file], &mut random);
            std::fs::write(found.path().join(name), bytes).expect("a file can be written");
        }
        let key = "operator.key";
        std::fs::copy(directory.join(key), found.path().join(key)).expect("the key is there");
        nothing_was_lost(found.path(), &clients, at).await;
        found.disable_cleanup(false);
    }
    assert!(disks.iter().all(|disk| disk.lost > 0), "nothing was cut off");
}
