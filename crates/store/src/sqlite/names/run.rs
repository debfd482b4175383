//! A run: names sorted by their digests, in chunks, with a filter in memory that tells which are not in it.

use std::collections::HashMap;

use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::filter::Filter;
use super::{EntryNumber, Name, NameDigest};
use crate::rows::{self, Columns};
use crate::sqlite::query::{Result, all, each, one};

/// How many names a chunk has. A page holds one chunk.
pub(super) const CHUNK_NAMES: usize = if cfg!(test) { 4 } else { 250 };
const NAME_BYTES: usize = 16;

/// The number of a chunk in its table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sqlite) struct ChunkId(i64);

#[derive(Debug)]
pub(in crate::sqlite) struct Run {
    pub(super) id: i64,
    pub(super) level: u32,
    /// The run has the names of the entries after this one,
    pub(super) after: EntryNumber,
    /// and through this one.
    pub(super) through: EntryNumber,
    names: u64,
    /// What each chunk begins with, in this order.
    chunks: Vec<(Name, ChunkId)>,
    filter: Filter,
}

/// A run that is being written. Its ids are those of no run and no chunk, not even of one that was never committed.
#[derive(Debug)]
pub(super) struct Writing {
    run: Run,
    chunk: Vec<Name>,
}

/// The last chunk there was.
#[derive(Debug, Default)]
pub(super) struct LastChunk(i64);

impl LastChunk {
    pub(super) fn of(connection: &Connection) -> Result<LastChunk> {
        let number = |columns: &mut Columns<'_>| columns.integer();
        let last = one(connection, "SELECT coalesce(max(id), 0) FROM name_chunks", [], number)?;
        Ok(LastChunk(last.unwrap_or(0)))
    }

    fn next(&mut self) -> ChunkId {
        self.0 += 1;
        ChunkId(self.0)
    }
}

impl Run {
    fn begin(id: i64, level: u32, after: EntryNumber, through: EntryNumber, names: usize) -> Run {
        Run { id, level, after, through, names: 0, chunks: Vec::new(), filter: Filter::of(names) }
    }

    fn add(&mut self, id: ChunkId, names: &[Name]) {
        self.chunks.extend(names.first().map(|first| (*first, id)));
        for (name, _) in names {
            self.filter.add(*name);
            self.names += 1;
        }
    }

    /// Adds the entries that the run knows by a name.
    pub(super) fn find(
        &self,
        connection: &Connection,
        name: NameDigest,
        found: &mut Vec<EntryNumber>,
    ) -> Result<()> {
        if !self.filter.may_have(name) {
            return Ok(());
        }
        // Names with one digest may go over from one chunk to the next.
        let end = self.chunks.partition_point(|(first, _)| first.0 <= name);
        for (first, id) in self.chunks[..end].iter().rev() {
            let names = read(connection, *id)?;
            let of_name = names.iter().filter(|(digest, _)| *digest == name);
            found.extend(of_name.map(|(_, number)| *number));
            if first.0 < name {
                break;
            }
        }
        Ok(())
    }

    /// The names of a chunk, counted from the first; nothing where the run ends.
    pub(super) fn chunk(&self, connection: &Connection, place: usize) -> Result<Vec<Name>> {
        self.chunks.get(place).map_or(Ok(Vec::new()), |(_, id)| read(connection, *id))
    }

    /// All its chunks.
    pub(super) fn into_chunks(self) -> impl Iterator<Item = ChunkId> {
        self.chunks.into_iter().map(|(_, id)| id)
    }

    /// How many names it has.
    pub(super) fn names(&self) -> u64 {
        self.names
    }
}

impl Writing {
    /// Begins a run of some names.
    pub(super) fn begin(
        id: i64,
        level: u32,
        after: EntryNumber,
        through: EntryNumber,
        names: usize,
    ) -> Writing {
        Writing { run: Run::begin(id, level, after, through, names), chunk: Vec::with_capacity(CHUNK_NAMES) }
    }

    pub(super) fn push(&mut self, connection: &Connection, last: &mut LastChunk, name: Name) -> Result<()> {
        self.chunk.push(name);
        if self.chunk.len() >= CHUNK_NAMES { self.write_chunk(connection, last) } else { Ok(()) }
    }

    /// Writes what is left. The run exists once this is committed.
    pub(super) fn finish(&mut self, connection: &Connection, last: &mut LastChunk) -> Result<()> {
        if !self.chunk.is_empty() {
            self.write_chunk(connection, last)?;
        }
        let Run { id, level, after, through, names, .. } = self.run;
        let sql = "INSERT INTO name_runs (id, level, after, through, names) VALUES (?1, ?2, ?3, ?4, ?5)";
        connection.prepare_cached(sql)?.execute(params![id, level, after.0, through.0, names]).map(|_| ())
    }

    /// What has been written; a run only where it is finished.
    pub(super) fn into_run(self) -> Run {
        self.run
    }

    fn write_chunk(&mut self, connection: &Connection, last: &mut LastChunk) -> Result<()> {
        let id = last.next();
        self.run.add(id, &self.chunk);
        let names: Vec<u8> = self.chunk.iter().flat_map(|name| name_bytes(*name)).collect();
        self.chunk.clear();
        let sql = "INSERT INTO name_chunks (id, run, names) VALUES (?1, ?2, ?3)";
        connection.prepare_cached(sql)?.execute(params![id.0, self.run.id, names]).map(|_| ())
    }
}

/// All runs of a file, oldest first, and the chunks of no run. What is missing would be forgotten, and so charged again: the
/// runs lie side by side from the first entry on, none goes beyond the last, and each has all its names.
pub(super) fn all_of(connection: &Connection) -> Result<(Vec<Run>, Vec<ChunkId>)> {
    let number = |columns: &mut Columns<'_>| columns.count();
    let last = one(connection, "SELECT coalesce(max(number), 0) FROM entries", [], number)?.unwrap_or(0);
    let sql = "SELECT id, level, after, through, names FROM name_runs ORDER BY after";
    let row = |columns: &mut Columns<'_>| {
        let (id, level) = (columns.integer()?, columns.count()?);
        let level = u32::try_from(level).map_err(|_| columns.meaningless("level"))?;
        let (after, through) = (EntryNumber(columns.count()?), EntryNumber(columns.count()?));
        let names = columns.count()?;
        // An entry has one name at the most. There would be a filter for as many as this.
        let entries = through.0.min(last).saturating_sub(after.0);
        let expected = usize::try_from(names.min(entries)).expect("entries of a file");
        Ok((Run::begin(id, level, after, through, expected), names))
    };
    let (mut runs, expected): (Vec<Run>, Vec<u64>) = all(connection, sql, [], row)?.into_iter().unzip();
    let places: HashMap<i64, usize> = runs.iter().enumerate().map(|(place, run)| (run.id, place)).collect();
    let mut of_none = Vec::new();
    let row =
        |columns: &mut Columns<'_>| Ok((ChunkId(columns.integer()?), columns.integer()?, chunk(columns)?));
    each(connection, "SELECT id, run, names FROM name_chunks ORDER BY id", [], row, |(id, run, names)| {
        match places.get(&run) {
            Some(place) => runs[*place].add(id, &names),
            None => of_none.push(id),
        }
    })?;
    let mut end = EntryNumber::default();
    for (run, names) in runs.iter().zip(expected) {
        let is_whole = run.after == end && run.through > run.after && run.names == names;
        if !is_whole || run.through.0 > last {
            return Err(rusqlite::Error::FromSqlConversionFailure(
                0,
                Type::Integer,
                format!("run {} of idempotency keys is not whole, or the one before it is missing", run.id)
                    .into(),
            ));
        }
        end = run.through;
    }
    Ok((runs, of_none))
}

/// Removes chunks that are of no run any more.
pub(super) fn remove_chunks(connection: &Connection, ids: &[ChunkId]) -> Result<()> {
    let mut remove = connection.prepare_cached("DELETE FROM name_chunks WHERE id = ?1")?;
    ids.iter().try_for_each(|id| remove.execute([id.0]).map(|_| ()))
}

fn read(connection: &Connection, id: ChunkId) -> Result<Vec<Name>> {
    let names = one(connection, "SELECT names FROM name_chunks WHERE id = ?1", [id.0], chunk)?;
    names.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

fn name_bytes((digest, number): Name) -> [u8; NAME_BYTES] {
    let whole = (u128::from(digest.0) << 64) | u128::from(number.0);
    whole.to_be_bytes()
}

fn chunk(columns: &mut Columns<'_>) -> rows::Result<Vec<Name>> {
    let bytes = columns.blob()?;
    let (names, rest) = bytes.as_chunks::<NAME_BYTES>();
    if names.is_empty() || !rest.is_empty() {
        return Err(columns.meaningless("whole names"));
    }
    let name = |bytes: &[u8; NAME_BYTES]| {
        let whole = u128::from_be_bytes(*bytes);
        let number = u64::try_from(whole & u128::from(u64::MAX)).expect("64 bits");
        (NameDigest(u64::try_from(whole >> 64).expect("64 bits")), EntryNumber(number))
    };
    Ok(names.iter().map(name).collect())
}
