//! Ways to a database, and what is said where there is none: never the password.

use coffer_test_postgres::{Cluster, Durability, Settings, Tls, foreign_authority};
use tempfile::tempdir;

use crate::nodes::{self, OPERATOR_KEY, serve_at};
use crate::support::{Server, run_refused};

const PASSWORD: &str = "password-canary-7Qm2";

/// Wants a node that comes to serve.
fn serves(url: &str) {
    nodes::start(url).stop();
}

/// What a node says that does not come to serve.
fn refused(url: &str) -> String {
    let ended = run_refused(serve_at("127.0.0.1:0", url));
    assert!(matches!(ended.code, Some(1 | 2)), "{ended:?}");
    ended.stderr
}

fn with_tls(tls: Tls) -> Cluster {
    Cluster::with(Settings { durability: Durability::Fast, tls, ..Settings::default() })
}

#[test]
fn who_must_be_encrypted_is() {
    let cluster = with_tls(Tls::Required);
    let database = cluster.fresh_database();
    for mode in ["prefer", "require"] {
        serves(&format!("{}?sslmode={mode}", database.url()));
    }
    refused(&format!("{}?sslmode=disable", database.url()));
    let cluster = with_tls(Tls::Off);
    let database = cluster.fresh_database();
    serves(&format!("{}?sslmode=prefer", database.url()));
    refused(&format!("{}?sslmode=require", database.url()));
}

#[test]
fn a_certificate_is_checked_in_full() {
    let cluster = with_tls(Tls::Offered);
    let database = cluster.fresh_database();
    let by_name = cluster.url_by_name(database.name());
    let authority = format!("sslrootcert={}", cluster.authority().display());
    for mode in ["verify-full", "require"] {
        serves(&format!("{by_name}?sslmode={mode}&{authority}"));
    }
    let foreign = tempdir().expect("a temporary directory");
    let foreign = format!("sslrootcert={}", foreign_authority(foreign.path()).display());
    refused(&format!("{by_name}?sslmode=verify-full&{foreign}"));
    refused(&format!("{by_name}?sslmode=require&{foreign}"));
    refused(&format!("{by_name}?sslmode=verify-full"));
    // It is the certificate of localhost, and of no address.
    refused(&format!("{}?sslmode=verify-full&{authority}", database.url()));
    refused(&format!("{by_name}?sslmode=verify-full&sslrootcert=/nowhere/authority.crt"));
}

#[tokio::test]
async fn the_password_is_nowhere_in_the_log() {
    let database = Cluster::shared().fresh_database();
    let url = database.url().replace("coffer@", &format!("coffer:{PASSWORD}@"));
    let mut command = serve_at("127.0.0.1:0", &url);
    command.args(["--log", "debug"]);
    let node = Server::start_with(command, OPERATOR_KEY);
    node.api.account_with(1).await;
    database.terminate_backends();
    node.api.account_with(1).await;
    let ended = node.stop();
    assert!(!format!("{ended:?}").contains(PASSWORD), "{}", ended.stderr);
}

#[test]
fn a_database_that_is_not_there_is_told_without_the_password() {
    let cluster = Cluster::shared();
    let nowhere = format!("postgres://coffer:{PASSWORD}@127.0.0.1:1/coffer");
    let no_such_database = cluster.url("nonesuch").replace("coffer@", &format!("coffer:{PASSWORD}@"));
    for url in [nowhere, no_such_database, format!("postgres://coffer:{PASSWORD}@[/")] {
        let said = refused(&url);
        assert!(!said.is_empty() && !said.contains(PASSWORD), "{said}");
    }
}

#[test]
fn a_database_of_another_application_is_left_alone() {
    let database = Cluster::shared().fresh_database();
    database.execute("CREATE TABLE accounts (name text)");
    let said = refused(database.url());
    assert!(said.contains("accounts"), "{said}");
    let columns = database.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'accounts' ORDER BY 1",
    );
    assert_eq!(columns, [[Some("name".to_owned())]]);
    let tables = database.execute("SELECT relname FROM pg_class WHERE relname LIKE 'coffer%'");
    assert!(tables.is_empty(), "nothing is made beside them: {tables:?}");
}
