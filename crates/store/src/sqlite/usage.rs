//! Adding up what accounts have spent, block by block, beside the batches.
//!
//! How far an account is added up stands beside the sums and changes with them. So nothing has to be brought in at a start,
//! and what was not added when a process ended is added later.
//!
//! A block is read before the transaction that writes what it comes to. Where it cannot be read, or comes to more than
//! anybody can spend, its account is left alone: the sums can be done without, and must not stop the ledger.

use std::collections::{BTreeMap, HashMap, HashSet};

use coffer_ledger::{AccountId, KeyId, Operation, Seq};
use rusqlite::{Connection, params};

use super::pace::Pace;
use super::published::Published;
use super::query::{JOURNAL, Result, all, one, select};
use crate::day_sums::{BLOCK, DAY_SUM, DayOf, MS_PER_DAY, NO_KEY, NO_OPERATION, Spent, day_sum};
use crate::rows::{self, Columns};

/// How far accounts are added up, and what is to be added next.
#[derive(Debug, Default)]
pub(super) struct UsageSums {
    through: HashMap<AccountId, Seq>,
    /// Accounts of which a block or more is missing, and the last of their entries that is found by its number.
    due: BTreeMap<AccountId, Seq>,
    /// Accounts that cannot be added up.
    given_up: HashSet<AccountId>,
    /// Entries that have been written since a block was added for them.
    written: u64,
}

/// What blocks of an account come to, together with what is in the sums already.
#[must_use]
pub(super) struct Blocks {
    account_id: AccountId,
    /// How many they are.
    count: u64,
    /// The last of their entries.
    through: Seq,
    sums: Vec<(DayOf, Spent)>,
}

impl UsageSums {
    pub(super) fn open(connection: &Connection) -> Result<UsageSums> {
        let row = |columns: &mut Columns<'_>| Ok((rows::account_id(columns)?, rows::seq(columns)?));
        let through = all(connection, "SELECT account_id, seq FROM usage_through", [], row)?;
        let sql = "SELECT accounts.id, accounts.seq FROM accounts \
                   LEFT JOIN usage_through ON usage_through.account_id = accounts.id \
                   WHERE accounts.seq >= ?1 AND accounts.seq - coalesce(usage_through.seq, 0) >= ?1";
        let due = all(connection, sql, [BLOCK], row)?;
        let (through, due) = (through.into_iter().collect(), due.into_iter().collect());
        Ok(UsageSums { through, due, ..UsageSums::default() })
    }

    /// Whether there is something to be added.
    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Takes in that all entries of some accounts are found by their numbers, as these are published.
    pub(super) fn placed<'ids>(
        &mut self,
        accounts: impl IntoIterator<Item = &'ids AccountId>,
        published: &Published,
    ) {
        for id in accounts {
            let last = published.seq(*id).expect("what was written was published");
            if last.0.saturating_sub(self.through(*id).0) >= BLOCK && !self.given_up.contains(id) {
                self.due.insert(*id, last);
            }
        }
    }

    /// The blocks to be added next: as much as is written, so that no batch waits for what others have left behind.
    pub(super) fn blocks_at(&mut self, connection: &Connection, pace: Pace) -> Vec<Blocks> {
        let Pace::After { entries } = pace else {
            return Vec::from_iter(self.next(connection, 1, &[]));
        };
        self.written += entries as u64;
        let mut count_max = self.written / BLOCK;
        self.written %= BLOCK;
        let mut all: Vec<Blocks> = Vec::new();
        while count_max > 0
            && let Some(blocks) = self.next(connection, count_max, &all)
        {
            count_max -= blocks.count;
            all.push(blocks);
        }
        all
    }

    /// The next blocks, up to a count, of an account that is not among others.
    fn next(&mut self, connection: &Connection, count_max: u64, others: &[Blocks]) -> Option<Blocks> {
        loop {
            let is_other = |id: AccountId| others.iter().any(|blocks| blocks.account_id == id);
            let (id, last) = self.due.iter().map(|(id, last)| (*id, *last)).find(|(id, _)| !is_other(*id))?;
            let after = self.through(id);
            let count = ((last.0 - after.0) / BLOCK).min(count_max);
            match read(connection, id, after, count) {
                Ok(Some(blocks)) => return Some(blocks),
                Ok(None) => tracing::error!("the usage of {id} is out of range: coffer verify tells more"),
                Err(error) => {
                    tracing::error!(%error, "the usage of {id} cannot be read: coffer verify tells more");
                }
            }
            self.due.remove(&id);
            self.given_up.insert(id);
        }
    }

    /// Blocks have been committed.
    pub(super) fn added(&mut self, all: Vec<Blocks>) {
        for Blocks { account_id, count: _, through, sums: _ } in all {
            self.through.insert(account_id, through);
            if self.due.get(&account_id).is_some_and(|last| last.0.saturating_sub(through.0) < BLOCK) {
                self.due.remove(&account_id);
            }
        }
    }

    fn through(&self, id: AccountId) -> Seq {
        self.through.get(&id).copied().unwrap_or_default()
    }
}

/// So many blocks of an account after an entry; `None` where they come to more than can be spent.
fn read(connection: &Connection, id: AccountId, after: Seq, count: u64) -> Result<Option<Blocks>> {
    let sql = format!(
        "SELECT at - at % {MS_PER_DAY}, coalesce(key_id, zeroblob(16)), coalesce(operation, ''), \
         count(*) FILTER (WHERE kind != 'refund'), \
         coalesce(sum(-credits - held_credits) FILTER (WHERE kind != 'refund'), 0), \
         coalesce(sum(credits) FILTER (WHERE kind = 'refund'), 0) \
         FROM {JOURNAL} AND place.seq > ?2 AND place.seq <= ?3 AND kind IN ('charge', 'capture', 'refund') \
         GROUP BY 1, 2, 3"
    );
    let through = Seq(after.0 + count * BLOCK);
    let mut sums = Vec::new();
    for (of, spent) in all(connection, &sql, params![id.bytes(), after.0, through.0], day_sum)? {
        let there = sum_of(connection, id, &of)?.unwrap_or(Spent::NOTHING);
        let Some(sum) = there.plus(spent) else { return Ok(None) };
        sums.push((of, sum));
    }
    Ok(Some(Blocks { account_id: id, count, through, sums }))
}

fn sum_of(connection: &Connection, id: AccountId, of: &DayOf) -> Result<Option<Spent>> {
    let sql =
        select(DAY_SUM, "usage_days WHERE account_id = ?1 AND day = ?2 AND key_id = ?3 AND operation = ?4");
    let found =
        one(connection, &sql, params![id.bytes(), of.day.unix_ms(), key(of), operation(of)], day_sum)?;
    Ok(found.map(|(_, spent)| spent))
}

/// Writes what blocks come to, in a transaction of its caller's.
pub(super) fn write(connection: &Connection, all: &[Blocks]) -> Result<()> {
    for blocks in all {
        let sql = "INSERT OR REPLACE INTO usage_days (account_id, day, key_id, operation, charges, charged, refunded) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut statement = connection.prepare_cached(sql)?;
        let id = blocks.account_id.bytes();
        for (of, spent) in &blocks.sums {
            statement.execute(params![
                id,
                of.day.unix_ms(),
                key(of),
                operation(of),
                spent.charges,
                spent.charged.millionths(),
                spent.refunded.millionths(),
            ])?;
        }
        let sql = "INSERT OR REPLACE INTO usage_through (account_id, seq) VALUES (?1, ?2)";
        connection.prepare_cached(sql)?.execute(params![id, blocks.through.0])?;
    }
    Ok(())
}

fn key(of: &DayOf) -> [u8; 16] {
    of.key_id.map_or(NO_KEY, KeyId::bytes)
}

fn operation(of: &DayOf) -> &str {
    of.operation.as_ref().map_or(NO_OPERATION, Operation::as_str)
}
