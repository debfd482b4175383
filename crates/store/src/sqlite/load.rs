//! Loading what a batch needs: accounts, keys and prices from memory, everything else from the file.

use coffer_ledger::{
    AccountId, Entry, EntryKind, FurtherNeeds, Grant, GrantId, Hold, HoldId, HoldRecord, IdempotencyKey,
    Needs, Outcome, Refundable, Related, Remembered, Snapshot, Timestamp,
};
use rusqlite::{Connection, params};

use super::people;
use super::published::Published;
use super::query::Result;
use super::query::{one, select};
use super::read;
use crate::rows::{self, RememberedRow};

/// What the commands of a batch need, and what follows from that.
pub(super) fn snapshot(
    connection: &Connection,
    published: &Published,
    needs: &Needs,
    clock: Timestamp,
) -> Result<Snapshot> {
    let mut snapshot = Snapshot::default();
    from_memory(published, needs, &mut snapshot);
    from_file(connection, needs, &mut snapshot)?;
    let further = snapshot.further_needs(needs, clock);
    load_further(connection, published, &further, &mut snapshot)?;
    Ok(snapshot)
}

fn from_memory(published: &Published, needs: &Needs, snapshot: &mut Snapshot) {
    for id in &needs.accounts {
        if let Some(account) = published.account(*id) {
            snapshot.accounts.insert(*id, (*account).clone());
        }
    }
    for id in &needs.keys {
        if let Some(key) = published.key(*id) {
            snapshot.keys.insert(*id, (*key).clone());
        }
    }
    for secret in &needs.secrets {
        if let Some(key) = published.key_by_secret(secret) {
            snapshot.secrets.insert(*secret, key.id);
        }
    }
    for operation in &needs.prices {
        if let Some(price) = published.price(operation) {
            snapshot.prices.insert(operation.clone(), (*price).clone());
        }
    }
    if needs.operator_keys {
        snapshot.operator_keys = published.operator_keys();
    }
}

fn from_file(connection: &Connection, needs: &Needs, snapshot: &mut Snapshot) -> Result<()> {
    for id in &needs.account_profiles {
        let sql = select(rows::ACCOUNT_PROFILE, "account_profiles WHERE id = ?1");
        let found = one(connection, &sql, [id.bytes()], rows::account_profile)?;
        snapshot.account_profiles.extend(found.map(|profile| (*id, profile)));
    }
    for external_id in &needs.external_ids {
        let sql = "SELECT id FROM account_profiles WHERE external_id = ?1";
        let found = one(connection, sql, [external_id.as_str()], rows::account_id)?;
        snapshot.external_ids.extend(found.map(|id| (external_id.clone(), id)));
    }
    for id in &needs.grants {
        snapshot.grants.extend(read::grant(connection, *id)?.map(|grant| (*id, grant)));
    }
    for id in &needs.charges {
        snapshot.charges.extend(refundable(connection, *id)?.map(|charge| (*id, charge)));
    }
    for (account_id, id) in &needs.holds {
        let is_open =
            snapshot.accounts.get(account_id).is_some_and(|account| account.holds.get(*id).is_some());
        if !is_open {
            snapshot.holds.extend(read::hold_alone(connection, *id)?.map(|hold| (*id, hold)));
        }
    }
    for id in &needs.key_profiles {
        let sql = select(rows::KEY_PROFILE, "key_profiles WHERE id = ?1");
        let found = one(connection, &sql, [id.bytes()], rows::key_profile)?;
        snapshot.key_profiles.extend(found.map(|profile| (*id, profile)));
    }
    people::load(connection, needs, snapshot)?;
    for (account_id, key) in &needs.remembered {
        if let Some(remembered) = remembered(connection, *account_id, key)? {
            snapshot.remembered.insert((*account_id, key.clone()), remembered);
        }
    }
    Ok(())
}

fn load_further(
    connection: &Connection,
    published: &Published,
    further: &FurtherNeeds,
    snapshot: &mut Snapshot,
) -> Result<()> {
    for id in &further.keys {
        if let Some(key) = published.key(*id) {
            snapshot.keys.insert(*id, (*key).clone());
        }
    }
    for id in &further.lots {
        let sql = select(rows::LOT, "lots WHERE grant_id = ?1");
        let found = one(connection, &sql, [id.bytes()], rows::lot)?;
        snapshot.lots.extend(found.map(|lot| (*id, lot)));
    }
    for (account_id, seq) in &further.notes {
        let sql = select(rows::NOTE, "entries WHERE account_id = ?1 AND seq = ?2");
        let found = one(connection, &sql, params![account_id.bytes(), seq.0], rows::note)?;
        snapshot.notes.extend(found.map(|note| ((*account_id, *seq), note)));
    }
    Ok(())
}

fn refundable(connection: &Connection, id: coffer_ledger::ChargeId) -> Result<Option<Refundable>> {
    let Some(entry) = read::entry_of_charge(connection, id)? else { return Ok(None) };
    let hold = match entry.origin.hold_id {
        Some(hold_id) => read::hold_alone(connection, hold_id)?,
        None => None,
    };
    let refunded = read::refunded(connection, id)?;
    Ok(Refundable::of_entry(&entry, hold.map(|hold| hold.created_at), refunded))
}

fn remembered(
    connection: &Connection,
    account_id: AccountId,
    key: &IdempotencyKey,
) -> Result<Option<Remembered>> {
    let name = params![account_id.bytes(), key.as_str()];
    let sql = select(rows::ENTRY, "entries WHERE account_id = ?1 AND idempotency_key = ?2");
    if let Some(entry) = one(connection, &sql, name, rows::entry)? {
        return of_entry(connection, &entry).map(Some);
    }
    let sql = select(rows::REMEMBERED, "remembered WHERE account_id = ?1 AND idempotency_key = ?2");
    let grant = |id: GrantId| read::grant(connection, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows);
    let (fingerprint, outcome) = match one(connection, &sql, name, rows::remembered)? {
        None => return Ok(None),
        Some(RememberedRow::Refusal(fingerprint, refusal)) => (fingerprint, Outcome::Refused(refusal)),
        Some(RememberedRow::PendingGrant(fingerprint, id)) => {
            (fingerprint, Outcome::Granted(grant(id)?.as_pending()))
        }
        Some(RememberedRow::VoidedPendingGrant(fingerprint, id)) => {
            (fingerprint, Outcome::GrantVoided(Grant::as_voided(grant(id)?)))
        }
    };
    Ok(Some(Remembered { fingerprint, outcome }))
}

fn of_entry(connection: &Connection, entry: &Entry) -> Result<Remembered> {
    let outcome = Outcome::of_entry(entry, related(connection, entry)?);
    let fingerprint = entry.idempotency.as_ref().map(|idempotency| idempotency.fingerprint);
    match (fingerprint, outcome) {
        (Some(fingerprint), Some(outcome)) => Ok(Remembered { fingerprint, outcome }),
        (None, _) | (_, None) => Err(rusqlite::Error::QueryReturnedNoRows),
    }
}

/// What the answer shows beside the entry.
fn related(connection: &Connection, entry: &Entry) -> Result<Related> {
    match entry.kind {
        EntryKind::Grant | EntryKind::Void => {
            let grant = match entry.origin.grant_id {
                Some(grant_id) => read::grant(connection, grant_id)?,
                None => None,
            };
            Ok(Related { grant, hold: None })
        }
        EntryKind::Hold => {
            let hold = hold_of(connection, entry.origin.hold_id)?;
            Ok(Related { grant: None, hold: hold.map(|hold| HoldRecord::of_entry(hold, entry)) })
        }
        EntryKind::Release => {
            let hold = match entry.origin.hold_id {
                Some(id) => read::hold(connection, id)?,
                None => None,
            };
            Ok(Related { grant: None, hold })
        }
        EntryKind::Charge
        | EntryKind::Capture
        | EntryKind::Refund
        | EntryKind::Expire
        | EntryKind::Adjust => Ok(Related::default()),
    }
}

fn hold_of(connection: &Connection, id: Option<HoldId>) -> Result<Option<Hold>> {
    match id {
        Some(id) => read::hold_alone(connection, id),
        None => Ok(None),
    }
}
