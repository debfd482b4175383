//! Merging runs into a larger one, a few chunks at a time, so that no batch waits long.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rusqlite::Connection;

use super::Name;
use super::run::{CHUNK_NAMES, LastChunk, Run, Writing};
use crate::sqlite::query::Result;

/// How many runs of a level become one of the next.
const RUNS_MERGED: usize = if cfg!(test) { 3 } else { 8 };
/// Runs of this level are not merged any more: they have some four million names, or eight times as many in ledgers whose runs
/// were begun by a version that wrote larger ones.
pub(super) const LEVEL_MAX: u32 = 3;

/// A merge under way.
#[derive(Debug)]
pub(super) struct Merge {
    /// That of the runs that are merged.
    pub(super) level: u32,
    inputs: Vec<Input>,
    /// The next name of each input.
    next: BinaryHeap<Reverse<(Name, usize)>>,
    output: Writing,
}

/// How far a run has been read.
#[derive(Debug)]
struct Input {
    run: i64,
    next_chunk: usize,
    /// What has been read and not merged, last first.
    names: Vec<Name>,
}

/// Whether there are runs to be merged below a level.
pub(super) fn is_due(runs: &[Run], below: u32) -> bool {
    runs_due(runs, below).is_some()
}

/// The oldest runs of the lowest level of which there are enough. Runs of a level lie side by side.
fn runs_due(runs: &[Run], below: u32) -> Option<&[Run]> {
    (0..below).find_map(|level| {
        let first = runs.iter().position(|run| run.level == level)?;
        let due = runs.get(first..first + RUNS_MERGED)?;
        due.iter().all(|run| run.level == level).then_some(due)
    })
}

impl Merge {
    /// Begins with the runs below a level that are due, if any are, to write a run with this id.
    pub(super) fn of(connection: &Connection, id: i64, runs: &[Run], below: u32) -> Result<Option<Merge>> {
        let Some(due @ [first, .., last]) = runs_due(runs, below) else { return Ok(None) };
        let names = usize::try_from(last.through.0 - first.after.0).unwrap_or(usize::MAX);
        let output = Writing::begin(id, first.level + 1, first.after, last.through, names);
        let input = |run: &Run| Input { run: run.id, next_chunk: 0, names: Vec::new() };
        let inputs = due.iter().map(input).collect();
        let mut merge = Merge { level: first.level, inputs, next: BinaryHeap::new(), output };
        for place in 0..merge.inputs.len() {
            let name = merge.inputs[place].next(connection, runs)?;
            merge.next.extend(name.map(|name| Reverse((name, place))));
        }
        Ok(Some(merge))
    }

    /// Goes on for some chunks, and tells whether that was all.
    pub(super) fn step(
        &mut self,
        connection: &Connection,
        last: &mut LastChunk,
        runs: &[Run],
        chunks_max: usize,
    ) -> Result<bool> {
        for _ in 0..chunks_max * CHUNK_NAMES {
            let Some(Reverse((name, place))) = self.next.pop() else {
                let mut forget = connection.prepare_cached("DELETE FROM name_runs WHERE id = ?1")?;
                self.inputs.iter().try_for_each(|input| forget.execute([input.run]).map(|_| ()))?;
                self.output.finish(connection, last)?;
                return Ok(true);
            };
            self.output.push(connection, last, name)?;
            if let Some(name) = self.inputs[place].next(connection, runs)? {
                self.next.push(Reverse((name, place)));
            }
        }
        Ok(false)
    }

    /// What has been written; a run only where that is all.
    pub(super) fn into_run(self) -> Run {
        self.output.into_run()
    }
}

impl Input {
    fn next(&mut self, connection: &Connection, runs: &[Run]) -> Result<Option<Name>> {
        if self.names.is_empty() {
            let run = runs.iter().find(|run| run.id == self.run).expect("a run that is merged is there");
            self.names = run.chunk(connection, self.next_chunk)?;
            self.names.reverse();
            self.next_chunk += 1;
        }
        Ok(self.names.pop())
    }
}
