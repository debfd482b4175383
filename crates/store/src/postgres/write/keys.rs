//! Customers' keys and operators' keys.

use std::sync::Arc;

use coffer_ledger::{Changes, Key, KeyId, KeyProfile, OperatorKey, RetiredSecret, Timestamp};

use super::catalogue;
use crate::postgres::statement::{Argument, Bytes, Call, Form, Given, by_statement, id};
use crate::rows;

pub(super) fn keys(form: Form, changes: &Changes) -> Vec<Call> {
    let keys: Vec<&Key> = changes.keys.iter().map(Arc::as_ref).collect();
    let mut calls = Vec::new();
    for part in by_statement(form, keys, |key| key.id.bucket()) {
        calls.push(states(form, &part).upsert("keys", 1));
    }
    // A rotation changes the profile as well, by the secret's hint: a charge has no secrets to write.
    let perhaps_rotated =
        changes.keys.iter().map(Arc::as_ref).filter(|key| changes.key_profiles.contains_key(&key.id));
    let retired: Vec<(&Key, &RetiredSecret)> =
        perhaps_rotated.flat_map(|key| key.retired.iter().map(move |retired| (key, retired))).collect();
    for part in by_statement(form, retired, |(key, _)| key.id.bucket()) {
        let part: Vec<(KeyId, RetiredSecret)> =
            part.iter().map(|(key, retired)| (key.id, **retired)).collect();
        calls.push(retired_secrets(form, &part).insert_missing("retired_secrets", 1));
    }
    let profiles: Vec<&KeyProfile> = changes.key_profiles.values().collect();
    for part in by_statement(form, profiles, |profile| profile.id.bucket()) {
        calls.push(described(form, &part).upsert("key_profiles", 1));
    }
    calls
}

pub(super) fn retired_secrets(form: Form, retired: &[(KeyId, RetiredSecret)]) -> Given {
    Given::of(form, retired, |(key, _)| key.bucket())
        .with("secret", "bytea", retired, |(_, retired)| Bytes(*retired.secret.bytes()))
        .with("key_id", "uuid", retired, |(key, _)| id(key.bytes()))
        .with("until", "bigint", retired, |(_, retired)| retired.until.unix_ms())
}

pub(super) fn described(form: Form, profiles: &[&KeyProfile]) -> Given {
    Given::of(form, profiles, |profile| profile.id.bucket())
        .with("id", "uuid", profiles, |profile| id(profile.id.bytes()))
        .with("name", "text", profiles, |profile| profile.name.as_str().to_owned())
        .with("hint", "text", profiles, |profile| profile.hint.as_str().to_owned())
        .with("metadata", "text", profiles, |profile| rows::metadata(&profile.metadata))
        .with("created_at", "bigint", profiles, |profile| profile.created_at.unix_ms())
}

pub(super) fn states(form: Form, keys: &[&Key]) -> Given {
    Given::of(form, keys, |key| key.id.bucket())
        .with("id", "uuid", keys, |key| id(key.id.bytes()))
        .with("account_id", "uuid", keys, |key| id(key.account_id.bytes()))
        .with("secret", "bytea", keys, |key| Bytes(*key.secret.bytes()))
        .with("disabled", "boolean", keys, |key| key.disabled)
        .with("revoked_at", "bigint", keys, |key| key.revoked_at.map(Timestamp::unix_ms))
        .with("expires_at", "bigint", keys, |key| key.expires_at.map(Timestamp::unix_ms))
        .with("limit_credits", "bigint", keys, |key| key.limit.map(|limit| limit.credits.millionths()))
        .with("limit_period", "text", keys, |key| key.limit.map(|limit| rows::period(limit.period)))
        .with("day_starts_at", "bigint", keys, |key| key.spent.day.starts_at.unix_ms())
        .with("day_spent", "bigint", keys, |key| key.spent.day.credits.millionths())
        .with("week_starts_at", "bigint", keys, |key| key.spent.week.starts_at.unix_ms())
        .with("week_spent", "bigint", keys, |key| key.spent.week.credits.millionths())
        .with("month_starts_at", "bigint", keys, |key| key.spent.month.starts_at.unix_ms())
        .with("month_spent", "bigint", keys, |key| key.spent.month.credits.millionths())
        .with("total_spent", "bigint", keys, |key| key.spent.total.credits.millionths())
}

pub(super) fn operator_keys(changes: &Changes) -> Vec<Call> {
    changes.operator_keys.values().map(operator_key).collect()
}

pub(super) fn operator_key(key: &OperatorKey) -> Call {
    let sql = "INSERT INTO operator_keys (bucket, id, name, secret, hint, scopes, created_at, revoked_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (bucket, id) DO UPDATE SET revoked_at = $8";
    let arguments: Vec<Argument> = vec![
        catalogue(),
        Box::new(id(key.id.bytes())),
        Box::new(key.name.as_str().to_owned()),
        Box::new(Bytes(*key.secret.bytes())),
        Box::new(key.hint.as_str().to_owned()),
        Box::new(rows::scopes(key.scopes)),
        Box::new(key.created_at.unix_ms()),
        Box::new(key.revoked_at.map(Timestamp::unix_ms)),
    ];
    Call { sql: sql.to_owned(), arguments }
}
