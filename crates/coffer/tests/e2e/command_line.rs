//! The commands that talk to a running server: what they do, what they print, and how they end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::support::{DEAD_KEY, Ended, Server, coffer, run, run_with_input, user_credits};
use crate::wire::Wire;

/// A server, and the command line of somebody on the same machine.
struct Desk {
    server: Server,
    data: TempDir,
}

impl Desk {
    fn open() -> Desk {
        let data = tempdir().expect("a temporary directory");
        Desk { server: Server::start(data.path()), data }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        at(self.server.api.url(), self.data.path(), arguments)
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        run(self.command(arguments))
    }

    /// What a command that does its work prints for people.
    fn done(&self, arguments: &[&str]) -> String {
        done(self.run(arguments), arguments)
    }

    /// What a command that does its work prints for programs.
    fn json(&self, arguments: &[&str]) -> Value {
        let stdout = self.done(&[arguments, &["--json"]].concat());
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {stdout}"))
    }

    fn account(&self) -> String {
        text(&self.json(&["account", "create", "--name", "Acme"]), "id")
    }

    fn account_with(&self, credits: &str) -> String {
        let account = self.account();
        self.done(&["grant", "--account", &account, "--credits", credits]);
        account
    }
}

/// A command that talks to a server, with the operator's key of a data directory.
fn at(url: &str, data: &Path, arguments: &[&str]) -> Command {
    let mut command = coffer(arguments);
    command.args(["--url", url, "--data"]).arg(data);
    command
}

fn done(ended: Ended, arguments: &[&str]) -> String {
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    assert!(ended.stderr.is_empty(), "{arguments:?}: {}", ended.stderr);
    ended.stdout
}

fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_else(|| panic!("no text in {field}: {object}")).to_owned()
}

#[tokio::test]
async fn accounts() {
    let desk = Desk::open();
    let create =
        ["account", "create", "--name", "Acme & Söhne", "--external-id", "crm-7", "--overdraft-limit"];
    let made = desk.json(&[&create[..], &["2.50", "--metadata", "tier=gold=1"]].concat());
    let id = text(&made, "id");
    assert_eq!(made, desk.server.api.get(&format!("/v1/accounts/{id}")).await.json());
    assert_eq!((&made["name"], &made["external_id"]), (&Value::from("Acme & Söhne"), &Value::from("crm-7")));
    assert_eq!(made["overdraft_limit"], "2.5");
    assert_eq!(made["metadata"]["tier"], "gold=1");
    assert_eq!(desk.json(&["account", "show", &id]), made);
    let table = desk.done(&["account", "show", &id]);
    assert!(table.contains(&id) && table.contains("Acme & Söhne") && table.contains("active"), "{table}");
}

#[tokio::test]
async fn accounts_in_pages() {
    let desk = Desk::open();
    let (first, second) = (desk.account(), desk.account());
    assert_eq!(desk.json(&["account", "list"]), desk.server.api.get("/v1/accounts").await.json());
    assert_eq!(desk.json(&["account", "list", "--external-id", "a b&c"])["data"], Value::Array(Vec::new()));
    assert_eq!(desk.json(&["account", "list", "--status", "frozen"])["data"], Value::Array(Vec::new()));

    let page = desk.done(&["account", "list", "--limit", "1"]);
    assert!(page.contains(&second) && !page.contains(&first), "newest first: {page}");
    let cursor = page.lines().find_map(|line| line.strip_prefix("more: --cursor ")).expect("there is more");
    let page = desk.done(&["account", "list", "--limit", "1", "--cursor", cursor]);
    assert!(page.contains(&first) && !page.contains(&second) && !page.contains("more:"), "{page}");
}

#[tokio::test]
async fn keys_from_their_first_day_to_their_last() {
    let desk = Desk::open();
    let account = desk.account_with("12");
    let made = desk.json(&["key", "create", "--account", &account, "--name", "site"]);
    let (id, secret) = (text(&made, "id"), text(&made, "secret"));
    assert_eq!(desk.server.api.read_balance(&secret).await.text, user_credits("12"));
    let table = desk.done(&["key", "create", "--account", &account, "--name", "shown"]);
    assert!(table.contains("cof_live_"), "the secret is shown once: {table}");

    let list = desk.done(&["key", "list", "--account", &account]);
    assert!(list.contains(&id) && list.contains("site") && list.contains("shown"), "{list}");
    assert!(!list.contains(&secret), "the secret is shown once: {list}");
    let path = format!("/v1/accounts/{account}/keys");
    let listed = desk.json(&["key", "list", "--account", &account]);
    assert_eq!(listed, desk.server.api.get(&path).await.json());

    assert_eq!(desk.json(&["key", "revoke", &id])["status"], "revoked");
    assert_eq!(desk.server.api.read_balance(&secret).await.text, DEAD_KEY);
}

#[tokio::test]
async fn a_key_with_a_limit_and_an_end() {
    let desk = Desk::open();
    let account = desk.account();
    let key =
        ["key", "create", "--account", &account, "--name", "site", "--expires-at", "2099-01-01T00:00:00Z"];
    let made = desk.json(&[&key[..], &["--limit", "5", "--limit-period", "day"]].concat());
    assert_eq!(made["expires_at"], "2099-01-01T00:00:00.000Z");
    assert_eq!((&made["limit"]["credits"], &made["limit"]["period"]), (&"5".into(), &"day".into()));
    assert_eq!(desk.run(&[&key[..], &["--limit", "5"]].concat()).code, Some(2), "a limit is for a period");
}

#[tokio::test]
async fn a_customers_own_secret_is_read_from_standard_input() {
    let desk = Desk::open();
    let account = desk.account_with("3.5");
    let secret = "a-secret-of-old-that-a-customer-has-already";
    let arguments = ["key", "import", "--account", &account, "--name", "old"];
    let table = done(run_with_input(desk.command(&arguments), &format!("{secret}\n")), &arguments);
    assert!(!table.contains(secret), "{table}");
    assert_eq!(desk.server.api.read_balance(secret).await.text, user_credits("3.5"));

    let known = run_with_input(desk.command(&arguments), secret);
    assert_eq!(known.code, Some(1), "{known:?}");
    assert!(known.stderr.contains("conflict"), "{}", known.stderr);
    let weak = run_with_input(desk.command(&arguments), "only-18-characters");
    assert_eq!(weak.code, Some(1), "{weak:?}");
    let weak = [&arguments[..], &["--allow-weak"]].concat();
    done(run_with_input(desk.command(&weak), "only-18-characters"), &weak);
    assert_eq!(desk.server.api.read_balance("only-18-characters").await.text, user_credits("3.5"));
}

#[tokio::test]
async fn credits_are_given_and_spent() {
    let desk = Desk::open();
    let account = desk.account();
    let grant = ["grant", "--account", &account, "--credits", "10.25", "--category", "promotional"];
    let granted = desk.json(&[&grant[..], &["--priority", "7", "--reference", "invoice 1"]].concat());
    let (grant_id, category) = (text(&granted, "id"), text(&granted, "category"));
    assert_eq!((granted["priority"].as_u64(), category.as_str()), (Some(7), "promotional"));

    let charge = ["charge", "--account", &account, "--credits", "0.25", "--reference", "order 1"];
    let charged = desk.json(&[&charge[..], &["--metadata", "image=42.png"]].concat());
    let path = format!("/v1/charges/{}", text(&charged, "id"));
    assert_eq!(charged, desk.server.api.get(&path).await.json());
    assert_eq!((&charged["reference"], &charged["metadata"]["image"]), (&"order 1".into(), &"42.png".into()));
    assert_eq!(charged["balance"]["available"], "10");

    let balance = desk.json(&["balance", "--account", &account]);
    assert_eq!(balance["available"], "10");
    let table = desk.done(&["balance", "--account", &account]);
    assert!(table.contains("10") && table.contains(&grant_id), "{table}");
}

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
    let made: Value = serde_json::from_str(&made.stdout).expect("JSON");
    let command = crate::support::serve(data.path());
    let server = Server::start_with(command, &text(&made, "secret"));
    server.api.get("/v1/operator-keys").await.wants(200);
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
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("a bound port");
    let name = name_shown(&run(at(&format!("http://{nobody}"), desk.data.path(), &charge)));
    desk.done(&[&charge[..], &["--idempotency-key", &name]].concat());
    desk.done(&[&charge[..], &["--idempotency-key", &name]].concat());
    assert_eq!(desk.server.api.available(&account).await, 7);
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

fn whole_request(client: &TcpStream) -> Vec<u8> {
    let mut reader = BufReader::new(client);
    let mut request = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("the client sends its headers");
        write!(request, "{line}").expect("memory takes it");
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the client sends its body");
    request.extend(body);
    request
}
