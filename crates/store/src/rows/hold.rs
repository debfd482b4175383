//! Holds.

use coffer_ledger::{HeldLot, Hold, HoldId, HoldStatus, KeyId, LotChange, Priced};

use super::entry::{lot_changes, parse_lot_changes};
use super::{Columns, Result};

pub(crate) const HOLD: &str = "holds.id, holds.account_id, holds.seq, holds.key_id, holds.operation, \
     holds.quantity, holds.rate, holds.credits, holds.captured, holds.lots, holds.status, holds.created_at, \
     holds.expires_at";

pub(crate) fn hold(columns: &mut Columns<'_>) -> Result<Hold> {
    Ok(Hold {
        id: HoldId::from_bytes(columns.bytes()?),
        account_id: columns.account_id()?,
        seq: columns.seq()?,
        key_id: columns.optional_bytes()?.map(KeyId::from_bytes),
        priced: priced(columns)?,
        credits: columns.credits()?,
        captured: columns.credits()?,
        lots: {
            let bytes = columns.blob()?;
            let lots = parse_lot_changes(bytes).ok_or_else(|| columns.meaningless("list of lots"))?;
            let held = |lot: LotChange| HeldLot { grant_id: lot.grant_id, credits: lot.credits };
            lots.into_iter().map(held).collect()
        },
        status: columns.parsed("status of a hold", parse_hold_status)?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}

fn priced(columns: &mut Columns<'_>) -> Result<Option<Priced>> {
    match (columns.optional_text()?, columns.optional_quantity()?, columns.optional_rate()?) {
        (Some(operation), Some(quantity), Some(rate)) => Ok(Some(Priced { operation, quantity, rate })),
        (None, None, None) => Ok(None),
        (Some(_) | None, Some(_) | None, Some(_) | None) => Err(columns.meaningless("whole price")),
    }
}

pub(crate) fn held_lots(lots: &[HeldLot]) -> Vec<u8> {
    let changes = lots.iter().map(|lot| LotChange { grant_id: lot.grant_id, credits: lot.credits });
    lot_changes(&changes.collect::<Vec<_>>())
}

pub(crate) const fn hold_status(status: HoldStatus) -> &'static str {
    match status {
        HoldStatus::Open => "open",
        HoldStatus::Captured => "captured",
        HoldStatus::Released => "released",
        HoldStatus::Expired => "expired",
    }
}

fn parse_hold_status(text: &str) -> Option<HoldStatus> {
    let all = [HoldStatus::Open, HoldStatus::Captured, HoldStatus::Released, HoldStatus::Expired];
    all.into_iter().find(|status| hold_status(*status) == text)
}
