//! The order of time: that what was over before something else began also comes before it in the journal.
//!
//! The journal fixes the order of everything that changed an account. What only looked at it (a read, a refusal) has
//! to find a place between two entries where it is true. One walk through all moments decides whether there are
//! such places, and it is exact: everything takes the earliest place that it can have, after all that was over
//! before it began, so that nothing stands in the way of what comes later without need.

use std::collections::HashMap;

use super::anomaly::{Anomaly, Fault};
use super::answers::Window;
use super::claims::Span;
use super::credits::{Balance, Credits};
use super::journal::Journal;
use super::record::Moment;

/// Something that changed the account.
pub(super) struct Write<'a> {
    pub(super) name: &'a str,
    pub(super) window: Window,
    pub(super) span: Span,
}

/// Something that looked at the account and told what it saw.
pub(super) struct Sight {
    pub(super) window: Window,
    pub(super) saw: Saw,
    /// What to call it.
    pub(super) what: String,
    pub(super) kind: SightKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SightKind {
    Read,
    Refusal,
}

/// In which states a sight is true.
#[derive(Clone, Copy)]
pub(super) enum Saw {
    /// Wherever so much is available.
    Available(Credits),
    /// After this entry, if that is its balance.
    State { seq: u64, balance: Balance },
    /// After this entry and ever since; in no state without one.
    Since(Option<u64>),
}

/// Walks through a history, and adds what has no place in the journal.
pub(super) fn check_order(
    journal: &Journal,
    writes: &[Write],
    sights: &[Sight],
    anomalies: &mut Vec<Anomaly>,
) {
    let states = States::of(journal, writes);
    let ceilings = Ceilings::of(writes, journal.last());
    let mut floor = Floor::default();
    // Where each sight began to look.
    let mut lowest = vec![0; sights.len()];
    for (_, step) in steps(writes, sights) {
        match step {
            Step::Begins(Item::Write(index)) => {
                let Write { name, span, .. } = &writes[index];
                if floor.write >= span.first {
                    let what = format!(
                        "{name} began after entry {} was acknowledged, and is in entry {}",
                        floor.write, span.first
                    );
                    anomalies.push(Anomaly::new(Fault::AgainstTheOrderOfTime, what));
                }
            }
            Step::Begins(Item::Sight(index)) => lowest[index] = floor.of_all(),
            Step::Ends(Item::Write(index)) => floor.write = floor.write.max(writes[index].span.last),
            Step::Ends(Item::Sight(index)) => {
                let sight = &sights[index];
                let ceiling = ceilings.at(sight.window.answered);
                match states.place(sight.saw, lowest[index], ceiling) {
                    Ok(place) => floor.sight = floor.sight.max(place),
                    Err(fault) => anomalies.push(sight.anomaly(fault, lowest[index], ceiling)),
                }
            }
        }
    }
}

impl Sight {
    fn anomaly(&self, fault: Fault, lowest: u64, ceiling: u64) -> Anomaly {
        let fault = match self.kind {
            SightKind::Read => fault,
            SightKind::Refusal => Fault::FalseRefusal,
        };
        let Window { invoked, answered } = self.window;
        let what = format!(
            "{}, from {invoked:?} to {answered:?}, when the last entry was one of {lowest} to {ceiling}",
            self.what
        );
        Anomaly::new(fault, what)
    }
}

/// The last entry that somebody is known to have seen, by writing it or by looking.
#[derive(Default)]
struct Floor {
    write: u64,
    sight: u64,
}

impl Floor {
    fn of_all(&self) -> u64 {
        self.write.max(self.sight)
    }
}

/// At equal moments everything begins before anything ends: what is not surely in order is in none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Begins(Item),
    Ends(Item),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Write(usize),
    Sight(usize),
}

fn steps(writes: &[Write], sights: &[Sight]) -> Vec<(Moment, Step)> {
    let writes = writes.iter().enumerate().map(|(index, write)| (write.window, Item::Write(index)));
    let sights = sights.iter().enumerate().map(|(index, sight)| (sight.window, Item::Sight(index)));
    let both = |(window, item): (Window, Item)| {
        [(window.invoked, Step::Begins(item)), (window.answered, Step::Ends(item))]
    };
    let mut steps: Vec<_> = writes.chain(sights).flat_map(both).collect();
    steps.sort_unstable();
    steps
}

/// The states in which an account could be seen. Between the entries of one operation nobody sees it.
struct States<'a> {
    journal: &'a Journal,
    hidden: Vec<bool>,
    by_available: HashMap<Credits, Vec<u64>>,
}

impl<'a> States<'a> {
    fn of(journal: &'a Journal, writes: &[Write]) -> States<'a> {
        let last = journal.last();
        let mut hidden = vec![false; journal.entries.len() + 1];
        for Span { first, last } in writes.iter().map(|write| write.span) {
            for seq in first..last {
                hidden[index(seq)] = true;
            }
        }
        let mut by_available: HashMap<Credits, Vec<u64>> = HashMap::new();
        for seq in (0..=last).filter(|seq| !hidden[index(*seq)]) {
            let balance = journal.after(seq).expect("up to its last entry a journal has balances");
            by_available.entry(balance.available).or_default().push(seq);
        }
        States { journal, hidden, by_available }
    }

    /// The earliest state from `lowest` to `ceiling` in which a sight is true, or what is wrong with it.
    fn place(&self, saw: Saw, lowest: u64, ceiling: u64) -> Result<u64, Fault> {
        let place = match saw {
            Saw::Available(credits) => {
                let seqs = self.by_available.get(&credits).ok_or(Fault::ReadOfNoState)?;
                let next = seqs.partition_point(|seq| *seq < lowest);
                *seqs.get(next).ok_or(Fault::ReadOfThePast)?
            }
            Saw::State { seq, balance } => {
                let is_state = self.journal.after(seq) == Some(balance) && !self.hidden[index(seq)];
                is_state.then_some(seq).ok_or(Fault::ReadOfNoState)?
            }
            Saw::Since(seq) => seq.ok_or(Fault::ReadOfNoState)?.max(lowest),
        };
        match place {
            past if past < lowest => Err(Fault::ReadOfThePast),
            future if future > ceiling => Err(Fault::ReadFromTheFuture),
            place => Ok(place),
        }
    }
}

/// The last entry that can have been seen at a moment: the one before the first of all that was begun later.
struct Ceilings {
    /// Of all writes that begin at a moment or later, the first entry; in the order of the moments.
    first_from: Vec<(Moment, u64)>,
    last: u64,
}

impl Ceilings {
    fn of(writes: &[Write], last: u64) -> Ceilings {
        let mut first_from: Vec<_> =
            writes.iter().map(|write| (write.window.invoked, write.span.first)).collect();
        first_from.sort_unstable();
        let mut first = u64::MAX;
        for (_, seq) in first_from.iter_mut().rev() {
            first = first.min(*seq);
            *seq = first;
        }
        Ceilings { first_from, last }
    }

    fn at(&self, answered: Moment) -> u64 {
        let later = self.first_from.partition_point(|(invoked, _)| *invoked <= answered);
        self.first_from.get(later).map_or(self.last, |(_, first)| first - 1)
    }
}

fn index(seq: u64) -> usize {
    usize::try_from(seq).expect("a journal fits into memory")
}
