//! Names: which entry remembers the answer to a request, by the idempotency key that its caller gave it.
//!
//! Idempotency keys are random, so an index of them in one tree would have a page written for nearly every entry. Here the
//! newest names stay in memory, where they can be told from the journal again after a crash, and are written as sorted
//! runs of many thousands; runs are merged into larger ones in small steps beside the batches. Each run has a filter in
//! memory, so that a name that is new, as nearly all are, is looked for in no file. A name is a digest: whoever finds one
//! compares the entry.

mod filter;
mod merge;
mod run;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use coffer_ledger::{AccountId, Entry, IdempotencyKey};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use super::pace::Pace;
use super::query::{Result, each, one};
use crate::rows::{self, Columns};
use merge::Merge;
use run::{CHUNK_NAMES, ChunkId, LastChunk, Run, Writing};

/// How many names stay in memory before they become a run: so few that all of it is written at once, and no batch waits long.
pub(super) const UNWRITTEN_MAX: usize = if cfg!(test) { 24 } else { 8_192 };
/// How many chunks are merged for each chunk of names that is added, and how many are removed: one for each level, and one more
/// to catch up. With fewer than levels, runs would become ever more while nobody pauses.
const CHUNKS_FOR_ONE: usize = merge::LEVEL_MAX as usize + 1;
/// How many chunks are merged at a time at least.
const CHUNKS_A_STEP: usize = if cfg!(test) { 3 } else { 2 };
/// How many are when there is nothing else to do.
const IDLE_CHUNKS_A_STEP: usize = if cfg!(test) { 3 } else { 16 };

/// The number of an entry in the journal of all accounts: the order in which they were written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(super) struct EntryNumber(pub(super) u64);

/// What stands for an idempotency key in its account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct NameDigest(u64);

impl NameDigest {
    /// The first 8 bytes of the SHA-256 over the account's id and the key.
    pub(super) fn of(account_id: AccountId, key: &IdempotencyKey) -> NameDigest {
        let digest = Sha256::new().chain_update(account_id.bytes()).chain_update(key.as_str()).finalize();
        let first = digest.first_chunk().expect("a SHA-256 has 32 bytes");
        NameDigest(u64::from_be_bytes(*first))
    }

    /// That of the request which caused an entry.
    pub(super) fn of_entry(entry: &Entry) -> Option<NameDigest> {
        let idempotency = entry.idempotency.as_ref()?;
        Some(NameDigest::of(entry.account_id, &idempotency.key))
    }
}

/// A name, and the entry that it is of.
type Name = (NameDigest, EntryNumber);

/// Names that are in no run yet. Nearly all are looked for once and not found.
#[derive(Debug, Default)]
struct Unwritten {
    numbers: HashMap<NameDigest, EntryNumber, foldhash::fast::RandomState>,
    /// Those of which another one has the digest.
    twins: Vec<Name>,
}

impl Unwritten {
    fn add(&mut self, name: NameDigest, number: EntryNumber) {
        if let Some(other) = self.numbers.insert(name, number) {
            self.twins.push((name, other));
        }
    }

    fn find(&self, name: NameDigest) -> impl Iterator<Item = EntryNumber> {
        let twins = self.twins.iter().filter(move |(twin, _)| *twin == name).map(|(_, number)| *number);
        self.numbers.get(&name).copied().into_iter().chain(twins)
    }

    fn len(&self) -> usize {
        self.numbers.len() + self.twins.len()
    }

    fn sorted(&self) -> Vec<Name> {
        let numbers = self.numbers.iter().map(|(name, number)| (*name, *number));
        let mut names = Vec::from_iter(numbers.chain(self.twins.iter().copied()));
        names.sort_unstable();
        names
    }
}

/// All names, those that have been written and those that have not.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Oldest first, side by side.
    runs: Vec<Run>,
    unwritten: Unwritten,
    /// The last entry whose name may be unwritten.
    last: EntryNumber,
    /// The names under which an answer may be remembered that no entry carries.
    without_entry: HashSet<NameDigest, foldhash::fast::RandomState>,
    /// Merges under way, each of runs of a lower level than the one before. The last one is gone on with, so that small runs do
    /// not pile up behind a merge of large ones.
    merges: Vec<Merge>,
    /// Chunks of runs that have been merged into another, or were never finished.
    discarded: Vec<ChunkId>,
    /// What a step has come to, until it is known whether it was committed.
    step: Option<Step>,
    last_run: i64,
    last_chunk: LastChunk,
}

impl Names {
    /// The runs of a file. Names of entries after [`Names::through`] are to be added.
    pub(super) fn open(connection: &Connection) -> Result<Names> {
        let (runs, discarded) = run::all_of(connection)?;
        let mut names = Names { runs, discarded, ..Names::default() };
        names.last = names.through();
        names.last_chunk = LastChunk::of(connection)?;
        let sql = "SELECT max(coalesce((SELECT max(id) FROM name_runs), 0), \
                   coalesce((SELECT max(run) FROM name_chunks), 0))";
        let number = |columns: &mut Columns<'_>| columns.integer();
        names.last_run = one(connection, sql, [], number)?.unwrap_or(0);
        names.read_without_entry(connection)?;
        Ok(names)
    }

    /// Reads anew under which names answers are remembered that no entry carries: some have been forgotten.
    pub(super) fn read_without_entry(&mut self, connection: &Connection) -> Result<()> {
        self.without_entry = HashSet::default();
        let sql = "SELECT account_id, idempotency_key FROM remembered";
        let row = |columns: &mut Columns<'_>| {
            Ok(NameDigest::of(rows::account_id(columns)?, &columns.text::<IdempotencyKey>()?))
        };
        each(connection, sql, [], row, |name| self.add_without_entry(name))
    }

    /// The last entry whose name is in a run.
    pub(super) fn through(&self) -> EntryNumber {
        self.runs.last().map_or_else(EntryNumber::default, |run| run.through)
    }

    /// Adds the name of an entry, if it has one. Entries come in their order.
    pub(super) fn add(&mut self, name: Option<NameDigest>, number: EntryNumber) {
        if let Some(name) = name {
            self.unwritten.add(name, number);
        }
        self.last = number;
    }

    /// Adds the name of an answer that no entry carries.
    pub(super) fn add_without_entry(&mut self, name: NameDigest) {
        self.without_entry.insert(name);
    }

    /// Whether an answer that no entry carries may be remembered by a name.
    pub(super) fn may_be_without_entry(&self, name: NameDigest) -> bool {
        self.without_entry.contains(&name)
    }

    /// Entries that may be remembered by a name.
    pub(super) fn find(&self, connection: &Connection, name: NameDigest) -> Result<Vec<EntryNumber>> {
        let mut found = Vec::from_iter(self.unwritten.find(name));
        for run in &self.runs {
            run.find(connection, name, &mut found)?;
        }
        Ok(found)
    }

    /// How many names are in the runs.
    pub(super) fn written(&self) -> u64 {
        self.runs.iter().map(Run::names).sum()
    }

    /// Whether there is something to be written.
    pub(super) fn is_due(&self) -> bool {
        self.unwritten.len() >= UNWRITTEN_MAX
            || !self.merges.is_empty()
            || !self.discarded.is_empty()
            || merge::is_due(&self.runs, merge::LEVEL_MAX)
    }

    /// Takes a step, in a transaction of its caller's: writes a run, and goes on with removing and merging. Whether that was
    /// committed is to be told: [`Names::took`], [`Names::failed`].
    pub(super) fn step(&mut self, connection: &Connection, pace: Pace) -> Result<()> {
        let chunks_max = match pace {
            Pace::After { entries } => (entries * CHUNKS_FOR_ONE).div_ceil(CHUNK_NAMES).max(CHUNKS_A_STEP),
            Pace::Idle => IDLE_CHUNKS_A_STEP,
        };
        let is_full = self.unwritten.len() >= UNWRITTEN_MAX;
        let written = is_full.then(|| self.write_run(connection)).transpose()?;
        let kept = self.discarded.len().saturating_sub(chunks_max);
        run::remove_chunks(connection, &self.discarded[kept..])?;
        let merge = self.next_merge(connection)?;
        let Step { merge, is_whole, .. } = self.step.insert(Step { written, kept, merge, is_whole: false });
        if let Some(merge) = merge {
            *is_whole = merge.step(connection, &mut self.last_chunk, &self.runs, chunks_max)?;
        }
        Ok(())
    }

    /// Takes out the merge of the smallest runs, which may be a new one.
    fn next_merge(&mut self, connection: &Connection) -> Result<Option<Merge>> {
        let below = self.merges.last().map_or(merge::LEVEL_MAX, |merge| merge.level);
        if merge::is_due(&self.runs, below) {
            self.last_run += 1;
            self.merges.extend(Merge::of(connection, self.last_run, &self.runs, below)?);
        }
        Ok(self.merges.pop())
    }

    fn write_run(&mut self, connection: &Connection) -> Result<Run> {
        self.last_run += 1;
        let (after, through) = (self.through(), self.last);
        let mut writing = Writing::begin(self.last_run, 0, after, through, self.unwritten.len());
        for name in self.unwritten.sorted() {
            writing.push(connection, &mut self.last_chunk, name)?;
        }
        writing.finish(connection, &mut self.last_chunk)?;
        Ok(writing.into_run())
    }

    /// The step has been committed.
    pub(super) fn took(&mut self) {
        let Some(Step { written, kept, merge, is_whole }) = self.step.take() else { return };
        self.discarded.truncate(kept);
        if let Some(run) = written {
            self.unwritten = Unwritten::default();
            self.runs.push(run);
        }
        match merge {
            Some(merge) if is_whole => self.replace(merge.into_run()),
            under_way => self.merges.extend(under_way),
        }
    }

    /// Puts a run in the place of those that were merged into it.
    fn replace(&mut self, merged: Run) {
        let is_part = |run: &Run| merged.after <= run.after && run.through <= merged.through;
        let place = self.runs.iter().position(is_part).expect("what was merged is there");
        let end = self.runs.iter().rposition(is_part).expect("what was merged is there") + 1;
        let parts = self.runs.splice(place..end, [merged]);
        self.discarded.extend(parts.flat_map(Run::into_chunks));
    }

    /// The step has been rolled back, if it came to one: its merge begins anew. What that wrote in this last step was never there,
    /// which is no reason not to remove it.
    pub(super) fn failed(&mut self) {
        let merge = self.step.take().and_then(|step| step.merge);
        self.discarded.extend(merge.into_iter().flat_map(|merge| merge.into_run().into_chunks()));
    }
}

/// What a step came to.
#[derive(Debug)]
struct Step {
    written: Option<Run>,
    /// How many discarded chunks are left.
    kept: usize,
    /// The merge that went on,
    merge: Option<Merge>,
    /// and whether it has come to its end.
    is_whole: bool,
}
