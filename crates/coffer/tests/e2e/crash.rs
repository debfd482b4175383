//! Ends that nobody wished for: kill -9 under load, and being told to end under load.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::Signal;
use tempfile::tempdir;

use crate::load::{Clients, Record};
use crate::support::{Api, Server};
use crate::wire::{Raw, Wire};

const GRANTED: i64 = 1_000_000;
const CLIENTS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn four_crashes_under_load_lose_nothing_and_charge_nothing_twice() {
    let data = tempdir().expect("a temporary directory");
    let mut server = Server::start(data.path());
    let account = server.api.account_with(GRANTED).await;
    let mut record = Record::default();

    // Different moments: from the first requests on to when the log has been moved into the file and begun anew.
    for (round, requests_before_the_crash) in [25, 150, 600, 3_000].into_iter().enumerate() {
        let mut clients = Clients::start(&server.api, &account, &format!("round-{round}"), CLIENTS);
        clients.wait_for(requests_before_the_crash).await;
        server.kill();
        let sent = clients.end().await;
        assert!(sent.acknowledged() < sent.count(), "the server was killed with requests under way");
        record.add(sent);

        server = Server::start(data.path());
        record.retry_all(&server.api, &account).await;
        let spent = GRANTED - server.api.available(&account).await;
        assert_eq!(spent, i64::try_from(record.count()).expect("a small number"), "round {round}");
    }
    server.stop();
}

/// A charge of 1 credit as bytes: everything up to the body, and the body.
fn charge(api: &Api, account: &str, name: &str, more_headers: &str) -> (String, String) {
    let body = format!(r#"{{"account_id":"{account}","credits":1}}"#);
    let head = format!(
        "POST /v1/charges HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {name}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n{more_headers}\r\n",
        api.operator_key(),
        body.len()
    );
    (head, body)
}

fn id_of(answer: &Raw) -> String {
    assert_eq!(answer.status, 201, "{answer:?}");
    let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    body["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_begun_is_answered_before_the_end() {
    let data = tempdir().expect("a temporary directory");
    let mut server = Server::start(data.path());
    let account = server.api.account_with(GRANTED).await;
    let mut record = Record::default();
    let mut begun = Vec::new();
    for number in 0..20 {
        let name = format!("begun-{number}");
        let (head, body) = charge(&server.api, &account, &name, "Expect: 100-continue\r\n");
        let mut wire = Wire::open(&server.address);
        wire.send(head);
        assert_eq!(wire.answer().status, 100, "the server waits for the body");
        begun.push((name, wire, body));
    }

    server.process.signal(Signal::TERM);
    server.process.wait_for_log("the server ends");
    for (name, mut wire, body) in begun {
        wire.send(body);
        let answer = wire.answer();
        record.note(&name, Some(id_of(&answer)));
        assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
        wire.wait_for_end();
    }
    let ended = server.process.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let server = Server::start(data.path());
    record.retry_all(&server.api, &account).await;
    assert_eq!(GRANTED - server.api.available(&account).await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_connected_and_asked_is_answered_before_the_end() {
    // Whether the signal or the connections are seen first is a matter of luck: both must go well.
    for _ in 0..8 {
        assert_eq!(unanswered_of_40().await, 0, "requests of 40 that were sent before the signal");
    }
}

/// How many requests on new connections, sent before the server is told to end, are never answered.
async fn unanswered_of_40() -> usize {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(GRANTED).await;
    // While it stands still, the system takes connections for it, as on a machine that is busy.
    server.process.signal(Signal::STOP);
    let mut wires: Vec<Wire> = (0..40).map(|_| Wire::open(&server.address)).collect();
    for (number, wire) in wires.iter_mut().enumerate() {
        let (head, body) = charge(&server.api, &account, &format!("asked-{number}"), "");
        wire.send(format!("{head}{body}"));
    }
    server.process.signal(Signal::TERM);
    server.process.signal(Signal::CONT);
    let answers = wires.iter_mut().map(|wire| wire.try_answer().expect("no answer breaks off"));
    let unanswered = answers.filter(Option::is_none).count();
    assert_eq!(server.process.ended().code, Some(0));
    unanswered
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_answered_at_the_end_was_not_charged() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(GRANTED).await;
    let answered = AtomicUsize::new(0);

    let told = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (server, account, answered) = (&server, &account, &answered);
                scope.spawn(move || charge_until_the_end(server, account, client, answered))
            })
            .collect();
        while answered.load(Ordering::SeqCst) < 300 {
            assert!(
                !clients.iter().all(std::thread::ScopedJoinHandle::is_finished),
                "the clients have failed"
            );
            std::thread::yield_now();
        }
        server.process.signal(Signal::TERM);
        let told = clients.into_iter().map(|client| client.join().expect("no answer breaks off"));
        told.flatten().collect::<BTreeSet<String>>()
    });
    let ended = server.process.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    // Every charge that was carried out was told to its client: none was dropped between the commit and the
    // answer.
    let server = Server::start(data.path());
    let spent = GRANTED - server.api.available(&account).await;
    assert_eq!(spent, i64::try_from(told.len()).expect("a small number"));
}

/// Charges on one connection after the other until nobody listens any more, and answers the charges that were
/// acknowledged. Each answer comes whole or not at all.
fn charge_until_the_end(
    server: &Server,
    account: &str,
    client: usize,
    answered: &AtomicUsize,
) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    let mut number = 0;
    while let Ok(mut wire) = Wire::try_open(&server.address) {
        loop {
            number += 1;
            let (head, body) = charge(&server.api, account, &format!("client-{client}-{number}"), "");
            if wire.try_send(format!("{head}{body}")).is_err() {
                break;
            }
            let Some(answer) = wire.try_answer().expect("an answer that began is whole") else { break };
            assert!(told.insert(id_of(&answer)), "a charge is told once");
            answered.fetch_add(1, Ordering::SeqCst);
            if answer.header("connection") == Some("close") {
                break;
            }
        }
    }
    told
}
