//! Customers' keys and operators' keys.

use std::borrow::Borrow;

use coffer_ledger::{Key, KeyProfile, OperatorKey, Timestamp};
use rusqlite::{Connection, params};

use super::{execute, execute_each, the_one_row};
use crate::rows;

pub(in crate::sqlite) fn keys<'keys>(
    connection: &Connection,
    keys: impl IntoIterator<Item = &'keys Key>,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO keys (id, account_id, secret, disabled, revoked_at, expires_at, limit_credits, \
               limit_period, day_starts_at, day_spent, week_starts_at, week_spent, month_starts_at, \
               month_spent, total_spent) \
               VALUES (:id, :account_id, :secret, :disabled, :revoked_at, :expires_at, :limit_credits, \
               :limit_period, :day_starts_at, :day_spent, :week_starts_at, :week_spent, :month_starts_at, \
               :month_spent, :total_spent) \
               ON CONFLICT (id) DO UPDATE SET secret = :secret, disabled = :disabled, \
               revoked_at = :revoked_at, expires_at = :expires_at, limit_credits = :limit_credits, \
               limit_period = :limit_period, day_starts_at = :day_starts_at, day_spent = :day_spent, \
               week_starts_at = :week_starts_at, week_spent = :week_spent, \
               month_starts_at = :month_starts_at, month_spent = :month_spent, total_spent = :total_spent";
    execute_each(connection, sql, keys, |statement, key| {
        let spent = &key.spent;
        statement.execute(params![
            key.id.bytes(),
            key.account_id.bytes(),
            key.secret.bytes(),
            key.disabled,
            key.revoked_at.map(Timestamp::unix_ms),
            key.expires_at.map(Timestamp::unix_ms),
            key.limit.map(|limit| limit.credits.millionths()),
            key.limit.map(|limit| rows::period(limit.period)),
            spent.day.starts_at.unix_ms(),
            spent.day.credits.millionths(),
            spent.week.starts_at.unix_ms(),
            spent.week.credits.millionths(),
            spent.month.starts_at.unix_ms(),
            spent.month.credits.millionths(),
            spent.total.credits.millionths(),
        ])
    })
}

/// What can change of keys that are in their table, but for the secret: its index is in the order of random bytes, and would
/// be written for each of them.
pub(in crate::sqlite) fn key_states(
    connection: &Connection,
    keys: impl IntoIterator<Item: Borrow<Key>>,
) -> rusqlite::Result<()> {
    let sql = "UPDATE keys SET disabled = ?2, revoked_at = ?3, expires_at = ?4, limit_credits = ?5, limit_period = ?6, \
               day_starts_at = ?7, day_spent = ?8, week_starts_at = ?9, week_spent = ?10, month_starts_at = ?11, \
               month_spent = ?12, total_spent = ?13 WHERE id = ?1";
    execute_each(connection, sql, keys, |statement, key| {
        let key: &Key = key.borrow();
        let spent = &key.spent;
        the_one_row(statement.execute(params![
            key.id.bytes(),
            key.disabled,
            key.revoked_at.map(Timestamp::unix_ms),
            key.expires_at.map(Timestamp::unix_ms),
            key.limit.map(|limit| limit.credits.millionths()),
            key.limit.map(|limit| rows::period(limit.period)),
            spent.day.starts_at.unix_ms(),
            spent.day.credits.millionths(),
            spent.week.starts_at.unix_ms(),
            spent.week.credits.millionths(),
            spent.month.starts_at.unix_ms(),
            spent.month.credits.millionths(),
            spent.total.credits.millionths(),
        ])?)
    })
}

/// The secrets that a key had before. They stay taken after their time.
pub(super) fn retired_secrets(connection: &Connection, key: &Key) -> rusqlite::Result<()> {
    key.retired.iter().try_for_each(|retired| {
        let sql = "INSERT OR IGNORE INTO retired_secrets (secret, key_id, until) VALUES (?1, ?2, ?3)";
        execute(connection, sql, params![retired.secret.bytes(), key.id.bytes(), retired.until.unix_ms()])
    })
}

pub(super) fn key_profile(connection: &Connection, profile: &KeyProfile) -> rusqlite::Result<()> {
    let sql = "INSERT INTO key_profiles (id, name, hint, metadata, created_at) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (id) DO UPDATE SET name = ?2, hint = ?3, metadata = ?4";
    execute(
        connection,
        sql,
        params![
            profile.id.bytes(),
            profile.name.as_str(),
            profile.hint.as_str(),
            rows::metadata(&profile.metadata),
            profile.created_at.unix_ms(),
        ],
    )
}

pub(super) fn operator_key(connection: &Connection, key: &OperatorKey) -> rusqlite::Result<()> {
    let sql = "INSERT INTO operator_keys (id, name, secret, hint, scopes, created_at, revoked_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET revoked_at = ?7";
    execute(
        connection,
        sql,
        params![
            key.id.bytes(),
            key.name.as_str(),
            key.secret.bytes(),
            key.hint.as_str(),
            rows::scopes(key.scopes),
            key.created_at.unix_ms(),
            key.revoked_at.map(Timestamp::unix_ms),
        ],
    )
}
