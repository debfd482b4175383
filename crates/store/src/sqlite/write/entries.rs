//! The journal, and what it says of charges and holds.

use coffer_ledger::{
    AccountId, AdjustmentId, Balance, ChargeId, Credits, Entry, Erasure, Hold, KeyId, Note, Operation,
    Quantity, RefundId, Seq,
};
use rusqlite::{Connection, params};

use super::{execute, execute_each};
use crate::rows::{self, Columns};
use crate::sqlite::names::EntryNumber;
use crate::sqlite::query::{JOURNAL, all, select};

pub(super) fn entries<'entries>(
    connection: &Connection,
    entries: impl IntoIterator<Item = (&'entries Entry, EntryNumber)>,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO entries (number, account_id, seq, kind, credits, held_credits, available_after, held_after, \
               available_told, held_told, lots, grant_id, charge_id, hold_id, key_id, refund_id, adjustment_id, \
               operation, quantity, at, idempotency_key, fingerprint, hash, seal, reference, metadata, reason, \
               salt, reference_digest, metadata_digest, reason_digest) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
               ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)";
    execute_each(connection, sql, entries, |statement, (entry, number)| {
        let note = &entry.note;
        let metadata = (!note.metadata.is_empty()).then(|| rows::metadata(&note.metadata));
        let idempotency = entry.idempotency.as_ref();
        // A capture inherits the text of its hold, which may have been erased since: then it has the digests alone.
        let erased = note.erased.as_deref().copied().unwrap_or_default();
        let told = Some(entry.balance_told).filter(|told| *told != entry.balance_after);
        statement.execute(params![
            number.0,
            entry.account_id.bytes(),
            entry.seq.0,
            entry.kind.as_str(),
            entry.credits.millionths(),
            entry.held_credits.millionths(),
            entry.balance_after.available.millionths(),
            entry.balance_after.held.millionths(),
            told.map(|Balance { available, .. }| available.millionths()),
            told.map(|Balance { held, .. }| held.millionths()),
            rows::lot_changes(&entry.lots),
            entry.origin.grant_id.map(coffer_ledger::GrantId::bytes),
            entry.origin.charge_id.map(ChargeId::bytes),
            entry.origin.hold_id.map(coffer_ledger::HoldId::bytes),
            entry.origin.key_id.map(KeyId::bytes),
            entry.origin.refund_id.map(RefundId::bytes),
            entry.origin.adjustment_id.map(AdjustmentId::bytes),
            entry.purpose.operation.as_ref().map(Operation::as_str),
            entry.purpose.quantity.map(quantity),
            entry.at.unix_ms(),
            idempotency.map(|idempotency| idempotency.key.as_str()),
            idempotency.map(|idempotency| idempotency.fingerprint.0),
            entry.hash.0,
            rows::seal_of_entry(entry),
            note.reference.as_ref().map(coffer_ledger::Reference::as_str),
            metadata,
            note.reason.as_ref().map(coffer_ledger::Reason::as_str),
            note.salt.map(|salt| salt.0),
            erased.reference.map(|digest| digest.0),
            erased.metadata.map(|digest| digest.0),
            erased.reason.map(|digest| digest.0),
        ])
    })
}

/// Where entries are in the journal.
pub(in crate::sqlite) fn places(
    connection: &Connection,
    places: impl IntoIterator<Item = (AccountId, Seq, EntryNumber)>,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO entry_places (account_id, seq, number) VALUES (?1, ?2, ?3)";
    execute_each(connection, sql, places, |statement, (account_id, seq, number)| {
        statement.execute(params![account_id.bytes(), seq.0, number.0])
    })
}

pub(super) fn refunded(connection: &Connection, id: ChargeId, refunded: Credits) -> rusqlite::Result<()> {
    let sql = "INSERT INTO charge_refunds (charge_id, refunded) VALUES (?1, ?2) \
               ON CONFLICT (charge_id) DO UPDATE SET refunded = ?2";
    execute(connection, sql, params![id.bytes(), refunded.millionths()])
}

pub(in crate::sqlite) fn holds<'holds>(
    connection: &Connection,
    holds: impl IntoIterator<Item = &'holds Hold>,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO holds (id, account_id, seq, key_id, operation, quantity, rate, credits, captured, lots, \
               status, created_at, expires_at) \
               VALUES (:id, :account_id, :seq, :key_id, :operation, :quantity, :rate, :credits, :captured, :lots, \
               :status, :created_at, :expires_at) \
               ON CONFLICT (id) DO UPDATE SET captured = :captured, lots = :lots, status = :status";
    execute_each(connection, sql, holds, |statement, hold| {
        let priced = hold.priced.as_ref();
        statement.execute(params![
            hold.id.bytes(),
            hold.account_id.bytes(),
            hold.seq.0,
            hold.key_id.map(KeyId::bytes),
            priced.map(|priced| priced.operation.as_str()),
            priced.map(|priced| quantity(priced.quantity)),
            priced.map(|priced| priced.rate.to_string()),
            hold.credits.millionths(),
            hold.captured.millionths(),
            rows::held_lots(&hold.lots),
            rows::hold_status(hold.status),
            hold.created_at.unix_ms(),
            hold.expires_at.unix_ms(),
        ])
    })
}

/// Replaces text and salt by the digests that were made with them, so that the chain stays whole.
pub(super) fn erase(connection: &Connection, erasure: &Erasure) -> rusqlite::Result<()> {
    let columns = format!("entries.number, {}", rows::NOTE);
    let from = format!("{JOURNAL} AND place.seq BETWEEN ?2 AND ?3 AND salt IS NOT NULL");
    let params = params![erasure.account_id.bytes(), erasure.from.0, erasure.through.0];
    let row = |columns: &mut Columns<'_>| Ok((columns.integer()?, rows::note(columns)?));
    for (number, note) in all(connection, &select(&columns, &from), params, row)? {
        let digests = Note::erase(&note).digests();
        let sql = "UPDATE entries SET reference = NULL, metadata = NULL, reason = NULL, salt = NULL, \
                   reference_digest = ?2, metadata_digest = ?3, reason_digest = ?4 WHERE number = ?1";
        let [reference, metadata, reason] =
            [digests.reference, digests.metadata, digests.reason].map(|digest| digest.map(|digest| digest.0));
        execute(connection, sql, params![number, reference, metadata, reason])?;
    }
    let sql =
        "UPDATE grants SET reference = NULL, metadata = '{}' WHERE account_id = ?1 AND created_at <= ?2";
    execute(connection, sql, params![erasure.account_id.bytes(), erasure.until.unix_ms()])
}

fn quantity(quantity: Quantity) -> i64 {
    quantity.amount().millionths()
}
