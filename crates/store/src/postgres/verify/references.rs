//! Rows that name what is not there, and rows that lie in another bucket than their ids name: both sides of each comparison
//! are on one shard, and so of one moment.

use coffer_ledger::Finding;
use tokio_postgres::Row;

use super::{Look, found_each_time};
use crate::postgres::PostgresError;
use crate::postgres::statement::Call;
use crate::rows::{self, Columns};

/// No more than this is told of one kind: a table that is gone is missed by every row that names it.
const TOLD_MAX: usize = 10_000;

/// What belongs to accounts: the table, its column, and what its rows are.
const OF_ACCOUNTS: [(&str, &str, &str); 8] = [
    ("entries", "account_id", "entries"),
    ("lots", "account_id", "lots"),
    ("grants", "account_id", "grants"),
    ("holds", "account_id", "holds"),
    ("keys", "account_id", "keys"),
    ("remembered", "account_id", "remembered answers"),
    ("account_profiles", "id", "a profile"),
    ("usage_through", "account_id", "sums of usage"),
];

/// Accounts that a query finds, and what is wrong with them.
const CONTRADICTIONS: [(&str, &str); 9] = [
    (
        "SELECT id FROM accounts WHERE NOT EXISTS (SELECT FROM account_profiles \
         WHERE account_profiles.bucket = accounts.bucket AND account_profiles.id = accounts.id)",
        "it has no profile",
    ),
    (
        "SELECT account_id FROM lots WHERE NOT EXISTS (SELECT FROM grants \
         WHERE grants.bucket = lots.bucket AND grants.id = lots.grant_id)",
        "there is a lot without a grant",
    ),
    (
        "SELECT account_id FROM grants WHERE NOT EXISTS (SELECT FROM lots \
         WHERE lots.bucket = grants.bucket AND lots.grant_id = grants.id)",
        "there is a grant without a lot",
    ),
    (
        "SELECT lots.account_id FROM lots JOIN grants ON grants.bucket = lots.bucket AND grants.id = lots.grant_id \
         WHERE lots.account_id <> grants.account_id",
        "there is a lot of another account's grant",
    ),
    (
        "SELECT account_id FROM keys WHERE NOT EXISTS (SELECT FROM key_profiles \
         WHERE key_profiles.bucket = keys.bucket AND key_profiles.id = keys.id)",
        "there is a key without a profile",
    ),
    (
        "SELECT remembered.account_id FROM remembered JOIN entries ON entries.bucket = remembered.bucket \
         AND entries.account_id = remembered.account_id AND entries.idempotency_key = remembered.idempotency_key",
        "an idempotency key has two answers",
    ),
    (
        "SELECT account_id FROM remembered WHERE grant_id IS NOT NULL AND NOT EXISTS (SELECT FROM grants \
         WHERE grants.bucket = remembered.bucket AND grants.id = remembered.grant_id)",
        "a remembered answer names no grant",
    ),
    (
        "SELECT account_id FROM lots WHERE NOT started AND NOT EXISTS (SELECT FROM remembered \
         WHERE remembered.bucket = lots.bucket AND remembered.grant_id = lots.grant_id)",
        "the idempotency key of a grant that is to start is missing",
    ),
    (
        "SELECT account_id FROM entries WHERE kind = 'grant' AND idempotency_key IS NULL \
         AND NOT EXISTS (SELECT FROM remembered \
         WHERE remembered.bucket = entries.bucket AND remembered.grant_id = entries.grant_id)",
        "the idempotency key of a grant that has started is missing",
    ),
];

/// How many rows a condition finds in a table, and what they are.
const COUNTED: [(&str, &str); 5] = [
    (
        "retired_secrets WHERE NOT EXISTS (SELECT FROM keys \
         WHERE keys.bucket = retired_secrets.bucket AND keys.id = retired_secrets.key_id)",
        "retired secrets of no key",
    ),
    (
        "charge_refunds WHERE NOT EXISTS (SELECT FROM entries WHERE entries.bucket = charge_refunds.bucket \
         AND entries.charge_id = charge_refunds.charge_id AND entries.kind IN ('charge', 'capture'))",
        "refunds of no charge",
    ),
    (
        "sessions WHERE holder_kind = 'account' AND NOT EXISTS (SELECT FROM accounts \
         WHERE accounts.bucket = sessions.bucket AND uuid_send(accounts.id) = sessions.holder)",
        "sessions of no account",
    ),
    (
        "actions WHERE account_id IS NOT NULL AND NOT EXISTS (SELECT FROM accounts \
         WHERE accounts.bucket = actions.bucket AND accounts.id = actions.account_id)",
        "actions on no account",
    ),
    (
        "usage_days WHERE NOT EXISTS (SELECT FROM usage_through \
         WHERE usage_through.bucket = usage_days.bucket AND usage_through.account_id = usage_days.account_id)",
        "sums of usage that go through no entry",
    ),
];

/// The ids of each table's rows, all of which name the row's bucket.
const OF_BUCKETS: [(&str, &[&str]); 16] = [
    ("accounts", &["id"]),
    ("account_profiles", &["id"]),
    ("lots", &["grant_id", "account_id"]),
    ("grants", &["id", "account_id"]),
    ("entries", &["account_id", "charge_id"]),
    ("remembered", &["account_id"]),
    ("charge_refunds", &["charge_id"]),
    ("holds", &["id", "account_id"]),
    ("keys", &["id", "account_id"]),
    ("key_profiles", &["id"]),
    ("key_uses", &["key_id"]),
    ("retired_secrets", &["key_id"]),
    ("sessions", &["id"]),
    ("actions", &["id"]),
    ("usage_through", &["account_id"]),
    ("usage_days", &["account_id"]),
];
/// What belongs to no account.
const OF_THE_CATALOGUE: [&str; 2] = ["prices", "operator_keys"];

pub(super) async fn references(look: &Look<'_>, tell: &mut impl FnMut(Finding)) -> Result<(), PostgresError> {
    for (table, column, what) in OF_ACCOUNTS {
        let sql = format!(
            "SELECT {column} FROM {table} WHERE NOT EXISTS (SELECT FROM accounts \
             WHERE accounts.bucket = {table}.bucket AND accounts.id = {table}.{column})"
        );
        accounts(look, &sql, &format!("there are {what} of it, and no account"), tell).await?;
    }
    for (sql, what) in CONTRADICTIONS {
        accounts(look, sql, what, tell).await?;
    }
    for (from, what) in COUNTED {
        count(look, from, what, tell).await?;
    }
    for (table, ids) in OF_BUCKETS {
        let is_elsewhere = |id: &&str| format!("bucket <> get_byte(uuid_send({id}), 15)");
        let condition: Vec<String> = ids.iter().map(is_elsewhere).collect();
        in_their_buckets(look, table, &condition.join(" OR "), tell).await?;
    }
    // A name that is too short for a bucket is in none.
    let is_elsewhere = "CASE WHEN length(name) = 32 THEN bucket <> get_byte(name, 31) ELSE true END";
    in_their_buckets(look, "directory", is_elsewhere, tell).await?;
    for table in OF_THE_CATALOGUE {
        in_their_buckets(look, table, "bucket <> 0", tell).await?;
    }
    Ok(())
}

async fn in_their_buckets(
    look: &Look<'_>,
    table: &str,
    is_elsewhere: &str,
    tell: &mut impl FnMut(Finding),
) -> Result<(), PostgresError> {
    let from = format!("{table} WHERE {is_elsewhere}");
    count(look, &from, &format!("rows of {table} in another bucket than they belong to"), tell).await
}

/// Tells of each account that a query finds.
async fn accounts(
    look: &Look<'_>,
    sql: &str,
    what: &str,
    tell: &mut impl FnMut(Finding),
) -> Result<(), PostgresError> {
    let sql = format!("SELECT DISTINCT * FROM ({sql}) AS found(id) ORDER BY id LIMIT {TOLD_MAX}");
    let found = found_each_time(async || {
        let rows = look.rows(Call::over_all_buckets(sql.as_str(), Vec::new())).await?;
        let finding = |row: &Row| match rows::account_id(&mut Columns::of(row)) {
            Ok(id) => format!("{id}: {what}"),
            Err(error) => format!("{what}, and whose it is cannot be read: {error}"),
        };
        Ok(rows.iter().map(finding).collect())
    });
    found.await?.into_iter().for_each(tell);
    Ok(())
}

/// Tells how many rows there are that must not be.
async fn count(
    look: &Look<'_>,
    from: &str,
    what: &str,
    tell: &mut impl FnMut(Finding),
) -> Result<(), PostgresError> {
    let sql = format!("SELECT count(*) FROM {from}");
    let found = found_each_time(async || {
        let rows = look.rows(Call::over_all_buckets(sql.as_str(), Vec::new())).await?;
        let found: i64 = rows.first().map_or(0, |row| row.get(0));
        Ok((found > 0).then(|| format!("there are {found} {what}")).into_iter().collect())
    });
    found.await?.into_iter().for_each(tell);
    Ok(())
}
