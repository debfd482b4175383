//! Adding up what accounts have spent, block by block, in the writer's transactions: one with each batch, as long as there
//! are any, and more when there is nothing else to do.
//!
//! How far an account is added up stands beside the sums and changes with them. So nothing has to be brought in at a start,
//! and what was not added when a process ended is added later.

use std::collections::{BTreeMap, HashMap};

use coffer_ledger::{AccountId, Seq};
use rusqlite::{Connection, params};

use super::published::Published;
use super::query::{JOURNAL, Result, all};
use crate::day_sums::{BLOCK, MS_PER_DAY};
use crate::rows::{self, Columns};

/// How far accounts are added up, and what is to be added next.
#[derive(Debug, Default)]
pub(super) struct UsageSums {
    through: HashMap<AccountId, Seq>,
    /// Accounts of which a block or more is missing, and the last of their entries that is found by its number.
    due: BTreeMap<AccountId, Seq>,
}

/// What was added in a transaction.
#[must_use]
pub(super) struct Added(Vec<(AccountId, Seq)>);

impl UsageSums {
    pub(super) fn open(connection: &Connection) -> Result<UsageSums> {
        let row = |columns: &mut Columns<'_>| Ok((rows::account_id(columns)?, rows::seq(columns)?));
        let through = all(connection, "SELECT account_id, seq FROM usage_through", [], row)?;
        let sql = "SELECT accounts.id, accounts.seq FROM accounts \
                   LEFT JOIN usage_through ON usage_through.account_id = accounts.id \
                   WHERE accounts.seq - coalesce(usage_through.seq, 0) >= ?1";
        let due = all(connection, sql, [BLOCK], row)?;
        Ok(UsageSums { through: through.into_iter().collect(), due: due.into_iter().collect() })
    }

    /// Whether there is something to be added.
    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Takes in that all entries of some accounts are found by their numbers, as these are published.
    pub(super) fn placed(&mut self, accounts: &[AccountId], published: &Published) {
        for id in accounts {
            let last = published.account(*id).expect("what was written was published").seq;
            if last.0.saturating_sub(self.through(*id)) >= BLOCK {
                self.due.insert(*id, last);
            }
        }
    }

    /// Adds so many blocks, in a transaction of its caller's.
    pub(super) fn add(&self, connection: &Connection, mut blocks: u64) -> Result<Added> {
        let mut added = Vec::new();
        for (id, last) in &self.due {
            if blocks == 0 {
                break;
            }
            let before = self.through(*id);
            let adding = ((last.0 - before) / BLOCK).min(blocks);
            let through = Seq(before + adding * BLOCK);
            add(connection, *id, before, through)?;
            added.push((*id, through));
            blocks -= adding;
        }
        Ok(Added(added))
    }

    /// What was added has been committed.
    pub(super) fn added(&mut self, Added(added): Added) {
        for (id, through) in added {
            self.through.insert(id, through);
            if self.due.get(&id).is_some_and(|last| last.0.saturating_sub(through.0) < BLOCK) {
                self.due.remove(&id);
            }
        }
    }

    fn through(&self, id: AccountId) -> u64 {
        self.through.get(&id).map_or(0, |seq| seq.0)
    }
}

/// Adds the entries of an account after one and through another.
fn add(connection: &Connection, id: AccountId, after: u64, through: Seq) -> Result<()> {
    let sql = format!(
        "INSERT INTO usage_days (account_id, day, key_id, operation, charges, charged, refunded) \
         SELECT ?1, at - at % {MS_PER_DAY}, coalesce(key_id, zeroblob(16)), coalesce(operation, ''), \
         count(*) FILTER (WHERE kind != 'refund'), \
         coalesce(sum(-credits - held_credits) FILTER (WHERE kind != 'refund'), 0), \
         coalesce(sum(credits) FILTER (WHERE kind = 'refund'), 0) \
         FROM {JOURNAL} AND place.seq > ?2 AND place.seq <= ?3 AND kind IN ('charge', 'capture', 'refund') \
         GROUP BY 2, 3, 4 \
         ON CONFLICT (account_id, day, key_id, operation) DO UPDATE SET charges = charges + excluded.charges, \
         charged = charged + excluded.charged, refunded = refunded + excluded.refunded"
    );
    connection.prepare_cached(&sql)?.execute(params![id.bytes(), after, through.0])?;
    let sql = "INSERT INTO usage_through (account_id, seq) VALUES (?1, ?2) \
               ON CONFLICT (account_id) DO UPDATE SET seq = ?2";
    connection.prepare_cached(sql)?.execute(params![id.bytes(), through.0])?;
    Ok(())
}
