//! Entries of an account: by number, and by time, which grows with the number.

use std::collections::BTreeSet;

use coffer_ledger::{AccountId, Entry, Seq, Timestamp};

use super::{by_id, missing, number};
use crate::postgres::database::Database;
use crate::postgres::statement::{self, Call};
use crate::rows::{self, Columns};
use crate::{EntryOrder, EntryPage, EntryQuery, StoreError};

/// How much text the entries of one page may have before the page ends.
const PAGE_TEXT_BYTES_MAX: usize = 1024 * 1024;
/// How many entries are looked through for one page, where only some of them are wanted.
const LOOKED_THROUGH_MAX: u64 = 10_000;
/// How many entries are looked at together to find one by its time.
const PROBES_MAX: u64 = 256;

pub(in crate::postgres) async fn entries(
    database: &Database,
    query: &EntryQuery,
) -> Result<EntryPage, StoreError> {
    let (first, end) = stretch(database, query).await?;
    if first >= end {
        return Ok(EntryPage { entries: Vec::new(), next: None });
    }
    let window = match query.order {
        EntryOrder::OldestFirst => (first, end.min(first + LOOKED_THROUGH_MAX)),
        EntryOrder::NewestFirst => (first.max(end.saturating_sub(LOOKED_THROUGH_MAX)), end),
    };
    let row = |columns: &mut Columns<'_>| Ok((rows::entry(columns)?, columns.flag()?));
    let found = database.records(|| page(query, window), row).await?;
    let found_count = found.len();
    let fits = found.into_iter().take(query.count_max).take_while(|(_, is_beyond)| !is_beyond);
    let entries: Vec<Entry> = fits.map(|(entry, _)| entry).collect();
    // Where more were found the last entry is where to go on, else the end of what was looked through.
    let looked_to = match (entries.last(), query.order) {
        (Some(entry), _) if found_count > entries.len() => entry.seq.0,
        (_, EntryOrder::OldestFirst) => window.1 - 1,
        (_, EntryOrder::NewestFirst) => window.0,
    };
    let is_end = match query.order {
        EntryOrder::OldestFirst => looked_to + 1 >= end,
        EntryOrder::NewestFirst => looked_to <= first,
    };
    Ok(EntryPage { entries, next: (!is_end).then_some(Seq(looked_to)) })
}

pub(in crate::postgres) async fn last_entry(
    database: &Database,
    account_id: AccountId,
    until: Timestamp,
) -> Result<Option<Entry>, StoreError> {
    let extent = Extent::of(database, account_id).await?;
    let seq = match Timestamp::from_unix_ms(until.unix_ms() + 1) {
        Some(later) => {
            let [first_later] = first_seqs_from(database, account_id, extent, [later]).await?;
            first_later - 1
        }
        None => extent.last,
    };
    if seq == 0 {
        return Ok(None);
    }
    let sql =
        format!("SELECT {} FROM entries WHERE bucket = $1 AND account_id = $2 AND seq = $3", rows::ENTRY);
    let call = || of_account(account_id, sql.as_str()).with(number(seq));
    Ok(database.records(call, rows::entry).await?.pop())
}

/// How far the entries of an account go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// The number of the last one; 0 where there is none, or no such account.
    last: u64,
    /// No entry is later.
    last_at: Timestamp,
}

impl Extent {
    pub(super) async fn of(database: &Database, account_id: AccountId) -> Result<Extent, StoreError> {
        let given = || by_id(database.form, account_id.bucket(), "id", account_id.bytes());
        let call = || given().select("accounts.seq, accounts.last_at", "accounts", "");
        let row = |columns: &mut Columns<'_>| {
            Ok(Extent { last: rows::seq(columns)?.0, last_at: rows::time(columns)? })
        };
        let found = database.records(call, row).await?.pop();
        Ok(found.unwrap_or(Extent { last: 0, last_at: Timestamp::MIN }))
    }
}

/// The number of the first entry of each time or later, one more than the last if there is none.
pub(super) async fn first_seqs_from<const COUNT: usize>(
    database: &Database,
    account_id: AccountId,
    extent: Extent,
    times: [Timestamp; COUNT],
) -> Result<[u64; COUNT], StoreError> {
    let mut searches = times.map(|time| Search::of(time, extent));
    let sql = "SELECT seq, at FROM entries WHERE bucket = $1 AND account_id = $2 AND seq = ANY($3)";
    loop {
        let probes: BTreeSet<u64> = searches.iter().flat_map(Search::probes).collect();
        if probes.is_empty() {
            return Ok(searches.map(|search| search.first));
        }
        let seqs: Vec<i64> = probes.iter().map(|seq| number(*seq)).collect();
        let call = || of_account(account_id, sql).with(seqs.clone());
        let row = |columns: &mut Columns<'_>| Ok((rows::seq(columns)?.0, rows::time(columns)?));
        let found = database.records(call, row).await?;
        if found.len() < probes.len() {
            return Err(missing(format_args!("an entry of {account_id}")));
        }
        for search in &mut searches {
            found.iter().for_each(|(seq, at)| search.narrow(*seq, *at));
        }
    }
}

/// The search for the first entry of a time or later. Times grow with the numbers, so each look at some entries, evenly
/// spaced, leaves one of the stretches between them.
struct Search {
    from: Timestamp,
    /// The number that is looked for is this one or more, …
    first: u64,
    /// … and this one or less.
    end: u64,
}

impl Search {
    fn of(from: Timestamp, extent: Extent) -> Search {
        let end = extent.last + 1;
        let first = if from > extent.last_at { end } else { 1 };
        let end = if from == Timestamp::MIN { first } else { end };
        Search { from, first, end }
    }

    fn probes(&self) -> impl Iterator<Item = u64> + use<> {
        let distance = (self.end - self.first).div_ceil(PROBES_MAX).max(1);
        let step = usize::try_from(distance).expect("a count of entries fits into memory's addresses");
        (self.first + distance - 1..self.end).step_by(step)
    }

    fn narrow(&mut self, seq: u64, at: Timestamp) {
        if at < self.from {
            self.first = self.first.max(seq + 1);
        } else {
            self.end = self.end.min(seq);
        }
    }
}

/// From which number until before which one the entries are that may be on the page.
async fn stretch(database: &Database, query: &EntryQuery) -> Result<(u64, u64), StoreError> {
    let extent = Extent::of(database, query.account_id).await?;
    let times = [query.from.unwrap_or(Timestamp::MIN), query.to.unwrap_or(Timestamp::MAX)];
    let [first, end] = first_seqs_from(database, query.account_id, extent, times).await?;
    let end = if query.to.is_some() { end } else { extent.last + 1 };
    Ok(match (query.order, query.beyond) {
        (_, None) => (first, end),
        (EntryOrder::OldestFirst, Some(beyond)) => (first.max(beyond.0 + 1), end),
        (EntryOrder::NewestFirst, Some(beyond)) => (first, end.min(beyond.0)),
    })
}

/// The wanted entries of a stretch, until they are enough or their text is, and one more; and with each whether the text before
/// it was enough. The database counts it, so that it sends no more than a page and an entry.
fn page(query: &EntryQuery, window: (u64, u64)) -> Call {
    let order = match query.order {
        EntryOrder::OldestFirst => "ASC",
        EntryOrder::NewestFirst => "DESC",
    };
    let kind = if query.kind.is_some() { " AND kind = $6" } else { "" };
    let visible = match (query.visible_to, query.kind) {
        (None, _) => "",
        (Some(_), None) => " AND (key_id IS NULL OR key_id = $6)",
        (Some(_), Some(_)) => " AND (key_id IS NULL OR key_id = $7)",
    };
    let text = "coalesce(octet_length(reference), 0) + coalesce(octet_length(metadata), 0) \
         + coalesce(octet_length(reason), 0)";
    let sql = format!(
        "SELECT {}, text_before >= {PAGE_TEXT_BYTES_MAX} FROM (SELECT *, \
         coalesce(sum({text}) OVER (ORDER BY seq {order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) \
         AS text_before, \
         coalesce(sum({text}) OVER (ORDER BY seq {order} ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING), 0) \
         AS text_before_last FROM entries WHERE bucket = $1 AND account_id = $2 AND seq >= $3 AND seq < $4{kind}{visible} \
         ORDER BY seq {order} LIMIT $5) AS entries WHERE text_before_last < {PAGE_TEXT_BYTES_MAX} ORDER BY seq {order}",
        rows::ENTRY
    );
    let mut call = of_account(query.account_id, sql)
        .with(number(window.0))
        .with(number(window.1))
        .with(number(query.count_max + 1));
    if let Some(kind) = query.kind {
        call = call.with(kind.as_str());
    }
    if let Some(key_id) = query.visible_to {
        call = call.with(statement::id(key_id.bytes()));
    }
    call
}

fn of_account(account_id: AccountId, sql: impl Into<String>) -> Call {
    Call::in_bucket(account_id.bucket(), sql).with(statement::id(account_id.bytes()))
}
