//! Rows of another store, as they are there. What has been copied before stays as it is.

use coffer_ledger::{Account, AccountProfile, Entry, Grant, Hold, Key, KeyProfile, Lot};

use super::{Answered, accounts, answers, copied_price, entries, keys, used};
use crate::migrate::{Catalogue, Portion};
use crate::postgres::people;
use crate::postgres::statement::{Bytes, Call, Form, by_statement};
use crate::rows::Seal;

/// What belongs to accounts. The accounts themselves come last: where one is, everything of it is.
pub(in crate::postgres) fn copies(form: Form, portion: &Portion) -> Vec<Call> {
    let mut calls = Vec::new();
    let profiles: Vec<&AccountProfile> = portion.account_profiles.iter().collect();
    for part in by_statement(form, profiles, |profile| profile.id.bucket()) {
        calls.push(accounts::described(form, &part).insert_missing("account_profiles", 1));
    }
    calls.extend(entry_copies(form, portion));
    let grants: Vec<&Grant> = portion.grants.iter().collect();
    for part in by_statement(form, grants, |grant| grant.account_id.bucket()) {
        calls.push(accounts::texts(form, &part).insert_missing("grants", 1));
        let lots: Vec<(&Grant, &Lot)> = part.iter().map(|grant| (*grant, &grant.lot)).collect();
        calls.push(accounts::new_lots(form, &lots).insert_missing("lots", 1));
    }
    let holds: Vec<&Hold> = portion.holds.iter().collect();
    for part in by_statement(form, holds, |hold| hold.id.bucket()) {
        calls.push(entries::held(form, &part).insert_missing("holds", 1));
    }
    calls.extend(key_copies(form, portion));
    let kept: Vec<Answered<'_>> =
        portion.remembered.iter().map(|kept| (kept.columns(), kept.seal())).collect();
    for part in by_statement(form, kept, |(columns, _)| columns.account_id.bucket()) {
        calls.push(answers(form, &part).insert_missing("remembered", 2));
    }
    calls.extend(people::copies(form, &portion.sessions, &portion.actions));
    let all: Vec<&Account> = portion.accounts.iter().collect();
    for part in by_statement(form, all, |account| account.id.bucket()) {
        calls.push(accounts::states(form, &part).insert_missing("accounts", 1));
    }
    calls
}

fn entry_copies(form: Form, portion: &Portion) -> Vec<Call> {
    let mut calls = Vec::new();
    let sealed: Vec<&(Entry, Seal)> = portion.entries.iter().collect();
    for part in by_statement(form, sealed, |(entry, _)| entry.account_id.bucket()) {
        let entries: Vec<&Entry> = part.iter().map(|(entry, _)| entry).collect();
        let given = entries::unsealed(form, &entries).with("seal", "bytea", &part, |(_, seal)| Bytes(*seal));
        calls.push(given.insert_missing("entries", 2));
    }
    for part in by_statement(form, portion.refunded.clone(), |(charge, _)| charge.bucket()) {
        calls.push(entries::given_back(form, &part).insert_missing("charge_refunds", 1));
    }
    calls
}

fn key_copies(form: Form, portion: &Portion) -> Vec<Call> {
    let mut calls = Vec::new();
    let all: Vec<&Key> = portion.keys.iter().collect();
    for part in by_statement(form, all, |key| key.id.bucket()) {
        calls.push(keys::states(form, &part).insert_missing("keys", 1));
    }
    let profiles: Vec<&KeyProfile> = portion.key_profiles.iter().collect();
    for part in by_statement(form, profiles, |profile| profile.id.bucket()) {
        calls.push(keys::described(form, &part).insert_missing("key_profiles", 1));
    }
    for part in by_statement(form, portion.retired_secrets.clone(), |(key, _)| key.bucket()) {
        calls.push(keys::retired_secrets(form, &part).insert_missing("retired_secrets", 1));
    }
    for part in by_statement(form, portion.key_uses.clone(), |(key, _)| key.bucket()) {
        calls.push(used(form, &part).insert_missing("key_uses", 1));
    }
    calls
}

/// What belongs to no account.
pub(in crate::postgres) fn catalogue_copies(form: Form, catalogue: &Catalogue) -> Vec<Call> {
    let prices = catalogue.prices.iter().map(copied_price);
    let keys = catalogue.operator_keys.iter().map(keys::operator_key);
    prices.chain(keys).chain(people::copies(form, &catalogue.sessions, &catalogue.actions)).collect()
}
