//! Reading the file: what a batch needs, and what readers ask for.

use std::collections::BTreeMap;

use coffer_ledger::{
    Account, AccountId, AccountRecord, Charge, ChargeId, Entry, Grant, GrantId, IdempotencyKey, Key, KeyId,
    KeyRecord, Lot, Needs, OperatorKey, Outcome, Remembered, Seq, Snapshot, Timestamp,
};
use rusqlite::{Connection, OptionalExtension as _, Params, params};

use super::published::Published;
use super::rows::{self, Columns, RememberedRow, Result};
use crate::{AccountFilter, Page, Span};

/// What the commands of a batch need: accounts and keys from memory, everything else from the file.
pub(super) fn snapshot(connection: &Connection, published: &Published, needs: &Needs) -> Result<Snapshot> {
    let mut snapshot = Snapshot::default();
    for id in &needs.accounts {
        if let Some(account) = published.account(*id) {
            snapshot.accounts.insert(*id, (*account).clone());
        }
    }
    for id in &needs.keys {
        if let Some(key) = published.key(*id) {
            snapshot.keys.insert(*id, (*key).clone());
        }
    }
    for secret in &needs.secrets {
        if let Some(key) = published.key_by_secret(secret) {
            snapshot.secrets.insert(*secret, key.id);
        }
    }
    if needs.operator_keys {
        snapshot.operator_keys = published.operator_keys();
    }
    for external_id in &needs.external_ids {
        let sql = "SELECT id FROM account_profiles WHERE external_id = ?1";
        let found = one(connection, sql, [external_id.as_str()], rows::account_id)?;
        snapshot.external_ids.extend(found.map(|id| (external_id.clone(), id)));
    }
    for id in &needs.key_profiles {
        let sql = format!("SELECT {} FROM key_profiles WHERE id = ?1", rows::KEY_PROFILE);
        let found = one(connection, &sql, [id.bytes()], rows::key_profile)?;
        snapshot.key_profiles.extend(found.map(|profile| (*id, profile)));
    }
    for (account_id, key) in &needs.remembered {
        if let Some(remembered) = remembered(connection, *account_id, key)? {
            snapshot.remembered.insert((*account_id, key.clone()), remembered);
        }
    }
    Ok(snapshot)
}

fn remembered(
    connection: &Connection,
    account_id: AccountId,
    key: &IdempotencyKey,
) -> Result<Option<Remembered>> {
    let name = params![account_id.bytes(), key.as_str()];
    let sql = select(rows::ENTRY, "entries WHERE account_id = ?1 AND idempotency_key = ?2");
    if let Some(entry) = one(connection, &sql, name, rows::entry)? {
        return of_entry(connection, &entry).map(Some);
    }
    let sql = select(rows::REMEMBERED, "remembered WHERE account_id = ?1 AND idempotency_key = ?2");
    match one(connection, &sql, name, rows::remembered)? {
        None => Ok(None),
        Some(RememberedRow::Refusal(fingerprint, refusal)) => {
            Ok(Some(Remembered { fingerprint, outcome: Outcome::Refused(refusal) }))
        }
        Some(RememberedRow::PendingGrant(fingerprint, grant_id)) => {
            let grant = grant(connection, grant_id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Ok(Some(Remembered { fingerprint, outcome: Outcome::Granted(grant.as_pending()) }))
        }
    }
}

fn of_entry(connection: &Connection, entry: &Entry) -> Result<Remembered> {
    let grant = match entry.origin.grant_id {
        Some(grant_id) => grant(connection, grant_id)?,
        None => None,
    };
    let outcome = Outcome::of_entry(entry, grant);
    let fingerprint = entry.idempotency.as_ref().map(|idempotency| idempotency.fingerprint);
    match (fingerprint, outcome) {
        (Some(fingerprint), Some(outcome)) => Ok(Remembered { fingerprint, outcome }),
        (None, _) | (_, None) => Err(rusqlite::Error::QueryReturnedNoRows),
    }
}

pub(super) fn account_record(connection: &Connection, id: AccountId) -> Result<Option<AccountRecord>> {
    let sql = account_records_sql("account_profiles.id = ?1");
    let Some(mut record) = one(connection, &sql, [id.bytes()], account_record_row)? else {
        return Ok(None);
    };
    record.account.lots = open_lots(connection, id)?;
    Ok(Some(record))
}

pub(super) fn account_records(
    connection: &Connection,
    filter: &AccountFilter,
    span: Span,
) -> Result<Page<AccountRecord>> {
    let sql = account_records_sql(
        "account_profiles.id < ?1 AND (?2 IS NULL OR external_id = ?2) AND (?3 IS NULL OR status = ?3) \
         ORDER BY account_profiles.id DESC LIMIT ?4",
    );
    let external_id = filter.external_id.as_ref().map(coffer_ledger::ExternalId::as_str);
    let status = filter.status.map(rows::account_status);
    let params = params![span.before_or_end(), external_id, status, span.count_max + 1];
    let mut records = all(connection, &sql, params, account_record_row)?;
    for record in &mut records {
        record.account.lots = open_lots(connection, record.profile.id)?;
    }
    Ok(Page::of(records, span))
}

fn account_records_sql(condition: &str) -> String {
    let (profile, account) = (rows::ACCOUNT_PROFILE, rows::ACCOUNT);
    format!(
        "SELECT {profile}, {account} FROM account_profiles JOIN accounts ON accounts.id = account_profiles.id \
         WHERE {condition}"
    )
}

fn account_record_row(columns: &mut Columns<'_>) -> Result<AccountRecord> {
    Ok(AccountRecord { profile: rows::account_profile(columns)?, account: rows::account(columns)? })
}

fn open_lots(connection: &Connection, account_id: AccountId) -> Result<Vec<Lot>> {
    let from = "lots WHERE account_id = ?1 AND (remaining > 0 OR held > 0)";
    let mut lots = all(connection, &select(rows::LOT, from), [account_id.bytes()], rows::lot)?;
    lots.sort_by_key(Lot::burn_order);
    Ok(lots)
}

pub(super) fn accounts_due(
    connection: &Connection,
    until: Timestamp,
    count_max: usize,
) -> Result<Vec<AccountId>> {
    let sql = "SELECT id FROM accounts WHERE next_due <= ?1 ORDER BY next_due LIMIT ?2";
    all(connection, sql, params![until.unix_ms(), count_max], rows::account_id)
}

fn key_records_sql(condition: &str) -> String {
    let (profile, key) = (rows::KEY_PROFILE, rows::KEY);
    format!(
        "SELECT {profile}, {key} FROM keys JOIN key_profiles ON key_profiles.id = keys.id WHERE {condition}"
    )
}

fn key_record_row(columns: &mut Columns<'_>) -> Result<KeyRecord> {
    Ok(KeyRecord { profile: rows::key_profile(columns)?, key: rows::key(columns)? })
}

pub(super) fn key_record(connection: &Connection, id: KeyId) -> Result<Option<KeyRecord>> {
    one(connection, &key_records_sql("keys.id = ?1"), [id.bytes()], key_record_row)
}

pub(super) fn key_records(
    connection: &Connection,
    account_id: AccountId,
    span: Span,
) -> Result<Page<KeyRecord>> {
    let sql = key_records_sql("keys.account_id = ?1 AND keys.id < ?2 ORDER BY keys.id DESC LIMIT ?3");
    let params = params![account_id.bytes(), span.before_or_end(), span.count_max + 1];
    Ok(Page::of(all(connection, &sql, params, key_record_row)?, span))
}

pub(super) fn key_uses(connection: &Connection, ids: &[KeyId]) -> Result<BTreeMap<KeyId, Timestamp>> {
    let mut uses = BTreeMap::new();
    for id in ids {
        let sql = "SELECT last_used_at FROM key_uses WHERE key_id = ?1";
        let found = one(connection, sql, [id.bytes()], rows::time)?;
        uses.extend(found.map(|at| (*id, at)));
    }
    Ok(uses)
}

fn grants_sql(condition: &str) -> String {
    let (grant, lot) = (rows::GRANT, rows::LOT);
    format!("SELECT {grant}, {lot} FROM grants JOIN lots ON lots.grant_id = grants.id WHERE {condition}")
}

fn grant(connection: &Connection, id: GrantId) -> Result<Option<Grant>> {
    one(connection, &grants_sql("grants.id = ?1"), [id.bytes()], rows::grant)
}

fn grants(connection: &Connection, account_id: AccountId, span: Span) -> Result<Page<Grant>> {
    let sql = grants_sql("grants.account_id = ?1 AND grants.id < ?2 ORDER BY grants.id DESC LIMIT ?3");
    let params = params![account_id.bytes(), span.before_or_end(), span.count_max + 1];
    Ok(Page::of(all(connection, &sql, params, rows::grant)?, span))
}

pub(super) fn account_and_grant(connection: &Connection, id: GrantId) -> Result<Option<(Account, Grant)>> {
    let Some(grant) = grant(connection, id)? else { return Ok(None) };
    Ok(account(connection, grant.account_id)?.map(|account| (account, grant)))
}

pub(super) fn account_and_grants(
    connection: &Connection,
    account_id: AccountId,
    span: Span,
) -> Result<Option<(Account, Page<Grant>)>> {
    let Some(account) = account(connection, account_id)? else { return Ok(None) };
    Ok(Some((account, grants(connection, account_id, span)?)))
}

pub(super) fn entries(
    connection: &Connection,
    account_id: AccountId,
    after: Seq,
    count_max: usize,
) -> Result<Vec<Entry>> {
    let sql = select(rows::ENTRY, "entries WHERE account_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
    all(connection, &sql, params![account_id.bytes(), after.0, count_max], rows::entry)
}

fn account(connection: &Connection, id: AccountId) -> Result<Option<Account>> {
    let sql = select(rows::ACCOUNT, "accounts WHERE id = ?1");
    let Some(mut account) = one(connection, &sql, [id.bytes()], rows::account)? else { return Ok(None) };
    account.lots = open_lots(connection, id)?;
    Ok(Some(account))
}

pub(super) fn charge(connection: &Connection, id: ChargeId) -> Result<Option<Charge>> {
    let sql = select(rows::ENTRY, "entries WHERE charge_id = ?1 AND kind = 'charge'");
    Ok(one(connection, &sql, [id.bytes()], rows::entry)?.as_ref().and_then(Charge::of_entry))
}

pub(super) fn each_account(connection: &Connection, take: impl FnMut(Account)) -> Result<()> {
    each(connection, &select(rows::ACCOUNT, "accounts"), rows::account, take)
}

pub(super) fn each_open_lot(connection: &Connection, mut take: impl FnMut(AccountId, Lot)) -> Result<()> {
    let columns = format!("account_id, {}", rows::LOT);
    let sql = select(&columns, "lots WHERE remaining > 0 OR held > 0");
    let row = |columns: &mut Columns<'_>| Ok((rows::account_id(columns)?, rows::lot(columns)?));
    each(connection, &sql, row, |(account_id, lot)| take(account_id, lot))
}

pub(super) fn each_key(connection: &Connection, take: impl FnMut(Key)) -> Result<()> {
    each(connection, &select(rows::KEY, "keys"), rows::key, take)
}

pub(super) fn each_operator_key(connection: &Connection, take: impl FnMut(OperatorKey)) -> Result<()> {
    each(connection, &select(rows::OPERATOR_KEY, "operator_keys"), rows::operator_key, take)
}

fn select(columns: &str, from: &str) -> String {
    format!("SELECT {columns} FROM {from}")
}

fn one<Record>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&mut Columns<'_>) -> Result<Record>,
) -> Result<Option<Record>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params, |row| read(&mut Columns::of(row))).optional()
}

fn all<Record>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut Columns<'_>) -> Result<Record>,
) -> Result<Vec<Record>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(params, |row| read(&mut Columns::of(row)))?.collect()
}

fn each<Record>(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&mut Columns<'_>) -> Result<Record>,
    mut take: impl FnMut(Record),
) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        take(read(&mut Columns::of(row))?);
    }
    Ok(())
}
