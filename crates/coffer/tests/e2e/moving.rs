//! `coffer migrate`, and `coffer verify` of a database: a ledger goes from a directory to a database, and everybody who asks
//! again is told what they were told before.

use std::path::Path;

use coffer_test_postgres::{Cluster, Database};
use serde_json::Value;
use tempfile::tempdir;

use crate::every_kind::EveryKind;
use crate::load::Clients;
use crate::support::{Ended, Server, coffer, run, run_refused};

fn migrate(from: &Path, to: &Database) -> Ended {
    let mut command = coffer(&["migrate", "--from"]);
    command.arg(from).args(["--to", to.url()]);
    run(command)
}

fn verify(database: &Database) -> Ended {
    run(coffer(&["verify", "--database-url", database.url()]))
}

fn serve(database: &Database, operator_key: &str) -> Server {
    let mut command = coffer(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("COFFER_DATABASE_URL", database.url());
    Server::start_with(command, operator_key)
}

#[tokio::test]
async fn a_ledger_with_everything_in_it_moves_to_a_database() {
    let data = tempdir().expect("a temporary directory");
    let database = Cluster::shared().fresh_database();
    let server = Server::start(data.path());
    let operator_key = server.api.operator_key().to_owned();
    let everything = EveryKind::make(&server.api).await;
    let statements = everything.statements(&server.api).await;
    let refused = migrate(data.path(), &database);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("is in use by another coffer process"), "{}", refused.stderr);
    server.stop();

    let moved = migrate(data.path(), &database);
    assert_eq!(moved.code, Some(0), "{moved:?}");
    assert!(moved.stdout.starts_with("migrated and verified: 5 accounts, "), "{}", moved.stdout);
    assert!(moved.stderr.contains("verifying"), "{}", moved.stderr);
    let again = migrate(data.path(), &database);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("holds a ledger already"), "{}", again.stderr);

    let server = serve(&database, &operator_key);
    everything.is_answered_again(&server.api).await;
    for (before, after) in statements.iter().zip(everything.statements(&server.api).await) {
        assert!(after.starts_with(before.as_str()), "nothing but what has fallen due since is new");
    }
    let sound = verify(&database);
    assert_eq!(sound.code, Some(0), "{sound:?}");
    assert!(sound.stdout.starts_with("ok: 5 accounts, "), "{}", sound.stdout);
    server.stop();

    let server = Server::start(data.path());
    everything.is_answered_again(&server.api).await;
    server.stop();
}

#[tokio::test]
async fn what_is_wrong_in_a_database_is_told() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    server.api.account_with(5).await;
    server.stop();
    let database = Cluster::shared().fresh_database();
    let absent = verify(&database);
    assert_eq!(absent.code, Some(1), "{absent:?}");
    assert!(absent.stderr.contains("the database holds no ledger"), "{}", absent.stderr);

    let mut command = coffer(&["migrate", "--json", "--from"]);
    command.arg(data.path()).env("COFFER_DATABASE_URL", database.url());
    let moved = run(command);
    let told: Value =
        serde_json::from_str(&moved.stdout).unwrap_or_else(|error| panic!("{error}: {moved:?}"));
    assert_eq!((&told["ok"], &told["accounts"]), (&Value::from(true), &Value::from(1)), "{told}");

    database.execute("UPDATE accounts SET available = available + 1");
    let wrong = verify(&database);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stdout.contains("the account's available is"), "{}", wrong.stdout);
    assert!(wrong.stderr.contains("findings in 1 accounts, 1 entries"), "{}", wrong.stderr);
    let wrong = run(coffer(&["verify", "--json", "--database-url", database.url()]));
    let told: Value =
        serde_json::from_str(&wrong.stdout).unwrap_or_else(|error| panic!("{error}: {wrong:?}"));
    assert_eq!((wrong.code, &told["ok"]), (Some(1), &Value::from(false)), "{told}");
}

#[tokio::test]
async fn a_migration_that_names_no_database_is_a_matter_of_usage() {
    let data = tempdir().expect("a temporary directory");
    let mut command = coffer(&["migrate", "--from"]);
    command.arg(data.path());
    let ended = run_refused(command);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("migrate needs --to URL"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_ledger_is_sound_at_every_moment_under_load() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let operator_key = server.api.operator_key().to_owned();
    let account = server.api.account_with(1_000_000).await;
    server.stop();
    let database = Cluster::shared().fresh_database();
    assert_eq!(migrate(data.path(), &database).code, Some(0));
    let server = serve(&database, &operator_key);
    let mut clients = Clients::start(&server.api, &account, "beside", 4);
    for look in 0..10 {
        let verified = verify(&database);
        assert_eq!(verified.code, Some(0), "look {look}: {verified:?}");
        clients.wait_for(clients.acknowledged() + 10).await;
    }
    assert!(clients.end().await.acknowledged() > 0);
    server.stop();
    assert_eq!(verify(&database).code, Some(0));
}
