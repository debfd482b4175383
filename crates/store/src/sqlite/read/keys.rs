//! Customers' keys and operators' keys.

use std::collections::BTreeMap;

use coffer_ledger::{Account, AccountId, Key, KeyId, KeyRecord, OperatorKey, RetiredSecret, Timestamp};
use rusqlite::{Connection, params};

use super::{Stretch, account};
use crate::rows::{self, Columns};
use crate::sqlite::query::Result;
use crate::sqlite::query::{all, each, one, select};
use crate::{Page, Span};

pub(in crate::sqlite) fn account_and_key(
    connection: &Connection,
    id: KeyId,
) -> Result<Option<(Account, KeyRecord)>> {
    let record = one(connection, &key_records_sql("keys.id = ?1"), [id.bytes()], key_record_row)?;
    let Some(record) = record else { return Ok(None) };
    let record = whole(connection, record)?;
    Ok(account(connection, record.key.account_id)?.map(|account| (account, record)))
}

pub(in crate::sqlite) fn account_and_keys(
    connection: &Connection,
    account_id: AccountId,
    span: Span,
) -> Result<Option<(Account, Page<KeyRecord>)>> {
    let Some(account) = account(connection, account_id)? else { return Ok(None) };
    let sql = key_records_sql("keys.account_id = ?1 AND keys.id < ?2 ORDER BY keys.id DESC LIMIT ?3");
    let params = params![account_id.bytes(), span.before_or_end(), span.count_max + 1];
    let records = all(connection, &sql, params, key_record_row)?.into_iter();
    let records: Result<_> = records.map(|record| whole(connection, record)).collect();
    Ok(Some((account, Page::of(records?, span))))
}

pub(in crate::sqlite) fn key_uses(
    connection: &Connection,
    ids: &[KeyId],
) -> Result<BTreeMap<KeyId, Timestamp>> {
    let mut uses = BTreeMap::new();
    for id in ids {
        let sql = "SELECT last_used_at FROM key_uses WHERE key_id = ?1";
        let found = one(connection, sql, [id.bytes()], rows::time)?;
        uses.extend(found.map(|at| (*id, at)));
    }
    Ok(uses)
}

/// Every key, without its retired secrets.
pub(in crate::sqlite) fn each_key(
    connection: &Connection,
    stretch: &Stretch,
    take: impl FnMut(Key),
) -> Result<()> {
    let sql = select(rows::KEY, "keys WHERE id > ?1 AND id <= ?2");
    each(connection, &sql, stretch.bounds(), rows::key, take)
}

/// Every retired secret, those of a key in the order in which they die.
pub(in crate::sqlite) fn each_retired_secret(
    connection: &Connection,
    take: impl FnMut((KeyId, RetiredSecret)),
) -> Result<()> {
    let sql = select(rows::RETIRED_SECRET, "retired_secrets ORDER BY key_id, until");
    each(connection, &sql, [], rows::retired_secret, take)
}

pub(in crate::sqlite) fn each_operator_key(
    connection: &Connection,
    take: impl FnMut(OperatorKey),
) -> Result<()> {
    each(connection, &select(rows::OPERATOR_KEY, "operator_keys"), [], rows::operator_key, take)
}

fn key_records_sql(condition: &str) -> String {
    let (profile, key) = (rows::KEY_PROFILE, rows::KEY);
    format!(
        "SELECT {profile}, {key} FROM keys JOIN key_profiles ON key_profiles.id = keys.id WHERE {condition}"
    )
}

fn key_record_row(columns: &mut Columns<'_>) -> rows::Result<KeyRecord> {
    Ok(KeyRecord { profile: rows::key_profile(columns)?, key: rows::key(columns)? })
}

/// The record with the key's retired secrets.
fn whole(connection: &Connection, mut record: KeyRecord) -> Result<KeyRecord> {
    let sql = select(rows::RETIRED_SECRET, "retired_secrets WHERE key_id = ?1 ORDER BY until");
    let retired = all(connection, &sql, [record.key.id.bytes()], rows::retired_secret)?;
    record.key.retired = retired.into_iter().map(|(_, retired)| retired).collect();
    Ok(record)
}
