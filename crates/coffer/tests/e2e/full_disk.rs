//! A full disk under the whole API: whatever moves credits is refused and can be sent again, whatever is read is answered.

use std::path::Path;

use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::load::{Clients, Record};
use crate::small_disk::SmallDisk;
use crate::support::{Answer, Api, Ended, Process, Server, coffer, run, serve, until};

const GRANTED: i64 = 1_000_000;
const CLIENTS: usize = 4;
/// How often each movement is tried: the disk may find room for some when the log is moved into the file.
const TRIES_MAX: usize = 40;

fn verify(data: &Path) -> Ended {
    let mut command = coffer(&["verify", "--data"]);
    command.arg(data);
    run(command)
}

/// What moves credits, prepared while there was space: one kind of it, many of each.
struct Movements {
    kind: &'static str,
    /// What one of them does to what is available, in whole credits.
    effect: i64,
    path: Box<dyn Fn(usize) -> String>,
    body: Value,
    /// What was answered to each that was sent.
    sent: Vec<Answer>,
}

impl Movements {
    fn name(&self, number: usize) -> String {
        format!("{}-{number}", self.kind)
    }

    async fn send(&self, api: &Api, number: usize) -> Answer {
        api.post_named(&(self.path)(number), &self.name(number), self.body.clone()).await
    }

    /// Sends new ones until one is refused.
    async fn until_refused(&mut self, api: &Api) {
        for number in 0..TRIES_MAX {
            let answer = self.send(api, number).await;
            let status = answer.status;
            self.sent.push(answer);
            match status {
                200 | 201 => {}
                503 => return,
                _ => panic!("{}: {:?}", self.name(number), self.sent.last()),
            }
        }
        panic!("{} is never refused on a full disk", self.kind);
    }

    /// Sends all of them again: those that were carried out are told again, those that were refused are carried out.
    async fn again(&self, api: &Api) {
        for (number, first) in self.sent.iter().enumerate() {
            let again = self.send(api, number).await;
            assert!(again.status == 200 || again.status == 201, "{}: {again:?}", self.name(number));
            assert_eq!(again.is_replayed(), first.status != 503, "{}: {again:?}", self.name(number));
            if again.is_replayed() {
                assert_eq!((again.status, &again.text), (first.status, &first.text));
            }
        }
    }

    fn total_effect(&self) -> i64 {
        self.effect * i64::try_from(self.sent.len()).expect("a small number")
    }
}

async fn ids(api: &Api, kind: &str, path: &str, body: &Value) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..TRIES_MAX {
        let name = format!("prepared-{kind}-{number}");
        ids.push(api.post_named(path, &name, body.clone()).await.wants(201).text_of("id"));
    }
    ids
}

/// Everything that moves credits of an account. What is prepared for it is taken from the account already.
async fn prepare(api: &Api, account: &str) -> Vec<Movements> {
    let of_account = json!({"account_id": account, "credits": 2});
    let captured = ids(api, "captured", "/v1/holds", &of_account).await;
    let released = ids(api, "released", "/v1/holds", &of_account).await;
    let refunded = ids(api, "refunded", "/v1/charges", &of_account).await;
    let grants = format!("/v1/accounts/{account}/grants");
    let voided = ids(api, "voided", &grants, &json!({"credits": 3, "priority": 100})).await;
    let adjustments = format!("/v1/accounts/{account}/adjustments");
    let movements = |kind, effect, path, body| Movements { kind, effect, path, body, sent: Vec::new() };
    let one = |path: String| -> Box<dyn Fn(usize) -> String> { Box::new(move |_| path.clone()) };
    let each =
        |collection: &'static str, ids: Vec<String>, verb: &'static str| -> Box<dyn Fn(usize) -> String> {
            Box::new(move |number| format!("/v1/{collection}/{}/{verb}", ids[number]))
        };
    vec![
        movements("charge", -1, one("/v1/charges".to_owned()), json!({"account_id": account, "credits": 1})),
        movements("hold", -1, one("/v1/holds".to_owned()), json!({"account_id": account, "credits": 1})),
        movements("capture", 1, each("holds", captured, "capture"), json!({"credits": 1})),
        movements("release", 2, each("holds", released, "release"), json!({})),
        movements("refund", 2, each("charges", refunded, "refund"), json!({})),
        movements("grant", 5, one(grants), json!({"credits": 5})),
        movements("void", -3, each("grants", voided, "void"), json!({})),
        movements("adjust", 4, one(adjustments), json!({"credits": 4, "reason": "they waited"})),
    ]
}

/// Everything that can be read of an account.
async fn reads_go_on(api: &Api, account: &str, secret: &str, hold: &str) {
    for path in [
        format!("/v1/accounts/{account}"),
        format!("/v1/accounts/{account}/balance"),
        format!("/v1/accounts/{account}/balance?at=2026-01-01T00:00:00Z"),
        format!("/v1/accounts/{account}/entries?limit=100"),
        format!("/v1/accounts/{account}/usage"),
        format!("/v1/accounts/{account}/grants"),
        format!("/v1/accounts/{account}/keys"),
        format!("/v1/holds?account_id={account}&status=open"),
        format!("/v1/holds/{hold}"),
        format!("/v1/charges?account_id={account}"),
        "/v1/accounts".to_owned(),
        "/v1/prices".to_owned(),
        "/livez".to_owned(),
        "/metrics".to_owned(),
    ] {
        assert_eq!(api.get(&path).await.status, 200, "{path}");
    }
    let entries = format!("/v1/accounts/{account}/entries");
    for format in ["text/csv", "application/x-ndjson"] {
        let streamed = api.call(Method::GET, &entries, &[("Accept", format)], None).await.expect("an answer");
        assert!(streamed.wants(200).text.lines().count() > 100, "all of it");
    }
    api.read_balance(secret).await.wants(200);
    let allowed = api.post("/v1/keys/verify", json!({"api_key": secret, "credits": 1})).await.wants(200);
    assert_eq!(allowed.json()["allowed"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_moves_on_a_full_disk_and_nothing_is_lost() {
    let Some(disk) = SmallDisk::mount("32m") else { return };
    let server = Server::start(&disk.data());
    let api = &server.api;
    let account = api.account_with(GRANTED).await;
    let (_, secret) = api.key_of(&account).await;
    let held = json!({"account_id": account, "credits": 1, "expires_in": 86_400});
    let hold = api.post_named("/v1/holds", "held-all-the-time", held).await.wants(201).text_of("id");
    let mut movements = prepare(api, &account).await;
    let before = api.available(&account).await;

    let mut clients = Clients::start(api, &account, "full", CLIENTS);
    clients.wait_for(200).await;
    disk.fill();
    until("charges are refused", async || clients.refused() > 50).await;
    for kind in &mut movements {
        kind.until_refused(api).await;
        let refused = kind.sent.last().expect("one was refused");
        assert_eq!(refused.text_of("code"), "unavailable", "{refused:?}");
        assert!(refused.header("retry-after").is_some(), "{refused:?}");
    }
    reads_go_on(api, &account, &secret, &hold).await;
    let beside = verify(&disk.data());
    assert_eq!(beside.code, Some(0), "{beside:?}");

    disk.free();
    let acknowledged = clients.acknowledged();
    until("charges work again", async || clients.acknowledged() > acknowledged + 20).await;
    for kind in &movements {
        kind.again(api).await;
    }
    let mut record = Record::default();
    record.add(clients.end().await);
    server.kill();

    let server = Server::start(&disk.data());
    record.retry_all(&server.api, &account).await;
    let charged = i64::try_from(record.count()).expect("a small number");
    let moved: i64 = movements.iter().map(Movements::total_effect).sum();
    assert_eq!(server.api.available(&account).await, before - charged + moved);
    for kind in &movements {
        for number in 0..kind.sent.len() {
            assert!(kind.send(&server.api, number).await.is_replayed(), "{}", kind.name(number));
        }
    }
    server.stop();
    let verified = verify(&disk.data());
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_on_a_full_disk_is_recovered_from_once_there_is_space() {
    let Some(disk) = SmallDisk::mount("16m") else { return };
    let server = Server::start(&disk.data());
    let account = server.api.account_with(GRANTED).await;
    let mut clients = Clients::start(&server.api, &account, "full", CLIENTS);
    clients.wait_for(200).await;
    disk.fill();
    until("charges are refused", async || clients.refused() > 20).await;
    server.kill();
    let mut record = clients.end().await;

    // Whether it can start without space is a matter of how little is left; it must not harm anything.
    starts_or_refuses(&disk.data()).await;
    disk.free();
    let server = Server::start(&disk.data());
    record.retry_all(&server.api, &account).await;
    let spent = GRANTED - server.api.available(&account).await;
    assert_eq!(spent, i64::try_from(record.count()).expect("a small number"));
    server.stop();
    assert_eq!(verify(&disk.data()).code, Some(0));
}

/// Starts a server on a full disk: it serves, or it refuses to and names the directory.
async fn starts_or_refuses(data: &Path) {
    let mut process = Process::spawn(serve(data));
    until("it serves or ends", async || {
        process.stdout().contains("coffer is listening on") || process.has_ended()
    })
    .await;
    if process.has_ended() {
        let ended = process.ended();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(&data.display().to_string()), "{}", ended.stderr);
    } else {
        process.signal(Signal::KILL);
        assert_eq!(process.ended().code, None);
    }
}
