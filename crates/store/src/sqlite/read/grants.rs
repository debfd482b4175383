//! Grants, and accounts at the same moment.

use coffer_ledger::{Account, AccountId, Grant, GrantId, Lot};
use rusqlite::{Connection, params};

use super::{Stretch, account};
use crate::rows::{self, Columns};
use crate::sqlite::query::Result;
use crate::sqlite::query::{all, each, one, select};
use crate::{Page, Span};

pub(in crate::sqlite) fn grant(connection: &Connection, id: GrantId) -> Result<Option<Grant>> {
    one(connection, &grants_sql("grants.id = ?1"), [id.bytes()], rows::grant)
}

pub(in crate::sqlite) fn account_of_grant(connection: &Connection, id: GrantId) -> Result<Option<AccountId>> {
    one(connection, "SELECT account_id FROM grants WHERE id = ?1", [id.bytes()], rows::account_id)
}

pub(in crate::sqlite) fn account_and_grant(
    connection: &Connection,
    id: GrantId,
) -> Result<Option<(Account, Grant)>> {
    let Some(grant) = grant(connection, id)? else { return Ok(None) };
    Ok(account(connection, grant.account_id)?.map(|account| (account, grant)))
}

pub(in crate::sqlite) fn account_and_grants(
    connection: &Connection,
    account_id: AccountId,
    span: Span,
) -> Result<Option<(Account, Page<Grant>)>> {
    let Some(account) = account(connection, account_id)? else { return Ok(None) };
    let sql = grants_sql("grants.account_id = ?1 AND grants.id < ?2 ORDER BY grants.id DESC LIMIT ?3");
    let params = params![account_id.bytes(), span.before_or_end(), span.count_max + 1];
    let grants = all(connection, &sql, params, rows::grant)?;
    Ok(Some((account, Page::of(grants, span))))
}

/// Every open lot of some accounts.
pub(in crate::sqlite) fn each_open_lot(
    connection: &Connection,
    accounts: &Stretch,
    take: impl FnMut((AccountId, Lot)),
) -> Result<()> {
    let columns = format!("account_id, {}", rows::LOT);
    let open = "lots WHERE account_id > ?1 AND account_id <= ?2 AND (remaining > 0 OR held > 0)";
    let row = |columns: &mut Columns<'_>| Ok((rows::account_id(columns)?, rows::lot(columns)?));
    each(connection, &select(&columns, open), accounts.bounds(), row, take)
}

fn grants_sql(condition: &str) -> String {
    let (grant, lot) = (rows::GRANT, rows::LOT);
    format!("SELECT {grant}, {lot} FROM grants JOIN lots ON lots.grant_id = grants.id WHERE {condition}")
}
