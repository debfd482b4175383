//! What trails behind the journal: rows of accounts, lots, holds and keys, and the places of entries, that have been
//! committed and are not in their tables yet.
//!
//! A batch writes its entries and one redo row, which says how everything that it changed stands now. The tables are
//! brought up to date account by account, in the order of their ids, some after each batch and more when there is nothing
//! else to do: so accounts that lie side by side share a write, and one that changes all the time is written now and then.
//! Everything that trails of an account is written at once; the account's row then tells how far its entries are placed.
//! Once the sweep has come round, the redo rows from before it are removed.

mod image;
mod recovery;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coffer_ledger::{AccountId, Changes, Entry, EntryKind, GrantId, Hold, HoldId, Key, KeyId, Lot, Seq};
use rusqlite::{Connection, params};

use super::names::EntryNumber;
use super::published::Published;
use super::query::Result;
use super::write;
use image::Images;
use sweep::Sweep;

pub(super) use recovery::{bring_in, lay_over, recover};

/// What has been committed and is not in its table yet.
#[derive(Debug, Default)]
pub(super) struct Trailing {
    accounts: BTreeMap<AccountId, Behind>,
    /// How many entries of all accounts have no place in their table yet.
    places: usize,
    sweep: Sweep,
}

/// What of one account is not in its table yet, besides its own row: most have little, so that a few short lists take less
/// than a tree of their own. Each is sorted. Holds may be many, and end in another order than they were made.
#[derive(Debug, Default)]
struct Behind {
    lots: Vec<Lot>,
    holds: BTreeMap<HoldId, Hold>,
    keys: Vec<KeyId>,
    places: Vec<(Seq, EntryNumber)>,
}

/// Puts a row where it belongs, in the place of what was known of it.
fn put<Row, Id: Ord>(rows: &mut Vec<Row>, row: Row, id: impl Fn(&Row) -> Id) {
    if rows.capacity() == 0 {
        // One is what most have.
        rows.reserve_exact(1);
    }
    match rows.binary_search_by_key(&id(&row), &id) {
        Ok(index) => rows[index] = row,
        Err(index) => rows.insert(index, row),
    }
}

/// The row with this id, if there is one.
fn found<'rows, Row, Id: Ord>(rows: &'rows [Row], id: &Id, id_of: impl Fn(&Row) -> Id) -> Option<&'rows Row> {
    rows.binary_search_by_key(id, id_of).ok().map(|index| &rows[index])
}

/// What a batch has changed, and what of it is written at once.
pub(super) struct Written<'changes> {
    changes: &'changes Changes,
    /// The number of its first entry.
    first: EntryNumber,
    /// Accounts that are new, or change in what only their tables tell (their profile, or text that is erased): all of
    /// theirs is written at once.
    accounts: BTreeSet<AccountId>,
    /// Lots that are new: their rows are among those of the grants.
    lots: BTreeSet<GrantId>,
    /// Holds that are new: whose a hold is, is looked up in their table.
    holds: BTreeSet<HoldId>,
}

impl Written<'_> {
    pub(super) fn of(changes: &Changes, first: EntryNumber) -> Written<'_> {
        let erased = changes.erasures.iter().map(|erasure| erasure.account_id);
        let made = changes.entries.iter().filter(|entry| entry.kind == EntryKind::Hold);
        Written {
            changes,
            first,
            accounts: changes.account_profiles.keys().copied().chain(erased).collect(),
            lots: changes.grants.iter().map(|grant| grant.lot.grant_id).collect(),
            holds: made.filter_map(|entry| entry.origin.hold_id).collect(),
        }
    }

    /// The accounts of which everything is written at once.
    pub(super) fn accounts(&self) -> &BTreeSet<AccountId> {
        &self.accounts
    }

    fn is_at_once(&self, id: AccountId) -> bool {
        self.accounts.contains(&id)
    }

    /// The lots that were there before and have changed, with their accounts.
    fn changed_lots(&self) -> impl Iterator<Item = (AccountId, &Lot)> {
        let is_old = |lot: &&Lot| !self.lots.contains(&lot.grant_id);
        self.changes
            .lots
            .iter()
            .map(|((account_id, _), lot)| (*account_id, lot))
            .filter(move |(_, lot)| is_old(lot))
    }

    /// Whether a key's row is written: a secret is unique among all keys, and has to be in the table.
    fn is_key_at_once(&self, key: &Key) -> bool {
        self.changes.key_profiles.contains_key(&key.id) || self.is_at_once(key.account_id)
    }
}

/// Whether a batch has a redo row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(super) enum Redo {
    Written,
    /// It changed nothing that trails.
    Needless,
}

impl Trailing {
    /// Whether everything is in its table.
    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && !self.sweep.has_redo()
    }

    pub(super) fn contains(&self, id: AccountId) -> bool {
        self.accounts.contains_key(&id)
    }

    /// A lot that may be used up, where it is not in its table as it stands.
    pub(super) fn lot(&self, account_id: AccountId, id: GrantId) -> Option<&Lot> {
        found(&self.accounts.get(&account_id)?.lots, &id, |lot| lot.grant_id)
    }

    /// A hold that may have ended, where it is not in its table as it stands.
    pub(super) fn hold(&self, account_id: AccountId, id: HoldId) -> Option<&Hold> {
        self.accounts.get(&account_id)?.holds.get(&id)
    }

    /// Where an entry is, if the table of places does not tell.
    pub(super) fn place(&self, account_id: AccountId, seq: Seq) -> Option<EntryNumber> {
        found(&self.accounts.get(&account_id)?.places, &seq, |(seq, _)| *seq).map(|(_, number)| *number)
    }

    /// The accounts of which holds trail.
    pub(super) fn accounts_with_holds(&self) -> Vec<AccountId> {
        let with_holds = self.accounts.iter().filter(|(_, behind)| !behind.holds.is_empty());
        with_holds.map(|(id, _)| *id).collect()
    }

    /// Writes what a batch has changed of that which may trail: what is to be in its table at once, and the redo row. What
    /// trailed of these accounts before is written with it.
    pub(super) fn write_batch(
        &self,
        connection: &Connection,
        published: &Published,
        batch: &Written<'_>,
    ) -> Result<Redo> {
        let behind = batch.accounts.iter().filter(|id| self.contains(**id));
        self.write(connection, published, &Vec::from_iter(behind.copied()))?;
        let changes = batch.changes;
        write::accounts(
            connection,
            changes.accounts.iter().map(Arc::as_ref).filter(|account| batch.is_at_once(account.id)),
        )?;
        let lots = batch.changed_lots().filter(|(account_id, _)| batch.is_at_once(*account_id));
        write::lot_states(connection, lots.map(|(_, lot)| lot))?;
        let is_hold_at_once =
            |hold: &&Hold| batch.holds.contains(&hold.id) || batch.is_at_once(hold.account_id);
        write::holds(connection, changes.holds.values().filter(is_hold_at_once))?;
        write::keys(
            connection,
            changes.keys.iter().map(Arc::as_ref).filter(|key| batch.is_key_at_once(key)),
        )?;
        let entries = numbered(changes, batch.first).filter(|(entry, _)| batch.is_at_once(entry.account_id));
        write::places(connection, entries.map(|(entry, number)| (entry.account_id, entry.seq, number)))?;
        self.write_redo(connection, batch)
    }

    fn write_redo(&self, connection: &Connection, batch: &Written<'_>) -> Result<Redo> {
        let changes = batch.changes;
        let mut images = Images::default();
        changes.accounts.iter().for_each(|account| images.account(account));
        changes.lots.iter().for_each(|((account_id, _), lot)| images.lot(*account_id, lot));
        changes.holds.values().for_each(|hold| images.hold(hold));
        changes.keys.iter().for_each(|key| images.key(key));
        if images.is_empty() {
            return Ok(Redo::Needless);
        }
        let sql = "INSERT INTO redo (id, first_entry, images) VALUES (?1, ?2, ?3)";
        let id = self.sweep.next_redo();
        connection.prepare_cached(sql)?.execute(params![id, batch.first.0, images.as_bytes()])?;
        Ok(Redo::Written)
    }

    /// Takes in what a batch has committed.
    pub(super) fn absorb(&mut self, batch: &Written<'_>, redo: Redo) {
        let changes = batch.changes;
        batch.accounts.iter().for_each(|id| self.forget(*id));
        for account in changes.accounts.iter().filter(|account| !batch.is_at_once(account.id)) {
            self.account(account.id);
        }
        for (account_id, lot) in batch.changed_lots().filter(|(id, _)| !batch.is_at_once(*id)) {
            self.account(account_id).lot(lot.clone());
        }
        // A new hold is in its table, but not the place of the entry that made it, which a reader of it needs.
        for hold in changes.holds.values().filter(|hold| !batch.is_at_once(hold.account_id)) {
            self.account(hold.account_id).hold(hold.clone());
        }
        for key in changes.keys.iter().filter(|key| !batch.is_key_at_once(key)) {
            self.account(key.account_id).key(key.id);
        }
        for (entry, number) in numbered(changes, batch.first) {
            if !batch.is_at_once(entry.account_id) {
                self.entry(entry.account_id, entry.seq, number);
            }
        }
        self.sweep.wrote(redo);
    }

    /// What trails of an account, from now on.
    fn account(&mut self, id: AccountId) -> &mut Behind {
        self.accounts.entry(id).or_default()
    }

    fn entry(&mut self, account_id: AccountId, seq: Seq, number: EntryNumber) {
        self.account(account_id).place(seq, number);
        self.places += 1;
    }

    /// Writes all that trails of some accounts, table by table. They trail until [`Trailing::forget`].
    pub(super) fn write(
        &self,
        connection: &Connection,
        published: &Published,
        ids: &[AccountId],
    ) -> Result<()> {
        const THERE: &str = "what trails was published";
        let accounts = ids.iter().map(|id| published.account(*id).expect(THERE));
        write::account_states(connection, accounts)?;
        let behind = Vec::from_iter(ids.iter().filter_map(|id| Some((*id, self.accounts.get(id)?))));
        write::lot_states(connection, behind.iter().flat_map(|(_, behind)| &behind.lots))?;
        write::holds(connection, behind.iter().flat_map(|(_, behind)| behind.holds.values()))?;
        let keys = behind.iter().flat_map(|(_, behind)| &behind.keys);
        write::key_states(connection, keys.map(|id| published.key(*id).expect(THERE)))?;
        let places = behind.iter().flat_map(|(id, behind)| behind.places.iter().map(|place| (*id, *place)));
        write::places(connection, places.map(|(id, (seq, number))| (id, seq, number)))
    }

    /// What trailed of an account is in its tables now.
    pub(super) fn forget(&mut self, id: AccountId) {
        if let Some(behind) = self.accounts.remove(&id) {
            self.places -= behind.places.len();
        }
    }
}

impl Behind {
    fn lot(&mut self, lot: Lot) {
        put(&mut self.lots, lot, |lot| lot.grant_id);
    }

    fn hold(&mut self, hold: Hold) {
        self.holds.insert(hold.id, hold);
    }

    fn key(&mut self, id: KeyId) {
        put(&mut self.keys, id, |id| *id);
    }

    fn place(&mut self, seq: Seq, number: EntryNumber) {
        put(&mut self.places, (seq, number), |(seq, _)| *seq);
    }
}

/// The entries of a batch with their numbers.
pub(super) fn numbered(changes: &Changes, first: EntryNumber) -> impl Iterator<Item = (&Entry, EntryNumber)> {
    changes.entries.iter().zip(first.0..).map(|(entry, number)| (entry, EntryNumber(number)))
}
