//! Loading what a batch needs: accounts, keys and prices from memory, everything else from the file, with what trails
//! behind the journal laid over it.

use coffer_ledger::{
    AccountId, Entry, EntryKind, FurtherNeeds, Grant, GrantId, Hold, HoldId, HoldRecord, IdempotencyKey,
    Needs, Outcome, Refundable, Related, Remembered, Seq, Snapshot, Timestamp,
};
use rusqlite::{Connection, params};

use super::names::{EntryNumber, NameDigest, Names};
use super::people;
use super::published::Published;
use super::query::{JOURNAL, Result};
use super::query::{one, select};
use super::read;
use super::trailing::Trailing;
use crate::rows::{self, RememberedRow};

/// Where a batch is loaded from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) connection: &'a Connection,
    pub(super) published: &'a Published,
    pub(super) trailing: &'a Trailing,
    pub(super) names: &'a Names,
}

/// What the commands of a batch need, and what follows from that.
pub(super) fn snapshot(sources: Sources<'_>, needs: &Needs, clock: Timestamp) -> Result<Snapshot> {
    let mut snapshot = Snapshot::with_room_for(needs);
    from_memory(sources.published, needs, &mut snapshot);
    sources.read_file(needs, &mut snapshot)?;
    let further = snapshot.further_needs(needs, clock);
    sources.load_further(&further, &mut snapshot)?;
    Ok(snapshot)
}

fn from_memory(published: &Published, needs: &Needs, snapshot: &mut Snapshot) {
    for id in &needs.accounts {
        if let Some(account) = published.account(*id) {
            snapshot.accounts.insert(*id, account);
        }
    }
    for id in &needs.keys {
        if let Some(key) = published.key(*id) {
            snapshot.keys.insert(*id, key);
        }
    }
    for secret in &needs.secrets {
        if let Some(key) = published.key_by_secret(secret) {
            snapshot.secrets.insert(*secret, key.id);
        }
    }
    for operation in &needs.prices {
        if let Some(price) = published.price(operation) {
            snapshot.prices.insert(operation.clone(), price);
        }
    }
    if needs.operator_keys {
        snapshot.operator_keys = published.operator_keys();
    }
}

impl Sources<'_> {
    fn read_file(&self, needs: &Needs, snapshot: &mut Snapshot) -> Result<()> {
        let connection = self.connection;
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
            snapshot.grants.extend(self.grant(*id)?.map(|grant| (*id, grant)));
        }
        for id in &needs.charges {
            snapshot.charges.extend(refundable(connection, *id)?.map(|charge| (*id, charge)));
        }
        for (account_id, id) in &needs.holds {
            let is_open =
                snapshot.accounts.get(account_id).is_some_and(|account| account.holds.get(*id).is_some());
            if !is_open {
                snapshot.holds.extend(self.hold(*id)?.map(|hold| (*id, hold)));
            }
        }
        for id in &needs.key_profiles {
            let sql = select(rows::KEY_PROFILE, "key_profiles WHERE id = ?1");
            let found = one(connection, &sql, [id.bytes()], rows::key_profile)?;
            snapshot.key_profiles.extend(found.map(|profile| (*id, profile)));
        }
        people::load(connection, needs, snapshot)?;
        for (account_id, key) in &needs.remembered {
            if let Some(remembered) = self.remembered(*account_id, key)? {
                snapshot.remembered.insert((*account_id, key.clone()), remembered);
            }
        }
        Ok(())
    }

    fn load_further(&self, further: &FurtherNeeds, snapshot: &mut Snapshot) -> Result<()> {
        for id in &further.keys {
            if let Some(key) = self.published.key(*id) {
                snapshot.keys.insert(*id, key);
            }
        }
        for id in &further.lots {
            snapshot.lots.extend(self.grant(*id)?.map(|grant| (*id, grant.lot)));
        }
        for (account_id, seq) in &further.notes {
            let note = match self.trailing.place(*account_id, *seq) {
                Some(number) => {
                    let sql = select(rows::NOTE, "entries WHERE number = ?1");
                    one(self.connection, &sql, [number.0], rows::note)?
                }
                None => {
                    let sql = select(rows::NOTE, &format!("{JOURNAL} AND place.seq = ?2"));
                    one(self.connection, &sql, params![account_id.bytes(), seq.0], rows::note)?
                }
            };
            snapshot.notes.extend(note.map(|note| ((*account_id, *seq), note)));
        }
        Ok(())
    }

    fn grant(&self, id: GrantId) -> Result<Option<Grant>> {
        let Some(mut grant) = read::grant(self.connection, id)? else { return Ok(None) };
        if let Some(lot) = self.trailing.lot(grant.account_id, id) {
            grant.lot = lot.clone();
        }
        Ok(Some(grant))
    }

    fn hold(&self, id: HoldId) -> Result<Option<Hold>> {
        let Some(hold) = read::hold_alone(self.connection, id)? else { return Ok(None) };
        Ok(Some(self.trailing.hold(hold.account_id, id).cloned().unwrap_or(hold)))
    }

    fn hold_record(&self, id: HoldId) -> Result<Option<HoldRecord>> {
        let Some(hold) = self.hold(id)? else { return Ok(None) };
        let made_by = self.entry(hold.account_id, hold.seq)?;
        Ok(Some(HoldRecord::of_entry(hold, &made_by)))
    }

    /// An entry that is there.
    fn entry(&self, account_id: AccountId, seq: Seq) -> Result<Entry> {
        let found = match self.trailing.place(account_id, seq) {
            Some(number) => entry(self.connection, number)?,
            None => {
                let sql = select(rows::ENTRY, &format!("{JOURNAL} AND place.seq = ?2"));
                one(self.connection, &sql, params![account_id.bytes(), seq.0], rows::entry)?
            }
        };
        found.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    fn remembered(&self, account_id: AccountId, key: &IdempotencyKey) -> Result<Option<Remembered>> {
        let digest = NameDigest::of(account_id, key);
        for number in self.names.find(self.connection, digest)? {
            let entry = entry(self.connection, number)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            let is_it = |idempotency: &coffer_ledger::Idempotency| idempotency.key == *key;
            if entry.account_id == account_id && entry.idempotency.as_ref().is_some_and(is_it) {
                return self.of_entry(&entry).map(Some);
            }
        }
        if !self.names.may_be_without_entry(digest) {
            return Ok(None);
        }
        let name = params![account_id.bytes(), key.as_str()];
        let sql = select(rows::REMEMBERED, "remembered WHERE account_id = ?1 AND idempotency_key = ?2");
        let grant = |id: GrantId| self.grant(id)?.ok_or(rusqlite::Error::QueryReturnedNoRows);
        let (fingerprint, outcome) = match one(self.connection, &sql, name, rows::remembered)? {
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

    fn of_entry(&self, entry: &Entry) -> Result<Remembered> {
        let outcome = Outcome::of_entry(entry, self.related(entry)?);
        let fingerprint = entry.idempotency.as_ref().map(|idempotency| idempotency.fingerprint);
        match (fingerprint, outcome) {
            (Some(fingerprint), Some(outcome)) => Ok(Remembered { fingerprint, outcome }),
            (None, _) | (_, None) => Err(rusqlite::Error::QueryReturnedNoRows),
        }
    }

    /// What the answer shows beside the entry.
    fn related(&self, entry: &Entry) -> Result<Related> {
        match entry.kind {
            EntryKind::Grant | EntryKind::Void => {
                let grant = match entry.origin.grant_id {
                    Some(grant_id) => self.grant(grant_id)?,
                    None => None,
                };
                Ok(Related { grant, hold: None })
            }
            EntryKind::Hold => {
                let hold = match entry.origin.hold_id {
                    Some(id) => self.hold(id)?,
                    None => None,
                };
                Ok(Related { grant: None, hold: hold.map(|hold| HoldRecord::of_entry(hold, entry)) })
            }
            EntryKind::Release => {
                let hold = match entry.origin.hold_id {
                    Some(id) => self.hold_record(id)?,
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
}

fn entry(connection: &Connection, number: EntryNumber) -> Result<Option<Entry>> {
    one(connection, &select(rows::ENTRY, "entries WHERE number = ?1"), [number.0], rows::entry)
}

/// What a hold that was captured is known by never changes, so its row is good enough.
fn refundable(connection: &Connection, id: coffer_ledger::ChargeId) -> Result<Option<Refundable>> {
    let Some(entry) = read::entry_of_charge(connection, id)? else { return Ok(None) };
    let hold = match entry.origin.hold_id {
        Some(hold_id) => read::hold_alone(connection, hold_id)?,
        None => None,
    };
    let refunded = read::refunded(connection, id)?;
    Ok(Refundable::of_entry(&entry, hold.map(|hold| hold.created_at), refunded))
}
