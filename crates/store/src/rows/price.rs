//! Prices.

use coffer_ledger::Price;

use super::{Columns, Result};

pub(crate) const PRICE: &str = "id, operation, rate, unit, description, updated_at";

pub(crate) fn price(columns: &mut Columns<'_>) -> Result<Price> {
    Ok(Price {
        id: columns.bytes()?,
        operation: columns.text()?,
        rate: columns.optional_rate()?.ok_or_else(|| columns.meaningless("price"))?,
        unit: columns.optional_text()?,
        description: columns.optional_text()?,
        updated_at: Some(columns.time()?),
    })
}
