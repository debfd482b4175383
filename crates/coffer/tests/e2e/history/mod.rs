//! The proof of concurrency: real clients over HTTP, a server that is killed and stopped under them, and a checker that
//! looks for an order of everything that explains what each of them was told.
//!
//! What is checked of a run:
//! - every acknowledged operation is in the journal once and only once, as it was told, and nothing else is;
//! - what was over before something else began also comes before it;
//! - each read is a state that the account was in within the read's window, and none goes back behind another;
//! - each refusal was true at some moment of its window;
//! - all answers under one idempotency key are one answer, whoever asked, and on whichever side of a crash.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coffer_test_postgres::Cluster;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use serde_json::json;
use tempfile::tempdir;
use tokio::task::JoinSet;

use self::anomaly::{Anomaly, Fault};
use self::checker::check;
use self::client::{Client, Run};
use self::credits::Credits;
use self::journal::{Journal, read_entries};
use self::record::History;
use self::sending::{Account, Reader, Sender};
use self::shelf::Shelf;
use self::storm::Stormy;
use self::stormy_nodes::StormyNodes;
use self::tally::{Tally, Throughput};
use crate::support::Api;

mod client;
mod mix;
mod sending;
mod shelf;
mod storm;
mod stormy_nodes;
mod tally;

mod record;

mod anomaly;
mod checker;

mod answers;
mod claims;
mod credits;
mod journal;
mod order;
mod remains;

mod brute;
mod chance;
mod proof;
mod synthetic;

const CLIENTS: usize = 12;
/// One account each; the last one may be overdrawn.
const OVERDRAFT_LIMITS: [i64; 4] = [0, 0, 0, 5];
/// Set to a seed, it has the same clients want the same things again; threads and crashes keep their own time.
const SEED_VARIABLE: &str = "HISTORY_SEED";
const SHOWN_OF_A_KIND: usize = 5;
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn crashes_and_standstills_under_load_break_no_promise() {
    let seed = seed();
    let mut random = SmallRng::seed_from_u64(seed);
    let data = tempdir().expect("a temporary directory");
    let stormy = Stormy::start(data.path(), &mut random);
    let nodes = vec![stormy.server.api.clone()];
    let (server, tally) = prove(nodes, seed, stormy.rage(&mut random)).await;
    tally.must_be_telling(Throughput::OfOneProcess);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_on_a_database_that_crashes_break_no_promise() {
    let seed = seed();
    let mut random = SmallRng::seed_from_u64(seed);
    let cluster = Cluster::start();
    let stormy = StormyNodes::start(&cluster, &mut random);
    let (stormy, tally) = prove(stormy.apis(), seed, stormy.rage(&mut random)).await;
    tally.must_be_telling(Throughput::OfADatabase);
    stormy.stop();
}

/// Has clients work on nodes through a storm, and wants that what they were told can be explained. Answers what the
/// storm has left, and how much there was to explain.
async fn prove<Left>(nodes: Vec<Api>, seed: u64, storm: impl Future<Output = Left>) -> (Left, Tally) {
    let run = Arc::new(prepare(nodes).await);
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(Client::new(Arc::clone(&run), number, seed).work());
    }
    let left = storm.await;
    run.is_ending.store(true, Ordering::SeqCst);
    let mut history = History::default();
    for of_one in clients.join_all().await {
        history.add(of_one);
    }
    read_once_more(&run, &mut history).await;
    let journals = journals(&run).await;

    let tally = Tally::of(&history);
    println!("{tally}");
    let anomalies = check(&history, &journals);
    assert!(anomalies.is_empty(), "{SEED_VARIABLE}={seed}\n{}", listed(&anomalies));
    (left, tally)
}

fn seed() -> u64 {
    let seed = match std::env::var(SEED_VARIABLE) {
        Ok(seed) => seed.parse().expect("a seed is a number"),
        Err(_) => rand::random(),
    };
    println!("{SEED_VARIABLE}={seed}");
    seed
}

/// Opens the accounts, each with a customer's key, and nothing in them.
async fn prepare(nodes: Vec<Api>) -> Run {
    let sender = Sender::to(nodes);
    let api = sender.api();
    let mut accounts = Vec::new();
    for (number, limit) in OVERDRAFT_LIMITS.into_iter().enumerate() {
        let opened = json!({"name": format!("account {number}"), "overdraft_limit": limit});
        let id = api.post("/v1/accounts", opened).await.wants(201).text_of("id");
        let (_, secret) = api.key_of(&id).await;
        let account = Account { number, id, secret, overdraft_limit: Credits::whole(limit) };
        accounts.push((account, Shelf::default()));
    }
    Run { sender, accounts, is_ending: AtomicBool::new(false) }
}

/// What everybody sees when all is over.
async fn read_once_more(run: &Run, history: &mut History) {
    for (account, _) in &run.accounts {
        for reader in [Reader::Customer, Reader::Operator] {
            match run.sender.read(account, reader, PATIENCE).await {
                Ok(read) => history.reads.push(read.expect("a quiet server answers")),
                Err(strange) => history.strange.push(strange),
            }
        }
    }
}

async fn journals(run: &Run) -> Vec<Journal> {
    let mut journals = Vec::new();
    for (account, _) in &run.accounts {
        let entries = read_entries(run.sender.api(), &account.id).await;
        journals.push(Journal { overdraft_limit: account.overdraft_limit, entries });
    }
    journals
}

/// How many there are of each kind, and the first few of it.
fn listed(anomalies: &[Anomaly]) -> String {
    let mut by_fault: BTreeMap<Fault, Vec<&Anomaly>> = BTreeMap::new();
    for anomaly in anomalies {
        by_fault.entry(anomaly.fault).or_default().push(anomaly);
    }
    let mut text = String::new();
    for of_fault in by_fault.values() {
        text += &format!("{} of this kind:\n", of_fault.len());
        text.extend(of_fault.iter().take(SHOWN_OF_A_KIND).map(|anomaly| format!("- {anomaly}\n")));
    }
    text
}
