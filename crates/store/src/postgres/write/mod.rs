//! Writing what a batch has changed: a statement for each table, in the batch's transaction.

mod accounts;
mod entries;
mod keys;

mod copies;

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_ledger::{
    Bucket, Changes, Description, KeyId, Operation, Price, RememberedChange, Timestamp, Unit,
};

use super::load::Before;
use super::people;
use super::statement::{Argument, Bytes, Call, Form, Given, by_statement, id};
use crate::rows::{RememberedColumns, Seal};

pub(super) use copies::{catalogue_copies, copies};
pub(super) use entries::{erase, erased_texts};

/// The statements that write all of it but erasures, which must read first.
pub(super) fn changes(form: Form, changes: &Changes, before: &Before) -> Vec<Call> {
    let Before { accounts: before, prices } = before;
    let mut calls = Vec::new();
    let (known, new): (Vec<_>, Vec<_>) =
        changes.accounts.iter().map(Arc::as_ref).partition(|account| before.contains_key(&account.id));
    calls.extend(accounts::updates(form, known, before));
    calls.extend(accounts::insertions(form, new));
    calls.extend(entries::insertions(form, &changes.entries));
    calls.extend(accounts::lots(form, changes, before));
    calls.extend(accounts::profiles(form, changes));
    calls.extend(entries::holds(form, changes));
    calls.extend(entries::refunded(form, changes));
    calls.extend(keys::keys(form, changes));
    calls.extend(keys::operator_keys(changes));
    let price = |(operation, change): (&Operation, &Option<Price>)| match change {
        Some(price) if prices.contains(operation) => changed_price(price),
        Some(price) => new_price(price),
        None => deleted_price(operation),
    };
    calls.extend(changes.prices.iter().map(price));
    calls.extend(remembered(form, &changes.remembered));
    calls.extend(people::changes(form, changes));
    calls
}

/// Notes when keys were last used.
pub(super) fn key_uses(form: Form, uses: &BTreeMap<KeyId, Timestamp>) -> Vec<Call> {
    let uses: Vec<(KeyId, Timestamp)> = uses.iter().map(|(id, at)| (*id, *at)).collect();
    let is_later = "key_uses.last_used_at < excluded.last_used_at";
    let parts = by_statement(form, uses, |(key, _)| key.bucket()).into_iter();
    parts.map(|part| used(form, &part).upsert_if("key_uses", 1, is_later)).collect()
}

fn used(form: Form, uses: &[(KeyId, Timestamp)]) -> Given {
    Given::of(form, uses, |(key, _)| key.bucket())
        .with("key_id", "uuid", uses, |(key, _)| id(key.bytes()))
        .with("last_used_at", "bigint", uses, |(_, at)| at.unix_ms())
}

/// Forgets refusals of before a time.
pub(super) fn forget_refusals(before: Timestamp) -> Call {
    let sql = "DELETE FROM remembered WHERE refusal IS NOT NULL AND at < $1";
    Call::over_all_buckets(sql, vec![Box::new(before.unix_ms())])
}

/// Writes a row that nobody reads.
pub(super) fn probe() -> Call {
    let sql = "INSERT INTO probe (bucket, count) VALUES ($1, 1) ON CONFLICT (bucket) \
               DO UPDATE SET count = probe.count + 1";
    Call { sql: sql.to_owned(), arguments: vec![catalogue()] }
}

/// The bucket of what belongs to no account.
fn catalogue() -> Argument {
    Box::new(i16::from(Bucket::CATALOGUE.0))
}

const NEW_PRICE: &str = "INSERT INTO prices (bucket, operation, id, rate, unit, description, updated_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// Where another node has made the same price meanwhile, this fails, and it is decided again whether it is new.
fn new_price(price: &Price) -> Call {
    priced(NEW_PRICE, price)
}

/// A price of another store, which an earlier attempt may have brought already.
fn copied_price(price: &Price) -> Call {
    let sql = format!(
        "{NEW_PRICE} ON CONFLICT (bucket, operation) DO UPDATE SET id = $3, rate = $4, unit = $5, description = $6, \
         updated_at = $7"
    );
    priced(&sql, price)
}

fn changed_price(price: &Price) -> Call {
    let sql = "UPDATE prices SET id = $3, rate = $4, unit = $5, description = $6, updated_at = $7 \
               WHERE bucket = $1 AND operation = $2";
    priced(sql, price)
}

fn deleted_price(operation: &Operation) -> Call {
    let sql = "DELETE FROM prices WHERE bucket = $1 AND operation = $2".to_owned();
    Call { sql, arguments: vec![catalogue(), Box::new(operation.as_str().to_owned())] }
}

fn priced(sql: &str, price: &Price) -> Call {
    let arguments: Vec<Argument> = vec![
        catalogue(),
        Box::new(price.operation.as_str().to_owned()),
        Box::new(id(price.id)),
        Box::new(price.rate.to_string()),
        Box::new(price.unit.as_ref().map(Unit::as_str).map(str::to_owned)),
        Box::new(price.description.as_ref().map(Description::as_str).map(str::to_owned)),
        Box::new(price.updated_at.map(Timestamp::unix_ms)),
    ];
    Call { sql: sql.to_owned(), arguments }
}

fn remembered(form: Form, changes: &[RememberedChange]) -> Vec<Call> {
    let columns = |change| {
        let columns = RememberedColumns::of(change);
        let seal = columns.seal();
        (columns, seal)
    };
    let all: Vec<Answered<'_>> = changes.iter().map(columns).collect();
    let parts = by_statement(form, all, |(columns, _)| columns.account_id.bucket()).into_iter();
    parts.map(|part| answers(form, &part).insert("remembered")).collect()
}

/// An answer that no entry carries, and its seal.
type Answered<'a> = (RememberedColumns<'a>, Seal);

fn answers(form: Form, rows: &[Answered<'_>]) -> Given {
    Given::of(form, rows, |(columns, _)| columns.account_id.bucket())
        .with("account_id", "uuid", rows, |(columns, _)| id(columns.account_id.bytes()))
        .with("idempotency_key", "text", rows, |(columns, _)| columns.idempotency_key.to_owned())
        .with("fingerprint", "bytea", rows, |(columns, _)| Bytes(columns.fingerprint))
        .with("at", "bigint", rows, |(columns, _)| columns.at)
        .with("grant_id", "uuid", rows, |(columns, _)| columns.grant_id.map(id))
        .with("voided", "boolean", rows, |(columns, _)| columns.voided)
        .with("refusal", "text", rows, |(columns, _)| columns.refusal.map(str::to_owned))
        .with("required", "bigint", rows, |(columns, _)| columns.required)
        .with("left_over", "bigint", rows, |(columns, _)| columns.left_over)
        .with("seal", "bytea", rows, |(_, seal)| Bytes(*seal))
}
