//! What the tests of other crates rely on: databases of their own, crashes, TLS, and that nothing is left behind.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use coffer_test_postgres::{Cluster, Database, Durability, Settings, Stop, Tls};
use tokio_postgres::{Client, NoTls};

const PATIENCE: Duration = Duration::from_secs(60);

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn numbers(database: &Database) -> Vec<String> {
    let rows = database.execute("SELECT number FROM numbers ORDER BY number");
    rows.into_iter().map(|mut row| row.remove(0).expect("a number")).collect()
}

#[test]
fn every_database_is_empty_and_goes_with_its_value() {
    let cluster = Cluster::shared();
    let [one, other] = [cluster.fresh_database(), cluster.fresh_database()];
    for database in [&one, &other] {
        database.execute("CREATE TABLE numbers (number int); INSERT INTO numbers VALUES (1)");
        assert_eq!(numbers(database), ["1"]);
    }
    let name = one.name().to_owned();
    drop(one);
    let left = cluster.administer(&format!("SELECT FROM pg_database WHERE datname = '{name}'"));
    assert!(left.is_empty());
}

#[tokio::test]
async fn a_database_goes_though_somebody_is_connected_and_a_runtime_runs() {
    let database = Cluster::shared().fresh_database();
    let client = connect(database.url()).await.expect("a server that runs");
    drop(database);
    client.batch_execute("SELECT 1").await.expect_err("the database is gone");
}

#[tokio::test]
async fn an_administrator_ends_connections() {
    let database = Cluster::shared().fresh_database();
    let client = connect(database.url()).await.expect("a server that runs");
    assert_eq!(database.terminate_backends(), 1);
    client.batch_execute("SELECT 1").await.expect_err("the connection is gone");
}

#[tokio::test]
async fn what_is_committed_survives_a_crash_and_the_rest_does_not() {
    let cluster = Cluster::start();
    assert_eq!(cluster.administer("SHOW fsync")[0][0].as_deref(), Some("on"));
    let database = cluster.fresh_database();
    database.execute("CREATE TABLE numbers (number int)");
    let mut client = connect(database.url()).await.expect("a server that runs");
    client.batch_execute("INSERT INTO numbers VALUES (1)").await.expect("committed");
    let transaction = client.transaction().await.expect("begun");
    transaction.batch_execute("INSERT INTO numbers VALUES (2)").await.expect("not committed");
    cluster.restart_immediate();
    transaction.commit().await.expect_err("the server has crashed");
    assert_eq!(numbers(&database), ["1"]);
    assert!(cluster.log().contains("database system was not properly shut down"), "{}", cluster.log());
}

#[tokio::test]
async fn a_stopped_server_is_there_again_at_the_same_place() {
    let cluster = Cluster::with(Settings { durability: Durability::Fast, ..Settings::default() });
    assert_eq!(cluster.administer("SHOW fsync")[0][0].as_deref(), Some("off"));
    let database = cluster.fresh_database();
    cluster.stop(Stop::Fast);
    connect(database.url()).await.map(drop).expect_err("nobody listens");
    cluster.start_again();
    connect(database.url()).await.map(drop).expect("the server is back");
}

/// Asks for TLS as every client does, before anything else.
fn speaks_tls(cluster: &Cluster) -> bool {
    let mut stream = TcpStream::connect(cluster.address()).expect("a server that runs");
    stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).expect("the request is sent");
    let mut answer = [0];
    stream.read_exact(&mut answer).expect("an answer of one byte");
    answer == *b"S"
}

#[tokio::test]
async fn tls_is_off_offered_or_required() {
    for (tls, takes_plain) in [(Tls::Off, true), (Tls::Offered, true), (Tls::Required, false)] {
        let cluster = Cluster::with(Settings { durability: Durability::Fast, tls, ..Settings::default() });
        assert_eq!(speaks_tls(&cluster), tls != Tls::Off, "{tls:?}");
        let database = cluster.fresh_database();
        database.execute("SELECT 1");
        let url = format!("{}?sslmode=disable", database.url());
        assert_eq!(connect(&url).await.is_ok(), takes_plain, "{tls:?}");
    }
}

#[test]
fn a_server_shows_the_certificate_of_localhost() {
    let cluster =
        Cluster::with(Settings { durability: Durability::Fast, tls: Tls::Offered, ..Settings::default() });
    let verified = |host: &str, authority: &Path| {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-starttls", "postgres", "-verify_return_error", "-verify_hostname", host]);
        command.arg("-connect").arg(cluster.address().to_string()).arg("-CAfile").arg(authority);
        let output = command.stdin(Stdio::null()).output().expect("openssl runs");
        output.status.success()
    };
    let foreign = tempfile::tempdir().expect("a temporary directory");
    assert!(verified("localhost", &cluster.authority()));
    assert!(!verified("example.com", &cluster.authority()));
    assert!(!verified("localhost", &coffer_test_postgres::foreign_authority(foreign.path())));
}

#[test]
fn nothing_is_left_when_a_cluster_is_dropped() {
    let cluster = Cluster::with(Settings { durability: Durability::Fast, ..Settings::default() });
    let (directory, address) = (cluster.directory().to_owned(), cluster.address());
    drop(cluster);
    assert!(!directory.exists());
    TcpStream::connect(address).expect_err("nobody listens");
}

/// Not a test: what the next one runs in a process of its own, which ends without a destructor.
#[test]
#[ignore = "it aborts its process"]
fn a_process_that_aborts() {
    let cluster = Cluster::shared();
    println!("\ndirectory {}", cluster.directory().display());
    std::process::abort();
}

#[test]
fn nothing_is_left_when_a_process_aborts() {
    let mut command = Command::new(std::env::current_exe().expect("this test has a binary"));
    command.args(["--exact", "a_process_that_aborts", "--ignored", "--nocapture"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let directory = lines.into_iter().find_map(|line| line.strip_prefix("directory ").map(PathBuf::from));
    let directory = directory.expect("it says where its cluster is");
    assert!(!child.wait().expect("it ends").success());
    let deadline = Instant::now() + PATIENCE;
    while directory.exists() {
        assert!(Instant::now() < deadline, "{} is still there", directory.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_transaction_that_is_left_open_keeps_its_locks_until_its_value_is_dropped() {
    let database = Cluster::shared().fresh_database();
    database.execute("CREATE TABLE numbers (number int); INSERT INTO numbers VALUES (1)");
    let free = "SELECT number FROM numbers FOR UPDATE SKIP LOCKED";
    for _ in 0..3 {
        let open = database.leave_open("UPDATE numbers SET number = 2");
        assert!(database.execute(free).is_empty());
        drop(open);
        assert_eq!(database.execute(free).len(), 1);
        assert_eq!(numbers(&database), ["1"]);
    }
}

#[tokio::test]
async fn a_server_that_stands_still_takes_connections_and_says_nothing() {
    let cluster = Cluster::with(Settings { durability: Durability::Fast, ..Settings::default() });
    let database = cluster.fresh_database();
    let client = connect(database.url()).await.expect("a connection");
    let frozen = cluster.freeze();
    let moment = Duration::from_millis(500);
    assert!(tokio::time::timeout(moment, client.simple_query("SELECT 1")).await.is_err());
    assert!(tokio::time::timeout(moment, connect(database.url())).await.is_err());
    drop(frozen);
    client.simple_query("SELECT 1").await.expect("it goes on where it was");
}
