//! Statements for many rows at once, each with its bucket.
//!
//! Rows are given as one array for each column (`unnest`), so that a statement is the same for one row and for a thousand
//! and is prepared once. It comes in two forms. On one database a batch may have accounts of any bucket, and the bucket is
//! a column of what is given. On a sharded one all that a batch touches is in one bucket, and the bucket is the statement's
//! first parameter by itself, by which the shard is known before anything is looked at.
//!
//! What reads or writes the rows of a batch goes through here, and so cannot leave the bucket out.

use std::collections::BTreeMap;
use std::error::Error;

use bytes::BytesMut;
use coffer_ledger::{Bucket, UuidBytes};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

/// How statements name buckets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Each row has its own.
    AnyBucket,
    /// All rows have the same.
    OneBucket,
}

/// A value, or an array of values, for a statement.
pub(super) type Argument = Box<dyn ToSql + Sync + Send>;

/// A statement and its arguments.
pub(super) struct Call {
    pub(super) sql: String,
    pub(super) arguments: Vec<Argument>,
}

impl Call {
    /// A statement over all buckets: for lists of everything, and never for what a batch does.
    pub(super) fn over_all_buckets(sql: impl Into<String>, arguments: Vec<Argument>) -> Call {
        Call { sql: sql.into(), arguments }
    }

    /// A statement on rows of one bucket, which is its first parameter: for lists that an index has in order, which rows
    /// that are given one by one do not keep.
    pub(super) fn in_bucket(bucket: Bucket, sql: impl Into<String>) -> Call {
        Call { sql: sql.into(), arguments: vec![Box::new(self::bucket(bucket))] }
    }

    /// The statement with its next argument.
    pub(super) fn with(mut self, argument: impl ToSql + Sync + Send + 'static) -> Call {
        self.arguments.push(Box::new(argument));
        self
    }
}

/// The records of each statement: all in one, or one for each bucket.
pub(super) fn by_statement<Record>(
    form: Form,
    records: Vec<Record>,
    bucket: impl Fn(&Record) -> Bucket,
) -> Vec<Vec<Record>> {
    if records.is_empty() {
        return Vec::new();
    }
    match form {
        Form::AnyBucket => vec![records],
        Form::OneBucket => {
            let mut parts: BTreeMap<Bucket, Vec<Record>> = BTreeMap::new();
            for record in records {
                parts.entry(bucket(&record)).or_default().push(record);
            }
            parts.into_values().collect()
        }
    }
}

/// Rows that are given to a statement, column by column.
pub(super) struct Given {
    form: Form,
    buckets: Vec<i16>,
    columns: Vec<(&'static str, &'static str, Argument)>,
}

impl Given {
    /// No columns yet, for rows in these buckets.
    pub(super) fn of<Record>(form: Form, records: &[Record], bucket: impl Fn(&Record) -> Bucket) -> Given {
        let buckets = records.iter().map(|record| i16::from(bucket(record).0)).collect();
        Given { form, buckets, columns: Vec::new() }
    }

    /// With another column: its name and its type, and its value in each row.
    pub(super) fn with<Record, Value>(
        mut self,
        name: &'static str,
        kind: &'static str,
        records: &[Record],
        value: impl Fn(&Record) -> Value,
    ) -> Given
    where
        Value: ToSql + Sync + Send + 'static,
    {
        let values: Vec<Value> = records.iter().map(value).collect();
        self.columns.push((name, kind, Box::new(values)));
        self
    }

    /// With another column, if any row has a value in it.
    pub(super) fn with_any<Record, Value>(
        self,
        name: &'static str,
        kind: &'static str,
        records: &[Record],
        value: impl Fn(&Record) -> Option<Value>,
    ) -> Given
    where
        Value: ToSql + Sync + Send + 'static,
    {
        if records.iter().any(|record| value(record).is_some()) {
            return self.with(name, kind, records, value);
        }
        self
    }

    /// Reads the rows of a table that have the given values.
    pub(super) fn select(self, columns: &str, from: &str, tail: &str) -> Call {
        let table = from.split(' ').next().expect("a table has a name");
        let conditions = self.conditions(table, self.columns.len());
        let (rows, bucket) = (self.rows(), self.bucket());
        // The planner is left no choice but to take each given row and look it up.
        let sql = format!(
            "SELECT {columns} FROM {rows} JOIN {from} ON {table}.bucket = {bucket}{conditions}{tail}"
        );
        self.call(sql)
    }

    /// Adds rows to a table.
    pub(super) fn insert(self, table: &str) -> Call {
        let sql = self.insertion(table);
        self.call(sql)
    }

    /// Adds rows to a table, or changes those that are there: they are told by the first columns.
    pub(super) fn upsert(self, table: &str, key_columns: usize) -> Call {
        let names: Vec<&str> = self.columns.iter().map(|(name, ..)| *name).collect();
        let (keys, rest) = names.split_at(key_columns);
        let set: Vec<String> = rest.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let sql = format!(
            "{} ON CONFLICT (bucket, {}) DO UPDATE SET {}",
            self.insertion(table),
            keys.join(", "),
            set.join(", ")
        );
        self.call(sql)
    }

    /// As [`Given::upsert`], and changes only those rows for which a condition holds.
    pub(super) fn upsert_if(self, table: &str, key_columns: usize, condition: &str) -> Call {
        let Call { sql, arguments } = self.upsert(table, key_columns);
        Call { sql: format!("{sql} WHERE {condition}"), arguments }
    }

    /// Adds rows to a table, except those that are there: they are told by the first columns.
    pub(super) fn insert_missing(self, table: &str, key_columns: usize) -> Call {
        let keys: Vec<&str> = self.columns.iter().take(key_columns).map(|(name, ..)| *name).collect();
        let sql = format!("{} ON CONFLICT (bucket, {}) DO NOTHING", self.insertion(table), keys.join(", "));
        self.call(sql)
    }

    /// Changes rows of a table: they are told by the first columns, and the others are what they get.
    pub(super) fn update(self, table: &str, key_columns: usize) -> Call {
        let set: Vec<String> = (key_columns..self.columns.len())
            .map(|index| format!("{} = given.c{}", self.columns[index].0, index + 1))
            .collect();
        let sql = format!(
            "UPDATE {table} SET {} FROM {} WHERE {table}.bucket = {}{}",
            set.join(", "),
            self.rows(),
            self.bucket(),
            self.conditions(table, key_columns)
        );
        self.call(sql)
    }

    /// Takes rows out of a table that have the given values.
    pub(super) fn delete(self, table: &str) -> Call {
        let conditions = self.conditions(table, self.columns.len());
        let sql = format!(
            "DELETE FROM {table} USING {} WHERE {table}.bucket = {}{conditions}",
            self.rows(),
            self.bucket()
        );
        self.call(sql)
    }

    fn insertion(&self, table: &str) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, ..)| *name).collect();
        let values: Vec<String> = (1..=names.len()).map(|number| format!("given.c{number}")).collect();
        format!(
            "INSERT INTO {table} (bucket, {}) SELECT {}, {} FROM {}",
            names.join(", "),
            self.bucket(),
            values.join(", "),
            self.rows()
        )
    }

    fn conditions(&self, table: &str, columns: usize) -> String {
        let condition =
            |index: usize| format!(" AND {table}.{} = given.c{}", self.columns[index].0, index + 1);
        (0..columns).map(condition).collect()
    }

    fn rows(&self) -> String {
        let array =
            |(index, (_, kind, _)): (usize, &(&str, &str, Argument))| format!("${}::{kind}[]", index + 2);
        let mut arrays: Vec<String> = self.columns.iter().enumerate().map(array).collect();
        let mut names: Vec<String> = (1..=self.columns.len()).map(|number| format!("c{number}")).collect();
        if self.form == Form::AnyBucket {
            arrays.insert(0, "$1::smallint[]".to_owned());
            names.insert(0, "bucket".to_owned());
        }
        format!("unnest({}) AS given({})", arrays.join(", "), names.join(", "))
    }

    fn bucket(&self) -> &'static str {
        match self.form {
            Form::AnyBucket => "given.bucket",
            Form::OneBucket => "$1::smallint",
        }
    }

    fn call(self, sql: String) -> Call {
        let buckets: Argument = match self.form {
            Form::AnyBucket => Box::new(self.buckets),
            Form::OneBucket => {
                let bucket = *self.buckets.first().expect("a statement is made for one row or more");
                assert!(
                    self.buckets.iter().all(|other| *other == bucket),
                    "what a batch touches on a sharded database is in one bucket"
                );
                Box::new(bucket)
            }
        };
        let values = self.columns.into_iter().map(|(_, _, values)| values);
        Call { sql, arguments: std::iter::once(buckets).chain(values).collect() }
    }
}

/// Bytes of a fixed number as the database takes them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<const COUNT: usize>(pub(super) [u8; COUNT]);

impl<const COUNT: usize> ToSql for Bytes<COUNT> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        (&self.0[..]).to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <&[u8] as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}

/// The bytes of an id as the database takes them.
pub(super) const fn id(bytes: UuidBytes) -> Uuid {
    Uuid::from_bytes(bytes)
}

/// A bucket as the database has it.
pub(super) fn bucket(bucket: Bucket) -> i16 {
    i16::from(bucket.0)
}
