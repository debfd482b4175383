//! What only PostgreSQL has: a schema that can be sharded, statements that know their shard, and a directory of names.

use std::sync::Arc;
use std::time::Duration;

use coffer_ledger::{
    AccountId, Command, CreateAccount, Credits, ExternalId, GrantCredits, GrantId, IdempotencyKey, KeyId,
    Metadata, Name, Outcome, Refusal, RotateKey, Settle, Timestamp, VoidGrant,
};
use coffer_store::{
    AccountFilter, Batch, ClockSource, LaneChoice, PostgresOptions, PostgresStore, Span, Store,
};
use coffer_test_postgres::{Cluster, Cut, Database, Proxy};

use crate::commands::{
    account, apply, capture, charge, grant, hold, key, open, price, refund, release, secret,
};

async fn store_in(database: &Database, lanes: LaneChoice) -> Arc<dyn Store> {
    let url = database.url().parse().expect("a URL of a database");
    let options = PostgresOptions { clock: ClockSource::Sender, lanes, ..PostgresOptions::new(url, 4) };
    Arc::new(PostgresStore::open(&options).await.expect("a database for a ledger"))
}

/// What a query finds, a line for each row.
pub(crate) fn found(database: &Database, sql: &str) -> Vec<String> {
    let rows = database.execute(sql);
    let line = |row: &coffer_test_postgres::Row| {
        row.iter().map(|value| value.clone().unwrap_or_default()).collect::<Vec<_>>().join(" ")
    };
    rows.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_can_be_sharded_by_bucket() {
    let database = Cluster::shared().fresh_database();
    store_in(&database, LaneChoice::AsTheTablesAre).await;
    let nothing: [&str; 0] = [];
    for (what, sql) in [
        (
            "tables without a bucket",
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT EXISTS \
             (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'bucket' AND attnotnull)",
        ),
        (
            "tables without a primary key",
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT EXISTS \
             (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary)",
        ),
        (
            "unique indexes that do not lead with the bucket",
            "SELECT indexrelid::regclass FROM pg_index JOIN pg_class ON pg_class.oid = indrelid \
             WHERE relnamespace = 'public'::regnamespace AND indisunique AND 'bucket' <> \
             (SELECT attname FROM pg_attribute WHERE attrelid = indrelid AND attnum = indkey[0])",
        ),
        (
            "sequences",
            "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace",
        ),
        ("triggers", "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"),
        ("functions", "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"),
        ("foreign keys", "SELECT conname FROM pg_constraint WHERE contype = 'f'"),
        (
            "views",
            "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace",
        ),
    ] {
        assert_eq!(found(&database, sql), nothing, "{what}");
    }
}

/// Each kind of command, some of them twice, and in each bucket of its account.
async fn do_everything(store: &Arc<dyn Store>) {
    let named = CreateAccount { external_id: Some(external_id("customer-7")), ..opening(2) };
    apply(store, 1, vec![open(1), Command::CreateAccount(named), Command::Grant(grant(3, 1, 100))]).await;
    apply(store, 2, vec![Command::CreateKey(key(4, 1)), price(5, "render", "2")]).await;
    apply(store, 3, vec![charge(6, 1, 10), Command::Hold(hold(7, 1, 20)), Command::Hold(hold(8, 1, 5))])
        .await;
    for _ in 0..2 {
        let commands =
            vec![charge(6, 1, 10), Command::Refund(refund(9, 1, 6)), Command::Capture(capture(10, 1, 7))];
        apply(store, 4, commands).await;
        apply(store, 5, vec![release(1, 8)]).await;
    }
    apply(store, 6, vec![charge(11, 1, 1_000)]).await;
    let rotate = RotateKey {
        id: KeyId::from_bytes(crate::commands::id(4)),
        secret: secret(44),
        hint: key(4, 1).hint,
        overlap_ms: 60_000,
    };
    apply(store, 7, vec![Command::RotateKey(rotate)]).await;
}

fn opening(number: u8) -> CreateAccount {
    CreateAccount {
        id: account(number),
        name: Name::try_from("a customer".to_owned()).expect("short"),
        external_id: None,
        overdraft_limit: Credits::ZERO,
        metadata: Metadata::default(),
    }
}

fn external_id(text: &str) -> ExternalId {
    ExternalId::try_from(text.to_owned()).expect("short")
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_batch_or_a_balance_asks_names_its_bucket() {
    let cluster = Cluster::start();
    cluster.administer("ALTER SYSTEM SET log_statement = 'all'");
    cluster.administer("SELECT pg_reload_conf()");
    let database = cluster.fresh_database();
    let store = store_in(&database, LaneChoice::OnePerBucket).await;
    let schema = cluster.log().len();
    do_everything(&store).await;
    for number in [4, 44, 99] {
        store.holder(&secret(number), Timestamp::MAX).await.expect("a read");
    }
    store.probe().await.expect("a commit");
    let log = cluster.log();
    let statements: Vec<&str> = log[schema..]
        .lines()
        .filter_map(|line| line.split_once("execute ")?.1.split_once(": "))
        .map(|(_, sql)| sql)
        .collect();
    assert!(statements.len() > 100, "{statements:#?}");
    for sql in statements {
        let names_bucket =
            sql.contains("bucket = $1") || sql.contains("(bucket, ") || sql.contains("(bucket)");
        assert!(names_bucket || sql.contains("clock_timestamp"), "{sql}");
    }
}

/// The directory as a node leaves it that dies: a name is reserved, and perhaps its owner is written.
fn reserve(database: &Database, store_clock_ms: i64, owner: AccountId) {
    let name = "sha256('customer-7'::bytea)";
    database.execute(&format!(
        "INSERT INTO directory (bucket, kind, name, owner, reservation, reserved_at) \
         VALUES (get_byte({name}, 31), 'external_id', {name}, '{}', '00000000-0000-0000-0000-000000000001', {store_clock_ms})",
        uuid(owner)
    ));
}

fn uuid(id: AccountId) -> String {
    id.bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn create(store: &Arc<dyn Store>, second: i64, number: u8) -> Outcome {
    let create = CreateAccount { external_id: Some(external_id("customer-7")), ..opening(number) };
    apply(store, second, vec![Command::CreateAccount(create)]).await.remove(0)
}

async fn owner_of_name(store: &Arc<dyn Store>) -> Option<AccountId> {
    let filter = AccountFilter { external_id: Some(external_id("customer-7")), status: None };
    let page = store.account_records(filter, Span { before: None, count_max: 1 }).await.expect("a read");
    page.items.first().map(|record| record.profile.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_came_to_use_is_free_again_after_a_minute() {
    let database = Cluster::shared().fresh_database();
    let store = store_in(&database, LaneChoice::AsTheTablesAre).await;
    reserve(&database, crate::commands::at(0).unix_ms(), account(1));
    assert_eq!(owner_of_name(&store).await, None);
    let early = create(&store, 59, 2).await;
    assert_eq!(early, Outcome::Refused(Refusal::ExternalIdIsTaken(external_id("customer-7"))));
    assert!(matches!(create(&store, 60, 3).await, Outcome::AccountCreated(_)));
    assert_eq!(owner_of_name(&store).await, Some(account(3)));
    // The one for whom it was reserved is late, and can no longer be written.
    let late = found(
        &database,
        "INSERT INTO claims (bucket, reservation) VALUES (0, '00000000-0000-0000-0000-000000000001') \
         ON CONFLICT DO NOTHING RETURNING reservation",
    );
    assert!(late.is_empty(), "{late:?}");
    let other = create(&store, 61, 4).await;
    assert_eq!(other, Outcome::Refused(Refusal::ExternalIdIsTaken(external_id("customer-7"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_whose_owner_was_written_stays_taken_although_its_node_died() {
    let database = Cluster::shared().fresh_database();
    let store = store_in(&database, LaneChoice::AsTheTablesAre).await;
    assert!(matches!(create(&store, 0, 1).await, Outcome::AccountCreated(_)));
    // As it is between the commit and the moment in which the reservation is made good.
    database.execute("UPDATE directory SET reservation = '00000000-0000-0000-0000-000000000001'");
    database.execute(
        "INSERT INTO claims (bucket, reservation) VALUES (0, '00000000-0000-0000-0000-000000000001')",
    );
    for second in [1, 3_600] {
        let outcome = create(&store, second, 2).await;
        assert_eq!(
            outcome,
            Outcome::Refused(Refusal::ExternalIdIsTaken(external_id("customer-7"))),
            "after {second} s"
        );
    }
    assert_eq!(owner_of_name(&store).await, Some(account(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_its_name_free() {
    let database = Cluster::shared().fresh_database();
    let store = store_in(&database, LaneChoice::AsTheTablesAre).await;
    let outcomes = apply(&store, 1, vec![Command::CreateKey(key(5, 9))]).await;
    assert_eq!(outcomes, [Outcome::Refused(Refusal::AccountIsUnknown)]);
    assert!(found(&database, "SELECT owner FROM directory").is_empty());
    let outcomes = apply(&store, 2, vec![open(9), Command::CreateKey(key(5, 9))]).await;
    assert!(matches!(outcomes[1], Outcome::KeyCreated(_)));
    assert!(found(&database, "SELECT reservation FROM claims").is_empty(), "claims are not kept");
    assert_eq!(found(&database, "SELECT count(*) FROM directory WHERE reservation IS NULL"), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_want_a_name_in_one_batch_the_one_gets_it_that_is_not_refused() {
    let database = Cluster::shared().fresh_database();
    let store = store_in(&database, LaneChoice::AsTheTablesAre).await;
    let nobodys = key(5, 9);
    let somebodys = coffer_ledger::CreateKey { secret: nobodys.secret, ..key(6, 1) };
    let outcomes =
        apply(&store, 1, vec![open(1), Command::CreateKey(nobodys), Command::CreateKey(somebodys)]).await;
    assert_eq!(outcomes[1], Outcome::Refused(Refusal::AccountIsUnknown));
    assert!(matches!(outcomes[2], Outcome::KeyCreated(_)));
    let holder = store.holder(&secret(5), Timestamp::MAX).await.expect("a read").expect("a key");
    assert_eq!(holder.key.id, KeyId::from_bytes(crate::commands::id(6)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_heir_who_died_while_taking_a_name_over_does_not_keep_it() {
    let database = Cluster::shared().fresh_database();
    let store = store_in(&database, LaneChoice::AsTheTablesAre).await;
    reserve(&database, crate::commands::at(0).unix_ms(), account(1));
    database.execute(
        "INSERT INTO claims (bucket, reservation) VALUES (0, '00000000-0000-0000-0000-000000000001')",
    );
    assert!(matches!(create(&store, 61, 2).await, Outcome::AccountCreated(_)));
    assert_eq!(owner_of_name(&store).await, Some(account(2)));
}

/// What falls due is written alike by whoever comes first, so it tells nobody whose batch was committed.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_node_has_settled_is_not_taken_for_a_lost_commit() {
    let cluster = Cluster::start();
    let database = cluster.fresh_database();
    let store = store_in(&database, LaneChoice::AsTheTablesAre).await;
    let expiring = GrantCredits { expires_at: Some(crate::commands::at(5)), ..grant(3, 1, 100) };
    apply(&store, 1, vec![open(1), Command::Grant(expiring), Command::Grant(grant(4, 1, 100))]).await;
    let proxy = Proxy::start(&cluster);
    let url = proxy.url(&database).parse().expect("a URL of a database");
    let options = PostgresOptions { clock: ClockSource::Sender, ..PostgresOptions::new(url, 4) };
    let cut: Arc<dyn Store> = Arc::new(PostgresStore::open(&options).await.expect("a ledger"));
    let settle = Command::Settle(Settle { account_id: account(1) });
    for (number, command) in [charge(20, 1, 7), Command::VoidGrant(void(4))].into_iter().enumerate() {
        let second = 10 + 10 * i64::try_from(number).expect("small");
        proxy.cut_next_commits(1, Cut::Before);
        let other = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            apply(&store, second, vec![settle.clone()]).await
        };
        let (outcomes, _) = tokio::join!(apply(&cut, second, vec![command.clone()]), other);
        assert!(!matches!(outcomes[0], Outcome::Refused(_)), "{outcomes:?}");
        let again =
            store.apply(Batch { clock: crate::commands::at(second + 1), commands: vec![command] }).await;
        assert!(again.expect("a batch is written")[0].replayed, "what was acknowledged is there");
    }
    assert_eq!(proxy.commits_cut(), 2);
    let marks = found(&database, "SELECT reservation FROM claims");
    assert_eq!(marks.len(), 1, "that of the lost commit stays and shuts it out; all others are taken away");
}

fn void(number: u8) -> VoidGrant {
    VoidGrant {
        id: GrantId::from_bytes(crate::commands::id(number)),
        account_id: account(1),
        idempotency: IdempotencyKey::try_from(format!("void-{number}")).expect("visible"),
    }
}

/// Creating an account writes no entry, and nothing tells whether it has happened but a mark.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_once_whatever_becomes_of_the_commit() {
    let cluster = Cluster::start();
    let database = cluster.fresh_database();
    let proxy = Proxy::start(&cluster);
    let url = proxy.url(&database).parse().expect("a URL of a database");
    let options = PostgresOptions { clock: ClockSource::Sender, ..PostgresOptions::new(url, 4) };
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&options).await.expect("an empty database"));
    for (number, cut) in [(1, Cut::Before), (2, Cut::After)] {
        proxy.cut_next_commits(1, cut);
        let name = format!("customer-{number}");
        let create = CreateAccount { external_id: Some(external_id(&name)), ..opening(number) };
        let outcome = apply(&store, 1, vec![Command::CreateAccount(create)]).await.remove(0);
        assert!(matches!(outcome, Outcome::AccountCreated(_)), "{outcome:?}");
    }
    assert_eq!(found(&database, "SELECT count(*) FROM accounts"), ["2"]);
    assert_eq!(found(&database, "SELECT count(*) FROM directory"), ["2"]);
}

/// A batch is for one lane, and a lane may have accounts of many buckets.
#[tokio::test(flavor = "multi_thread")]
async fn one_batch_has_accounts_of_many_buckets() {
    let database = Cluster::shared().fresh_database();
    let store = store_in(&database, LaneChoice::AsTheTablesAre).await;
    let accounts: Vec<AccountId> = (0..=255_u8)
        .map(|bucket| {
            let mut bytes = [7; 16];
            bytes[15] = bucket;
            AccountId::from_bytes(bytes)
        })
        .collect();
    let commands =
        accounts.iter().map(|id| Command::CreateAccount(CreateAccount { id: *id, ..opening(1) })).collect();
    let batch = Batch { clock: crate::commands::at(1), commands };
    assert_eq!(store.apply(batch).await.expect("a batch is written").len(), 256);
    for id in accounts {
        assert!(store.account(id).await.expect("a read").is_some(), "{id}");
    }
    assert_eq!(found(&database, "SELECT count(DISTINCT bucket) FROM accounts"), ["256"]);
}
