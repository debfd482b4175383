//! Charges: entries that spent credits, and how much of each has been given back.

use std::collections::BTreeMap;

use coffer_ledger::{AccountId, Charge, ChargeId, Credits, Entry, Reference, Seq, UuidBytes};
use rusqlite::{Connection, params};

use crate::rows;
use crate::sqlite::query::Result;
use crate::sqlite::query::{JOURNAL, all, one, select};
use crate::{ChargeFilter, Page, Span};

/// Which entries charges are; the index of charges is for these words.
const IS_CHARGE: &str = "kind IN ('charge', 'capture')";

pub(in crate::sqlite) fn entry_of_charge(connection: &Connection, id: ChargeId) -> Result<Option<Entry>> {
    let sql = select(rows::ENTRY, &format!("entries WHERE charge_id = ?1 AND {IS_CHARGE}"));
    one(connection, &sql, [id.bytes()], rows::entry)
}

pub(in crate::sqlite) fn refunded(connection: &Connection, id: ChargeId) -> Result<Credits> {
    let sql = "SELECT refunded FROM charge_refunds WHERE charge_id = ?1";
    Ok(one(connection, sql, [id.bytes()], rows::credits)?.unwrap_or(Credits::ZERO))
}

/// How much of every charge was given back that something was given back of.
pub(in crate::sqlite) fn all_refunded(connection: &Connection) -> Result<BTreeMap<ChargeId, Credits>> {
    let sql = "SELECT charge_id, refunded FROM charge_refunds";
    Ok(all(connection, sql, [], rows::charge_refunded)?.into_iter().collect())
}

pub(in crate::sqlite) fn charge(connection: &Connection, id: ChargeId) -> Result<Option<Charge>> {
    let entry = entry_of_charge(connection, id)?;
    entry.map(|entry| of_entry(connection, &entry)).transpose()
}

pub(in crate::sqlite) fn charges(
    connection: &Connection,
    filter: &ChargeFilter,
    span: Span,
) -> Result<Page<Charge>> {
    let before = span.before_or_end();
    let count = span.count_max + 1;
    let entries = match (&filter.reference, filter.account_id) {
        (Some(reference), account_id) => by_reference(connection, reference, account_id, before, count)?,
        (None, Some(account_id)) => by_account(connection, account_id, span.before, count)?,
        (None, None) => {
            let from =
                format!("entries WHERE charge_id < ?1 AND {IS_CHARGE} ORDER BY charge_id DESC LIMIT ?2");
            all(connection, &select(rows::ENTRY, &from), params![before, count], rows::entry)?
        }
    };
    let charges: Result<_> = entries.iter().map(|entry| of_entry(connection, entry)).collect();
    Ok(Page::of(charges?, span))
}

pub(in crate::sqlite) fn accounts_of_charges(
    connection: &Connection,
    ids: &[ChargeId],
) -> Result<BTreeMap<ChargeId, AccountId>> {
    let sql = format!("SELECT account_id FROM entries WHERE charge_id = ?1 AND {IS_CHARGE}");
    let mut accounts = BTreeMap::new();
    for id in ids {
        let found = one(connection, &sql, [id.bytes()], rows::account_id)?;
        accounts.extend(found.map(|account_id| (*id, account_id)));
    }
    Ok(accounts)
}

fn by_reference(
    connection: &Connection,
    reference: &Reference,
    account_id: Option<AccountId>,
    before: UuidBytes,
    count: usize,
) -> Result<Vec<Entry>> {
    let from = format!(
        "entries WHERE reference = ?1 AND charge_id < ?2 AND {IS_CHARGE} AND (?3 IS NULL OR account_id = ?3) \
         ORDER BY charge_id DESC LIMIT ?4"
    );
    let params = params![reference.as_str(), before, account_id.map(AccountId::bytes), count];
    all(connection, &select(rows::ENTRY, &from), params, rows::entry)
}

/// In the order of the account's entries, so that no index of its own is needed: it is the order in which the charges
/// were made.
fn by_account(
    connection: &Connection,
    account_id: AccountId,
    before: Option<UuidBytes>,
    count: usize,
) -> Result<Vec<Entry>> {
    let before = match before {
        None => None,
        Some(id) => entry_of_charge(connection, ChargeId::from_bytes(id))?.map(|entry| entry.seq),
    };
    let before = before.unwrap_or(Seq(i64::MAX.unsigned_abs()));
    let from = format!("{JOURNAL} AND place.seq < ?2 AND {IS_CHARGE} ORDER BY place.seq DESC LIMIT ?3");
    let params = params![account_id.bytes(), before.0, count];
    all(connection, &select(rows::ENTRY, &from), params, rows::entry)
}

fn of_entry(connection: &Connection, entry: &Entry) -> Result<Charge> {
    let charge = Charge::of_entry(entry).ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(Charge { refunded: refunded(connection, charge.id)?, ..charge })
}
