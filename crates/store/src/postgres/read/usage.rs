//! What an account has spent, summed by day, key or operation.

use coffer_ledger::{AccountId, KeyId, Timestamp};

use super::entries::{Extent, first_seqs_from};
use super::number;
use crate::day_sums::{MS_PER_DAY, whole_days};
use crate::postgres::database::Database;
use crate::postgres::statement::{self, Call};
use crate::rows::{self, Columns};
use crate::{StoreError, Usage, UsageBy, UsageOf};

/// Whole days come from the sums, as far as these go, and the rest from the journal. How far they go is read in the same
/// statement as they are, for it moves meanwhile.
pub(in crate::postgres) async fn usage(
    database: &Database,
    account_id: AccountId,
    by: UsageBy,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Usage>, StoreError> {
    let days = whole_days(from, to);
    // What begins after the last time there is begins after every entry.
    let midnight = |ms| Timestamp::from_unix_ms(ms).unwrap_or(Timestamp::MAX);
    let times = [from, to, midnight(days.start), midnight(days.end)];
    let extent = Extent::of(database, account_id).await?;
    let [first, end, first_whole, end_whole] = first_seqs_from(database, account_id, extent, times).await?;
    if first >= end {
        return Ok(Vec::new());
    }
    let sql = sums(by);
    let call = || {
        Call::in_bucket(account_id.bucket(), sql.as_str())
            .with(statement::id(account_id.bytes()))
            .with(number(first))
            .with(number(end))
            .with(number(first_whole))
            .with(number(end_whole))
            .with(days.start)
            .with(days.end)
    };
    database.records(call, |columns| usage_row(columns, by)).await
}

/// The cut is that of [`Cut::of`](crate::day_sums::Cut::of).
fn sums(by: UsageBy) -> String {
    let (of_entry, of_sum) = match by {
        UsageBy::Day => (format!("at - at % {MS_PER_DAY}"), "day"),
        UsageBy::Key => ("key_id".to_owned(), "nullif(key_id, '00000000-0000-0000-0000-000000000000')"),
        // In the order of the bytes, whatever language the database speaks.
        UsageBy::Operation => ("operation COLLATE \"C\"".to_owned(), "nullif(operation, '') COLLATE \"C\""),
    };
    let through = "coalesce((SELECT seq FROM usage_through WHERE bucket = $1 AND account_id = $2), 0)";
    let entries = |condition: &str| {
        format!(
            "SELECT {of_entry} AS sum_of, CASE WHEN kind = 'refund' THEN 0 ELSE 1 END AS charges, \
             CASE WHEN kind = 'refund' THEN 0 ELSE -credits - held_credits END AS charged, \
             CASE WHEN kind = 'refund' THEN credits ELSE 0 END AS refunded \
             FROM entries WHERE bucket = $1 AND account_id = $2 AND {condition} \
             AND kind IN ('charge', 'capture', 'refund')"
        )
    };
    let head_end = format!("least($5, {through} + 1, $4)");
    let summed_before = format!("CASE WHEN {through} >= $4 THEN $6 ELSE {through} + 1 END");
    format!(
        "SELECT sum_of, sum(charges)::bigint, sum(charged)::bigint, sum(refunded)::bigint FROM ({} UNION ALL {} UNION ALL \
         SELECT {of_sum}, charges, charged, refunded FROM usage_days WHERE bucket = $1 AND account_id = $2 \
         AND day >= $7 AND day < CASE WHEN {through} >= $4 THEN $8 ELSE {} END) AS spent \
         GROUP BY sum_of ORDER BY sum_of NULLS FIRST",
        entries(&format!("seq >= $3 AND seq < {head_end}")),
        entries(&format!("seq >= greatest({summed_before}, {head_end}, $3) AND seq < $4")),
        i64::MAX
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
