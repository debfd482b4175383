//! Rows of PostgreSQL, read column by column.

use std::error::Error;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::rows::Cells;

impl Cells for Row {
    fn integer(&self, index: usize) -> Result<Option<i64>, String> {
        let kind = self.columns().get(index).map(tokio_postgres::Column::type_);
        if kind == Some(&Type::BOOL) {
            return Ok(value::<bool>(self, index)?.map(i64::from));
        }
        value(self, index)
    }

    fn text(&self, index: usize) -> Result<Option<&str>, String> {
        value(self, index)
    }

    fn bytes(&self, index: usize) -> Result<Option<&[u8]>, String> {
        Ok(value::<Raw<'_>>(self, index)?.map(|raw| raw.0))
    }
}

fn value<'row, Value: FromSql<'row>>(row: &'row Row, index: usize) -> Result<Option<Value>, String> {
    row.try_get(index).map_err(|error| format!("cannot be read: {error}"))
}

/// Bytes, or those of an id: both travel as they are.
struct Raw<'row>(&'row [u8]);

impl<'row> FromSql<'row> for Raw<'row> {
    fn from_sql(_: &Type, raw: &'row [u8]) -> Result<Raw<'row>, Box<dyn Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::BYTEA || *kind == Type::UUID
    }
}
