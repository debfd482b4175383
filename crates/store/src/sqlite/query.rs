//! Asking SQLite: statements that are prepared once, and rows that are read column by column.

use rusqlite::{Connection, OptionalExtension as _, Params};

use super::rows::{Columns, Result};

pub(super) fn select(columns: &str, from: &str) -> String {
    format!("SELECT {columns} FROM {from}")
}

pub(super) fn one<Record>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&mut Columns<'_>) -> Result<Record>,
) -> Result<Option<Record>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params, |row| read(&mut Columns::of(row))).optional()
}

pub(super) fn all<Record>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut Columns<'_>) -> Result<Record>,
) -> Result<Vec<Record>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(params, |row| read(&mut Columns::of(row)))?.collect()
}

pub(super) fn each<Record>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut Columns<'_>) -> Result<Record>,
    mut take: impl FnMut(Record),
) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut found = statement.query(params)?;
    while let Some(row) = found.next()? {
        take(read(&mut Columns::of(row))?);
    }
    Ok(())
}
