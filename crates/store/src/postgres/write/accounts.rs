//! Accounts, grants and lots.

use std::collections::HashSet;

use coffer_ledger::{
    Account, AccountProfile, Changes, Credits, ExternalId, Grant, GrantId, Lot, Reference, Timestamp,
};

use crate::postgres::statement::{Bytes, Call, Form, Given, by_statement, id};
use crate::rows;

pub(super) fn updates(form: Form, accounts: Vec<&Account>) -> Vec<Call> {
    let parts = by_statement(form, accounts, |account| account.id.bucket()).into_iter();
    parts.map(|part| states(form, &part).update("accounts", 1)).collect()
}

pub(super) fn insertions(form: Form, accounts: Vec<&Account>) -> Vec<Call> {
    let parts = by_statement(form, accounts, |account| account.id.bucket()).into_iter();
    parts.map(|part| states(form, &part).insert("accounts")).collect()
}

pub(super) fn states(form: Form, accounts: &[&Account]) -> Given {
    let amount = |of: fn(&Account) -> Credits| move |account: &&Account| of(account).millionths();
    Given::of(form, accounts, |account| account.id.bucket())
        .with("id", "uuid", accounts, |account| id(account.id.bytes()))
        .with("status", "text", accounts, |account| rows::account_status(account.status))
        .with("overdraft_limit", "bigint", accounts, amount(|account| account.overdraft_limit))
        .with("available", "bigint", accounts, amount(|account| account.balance.available))
        .with("held", "bigint", accounts, amount(|account| account.balance.held))
        .with("debt", "bigint", accounts, amount(|account| account.debt))
        .with("lots_made", "bigint", accounts, |account| i64::from(account.lots_made))
        .with("refund_lot_day", "bigint", accounts, |account| account.refund_lot.map(|lot| lot.day.unix_ms()))
        .with("refund_lot_id", "uuid", accounts, |account| {
            account.refund_lot.map(|lot| id(lot.grant_id.bytes()))
        })
        .with("seq", "bigint", accounts, |account| rows::number(account.seq))
        .with("head", "bytea", accounts, |account| Bytes(account.head.0))
        .with("last_at", "bigint", accounts, |account| account.last_at.unix_ms())
        .with("granted", "bigint", accounts, amount(|account| account.totals.granted))
        .with("adjusted", "bigint", accounts, amount(|account| account.totals.adjusted))
        .with("refunded", "bigint", accounts, amount(|account| account.totals.refunded))
        .with("spent", "bigint", accounts, amount(|account| account.totals.spent))
        .with("expired", "bigint", accounts, amount(|account| account.totals.expired))
        .with("voided", "bigint", accounts, amount(|account| account.totals.voided))
        .with("next_due", "bigint", accounts, |account| account.next_due().map(Timestamp::unix_ms))
}

pub(super) fn profiles(form: Form, changes: &Changes) -> Vec<Call> {
    let profiles: Vec<&AccountProfile> = changes.account_profiles.values().collect();
    let parts = by_statement(form, profiles, |profile| profile.id.bucket()).into_iter();
    parts.map(|part| described(form, &part).upsert("account_profiles", 1)).collect()
}

pub(super) fn described(form: Form, profiles: &[&AccountProfile]) -> Given {
    Given::of(form, profiles, |profile| profile.id.bucket())
        .with("id", "uuid", profiles, |profile| id(profile.id.bytes()))
        .with("name", "text", profiles, |profile| profile.name.as_str().to_owned())
        .with("external_id", "text", profiles, |profile| {
            profile.external_id.as_ref().map(ExternalId::as_str).map(str::to_owned)
        })
        .with("metadata", "text", profiles, |profile| rows::metadata(&profile.metadata))
        .with("created_at", "bigint", profiles, |profile| profile.created_at.unix_ms())
}

/// New grants, their lots, and the lots that have changed.
pub(super) fn lots(form: Form, changes: &Changes) -> Vec<Call> {
    let grants: Vec<&Grant> = changes.grants.iter().collect();
    let mut calls = Vec::new();
    for part in by_statement(form, grants, |grant| grant.account_id.bucket()) {
        calls.push(texts(form, &part).insert("grants"));
        // A new grant's lot may be among the changed ones, where it stands as the batch has left it.
        let lots: Vec<(&Grant, &Lot)> = part
            .iter()
            .map(|grant| (*grant, changes.lots.get(&grant.lot.grant_id).unwrap_or(&grant.lot)))
            .collect();
        calls.push(new_lots(form, &lots).insert("lots"));
    }
    let new: HashSet<GrantId> = changes.grants.iter().map(|grant| grant.lot.grant_id).collect();
    let changed: Vec<&Lot> = changes.lots.values().filter(|lot| !new.contains(&lot.grant_id)).collect();
    for part in by_statement(form, changed, |lot| lot.grant_id.bucket()) {
        let given =
            Given::of(form, &part, |lot| lot.grant_id.bucket())
                .with("grant_id", "uuid", &part, |lot| id(lot.grant_id.bytes()));
        calls.push(lot_states(given, &part, |lot| lot).update("lots", 1));
    }
    calls
}

pub(super) fn texts(form: Form, grants: &[&Grant]) -> Given {
    Given::of(form, grants, |grant| grant.account_id.bucket())
        .with("id", "uuid", grants, |grant| id(grant.lot.grant_id.bytes()))
        .with("account_id", "uuid", grants, |grant| id(grant.account_id.bytes()))
        .with("reference", "text", grants, |grant| {
            grant.reference.as_ref().map(Reference::as_str).map(str::to_owned)
        })
        .with("metadata", "text", grants, |grant| rows::metadata(&grant.metadata))
        .with("created_at", "bigint", grants, |grant| grant.created_at.unix_ms())
}

pub(super) fn new_lots(form: Form, lots: &[(&Grant, &Lot)]) -> Given {
    let given = Given::of(form, lots, |(grant, _)| grant.account_id.bucket())
        .with("grant_id", "uuid", lots, |(_, lot)| id(lot.grant_id.bytes()))
        .with("account_id", "uuid", lots, |(grant, _)| id(grant.account_id.bytes()))
        .with("creation_order", "bigint", lots, |(_, lot)| i64::from(lot.order))
        .with("category", "text", lots, |(_, lot)| lot.category.as_str())
        .with("priority", "bigint", lots, |(_, lot)| i64::from(lot.priority.get()))
        .with("effective_at", "bigint", lots, |(_, lot)| lot.effective_at.unix_ms())
        .with("expires_at", "bigint", lots, |(_, lot)| lot.expires_at.map(Timestamp::unix_ms));
    lot_states(given, lots, |(_, lot)| lot)
}

/// What can change of a lot. Its size can: a lot of refunds takes all those of its day.
fn lot_states<'lot, Record>(given: Given, records: &[Record], lot: impl Fn(&Record) -> &'lot Lot) -> Given {
    given
        .with("granted", "bigint", records, |record| lot(record).granted.millionths())
        .with("remaining", "bigint", records, |record| lot(record).remaining.millionths())
        .with("held", "bigint", records, |record| lot(record).held.millionths())
        .with("expired", "bigint", records, |record| lot(record).expired.millionths())
        .with("started", "boolean", records, |record| lot(record).started)
        .with("held_when_voided", "bigint", records, |record| {
            lot(record).held_when_voided.map(Credits::millionths)
        })
        .with("is_open", "boolean", records, |record| {
            lot(record).remaining.is_positive() || lot(record).held.is_positive()
        })
}
