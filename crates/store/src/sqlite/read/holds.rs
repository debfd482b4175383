//! Holds, with the text and the balance of the entries that made them.

use std::collections::BTreeMap;

use coffer_ledger::{AccountId, Hold, HoldId, HoldRecord, HoldStatus};
use rusqlite::{Connection, params};

use super::Stretch;
use crate::rows;
use crate::sqlite::query::Result;
use crate::sqlite::query::{JOURNAL, all, each, one, select};
use crate::{HoldFilter, Page, Span};

/// A hold without its text.
pub(in crate::sqlite) fn hold_alone(connection: &Connection, id: HoldId) -> Result<Option<Hold>> {
    one(connection, &select(rows::HOLD, "holds WHERE id = ?1"), [id.bytes()], rows::hold)
}

pub(in crate::sqlite) fn hold(connection: &Connection, id: HoldId) -> Result<Option<HoldRecord>> {
    let hold = hold_alone(connection, id)?;
    hold.map(|hold| record(connection, hold)).transpose()
}

pub(in crate::sqlite) fn holds(
    connection: &Connection,
    filter: &HoldFilter,
    span: Span,
) -> Result<Page<HoldRecord>> {
    let params = params![
        filter.account_id.map(AccountId::bytes),
        span.before_or_end(),
        filter.at.unix_ms(),
        span.count_max + 1,
    ];
    let holds = all(connection, &newest(filter), params, rows::hold)?.into_iter();
    let records: Result<_> = holds.map(|hold| record(connection, hold)).collect();
    Ok(Page::of(records?, span))
}

/// The open ones are told by a constant, for only so does SQLite look in the indexes that have no others.
fn newest(filter: &HoldFilter) -> String {
    let account = filter.account_id.map_or("", |_| "account_id = ?1 AND ");
    // A hold whose time is over is expired already, although it may not be written yet.
    let status = match filter.status {
        None => String::new(),
        Some(HoldStatus::Open) => " AND status = 'open' AND expires_at > ?3".to_owned(),
        Some(HoldStatus::Expired) => {
            " AND (status = 'expired' OR (status = 'open' AND expires_at <= ?3))".to_owned()
        }
        Some(ended @ (HoldStatus::Captured | HoldStatus::Released)) => {
            format!(" AND status = '{}'", rows::hold_status(ended))
        }
    };
    let from = format!("holds WHERE {account}id < ?2{status} ORDER BY id DESC LIMIT ?4");
    select(rows::HOLD, &from)
}

pub(in crate::sqlite) fn accounts_of_holds(
    connection: &Connection,
    ids: &[HoldId],
) -> Result<BTreeMap<HoldId, AccountId>> {
    let mut accounts = BTreeMap::new();
    for id in ids {
        let sql = "SELECT account_id FROM holds WHERE id = ?1";
        let found = one(connection, sql, [id.bytes()], rows::account_id)?;
        accounts.extend(found.map(|account_id| (*id, account_id)));
    }
    Ok(accounts)
}

/// Every open hold of some accounts.
pub(in crate::sqlite) fn each_open_hold(
    connection: &Connection,
    accounts: &Stretch,
    take: impl FnMut(Hold),
) -> Result<()> {
    let open = "holds WHERE account_id > ?1 AND account_id <= ?2 AND status = 'open'";
    each(connection, &select(rows::HOLD, open), accounts.bounds(), rows::hold, take)
}

fn record(connection: &Connection, hold: Hold) -> Result<HoldRecord> {
    let sql = select(rows::ENTRY, &format!("{JOURNAL} AND place.seq = ?2"));
    let entry = one(connection, &sql, params![hold.account_id.bytes(), hold.seq.0], rows::entry)?;
    let entry = entry.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(HoldRecord::of_entry(hold, &entry))
}

#[cfg(test)]
mod tests {
    use coffer_ledger::{AccountId, HoldStatus, Timestamp};

    use super::newest;
    use crate::sqlite::schema;
    use crate::{DataDirectory, HoldFilter};

    #[test]
    fn open_holds_are_found_whatever_has_ended() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let directory = DataDirectory::lock(temporary.path()).expect("nobody else is there");
        let connection = schema::open_for_writing(&directory).expect("a new file");
        for (account_id, index) in
            [(None, "holds_open_by_id"), (Some(AccountId::from_bytes([1; 16])), "holds_open")]
        {
            let filter = HoldFilter { account_id, status: Some(HoldStatus::Open), at: Timestamp::MIN };
            let sql = format!("EXPLAIN QUERY PLAN {}", newest(&filter));
            let plan = connection
                .prepare(&sql)
                .and_then(|mut plan| {
                    plan.query_map([None::<i64>; 4], |row| row.get(3))?
                        .collect::<rusqlite::Result<Vec<String>>>()
                })
                .expect("a plan");
            let [step] = plan.as_slice() else { panic!("one step, without sorting: {plan:?}") };
            assert!(step.contains(&format!("USING INDEX {index} (")), "{step}");
        }
    }
}
