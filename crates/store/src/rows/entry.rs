//! Entries: the journal.

use coffer_ledger::{
    AdjustmentId, Balance, ChargeId, Credits, Digest256, Entry, EntryHash, EntryKind, Fingerprint, GrantId,
    HoldId, Idempotency, KeyId, LotChange, Note, Origin, Purpose, RefundId, Salt, TextDigests,
};

use super::{Columns, Result};

/// The columns of an entry; the text comes last, as [`NOTE`] has it.
pub(crate) const ENTRY: &str = "entries.account_id, entries.seq, entries.kind, entries.credits, entries.held_credits, \
     entries.available_after, entries.held_after, entries.available_told, entries.held_told, entries.lots, \
     entries.grant_id, entries.charge_id, entries.hold_id, entries.key_id, entries.refund_id, \
     entries.adjustment_id, entries.operation, entries.quantity, entries.at, entries.idempotency_key, \
     entries.fingerprint, entries.hash, entries.reference, entries.metadata, entries.reason, entries.salt, \
     entries.reference_digest, entries.metadata_digest, entries.reason_digest";

pub(crate) fn entry(columns: &mut Columns<'_>) -> Result<Entry> {
    let (account_id, seq) = (columns.account_id()?, columns.seq()?);
    let kind = columns.parsed("kind of entry", EntryKind::of_name)?;
    let (credits, held_credits) = (columns.credits()?, columns.credits()?);
    let balance_after = Balance { available: columns.credits()?, held: columns.credits()? };
    let told = (columns.optional_credits()?, columns.optional_credits()?);
    let balance_told = match told {
        (Some(available), Some(held)) => Balance { available, held },
        (None, None) => balance_after,
        (Some(_), None) | (None, Some(_)) => return Err(columns.meaningless("whole balance")),
    };
    let lots = columns.blob()?;
    Ok(Entry {
        account_id,
        seq,
        kind,
        credits,
        held_credits,
        balance_after,
        balance_told,
        lots: parse_lot_changes(lots).ok_or_else(|| columns.meaningless("list of lots"))?,
        origin: Origin {
            grant_id: columns.optional_bytes()?.map(GrantId::from_bytes),
            charge_id: columns.optional_bytes()?.map(ChargeId::from_bytes),
            hold_id: columns.optional_bytes()?.map(HoldId::from_bytes),
            key_id: columns.optional_bytes()?.map(KeyId::from_bytes),
            refund_id: columns.optional_bytes()?.map(RefundId::from_bytes),
            adjustment_id: columns.optional_bytes()?.map(AdjustmentId::from_bytes),
        },
        purpose: Purpose { operation: columns.optional_text()?, quantity: columns.optional_quantity()? },
        at: columns.time()?,
        idempotency: idempotency(columns)?,
        hash: EntryHash(columns.bytes()?),
        note: note(columns)?,
    })
}

/// The text of an entry.
pub(crate) const NOTE: &str =
    "reference, metadata, reason, salt, reference_digest, metadata_digest, reason_digest";

pub(crate) fn note(columns: &mut Columns<'_>) -> Result<Note> {
    let reference = columns.optional_text()?;
    let metadata = columns.metadata()?;
    let reason = columns.optional_text()?;
    let salt = columns.optional_bytes()?.map(Salt);
    let erased = TextDigests {
        reference: columns.optional_bytes()?.map(Digest256),
        metadata: columns.optional_bytes()?.map(Digest256),
        reason: columns.optional_bytes()?.map(Digest256),
    };
    let erased = (erased != TextDigests::default()).then(|| Box::new(erased));
    Ok(Note { reference, metadata, reason, salt, erased })
}

fn idempotency(columns: &mut Columns<'_>) -> Result<Option<Idempotency>> {
    let key = columns.optional_text()?;
    let fingerprint = columns.optional_bytes()?;
    match (key, fingerprint) {
        (Some(key), Some(fingerprint)) => {
            Ok(Some(Idempotency { key, fingerprint: Fingerprint(fingerprint) }))
        }
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(columns.meaningless("whole idempotency record")),
    }
}

/// What stands for the overdraft where a grant's id is expected.
pub(super) const OVERDRAFT: [u8; 16] = [0; 16];
const LOT_CHANGE_BYTES: usize = 24;

pub(crate) fn lot_changes(lots: &[LotChange]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(lots.len() * LOT_CHANGE_BYTES);
    for lot in lots {
        bytes.extend(lot.grant_id.map_or(OVERDRAFT, GrantId::bytes));
        bytes.extend(lot.credits.millionths().to_be_bytes());
    }
    bytes
}

pub(super) fn parse_lot_changes(bytes: &[u8]) -> Option<Vec<LotChange>> {
    let (changes, rest) = bytes.as_chunks::<LOT_CHANGE_BYTES>();
    if !rest.is_empty() {
        return None;
    }
    let change = |bytes: &[u8; LOT_CHANGE_BYTES]| {
        let (id, credits) = bytes.split_first_chunk::<16>()?;
        let credits = i64::from_be_bytes(credits.try_into().ok()?);
        let grant_id = (*id != OVERDRAFT).then_some(GrantId::from_bytes(*id));
        Some(LotChange { grant_id, credits: Credits::from_millionths(credits)? })
    };
    changes.iter().map(change).collect()
}
