//! Prices.

use coffer_ledger::{Bucket, Price};

use super::number;
use crate::postgres::database::Database;
use crate::postgres::statement::{self, Call};
use crate::rows;
use crate::{Page, Span, StoreError};

/// The one that every catalogue has comes last: it is in no table.
pub(in crate::postgres) async fn prices(database: &Database, span: Span) -> Result<Page<Price>, StoreError> {
    let sql =
        format!("SELECT {} FROM prices WHERE bucket = $1 AND id < $2 ORDER BY id DESC LIMIT $3", rows::PRICE);
    let call = || {
        Call::in_bucket(Bucket::CATALOGUE, sql.as_str())
            .with(statement::id(span.before_or_end()))
            .with(number(span.count_max + 1))
    };
    let mut prices = database.records(call, rows::price).await?;
    let reserved = Price::reserved();
    if span.before_or_end() > reserved.id {
        prices.push(reserved);
    }
    Ok(Page::of(prices, span))
}
