//! Rows that lie side by side in a table, so that several threads can read it.

use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::rows::Columns;
use crate::sqlite::query::{Result, one};

/// What nobody has taken of a table.
pub(in crate::sqlite) struct Untaken {
    table: &'static str,
    after: Value,
}

/// The rows behind one id and through another.
pub(in crate::sqlite) struct Stretch {
    after: Value,
    through: Value,
    /// How many there are, walked through one by one. Whoever looks for ids between these two finds fewer where a row is not in
    /// its place.
    pub(in crate::sqlite) rows: usize,
}

impl Untaken {
    /// All of a table: no id is below an integer.
    pub(in crate::sqlite) fn all_of(table: &'static str) -> Untaken {
        Untaken { table, after: Value::Integer(i64::MIN) }
    }

    /// Whether there are more than so many rows.
    pub(in crate::sqlite) fn is_longer_than(&self, connection: &Connection, rows: usize) -> Result<bool> {
        let sql = format!("SELECT TRUE FROM {} WHERE id > ?1 LIMIT 1 OFFSET ?2", self.table);
        let flag = |columns: &mut Columns<'_>| columns.flag();
        let is_there = one(connection, &sql, params![self.after, rows], flag)?;
        Ok(is_there.unwrap_or(false))
    }

    /// Takes so many rows off the beginning; fewer, where there are no more.
    pub(in crate::sqlite) fn take(
        &mut self,
        connection: &Connection,
        count: usize,
    ) -> Result<Option<Stretch>> {
        let Untaken { table, after } = self;
        let sql = format!("SELECT id FROM {table} WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2");
        let last = one(connection, &sql, params![&*after, count - 1], |columns| {
            columns.blob().map(|id| Value::Blob(id.to_vec()))
        })?;
        let (through, rows) = match last {
            Some(last) => (last, count),
            None => {
                let sql = format!("SELECT count(*) FROM {table} WHERE id > ?1");
                let number = |columns: &mut Columns<'_>| columns.count();
                let rows = one(connection, &sql, [&*after], number)?.unwrap_or(0);
                // No id is above the longest.
                (Value::Blob(vec![0xff; 17]), usize::try_from(rows).unwrap_or(usize::MAX))
            }
        };
        let after = std::mem::replace(after, through.clone());
        Ok((rows > 0).then_some(Stretch { after, through, rows }))
    }
}

impl Stretch {
    pub(super) fn bounds(&self) -> [&Value; 2] {
        [&self.after, &self.through]
    }
}
