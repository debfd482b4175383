//! Accounts, grants and lots.

use std::borrow::Borrow;

use coffer_ledger::{Account, AccountId, AccountProfile, Credits, Grant, Lot, Timestamp};
use rusqlite::{CachedStatement, Connection, params};

use super::{execute, execute_each, the_one_row};
use crate::rows;

pub(super) fn account_profile(connection: &Connection, profile: &AccountProfile) -> rusqlite::Result<()> {
    let sql = "INSERT INTO account_profiles (id, name, external_id, metadata, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (id) DO UPDATE SET name = ?2, metadata = ?4";
    let external_id = profile.external_id.as_ref().map(coffer_ledger::ExternalId::as_str);
    execute(
        connection,
        sql,
        params![
            profile.id.bytes(),
            profile.name.as_str(),
            external_id,
            rows::metadata(&profile.metadata),
            profile.created_at.unix_ms(),
        ],
    )
}

/// What can change of an account.
const STATE: &str = "status = ?2, overdraft_limit = ?3, available = ?4, held = ?5, debt = ?6, lots_made = ?7, \
                     refund_lot_day = ?8, refund_lot_id = ?9, seq = ?10, head = ?11, last_at = ?12, granted = ?13, \
                     adjusted = ?14, refunded = ?15, spent = ?16, expired = ?17, voided = ?18, next_due = ?19";

/// Accounts that may be new.
pub(in crate::sqlite) fn accounts(
    connection: &Connection,
    accounts: impl IntoIterator<Item: Borrow<Account>>,
) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO accounts (id, status, overdraft_limit, available, held, debt, lots_made, refund_lot_day, \
         refund_lot_id, seq, head, last_at, granted, adjusted, refunded, spent, expired, voided, next_due) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) \
         ON CONFLICT (id) DO UPDATE SET {STATE}"
    );
    execute_each(connection, &sql, accounts, |statement, account| write_account(statement, account.borrow()))
}

/// Accounts that are in their table.
pub(in crate::sqlite) fn account_states(
    connection: &Connection,
    accounts: impl IntoIterator<Item: Borrow<Account>>,
) -> rusqlite::Result<()> {
    let sql = format!("UPDATE accounts SET {STATE} WHERE id = ?1");
    execute_each(connection, &sql, accounts, |statement, account| {
        the_one_row(write_account(statement, account.borrow())?)
    })
}

fn write_account(statement: &mut CachedStatement<'_>, account: &Account) -> rusqlite::Result<usize> {
    let totals = &account.totals;
    statement.execute(params![
        account.id.bytes(),
        rows::account_status(account.status),
        account.overdraft_limit.millionths(),
        account.balance.available.millionths(),
        account.balance.held.millionths(),
        account.debt.millionths(),
        account.lots_made,
        account.refund_lot.map(|lot| lot.day.unix_ms()),
        account.refund_lot.map(|lot| lot.grant_id.bytes()),
        account.seq.0,
        account.head.0,
        account.last_at.unix_ms(),
        totals.granted.millionths(),
        totals.adjusted.millionths(),
        totals.refunded.millionths(),
        totals.spent.millionths(),
        totals.expired.millionths(),
        totals.voided.millionths(),
        account.next_due().map(Timestamp::unix_ms),
    ])
}

pub(super) fn grant(connection: &Connection, grant: &Grant) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO grants (id, account_id, reference, metadata, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    execute(
        connection,
        sql,
        params![
            grant.lot.grant_id.bytes(),
            grant.account_id.bytes(),
            grant.reference.as_ref().map(coffer_ledger::Reference::as_str),
            rows::metadata(&grant.metadata),
            grant.created_at.unix_ms(),
        ],
    )
}

pub(in crate::sqlite) fn lot(
    connection: &Connection,
    account_id: AccountId,
    lot: &Lot,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO lots (grant_id, account_id, creation_order, category, priority, effective_at, \
               expires_at, granted, remaining, held, expired, started, held_when_voided) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    execute(
        connection,
        sql,
        params![
            lot.grant_id.bytes(),
            account_id.bytes(),
            lot.order,
            lot.category.as_str(),
            lot.priority.get(),
            lot.effective_at.unix_ms(),
            lot.expires_at.map(Timestamp::unix_ms),
            lot.granted.millionths(),
            lot.remaining.millionths(),
            lot.held.millionths(),
            lot.expired.millionths(),
            lot.started,
            lot.held_when_voided.map(Credits::millionths),
        ],
    )
}

/// What can change of lots. Their size can: a lot of refunds takes all those of its day.
pub(in crate::sqlite) fn lot_states<'lots>(
    connection: &Connection,
    lots: impl IntoIterator<Item = &'lots Lot>,
) -> rusqlite::Result<()> {
    let sql = "UPDATE lots SET remaining = ?2, held = ?3, expired = ?4, started = ?5, held_when_voided = ?6, granted = ?7 \
               WHERE grant_id = ?1";
    execute_each(connection, sql, lots, |statement, lot| {
        the_one_row(statement.execute(params![
            lot.grant_id.bytes(),
            lot.remaining.millionths(),
            lot.held.millionths(),
            lot.expired.millionths(),
            lot.started,
            lot.held_when_voided.map(Credits::millionths),
            lot.granted.millionths(),
        ])?)
    })
}
