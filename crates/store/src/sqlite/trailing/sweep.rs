//! The sweep: which accounts are brought up to date next, and which redo rows are not needed any more.

use std::ops::Bound::{Excluded, Included, Unbounded};
use std::time::{Duration, Instant};

use coffer_ledger::AccountId;
use rusqlite::Connection;

use super::{Redo, Trailing};
use crate::sqlite::pace::Pace;
use crate::sqlite::published::Published;
use crate::sqlite::query::Result;

/// About how many entries trail at the most, when as many are swept as are written.
const TRAILING_MAX: usize = 160_000;
/// How long a sweep takes at the most, while there are batches at all.
const SWEEP_MAX: Duration = Duration::from_secs(10);
/// How many accounts are swept at a time when there is nothing else to do.
const IDLE_ACCOUNTS: usize = 256;
/// How many redo rows are removed after a batch, of which each writes one.
const REDO_ROWS_REMOVED: i64 = 4;
/// How many are removed at a time when there is nothing else to do.
const IDLE_REDO_ROWS_REMOVED: i64 = 32;

const _: () = assert!(TRAILING_MAX <= 200_000, "a start replays what trails");

/// Where the sweep stands.
#[derive(Debug)]
pub(super) struct Sweep {
    /// The account that was swept last; `None` at the beginning of a round.
    last: Option<AccountId>,
    /// The account with which the round ends. Whatever has trailed behind it since the round began is of the next one: where
    /// ever new accounts are made, it would never end otherwise.
    end: Option<AccountId>,
    /// Redo rows: those there are, from the first and before the next,
    first_redo: i64,
    next_redo: i64,
    /// those before this one when the round began,
    round_began_at: i64,
    /// and those before this one that are not needed any more.
    needless_before: i64,
    swept_at: Instant,
}

impl Default for Sweep {
    fn default() -> Sweep {
        Sweep::of_redo(1, 1)
    }
}

impl Sweep {
    /// At the end of a round in which nothing was written, with these redo rows from the first and before the next.
    pub(super) fn of_redo(first: i64, next: i64) -> Sweep {
        Sweep {
            last: None,
            end: None,
            first_redo: first,
            next_redo: next,
            round_began_at: first,
            needless_before: first,
            swept_at: Instant::now(),
        }
    }

    pub(super) fn has_redo(&self) -> bool {
        self.first_redo < self.next_redo
    }

    pub(super) fn next_redo(&self) -> i64 {
        self.next_redo
    }

    pub(super) fn wrote(&mut self, redo: Redo) {
        match redo {
            Redo::Written => self.next_redo += 1,
            Redo::Needless => {}
        }
    }
}

/// The next accounts to be brought up to date.
#[derive(Debug)]
#[must_use]
pub(in crate::sqlite) struct Slice {
    accounts: Vec<AccountId>,
    /// Whether the round ends with them.
    is_last: bool,
    redo_before: i64,
    removes_redo: bool,
}

impl Slice {
    /// Whether there is nothing to be written or removed.
    pub(in crate::sqlite) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && !self.removes_redo
    }

    /// The accounts, sorted.
    pub(in crate::sqlite) fn accounts(&self) -> &[AccountId] {
        &self.accounts
    }
}

impl Trailing {
    /// What is to be swept next.
    pub(in crate::sqlite) fn slice_at(&self, pace: Pace) -> Slice {
        let Pace::After { entries } = pace else {
            return self.slice(IDLE_ACCOUNTS, IDLE_REDO_ROWS_REMOVED);
        };
        let by_amount = entries * self.places / TRAILING_MAX;
        let waited = self.sweep.swept_at.elapsed().as_millis();
        let by_time = u128::try_from(self.accounts.len()).expect("128 bits") * waited / SWEEP_MAX.as_millis();
        let count = by_amount.max(usize::try_from(by_time).unwrap_or(usize::MAX));
        // Upkeep must not make the next batch wait long, nor need much more space than this one.
        self.slice(count.min(entries.max(IDLE_ACCOUNTS)), REDO_ROWS_REMOVED)
    }

    fn slice(&self, count: usize, redo_rows: i64) -> Slice {
        let (accounts, is_last) = self.next_accounts(count);
        let redo_before = self.sweep.needless_before.min(self.sweep.first_redo + redo_rows);
        Slice { accounts, is_last, redo_before, removes_redo: redo_before > self.sweep.first_redo }
    }

    /// The next accounts of the round, and whether it ends with them.
    fn next_accounts(&self, count: usize) -> (Vec<AccountId>, bool) {
        let Some(end) = self.sweep.end.filter(|end| self.sweep.last.is_none_or(|last| last < *end)) else {
            return (Vec::new(), true);
        };
        let from = self.sweep.last.map_or(Unbounded, Excluded);
        let mut next = self.accounts.range((from, Included(end))).map(|(id, _)| *id);
        let accounts = next.by_ref().take(count).collect();
        (accounts, next.next().is_none())
    }

    /// Writes a slice, in a transaction of its caller's, and removes redo rows that are not needed any more.
    pub(in crate::sqlite) fn write_slice(
        &self,
        connection: &Connection,
        published: &Published,
        slice: &Slice,
    ) -> Result<()> {
        self.write(connection, published, &slice.accounts)?;
        if slice.removes_redo {
            let sql = "DELETE FROM redo WHERE id < ?1";
            connection.prepare_cached(sql)?.execute([slice.redo_before])?;
        }
        Ok(())
    }

    /// A slice has been committed.
    pub(in crate::sqlite) fn swept(&mut self, slice: &Slice) {
        for id in &slice.accounts {
            self.forget(*id);
        }
        let end = self.accounts.last_key_value().map(|(id, _)| *id);
        let sweep = &mut self.sweep;
        sweep.first_redo = slice.redo_before.max(sweep.first_redo);
        if !slice.accounts.is_empty() {
            sweep.swept_at = Instant::now();
        }
        sweep.last = slice.accounts.last().copied().or(sweep.last);
        if slice.is_last {
            // Whatever these rows tell of has been written by now: it trailed when the round began.
            sweep.needless_before = sweep.round_began_at;
            sweep.round_began_at = sweep.next_redo;
            (sweep.last, sweep.end) = (None, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use coffer_ledger::AccountId;

    use super::super::{Redo, Trailing};
    use super::Slice;

    /// Accounts are made in the order of their ids, so that those that are made meanwhile lie before the sweep.
    #[test]
    fn a_round_ends_while_ever_new_accounts_are_made() {
        const BATCHES: u32 = 400;
        let mut trailing = Trailing::default();
        let mut made = 0_u128;
        for _ in 0..BATCHES {
            let slice: Slice = trailing.slice(2, i64::MAX / 2);
            trailing.swept(&slice);
            for _ in 0..3 {
                made += 1;
                trailing.account(AccountId::from_bytes(made.to_be_bytes()));
            }
            trailing.sweep.wrote(Redo::Written);
        }
        assert!(trailing.sweep.first_redo > 1, "redo rows are removed");
    }

    #[test]
    fn no_redo_row_is_removed_before_its_account_is_written() {
        let mut trailing = Trailing::default();
        let account = |number: u128| AccountId::from_bytes(number.to_be_bytes());
        // Of each redo row, the accounts that are not written since.
        let mut rows: Vec<Vec<AccountId>> = Vec::new();
        for batch in 0..500_u128 {
            let slice: Slice = trailing.slice(usize::try_from(batch % 4).expect("small"), 3);
            trailing.swept(&slice);
            for row in &mut rows {
                row.retain(|id| !slice.accounts().contains(id));
            }
            let changed = [account(batch * 7 % 40), account(batch * 13 % 40), account(batch)];
            for id in changed {
                trailing.account(id);
            }
            rows.push(changed.to_vec());
            trailing.sweep.wrote(Redo::Written);
            let removed = usize::try_from(trailing.sweep.first_redo - 1).expect("few");
            assert!(rows[..removed].iter().all(Vec::is_empty), "batch {batch}: {removed} rows are removed");
        }
        assert!(trailing.sweep.first_redo > 100, "most are removed in time");
    }
}
