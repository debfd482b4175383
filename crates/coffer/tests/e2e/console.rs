//! An operator in a real browser: signs in to the console, grants, refunds and finds the entry. axe looks at every page.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{Ended, Process, Server};

/// How long a whole scenario may take, its browser's start among it: each of its many steps has a bound of its own.
const SCENARIO_MAX: Duration = Duration::from_secs(300);

/// What a scenario in `tests/browser` has seen.
pub(crate) fn seen(script: &str, arguments: &[&str]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new("node");
    command.arg(format!("tests/browser/{script}")).args(arguments).current_dir(root);
    let Ended { code, stdout, stderr } = Process::spawn(command).ended_within(SCENARIO_MAX);
    let needs = "apt install nodejs npm chromium (or CHROMIUM with its path), and npm ci in tests/browser";
    assert_eq!(code, Some(0), "{script} failed; it needs {needs}\n{stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_grants_refunds_and_finds_the_entry() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let api = &server.api;
    for name in ["Acme Studio", "ACME Labs", "Bolt"] {
        let account = api.post("/v1/accounts", json!({"name": name})).await.wants(201).text_of("id");
        api.grant(&account, 100, "first").await;
        let charge = json!({"account_id": account, "credits": 10, "reference": "job 9"});
        api.post_named("/v1/charges", "charge", charge).await.wants(201);
    }
    let seen = seen("console.mjs", &[api.url(), api.operator_key()]);

    let none: [&str; 0] = [];
    assert_eq!(seen["findings"], json!(none), "axe finds nothing serious");
    assert_eq!(seen["complaints"], json!(none), "nothing is refused by the policy of the pages");
    assert_eq!(seen["refused"]["cookies"], json!(none), "a wrong key lets nobody in");
    assert_eq!(seen["found"], 2, "accounts whose names begin so");
    assert_eq!(text(&seen, "granted"), "The credits are granted.");
    let [grant, refund] = ["grantEntry", "refundEntry"].map(|name| text(&seen, name));
    for said in ["#3", "Grant", "invoice 7", "+250.5", "340.5"] {
        assert!(grant.contains(said), "{said} in {grant}");
    }
    let dialog = json!({
        "kept": "5", "focus": "Grant credits", "filter": "?kind=charge", // a press beside a field closes nothing
        "left": true, "added": 0, // by the link, and Back leads to where it was opened
        "again": 0, // what was shown once
    });
    assert_eq!(seen["dialog"], dialog, "a dialog is left by who wants to, and the page stays what it was");
    assert!(text(&seen, "tooMuch").contains("10 credits to give back"), "{seen}");
    assert_eq!(text(&seen, "toMend"), "credits", "the field that is wrong has the focus");
    assert_eq!(text(&seen, "refunded"), "The credits are given back.");
    for said in ["#4", "Refund", "+2", "342.5"] {
        assert!(refund.contains(said), "{said} in {refund}");
    }
    assert_eq!(seen["refundEntries"], 1, "what was refused left no entry");
    let audit: Vec<&str> =
        seen["audit"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    for said in ["Charge refunded", "Credits granted", "Signed in"] {
        assert!(audit.iter().any(|row| row.contains(said)), "{said} in {audit:?}");
    }
    assert_eq!(text(&seen, "chinese"), "审计日志");
    assert_eq!(text(&seen, "afterwards"), "/console/sign-in", "a session that was ended is over");

    let account = api.get("/v1/accounts?limit=3").await.json();
    let studio = account["data"].as_array().expect("a list").iter().find(|one| one["name"] == "Acme Studio");
    assert_eq!(studio.expect("the account")["balance"]["available"], "342.5");
}

pub(crate) fn text<'a>(seen: &'a Value, name: &str) -> &'a str {
    seen[name].as_str().unwrap_or_else(|| panic!("no {name} in {seen}")).trim()
}
