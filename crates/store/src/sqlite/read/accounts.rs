//! Accounts.

use coffer_ledger::{Account, AccountId, AccountRecord, Lot, Timestamp};
use rusqlite::{Connection, params};

use super::Stretch;
use crate::rows::{self, Columns};
use crate::sqlite::query::Result;
use crate::sqlite::query::{all, each, one, select};
use crate::{AccountFilter, NameSearch, Page, Span};

pub(in crate::sqlite) fn account(connection: &Connection, id: AccountId) -> Result<Option<Account>> {
    let sql = select(rows::ACCOUNT, "accounts WHERE id = ?1");
    let account = one(connection, &sql, [id.bytes()], rows::account)?;
    account.map(|account| whole(connection, account)).transpose()
}

pub(in crate::sqlite) fn account_record(
    connection: &Connection,
    id: AccountId,
) -> Result<Option<AccountRecord>> {
    let sql = account_records_sql("account_profiles.id = ?1");
    let record = one(connection, &sql, [id.bytes()], account_record_row)?;
    record.map(|record| whole_record(connection, record)).transpose()
}

pub(in crate::sqlite) fn account_records(
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
    let records = all(connection, &sql, params, account_record_row)?.into_iter();
    let records: Result<_> = records.map(|record| whole_record(connection, record)).collect();
    Ok(Page::of(records?, span))
}

pub(in crate::sqlite) fn accounts_named(
    connection: &Connection,
    search: &NameSearch,
) -> Result<Page<AccountRecord>> {
    // The first bound says nothing new, and is the one that SQLite looks for in the index.
    let sql = account_records_sql(
        "name COLLATE NOCASE >= ?1 AND name COLLATE NOCASE < ?3 \
         AND (name COLLATE NOCASE, account_profiles.id) > (?1, ?2) AND (?5 IS NULL OR status = ?5) \
         ORDER BY name COLLATE NOCASE, account_profiles.id LIMIT ?4",
    );
    let (name, id) = search.lower();
    let status = search.status.map(rows::account_status);
    let params = params![name, id, search.upper(), search.count_max + 1, status];
    let records = all(connection, &sql, params, account_record_row)?.into_iter();
    let records: Result<_> = records.map(|record| whole_record(connection, record)).collect();
    Ok(Page::of_up_to(records?, search.count_max))
}

/// Accounts of which the table notes that something has fallen due, longest due first, and when it is due by now.
pub(in crate::sqlite) fn accounts_due(
    connection: &Connection,
    until: Timestamp,
    count_max: usize,
    is_due: impl Fn(AccountId) -> Option<Timestamp>,
) -> Result<Vec<(Timestamp, AccountId)>> {
    let sql = "SELECT id FROM accounts WHERE next_due <= ?1 ORDER BY next_due";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([until.unix_ms()])?;
    let mut due = Vec::new();
    while due.len() < count_max
        && let Some(row) = found.next()?
    {
        let id = rows::account_id(&mut Columns::of(row))?;
        due.extend(is_due(id).map(|at| (at, id)));
    }
    Ok(due)
}

/// Every account, without its lots and holds.
pub(in crate::sqlite) fn each_account(
    connection: &Connection,
    stretch: &Stretch,
    take: impl FnMut(Account),
) -> Result<()> {
    let sql = select(rows::ACCOUNT, "accounts WHERE id > ?1 AND id <= ?2");
    each(connection, &sql, stretch.bounds(), rows::account, take)
}

fn account_records_sql(condition: &str) -> String {
    let (profile, account) = (rows::ACCOUNT_PROFILE, rows::ACCOUNT);
    format!(
        "SELECT {profile}, {account} FROM account_profiles JOIN accounts ON accounts.id = account_profiles.id \
         WHERE {condition}"
    )
}

fn account_record_row(columns: &mut Columns<'_>) -> rows::Result<AccountRecord> {
    Ok(AccountRecord { profile: rows::account_profile(columns)?, account: rows::account(columns)? })
}

fn whole_record(connection: &Connection, record: AccountRecord) -> Result<AccountRecord> {
    Ok(AccountRecord { account: whole(connection, record.account)?, ..record })
}

/// The account with its open lots and holds.
fn whole(connection: &Connection, mut account: Account) -> Result<Account> {
    let from = "lots WHERE account_id = ?1 AND (remaining > 0 OR held > 0)";
    account.lots = all(connection, &select(rows::LOT, from), [account.id.bytes()], rows::lot)?;
    account.lots.sort_by_key(Lot::burn_order);
    let from = "holds WHERE account_id = ?1 AND status = 'open'";
    for hold in all(connection, &select(rows::HOLD, from), [account.id.bytes()], rows::hold)? {
        account.holds.insert(hold);
    }
    Ok(account)
}
