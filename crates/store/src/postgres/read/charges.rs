//! Charges: entries that spent credits, and how much of each has been given back.

use std::collections::BTreeMap;

use coffer_ledger::{AccountId, Charge, ChargeId, Reference, UuidBytes};

use super::{by_id, number, of_each};
use crate::postgres::database::Database;
use crate::postgres::statement::{self, Call, Given};
use crate::rows::{self, Columns};
use crate::{ChargeFilter, Page, Span, StoreError};

/// Which entries charges are; the indexes of charges are for these words.
const IS_CHARGE: &str = "entries.kind IN ('charge', 'capture')";

const WITH_REFUNDS: &str = "entries LEFT JOIN charge_refunds ON charge_refunds.bucket = entries.bucket \
     AND charge_refunds.charge_id = entries.charge_id";

pub(in crate::postgres) async fn charge(
    database: &Database,
    id: ChargeId,
) -> Result<Option<Charge>, StoreError> {
    let given = || by_id(database.form, id.bucket(), "charge_id", id.bytes());
    let call = || given().select(&columns(), WITH_REFUNDS, &format!(" AND {IS_CHARGE}"));
    Ok(database.records(call, charge_row).await?.pop())
}

pub(in crate::postgres) async fn charges(
    database: &Database,
    filter: &ChargeFilter,
    span: Span,
) -> Result<Page<Charge>, StoreError> {
    let call = || match (&filter.reference, filter.account_id) {
        (Some(reference), Some(account_id)) => by_both(reference, account_id, span),
        (Some(reference), None) => by_reference(reference, span),
        (None, Some(account_id)) => by_account(account_id, span),
        (None, None) => newest(span),
    };
    Ok(Page::of(database.records(call, charge_row).await?, span))
}

pub(in crate::postgres) async fn accounts_of_charges(
    database: &Database,
    ids: &[ChargeId],
) -> Result<BTreeMap<ChargeId, AccountId>, StoreError> {
    let is_charge = format!(" AND {IS_CHARGE}");
    let call = |ids: &[ChargeId]| {
        Given::of(database.form, ids, |id| id.bucket())
            .with("charge_id", "uuid", ids, |id| statement::id(id.bytes()))
            .select("entries.charge_id, entries.account_id", "entries", &is_charge)
    };
    let row =
        |columns: &mut Columns<'_>| Ok((ChargeId::from_bytes(columns.bytes()?), rows::account_id(columns)?));
    of_each(database, ids, ChargeId::bucket, call, row).await
}

fn newest(span: Span) -> Call {
    let sql = select("entries.charge_id < $1", "ORDER BY entries.charge_id DESC LIMIT $2");
    end(Call::over_all_buckets(sql, Vec::new()), span)
}

fn by_reference(reference: &Reference, span: Span) -> Call {
    let condition = "entries.reference = $1 AND entries.charge_id < $2";
    let sql = select(condition, "ORDER BY entries.charge_id DESC LIMIT $3");
    end(Call::over_all_buckets(sql, Vec::new()).with(reference.as_str().to_owned()), span)
}

fn by_both(reference: &Reference, account_id: AccountId, span: Span) -> Call {
    let condition = "entries.bucket = $1 AND entries.account_id = $2 AND entries.reference = $3 \
         AND entries.charge_id < $4";
    let sql = select(condition, "ORDER BY entries.charge_id DESC LIMIT $5");
    let call = Call::in_bucket(account_id.bucket(), sql)
        .with(statement::id(account_id.bytes()))
        .with(reference.as_str().to_owned());
    end(call, span)
}

/// In the order of the account's entries, so that no index of its own is needed: it is the order in which the charges
/// were made.
fn by_account(account_id: AccountId, span: Span) -> Call {
    let of_account = "entries.bucket = $1 AND entries.account_id = $2";
    let count = number(span.count_max + 1);
    let call =
        |sql| Call::in_bucket(account_id.bucket(), sql).with(statement::id(account_id.bytes())).with(count);
    let Some(before) = span.before else {
        return call(select(of_account, "ORDER BY entries.seq DESC LIMIT $3"));
    };
    let condition = format!(
        "{of_account} AND entries.seq < coalesce((SELECT last.seq FROM entries AS last WHERE last.bucket = $1 \
         AND last.charge_id = $4 AND last.kind IN ('charge', 'capture')), {})",
        i64::MAX
    );
    call(select(&condition, "ORDER BY entries.seq DESC LIMIT $3")).with(statement::id(before))
}

/// The last arguments of a list: where it begins, and how many it has.
fn end(call: Call, span: Span) -> Call {
    let before: UuidBytes = span.before_or_end();
    call.with(statement::id(before)).with(number(span.count_max + 1))
}

fn select(condition: &str, tail: &str) -> String {
    format!("SELECT {} FROM {WITH_REFUNDS} WHERE {condition} AND {IS_CHARGE} {tail}", columns())
}

fn columns() -> String {
    format!("{}, coalesce(charge_refunds.refunded, 0)", rows::ENTRY)
}

fn charge_row(columns: &mut Columns<'_>) -> rows::Result<Charge> {
    let entry = rows::entry(columns)?;
    let charge = Charge::of_entry(&entry).ok_or_else(|| columns.meaningless("charge"))?;
    Ok(Charge { refunded: rows::credits(columns)?, ..charge })
}
