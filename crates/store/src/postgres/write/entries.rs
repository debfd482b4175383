//! The journal, and what it says of charges and holds.

use coffer_ledger::{
    AdjustmentId, Changes, ChargeId, Credits, Entry, Erasure, GrantId, Hold, HoldId, Idempotency,
    IdempotencyKey, KeyId, Metadata, Note, Operation, Quantity, Reason, Reference, RefundId, Seq,
};
use tokio_postgres::Row;

use crate::postgres::statement::{Argument, Bytes, Call, Form, Given, bucket, by_statement, id};
use crate::rows::{self, Columns};

/// Most entries are alike and have few of the columns. A group of columns in which no entry of the batch has a value is left
/// out: taking rows apart and putting them together is much of what a batch costs.
pub(super) fn insertions(form: Form, entries: &[Entry]) -> Vec<Call> {
    let entries: Vec<&Entry> = entries.iter().collect();
    let parts = by_statement(form, entries, |entry| entry.account_id.bucket()).into_iter();
    let seal = |entry: &&Entry| Bytes(rows::seal_of_entry(entry));
    parts.map(|part| unsealed(form, &part).with("seal", "bytea", &part, seal).insert("entries")).collect()
}

/// Everything of entries but their seals.
pub(super) fn unsealed(form: Form, entries: &[&Entry]) -> Given {
    texts(requests(origins(told(movements(form, entries), entries), entries), entries), entries)
}

/// What an entry has moved.
fn movements(form: Form, entries: &[&Entry]) -> Given {
    Given::of(form, entries, |entry| entry.account_id.bucket())
        .with("account_id", "uuid", entries, |entry| id(entry.account_id.bytes()))
        .with("seq", "bigint", entries, |entry| rows::number(entry.seq))
        .with("kind", "text", entries, |entry| entry.kind.as_str())
        .with("credits", "bigint", entries, |entry| entry.credits.millionths())
        .with("held_credits", "bigint", entries, |entry| entry.held_credits.millionths())
        .with("available_after", "bigint", entries, |entry| entry.balance_after.available.millionths())
        .with("held_after", "bigint", entries, |entry| entry.balance_after.held.millionths())
        .with("lots", "bytea", entries, |entry| rows::lot_changes(&entry.lots))
        .with("at", "bigint", entries, |entry| entry.at.unix_ms())
        .with("hash", "bytea", entries, |entry| Bytes(entry.hash.0))
}

/// What it was told that it would be, where a later entry of the same command has moved it on.
fn told(mut given: Given, entries: &[&Entry]) -> Given {
    let told = |entry: &&Entry| Some(entry.balance_told).filter(|told| *told != entry.balance_after);
    if entries.iter().any(|entry| told(entry).is_some()) {
        given = given
            .with("available_told", "bigint", entries, |entry| {
                told(entry).map(|told| told.available.millionths())
            })
            .with("held_told", "bigint", entries, |entry| told(entry).map(|told| told.held.millionths()));
    }
    given
}

/// What it belongs to.
fn origins(given: Given, entries: &[&Entry]) -> Given {
    given
        .with_any("grant_id", "uuid", entries, |entry| entry.origin.grant_id.map(GrantId::bytes).map(id))
        .with_any("charge_id", "uuid", entries, |entry| entry.origin.charge_id.map(ChargeId::bytes).map(id))
        .with_any("hold_id", "uuid", entries, |entry| entry.origin.hold_id.map(HoldId::bytes).map(id))
        .with_any("key_id", "uuid", entries, |entry| entry.origin.key_id.map(KeyId::bytes).map(id))
        .with_any("refund_id", "uuid", entries, |entry| entry.origin.refund_id.map(RefundId::bytes).map(id))
        .with_any("adjustment_id", "uuid", entries, |entry| {
            entry.origin.adjustment_id.map(AdjustmentId::bytes).map(id)
        })
}

/// What it was made for.
fn requests(mut given: Given, entries: &[&Entry]) -> Given {
    if entries.iter().any(|entry| entry.purpose.operation.is_some()) {
        given = given
            .with("operation", "text", entries, |entry| {
                owned(entry.purpose.operation.as_ref().map(Operation::as_str))
            })
            .with("quantity", "bigint", entries, |entry| entry.purpose.quantity.map(quantity));
    }
    let key = |idempotency: &Idempotency| IdempotencyKey::as_str(&idempotency.key).to_owned();
    given.with("idempotency_key", "text", entries, |entry| entry.idempotency.as_ref().map(key)).with(
        "fingerprint",
        "bytea",
        entries,
        |entry| entry.idempotency.as_ref().map(|idempotency| Bytes(idempotency.fingerprint.0)),
    )
}

/// Its text. A capture inherits that of its hold, which may have been erased since: then it has the digests alone.
fn texts(mut given: Given, entries: &[&Entry]) -> Given {
    if entries.iter().any(|entry| entry.note.salt.is_some()) {
        let metadata = |metadata: &Metadata| (!metadata.is_empty()).then(|| rows::metadata(metadata));
        given = given
            .with("reference", "text", entries, |entry| {
                owned(entry.note.reference.as_ref().map(Reference::as_str))
            })
            .with("metadata", "text", entries, |entry| metadata(&entry.note.metadata))
            .with("reason", "text", entries, |entry| owned(entry.note.reason.as_ref().map(Reason::as_str)))
            .with("salt", "bytea", entries, |entry| entry.note.salt.map(|salt| Bytes(salt.0)));
    }
    if entries.iter().any(|entry| entry.note.erased.is_some()) {
        let erased = |entry: &&Entry| entry.note.erased.as_deref().copied().unwrap_or_default();
        given = given
            .with("reference_digest", "bytea", entries, |entry| {
                erased(entry).reference.map(|digest| Bytes(digest.0))
            })
            .with("metadata_digest", "bytea", entries, |entry| {
                erased(entry).metadata.map(|digest| Bytes(digest.0))
            })
            .with("reason_digest", "bytea", entries, |entry| {
                erased(entry).reason.map(|digest| Bytes(digest.0))
            });
    }
    given
}

pub(super) fn refunded(form: Form, changes: &Changes) -> Vec<Call> {
    let refunded: Vec<(ChargeId, Credits)> =
        changes.refunded.iter().map(|(charge, credits)| (*charge, *credits)).collect();
    let parts = by_statement(form, refunded, |(charge, _)| charge.bucket()).into_iter();
    parts.map(|part| given_back(form, &part).upsert("charge_refunds", 1)).collect()
}

pub(super) fn given_back(form: Form, refunded: &[(ChargeId, Credits)]) -> Given {
    Given::of(form, refunded, |(charge, _)| charge.bucket())
        .with("charge_id", "uuid", refunded, |(charge, _)| id(charge.bytes()))
        .with("refunded", "bigint", refunded, |(_, credits)| credits.millionths())
}

pub(super) fn holds(form: Form, changes: &Changes) -> Vec<Call> {
    let holds: Vec<&Hold> = changes.holds.values().collect();
    let parts = by_statement(form, holds, |hold| hold.id.bucket()).into_iter();
    parts.map(|part| held(form, &part).upsert("holds", 1)).collect()
}

pub(super) fn held(form: Form, holds: &[&Hold]) -> Given {
    Given::of(form, holds, |hold| hold.id.bucket())
        .with("id", "uuid", holds, |hold| id(hold.id.bytes()))
        .with("account_id", "uuid", holds, |hold| id(hold.account_id.bytes()))
        .with("seq", "bigint", holds, |hold| rows::number(hold.seq))
        .with("key_id", "uuid", holds, |hold| hold.key_id.map(KeyId::bytes).map(id))
        .with("operation", "text", holds, |hold| {
            owned(hold.priced.as_ref().map(|priced| priced.operation.as_str()))
        })
        .with("quantity", "bigint", holds, |hold| {
            hold.priced.as_ref().map(|priced| quantity(priced.quantity))
        })
        .with("rate", "text", holds, |hold| hold.priced.as_ref().map(|priced| priced.rate.to_string()))
        .with("credits", "bigint", holds, |hold| hold.credits.millionths())
        .with("captured", "bigint", holds, |hold| hold.captured.millionths())
        .with("lots", "bytea", holds, |hold| rows::held_lots(&hold.lots))
        .with("status", "text", holds, |hold| rows::hold_status(hold.status))
        .with("created_at", "bigint", holds, |hold| hold.created_at.unix_ms())
        .with("expires_at", "bigint", holds, |hold| hold.expires_at.unix_ms())
}

/// The texts that an erasure takes away.
pub(in crate::postgres) fn erased_texts(erasure: &Erasure) -> Call {
    let columns = format!("seq, {}", rows::NOTE);
    let sql = format!(
        "SELECT {columns} FROM entries WHERE bucket = $1 AND account_id = $2 AND seq BETWEEN $3 AND $4 \
         AND salt IS NOT NULL"
    );
    let mut arguments = account_of(erasure);
    arguments.extend(
        [rows::number(erasure.from), rows::number(erasure.through)].map(|seq| Box::new(seq) as Argument),
    );
    Call { sql, arguments }
}

/// Replaces text and salt by the digests that were made with them, so that the chain stays whole.
pub(in crate::postgres) fn erase(form: Form, erasure: &Erasure, texts: &[Row]) -> rows::Result<Vec<Call>> {
    let note = |row: &Row| {
        let mut columns = Columns::of(row);
        Ok((rows::seq(&mut columns)?, rows::note(&mut columns)?.erase()))
    };
    let notes: Vec<(Seq, Note)> = texts.iter().map(note).collect::<rows::Result<_>>()?;
    let mut calls = Vec::new();
    if !notes.is_empty() {
        calls.push(erased_notes(form, erasure, &notes));
    }
    let sql = "UPDATE grants SET reference = NULL, metadata = '{}' \
               WHERE bucket = $1 AND account_id = $2 AND created_at <= $3";
    let mut arguments = account_of(erasure);
    arguments.push(Box::new(erasure.until.unix_ms()));
    calls.push(Call { sql: sql.to_owned(), arguments });
    Ok(calls)
}

fn erased_notes(form: Form, erasure: &Erasure, notes: &[(Seq, Note)]) -> Call {
    let account_id = erasure.account_id;
    Given::of(form, notes, |_| account_id.bucket())
        .with("account_id", "uuid", notes, |_| id(account_id.bytes()))
        .with("seq", "bigint", notes, |(seq, _)| rows::number(*seq))
        .with("reference", "text", notes, |_| None::<String>)
        .with("metadata", "text", notes, |_| None::<String>)
        .with("reason", "text", notes, |_| None::<String>)
        .with("salt", "bytea", notes, |_| None::<Vec<u8>>)
        .with("reference_digest", "bytea", notes, |(_, note)| {
            note.digests().reference.map(|digest| Bytes(digest.0))
        })
        .with("metadata_digest", "bytea", notes, |(_, note)| {
            note.digests().metadata.map(|digest| Bytes(digest.0))
        })
        .with("reason_digest", "bytea", notes, |(_, note)| {
            note.digests().reason.map(|digest| Bytes(digest.0))
        })
        .update("entries", 2)
}

fn account_of(erasure: &Erasure) -> Vec<Argument> {
    vec![Box::new(bucket(erasure.account_id.bucket())), Box::new(id(erasure.account_id.bytes()))]
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn quantity(quantity: Quantity) -> i64 {
    quantity.amount().millionths()
}
