//! What readers ask the database for, a file per kind of record.
//!
//! There are no transactions here. On a sharded database each statement sees what was committed when it began, in a
//! transaction or not; so what must be of one moment comes from one statement, or from several between two looks at the
//! account's row that saw the same (`moment`). An id names the bucket of its rows, and a statement that is not over all
//! buckets names its one bucket.

mod moment;

mod accounts;
mod charges;
mod entries;
mod grants;
mod health;
mod holds;
mod keys;
mod prices;
mod usage;

use std::collections::BTreeMap;

use coffer_ledger::{Bucket, UuidBytes};
use tokio_postgres::Row;

use super::database::Database;
use super::statement::{self, Call, Form, Given, by_statement};
use crate::StoreError;
use crate::rows::{self, Columns};

pub(super) use accounts::{account, account_record, account_records, accounts_due, accounts_named};
pub(super) use charges::{accounts_of_charges, charge, charges};
pub(super) use entries::{entries, last_entry};
pub(super) use grants::{account_and_grant, account_and_grants, account_of_grant};
pub(super) use health::health;
pub(super) use holds::{accounts_of_holds, hold, holds};
pub(super) use keys::{account_and_key, account_and_keys, key_uses, operator_key, operator_keys};
pub(super) use prices::prices;
pub(super) use usage::usage;

/// The one value by which a row is looked up, in its bucket.
fn by_id(form: Form, bucket: Bucket, column: &'static str, id: UuidBytes) -> Given {
    let one = [id];
    Given::of(form, &one, |_| bucket).with(column, "uuid", &one, |id| statement::id(*id))
}

/// What is known of each of these ids, in one round trip, however many buckets they are of; what is unknown is absent.
async fn of_each<Id: Copy + Ord, Found>(
    database: &Database,
    ids: &[Id],
    bucket: impl Fn(Id) -> Bucket,
    call: impl Fn(&[Id]) -> Call,
    read: impl Fn(&mut Columns<'_>) -> rows::Result<(Id, Found)>,
) -> Result<BTreeMap<Id, Found>, StoreError> {
    let mut all = BTreeMap::new();
    if ids.is_empty() {
        return Ok(all);
    }
    let parts = || by_statement(database.form, ids.to_vec(), |id| bucket(*id));
    for found in database.read(|| parts().iter().map(|ids| call(ids)).collect()).await? {
        all.extend(each(&found, &read)?);
    }
    Ok(all)
}

/// What the rows of a statement mean.
fn each<Record>(
    found: &[Row],
    read: impl Fn(&mut Columns<'_>) -> rows::Result<Record>,
) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::with_capacity(found.len());
    for row in found {
        records.push(read(&mut Columns::of(row))?);
    }
    Ok(records)
}

/// What the row of a statement means that finds one at most.
fn one<Record>(
    found: &[Row],
    read: impl Fn(&mut Columns<'_>) -> rows::Result<Record>,
) -> Result<Option<Record>, StoreError> {
    Ok(each(found, read)?.pop())
}

/// The error for a row that must be there, for others tell of it.
fn missing(what: impl std::fmt::Display) -> StoreError {
    StoreError::Unreadable(format!("{what} is missing"))
}

/// A number of rows, or of an entry, as the database takes it.
fn number(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
