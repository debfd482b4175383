//! `examples/verify_statement.py` on statements of a live server, as they are and as somebody has changed them.
//!
//! The script was written from `docs/entries.md` and shares no code with the server: that it agrees is a check of both,
//! and of the document between them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Map, Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::{Api, Ended, Server, coffer, run, run_with_input};

const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const KINDS: [&str; 9] =
    ["grant", "charge", "hold", "capture", "release", "refund", "expire", "void", "adjust"];
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the script on a statement.
fn verify(account: &str, statement: &str, more: &[&str]) -> Ended {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/verify_statement.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(account).args(more);
    run_with_input(command, statement)
}

#[track_caller]
fn fits(account: &str, statement: &str, more: &[&str]) {
    let lines: Vec<&str> = statement.lines().collect();
    let head = lines.last().map_or(GENESIS.to_owned(), |line| text(&entry(line), "hash"));
    let Ended { code, stdout, stderr } = verify(account, statement, more);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert_eq!(stdout, format!("ok: {} entries, head {head}\n", statement.matches('\n').count()));
}

/// What the script says of a statement that does not fit.
#[track_caller]
fn wrong(account: &str, statement: &str, more: &[&str]) -> String {
    let Ended { code, stdout, stderr } = verify(account, statement, more);
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    stderr.trim_end().strip_prefix("wrong: ").unwrap_or_else(|| panic!("{stderr}")).to_owned()
}

#[track_caller]
fn wrong_at(account: &str, statement: &str, seq: usize) {
    let said = wrong(account, statement, &[]);
    assert!(said.starts_with(&format!("line {seq}, entry {seq}: ")), "entry {seq} is wrong: {said}");
}

fn entry(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no text in {name}: {value}")).to_owned()
}

/// The lines of a statement, and how they are put together.
fn split(statement: &str) -> Vec<String> {
    // Not `lines`: a text may hold what ends a line elsewhere.
    statement.split_inclusive('\n').map(str::to_owned).collect()
}

/// A line with one field changed, written as the server writes it.
fn with(line: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let mut changed = entry(line);
    change(changed.as_object_mut().expect("an entry is an object"));
    format!("{changed}\n")
}

/// A text with its last digit changed, if it has one.
fn with_another_digit(text: &str) -> Option<String> {
    let place = text.rfind(|letter: char| letter.is_ascii_digit())?;
    let other = if &text[place..=place] == "1" { "2" } else { "1" };
    Some(format!("{}{other}{}", &text[..place], &text[place + 1..]))
}

async fn statement(api: &Api, account: &str) -> String {
    let path = format!("/v1/accounts/{account}/entries");
    let headers = [("Accept", "application/x-ndjson")];
    api.call(Method::GET, &path, &headers, None).await.expect("an answer").wants(200).text
}

/// A time some seconds from now, as the server's clock has it.
async fn in_seconds(api: &Api, account: &str, seconds: u32) -> String {
    let balance = api.get(&format!("/v1/accounts/{account}/balance")).await.wants(200);
    let now: coffer_ledger::Timestamp = balance.text_of("at").parse().expect("a time");
    now.saturating_add_ms(seconds * 1000).to_string()
}

struct Books {
    server: Server,
    account: String,
    _data: TempDir,
}

/// An account to which everything has happened, with all the texts there can be.
async fn books() -> Books {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let api = &server.api;
    let body = json!({"name": "Acme", "overdraft_limit": 5});
    let account = api.post("/v1/accounts", body).await.wants(201).text_of("id");
    let (_, secret) = api.key_of(&account).await;
    let price = json!({"credits_per_unit": "0.125"});
    let path = "/v1/prices/images%2F%E5%8E%BB%E6%B0%B4%E5%8D%B0";
    api.call(Method::PUT, path, &[], Some(price)).await.expect("an answer").wants(200);
    let mut count = 0;
    let mut send = async |path: &str, body: Value| {
        count += 1;
        let answer = api.post_named(path, &format!("movement-{count}"), body).await;
        assert!([200, 201].contains(&answer.status), "{answer:?}");
        answer.text_of("id")
    };
    let grants = format!("/v1/accounts/{account}/grants");
    let adjustments = format!("/v1/accounts/{account}/adjustments");

    // Texts with what ends lines elsewhere, quotes, and pairs out of order.
    let reference = "order 7 = \"用户\" \u{2028} 😀";
    let metadata = json!({"b": "1:a2:bc", "a": "", "用": "é", "\u{10000}": "x", "\u{ff5e}": "y"});
    let note = json!({"reference": reference, "metadata": metadata});
    let noted = |fields: Value| {
        let mut body = fields.as_object().expect("an object").clone();
        body.extend(note.as_object().expect("an object").clone());
        Value::Object(body)
    };
    let first = send(&grants, noted(json!({"credits": 10}))).await;
    let operation = json!({"api_key": secret, "operation": "images/去水印", "quantity": "2.5"});
    let charge = send("/v1/charges", noted(operation)).await;
    let hold = send("/v1/holds", noted(json!({"api_key": secret, "credits": 4}))).await;
    send(&format!("/v1/holds/{hold}/capture"), json!({"credits": 1, "final": false})).await;
    send(&format!("/v1/holds/{hold}/capture"), json!({"credits": "0.000001"})).await;
    let hold = send("/v1/holds", json!({"account_id": account, "credits": 1})).await;
    send(&format!("/v1/holds/{hold}/capture"), json!({"credits": 3, "excess": "charge"})).await;
    let hold = send("/v1/holds", json!({"account_id": account, "credits": 2})).await;
    send(&format!("/v1/holds/{hold}/release"), json!({})).await;
    send(&format!("/v1/charges/{charge}/refund"), json!({"credits": "0.1"})).await;
    send(&format!("/v1/grants/{first}/void"), json!({})).await;
    send(&format!("/v1/charges/{charge}/refund"), json!({})).await;
    send(&adjustments, json!({"credits": 2, "reason": "double billing of May"})).await;
    let body = json!({"credits": -8, "reason": "chargeback – \"法\"", "allow_negative": true});
    send(&adjustments, body).await;
    send(&grants, noted(json!({"credits": 9}))).await;
    send("/v1/charges", json!({"account_id": account, "credits": 0})).await;
    let expires_at = in_seconds(api, &account, 3).await;
    send(&grants, json!({"credits": "0.5", "priority": 90, "expires_at": expires_at, "reference": "gift"}))
        .await;
    send("/v1/holds", json!({"account_id": account, "credits": 1, "expires_in": 1})).await;

    let deadline = Instant::now() + PATIENCE;
    loop {
        let statement = statement(api, &account).await;
        let entries: Vec<Value> = split(&statement).iter().map(|line| entry(line)).collect();
        let kinds: BTreeSet<String> = entries.iter().map(|entry| text(entry, "kind")).collect();
        let ended =
            |id: &str| entries.iter().any(|entry| entry["hold_id"] == id && entry["kind"] == "release");
        let held = entries.iter().rev().find(|entry| entry["kind"] == "hold").expect("a hold");
        if kinds == BTreeSet::from(KINDS.map(str::to_owned)) && ended(&text(held, "hold_id")) {
            break;
        }
        assert!(Instant::now() < deadline, "something has not happened yet: {kinds:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Books { server, account, _data: data }
}

#[tokio::test]
async fn a_statement_of_everything_fits_and_stays_so_when_its_texts_are_erased() {
    let Books { server, account, _data } = books().await;
    let before = statement(&server.api, &account).await;
    fits(&account, &before, &[]);
    let written = tempdir().expect("a temporary directory");
    let file = written.path().join("statement.ndjson");
    std::fs::write(&file, &before).expect("a file");
    let file = file.to_str().expect("a path that is text");
    let Ended { code, stdout, .. } = verify(&account, "", &[file]);
    assert_eq!((code, stdout.starts_with("ok: ")), (Some(0), true), "{stdout}");

    let lines = split(&before);
    let head = text(&entry(lines.last().expect("entries")), "hash");
    let middle = entry(&lines[lines.len() / 2]);
    let path = format!("/v1/accounts/{account}/erase");
    for body in [json!({"until": text(&middle, "at")}), json!({})] {
        server.api.post(&path, body).await.wants(200);
        let after = statement(&server.api, &account).await;
        assert_ne!(after, before);
        fits(&account, &after, &["--head", &head]);
    }
    let after = statement(&server.api, &account).await;
    for word in ["order 7", "gift", "double billing", "chargeback", "\"salt\""] {
        assert!(before.contains(word) && !after.contains(word), "{word}: {after}");
    }

    // The books go on, and lead through the head of then. The command line has the same statement.
    server.api.grant(&account, 1, "later").await;
    fits(&account, &statement(&server.api, &account).await, &["--head", &head]);
    let arguments = ["statement", "--account", &account, "--format", "ndjson", "--url", server.api.url()];
    let printed = run(coffer(&[&arguments[..], &["--operator-key", server.api.operator_key()]].concat()));
    fits(&account, &printed.stdout, &["--head", &head]);
}

#[tokio::test]
async fn whatever_was_changed_is_found_where_it_was_changed() {
    let Books { server, account, _data } = books().await;
    let lines = split(&statement(&server.api, &account).await);
    let changed = |place: usize, line: String| {
        let mut lines = lines.clone();
        lines[place] = line;
        lines.concat()
    };

    // One digit in each line, of the field that was tried least so far, each time in a statement of its own.
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    for (place, line) in lines.iter().enumerate() {
        let original = entry(line);
        let values = original.as_object().expect("an object").iter();
        let values = values.filter_map(|(name, value)| Some((name, with_another_digit(value.as_str()?)?)));
        let least = values.min_by_key(|(name, _)| tried.get(*name).copied().unwrap_or_default());
        let (name, value) = least.expect("an entry has digits");
        *tried.entry(name.clone()).or_default() += 1;
        let line = with(line, |entry| _ = entry.insert(name.clone(), value.into()));
        wrong_at(&account, &changed(place, line), place + 1);
    }
    assert!(tried.len() >= 15, "{tried:?}");

    let last = lines.len() - 1;
    for place in [0, 3, last - 1] {
        let seq = place + 1;
        let mut without = lines.clone();
        without.remove(place);
        wrong_at(&account, &without.concat(), seq);
        let mut swapped = lines.clone();
        swapped.swap(place, place + 1);
        wrong_at(&account, &swapped.concat(), seq);
        let mut twice = lines.clone();
        twice.insert(place, lines[place].clone());
        wrong_at(&account, &twice.concat(), seq + 1);
        // Left out and numbered anew.
        let renumbered = without
            .iter()
            .enumerate()
            .map(|(place, line)| with(line, |entry| _ = entry.insert("seq".into(), json!(place + 1))));
        wrong_at(&account, &renumbered.collect::<String>(), seq);
    }
}

#[tokio::test]
async fn what_the_hash_does_not_cover_is_not_let_in() {
    let Books { server, account, _data } = books().await;
    let whole = statement(&server.api, &account).await;
    let lines = split(&whole);
    let place = |fits: &dyn Fn(&Value) -> bool| {
        lines.iter().position(|line| fits(&entry(line))).expect("there is one")
    };
    let noted = place(&|entry| entry["reference"].is_string() && entry["metadata"].is_object());
    let adjusted = place(&|entry| entry["reason"].is_string());
    let priced = place(&|entry| entry["quantity"].is_string());
    let captured = place(&|entry| entry["kind"] == "capture");
    type Change = fn(&mut Map<String, Value>);
    let changes: [(usize, Change); 14] = [
        (noted, |entry| _ = entry.insert("reference".into(), json!("order 8"))),
        (noted, |entry| _ = entry.insert("metadata".into(), json!({"a": "b"}))),
        (adjusted, |entry| _ = entry.insert("reason".into(), json!("because"))),
        // A text that nobody can check is no proof of anything.
        (noted, |entry| _ = entry.remove("salt")),
        (noted, |entry| _ = entry.remove("reference_digest")),
        (captured, |entry| _ = entry.insert("reason".into(), json!("because"))),
        (priced, |entry| _ = entry.remove("quantity")),
        (priced, |entry| {
            let (operation, quantity) = (entry["operation"].clone(), entry["quantity"].clone());
            let both =
                format!("{}\nquantity={}", operation.as_str().unwrap_or(""), quantity.as_str().unwrap_or(""));
            entry.insert("operation".into(), json!(both));
            entry.remove("quantity");
        }),
        (captured, |entry| _ = entry.insert("comment".into(), json!("paid"))),
        (captured, |entry| _ = entry.insert("seq".into(), json!("6"))),
        (captured, |entry| _ = entry.insert("lots".into(), json!([]))),
        (captured, |entry| _ = entry.insert("lots".into(), json!("none"))),
        (captured, |entry| _ = entry.remove("at")),
        (captured, |entry| _ = entry.insert("kind".into(), json!("charge"))),
    ];
    for (place, change) in changes {
        let mut changed = lines.clone();
        changed[place] = with(&lines[place], change);
        wrong_at(&account, &changed.concat(), place + 1);
    }
    for line in ["", "\n", "{}\n", "[]\n", "nonsense\n", &lines[captured][..lines[captured].len() / 2]] {
        let mut changed = lines.clone();
        changed[captured] = line.to_owned();
        wrong_at(&account, &changed.concat(), captured + 1);
    }
    let twice = lines[captured].replacen("{\"seq\":", "{\"credits\":\"-100\",\"seq\":", 1);
    let mut changed = lines.clone();
    changed[captured] = twice;
    wrong_at(&account, &changed.concat(), captured + 1);

    let other = server.api.account_with(1).await;
    wrong_at(&other, &whole, 1);
    wrong_at(&account, &statement(&server.api, &other).await, 1);
}

#[tokio::test]
async fn a_head_that_was_kept_shows_what_was_cut_off() {
    let Books { server, account, _data } = books().await;
    let whole = statement(&server.api, &account).await;
    let mut lines = split(&whole);
    let head = text(&entry(&lines.pop().expect("entries")), "hash");
    let cut = lines.concat();
    fits(&account, &cut, &[]);
    let said = wrong(&account, &cut, &["--head", &head]);
    assert!(said.contains(&format!("none of the {} entries has the hash {head}", lines.len())), "{said}");
    for kept in [GENESIS, &text(&entry(&lines[0]), "hash"), &text(&entry(&lines[4]), "hash"), &head] {
        fits(&account, &whole, &["--head", kept]);
    }
    wrong(&account, &whole, &["--head", &"1".repeat(64)]);
    fits(&account, "", &[]);
    for more in [&["--head", "nonsense"][..], &["no-such-file"], &["--colour"]] {
        assert_eq!(verify(&account, "", more).code, Some(2), "{more:?}");
    }
}
