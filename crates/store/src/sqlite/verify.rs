//! Whether what a file holds follows from its entries: pages and indexes, references, and each account's books. Runs in
//! one transaction of its caller's, and tells each finding as it is made.

use std::collections::BTreeMap;

use coffer_ledger::{AccountId, Audit, ChargeId, Credits, Finding, IdempotencyKey};
use rusqlite::Connection;

use super::names::{EntryNumber, NameDigest, Names};
use super::query::{JOURNAL, all, each, one, select};
use super::read;
use crate::day_sums::{DAY_SUM, DayAudit, day_sum};
use crate::rows::{self, Columns};

/// Accounts that a query finds, and what is wrong with them.
const CONTRADICTIONS: [(&str, &str); 10] = [
    (
        "SELECT account_id FROM entries WHERE idempotency_key IS NOT NULL \
         GROUP BY account_id, idempotency_key HAVING count(*) > 1",
        "an idempotency key has two entries",
    ),
    ("SELECT id FROM accounts WHERE id NOT IN (SELECT id FROM account_profiles)", "it has no profile"),
    (
        "SELECT account_id FROM lots WHERE grant_id NOT IN (SELECT id FROM grants)",
        "there is a lot without a grant",
    ),
    (
        "SELECT account_id FROM grants WHERE id NOT IN (SELECT grant_id FROM lots)",
        "there is a grant without a lot",
    ),
    (
        "SELECT lots.account_id FROM lots JOIN grants ON grants.id = lots.grant_id \
         WHERE lots.account_id != grants.account_id",
        "there is a lot of another account's grant",
    ),
    (
        "SELECT account_id FROM keys WHERE id NOT IN (SELECT id FROM key_profiles)",
        "there is a key without a profile",
    ),
    (
        "SELECT account_id FROM remembered JOIN entries USING (account_id, idempotency_key)",
        "an idempotency key has two answers",
    ),
    (
        "SELECT account_id FROM remembered WHERE grant_id IS NOT NULL AND grant_id NOT IN (SELECT id FROM grants)",
        "a remembered answer names no grant",
    ),
    (
        "SELECT account_id FROM lots WHERE started = 0 AND grant_id NOT IN \
         (SELECT grant_id FROM remembered WHERE grant_id IS NOT NULL)",
        "the idempotency key of a grant that is to start is missing",
    ),
    (
        "SELECT account_id FROM entries WHERE kind = 'grant' AND idempotency_key IS NULL AND grant_id NOT IN \
         (SELECT grant_id FROM remembered WHERE grant_id IS NOT NULL)",
        "the idempotency key of a grant that has started is missing",
    ),
];

/// The pages, and whether each index has what its table has.
pub(super) fn pages(connection: &Connection, tell: &mut impl FnMut(Finding)) -> rusqlite::Result<()> {
    let row = |columns: &mut Columns<'_>| columns.text::<String>();
    each(connection, "PRAGMA integrity_check(100)", [], row, |found| {
        if found != "ok" {
            tell(found);
        }
    })?;
    partial_indexes(connection, tell)
}

/// Whether indexes of some rows have only these. SQLite looks for rows that are missing from them, and not for what else
/// they have: a row that the table has lost, say, at which a look-up by the index stops the writer.
fn partial_indexes(connection: &Connection, tell: &mut impl FnMut(Finding)) -> rusqlite::Result<()> {
    let sql = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index'";
    let row = |columns: &mut Columns<'_>| Ok((columns.text()?, columns.text()?, columns.optional_text()?));
    let indexes: Vec<(String, String, Option<String>)> = all(connection, sql, [], row)?;
    let number = |columns: &mut Columns<'_>| columns.count();
    let count = |from: String| one(connection, &select("count(*)", &from), [], number);
    for (name, table, sql) in indexes {
        let Some((_, condition)) = sql.as_deref().and_then(|sql| sql.split_once(" WHERE ")) else { continue };
        let by_index = count(format!("{table} INDEXED BY {name} WHERE {condition}"))?;
        if by_index != count(format!("{table} NOT INDEXED WHERE {condition}"))? {
            tell(format!("index {name} has rows that {table} has not"));
        }
    }
    Ok(())
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
        ("SELECT DISTINCT holder FROM sessions WHERE holder_kind = 'account'", "sessions"),
        ("SELECT DISTINCT account_id FROM actions WHERE account_id IS NOT NULL", "actions"),
    ] {
        let orphans = format!("SELECT * FROM ({sql}) EXCEPT SELECT id FROM accounts");
        let row = |columns: &mut Columns<'_>| Ok(rows::account_id(columns));
        each(connection, &orphans, [], row, |orphan| match orphan {
            Ok(id) => tell(format!("{id}: there are {what} of it, and no account")),
            Err(error) => tell(format!("there are {what} of no account that can be read: {error}")),
        })?;
    }
    for (sql, what) in CONTRADICTIONS {
        let row = |columns: &mut Columns<'_>| Ok(rows::account_id(columns));
        each(connection, &format!("SELECT DISTINCT * FROM ({sql})"), [], row, |found| match found {
            Ok(id) => tell(format!("{id}: {what}")),
            Err(error) => tell(format!("{what}: {error}")),
        })?;
    }
    let count = |columns: &mut Columns<'_>| columns.count();
    for (sql, what) in [
        (
            "SELECT count(*) FROM retired_secrets WHERE key_id NOT IN (SELECT id FROM keys)",
            "retired secrets of no key",
        ),
        (
            "SELECT count(*) FROM entry_places WHERE number NOT IN (SELECT number FROM entries)",
            "places of no entry",
        ),
        (
            "SELECT count(*) FROM (SELECT account_id FROM usage_days UNION ALL SELECT account_id FROM usage_through) \
             WHERE account_id NOT IN (SELECT id FROM accounts)",
            "sums of usage of no account",
        ),
        (
            "SELECT count(*) FROM charge_refunds WHERE charge_id NOT IN \
             (SELECT charge_id FROM entries WHERE kind IN ('charge', 'capture') AND charge_id IS NOT NULL)",
            "refunds of no charge",
        ),
    ] {
        let found = one(connection, sql, [], count)?.unwrap_or(0);
        if found > 0 {
            tell(format!("there are {found} {what}"));
        }
    }
    remembered(connection, tell)?;
    texts(connection, tell)
}

/// Whether each entry is found by its number in its account, and by its idempotency key.
pub(super) fn indexes(connection: &Connection, tell: &mut impl FnMut(Finding)) -> rusqlite::Result<()> {
    let sql = "SELECT account_id, seq FROM entries WHERE number NOT IN (SELECT number FROM entry_places) UNION \
               SELECT entries.account_id, entries.seq FROM entry_places AS place \
               CROSS JOIN entries ON entries.number = place.number \
               WHERE entries.account_id != place.account_id OR entries.seq != place.seq";
    let row = |columns: &mut Columns<'_>| {
        Ok(rows::account_id(columns).and_then(|id| Ok((id, rows::seq(columns)?))))
    };
    each(connection, sql, [], row, |place| match place {
        Ok((id, seq)) => tell(format!("{id}: entry {} is not found by its number", seq.0)),
        Err(error) => tell(format!("an entry is not found by its number: {error}")),
    })?;
    if let Err(error) = names(connection, tell) {
        tell(format!("the index of idempotency keys cannot be read: {error}"));
    }
    Ok(())
}

/// The newest names are in no run yet: the start tells them from the journal.
fn names(connection: &Connection, tell: &mut impl FnMut(Finding)) -> rusqlite::Result<()> {
    let names = Names::open(connection)?;
    let sql = "SELECT number, account_id, idempotency_key FROM entries \
               WHERE number <= ?1 AND idempotency_key IS NOT NULL";
    let mut statement = connection.prepare(sql)?;
    let mut found = statement.query([names.through().0])?;
    let mut there = 0;
    while let Some(row) = found.next()? {
        let mut columns = Columns::of(row);
        let number = EntryNumber(columns.count()?);
        let (id, key) = (rows::account_id(&mut columns)?, columns.text::<IdempotencyKey>()?);
        there += 1;
        if !names.find(connection, NameDigest::of(id, &key))?.contains(&number) {
            tell(format!("{id}: an entry of it is not found by its idempotency key"));
        }
    }
    let written = names.written();
    if written != there {
        tell(format!("the index of idempotency keys has {written} of {there} entries"));
    }
    Ok(())
}

/// What no entry says, such as names and prices: all that can be told of it is whether it can be read.
fn texts(connection: &Connection, tell: &mut impl FnMut(Finding)) -> rusqlite::Result<()> {
    let mut unreadable = |what: &str, sql: &str, read: fn(&mut Columns<'_>) -> rows::Result<()>| {
        let row = |columns: &mut Columns<'_>| Ok(read(columns));
        each(connection, sql, [], row, |read| {
            if let Err(error) = read {
                tell(format!("{what} cannot be read: {error}"));
            }
        })
    };
    let accounts = select(rows::ACCOUNT_PROFILE, "account_profiles");
    unreadable("the profile of an account", &accounts, |columns| rows::account_profile(columns).map(drop))?;
    let (grant, lot) = (rows::GRANT, rows::LOT);
    let grants = format!("SELECT {grant}, {lot} FROM grants JOIN lots ON lots.grant_id = grants.id");
    unreadable("a grant", &grants, |columns| rows::grant(columns).map(drop))?;
    let keys = select(rows::KEY_PROFILE, "key_profiles");
    unreadable("the profile of a key", &keys, |columns| rows::key_profile(columns).map(drop))?;
    let operator_keys = select(rows::OPERATOR_KEY, "operator_keys");
    unreadable("an operator's key", &operator_keys, |columns| rows::operator_key(columns).map(drop))?;
    unreadable("a price", &select(rows::PRICE, "prices"), |columns| rows::price(columns).map(drop))?;
    let (sessions, actions) = (select(rows::SESSION, "sessions"), select(rows::ACTION, "actions"));
    unreadable("a session", &sessions, |columns| rows::session(columns).map(drop))?;
    unreadable("an action", &actions, |columns| rows::action(columns).map(drop))
}

/// Answers that no entry carries: what cannot be read, or has changed, could not be told again.
fn remembered(connection: &Connection, tell: &mut impl FnMut(Finding)) -> rusqlite::Result<()> {
    let row = |columns: &mut Columns<'_>| {
        let (id, key) = (rows::account_id(columns)?, columns.text::<String>()?);
        Ok((id, key, rows::remembered(columns)))
    };
    let columns = format!("account_id, idempotency_key, {}", rows::REMEMBERED);
    each(connection, &select(&columns, "remembered"), [], row, |(id, key, remembered)| {
        if let Err(error) = remembered {
            tell(format!("{id}: the answer that is remembered for {key:?} cannot be read: {error}"));
        }
    })?;
    each(connection, &select(rows::SEALED, "remembered"), [], rows::sealed, |sealed| {
        if !sealed.holds {
            let (id, key) = (sealed.account_id, sealed.idempotency_key);
            tell(format!("{id}: the answer that is remembered for {key:?} has changed"));
        }
    })
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
    let mut usage = usage(connection, id)?;
    let mut entries = 0;
    let mut findings = Vec::new();
    let columns = format!("entries.seq, {}, {}", rows::SEAL, rows::ENTRY);
    let journal = select(&columns, &format!("{JOURNAL} ORDER BY place.seq"));
    let row =
        |columns: &mut Columns<'_>| Ok((rows::seq(columns)?, rows::seal(columns)?, rows::entry(columns)));
    each(connection, &journal, [id.bytes()], row, |(seq, seal, entry)| {
        entries += 1;
        match entry {
            Ok(entry) => {
                if seal.is_some_and(|seal| seal != rows::seal_of_entry(&entry)) {
                    findings.push(format!("{id}: entry {}: what it answers has changed", seq.0));
                }
                audit.read(&entry);
                usage.read(&entry);
            }
            Err(error) => findings.push(format!("{id}: entry {} cannot be read: {error}", seq.0)),
        }
    })?;
    let stored = read::account(connection, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    audit.compare_account(&stored);
    let next_due =
        one(connection, "SELECT next_due FROM accounts WHERE id = ?1", [id.bytes()], rows::optional_time)?;
    if next_due.flatten() != stored.next_due() {
        findings.push(format!("{id}: it is noted to be due at another time than it is"));
    }
    // Of lots only those that are open are found by their account.
    let lots = "lots WHERE grant_id IN (SELECT id FROM grants WHERE account_id = ?1)";
    each(connection, &select(rows::LOT, lots), [id.bytes()], rows::lot, |lot| {
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
    findings.extend(usage.finish());
    Ok(Checked { entries, findings, sums })
}

/// The sums of what an account has spent, to be compared with its entries.
fn usage(connection: &Connection, id: AccountId) -> rusqlite::Result<DayAudit> {
    let mut audit = DayAudit::of(id);
    let sql = "SELECT seq FROM usage_through WHERE account_id = ?1";
    if let Some(through) = one(connection, sql, [id.bytes()], rows::seq)? {
        audit.note_through(through);
    }
    let sums = select(DAY_SUM, "usage_days WHERE account_id = ?1");
    each(connection, &sums, [id.bytes()], day_sum, |sum| audit.note(sum))?;
    Ok(audit)
}
