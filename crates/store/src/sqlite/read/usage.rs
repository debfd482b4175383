//! What an account has spent, summed by day, key or operation.

use coffer_ledger::{AccountId, KeyId, Timestamp};
use rusqlite::{Connection, params};

use super::entries::{first_seq_from, last_seq};
use crate::rows::{self, Columns};
use crate::sqlite::query::Result;
use crate::sqlite::query::{JOURNAL, all};
use crate::{Usage, UsageBy, UsageOf};

const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

pub(in crate::sqlite) fn usage(
    connection: &Connection,
    account_id: AccountId,
    by: UsageBy,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Usage>> {
    let last = last_seq(connection, account_id)?;
    let first = first_seq_from(connection, account_id, from, last)?;
    let end = first_seq_from(connection, account_id, to, last)?;
    let group = match by {
        UsageBy::Day => format!("at - at % {MS_PER_DAY}"),
        UsageBy::Key => "key_id".to_owned(),
        UsageBy::Operation => "operation".to_owned(),
    };
    let sql = format!(
        "SELECT {group} AS sum_of, count(*) FILTER (WHERE kind != 'refund'), \
         coalesce(sum(-credits - held_credits) FILTER (WHERE kind != 'refund'), 0), \
         coalesce(sum(credits) FILTER (WHERE kind = 'refund'), 0) \
         FROM {JOURNAL} AND place.seq >= ?2 AND place.seq < ?3 AND kind IN ('charge', 'capture', 'refund') \
         GROUP BY sum_of ORDER BY sum_of"
    );
    let row = |columns: &mut Columns<'_>| {
        Ok(Usage {
            of: match by {
                UsageBy::Day => UsageOf::Day(rows::time(columns)?),
                UsageBy::Key => UsageOf::Key(columns.optional_bytes()?.map(KeyId::from_bytes)),
                UsageBy::Operation => UsageOf::Operation(columns.optional_text()?),
            },
            charges: columns.count()?,
            charged: rows::credits(columns)?,
            refunded: rows::credits(columns)?,
        })
    };
    all(connection, &sql, params![account_id.bytes(), first, end], row)
}
