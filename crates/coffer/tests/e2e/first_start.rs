//! Starting and ending: `coffer dev`, the first operator's key, the data directory's lock, and configuration.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::support::{
    Api, BALANCE_PATH, DEAD_KEY, Process, Server, coffer, run, run_refused, serve, user_credits,
};

const CONFIGURED_KEY: &str = "an-operators-key-of-42-visible-characters!";

fn directory() -> TempDir {
    tempdir().expect("a temporary directory")
}

/// `coffer dev`, whose own temporary directory is made in `temporary`.
fn dev(temporary: &Path) -> Process {
    let mut command = coffer(&["dev", "--listen", "127.0.0.1:0"]);
    command.env("TMPDIR", temporary);
    Process::spawn(command)
}

fn files_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("the directory is there");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<String> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

async fn is_let_in(api: &Api) -> bool {
    match api.get("/v1/accounts").await.status {
        200 => true,
        401 => false,
        other => panic!("neither let in nor turned away: {other}"),
    }
}

#[test]
fn the_curl_line_of_dev_works_as_it_is_pasted() {
    let temporary = directory();
    let mut process = dev(temporary.path());
    let line = format!("curl {}", process.line("  curl "));

    let mut shell = Command::new("sh");
    shell.args(["-c", &line]);
    let pasted = run(shell);
    assert_eq!(pasted.code, Some(0), "curl is needed (apt install curl): {line}\n{}", pasted.stderr);
    assert_eq!(pasted.stdout, user_credits("1234"), "{line}");
}

#[tokio::test]
async fn dev_prints_keys_that_work() {
    let temporary = directory();
    let mut process = dev(temporary.path());
    let address = process.line("coffer is listening on http://");
    let operator_key = process.line("Operator key ");
    let secret = process.line("Customer's key ");

    let api = Api::new(&address, operator_key.trim());
    assert_eq!(api.read_balance(secret.trim()).await.text, user_credits("1234"));
    assert_eq!(api.get("/v1/accounts?external_id=sample").await.json()["data"][0]["name"], "Sample account");
}

#[test]
fn dev_leaves_nothing_behind() {
    for signal in [Signal::TERM, Signal::INT] {
        let temporary = directory();
        let mut process = dev(temporary.path());
        process.line("  curl ");
        assert_eq!(files_in(temporary.path()).len(), 1, "the fresh data is where TMPDIR says");
        process.signal(signal);
        let ended = process.ended();
        assert_eq!(ended.code, Some(0), "{signal:?}: {}", ended.stderr);
        assert_eq!(files_in(temporary.path()), Vec::<String>::new(), "{signal:?}");
    }
}

#[tokio::test]
async fn dev_on_kept_data_gives_its_credits_once() {
    let data = directory();
    for _ in 0..2 {
        let mut command = coffer(&["dev", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(data.path());
        let mut process = Process::spawn(command);
        let address = process.line("coffer is listening on http://");
        let secret = process.line("Customer's key ");
        let answer = Api::new(&address, "").read_balance(secret.trim()).await;
        assert_eq!(answer.text, user_credits("1234"));
        process.signal(Signal::TERM);
        assert_eq!(process.ended().code, Some(0));
    }
    assert!(files_in(data.path()).contains(&"coffer.db".to_owned()), "kept data stays");
}

#[test]
fn dev_serves_nobody_else() {
    let ended = run_refused(coffer(&["dev", "--listen", "0.0.0.0:0"]));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("loopback"), "{}", ended.stderr);
}

#[tokio::test]
async fn the_first_start_leaves_an_operator_key_for_its_owner_alone() {
    let data = directory();
    let file = data.path().join("operator.key");
    let server = Server::start(data.path());
    let mode = std::fs::metadata(&file).expect("the file is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(is_let_in(&server.api).await);
    server.stop();

    let first = std::fs::read(&file).expect("the file is there");
    let server = Server::start(data.path());
    assert_eq!(std::fs::read(&file).expect("the file is there"), first, "a second start makes no other");
    assert!(is_let_in(&server.api).await);
}

#[tokio::test]
async fn a_stop_leaves_one_whole_file() {
    let data = directory();
    let server = Server::start(data.path());
    server.api.account_with(5).await;
    server.stop();
    assert_eq!(files_in(data.path()), ["coffer.db", "lock", "operator.key"]);
}

#[tokio::test]
async fn an_operator_key_from_the_variable_lives_while_it_is_set() {
    let data = directory();
    let mut command = serve(data.path());
    command.env("COFFER_OPERATOR_KEY", CONFIGURED_KEY);
    let server = Server::start_with(command, CONFIGURED_KEY);
    assert!(is_let_in(&server.api).await);
    assert!(!data.path().join("operator.key").exists(), "no file is made beside the variable");
    server.stop();

    let server = Server::start(data.path());
    assert!(is_let_in(&server.api).await, "a start without the variable makes a key");
    assert!(!is_let_in(&server.api.with_operator_key(CONFIGURED_KEY)).await, "the variable's key has gone");
}

#[tokio::test]
async fn an_operator_key_comes_from_a_file_too() {
    let data = directory();
    let file = data.path().join("secret");
    std::fs::write(&file, format!("{CONFIGURED_KEY}\n")).expect("a file can be written");
    let mut command = serve(data.path());
    command.env("COFFER_OPERATOR_KEY_FILE", &file);
    let server = Server::start_with(command, CONFIGURED_KEY);
    assert!(is_let_in(&server.api).await);
    assert!(!data.path().join("operator.key").exists(), "no file is made beside the variable");
}

#[test]
fn an_operator_key_that_is_too_short_is_refused_and_not_shown() {
    let data = directory();
    let mut command = serve(data.path());
    command.env("COFFER_OPERATOR_KEY", "only-26-visible-characters");
    let ended = run_refused(command);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("COFFER_OPERATOR_KEY"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("only-26"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let data = directory();
    let server = Server::start(data.path());
    let account = server.api.account_with(5).await;

    let second = run_refused(serve(data.path()));
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains(&data.path().display().to_string()), "{}", second.stderr);
    assert!(second.stderr.contains(&format!("process {}", server.process.id())), "{}", second.stderr);
    assert_eq!(server.api.available(&account).await, 5, "the first goes on");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("a bound port").to_string();
    let data = directory();
    let mut command = coffer(&["serve", "--listen", &address, "--data"]);
    command.arg(data.path());
    let ended = run_refused(command);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&address), "{}", ended.stderr);
}

#[test]
fn unknown_flags_and_unknown_settings_are_refused_by_name() {
    let data = directory();
    let mut command = serve(data.path());
    command.arg("--colour-of-the-server");
    let ended = run_refused(command);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("--colour-of-the-server"), "{}", ended.stderr);

    let ended = run_refused(configured(data.path(), "colour_of_the_server = 'green'"));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("colour_of_the_server"), "{}", ended.stderr);
}

#[tokio::test]
async fn an_unknown_variable_is_warned_about() {
    let data = directory();
    let mut command = serve(data.path());
    command.env("COFFER_COLOUR_OF_THE_SERVER", "green");
    let mut server = Server::start_with(command, "");
    assert_eq!(server.api.get("/livez").await.status, 200);
    server.process.wait_for_log("COFFER_COLOUR_OF_THE_SERVER");
}

/// `coffer serve` with a TOML file.
fn configured(data: &Path, toml: &str) -> Command {
    let file = data.join("coffer.toml");
    std::fs::write(&file, toml).expect("a file can be written");
    let mut command = serve(data);
    command.arg("--config").arg(file);
    command
}

/// Settings with values that they cannot have: the name in TOML, the value in TOML, and in the variable.
const BAD_VALUES: [(&str, &str, &str); 14] = [
    ("listen", "'nowhere'", "nowhere"),
    ("operator_listen", "'nowhere'", "nowhere"),
    ("workers", "0", "0"),
    ("product", "'un/watermark'", "un/watermark"),
    ("api_key_header", "'not a header'", "not a header"),
    ("key_prefix", "'no-underscore'", "no-underscore"),
    ("cors_origins", "['not an origin']", "not an origin"),
    ("trusted_proxies", "['everybody']", "everybody"),
    ("failed_authentications_per_second", "'many'", "many"),
    ("failed_authentications_burst", "0", "0"),
    ("balance_reads_per_second", "-1", "-1"),
    ("operator_requests_per_second", "'many'", "many"),
    ("log", "'coffer=loud'", "coffer=loud"),
    ("log_format", "'xml'", "xml"),
];

#[test]
fn a_bad_value_in_the_file_names_its_setting() {
    for (name, toml, _) in BAD_VALUES {
        let data = directory();
        let mut command = configured(data.path(), &format!("{name} = {toml}"));
        if name == "listen" {
            // A flag that is good would hide what the file says.
            let file = data.path().join("coffer.toml");
            command = coffer(&["serve", "--data"]);
            command.arg(data.path()).arg("--config").arg(file);
        }
        let ended = run_refused(command);
        assert_eq!(ended.code, Some(2), "{name}: {ended:?}");
        assert!(as_setting(&ended.stderr).contains(name), "{name}: {}", ended.stderr);
    }
}

#[test]
fn a_bad_value_in_a_variable_names_its_setting() {
    for (name, _, value) in BAD_VALUES {
        let data = directory();
        let mut command = coffer(&["serve", "--data"]);
        command.arg(data.path()).env(format!("COFFER_{}", name.to_uppercase()), value);
        if name != "listen" {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let ended = run_refused(command);
        assert_eq!(ended.code, Some(2), "{name}: {ended:?}");
        assert!(as_setting(&ended.stderr).contains(name), "{name}: {}", ended.stderr);
    }
}

/// A text in which a setting is called the same as a flag, as a variable, and in the file.
fn as_setting(text: &str) -> String {
    text.to_lowercase().replace('-', "_")
}

#[tokio::test]
async fn flags_win_over_variables_and_variables_over_the_file() {
    let toml = "product = 'from-file'\nkey_prefix = 'file_'\napi_key_header = 'X-FILE'";
    let data = directory();
    let mut command = configured(data.path(), toml);
    command.env("COFFER_PRODUCT", "from-variable").env("COFFER_KEY_PREFIX", "variable_");
    command.args(["--product", "from-flag"]).env("COFFER_OPERATOR_KEY", CONFIGURED_KEY);
    let server = Server::start_with(command, CONFIGURED_KEY);

    for (product, status) in [("from-flag", 200), ("from-variable", 404), ("from-file", 404)] {
        let path = format!("/api/{product}/api/v1/get-credits-balance");
        assert_eq!(server.api.post(&path, json!({})).await.status, status, "{product}");
    }
    let account = server.api.account_with(1).await;
    let (_, secret) = server.api.key_of(&account).await;
    assert!(secret.starts_with("variable_"), "{secret}");
    let mut wire = crate::wire::Wire::open(&server.address);
    let path = "/api/from-flag/api/v1/get-credits-balance";
    wire.send(format!("POST {path} HTTP/1.1\r\nHost: test\r\nX-File: {secret}\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(wire.answer().body, user_credits("1"));
}

#[tokio::test]
async fn a_port_for_operators_takes_their_part_from_the_other() {
    let data = directory();
    let mut command = serve(data.path());
    command.args(["--operator-listen", "127.0.0.1:0"]).env("COFFER_OPERATOR_KEY", CONFIGURED_KEY);
    let mut process = Process::spawn(command);
    let addresses = process.lines("coffer is listening on http://", 2);
    let (public, operator) =
        (Api::new(&addresses[0], CONFIGURED_KEY), Api::new(&addresses[1], CONFIGURED_KEY));

    let account = operator.account_with(7).await;
    let (_, secret) = operator.key_of(&account).await;
    assert_eq!(public.read_balance(&secret).await.wants(200).text, user_credits("7"));
    assert_eq!(public.read_balance("no-key").await.wants(200).text, DEAD_KEY);
    operator.read_balance(&secret).await.wants(404);

    for path in ["/v1/accounts", "/metrics"] {
        operator.get(path).await.wants(200);
        public.get(path).await.wants(404);
    }
    for path in ["/livez", "/readyz", "/openapi.json"] {
        operator.get(path).await.wants(200);
        public.get(path).await.wants(200);
    }
    public.charge(&account, 1, "on-the-wrong-port").await.expect("an answer").wants(404);
    public.post(BALANCE_PATH, json!({})).await.wants(200);
}
