//! Clients that charge until the server is gone, and remember what they were told: the proof that nothing that
//! was acknowledged is lost, and nothing is charged twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::support::Api;

const RETRIES_AT_ONCE: usize = 8;
const AFTER_A_REFUSAL: Duration = Duration::from_millis(5);

/// Every idempotency key that was ever sent, with the charge it was acknowledged with, if it was.
#[derive(Default)]
pub(crate) struct Record {
    sent: BTreeMap<String, Option<String>>,
}

impl Record {
    pub(crate) fn count(&self) -> usize {
        self.sent.len()
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.sent.values().flatten().count()
    }

    /// Notes a request that is about to be sent.
    pub(crate) fn note(&mut self, name: &str, acknowledged: Option<String>) {
        self.sent.insert(name.to_owned(), acknowledged);
    }

    pub(crate) fn add(&mut self, other: Record) {
        self.sent.extend(other.sent);
    }

    /// Each request with the charge that it was acknowledged with, if it was, in the order in which its client sent them.
    pub(crate) fn in_order(&self) -> BTreeMap<&str, Vec<Option<&str>>> {
        let mut numbered: BTreeMap<&str, BTreeMap<usize, Option<&str>>> = BTreeMap::new();
        for (name, charge) in &self.sent {
            let (client, number) = name.rsplit_once('-').expect("a client numbers its requests");
            let number = number.parse().expect("a client numbers its requests");
            numbered.entry(client).or_default().insert(number, charge.as_deref());
        }
        numbered.into_iter().map(|(client, requests)| (client, requests.into_values().collect())).collect()
    }

    /// Sends every request once more, acknowledged or not. What was acknowledged must be the same charge
    /// still; afterwards all of them are acknowledged.
    pub(crate) async fn retry_all(&mut self, api: &Api, account: &str) {
        let names: Vec<(String, Option<String>)> = self.sent.clone().into_iter().collect();
        let mut tasks = JoinSet::new();
        for some in names.chunks(names.len().div_ceil(RETRIES_AT_ONCE).max(1)) {
            tasks.spawn(retry(api.clone(), account.to_owned(), some.to_vec()));
        }
        for retried in tasks.join_all().await {
            self.sent.extend(retried);
        }
    }
}

async fn retry(
    api: Api,
    account: String,
    names: Vec<(String, Option<String>)>,
) -> Vec<(String, Option<String>)> {
    let mut retried = Vec::new();
    for (name, acknowledged) in names {
        let answer = api.charge(&account, 1, &name).await.expect("an answer").wants(201);
        let charge = answer.text_of("id");
        if let Some(acknowledged) = acknowledged {
            assert_eq!(charge, acknowledged, "{name} was charged again");
            assert!(answer.is_replayed(), "{name}: {answer:?}");
        }
        retried.push((name, Some(charge)));
    }
    retried
}

/// Clients at work, each with one request under way at a time, each request of 1 credit under its own name.
pub(crate) struct Clients {
    tasks: JoinSet<()>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    record: Mutex<Record>,
    acknowledged: AtomicUsize,
    refused: AtomicUsize,
    ending: AtomicBool,
}

impl Clients {
    /// Starts clients whose names begin with `run`, which must be new.
    pub(crate) fn start(api: &Api, account: &str, run: &str, count: usize) -> Clients {
        let shared = Arc::new(Shared::default());
        let mut tasks = JoinSet::new();
        for client in 0..count {
            let (api, account) = (api.clone(), account.to_owned());
            tasks.spawn(charge_on(api, account, format!("{run}-{client}"), Arc::clone(&shared)));
        }
        Clients { tasks, shared }
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.shared.acknowledged.load(Ordering::SeqCst)
    }

    /// How many requests were answered with 503.
    pub(crate) fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::SeqCst)
    }

    /// Whether every client has lost its server.
    pub(crate) fn have_ended(&mut self) -> bool {
        while let Some(ended) = self.tasks.try_join_next() {
            ended.expect("a client does not panic");
        }
        self.tasks.is_empty()
    }

    /// Waits until so many requests have been acknowledged, or every client has lost its server.
    pub(crate) async fn wait_for(&mut self, acknowledged: usize) {
        while self.acknowledged() < acknowledged && !self.have_ended() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Lets every client end with its present request, and answers what all of them remember.
    pub(crate) async fn end(self) -> Record {
        self.shared.ending.store(true, Ordering::SeqCst);
        self.tasks.join_all().await;
        std::mem::take(&mut *self.shared.record.lock().expect("no client panics with the record"))
    }
}

async fn charge_on(api: Api, account: String, client: String, shared: Arc<Shared>) {
    let note = |name: &str, acknowledged| {
        shared.record.lock().expect("no client panics with the record").note(name, acknowledged);
    };
    for number in 0.. {
        if shared.ending.load(Ordering::SeqCst) {
            return;
        }
        let name = format!("{client}-{number}");
        note(&name, None);
        // No answer: the server has gone.
        let Ok(answer) = api.charge(&account, 1, &name).await else { return };
        match answer.status {
            201 => {
                note(&name, Some(answer.text_of("id")));
                shared.acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            503 => {
                shared.refused.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(AFTER_A_REFUSAL).await;
            }
            _ => panic!("neither charged nor unavailable: {answer:?}"),
        }
    }
}
