//! The journal of an account, as the server shows it: the order that everything is compared with.
//!
//! Owns the reading of entries, and that they are sound by themselves: gapless, and adding up. Whether they
//! are what clients were told is not its business.

use serde_json::Value;

use super::anomaly::{Anomaly, Fault};
use super::credits::{Balance, Credits};
use crate::support::Api;

const PER_PAGE: usize = 100;

/// An account's entries, oldest first, and how far it may go below zero.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    pub(crate) overdraft_limit: Credits,
    pub(crate) entries: Vec<EntrySeen>,
}

/// An entry, as far as the checker looks at it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct EntrySeen {
    pub(crate) seq: u64,
    pub(crate) kind: EntryKind,
    pub(crate) change: Balance,
    pub(crate) after: Balance,
    /// The first grant among its lots: in an entry of the kind `grant` it is the one that took effect.
    pub(crate) grant_id: Option<String>,
    pub(crate) charge_id: Option<String>,
    pub(crate) hold_id: Option<String>,
    pub(crate) reference: Option<String>,
}

/// What an entry did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum EntryKind {
    Grant,
    Charge,
    Hold,
    Capture,
    Release,
    Refund,
    Expire,
    Void,
    Adjust,
}

impl EntryKind {
    fn parse(text: &str) -> EntryKind {
        match text {
            "grant" => EntryKind::Grant,
            "charge" => EntryKind::Charge,
            "hold" => EntryKind::Hold,
            "capture" => EntryKind::Capture,
            "release" => EntryKind::Release,
            "refund" => EntryKind::Refund,
            "expire" => EntryKind::Expire,
            "void" => EntryKind::Void,
            "adjust" => EntryKind::Adjust,
            other => panic!("the contract has no entry of the kind {other:?}"),
        }
    }
}

/// Every entry of an account, oldest first, whatever their number.
pub(crate) async fn read_entries(api: &Api, account: &str) -> Vec<EntrySeen> {
    let mut entries = Vec::new();
    let mut cursor = None;
    loop {
        let from = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let path = format!("/v1/accounts/{account}/entries?limit={PER_PAGE}{from}");
        let page = api.get(&path).await.wants(200).json();
        let data = page["data"].as_array().unwrap_or_else(|| panic!("a list has data: {page}"));
        entries.extend(data.iter().map(entry));
        if page["has_more"] == false {
            break;
        }
        assert!(!data.is_empty(), "a page with more behind it is not empty: {page}");
        cursor = Some(text(&page, "next_cursor").expect("a page with more behind it says where"));
    }
    entries.reverse();
    entries
}

fn entry(entry: &Value) -> EntrySeen {
    let credits = |field: &str| {
        let credits = text(entry, field).and_then(|text| Credits::parse(&text));
        credits.unwrap_or_else(|| panic!("no credits in {field}: {entry}"))
    };
    let lots = entry["lots"].as_array().unwrap_or_else(|| panic!("an entry has lots: {entry}"));
    EntrySeen {
        seq: entry["seq"].as_u64().unwrap_or_else(|| panic!("an entry has a number: {entry}")),
        kind: EntryKind::parse(&text(entry, "kind").expect("an entry has a kind")),
        change: Balance { available: credits("credits"), held: credits("held_credits") },
        after: Balance { available: credits("available_after"), held: credits("held_after") },
        grant_id: lots.iter().find_map(|lot| text(lot, "grant_id")),
        charge_id: text(entry, "charge_id"),
        hold_id: text(entry, "hold_id"),
        reference: text(entry, "reference"),
    }
}

fn text(value: &Value, field: &str) -> Option<String> {
    value[field].as_str().map(str::to_owned)
}

impl Journal {
    /// The balance after an entry; before the first one there is nothing.
    pub(super) fn after(&self, seq: u64) -> Option<Balance> {
        let Some(index) = seq.checked_sub(1) else { return Some(Balance::default()) };
        self.entries.get(usize::try_from(index).ok()?).map(|entry| entry.after)
    }

    /// The number of the last entry.
    pub(super) fn last(&self) -> u64 {
        self.entries.len() as u64
    }

    /// What is wrong with the journal by itself. Where its numbers have a gap, nothing else can be said.
    pub(super) fn unsound(&self) -> Vec<Anomaly> {
        let mut before = Balance::default();
        let mut anomalies = Vec::new();
        for (seq, entry) in (1..).zip(&self.entries) {
            let mut broken = |what: String| {
                anomalies.push(Anomaly::new(Fault::JournalIsBroken, format!("entry {}: {what}", entry.seq)));
            };
            if entry.seq != seq {
                broken(format!("entry {seq} was to come"));
                return anomalies;
            }
            if before + entry.change != entry.after {
                broken(format!("{before} and its change do not make {}", entry.after));
            }
            let spends = matches!(entry.kind, EntryKind::Charge | EntryKind::Hold);
            if spends && entry.after.available < -self.overdraft_limit {
                let limit = self.overdraft_limit;
                broken(format!("{} is beyond the overdraft limit of {limit}", entry.after));
            }
            if entry.after.held < Credits::ZERO {
                broken(format!("{}: less than nothing", entry.after));
            }
            before = entry.after;
        }
        anomalies
    }
}
