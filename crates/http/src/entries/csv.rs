//! Statements as CSV (RFC 4180): a heading, then a row an entry.
//!
//! Who opens it in a spreadsheet must not run what somebody wrote into a reference: text cells that begin like a formula
//! get a leading `'`. Amounts are no text.

use super::EntryBody;
use super::stream::Writing;

const HEADING: [&str; 24] = [
    "seq",
    "at",
    "kind",
    "credits",
    "held_credits",
    "available_after",
    "held_after",
    "lots",
    "grant_id",
    "charge_id",
    "hold_id",
    "key_id",
    "refund_id",
    "adjustment_id",
    "operation",
    "quantity",
    "reference",
    "metadata",
    "reason",
    "salt",
    "reference_digest",
    "metadata_digest",
    "reason_digest",
    "hash",
];

pub(super) struct Rows;

impl Writing for Rows {
    fn head(&mut self) -> Vec<u8> {
        write(std::iter::once(HEADING.map(str::to_owned)))
    }

    fn rows(&mut self, entries: &[EntryBody]) -> Vec<u8> {
        write(entries.iter().map(row))
    }
}

fn write(rows: impl Iterator<Item = [String; HEADING.len()]>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).expect("rows have as many cells as the heading, and memory takes them");
    }
    writer.into_inner().expect("memory takes everything")
}

fn row(entry: &EntryBody) -> [String; HEADING.len()] {
    let id = |id: Option<String>| id.unwrap_or_default();
    let lots = entry.lots.iter().map(|lot| match lot.grant_id {
        Some(grant_id) => format!("{grant_id}:{}", lot.credits),
        None => format!("overdraft:{}", lot.credits),
    });
    let metadata = entry
        .metadata
        .as_ref()
        .map(|pairs| serde_json::to_string(pairs).expect("strings can be written as JSON"));
    [
        entry.seq.to_string(),
        entry.at.to_string(),
        entry.kind.to_owned(),
        entry.credits.to_string(),
        entry.held_credits.to_string(),
        entry.available_after.to_string(),
        entry.held_after.to_string(),
        lots.collect::<Vec<_>>().join(" "),
        id(entry.grant_id.map(|id| id.to_string())),
        id(entry.charge_id.map(|id| id.to_string())),
        id(entry.hold_id.map(|id| id.to_string())),
        id(entry.key_id.map(|id| id.to_string())),
        id(entry.refund_id.map(|id| id.to_string())),
        id(entry.adjustment_id.map(|id| id.to_string())),
        text(entry.operation.as_ref().map(ToString::to_string)),
        id(entry.quantity.map(|quantity| quantity.to_string())),
        text(entry.reference.as_ref().map(ToString::to_string)),
        text(metadata),
        text(entry.reason.as_ref().map(ToString::to_string)),
        id(entry.salt.clone()),
        id(entry.reference_digest.map(|digest| digest.to_string())),
        id(entry.metadata_digest.map(|digest| digest.to_string())),
        id(entry.reason_digest.map(|digest| digest.to_string())),
        entry.hash.to_string(),
    ]
}

/// A cell that somebody may have written.
fn text(text: Option<String>) -> String {
    let text = text.unwrap_or_default();
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_text() {
        for (given, cell) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("invoice =1", "invoice =1"),
            ("", ""),
        ] {
            assert_eq!(text(Some(given.to_owned())), cell, "{given:?}");
        }
    }
}
