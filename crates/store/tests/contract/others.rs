//! What others do to a database that a node uses: they leave rows locked, change the schema, cut connections, and set the
//! clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coffer_ledger::{Command, KeyId, Outcome, RevokeKey, Settle};
use coffer_store::{
    Batch, LaneChoice, LockedRows, PostgresOptions, PostgresStore, Reader as _, Store, StoreError,
};
use coffer_test_postgres::{Cluster, Cut, Database, Proxy};

use crate::books::{findings, options};
use crate::commands::{account, apply, at, charge, grant, id, key, open, operation, price};

const FORMS: [LaneChoice; 2] = [LaneChoice::AsTheTablesAre, LaneChoice::OnePerBucket];

pub(crate) async fn node(database: &Database, lanes: LaneChoice) -> Arc<dyn Store> {
    Arc::new(PostgresStore::open(&options(database, lanes)).await.expect("a ledger"))
}

fn revoke(number: u8) -> Command {
    Command::RevokeKey(RevokeKey { id: KeyId::from_bytes(id(number)) })
}

/// The places of the commands that stand in the way, where some do.
async fn locked(store: &Arc<dyn Store>, second: i64, commands: &[Command]) -> Vec<usize> {
    let batch = Batch { clock: at(second), commands: commands.to_vec() };
    match store.apply(batch).await {
        Err(StoreError::RowsLocked(rows)) => {
            let LockedRows { commands: back, locked } = *rows;
            assert_eq!(back, commands, "the batch comes back as it was");
            locked
        }
        applied => panic!("something was locked: {applied:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_others_locks_is_told_apart_soon_and_the_rest_can_be_applied() {
    for lanes in FORMS {
        let database = Cluster::shared().fresh_database();
        let store = node(&database, lanes).await;
        for number in 1..=3 {
            apply(&store, 1, vec![open(number), Command::Grant(grant(number, number, 100))]).await;
        }
        apply(&store, 2, vec![Command::CreateKey(key(4, 1)), Command::CreateKey(key(5, 2))]).await;
        let left_open = database.leave_open(&format!(
            "SELECT FROM accounts WHERE seq > 0 AND id = '{}' FOR UPDATE",
            account(1).bytes().map(|byte| format!("{byte:02x}")).concat()
        ));
        let commands =
            [charge(10, 2, 1), charge(11, 1, 1), charge(12, 3, 1), revoke(4), revoke(5), charge(13, 1, 1)];
        let started = Instant::now();
        assert_eq!(locked(&store, 3, &commands).await, [1, 3, 5], "{lanes:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());

        let rest = [0, 2, 4].map(|place: usize| commands[place].clone()).to_vec();
        let outcomes = apply(&store, 4, rest).await;
        assert!(matches!(outcomes[..], [Outcome::Charged(_), Outcome::Charged(_), Outcome::KeyRevoked(_)]));
        assert_eq!(locked(&store, 5, &commands[1..2]).await, [0], "it is still locked");
        drop(left_open);
        let outcomes = apply(&store, 6, [1, 3, 5].map(|place: usize| commands[place].clone()).to_vec()).await;
        assert!(matches!(outcomes[..], [Outcome::Charged(_), Outcome::KeyRevoked(_), Outcome::Charged(_)]));
        assert_eq!(findings(&database, lanes).await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_that_others_have_locked_stop_those_who_change_prices_and_nobody_else() {
    let database = Cluster::shared().fresh_database();
    let store = node(&database, LaneChoice::AsTheTablesAre).await;
    apply(&store, 1, vec![open(1), Command::Grant(grant(1, 1, 100)), price(2, "render", "3")]).await;
    let left_open = database.leave_open("SELECT FROM prices FOR UPDATE");
    let commands = [charge(10, 1, 1), price(3, "render", "4"), price(4, "resize", "1")];
    assert_eq!(locked(&store, 2, &commands).await, [1, 2]);
    drop(left_open);
    apply(&store, 3, commands.to_vec()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_schema_was_changed_under_it_stops_writing_and_says_so() {
    let database = Cluster::shared().fresh_database();
    let store = node(&database, LaneChoice::AsTheTablesAre).await;
    apply(&store, 1, vec![open(1), Command::Grant(grant(1, 1, 1_000_000))]).await;
    let newest = database.execute("SELECT version FROM coffer_schema WHERE bucket = 0").remove(0).remove(0);
    let newest = newest.expect("a version");
    database.execute("UPDATE coffer_schema SET version = 99 WHERE bucket = 0");
    let started = Instant::now();
    let mut number = 10_u8;
    let error = loop {
        number = number.wrapping_add(1);
        match store.apply(Batch { clock: at(2), commands: vec![charge(number, 1, 1)] }).await {
            Ok(_) => assert!(started.elapsed() < Duration::from_secs(3), "it still writes"),
            Err(error) => break error,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(matches!(error, StoreError::SchemaChanged { found: 99, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("version 99") && text.contains("restart this process"), "{text}");
    for probed in [store.probe().await, store.forget_refusals(at(0)).await] {
        assert!(matches!(probed, Err(StoreError::SchemaChanged { found: 99, .. })), "{probed:?}");
    }
    assert!(store.account(account(1)).await.expect("reads go on").is_some());

    database.execute(&format!("UPDATE coffer_schema SET version = {newest} WHERE bucket = 0"));
    store.probe().await.expect("it is as it was");
    apply(&store, 3, vec![charge(number, 1, 1)]).await;
}

/// A table that is no longer as the statements want it is no failure of the database: the schema has changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_the_new_schema_does_not_take_is_told_by_its_cause() {
    let database = Cluster::shared().fresh_database();
    let store = node(&database, LaneChoice::AsTheTablesAre).await;
    apply(&store, 1, vec![open(1), Command::Grant(grant(1, 1, 100))]).await;
    database.execute(
        "BEGIN; ALTER TABLE entries RENAME TO journal; UPDATE coffer_schema SET version = 2 WHERE bucket = 0; COMMIT",
    );
    let applied = store.apply(Batch { clock: at(2), commands: vec![charge(10, 1, 1)] }).await;
    assert!(matches!(applied, Err(StoreError::SchemaChanged { found: 2, .. })), "{applied:?}");
}

/// Two nodes before a proxy that can cut commits, and one without.
struct Cutting {
    proxy: Proxy,
    store: Arc<dyn Store>,
    database: Database,
    cluster: Cluster,
}

async fn cutting() -> Cutting {
    let cluster = Cluster::start();
    let database = cluster.fresh_database();
    let proxy = Proxy::start(&cluster);
    let url = proxy.url(&database).parse().expect("a URL of a database");
    let own = options(&database, LaneChoice::AsTheTablesAre);
    let store = PostgresStore::open(&PostgresOptions { url, ..own }).await.expect("an empty database");
    Cutting { proxy, store: Arc::new(store), database, cluster }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_commit_that_was_in_doubt_everything_is_put_in_order() {
    let Cutting { proxy, store, database, cluster: _cluster } = cutting().await;
    apply(&store, 1, vec![open(1), price(2, "render", "1")]).await;
    let render = async || store.price(operation("render")).await.expect("a read").expect("a price").rate;
    for (number, rate) in (10..).zip(["2", "3", "4"]) {
        assert_ne!(render().await, rate.parse().expect("a price"));
        proxy.cut_next_commits(1, Cut::After);
        apply(&store, 2, vec![price(3, "render", rate)]).await;
        assert_eq!(render().await, rate.parse().expect("a price"), "what was remembered is forgotten");
        proxy.cut_next_commits(1, Cut::After);
        apply(&store, 3, vec![Command::CreateKey(key(number, 1))]).await;
    }
    assert_eq!(proxy.commits_cut(), 6);
    let left = database.execute("SELECT FROM directory WHERE reservation IS NOT NULL");
    assert!(left.is_empty(), "every name is made good");
    assert_eq!(database.execute("SELECT FROM claims"), Vec::<Vec<_>>::new(), "no claim and no mark is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_database_stays_away_after_the_commit_nobody_is_told_whether_it_has_happened() {
    for cut in [Cut::After, Cut::Before] {
        let Cutting { proxy, store, database, cluster: _cluster } = cutting().await;
        apply(&store, 1, vec![open(1), Command::Grant(grant(1, 1, 100))]).await;
        proxy.refuse(true);
        let before = proxy.commits_cut();
        proxy.cut_next_commits(1, cut);
        let cut_off = async {
            while proxy.commits_cut() == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            proxy.cut_all();
        };
        let charged = Batch { clock: at(2), commands: vec![charge(10, 1, 7)] };
        let (applied, ()) = tokio::join!(store.apply(charged.clone()), cut_off);
        let error = applied.expect_err("nobody can know");
        assert!(matches!(error, StoreError::InDoubt), "{cut:?}: {error}");
        assert!(!error.to_string().contains("nothing was done"), "{error}");
        let probed = store.probe().await;
        assert!(matches!(probed, Err(StoreError::Unreachable(_))), "{probed:?}");

        proxy.refuse(false);
        let replies = store.apply(charged).await.expect("the database is there again");
        assert_eq!(replies[0].replayed, cut == Cut::After, "{cut:?}");
        let balance = store.account(account(1)).await.expect("a read").expect("an account").balance;
        assert_eq!(balance.available, crate::commands::credits(93), "{cut:?}: it has happened once");
        assert_eq!(findings(&database, LaneChoice::AsTheTablesAre).await, Vec::<String>::new());
    }
}

/// The number of the entry that was lost is another's now, and that tells nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_another_in_the_same_place_is_not_taken_for_a_lost_commit() {
    let Cutting { proxy, store, database, cluster: _cluster } = cutting().await;
    apply(&store, 1, vec![open(1), Command::Grant(grant(1, 1, 100))]).await;
    let other = node(&database, LaneChoice::AsTheTablesAre).await;
    proxy.cut_next_commits(1, Cut::Before);
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        apply(&other, 2, vec![charge(30, 1, 1)]).await
    };
    let (outcomes, _) = tokio::join!(apply(&store, 2, vec![charge(20, 1, 7)]), meanwhile);
    assert!(matches!(outcomes[0], Outcome::Charged(_)), "{outcomes:?}");
    assert_eq!(proxy.commits_cut(), 1);
    let again = store.apply(Batch { clock: at(3), commands: vec![charge(20, 1, 7)] }).await;
    assert!(again.expect("a batch is written")[0].replayed, "what was acknowledged is there");
    let balance = store.account(account(1)).await.expect("a read").expect("an account").balance;
    assert_eq!(balance.available, crate::commands::credits(92));
}

/// The database's functions by which its clock is read stand behind the test's own.
const OTHER_CLOCK: &str = "CREATE TABLE strays (by interval); INSERT INTO strays VALUES ('0'); \
    CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS \
    'SELECT pg_catalog.clock_timestamp() + by FROM strays'";

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_clock_is_set_is_written_no_more_until_a_restart() {
    for by in ["2 minutes", "-2 minutes"] {
        let database = Cluster::shared().fresh_database();
        database.execute(&format!("ALTER DATABASE {} SET search_path = public, pg_catalog", database.name()));
        database.execute(OTHER_CLOCK);
        let url = database.url().parse().expect("a URL of a database");
        let options = PostgresOptions::new(url, 4);
        let store = PostgresStore::open(&options).await.expect("an empty database");
        let apply = async |store: &PostgresStore, command: Command| {
            store.apply(Batch { clock: at(0), commands: vec![command] }).await
        };
        for command in [open(1), Command::Grant(grant(1, 1, 100)), charge(10, 1, 1)] {
            apply(&store, command).await.expect("the clock is right");
        }
        let last = store.account(account(1)).await.expect("a read").expect("an account");
        for set in [by, "0"] {
            database.execute(&format!("UPDATE strays SET by = '{set}'"));
            for command in [charge(11, 1, 1), Command::Settle(Settle { account_id: account(1) })] {
                let refused = apply(&store, command).await;
                assert!(matches!(refused, Err(StoreError::ClockStrayed)), "set by {set}: {refused:?}");
            }
            assert!(matches!(store.probe().await, Err(StoreError::ClockStrayed)));
        }
        assert!(store.clock().has_strayed());
        let now = store.account(account(1)).await.expect("a read").expect("an account");
        assert_eq!(now, last, "reads go on, and nothing was written");
        store.close().await;

        let again = PostgresStore::open(&options).await.expect("a ledger");
        apply(&again, charge(11, 1, 1)).await.expect("the clock is right");
    }
}
