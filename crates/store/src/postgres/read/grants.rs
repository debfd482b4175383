//! Grants, and accounts at the same moment.

use coffer_ledger::{Account, AccountId, Grant, GrantId};

use super::moment::{Whose, account_with};
use super::{by_id, each, number, one};
use crate::postgres::database::Database;
use crate::postgres::statement::{self, Call};
use crate::rows;
use crate::{Page, Span, StoreError};

const WITH_LOTS: &str = "grants JOIN lots ON lots.bucket = grants.bucket AND lots.grant_id = grants.id";

pub(in crate::postgres) async fn account_of_grant(
    database: &Database,
    id: GrantId,
) -> Result<Option<AccountId>, StoreError> {
    let given = || by_id(database.form, id.bucket(), "id", id.bytes());
    let call = || given().select("grants.account_id", "grants", "");
    Ok(database.records(call, rows::account_id).await?.pop())
}

pub(in crate::postgres) async fn account_and_grant(
    database: &Database,
    id: GrantId,
) -> Result<Option<(Account, Grant)>, StoreError> {
    let grant = || {
        let given = by_id(database.form, id.bucket(), "id", id.bytes());
        vec![given.select(&columns(), WITH_LOTS, "")]
    };
    account_with(database, Whose::Grant(id), grant, |account, more| {
        Ok(one(&more[0], rows::grant)?.filter(|grant| is_of_moment(grant, account)))
    })
    .await
}

pub(in crate::postgres) async fn account_and_grants(
    database: &Database,
    account_id: AccountId,
    span: Span,
) -> Result<Option<(Account, Page<Grant>)>, StoreError> {
    let grants = || vec![newest(account_id, span)];
    account_with(database, Whose::Account(account_id), grants, |account, more| {
        let grants = each(&more[0], rows::grant)?;
        let are_of_moment = grants.iter().all(|grant| is_of_moment(grant, account));
        Ok(are_of_moment.then(|| Page::of(grants, span)))
    })
    .await
}

fn newest(account_id: AccountId, span: Span) -> Call {
    let sql = format!(
        "SELECT {} FROM {WITH_LOTS} WHERE grants.bucket = $1 AND grants.account_id = $2 AND grants.id < $3 \
         ORDER BY grants.id DESC LIMIT $4",
        columns()
    );
    Call::in_bucket(account_id.bucket(), sql)
        .with(statement::id(account_id.bytes()))
        .with(statement::id(span.before_or_end()))
        .with(number(span.count_max + 1))
}

fn columns() -> String {
    format!("{}, {}", rows::GRANT, rows::LOT)
}

/// Whether a grant's lot is what the account says: open and the same in both, or open in neither.
fn is_of_moment(grant: &Grant, account: &Account) -> bool {
    let is_open = grant.lot.remaining.is_positive() || grant.lot.held.is_positive();
    let lot = account.lots.iter().find(|lot| lot.grant_id == grant.lot.grant_id);
    lot == is_open.then_some(&grant.lot)
}
