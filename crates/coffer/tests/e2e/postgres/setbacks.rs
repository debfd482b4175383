//! Transactions that the database refuses to carry out just now: they are decided again, and not for ever.

use coffer_test_postgres::{Cluster, Database};

use crate::nodes;

/// More tries than this are no longer a bounded number.
const TRIES_MAX: i64 = 100;

/// Has the first `count` entries that are written refused with an error. A sequence counts them, for it is not
/// rolled back with what is refused.
fn refuse_entries(database: &Database, count: i64, code: &str) {
    database.execute(&format!(
        "DROP TRIGGER IF EXISTS refuse ON entries;
         DROP SEQUENCE IF EXISTS refused;
         CREATE SEQUENCE refused;
         CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF nextval('refused') <= {count} THEN
                 RAISE EXCEPTION 'refused on purpose' USING ERRCODE = '{code}';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION refuse();"
    ));
}

/// How many entries were written or refused since.
fn tries(database: &Database) -> i64 {
    let row =
        database.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM refused").remove(0);
    row[0].as_deref().expect("a number").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_loses_a_race_is_decided_again_and_happens_once() {
    let database = Cluster::shared().fresh_database();
    let node = nodes::start(database.url());
    let account = node.api.account_with(100).await;
    for (round, code) in (1..).zip(["40001", "40P01"]) {
        refuse_entries(&database, 2, code);
        let name = format!("charge-{code}");
        node.api.charge(&account, 1, &name).await.expect("an answer").wants(201);
        assert_eq!(tries(&database), 3, "two were refused with {code}");
        assert_eq!(node.api.available(&account).await, 100 - round);
        let again = node.api.charge(&account, 1, &name).await.expect("an answer").wants(201);
        assert!(again.is_replayed());
    }
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_loses_every_race_is_given_up_and_can_be_asked_for_again() {
    let database = Cluster::shared().fresh_database();
    let node = nodes::start(database.url());
    let account = node.api.account_with(100).await;
    refuse_entries(&database, i64::MAX, "40001");
    let refused = node.api.charge(&account, 1, "charge").await.expect("an answer").wants(503);
    assert_eq!(refused.text_of("code"), "unavailable");
    let tries = tries(&database);
    assert!((2..=TRIES_MAX).contains(&tries), "{tries} tries");
    assert_eq!(node.api.available(&account).await, 100, "nothing was done");
    database.execute("DROP TRIGGER refuse ON entries");
    node.api.charge(&account, 1, "charge").await.expect("an answer").wants(201);
    assert_eq!(node.api.available(&account).await, 99);
    node.stop();
}
