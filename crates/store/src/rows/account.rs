//! Accounts.

use coffer_ledger::{
    Account, AccountProfile, AccountStatus, Balance, EntryHash, GrantId, Holds, RefundLot, Totals,
};

use super::{Columns, Result};
use crate::migrate::Head;

pub(crate) const ACCOUNT: &str = "accounts.id, status, overdraft_limit, available, held, debt, lots_made, \
     refund_lot_day, refund_lot_id, seq, head, last_at, granted, adjusted, refunded, spent, expired, voided";

/// An account without its lots and holds.
pub(crate) fn account(columns: &mut Columns<'_>) -> Result<Account> {
    Ok(Account {
        id: columns.account_id()?,
        status: columns.parsed("account status", parse_account_status)?,
        overdraft_limit: columns.credits()?,
        balance: Balance { available: columns.credits()?, held: columns.credits()? },
        debt: columns.credits()?,
        lots_made: columns.small_count()?,
        refund_lot: refund_lot(columns)?,
        seq: columns.seq()?,
        head: EntryHash(columns.bytes()?),
        last_at: columns.time()?,
        totals: Totals {
            granted: columns.credits()?,
            adjusted: columns.credits()?,
            refunded: columns.credits()?,
            spent: columns.credits()?,
            expired: columns.credits()?,
            voided: columns.credits()?,
        },
        lots: Vec::new(),
        holds: Holds::default(),
    })
}

/// The columns of where an account's chain ends.
pub(crate) fn head(columns: &mut Columns<'_>) -> Result<Head> {
    Ok(Head { account_id: columns.account_id()?, seq: columns.seq()?, hash: EntryHash(columns.bytes()?) })
}

fn refund_lot(columns: &mut Columns<'_>) -> Result<Option<RefundLot>> {
    let day = columns.optional_time()?;
    let id = columns.optional_bytes()?;
    match (day, id) {
        (Some(day), Some(id)) => Ok(Some(RefundLot { day, grant_id: GrantId::from_bytes(id) })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(columns.meaningless("whole lot of refunds")),
    }
}

pub(crate) const fn account_status(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Active => "active",
        AccountStatus::Frozen => "frozen",
        AccountStatus::Closed => "closed",
    }
}

fn parse_account_status(text: &str) -> Option<AccountStatus> {
    let all = [AccountStatus::Active, AccountStatus::Frozen, AccountStatus::Closed];
    all.into_iter().find(|status| account_status(*status) == text)
}

pub(crate) const ACCOUNT_PROFILE: &str = "account_profiles.id, name, external_id, metadata, created_at";

pub(crate) fn account_profile(columns: &mut Columns<'_>) -> Result<AccountProfile> {
    Ok(AccountProfile {
        id: columns.account_id()?,
        name: columns.text()?,
        external_id: columns.optional_text()?,
        metadata: columns.metadata()?,
        created_at: columns.time()?,
    })
}
