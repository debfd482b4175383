//! Customers' keys and operators' keys.

use std::collections::BTreeMap;

use coffer_ledger::{
    Account, AccountId, Bucket, Key, KeyId, KeyRecord, OperatorKey, OperatorKeyId, RetiredSecret, Timestamp,
};
use tokio_postgres::Row;

use super::moment::{Whose, account_with};
use super::{by_id, each, number, of_each};
use crate::postgres::database::Database;
use crate::postgres::statement::{self, Call, Given};
use crate::rows::{self, Columns};
use crate::{Page, Span, StoreError};

const WITH_PROFILES: &str =
    "keys JOIN key_profiles ON key_profiles.bucket = keys.bucket AND key_profiles.id = keys.id";

pub(in crate::postgres) async fn account_and_key(
    database: &Database,
    id: KeyId,
) -> Result<Option<(Account, KeyRecord)>, StoreError> {
    let key = || {
        let given = |column| by_id(database.form, id.bucket(), column, id.bytes());
        let by_end = " ORDER BY retired_secrets.until";
        vec![
            given("id").select(&columns(), WITH_PROFILES, ""),
            given("key_id").select(rows::RETIRED_SECRET, "retired_secrets", by_end),
        ]
    };
    let read = |more: &[Vec<Row>]| Ok(key_records(more)?.and_then(|mut keys| keys.pop()));
    account_with(database, Whose::Key(id), key, |_, more| read(more)).await
}

pub(in crate::postgres) async fn account_and_keys(
    database: &Database,
    account_id: AccountId,
    span: Span,
) -> Result<Option<(Account, Page<KeyRecord>)>, StoreError> {
    let keys = || newest(account_id, span);
    account_with(database, Whose::Account(account_id), keys, |_, more| {
        Ok(key_records(more)?.map(|keys| Page::of(keys, span)))
    })
    .await
}

pub(in crate::postgres) async fn key_uses(
    database: &Database,
    ids: &[KeyId],
) -> Result<BTreeMap<KeyId, Timestamp>, StoreError> {
    let call = |ids: &[KeyId]| {
        Given::of(database.form, ids, |id| id.bucket())
            .with("key_id", "uuid", ids, |id| statement::id(id.bytes()))
            .select(rows::KEY_USE, "key_uses", "")
    };
    of_each(database, ids, KeyId::bucket, call, rows::key_use).await
}

pub(in crate::postgres) async fn operator_key(
    database: &Database,
    id: OperatorKeyId,
) -> Result<Option<OperatorKey>, StoreError> {
    let sql = format!("SELECT {} FROM operator_keys WHERE bucket = $1 AND id = $2", rows::OPERATOR_KEY);
    let call = || Call::in_bucket(Bucket::CATALOGUE, sql.as_str()).with(statement::id(id.bytes()));
    Ok(database.records(call, rows::operator_key).await?.pop())
}

pub(in crate::postgres) async fn operator_keys(
    database: &Database,
    span: Span,
) -> Result<Page<OperatorKey>, StoreError> {
    let sql = format!(
        "SELECT {} FROM operator_keys WHERE bucket = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        rows::OPERATOR_KEY
    );
    let call = || {
        Call::in_bucket(Bucket::CATALOGUE, sql.as_str())
            .with(statement::id(span.before_or_end()))
            .with(number(span.count_max + 1))
    };
    Ok(Page::of(database.records(call, rows::operator_key).await?, span))
}

/// Gives keys the secrets that they had before, each key's in the order in which they die; `false` where a secret is still a
/// key's own and has been retired as well, for then the key was given another one between the two readings. What is retired
/// must have been read after the keys, or in one transaction that locks them.
pub(in crate::postgres) fn give_retired<'keys>(
    keys: impl Iterator<Item = &'keys mut Key>,
    retired: Vec<(KeyId, RetiredSecret)>,
) -> bool {
    let mut by_key: BTreeMap<KeyId, Vec<RetiredSecret>> = BTreeMap::new();
    for (id, secret) in retired {
        by_key.entry(id).or_default().push(secret);
    }
    for key in keys {
        key.retired = by_key.remove(&key.id).unwrap_or_default();
        if key.retired.iter().any(|retired| retired.secret == key.secret) {
            return false;
        }
    }
    true
}

/// The keys of a page, and then what secrets they had before.
fn newest(account_id: AccountId, span: Span) -> Vec<Call> {
    let page = "keys.bucket = $1 AND keys.account_id = $2 AND keys.id < $3 ORDER BY keys.id DESC LIMIT $4";
    let keys = format!("SELECT {} FROM {WITH_PROFILES} WHERE {page}", columns());
    let retired = format!(
        "SELECT {} FROM retired_secrets WHERE retired_secrets.bucket = $1 \
         AND retired_secrets.key_id IN (SELECT keys.id FROM keys WHERE {page}) ORDER BY retired_secrets.until",
        rows::RETIRED_SECRET
    );
    let call = |sql| {
        Call::in_bucket(account_id.bucket(), sql)
            .with(statement::id(account_id.bytes()))
            .with(statement::id(span.before_or_end()))
            .with(number(span.count_max + 1))
    };
    vec![call(keys), call(retired)]
}

fn columns() -> String {
    format!("{}, {}", rows::KEY_PROFILE, rows::KEY)
}

/// Keys from the rows of both statements; `None` where they are not of one moment.
fn key_records(found: &[Vec<Row>]) -> Result<Option<Vec<KeyRecord>>, StoreError> {
    let row = |columns: &mut Columns<'_>| {
        Ok(KeyRecord { profile: rows::key_profile(columns)?, key: rows::key(columns)? })
    };
    let mut records = each(&found[0], row)?;
    let retired = each(&found[1], rows::retired_secret)?;
    let are_of_moment = give_retired(records.iter_mut().map(|record| &mut record.key), retired);
    Ok(are_of_moment.then_some(records))
}
