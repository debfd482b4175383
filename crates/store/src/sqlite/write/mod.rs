//! Writing what a batch has changed. Runs inside the writer's transaction.

mod accounts;
mod entries;
mod keys;

use std::collections::BTreeMap;

use coffer_ledger::{Changes, Description, KeyId, Operation, Price, RememberedChange, Timestamp, Unit};
use rusqlite::{CachedStatement, Connection, params};

use super::names::EntryNumber;
use super::trailing::numbered;
use crate::rows::RememberedColumns;
use crate::sqlite::people;

pub(super) use accounts::{account_states, accounts, lot, lot_states};
pub(super) use entries::{holds, places};
pub(super) use keys::{key_states, keys};

/// Writes what belongs to the journal and to no table that may trail behind it. The first entry gets this number.
pub(super) fn changes(
    connection: &Connection,
    changes: &Changes,
    first: EntryNumber,
) -> rusqlite::Result<()> {
    people::write(connection, changes)?;
    let Changes {
        account_profiles,
        // What trails, or the redo row, tells of these.
        accounts: _,
        entries: _,
        grants,
        lots,
        holds: _,
        refunded,
        keys,
        key_profiles,
        prices,
        operator_keys,
        erasures: _,
        remembered,
        sessions: _,
        actions: _,
    } = changes;
    account_profiles.values().try_for_each(|profile| accounts::account_profile(connection, profile))?;
    entries::entries(connection, numbered(changes, first))?;
    grants.iter().try_for_each(|new| accounts::grant(connection, new))?;
    for new in grants {
        // A new grant's lot is among the changed lots, where it stands as the batch has left it.
        let place = (new.account_id, new.lot.grant_id);
        lot(connection, new.account_id, lots.get(&place).unwrap_or(&new.lot))?;
    }
    refunded.iter().try_for_each(|(id, refunded)| entries::refunded(connection, *id, *refunded))?;
    // A rotation changes the profile as well, by the secret's hint: a charge has no secrets to write.
    let perhaps_rotated = keys.iter().filter(|key| key_profiles.contains_key(&key.id));
    perhaps_rotated.into_iter().try_for_each(|key| keys::retired_secrets(connection, key))?;
    key_profiles.values().try_for_each(|changed| keys::key_profile(connection, changed))?;
    prices.iter().try_for_each(|(operation, change)| price(connection, operation, change.as_ref()))?;
    operator_keys.values().try_for_each(|changed| keys::operator_key(connection, changed))?;
    remembered.iter().try_for_each(|change| self::remembered(connection, change))
}

/// Erases text, once everything else of the batch is in its table.
pub(super) fn erasures(connection: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    changes.erasures.iter().try_for_each(|erasure| entries::erase(connection, erasure))
}

/// Forgets refusals of before a time; answers how many.
pub(super) fn forget_refusals(connection: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM remembered WHERE refusal IS NOT NULL AND at < ?1";
    connection.prepare_cached(sql)?.execute([before.unix_ms()])
}

/// Notes when keys were last used.
pub(super) fn key_uses(connection: &Connection, uses: &BTreeMap<KeyId, Timestamp>) -> rusqlite::Result<()> {
    let sql = "INSERT INTO key_uses (key_id, last_used_at) VALUES (?1, ?2) \
               ON CONFLICT (key_id) DO UPDATE SET last_used_at = max(last_used_at, ?2)";
    uses.iter().try_for_each(|(id, at)| execute(connection, sql, params![id.bytes(), at.unix_ms()]))
}

/// Writes a row that nobody reads.
pub(super) fn probe(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1";
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

fn price(connection: &Connection, operation: &Operation, price: Option<&Price>) -> rusqlite::Result<()> {
    let Some(price) = price else {
        return execute(connection, "DELETE FROM prices WHERE operation = ?1", [operation.as_str()]);
    };
    let sql = "INSERT INTO prices (operation, id, rate, unit, description, updated_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT (operation) DO UPDATE SET id = ?2, rate = ?3, unit = ?4, description = ?5, updated_at = ?6";
    execute(
        connection,
        sql,
        params![
            operation.as_str(),
            price.id,
            price.rate.to_string(),
            price.unit.as_ref().map(Unit::as_str),
            price.description.as_ref().map(Description::as_str),
            price.updated_at.map(Timestamp::unix_ms),
        ],
    )
}

fn remembered(connection: &Connection, change: &RememberedChange) -> rusqlite::Result<()> {
    let sql = "INSERT INTO remembered (account_id, idempotency_key, fingerprint, at, grant_id, voided, refusal, \
               required, left_over, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let columns = RememberedColumns::of(change);
    execute(
        connection,
        sql,
        params![
            columns.account_id.bytes(),
            columns.idempotency_key,
            columns.fingerprint,
            columns.at,
            columns.grant_id,
            columns.voided,
            columns.refusal,
            columns.required,
            columns.left_over,
            columns.seal(),
        ],
    )
}

fn execute(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(params).map(|_| ())
}

/// Executes a statement for each of some records. It is looked up once: that alone takes a tenth of what most of them take.
fn execute_each<Record>(
    connection: &Connection,
    sql: &str,
    records: impl IntoIterator<Item = Record>,
    execute: impl Fn(&mut CachedStatement<'_>, Record) -> rusqlite::Result<usize>,
) -> rusqlite::Result<()> {
    let mut records = records.into_iter().peekable();
    if records.peek().is_none() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(sql)?;
    records.try_for_each(|record| execute(&mut statement, record).map(drop))
}

/// How many rows a statement has changed, if it is one: a row that is not there must not be taken for written.
fn the_one_row(changed: usize) -> rusqlite::Result<usize> {
    if changed == 1 { Ok(changed) } else { Err(rusqlite::Error::StatementChangedRows(changed)) }
}
