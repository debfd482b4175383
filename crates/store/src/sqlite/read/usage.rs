//! What an account has spent, summed by day, key or operation.

use coffer_ledger::{AccountId, KeyId, Timestamp};
use rusqlite::{Connection, params};

use super::entries::{first_seq_from, last_seq};
use crate::day_sums::{Cut, MS_PER_DAY, whole_days};
use crate::rows::{self, Columns};
use crate::sqlite::query::{JOURNAL, Result, all, one};
use crate::{Usage, UsageBy, UsageOf};

/// Whole days come from the sums, as far as these go, and the rest from the journal.
pub(in crate::sqlite) fn usage(
    connection: &Connection,
    account_id: AccountId,
    by: UsageBy,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Usage>> {
    let Cut { head, days, tail } = cut(connection, account_id, from, to)?;
    let (of_entry, of_sum) = match by {
        UsageBy::Day => (format!("at - at % {MS_PER_DAY}"), "day"),
        UsageBy::Key => ("key_id".to_owned(), "nullif(key_id, zeroblob(16))"),
        UsageBy::Operation => ("operation".to_owned(), "nullif(operation, '')"),
    };
    // Each stretch by itself, so that its entries are found by their numbers.
    let entries = |first: &str, end: &str| {
        format!(
            "SELECT {of_entry} AS sum_of, kind != 'refund' AS charges, \
             iif(kind != 'refund', -credits - held_credits, 0) AS charged, \
             iif(kind = 'refund', credits, 0) AS refunded \
             FROM {JOURNAL} AND place.seq >= {first} AND place.seq < {end} \
             AND kind IN ('charge', 'capture', 'refund')"
        )
    };
    let sql = format!(
        "SELECT sum_of, sum(charges), sum(charged), sum(refunded) FROM ({} UNION ALL {} UNION ALL \
         SELECT {of_sum}, charges, charged, refunded FROM usage_days \
         WHERE account_id = ?1 AND day >= ?6 AND day < ?7) GROUP BY sum_of ORDER BY sum_of",
        entries("?2", "?3"),
        entries("?4", "?5")
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
    let id = account_id.bytes();
    all(connection, &sql, params![id, head.start, head.end, tail.start, tail.end, days.start, days.end], row)
}

fn cut(connection: &Connection, account_id: AccountId, from: Timestamp, to: Timestamp) -> Result<Cut> {
    let last = last_seq(connection, account_id)?;
    let first_from = |time: Timestamp| first_seq_from(connection, account_id, time, last);
    let asked = first_from(from)?..first_from(to)?;
    let days = whole_days(from, to);
    // What begins after the last time there is begins after every entry.
    let first_of_day = |ms| Timestamp::from_unix_ms(ms).map_or(Ok(last + 1), &first_from);
    let whole = first_of_day(days.start)?..first_of_day(days.end)?;
    let sql = "SELECT seq FROM usage_through WHERE account_id = ?1";
    let through = one(connection, sql, [account_id.bytes()], rows::seq)?;
    Ok(Cut::of(&asked, &days, &whole, through.map_or(0, |seq| seq.0)))
}
