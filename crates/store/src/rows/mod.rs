//! Rows and what they mean: plain functions between a database's values and the ledger's types. Both
//! databases have the same tables and columns.
//!
//! A value that means nothing is an error of the row, never a guess.

mod account;
mod action;
mod entry;
mod grant;
mod hold;
mod key;
mod operator_key;
mod price;
mod remembered;
mod seal;
mod session;

use std::collections::BTreeMap;

pub(super) use account::{ACCOUNT, ACCOUNT_PROFILE, account, account_profile, account_status, head};
pub(super) use action::{ACTION, action, actor_columns, channel};
use coffer_ledger::{
    AccountId, ChargeId, Credits, GrantId, KeyId, Metadata, Quantity, Rate, SecretHash, Seq, Timestamp,
    Window,
};
pub(super) use entry::{ENTRY, NOTE, entry, lot_changes, note};
pub(super) use grant::{GRANT, LOT, grant, lot};
pub(super) use hold::{HOLD, held_lots, hold, hold_status};
pub(super) use key::{
    KEY, KEY_PROFILE, KEY_USE, RETIRED_SECRET, key, key_profile, key_use, period, retired_secret,
};
pub(super) use operator_key::{OPERATOR_KEY, operator_key, scopes};
pub(super) use price::{PRICE, price};
pub(super) use remembered::{REMEMBERED, RememberedRow, remembered};
pub(super) use seal::{
    KeptAnswer, RememberedColumns, SEAL, SEALED, Seal, kept_answer, seal, seal_of_entry, sealed,
};
pub(super) use session::{SESSION, SessionColumns, holder, holder_kind, session};

/// Why a row means nothing.
#[derive(Debug, thiserror::Error)]
#[error("column {column} {problem}")]
pub(crate) struct RowError {
    /// Which column of the statement, counted from 1.
    column: usize,
    /// What is wrong with it.
    problem: String,
}

pub(crate) type Result<Value> = std::result::Result<Value, RowError>;

/// The values of one row as its database has them. `None` is NULL; an error is a value of another type.
pub(crate) trait Cells {
    /// An integer, or 0 and 1 for false and true.
    fn integer(&self, index: usize) -> std::result::Result<Option<i64>, String>;
    /// Text.
    fn text(&self, index: usize) -> std::result::Result<Option<&str>, String>;
    /// Bytes, or those of an id.
    fn bytes(&self, index: usize) -> std::result::Result<Option<&[u8]>, String>;
}

/// Reads a row column by column, in the order in which the statement names them.
pub(crate) struct Columns<'row> {
    row: &'row dyn Cells,
    next: usize,
}

impl<'row> Columns<'row> {
    pub(crate) fn of(row: &'row dyn Cells) -> Columns<'row> {
        Columns { row, next: 0 }
    }

    /// Begins behind the first columns of a row.
    pub(crate) fn after(row: &'row dyn Cells, columns: usize) -> Columns<'row> {
        Columns { row, next: columns }
    }

    fn take<Value>(
        &mut self,
        read: impl FnOnce(&'row dyn Cells, usize) -> std::result::Result<Option<Value>, String>,
    ) -> Result<Option<Value>> {
        self.next += 1;
        let found = read(self.row, self.next - 1);
        found.map_err(|problem| RowError { column: self.next, problem })
    }

    /// The error for a column that holds what it cannot mean.
    pub(crate) fn meaningless(&self, what: &str) -> RowError {
        RowError { column: self.next, problem: format!("holds no {what}") }
    }

    fn present<Value>(&self, value: Option<Value>) -> Result<Value> {
        value.ok_or_else(|| self.meaningless("value"))
    }

    pub(crate) fn optional_integer(&mut self) -> Result<Option<i64>> {
        self.take(Cells::integer)
    }

    pub(crate) fn integer(&mut self) -> Result<i64> {
        let integer = self.optional_integer()?;
        self.present(integer)
    }

    pub(crate) fn count(&mut self) -> Result<u64> {
        let integer = self.integer()?;
        u64::try_from(integer).map_err(|_| self.meaningless("count"))
    }

    pub(super) fn small_count(&mut self) -> Result<u32> {
        let count = self.count()?;
        u32::try_from(count).map_err(|_| self.meaningless("small count"))
    }

    pub(crate) fn flag(&mut self) -> Result<bool> {
        match self.integer()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.meaningless("truth")),
        }
    }

    /// Bytes of any number.
    pub(super) fn blob(&mut self) -> Result<&'row [u8]> {
        let bytes = self.take(Cells::bytes)?;
        self.present(bytes)
    }

    pub(crate) fn optional_bytes<const COUNT: usize>(&mut self) -> Result<Option<[u8; COUNT]>> {
        let bytes = self.take(Cells::bytes)?;
        bytes
            .map(|bytes| bytes.try_into().map_err(|_| self.meaningless("bytes of the right number")))
            .transpose()
    }

    pub(crate) fn bytes<const COUNT: usize>(&mut self) -> Result<[u8; COUNT]> {
        let bytes = self.optional_bytes()?;
        self.present(bytes)
    }

    pub(super) fn parsed<Value>(
        &mut self,
        what: &str,
        parse: impl FnOnce(&str) -> Option<Value>,
    ) -> Result<Value> {
        let text = self.take(Cells::text)?;
        parse(self.present(text)?).ok_or_else(|| self.meaningless(what))
    }

    pub(super) fn credits(&mut self) -> Result<Credits> {
        let millionths = self.integer()?;
        Credits::from_millionths(millionths).ok_or_else(|| self.meaningless("amount in range"))
    }

    pub(super) fn optional_credits(&mut self) -> Result<Option<Credits>> {
        let millionths = self.optional_integer()?;
        millionths
            .map(|millionths| {
                Credits::from_millionths(millionths).ok_or_else(|| self.meaningless("amount in range"))
            })
            .transpose()
    }

    pub(super) fn time(&mut self) -> Result<Timestamp> {
        let ms = self.integer()?;
        Timestamp::from_unix_ms(ms).ok_or_else(|| self.meaningless("time"))
    }

    pub(super) fn optional_time(&mut self) -> Result<Option<Timestamp>> {
        let ms = self.optional_integer()?;
        ms.map(|ms| Timestamp::from_unix_ms(ms).ok_or_else(|| self.meaningless("time"))).transpose()
    }

    pub(crate) fn text<Text: TryFrom<String>>(&mut self) -> Result<Text> {
        let text = self.optional_text()?;
        self.present(text)
    }

    pub(crate) fn optional_text<Text: TryFrom<String>>(&mut self) -> Result<Option<Text>> {
        let text = self.take(Cells::text)?;
        text.map(|text| {
            Text::try_from(text.to_owned()).map_err(|_| self.meaningless("text within its limits"))
        })
        .transpose()
    }

    pub(super) fn metadata(&mut self) -> Result<Metadata> {
        let Some(json) = self.take(Cells::text)? else { return Ok(Metadata::default()) };
        let pairs: Option<BTreeMap<String, String>> = serde_json::from_str(json).ok();
        pairs.and_then(|pairs| Metadata::try_from(pairs).ok()).ok_or_else(|| self.meaningless("metadata"))
    }

    pub(super) fn account_id(&mut self) -> Result<AccountId> {
        self.bytes().map(AccountId::from_bytes)
    }

    pub(super) fn key_id(&mut self) -> Result<KeyId> {
        self.bytes().map(KeyId::from_bytes)
    }

    pub(super) fn secret(&mut self) -> Result<SecretHash> {
        self.bytes().map(SecretHash::from_bytes)
    }

    pub(super) fn seq(&mut self) -> Result<Seq> {
        self.count().map(Seq)
    }

    pub(super) fn optional_quantity(&mut self) -> Result<Option<Quantity>> {
        let amount = self.optional_credits()?;
        amount.map(|amount| Quantity::new(amount).ok_or_else(|| self.meaningless("quantity"))).transpose()
    }

    pub(super) fn optional_rate(&mut self) -> Result<Option<Rate>> {
        let text = self.take(Cells::text)?;
        text.map(|text| text.parse().map_err(|_| self.meaningless("price"))).transpose()
    }

    pub(super) fn grant_id(&mut self) -> Result<GrantId> {
        self.bytes().map(GrantId::from_bytes)
    }

    pub(super) fn window(&mut self) -> Result<Window> {
        Ok(Window { starts_at: self.time()?, credits: self.credits()? })
    }
}

pub(crate) fn account_id(columns: &mut Columns<'_>) -> Result<AccountId> {
    columns.account_id()
}

pub(crate) fn time(columns: &mut Columns<'_>) -> Result<Timestamp> {
    columns.time()
}

pub(crate) fn optional_time(columns: &mut Columns<'_>) -> Result<Option<Timestamp>> {
    columns.optional_time()
}

pub(crate) fn charge_refunded(columns: &mut Columns<'_>) -> Result<(ChargeId, Credits)> {
    Ok((columns.bytes().map(ChargeId::from_bytes)?, columns.credits()?))
}

pub(crate) fn credits(columns: &mut Columns<'_>) -> Result<Credits> {
    columns.credits()
}

pub(crate) fn optional_credits(columns: &mut Columns<'_>) -> Result<Option<Credits>> {
    columns.optional_credits()
}

/// An entry's number as databases have it, whose integers have a sign.
pub(crate) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).expect("no account has that many entries")
}

pub(crate) fn seq(columns: &mut Columns<'_>) -> Result<Seq> {
    columns.seq()
}

pub(crate) fn metadata(metadata: &Metadata) -> String {
    serde_json::to_string(metadata.pairs()).expect("strings can be written as JSON")
}
