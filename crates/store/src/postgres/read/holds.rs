//! Holds, with the text and the balance of the entries that made them.

use std::collections::BTreeMap;

use coffer_ledger::{AccountId, HoldId, HoldRecord, HoldStatus};

use super::{by_id, number, of_each};
use crate::postgres::database::Database;
use crate::postgres::statement::{self, Call, Given};
use crate::rows::{self, Columns};
use crate::{HoldFilter, Page, Span, StoreError};

const WITH_ENTRIES: &str = "holds JOIN entries ON entries.bucket = holds.bucket \
     AND entries.account_id = holds.account_id AND entries.seq = holds.seq";

pub(in crate::postgres) async fn hold(
    database: &Database,
    id: HoldId,
) -> Result<Option<HoldRecord>, StoreError> {
    let given = || by_id(database.form, id.bucket(), "id", id.bytes());
    let call = || given().select(&columns(), WITH_ENTRIES, "");
    Ok(database.records(call, hold_row).await?.pop())
}

pub(in crate::postgres) async fn holds(
    database: &Database,
    filter: &HoldFilter,
    span: Span,
) -> Result<Page<HoldRecord>, StoreError> {
    Ok(Page::of(database.records(|| newest(filter, span), hold_row).await?, span))
}

pub(in crate::postgres) async fn accounts_of_holds(
    database: &Database,
    ids: &[HoldId],
) -> Result<BTreeMap<HoldId, AccountId>, StoreError> {
    let call = |ids: &[HoldId]| {
        Given::of(database.form, ids, |id| id.bucket())
            .with("id", "uuid", ids, |id| statement::id(id.bytes()))
            .select("holds.id, holds.account_id", "holds", "")
    };
    let row =
        |columns: &mut Columns<'_>| Ok((HoldId::from_bytes(columns.bytes()?), rows::account_id(columns)?));
    of_each(database, ids, HoldId::bucket, call, row).await
}

fn newest(filter: &HoldFilter, span: Span) -> Call {
    let (of_account, first) = match filter.account_id {
        Some(_) => ("holds.bucket = $1 AND holds.account_id = $2 AND ", 3),
        None => ("", 1),
    };
    let sql = format!(
        "SELECT {} FROM {WITH_ENTRIES} WHERE {of_account}holds.id < ${first}{} ORDER BY holds.id DESC LIMIT ${}",
        columns(),
        filter.status.map(|status| has_status(status, first + 2)).unwrap_or_default(),
        first + 1
    );
    let call = match filter.account_id {
        Some(id) => Call::in_bucket(id.bucket(), sql).with(statement::id(id.bytes())),
        None => Call::over_all_buckets(sql, Vec::new()),
    };
    let call = call.with(statement::id(span.before_or_end())).with(number(span.count_max + 1));
    match filter.status {
        Some(HoldStatus::Open | HoldStatus::Expired) => call.with(filter.at.unix_ms()),
        Some(HoldStatus::Captured | HoldStatus::Released) | None => call,
    }
}

/// A hold whose time is over is expired already, although it may not be written yet.
fn has_status(status: HoldStatus, at: usize) -> String {
    let name = rows::hold_status(status);
    match status {
        HoldStatus::Open => format!(" AND holds.status = 'open' AND holds.expires_at > ${at}"),
        HoldStatus::Expired => format!(
            " AND (holds.status = 'expired' OR (holds.status = 'open' AND holds.expires_at <= ${at}))"
        ),
        HoldStatus::Captured | HoldStatus::Released => format!(" AND holds.status = '{name}'"),
    }
}

fn columns() -> String {
    format!("{}, {}", rows::HOLD, rows::ENTRY)
}

fn hold_row(columns: &mut Columns<'_>) -> rows::Result<HoldRecord> {
    let hold = rows::hold(columns)?;
    Ok(HoldRecord::of_entry(hold, &rows::entry(columns)?))
}
