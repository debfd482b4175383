//! Asking SQLite: statements that are prepared once, and rows that are read column by column.

use rusqlite::{Connection, OptionalExtension as _, Params};

use rusqlite::Row;
use rusqlite::types::{Type, ValueRef};

use crate::rows::{self, Cells, Columns, RowError};

pub(super) type Result<Value> = rusqlite::Result<Value>;

impl Cells for Row<'_> {
    fn integer(&self, index: usize) -> std::result::Result<Option<i64>, String> {
        match value(self, index)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(integer) => Ok(Some(integer)),
            other @ (ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_)) => Err(another_type(other)),
        }
    }

    fn text(&self, index: usize) -> std::result::Result<Option<&str>, String> {
        match value(self, index)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => std::str::from_utf8(text).map(Some).map_err(|error| error.to_string()),
            other @ (ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_)) => {
                Err(another_type(other))
            }
        }
    }

    fn bytes(&self, index: usize) -> std::result::Result<Option<&[u8]>, String> {
        match value(self, index)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            other @ (ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_)) => {
                Err(another_type(other))
            }
        }
    }
}

fn value<'row>(row: &'row Row<'_>, index: usize) -> std::result::Result<ValueRef<'row>, String> {
    row.get_ref(index).map_err(|error| error.to_string())
}

fn another_type(value: ValueRef<'_>) -> String {
    format!("holds {}", value.data_type())
}

impl From<RowError> for rusqlite::Error {
    fn from(error: RowError) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(0, Type::Null, Box::new(error))
    }
}

/// The entries of an account (the first parameter), which are found by their numbers in it: `place.seq`.
pub(super) const JOURNAL: &str =
    "entry_places AS place CROSS JOIN entries ON entries.number = place.number WHERE place.account_id = ?1";

pub(super) fn select(columns: &str, from: &str) -> String {
    format!("SELECT {columns} FROM {from}")
}

pub(super) fn one<Record>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&mut Columns<'_>) -> rows::Result<Record>,
) -> Result<Option<Record>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params, |row| Ok(read(&mut Columns::of(row))?)).optional()
}

pub(super) fn all<Record>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut Columns<'_>) -> rows::Result<Record>,
) -> Result<Vec<Record>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(params, |row| Ok(read(&mut Columns::of(row))?))?.collect()
}

pub(super) fn each<Record>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut Columns<'_>) -> rows::Result<Record>,
    mut take: impl FnMut(Record),
) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut found = statement.query(params)?;
    while let Some(row) = found.next()? {
        take(read(&mut Columns::of(row))?);
    }
    Ok(())
}
