//! Servers whose ledger is in a database: how the first operator gets in, what two of them at once show, and what is found
//! where the database was changed behind their backs.

use std::process::Command;

use coffer_test_postgres::{Cluster, Database};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{Server, coffer, run, run_refused, user_credits};

const CONFIGURED_KEY: &str = "an-operators-key-of-42-visible-characters!";

fn serve(database: &Database) -> Command {
    let mut command = coffer(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("COFFER_DATABASE_URL", database.url());
    command
}

/// What a command says for programs, with the database's URL in a variable.
fn json_of(database: &Database, arguments: &[&str]) -> Value {
    let mut command = coffer(arguments);
    command.arg("--json").env("COFFER_DATABASE_URL", database.url());
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

#[tokio::test]
async fn a_server_that_no_operator_can_enter_does_not_start() {
    let database = Cluster::shared().fresh_database();
    let ended = run_refused(serve(&database));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let said = "COFFER_OPERATOR_KEY or COFFER_OPERATOR_KEY_FILE, or make one with coffer operator-key create --database-url";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);

    // A key that makes no other does not open it either.
    json_of(&database, &["operator-key", "create", "--name", "reader", "--scopes", "read"]);
    assert_eq!(run_refused(serve(&database)).code, Some(2));

    let made = json_of(&database, &["operator-key", "create", "--name", "first"]);
    let secret = made["secret"].as_str().expect("a secret");
    let server = Server::start_with(serve(&database), secret);
    server.api.get("/v1/operator-keys").await.wants(200);

    // Servers that run do not stand in the way of another key.
    let made = json_of(&database, &["operator-key", "create", "--name", "second"]);
    let second = server.api.with_operator_key(made["secret"].as_str().expect("a secret"));
    second.get("/v1/operator-keys").await.wants(200);
}

#[tokio::test]
async fn an_operator_key_from_the_variable_opens_a_shared_ledger() {
    let database = Cluster::shared().fresh_database();
    let configured = || {
        let mut command = serve(&database);
        command.env("COFFER_OPERATOR_KEY", CONFIGURED_KEY);
        command
    };
    let (one, other) =
        (Server::start_with(configured(), CONFIGURED_KEY), Server::start_with(configured(), CONFIGURED_KEY));

    let account = one.api.account_with(5).await;
    let (_, secret) = other.api.key_of(&account).await;
    one.api.charge(&account, 2, "a-call").await.expect("an answer").wants(201);
    let again = other.api.charge(&account, 2, "a-call").await.expect("an answer").wants(201);
    assert!(again.is_replayed(), "the other server knows what was done");
    assert_eq!(other.api.read_balance(&secret).await.text, user_credits("3"));
    assert_eq!(one.stop().code, Some(0));
    assert_eq!(other.api.available(&account).await, 3, "the other goes on");
    other.api.get("/readyz").await.wants(200);
    assert_eq!(other.stop().code, Some(0));
}

#[tokio::test]
async fn a_customers_key_of_a_shared_ledger_cannot_be_configured_for_an_operator() {
    let database = Cluster::shared().fresh_database();
    let mut command = serve(&database);
    command.env("COFFER_OPERATOR_KEY", CONFIGURED_KEY);
    let server = Server::start_with(command, CONFIGURED_KEY);
    let account = server.api.account_with(1).await;
    let theirs = "a-customers-key-of-38-visible-letters!";
    let path = format!("/v1/accounts/{account}/keys/import");
    server.api.post(&path, json!({"name": "theirs", "secret": theirs})).await.wants(201);
    server.stop();

    let mut command = serve(&database);
    command.env("COFFER_OPERATOR_KEY", theirs);
    let ended = run_refused(command);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("customer's key"), "{}", ended.stderr);
}

#[test]
fn a_schema_is_upgraded_where_there_is_one() {
    let database = Cluster::shared().fresh_database();
    let mut command = coffer(&["schema", "upgrade"]);
    command.env("COFFER_DATABASE_URL", database.url());
    let ended = run(command);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("holds no ledger"), "{}", ended.stderr);

    json_of(&database, &["operator-key", "create"]);
    let upgraded = json_of(&database, &["schema", "upgrade"]);
    assert_eq!((&upgraded["ok"], &upgraded["from"]), (&json!(true), &upgraded["to"]));
    let mut command = coffer(&["schema", "upgrade", "--database-url", database.url()]);
    command.env("COFFER_DATA", "elsewhere");
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("nothing to do: postgres://"), "{}", ended.stdout);
}

#[tokio::test]
async fn a_shared_ledger_is_verified_beside_its_server() {
    let database = Cluster::shared().fresh_database();
    let verify = |more: &[&str]| {
        let mut command = coffer(&[&["verify"], more].concat());
        command.env("COFFER_DATABASE_URL", database.url());
        run(command)
    };
    let missing = verify(&[]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("holds no ledger"), "{}", missing.stderr);

    let mut command = serve(&database);
    command.env("COFFER_OPERATOR_KEY", CONFIGURED_KEY);
    let server = Server::start_with(command, CONFIGURED_KEY);
    let account = server.api.account_with(5).await;
    server.api.charge(&account, 2, "a-call").await.expect("an answer").wants(201);
    let sound = verify(&[]);
    assert_eq!((sound.code, &*sound.stdout), (Some(0), "ok: 1 accounts, 2 entries\n"), "{sound:?}");
    assert_eq!(
        json_of(&database, &["verify"]),
        json!({"ok": true, "accounts": 1, "entries": 2, "findings": []})
    );

    database.execute("UPDATE accounts SET available = available + 1000000");
    let broken = verify(&[]);
    assert_eq!(broken.code, Some(1), "{broken:?}");
    assert!(broken.stdout.contains(&account) && broken.stderr.contains("findings in"), "{broken:?}");
    let broken = verify(&["--json"]);
    assert_eq!(broken.code, Some(1), "{broken:?}");
    let told: Value = serde_json::from_str(&broken.stdout).expect("JSON");
    assert_eq!(told["ok"], json!(false), "{told}");
    assert!(told["findings"].as_array().is_some_and(|findings| !findings.is_empty()), "{told}");
}

#[tokio::test]
async fn a_ledger_moves_from_its_directory_to_a_database() {
    let (data, database) = (tempdir().expect("a temporary directory"), Cluster::shared().fresh_database());
    let migrate = || {
        let mut command = coffer(&["migrate", "--from"]);
        command.arg(data.path()).env("COFFER_DATABASE_URL", database.url());
        run(command)
    };
    let server = Server::start(data.path());
    let account = server.api.account_with(5).await;
    let (_, secret) = server.api.key_of(&account).await;
    server.api.charge(&account, 2, "a-call").await.expect("an answer").wants(201);
    let operator_key = server.api.operator_key().to_owned();

    let beside = migrate();
    assert_eq!(beside.code, Some(1), "a server runs: {beside:?}");
    assert!(beside.stderr.contains("in use"), "{}", beside.stderr);
    server.stop();

    let migrated = migrate();
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    let said = "migrated and verified: 1 accounts, 2 entries, in postgres://";
    assert!(migrated.stdout.starts_with(said), "{}", migrated.stdout);

    let server = Server::start_with(serve(&database), &operator_key);
    assert_eq!(server.api.read_balance(&secret).await.text, user_credits("3"));
    let again = server.api.charge(&account, 2, "a-call").await.expect("an answer").wants(201);
    assert!(again.is_replayed(), "what was done before is known");
}
