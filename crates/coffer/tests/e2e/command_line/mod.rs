//! The commands that talk to a running server: what they do, what they print, and how they end.

mod desk;

mod credits;
mod customers;
mod statement;

use std::net::TcpListener;

use serde_json::Value;
use tempfile::tempdir;
use tokio::net::TcpSocket;

use crate::support::{Ended, Server, coffer, run, run_with_input};
use crate::wire::Wire;
use desk::{Desk, at, done, text, whole_request};

#[tokio::test]
async fn operators_keys() {
    let desk = Desk::open();
    let create = ["operator-key", "create", "--name", "nightly job", "--scopes", "read,charge"];
    let made = desk.json(&create);
    let (id, secret) = (text(&made, "id"), text(&made, "secret"));
    let api = desk.server.api.with_operator_key(&secret);
    assert_eq!(api.get("/v1/accounts").await.status, 200);
    assert_eq!(api.post("/v1/accounts", serde_json::json!({"name": "x"})).await.status, 403);

    let list = desk.done(&["operator-key", "list"]);
    assert!(list.contains(&id) && list.contains("nightly job") && !list.contains(&secret), "{list}");
    assert_eq!(desk.json(&["operator-key", "revoke", &id])["status"], "revoked");
    assert_eq!(api.get("/v1/accounts").await.status, 401);
}

#[tokio::test]
async fn the_last_operators_key_stays() {
    let desk = Desk::open();
    let only = text(&desk.json(&["operator-key", "list"])["data"][0], "id");
    let refused = desk.run(&["operator-key", "revoke", &only]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("conflict"), "{}", refused.stderr);
}

#[tokio::test]
async fn an_operators_key_is_made_where_no_server_runs() {
    let data = tempdir().expect("a temporary directory");
    Server::start(data.path()).stop();
    std::fs::remove_file(data.path().join("operator.key")).expect("the first start leaves it");

    let made = run(at("http://127.0.0.1:1", data.path(), &["operator-key", "create", "--json"]));
    assert_eq!(made.code, Some(0), "{made:?}");
    let mut made: Value = serde_json::from_str(&made.stdout).expect("JSON");
    let command = crate::support::serve(data.path());
    let server = Server::start_with(command, &text(&made, "secret"));
    let list = server.api.get("/v1/operator-keys").await.wants(200).json();
    made.as_object_mut().expect("an object").remove("secret");
    assert_eq!(list["data"][0], made, "what is told is what a server would tell");
}

#[tokio::test]
async fn the_operators_key_comes_from_wherever_it_is() {
    let desk = Desk::open();
    let (url, key) = (desk.server.api.url(), desk.server.api.operator_key());
    let list = |more: &[&str]| coffer(&[&["account", "list", "--url", url], more].concat());
    let elsewhere = tempdir().expect("a temporary directory");

    done(run(list(&["--operator-key", key])), &["--operator-key"]);
    let mut command = list(&[]);
    command.env("COFFER_OPERATOR_KEY", key);
    done(run(command), &["COFFER_OPERATOR_KEY"]);
    let mut command = list(&[]);
    command.env("COFFER_OPERATOR_KEY_FILE", desk.data.path().join("operator.key"));
    done(run(command), &["COFFER_OPERATOR_KEY_FILE"]);
    let mut command = coffer(&["account", "list"]);
    command.env("COFFER_URL", url).env("COFFER_DATA", desk.data.path());
    done(run(command), &["COFFER_DATA"]);

    let mut command = list(&[]);
    command.current_dir(elsewhere.path());
    let keyless = run(command);
    assert_eq!(keyless.code, Some(2), "{keyless:?}");
    assert!(keyless.stderr.contains("operator key"), "{}", keyless.stderr);
    let wrong = run(list(&["--operator-key", "wrong"]));
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stderr.contains("unauthorized"), "{}", wrong.stderr);
}

#[tokio::test]
async fn what_could_not_be_told_is_a_failure() {
    let desk = Desk::open();
    let account = desk.account_with("1");
    let commands: [&[&str]; 3] =
        [&["key", "create", "--account", &account, "--name", "site"], &["openapi"], &["verify"]];
    for arguments in commands {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
        let ended = desk.command(arguments).stdout(full).output().expect("it can be run");
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {ended:?}");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains("standard output"), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn exit_codes() {
    let desk = Desk::open();
    let account = desk.account_with("1");
    let nobody = "acc_00000000000000000000000000";
    for (arguments, code, said) in [
        (vec!["balance", "--account", &account], 0, ""),
        (vec!["charge", "--account", &account, "--credits", "2"], 1, "insufficient_credits"),
        (vec!["charge", "--account", &account, "--credits", "1.0000001"], 1, "credits"),
        (vec!["charge", "--account", nobody, "--credits", "2"], 1, "not_found"),
        (vec!["account", "show", nobody], 1, "not_found"),
        (vec!["account", "list", "--limit", "101"], 1, "limit"),
        (vec!["account", "show", "../../livez"], 2, "no id"),
        (vec!["account", "show"], 2, "<ID>"),
        (vec!["charge", "--account", &account], 2, "--credits"),
        (vec!["charge", "--account", &account, "--credits", "1", "--colour", "green"], 2, "--colour"),
        (vec!["account", "create", "--name", "x", "--metadata", "novalue"], 2, "KEY=VALUE"),
        (vec!["no-such-command"], 2, "no-such-command"),
    ] {
        let ended = desk.run(&arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout.is_empty(), code != 0, "{arguments:?}: {}", ended.stdout);
    }
}

#[tokio::test]
async fn a_refusal_as_json_is_the_problem() {
    let desk = Desk::open();
    let account = desk.account_with("1");
    let refused = desk.run(&["charge", "--account", &account, "--credits", "2", "--json"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let problem: Value = serde_json::from_str(&refused.stdout).expect("JSON");
    assert_eq!((&problem["code"], &problem["status"]), (&"insufficient_credits".into(), &402.into()));
    assert_eq!((&problem["required"], &problem["available"]), (&"2".into(), &"1".into()));
}

/// The idempotency key that a command shows when it fails.
fn name_shown(ended: &Ended) -> String {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let mut words = ended.stderr.split_whitespace().skip_while(|word| *word != "--idempotency-key");
    words.nth(1).unwrap_or_else(|| panic!("no idempotency key is shown: {}", ended.stderr)).to_owned()
}

#[tokio::test]
async fn a_charge_whose_answer_was_lost_is_tried_again_under_the_name_that_is_shown() {
    let desk = Desk::open();
    let account = desk.account_with("10");
    let charge = ["charge", "--account", &account, "--credits", "3"];
    let url = loses_the_answer(&desk.server.address);
    let lost = run(at(&url, desk.data.path(), &charge));
    let name = name_shown(&lost);
    assert_eq!(desk.server.api.available(&account).await, 7, "the charge was carried out, and nobody heard");

    let again = [&charge[..], &["--idempotency-key", &name]].concat();
    let first = desk.json(&again);
    assert_eq!(desk.json(&again)["id"], first["id"]);
    assert_eq!(desk.server.api.available(&account).await, 7);
}

#[tokio::test]
async fn a_charge_that_reached_nobody_is_tried_again_under_the_name_that_is_shown() {
    let desk = Desk::open();
    let account = desk.account_with("10");
    let charge = ["charge", "--account", &account, "--credits", "3"];
    let (_kept, url) = nobody();
    let name = name_shown(&run(at(&url, desk.data.path(), &charge)));
    desk.done(&[&charge[..], &["--idempotency-key", &name]].concat());
    desk.done(&[&charge[..], &["--idempotency-key", &name]].concat());
    assert_eq!(desk.server.api.available(&account).await, 7);
}

#[test]
fn whatever_moves_credits_shows_the_name_to_try_again_under() {
    let (_kept, url) = nobody();
    let failed = |arguments: &[&str]| {
        let command = coffer(&[arguments, &["--url", &url, "--operator-key", "key"]].concat());
        run_with_input(command, "{}")
    };
    for arguments in [
        &["grant", "--account", "acc_1", "--credits", "1"][..],
        &["grant", "void", "grt_1"],
        &["charge", "--account", "acc_1", "--operation", "image-resize"],
        &["refund", "chg_1"],
        &["hold", "--account", "acc_1", "--credits", "1"],
        &["hold", "capture", "hld_1"],
        &["hold", "release", "hld_1"],
        &["adjust", "--account", "acc_1", "--credits", "-1", "--reason", "counted twice"],
    ] {
        assert!(name_shown(&failed(arguments)).starts_with("cli-"), "{arguments:?}");
    }
    for arguments in [&["account", "erase", "acc_1"][..], &["key", "rotate", "key_1"], &["price", "list"]] {
        let ended = failed(arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(!ended.stderr.contains("--idempotency-key"), "{arguments:?}: {}", ended.stderr);
    }
    let batch = failed(&["batch"]);
    assert_eq!(batch.code, Some(1), "{batch:?}");
    assert!(
        batch.stderr.contains("send the same batch"),
        "its operations have their names: {}",
        batch.stderr
    );
}

/// Where nobody listens, and nobody else can as long as the socket is kept.
fn nobody() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let url = format!("http://{}", socket.local_addr().expect("a bound port"));
    (socket, url)
}

/// A proxy that passes one request on, waits for its answer, and hangs up instead of passing it back.
fn loses_the_answer(server: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound port"));
    let server = server.to_owned();
    std::thread::spawn(move || {
        let (client, _) = listener.accept().expect("the client connects");
        let request = whole_request(&client);
        let mut wire = Wire::open(&server);
        wire.send(request);
        assert_eq!(wire.answer().status, 201);
        drop(client);
    });
    url
}
