//! Accounts, grants and lots.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use coffer_ledger::{
    Account, AccountId, AccountProfile, Balance, Changes, Credits, EntryHash, ExternalId, Grant, GrantId,
    Holds, Lot, Records, Reference, Seq, Timestamp, Totals,
};

use crate::postgres::statement::{Bytes, Call, Form, Given, by_statement, id};
use crate::rows;

/// What a charge moves is written, and the rest only where it has changed.
pub(super) fn updates(
    form: Form,
    accounts: Vec<&Account>,
    before: &Records<AccountId, Arc<Account>>,
) -> Vec<Call> {
    let is_only_moved = |account: &&Account| {
        before.get(&account.id).is_some_and(|before| {
            Account { totals: Totals { spent: before.totals.spent, ..account.totals }, ..rest_of(account) }
                == rest_of(before)
        })
    };
    let update = |part: Vec<&Account>| {
        let moved = moved(form, &part);
        let given = if part.iter().all(is_only_moved) { moved } else { settings(moved, &part) };
        given.update("accounts", 1)
    };
    by_statement(form, accounts, |account| account.id.bucket()).into_iter().map(update).collect()
}

/// The account without what [`moved`] writes, and without lots and holds.
fn rest_of(account: &Account) -> Account {
    Account {
        id: account.id,
        status: account.status,
        overdraft_limit: account.overdraft_limit,
        lots_made: account.lots_made,
        refund_lot: account.refund_lot,
        totals: account.totals,
        balance: Balance::default(),
        debt: Credits::ZERO,
        lots: Vec::new(),
        holds: Holds::default(),
        seq: Seq::default(),
        head: EntryHash::GENESIS,
        last_at: Timestamp::MIN,
    }
}

pub(super) fn insertions(form: Form, accounts: Vec<&Account>) -> Vec<Call> {
    let parts = by_statement(form, accounts, |account| account.id.bucket()).into_iter();
    parts.map(|part| states(form, &part).insert("accounts")).collect()
}

/// All of an account but its lots and holds.
pub(super) fn states(form: Form, accounts: &[&Account]) -> Given {
    settings(moved(form, accounts), accounts)
}

fn moved(form: Form, accounts: &[&Account]) -> Given {
    Given::of(form, accounts, |account| account.id.bucket())
        .with("id", "uuid", accounts, |account| id(account.id.bytes()))
        .with("available", "bigint", accounts, |account| account.balance.available.millionths())
        .with("held", "bigint", accounts, |account| account.balance.held.millionths())
        .with("debt", "bigint", accounts, |account| account.debt.millionths())
        .with("seq", "bigint", accounts, |account| rows::number(account.seq))
        .with("head", "bytea", accounts, |account| Bytes(account.head.0))
        .with("last_at", "bigint", accounts, |account| account.last_at.unix_ms())
        .with("spent", "bigint", accounts, |account| account.totals.spent.millionths())
        .with("next_due", "bigint", accounts, |account| account.next_due().map(Timestamp::unix_ms))
}

fn settings(given: Given, accounts: &[&Account]) -> Given {
    let total = |of: fn(&Totals) -> Credits| move |account: &&Account| of(&account.totals).millionths();
    given
        .with("status", "text", accounts, |account| rows::account_status(account.status))
        .with("overdraft_limit", "bigint", accounts, |account| account.overdraft_limit.millionths())
        .with("lots_made", "bigint", accounts, |account| i64::from(account.lots_made))
        .with("refund_lot_day", "bigint", accounts, |account| account.refund_lot.map(|lot| lot.day.unix_ms()))
        .with("refund_lot_id", "uuid", accounts, |account| {
            account.refund_lot.map(|lot| id(lot.grant_id.bytes()))
        })
        .with("granted", "bigint", accounts, total(|totals| totals.granted))
        .with("adjusted", "bigint", accounts, total(|totals| totals.adjusted))
        .with("refunded", "bigint", accounts, total(|totals| totals.refunded))
        .with("expired", "bigint", accounts, total(|totals| totals.expired))
        .with("voided", "bigint", accounts, total(|totals| totals.voided))
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
pub(super) fn lots(form: Form, changes: &Changes, before: &Records<AccountId, Arc<Account>>) -> Vec<Call> {
    let grants: Vec<&Grant> = changes.grants.iter().collect();
    let mut calls = Vec::new();
    for part in by_statement(form, grants, |grant| grant.account_id.bucket()) {
        calls.push(texts(form, &part).insert("grants"));
        // A new grant's lot may be among the changed ones, where it stands as the batch has left it.
        let lots: Vec<(&Grant, &Lot)> = part
            .iter()
            .map(|grant| {
                (*grant, changes.lots.get(&(grant.account_id, grant.lot.grant_id)).unwrap_or(&grant.lot))
            })
            .collect();
        calls.push(new_lots(form, &lots).insert("lots"));
    }
    let new: HashSet<GrantId> = changes.grants.iter().map(|grant| grant.lot.grant_id).collect();
    let changed: Vec<&Lot> = changes.lots.values().filter(|lot| !new.contains(&lot.grant_id)).collect();
    let touched = changes.accounts.iter().filter_map(|account| before.get(&account.id));
    let known: HashMap<GrantId, &Lot> =
        touched.flat_map(|account| &account.lots).map(|lot| (lot.grant_id, lot)).collect();
    for part in by_statement(form, changed, |lot| lot.grant_id.bucket()) {
        let given =
            Given::of(form, &part, |lot| lot.grant_id.bucket())
                .with("grant_id", "uuid", &part, |lot| id(lot.grant_id.bytes()));
        let given = lot_amounts(given, &part, |lot| lot);
        let is_only_moved = |lot: &&Lot| {
            known.get(&lot.grant_id).is_some_and(|before| {
                is_open(lot)
                    && Lot { remaining: before.remaining, held: before.held, ..Lot::clone(lot) } == **before
            })
        };
        let given = if part.iter().all(is_only_moved) { given } else { lot_states(given, &part, |lot| lot) };
        calls.push(given.update("lots", 1));
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
    lot_states(lot_amounts(given, lots, |(_, lot)| lot), lots, |(_, lot)| lot)
}

/// What charges and holds move.
fn lot_amounts<'lot, Record>(given: Given, records: &[Record], lot: impl Fn(&Record) -> &'lot Lot) -> Given {
    given.with("remaining", "bigint", records, |record| lot(record).remaining.millionths()).with(
        "held",
        "bigint",
        records,
        |record| lot(record).held.millionths(),
    )
}

/// What else can change of a lot. Its size can: a lot of refunds takes all those of its day.
fn lot_states<'lot, Record>(given: Given, records: &[Record], lot: impl Fn(&Record) -> &'lot Lot) -> Given {
    given
        .with("granted", "bigint", records, |record| lot(record).granted.millionths())
        .with("expired", "bigint", records, |record| lot(record).expired.millionths())
        .with("started", "boolean", records, |record| lot(record).started)
        .with("held_when_voided", "bigint", records, |record| {
            lot(record).held_when_voided.map(Credits::millionths)
        })
        .with("is_open", "boolean", records, |record| is_open(lot(record)))
}

fn is_open(lot: &Lot) -> bool {
    lot.remaining.is_positive() || lot.held.is_positive()
}
