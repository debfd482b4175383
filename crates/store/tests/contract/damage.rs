//! Damage to a database's rows, each of which must be found.

use coffer_store::LaneChoice;
use coffer_test_postgres::Database;

use crate::books::findings;
use crate::{history, in_postgres};

/// What is done, and a part of what must be said.
const DAMAGES: &[(&str, &str)] = &[
    (
        "UPDATE entries SET hash = set_byte(hash, 3, get_byte(hash, 3) # 1) WHERE seq = 2",
        "its hash does not follow",
    ),
    ("UPDATE entries SET credits = credits - 1 WHERE seq = 9", "its hash does not follow"),
    ("UPDATE entries SET lots = '' WHERE kind = 'charge'", "its lots do not add up to it"),
    ("UPDATE entries SET lots = '\\x01' WHERE seq = 4", "entry 4 cannot be read"),
    ("DELETE FROM entries WHERE seq = 3", "entry 3 is missing: entry 4 follows"),
    ("DELETE FROM entries WHERE kind = 'release'", "is missing"),
    (
        "UPDATE entries SET seq = -seq WHERE seq IN (4, 5); UPDATE entries SET seq = 9 + seq WHERE seq IN (-4, -5)",
        "its hash does not follow",
    ),
    (
        "UPDATE entries SET idempotency_key = idempotency_key || 'x' WHERE seq = 5",
        "what it answers has changed",
    ),
    (
        "UPDATE entries SET fingerprint = set_byte(fingerprint, 0, get_byte(fingerprint, 0) # 1) WHERE seq = 5",
        "what it answers has changed",
    ),
    (
        "UPDATE entries SET idempotency_key = NULL, fingerprint = NULL WHERE seq = 5",
        "its idempotency key is missing",
    ),
    ("UPDATE entries SET available_told = 1, held_told = 1 WHERE seq = 5", "what it answers has changed"),
    ("UPDATE accounts SET available = available + 1", "the account's available is"),
    ("UPDATE accounts SET available = available + 1", "in all accounts together credits were made or lost"),
    ("UPDATE accounts SET spent = spent - 1", "the account's spent is"),
    ("UPDATE accounts SET head = sha256('')", "the account is at entry"),
    ("UPDATE accounts SET lots_made = lots_made + 1", "lots were made in it"),
    ("UPDATE accounts SET next_due = next_due + 1", "noted to be due at another time"),
    ("UPDATE accounts SET next_due = NULL", "noted to be due at another time"),
    ("UPDATE accounts SET status = 'gone'", "it cannot be read"),
    ("DELETE FROM accounts WHERE bucket = 1", "there are entries of it, and no account"),
    ("DELETE FROM account_profiles", "it has no profile"),
    ("UPDATE account_profiles SET metadata = 'gold'", "the profile of an account cannot be read"),
    ("UPDATE lots SET remaining = remaining + 1 WHERE is_open AND started", "what is left of grt_"),
    ("UPDATE lots SET held = held + 1 WHERE is_open", "what is held of grt_"),
    ("UPDATE lots SET is_open = NOT is_open", "is noted as open, and nothing is left of it"),
    ("UPDATE lots SET is_open = NOT is_open", "is noted as used up, and something is left of it"),
    ("UPDATE lots SET expires_at = expires_at - 60000", "was drawn from when it had expired"),
    ("DELETE FROM lots WHERE started AND expires_at IS NULL", "is missing"),
    ("DELETE FROM grants", "there is a lot without a grant"),
    ("DELETE FROM holds", "is missing"),
    ("UPDATE holds SET captured = captured + 1", "what was captured of hld_"),
    ("UPDATE holds SET status = 'open' WHERE status = 'expired'", "has not ended when its entries say"),
    ("UPDATE charge_refunds SET refunded = refunded + 1", "what was given back of chg_"),
    ("DELETE FROM charge_refunds", "it is not known that chg_"),
    ("DELETE FROM entries WHERE kind IN ('charge', 'capture')", "refunds of no charge"),
    ("UPDATE keys SET total_spent = total_spent + 1", "has spent in its Total"),
    ("UPDATE keys SET day_spent = day_spent + 1", "has spent in its Day"),
    ("DELETE FROM keys", "retired secrets of no key"),
    ("DELETE FROM key_profiles", "there is a key without a profile"),
    ("UPDATE remembered SET required = required + 1 WHERE required > 0", "has changed"),
    ("UPDATE remembered SET refusal = 'too_much' WHERE refusal IS NOT NULL", "cannot be read"),
    ("UPDATE remembered SET idempotency_key = idempotency_key || '1'", "has changed"),
    ("UPDATE remembered SET fingerprint = sha256('')", "has changed"),
    (
        "UPDATE remembered SET idempotency_key = (SELECT min(idempotency_key) FROM entries \
         WHERE entries.account_id = remembered.account_id) WHERE refusal = 'insufficient_credits'",
        "an idempotency key has two answers",
    ),
    (
        "DELETE FROM remembered WHERE grant_id IS NOT NULL",
        "the idempotency key of a grant that is to start is missing",
    ),
    (
        "DELETE FROM remembered WHERE grant_id IS NOT NULL",
        "the idempotency key of a grant that has started is missing",
    ),
    (
        "UPDATE directory SET owner = gen_random_uuid() WHERE kind = 'secret'",
        "by the directory its secret is that of key_",
    ),
    (
        "UPDATE directory SET owner = gen_random_uuid() WHERE kind = 'external_id'",
        "it has not the external id that the directory gives it",
    ),
    ("DELETE FROM directory WHERE kind = 'secret'", "its secret is missing from the directory"),
    ("DELETE FROM directory WHERE kind = 'external_id'", "its external id is missing from the directory"),
    ("DELETE FROM retired_secrets", "it has not the secret that the directory gives it"),
    ("UPDATE keys SET secret = sha256(secret)", "its secret is missing from the directory"),
    (
        "UPDATE account_profiles SET external_id = external_id || '1'",
        "its external id is missing from the directory",
    ),
    ("UPDATE directory SET kind = 'nickname' WHERE kind = 'secret'", "a name of an unknown kind"),
    ("UPDATE accounts SET bucket = 9 WHERE bucket = 1", "rows of accounts in another bucket"),
    ("UPDATE holds SET bucket = 9", "rows of holds in another bucket"),
    ("UPDATE keys SET bucket = 9", "rows of keys in another bucket"),
    ("UPDATE entries SET bucket = 9 WHERE seq = 4", "rows of entries in another bucket"),
    ("UPDATE key_uses SET bucket = 9", "rows of key_uses in another bucket"),
    ("UPDATE directory SET bucket = 9 WHERE kind = 'secret'", "rows of directory in another bucket"),
    (
        "UPDATE directory SET name = '' WHERE kind = 'external_id' \
         AND bucket = (SELECT min(bucket) FROM directory WHERE kind = 'external_id')",
        "rows of directory in another bucket",
    ),
    ("UPDATE prices SET bucket = 9", "rows of prices in another bucket"),
    ("UPDATE prices SET rate = 'much'", "a price cannot be read"),
    ("UPDATE operator_keys SET scopes = 'everything'", "an operator's key cannot be read"),
];

const TABLES: [&str; 15] = [
    "accounts",
    "account_profiles",
    "lots",
    "grants",
    "entries",
    "remembered",
    "charge_refunds",
    "holds",
    "keys",
    "key_profiles",
    "key_uses",
    "retired_secrets",
    "directory",
    "prices",
    "operator_keys",
];

fn keep(database: &Database) {
    database.execute("CREATE SCHEMA kept");
    for table in TABLES {
        database.execute(&format!("CREATE TABLE kept.{table} AS TABLE {table}"));
    }
}

fn mend(database: &Database) {
    let mend = |table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept.{table};");
    database.execute(&TABLES.map(mend).concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_damage_is_found() {
    let fresh = in_postgres(LaneChoice::AsTheTablesAre).await;
    history::make(&fresh.store).await;
    fresh.store.close().await;
    let database = fresh.database.as_ref().expect("it has a database");
    keep(database);
    let mut unfound = Vec::new();
    for lanes in [LaneChoice::AsTheTablesAre, LaneChoice::OnePerBucket] {
        for (damage, expected) in DAMAGES {
            database.execute(damage);
            let found = findings(database, lanes).await;
            if !found.iter().any(|finding| finding.contains(expected)) {
                unfound.push(format!("{lanes:?}: {damage}: {found:#?}"));
            }
            mend(database);
        }
        assert_eq!(findings(database, lanes).await, Vec::<String>::new(), "it was mended");
    }
    assert!(unfound.is_empty(), "these are not found as told:\n{}", unfound.join("\n"));
}
