//! Rows and what they mean: plain functions between SQLite's values and the ledger's types.
//!
//! A value that means nothing is an error of the row, never a guess.

mod account;
mod entry;
mod grant;
mod hold;
mod key;
mod operator_key;
mod price;
mod remembered;
mod seal;

use std::collections::BTreeMap;

use coffer_ledger::{
    AccountId, ChargeId, Credits, GrantId, KeyId, Metadata, Quantity, Rate, SecretHash, Seq, Timestamp,
    Window,
};
use rusqlite::Row;
use rusqlite::types::Type;

pub(super) use account::{ACCOUNT, ACCOUNT_PROFILE, account, account_profile, account_status};
pub(super) use entry::{ENTRY, NOTE, entry, lot_changes, note};
pub(super) use grant::{GRANT, LOT, grant, lot};
pub(super) use hold::{HOLD, held_lots, hold, hold_status};
pub(super) use key::{KEY, KEY_PROFILE, RETIRED_SECRET, key, key_profile, period, retired_secret};
pub(super) use operator_key::{OPERATOR_KEY, operator_key, scopes};
pub(super) use price::{PRICE, price};
pub(super) use remembered::{REMEMBERED, RememberedRow, refusal, remembered};
pub(super) use seal::{RememberedColumns, SEAL, SEALED, seal, seal_of_entry, sealed};

pub(in crate::sqlite) type Result<Value> = rusqlite::Result<Value>;

/// Reads a row column by column, in the order in which the statement names them.
pub(in crate::sqlite) struct Columns<'row> {
    row: &'row Row<'row>,
    next: usize,
}

impl<'row> Columns<'row> {
    pub(in crate::sqlite) fn of(row: &'row Row<'row>) -> Columns<'row> {
        Columns { row, next: 0 }
    }

    pub(in crate::sqlite) fn raw<Value: rusqlite::types::FromSql>(&mut self) -> Result<Value> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// The error for a column that holds what it cannot mean.
    pub(super) fn meaningless(&self, what: &str) -> rusqlite::Error {
        let message = format!("a row holds no {what}");
        rusqlite::Error::FromSqlConversionFailure(self.next - 1, Type::Null, message.into())
    }

    pub(super) fn parsed<Value>(
        &mut self,
        what: &str,
        parse: impl FnOnce(&str) -> Option<Value>,
    ) -> Result<Value> {
        let text: String = self.raw()?;
        parse(&text).ok_or_else(|| self.meaningless(what))
    }

    pub(super) fn credits(&mut self) -> Result<Credits> {
        let millionths = self.raw()?;
        Credits::from_millionths(millionths).ok_or_else(|| self.meaningless("amount in range"))
    }

    pub(super) fn optional_credits(&mut self) -> Result<Option<Credits>> {
        let millionths: Option<i64> = self.raw()?;
        millionths
            .map(|millionths| {
                Credits::from_millionths(millionths).ok_or_else(|| self.meaningless("amount in range"))
            })
            .transpose()
    }

    pub(super) fn time(&mut self) -> Result<Timestamp> {
        let ms = self.raw()?;
        Timestamp::from_unix_ms(ms).ok_or_else(|| self.meaningless("time"))
    }

    pub(super) fn optional_time(&mut self) -> Result<Option<Timestamp>> {
        let ms: Option<i64> = self.raw()?;
        ms.map(|ms| Timestamp::from_unix_ms(ms).ok_or_else(|| self.meaningless("time"))).transpose()
    }

    pub(super) fn text<Text: TryFrom<String>>(&mut self) -> Result<Text> {
        let text: String = self.raw()?;
        Text::try_from(text).map_err(|_| self.meaningless("text within its limits"))
    }

    pub(in crate::sqlite) fn optional_text<Text: TryFrom<String>>(&mut self) -> Result<Option<Text>> {
        let text: Option<String> = self.raw()?;
        text.map(|text| Text::try_from(text).map_err(|_| self.meaningless("text within its limits")))
            .transpose()
    }

    pub(super) fn metadata(&mut self) -> Result<Metadata> {
        let json: Option<String> = self.raw()?;
        let Some(json) = json else { return Ok(Metadata::default()) };
        let pairs: Option<BTreeMap<String, String>> = serde_json::from_str(&json).ok();
        pairs.and_then(|pairs| Metadata::try_from(pairs).ok()).ok_or_else(|| self.meaningless("metadata"))
    }

    pub(super) fn account_id(&mut self) -> Result<AccountId> {
        self.raw().map(AccountId::from_bytes)
    }

    pub(super) fn key_id(&mut self) -> Result<KeyId> {
        self.raw().map(KeyId::from_bytes)
    }

    pub(super) fn secret(&mut self) -> Result<SecretHash> {
        self.raw().map(SecretHash::from_bytes)
    }

    pub(super) fn count(&mut self) -> Result<u32> {
        self.raw()
    }

    pub(super) fn seq(&mut self) -> Result<Seq> {
        self.raw().map(Seq)
    }

    pub(super) fn optional_quantity(&mut self) -> Result<Option<Quantity>> {
        let amount = self.optional_credits()?;
        amount.map(|amount| Quantity::new(amount).ok_or_else(|| self.meaningless("quantity"))).transpose()
    }

    pub(super) fn optional_rate(&mut self) -> Result<Option<Rate>> {
        let text: Option<String> = self.raw()?;
        text.map(|text| text.parse().map_err(|_| self.meaningless("price"))).transpose()
    }

    pub(super) fn grant_id(&mut self) -> Result<GrantId> {
        self.raw().map(GrantId::from_bytes)
    }

    pub(super) fn window(&mut self) -> Result<Window> {
        Ok(Window { starts_at: self.time()?, credits: self.credits()? })
    }
}

pub(in crate::sqlite) fn account_id(columns: &mut Columns<'_>) -> Result<AccountId> {
    columns.account_id()
}

pub(in crate::sqlite) fn time(columns: &mut Columns<'_>) -> Result<Timestamp> {
    columns.time()
}

pub(in crate::sqlite) fn optional_time(columns: &mut Columns<'_>) -> Result<Option<Timestamp>> {
    columns.optional_time()
}

pub(in crate::sqlite) fn charge_refunded(columns: &mut Columns<'_>) -> Result<(ChargeId, Credits)> {
    Ok((columns.raw().map(ChargeId::from_bytes)?, columns.credits()?))
}

pub(in crate::sqlite) fn credits(columns: &mut Columns<'_>) -> Result<Credits> {
    columns.credits()
}

pub(in crate::sqlite) fn seq(columns: &mut Columns<'_>) -> Result<Seq> {
    columns.seq()
}

pub(in crate::sqlite) fn metadata(metadata: &Metadata) -> String {
    serde_json::to_string(metadata.pairs()).expect("strings can be written as JSON")
}
