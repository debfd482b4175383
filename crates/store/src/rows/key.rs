//! Customers' keys.

use coffer_ledger::{Key, KeyId, KeyLimit, KeyProfile, Period, RetiredSecret, Spent, Timestamp, Window};

use super::{Columns, Result};

pub(crate) const KEY: &str = "keys.id, account_id, secret, disabled, revoked_at, expires_at, limit_credits, \
     limit_period, day_starts_at, day_spent, week_starts_at, week_spent, month_starts_at, month_spent, total_spent";

/// A key without its retired secrets.
pub(crate) fn key(columns: &mut Columns<'_>) -> Result<Key> {
    Ok(Key {
        id: columns.key_id()?,
        account_id: columns.account_id()?,
        secret: columns.secret()?,
        retired: Vec::new(),
        disabled: columns.flag()?,
        revoked_at: columns.optional_time()?,
        expires_at: columns.optional_time()?,
        limit: key_limit(columns)?,
        spent: Spent {
            day: columns.window()?,
            week: columns.window()?,
            month: columns.window()?,
            total: Window { starts_at: Timestamp::MIN, credits: columns.credits()? },
        },
    })
}

fn key_limit(columns: &mut Columns<'_>) -> Result<Option<KeyLimit>> {
    let credits = columns.optional_credits()?;
    let name: Option<String> = columns.optional_text()?;
    match (credits, name.as_deref().map(parse_period)) {
        (Some(credits), Some(Some(period))) => Ok(Some(KeyLimit { credits, period })),
        (None, None) => Ok(None),
        (Some(_), Some(None) | None) | (None, Some(_)) => Err(columns.meaningless("whole cap")),
    }
}

pub(crate) const fn period(period: Period) -> &'static str {
    match period {
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
        Period::Total => "total",
    }
}

fn parse_period(text: &str) -> Option<Period> {
    let all = [Period::Day, Period::Week, Period::Month, Period::Total];
    all.into_iter().find(|known| period(*known) == text)
}

pub(crate) const RETIRED_SECRET: &str =
    "retired_secrets.key_id, retired_secrets.secret, retired_secrets.until";

pub(crate) fn retired_secret(columns: &mut Columns<'_>) -> Result<(KeyId, RetiredSecret)> {
    Ok((columns.key_id()?, RetiredSecret { secret: columns.secret()?, until: columns.time()? }))
}

pub(crate) const KEY_USE: &str = "key_uses.key_id, key_uses.last_used_at";

pub(crate) fn key_use(columns: &mut Columns<'_>) -> Result<(KeyId, Timestamp)> {
    Ok((columns.key_id()?, columns.time()?))
}

pub(crate) const KEY_PROFILE: &str = "key_profiles.id, name, hint, metadata, created_at";

pub(crate) fn key_profile(columns: &mut Columns<'_>) -> Result<KeyProfile> {
    Ok(KeyProfile {
        id: columns.key_id()?,
        name: columns.text()?,
        hint: columns.text()?,
        metadata: columns.metadata()?,
        created_at: columns.time()?,
    })
}
