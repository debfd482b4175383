//! Holds, with the text and the balance of the entries that made them.

use std::collections::BTreeMap;

use coffer_ledger::{AccountId, Hold, HoldId, HoldRecord};
use rusqlite::{Connection, params};

use super::Stretch;
use crate::rows;
use crate::sqlite::query::Result;
use crate::sqlite::query::{JOURNAL, all, each, one, select};
use crate::{HoldFilter, Page, Span};

/// A hold without its text.
pub(in crate::sqlite) fn hold_alone(connection: &Connection, id: HoldId) -> Result<Option<Hold>> {
    one(connection, &select(rows::HOLD, "holds WHERE id = ?1"), [id.bytes()], rows::hold)
}

pub(in crate::sqlite) fn hold(connection: &Connection, id: HoldId) -> Result<Option<HoldRecord>> {
    let hold = hold_alone(connection, id)?;
    hold.map(|hold| record(connection, hold)).transpose()
}

pub(in crate::sqlite) fn holds(
    connection: &Connection,
    filter: &HoldFilter,
    span: Span,
) -> Result<Page<HoldRecord>> {
    // A hold whose time is over is expired already, although it may not be written yet.
    let status = "CASE WHEN status = 'open' AND expires_at <= ?3 THEN 'expired' ELSE status END";
    let account = if filter.account_id.is_some() { "account_id = ?1" } else { "?1 IS NULL" };
    let from = format!(
        "holds WHERE {account} AND id < ?2 AND (?4 IS NULL OR {status} = ?4) ORDER BY id DESC LIMIT ?5"
    );
    let params = params![
        filter.account_id.map(AccountId::bytes),
        span.before_or_end(),
        filter.at.unix_ms(),
        filter.status.map(rows::hold_status),
        span.count_max + 1,
    ];
    let holds = all(connection, &select(rows::HOLD, &from), params, rows::hold)?.into_iter();
    let records: Result<_> = holds.map(|hold| record(connection, hold)).collect();
    Ok(Page::of(records?, span))
}

pub(in crate::sqlite) fn accounts_of_holds(
    connection: &Connection,
    ids: &[HoldId],
) -> Result<BTreeMap<HoldId, AccountId>> {
    let mut accounts = BTreeMap::new();
    for id in ids {
        let sql = "SELECT account_id FROM holds WHERE id = ?1";
        let found = one(connection, sql, [id.bytes()], rows::account_id)?;
        accounts.extend(found.map(|account_id| (*id, account_id)));
    }
    Ok(accounts)
}

/// Every open hold of some accounts.
pub(in crate::sqlite) fn each_open_hold(
    connection: &Connection,
    accounts: &Stretch,
    take: impl FnMut(Hold),
) -> Result<()> {
    let open = "holds WHERE account_id > ?1 AND account_id <= ?2 AND status = 'open'";
    each(connection, &select(rows::HOLD, open), accounts.bounds(), rows::hold, take)
}

fn record(connection: &Connection, hold: Hold) -> Result<HoldRecord> {
    let sql = select(rows::ENTRY, &format!("{JOURNAL} AND place.seq = ?2"));
    let entry = one(connection, &sql, params![hold.account_id.bytes(), hold.seq.0], rows::entry)?;
    let entry = entry.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(HoldRecord::of_entry(hold, &entry))
}
