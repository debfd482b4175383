//! Entries of an account: by number, and by time, which grows with the number.

use coffer_ledger::{AccountId, Entry, KeyId, Seq, Timestamp};
use rusqlite::{Connection, Params, params};

use crate::rows::{self, Columns};
use crate::sqlite::query::Result;
use crate::sqlite::query::{JOURNAL, one, select};
use crate::{EntryOrder, EntryPage, EntryQuery};

/// How much text the entries of one page may have before the page ends.
const PAGE_TEXT_BYTES_MAX: usize = 1024 * 1024;
/// How many entries are looked through for one page, where only some of them are wanted.
const LOOKED_THROUGH_MAX: u64 = 10_000;

pub(in crate::sqlite) fn entries(connection: &Connection, query: &EntryQuery) -> Result<EntryPage> {
    let last = last_seq(connection, query.account_id)?;
    let mut first = match query.from {
        Some(from) => first_seq_from(connection, query.account_id, from, last)?,
        None => 1,
    };
    let mut end = match query.to {
        Some(to) => first_seq_from(connection, query.account_id, to, last)?,
        None => last + 1,
    };
    match (query.order, query.beyond) {
        (_, None) => {}
        (EntryOrder::OldestFirst, Some(beyond)) => first = first.max(beyond.0 + 1),
        (EntryOrder::NewestFirst, Some(beyond)) => end = end.min(beyond.0),
    }
    if first >= end {
        return Ok(EntryPage { entries: Vec::new(), next: None });
    }
    let (order, window) = match query.order {
        EntryOrder::OldestFirst => ("ASC", (first, end.min(first + LOOKED_THROUGH_MAX))),
        EntryOrder::NewestFirst => ("DESC", (first.max(end.saturating_sub(LOOKED_THROUGH_MAX)), end)),
    };
    let from = format!(
        "{JOURNAL} AND place.seq >= ?2 AND place.seq < ?3 AND (?4 IS NULL OR kind = ?4) \
         AND (?5 IS NULL OR key_id IS NULL OR key_id = ?5) ORDER BY place.seq {order} LIMIT ?6"
    );
    let params = params![
        query.account_id.bytes(),
        window.0,
        window.1,
        query.kind.map(coffer_ledger::EntryKind::as_str),
        query.visible_to.map(KeyId::bytes),
        query.count_max + 1,
    ];
    let (entries, is_full) = first_entries(connection, &select(rows::ENTRY, &from), params, query.count_max)?;
    // Where more were found the last entry is where to go on, else the end of what was looked through.
    let looked_to = match (entries.last(), query.order) {
        (Some(entry), _) if is_full => entry.seq.0,
        (_, EntryOrder::OldestFirst) => window.1 - 1,
        (_, EntryOrder::NewestFirst) => window.0,
    };
    let is_end = match query.order {
        EntryOrder::OldestFirst => looked_to + 1 >= end,
        EntryOrder::NewestFirst => looked_to <= first,
    };
    Ok(EntryPage { entries, next: (!is_end).then_some(Seq(looked_to)) })
}

/// Entries up to a count, or until their text is as much as a page may hold; and whether more were found.
fn first_entries(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    count_max: usize,
) -> Result<(Vec<Entry>, bool)> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(params)?;
    let (mut entries, mut text_bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        if entries.len() >= count_max || text_bytes >= PAGE_TEXT_BYTES_MAX {
            return Ok((entries, true));
        }
        let entry = rows::entry(&mut Columns::of(row))?;
        text_bytes += entry.note.bytes();
        entries.push(entry);
    }
    Ok((entries, false))
}

pub(in crate::sqlite) fn last_entry(
    connection: &Connection,
    account_id: AccountId,
    until: Timestamp,
) -> Result<Option<Entry>> {
    let last = last_seq(connection, account_id)?;
    let later = Timestamp::from_unix_ms(until.unix_ms() + 1);
    let seq = match later {
        Some(later) => first_seq_from(connection, account_id, later, last)? - 1,
        None => last,
    };
    let sql = select(rows::ENTRY, &format!("{JOURNAL} AND place.seq = ?2"));
    one(connection, &sql, params![account_id.bytes(), seq], rows::entry)
}

/// The number of the first entry of a time or later, one more than the last if there is none. Times grow with the
/// numbers, so it is found by halves.
pub(super) fn first_seq_from(
    connection: &Connection,
    account_id: AccountId,
    from: Timestamp,
    last: u64,
) -> Result<u64> {
    let sql = select("entries.at", &format!("{JOURNAL} AND place.seq = ?2"));
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let at = one(connection, &sql, params![account_id.bytes(), middle], rows::time)?;
        if at.ok_or(rusqlite::Error::QueryReturnedNoRows)? < from {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

pub(super) fn last_seq(connection: &Connection, account_id: AccountId) -> Result<u64> {
    let sql = "SELECT seq FROM accounts WHERE id = ?1";
    let seq = |columns: &mut Columns<'_>| rows::seq(columns).map(|seq| seq.0);
    Ok(one(connection, sql, [account_id.bytes()], seq)?.unwrap_or(0))
}
