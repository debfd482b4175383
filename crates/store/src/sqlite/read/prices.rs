//! Prices.

use coffer_ledger::Price;
use rusqlite::{Connection, params};

use crate::rows;
use crate::sqlite::query::Result;
use crate::sqlite::query::{all, each, select};
use crate::{Page, Span};

/// The one that every catalogue has comes last: it is in no table.
pub(in crate::sqlite) fn prices(connection: &Connection, span: Span) -> Result<Page<Price>> {
    let sql = select(rows::PRICE, "prices WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
    let mut prices = all(connection, &sql, params![span.before_or_end(), span.count_max + 1], rows::price)?;
    let reserved = Price::reserved();
    if span.before_or_end() > reserved.id {
        prices.push(reserved);
    }
    Ok(Page::of(prices, span))
}

pub(in crate::sqlite) fn each_price(connection: &Connection, take: impl FnMut(Price)) -> Result<()> {
    each(connection, &select(rows::PRICE, "prices"), [], rows::price, take)
}
