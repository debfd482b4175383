//! What an account has spent, summed by day, key or operation.

use coffer_ledger::{AccountId, KeyId, Timestamp};

use super::entries::{Extent, first_seqs_from};
use super::number;
use crate::postgres::database::Database;
use crate::postgres::statement::{self, Call};
use crate::rows::{self, Columns};
use crate::{StoreError, Usage, UsageBy, UsageOf};

const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

pub(in crate::postgres) async fn usage(
    database: &Database,
    account_id: AccountId,
    by: UsageBy,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Usage>, StoreError> {
    let extent = Extent::of(database, account_id).await?;
    let [first, end] = first_seqs_from(database, account_id, extent, [from, to]).await?;
    if first >= end {
        return Ok(Vec::new());
    }
    let sql = sums(by);
    let call = || {
        Call::in_bucket(account_id.bucket(), sql.as_str())
            .with(statement::id(account_id.bytes()))
            .with(number(first))
            .with(number(end))
    };
    database.records(call, |columns| usage_row(columns, by)).await
}

fn sums(by: UsageBy) -> String {
    let group = match by {
        UsageBy::Day => format!("at - at % {MS_PER_DAY}"),
        UsageBy::Key => "key_id".to_owned(),
        // In the order of the bytes, whatever language the database speaks.
        UsageBy::Operation => "operation COLLATE \"C\"".to_owned(),
    };
    format!(
        "SELECT {group} AS sum_of, count(*) FILTER (WHERE kind <> 'refund'), \
         coalesce(sum(-credits - held_credits) FILTER (WHERE kind <> 'refund'), 0)::bigint, \
         coalesce(sum(credits) FILTER (WHERE kind = 'refund'), 0)::bigint \
         FROM entries WHERE bucket = $1 AND account_id = $2 AND seq >= $3 AND seq < $4 \
         AND kind IN ('charge', 'capture', 'refund') GROUP BY sum_of ORDER BY sum_of NULLS FIRST"
    )
}

fn usage_row(columns: &mut Columns<'_>, by: UsageBy) -> rows::Result<Usage> {
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
}
