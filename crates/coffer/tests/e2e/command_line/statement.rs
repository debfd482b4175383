//! What an account had, what has happened to it, and what it has spent.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::{Value, json};

use super::desk::{Desk, stand_in, text};
use crate::support::{Ended, coffer, run};

#[tokio::test]
async fn a_balance_as_it_stood() {
    let desk = Desk::open();
    let account = desk.account_with("10");
    let at = text(&desk.json(&["balance", "--account", &account]), "at");
    desk.done(&["charge", "--account", &account, "--credits", "3"]);
    let then = desk.json(&["balance", "--account", &account, "--at", &at]);
    assert_eq!(
        (&then["available"], &then["held"], &then["grants"]),
        (&"10".into(), &"0".into(), &Value::Null)
    );
    let table = desk.done(&["balance", "--account", &account, "--at", &at]);
    assert!(table.contains("10") && !table.contains("REMAINING"), "{table}");
    assert_eq!(desk.json(&["balance", "--account", &account])["available"], "7");
}

#[tokio::test]
async fn entries_in_pages() {
    let desk = Desk::open();
    let account = desk.account_with("10");
    desk.done(&["charge", "--account", &account, "--credits", "3", "--reference", "order 1"]);
    desk.done(&["charge", "--account", &account, "--credits", "2"]);
    let statement = ["statement", "--account", &account];
    let path = format!("/v1/accounts/{account}/entries");
    let entries = desk.json(&statement);
    assert_eq!(entries, desk.server.api.get(&path).await.json());
    let numbers = |page: &Value| -> Vec<u64> {
        let entries = page["data"].as_array().expect("a list");
        entries.iter().map(|entry| entry["seq"].as_u64().expect("a number")).collect()
    };
    assert_eq!(numbers(&entries), [3, 2, 1], "newest first");

    let page = desk.done(&[&statement[..], &["--limit", "1"]].concat());
    assert!(page.contains("charge") && page.contains("-2") && !page.contains("order 1"), "{page}");
    let cursor = page.lines().find_map(|line| line.strip_prefix("more: --cursor ")).expect("there is more");
    let page = desk.done(&[&statement[..], &["--limit", "1", "--cursor", cursor]].concat());
    assert!(page.contains("order 1") && page.contains("-3"), "{page}");
    let grants = desk.json(&[&statement[..], &["--kind", "grant"]].concat());
    assert_eq!(numbers(&grants), [1]);
    let from = text(&entries["data"][1], "at");
    assert_eq!(numbers(&desk.json(&[&statement[..], &["--from", &from]].concat())), [3, 2]);
    assert_eq!(numbers(&desk.json(&[&statement[..], &["--to", &from]].concat())), [1]);
}

#[tokio::test]
async fn the_whole_range_for_a_spreadsheet_or_a_program() {
    let desk = Desk::open();
    let account = desk.account_with("200");
    // More than a page.
    for name in 0..120 {
        let charged = desk.server.api.charge(&account, 1, &format!("charge-{name}")).await;
        charged.expect("an answer").wants(201);
    }
    let statement = ["statement", "--account", &account, "--format"];
    let csv = desk.done(&[&statement[..], &["csv"]].concat());
    assert_eq!(csv.lines().count(), 122, "a line of headings, and one for each entry: {csv}");
    assert!(csv.lines().nth(1).is_some_and(|line| line.contains("grant")), "oldest first: {csv}");

    let lines = desk.done(&[&statement[..], &["ndjson"]].concat());
    let entries = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let numbers: Vec<u64> = entries.map(|entry| entry["seq"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, (1..=121).collect::<Vec<u64>>());
    let grants = desk.done(&[&statement[..], &["ndjson", "--kind", "grant"]].concat());
    assert_eq!(grants.lines().count(), 1, "{grants}");

    let refused = desk.run(&[&statement[..], &["csv", "--kind", "no-such-kind"]].concat());
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
    assert!(refused.stderr.contains("invalid_request"), "{}", refused.stderr);
    for more in [&["csv", "--limit", "1"][..], &["ndjson", "--cursor", "x"], &["csv", "--json"], &["xml"]] {
        assert_eq!(desk.run(&[&statement[..], more].concat()).code, Some(2), "{more:?}");
    }
}

#[tokio::test]
async fn what_was_spent_is_summed_up() {
    let desk = Desk::open();
    let account = desk.account_with("100");
    let charge = text(&desk.json(&["charge", "--account", &account, "--credits", "7"]), "id");
    desk.done(&["charge", "--account", &account, "--credits", "3"]);
    desk.done(&["refund", &charge, "--credits", "2"]);
    let usage = ["usage", "--account", &account];
    let path = format!("/v1/accounts/{account}/usage");
    for by in ["day", "key", "operation"] {
        let sums = desk.json(&[&usage[..], &["--by", by]].concat());
        assert_eq!(sums, desk.server.api.get(&format!("{path}?by={by}")).await.json());
        let rows = sums["data"].as_array().expect("a list");
        assert!(rows.len() == 1 || by == "day", "midnight may come between, and nothing else: {sums}");
        let sum = |of: &str| -> i64 {
            rows.iter().map(|row| text(row, of).parse::<i64>().expect("whole credits")).sum()
        };
        assert_eq!((&sums["by"], sum("credits"), sum("charged")), (&by.into(), 8, 10), "{sums}");
        let table = desk.done(&[&usage[..], &["--by", by]].concat());
        assert!(table.contains(&by.to_uppercase()), "{table}");
        assert!(rows.iter().all(|row| table.contains(&text(row, "charged"))), "{table}");
    }
    let nothing = desk.json(&[&usage[..], &["--to", "2020-01-01T00:00:00Z"]].concat());
    assert_eq!((&nothing["by"], &nothing["data"]), (&"day".into(), &json!([])));
}

/// A statement from a stand-in for a server.
fn statement_from(url: &str) -> Ended {
    let statement = ["statement", "--account", "acc_1", "--format", "csv", "--from", "2026-01-01T00:00:00Z"];
    run(coffer(&[&statement[..], &["--operator-key", "key", "--url", url]].concat()))
}

const LINE: &str = "1,grant,10\n";
const LINES_A_CHUNK: usize = 1000;

/// Answers with so many chunks of a statement, and leaves its end to whoever calls.
fn write_chunks(client: &mut TcpStream, count: usize) {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/csv; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", LINE.len() * LINES_A_CHUNK, LINE.repeat(LINES_A_CHUNK));
    write!(client, "{head}").expect("the client reads");
    for _ in 0..count {
        // The client may have had enough.
        if client.write_all(chunk.as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn a_statement_has_no_largest_size() {
    const CHUNKS: usize = 2000;
    let (url, server) = stand_in(|client| {
        write_chunks(client, CHUNKS);
        write!(client, "0\r\n\r\n").expect("the client reads");
    });
    let ended = statement_from(&url);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout.len(), LINE.len() * LINES_A_CHUNK * CHUNKS);
    let request = server.join().expect("the stand-in has answered");
    assert!(request.starts_with("GET /v1/accounts/acc_1/entries?from=2026-01-01T00%3A00%3A00Z HTTP/1.1\r\n"));
    assert!(request.to_ascii_lowercase().contains("\r\naccept: text/csv\r\n"), "{request}");
}

#[test]
fn half_a_statement_is_no_statement() {
    let (url, server) = stand_in(|client| write_chunks(client, 3));
    let ended = statement_from(&url);
    server.join().expect("the stand-in has answered");
    assert_eq!((ended.code, ended.stdout.len()), (Some(1), LINE.len() * LINES_A_CHUNK * 3));
    assert!(ended.stderr.contains("broke off"), "{}", ended.stderr);
}

#[test]
fn a_server_without_statements_is_told_from_one_with_an_empty_statement() {
    let (url, server) = stand_in(|client| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        write!(client, "{head}").expect("the client reads");
    });
    let ended = statement_from(&url);
    server.join().expect("the stand-in has answered");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("no text/csv"), "{}", ended.stderr);
}

#[test]
fn whoever_reads_a_statement_may_have_had_enough() {
    let (url, server) = stand_in(|client| write_chunks(client, 5000));
    let statement = ["statement", "--account", "acc_1", "--format", "csv", "--operator-key", "key"];
    let mut command = coffer(&[&statement[..], &["--url", &url]].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("the binary ends");
    server.join().expect("the stand-in has answered");
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}
