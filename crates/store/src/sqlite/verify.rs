//! Whether what a file holds follows from its entries: pages and indexes, references, and each account's books. Runs in
//! one transaction of its caller's, and tells each finding as it is made.

use std::collections::BTreeMap;

use coffer_ledger::{AccountId, Audit, ChargeId, Credits, Finding};
use rusqlite::Connection;

use super::query::{all, each, one, select};
use super::read;
use super::rows::{self, Columns};

/// The pages, and whether each index has what its table has.
pub(super) fn pages(connection: &Connection, tell: &mut impl FnMut(Finding)) -> rusqlite::Result<()> {
    let row = |columns: &mut Columns<'_>| columns.raw::<String>();
    each(connection, "PRAGMA integrity_check(100)", [], row, |found| {
        if found != "ok" {
            tell(found);
        }
    })
}

/// Rows that name what is not there.
pub(super) fn references(connection: &Connection, tell: &mut impl FnMut(Finding)) -> rusqlite::Result<()> {
    for (sql, what) in [
        ("SELECT account_id FROM entries GROUP BY account_id", "entries"),
        ("SELECT DISTINCT account_id FROM lots", "lots"),
        ("SELECT DISTINCT account_id FROM grants", "grants"),
        ("SELECT DISTINCT account_id FROM holds", "holds"),
        ("SELECT DISTINCT account_id FROM keys", "keys"),
        ("SELECT DISTINCT account_id FROM remembered", "remembered answers"),
        ("SELECT id FROM account_profiles", "a profile"),
    ] {
        let orphans = format!("SELECT * FROM ({sql}) EXCEPT SELECT id FROM accounts");
        for id in all(connection, &orphans, [], rows::account_id)? {
            tell(format!("{id}: there are {what} of it, and no account"));
        }
    }
    let count = |columns: &mut Columns<'_>| columns.raw::<u64>();
    for (sql, what) in [
        (
            "SELECT count(*) FROM accounts WHERE id NOT IN (SELECT id FROM account_profiles)",
            "accounts without a profile",
        ),
        ("SELECT count(*) FROM lots WHERE grant_id NOT IN (SELECT id FROM grants)", "lots without a grant"),
        ("SELECT count(*) FROM grants WHERE id NOT IN (SELECT grant_id FROM lots)", "grants without a lot"),
        ("SELECT count(*) FROM keys WHERE id NOT IN (SELECT id FROM key_profiles)", "keys without a profile"),
        (
            "SELECT count(*) FROM retired_secrets WHERE key_id NOT IN (SELECT id FROM keys)",
            "retired secrets of no key",
        ),
        (
            "SELECT count(*) FROM charge_refunds WHERE charge_id NOT IN \
             (SELECT charge_id FROM entries WHERE kind IN ('charge', 'capture'))",
            "refunds of no charge",
        ),
        (
            "SELECT count(*) FROM remembered JOIN entries USING (account_id, idempotency_key)",
            "idempotency keys with two answers",
        ),
        (
            "SELECT count(*) FROM remembered WHERE grant_id IS NOT NULL AND grant_id NOT IN (SELECT id FROM grants)",
            "remembered answers that name no grant",
        ),
        (
            "SELECT count(*) FROM entries WHERE (idempotency_key IS NULL) != (fingerprint IS NULL)",
            "idempotency records that are not whole",
        ),
    ] {
        let found = one(connection, sql, [], count)?.unwrap_or(0);
        if found > 0 {
            tell(format!("there are {found} {what}"));
        }
    }
    // What cannot be read could not be answered again.
    let from = select(rows::REMEMBERED, "remembered");
    if let Err(error) = each(connection, &from, [], rows::remembered, |_| ()) {
        tell(format!("a remembered answer cannot be read: {error}"));
    }
    Ok(())
}

/// Each account against its entries, and all of them together; answers how many there are.
pub(super) fn accounts(
    connection: &Connection,
    tell: &mut impl FnMut(Finding),
) -> rusqlite::Result<(u64, u64)> {
    let refunded = read::all_refunded(connection)?;
    let ids = all(connection, "SELECT id FROM accounts ORDER BY id", [], rows::account_id)?;
    let mut sums: BTreeMap<&'static str, i128> = BTreeMap::new();
    let mut entries = 0;
    for id in &ids {
        match account(connection, *id, &refunded) {
            Ok(checked) => {
                entries += checked.entries;
                checked.findings.into_iter().for_each(&mut *tell);
                for (name, amount) in checked.sums {
                    *sums.entry(name).or_default() += amount;
                }
            }
            Err(error) => tell(format!("{id}: it cannot be read: {error}")),
        }
    }
    let sum =
        |names: [&str; 3]| -> i128 { names.iter().map(|name| sums.get(name).copied().unwrap_or(0)).sum() };
    let there = sums.get("available").copied().unwrap_or(0) + sums.get("held").copied().unwrap_or(0);
    if sum(["grant", "adjust", "refund"]) != there + sum(["charge", "expire", "void"]) {
        tell("in all accounts together credits were made or lost".to_owned());
    }
    Ok((u64::try_from(ids.len()).unwrap_or(u64::MAX), entries))
}

struct Checked {
    entries: u64,
    findings: Vec<Finding>,
    sums: Vec<(&'static str, i128)>,
}

fn account(
    connection: &Connection,
    id: AccountId,
    refunded: &BTreeMap<ChargeId, Credits>,
) -> rusqlite::Result<Checked> {
    let of_account = |table: &str| format!("{table} WHERE account_id = ?1");
    let mut audit = Audit::of(id, refunded);
    let mut entries = 0;
    let journal = select(rows::ENTRY, &format!("{} ORDER BY seq", of_account("entries")));
    each(connection, &journal, [id.bytes()], rows::entry, |entry| {
        entries += 1;
        audit.read(&entry);
    })?;
    let mut findings = Vec::new();
    let stored = read::account(connection, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    audit.compare_account(&stored);
    let next_due =
        one(connection, "SELECT next_due FROM accounts WHERE id = ?1", [id.bytes()], rows::optional_time)?;
    if next_due.flatten() != stored.next_due() {
        findings.push(format!("{id}: it is noted to be due at another time than it is"));
    }
    each(connection, &select(rows::LOT, &of_account("lots")), [id.bytes()], rows::lot, |lot| {
        audit.compare_lot(&lot);
    })?;
    each(connection, &select(rows::HOLD, &of_account("holds")), [id.bytes()], rows::hold, |hold| {
        audit.compare_hold(&hold);
    })?;
    each(connection, &select(rows::KEY, &of_account("keys")), [id.bytes()], rows::key, |key| {
        audit.compare_key(&key);
    })?;
    let mut sums: Vec<(&'static str, i128)> = ["grant", "adjust", "refund", "charge", "expire", "void"]
        .into_iter()
        .map(|name| (name, audit.sum(name)))
        .collect();
    sums.push(("available", i128::from(stored.balance.available.millionths())));
    sums.push(("held", i128::from(stored.balance.held.millionths())));
    findings.extend(audit.finish());
    Ok(Checked { entries, findings, sums })
}
