//! Accounts, grants and lots.

use std::borrow::Borrow;

use coffer_ledger::{Account, AccountId, AccountProfile, Credits, Grant, Lot, Timestamp};
use rusqlite::{Connection, params};

use super::{execute, execute_each};
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

pub(in crate::sqlite) fn accounts(
    connection: &Connection,
    accounts: impl IntoIterator<Item: Borrow<Account>>,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO accounts (id, status, overdraft_limit, available, held, debt, lots_made, refund_lot_day, refund_lot_id, seq, \
               head, last_at, granted, adjusted, refunded, spent, expired, voided, next_due) \
               VALUES (:id, :status, :overdraft_limit, :available, :held, :debt, :lots_made, :refund_lot_day, :refund_lot_id, :seq, \
               :head, :last_at, :granted, :adjusted, :refunded, :spent, :expired, :voided, :next_due) \
               ON CONFLICT (id) DO UPDATE SET status = :status, overdraft_limit = :overdraft_limit, \
               available = :available, held = :held, debt = :debt, lots_made = :lots_made, refund_lot_day = :refund_lot_day, refund_lot_id = :refund_lot_id, seq = :seq, \
               head = :head, last_at = :last_at, granted = :granted, adjusted = :adjusted, \
               refunded = :refunded, spent = :spent, expired = :expired, voided = :voided, \
               next_due = :next_due";
    execute_each(connection, sql, accounts, |statement, account| {
        let account: &Account = account.borrow();
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
    })
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
        let changed = statement.execute(params![
            lot.grant_id.bytes(),
            lot.remaining.millionths(),
            lot.held.millionths(),
            lot.expired.millionths(),
            lot.started,
            lot.held_when_voided.map(Credits::millionths),
            lot.granted.millionths(),
        ])?;
        // A lot that is not there must not be taken for written.
        if changed == 1 { Ok(changed) } else { Err(rusqlite::Error::StatementChangedRows(changed)) }
    })
}
