//! Writing what a batch has changed. Runs inside the writer's transaction.

use std::collections::BTreeMap;

use coffer_ledger::{
    Account, AccountProfile, Changes, Credits, Entry, Grant, Key, KeyId, KeyProfile, Lot, OperatorKey,
    Outcome, RememberedChange, Timestamp,
};
use rusqlite::{Connection, named_params, params};

use super::rows;

pub(super) fn changes(connection: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    let Changes {
        account_profiles,
        accounts,
        entries,
        grants,
        lots,
        keys,
        key_profiles,
        operator_keys,
        remembered,
    } = changes;
    account_profiles.iter().try_for_each(|profile| account_profile(connection, profile))?;
    accounts.iter().try_for_each(|changed| account(connection, changed))?;
    entries.iter().try_for_each(|new| entry(connection, new))?;
    // A new grant's lot is among the changed lots, where it stands as the batch has left it.
    grants.iter().try_for_each(|new| grant(connection, new))?;
    for new in grants {
        lot(connection, new, lots.get(&new.lot.grant_id).unwrap_or(&new.lot))?;
    }
    lots.values().try_for_each(|changed| lot_state(connection, changed))?;
    keys.iter().try_for_each(|changed| key(connection, changed))?;
    key_profiles.iter().try_for_each(|changed| key_profile(connection, changed))?;
    operator_keys.iter().try_for_each(|changed| operator_key(connection, changed))?;
    remembered.iter().try_for_each(|change| self::remembered(connection, change))
}

/// Forgets refusals of before a time.
pub(super) fn forget_refusals(connection: &Connection, before: Timestamp) -> rusqlite::Result<()> {
    let sql = "DELETE FROM remembered WHERE refusal IS NOT NULL AND at < ?1";
    connection.prepare_cached(sql)?.execute([before.unix_ms()]).map(|_| ())
}

/// Notes when keys were last used.
pub(super) fn key_uses(connection: &Connection, uses: &BTreeMap<KeyId, Timestamp>) -> rusqlite::Result<()> {
    let sql = "INSERT INTO key_uses (key_id, last_used_at) VALUES (?1, ?2) \
               ON CONFLICT (key_id) DO UPDATE SET last_used_at = max(last_used_at, ?2)";
    uses.iter().try_for_each(|(id, at)| execute(connection, sql, params![id.bytes(), at.unix_ms()]))
}

/// Writes a row that nobody reads.
pub(super) fn probe(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1";
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

fn account_profile(connection: &Connection, profile: &AccountProfile) -> rusqlite::Result<()> {
    let sql = "INSERT INTO account_profiles (id, name, external_id, metadata, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let external_id = profile.external_id.as_ref().map(coffer_ledger::ExternalId::as_str);
    execute(
        connection,
        sql,
        params![
            profile.id.bytes(),
            profile.name.as_str(),
            external_id,
            rows::metadata(&profile.metadata),
            profile.created_at.unix_ms(),
        ],
    )
}

fn account(connection: &Connection, account: &Account) -> rusqlite::Result<()> {
    let sql = "INSERT INTO accounts (id, status, overdraft_limit, available, held, debt, grants_made, seq, \
               head, last_at, granted, adjusted, refunded, spent, expired, voided, next_due) \
               VALUES (:id, :status, :overdraft_limit, :available, :held, :debt, :grants_made, :seq, \
               :head, :last_at, :granted, :adjusted, :refunded, :spent, :expired, :voided, :next_due) \
               ON CONFLICT (id) DO UPDATE SET status = :status, overdraft_limit = :overdraft_limit, \
               available = :available, held = :held, debt = :debt, grants_made = :grants_made, seq = :seq, \
               head = :head, last_at = :last_at, granted = :granted, adjusted = :adjusted, \
               refunded = :refunded, spent = :spent, expired = :expired, voided = :voided, \
               next_due = :next_due";
    let totals = &account.totals;
    execute(
        connection,
        sql,
        named_params! {
            ":id": account.id.bytes(),
            ":status": rows::account_status(account.status),
            ":overdraft_limit": account.overdraft_limit.millionths(),
            ":available": account.balance.available.millionths(),
            ":held": account.balance.held.millionths(),
            ":debt": account.debt.millionths(),
            ":grants_made": account.grants_made,
            ":seq": account.seq.0,
            ":head": account.head.0,
            ":last_at": account.last_at.unix_ms(),
            ":granted": totals.granted.millionths(),
            ":adjusted": totals.adjusted.millionths(),
            ":refunded": totals.refunded.millionths(),
            ":spent": totals.spent.millionths(),
            ":expired": totals.expired.millionths(),
            ":voided": totals.voided.millionths(),
            ":next_due": account.next_due().map(Timestamp::unix_ms),
        },
    )
}

fn entry(connection: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let sql = "INSERT INTO entries (account_id, seq, kind, credits, held_credits, available_after, held_after, \
               lots, grant_id, charge_id, hold_id, key_id, reference, metadata, salt, at, idempotency_key, \
               fingerprint, hash) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
    let metadata = (!entry.note.metadata.is_empty()).then(|| rows::metadata(&entry.note.metadata));
    let idempotency = entry.idempotency.as_ref();
    execute(
        connection,
        sql,
        params![
            entry.account_id.bytes(),
            entry.seq.0,
            entry.kind.as_str(),
            entry.credits.millionths(),
            entry.held_credits.millionths(),
            entry.balance_after.available.millionths(),
            entry.balance_after.held.millionths(),
            rows::lot_changes(&entry.lots),
            entry.origin.grant_id.map(coffer_ledger::GrantId::bytes),
            entry.origin.charge_id.map(coffer_ledger::ChargeId::bytes),
            entry.origin.hold_id.map(coffer_ledger::HoldId::bytes),
            entry.origin.key_id.map(KeyId::bytes),
            entry.note.reference.as_ref().map(coffer_ledger::Reference::as_str),
            metadata,
            entry.note.salt.map(|salt| salt.0),
            entry.at.unix_ms(),
            idempotency.map(|idempotency| idempotency.key.as_str()),
            idempotency.map(|idempotency| idempotency.fingerprint.0),
            entry.hash.0,
        ],
    )
}

fn grant(connection: &Connection, grant: &Grant) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO grants (id, account_id, reference, metadata, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    execute(
        connection,
        sql,
        params![
            grant.lot.grant_id.bytes(),
            grant.account_id.bytes(),
            grant.reference.as_ref().map(coffer_ledger::Reference::as_str),
            rows::metadata(&grant.metadata),
            grant.created_at.unix_ms(),
        ],
    )
}

fn lot(connection: &Connection, grant: &Grant, lot: &Lot) -> rusqlite::Result<()> {
    let sql = "INSERT INTO lots (grant_id, account_id, creation_order, category, priority, effective_at, \
               expires_at, granted, remaining, held, expired, started, voided) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    execute(
        connection,
        sql,
        params![
            lot.grant_id.bytes(),
            grant.account_id.bytes(),
            lot.order,
            rows::category(lot.category),
            lot.priority.get(),
            lot.effective_at.unix_ms(),
            lot.expires_at.map(Timestamp::unix_ms),
            lot.granted.millionths(),
            lot.remaining.millionths(),
            lot.held.millionths(),
            lot.expired.millionths(),
            lot.started,
            lot.voided,
        ],
    )
}

fn lot_state(connection: &Connection, lot: &Lot) -> rusqlite::Result<()> {
    let sql = "UPDATE lots SET remaining = ?2, held = ?3, expired = ?4, started = ?5, voided = ?6 \
               WHERE grant_id = ?1";
    execute(
        connection,
        sql,
        params![
            lot.grant_id.bytes(),
            lot.remaining.millionths(),
            lot.held.millionths(),
            lot.expired.millionths(),
            lot.started,
            lot.voided,
        ],
    )
}

fn key(connection: &Connection, key: &Key) -> rusqlite::Result<()> {
    let sql = "INSERT INTO keys (id, account_id, secret, disabled, revoked_at, expires_at, limit_credits, \
               limit_period, day_starts_at, day_spent, week_starts_at, week_spent, month_starts_at, \
               month_spent, total_spent) \
               VALUES (:id, :account_id, :secret, :disabled, :revoked_at, :expires_at, :limit_credits, \
               :limit_period, :day_starts_at, :day_spent, :week_starts_at, :week_spent, :month_starts_at, \
               :month_spent, :total_spent) \
               ON CONFLICT (id) DO UPDATE SET disabled = :disabled, \
               revoked_at = :revoked_at, expires_at = :expires_at, limit_credits = :limit_credits, \
               limit_period = :limit_period, day_starts_at = :day_starts_at, day_spent = :day_spent, \
               week_starts_at = :week_starts_at, week_spent = :week_spent, \
               month_starts_at = :month_starts_at, month_spent = :month_spent, total_spent = :total_spent";
    let spent = &key.spent;
    execute(
        connection,
        sql,
        named_params! {
            ":id": key.id.bytes(),
            ":account_id": key.account_id.bytes(),
            ":secret": key.secret.bytes(),
            ":disabled": key.disabled,
            ":revoked_at": key.revoked_at.map(Timestamp::unix_ms),
            ":expires_at": key.expires_at.map(Timestamp::unix_ms),
            ":limit_credits": key.limit.map(|limit| limit.credits.millionths()),
            ":limit_period": key.limit.map(|limit| rows::period(limit.period)),
            ":day_starts_at": spent.day.starts_at.unix_ms(),
            ":day_spent": spent.day.credits.millionths(),
            ":week_starts_at": spent.week.starts_at.unix_ms(),
            ":week_spent": spent.week.credits.millionths(),
            ":month_starts_at": spent.month.starts_at.unix_ms(),
            ":month_spent": spent.month.credits.millionths(),
            ":total_spent": spent.total.credits.millionths(),
        },
    )
}

fn key_profile(connection: &Connection, profile: &KeyProfile) -> rusqlite::Result<()> {
    let sql = "INSERT INTO key_profiles (id, name, hint, metadata, created_at) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (id) DO UPDATE SET name = ?2, metadata = ?4";
    execute(
        connection,
        sql,
        params![
            profile.id.bytes(),
            profile.name.as_str(),
            profile.hint.as_str(),
            rows::metadata(&profile.metadata),
            profile.created_at.unix_ms(),
        ],
    )
}

fn operator_key(connection: &Connection, key: &OperatorKey) -> rusqlite::Result<()> {
    let sql = "INSERT INTO operator_keys (id, name, secret, hint, scopes, created_at, revoked_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET revoked_at = ?7";
    execute(
        connection,
        sql,
        params![
            key.id.bytes(),
            key.name.as_str(),
            key.secret.bytes(),
            key.hint.as_str(),
            rows::scopes(key.scopes),
            key.created_at.unix_ms(),
            key.revoked_at.map(Timestamp::unix_ms),
        ],
    )
}

fn remembered(connection: &Connection, change: &RememberedChange) -> rusqlite::Result<()> {
    let sql = "INSERT INTO remembered (account_id, idempotency_key, fingerprint, at, grant_id, refusal, \
               required, left_over) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let outcome = &change.remembered.outcome;
    let (grant_id, refusal) = match outcome {
        Outcome::Granted(grant) => (Some(grant.lot.grant_id.bytes()), None),
        Outcome::Refused(refusal) => (None, rows::refusal(refusal)),
        Outcome::AccountCreated(_)
        | Outcome::Charged(_)
        | Outcome::Settled
        | Outcome::KeyCreated(_)
        | Outcome::KeyUpdated(_)
        | Outcome::KeyRevoked(_)
        | Outcome::OperatorKeyCreated(_)
        | Outcome::OperatorKeyRevoked(_) => (None, None),
    };
    assert!(
        grant_id.is_some() || refusal.is_some(),
        "{outcome:?} is remembered, and neither an entry nor this table carries it"
    );
    let amount = |credits: Option<Credits>| credits.map(Credits::millionths);
    execute(
        connection,
        sql,
        params![
            change.account_id.bytes(),
            change.key.as_str(),
            change.remembered.fingerprint.0,
            change.at.unix_ms(),
            grant_id,
            refusal.map(|(name, _, _)| name),
            refusal.and_then(|(_, required, _)| amount(required)),
            refusal.and_then(|(_, _, left_over)| amount(left_over)),
        ],
    )
}

fn execute(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(params).map(|_| ())
}
