//! Grants and their lots.

use coffer_ledger::{Category, Grant, Lot, Priority};

use super::{Columns, Result};

pub(crate) const LOT: &str = "lots.grant_id, lots.creation_order, lots.category, lots.priority, lots.effective_at, lots.expires_at, \
     lots.granted, lots.remaining, lots.held, lots.expired, lots.started, lots.held_when_voided";

pub(crate) fn lot(columns: &mut Columns<'_>) -> Result<Lot> {
    Ok(Lot {
        grant_id: columns.grant_id()?,
        order: columns.small_count()?,
        category: columns.parsed("category", parse_category)?,
        priority: {
            let priority = u8::try_from(columns.integer()?).ok();
            priority.and_then(Priority::new).ok_or_else(|| columns.meaningless("priority"))?
        },
        effective_at: columns.time()?,
        expires_at: columns.optional_time()?,
        granted: columns.credits()?,
        remaining: columns.credits()?,
        held: columns.credits()?,
        expired: columns.credits()?,
        started: columns.flag()?,
        held_when_voided: columns.optional_credits()?,
    })
}

fn parse_category(text: &str) -> Option<Category> {
    [Category::Paid, Category::Promotional].into_iter().find(|known| known.as_str() == text)
}

/// What a grant has besides its lot; the lot's columns come behind it.
pub(crate) const GRANT: &str = "grants.account_id, reference, metadata, created_at";

pub(crate) fn grant(columns: &mut Columns<'_>) -> Result<Grant> {
    let account_id = columns.account_id()?;
    let reference = columns.optional_text()?;
    let metadata = columns.metadata()?;
    let created_at = columns.time()?;
    Ok(Grant { account_id, lot: lot(columns)?, reference, metadata, created_at })
}
