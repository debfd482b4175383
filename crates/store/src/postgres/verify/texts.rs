//! What no entry says, such as names and prices: all that can be told of it is whether it can be read. Of answers that no
//! entry carries a seal tells whether they have changed.

use coffer_ledger::Finding;

use super::Look;
use crate::postgres::PostgresError;
use crate::rows::{self, Columns};

type Read = fn(&mut Columns<'_>) -> rows::Result<()>;

pub(super) async fn texts(look: &Look<'_>, tell: &mut impl FnMut(Finding)) -> Result<(), PostgresError> {
    let (grant, lot) = (rows::GRANT, rows::LOT);
    let with_lot = "grants JOIN lots ON lots.bucket = grants.bucket AND lots.grant_id = grants.id";
    let of_each: [(&str, String, Read); 7] = [
        ("the profile of an account", select(rows::ACCOUNT_PROFILE, "account_profiles"), |columns| {
            rows::account_profile(columns).map(drop)
        }),
        ("a grant", select(&format!("{grant}, {lot}"), with_lot), |columns| rows::grant(columns).map(drop)),
        ("the profile of a key", select(rows::KEY_PROFILE, "key_profiles"), |columns| {
            rows::key_profile(columns).map(drop)
        }),
        ("an operator's key", select(rows::OPERATOR_KEY, "operator_keys"), |columns| {
            rows::operator_key(columns).map(drop)
        }),
        ("a price", select(rows::PRICE, "prices"), |columns| rows::price(columns).map(drop)),
        ("a session", select(rows::SESSION, "sessions"), |columns| rows::session(columns).map(drop)),
        ("an action", select(rows::ACTION, "actions"), |columns| rows::action(columns).map(drop)),
    ];
    for (what, sql, read) in of_each {
        let mut pages = look.all_pages(sql).await?;
        while let Some(page) = pages.next().await? {
            let unreadable = page.iter().filter_map(|row| read(&mut Columns::of(row)).err());
            unreadable.for_each(|error| tell(format!("{what} cannot be read: {error}")));
        }
    }
    remembered(look, tell).await
}

/// Answers that no entry carries: what cannot be read, or has changed, could not be told again.
async fn remembered(look: &Look<'_>, tell: &mut impl FnMut(Finding)) -> Result<(), PostgresError> {
    let columns = format!("account_id, idempotency_key, {}", rows::REMEMBERED);
    let mut pages = look.all_pages(select(&columns, "remembered")).await?;
    while let Some(page) = pages.next().await? {
        for row in &page {
            let mut columns = Columns::of(row);
            let whose = rows::account_id(&mut columns).and_then(|id| Ok((id, columns.text::<String>()?)));
            match (whose, rows::remembered(&mut columns)) {
                (Ok(_), Ok(_)) => {}
                (Ok((id, key)), Err(error)) => {
                    tell(format!("{id}: the answer that is remembered for {key:?} cannot be read: {error}"));
                }
                (Err(error), _) => tell(format!("an answer that is remembered cannot be read: {error}")),
            }
        }
    }
    let mut pages = look.all_pages(select(rows::SEALED, "remembered")).await?;
    while let Some(page) = pages.next().await? {
        for row in &page {
            // What cannot be read was told above.
            if let Ok(sealed) = rows::sealed(&mut Columns::of(row))
                && !sealed.holds
            {
                let (id, key) = (sealed.account_id, sealed.idempotency_key);
                tell(format!("{id}: the answer that is remembered for {key:?} has changed"));
            }
        }
    }
    Ok(())
}

fn select(columns: &str, from: &str) -> String {
    format!("SELECT {columns} FROM {from}")
}
