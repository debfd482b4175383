//! The walk through time against a search through all places: a model so naive that it cannot be wrong.

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::answers::Window;
use super::claims::Span;
use super::credits::{Balance, Credits};
use super::journal::{EntryKind, EntrySeen, Journal};
use super::order::{Saw, Sight, SightKind, Write, check_order};
use super::record::Moment;

const HISTORIES: u64 = 20_000;
const MOMENTS: u64 = 12;

struct Small {
    journal: Journal,
    writes: Vec<Write<'static>>,
    sights: Vec<Sight>,
}

impl Small {
    /// A few writes and looks at random moments, seldom in an order that can be.
    fn random(random: &mut SmallRng) -> Small {
        let mut after = Balance::default();
        let mut journal = Journal { overdraft_limit: Credits::ZERO, entries: Vec::new() };
        let mut writes = Vec::new();
        for seq in 1..=random.random_range(1..4) {
            // Two amounts only, so that states come back.
            let change =
                Balance { available: Credits::whole(random.random_range(0..2)), held: Credits::ZERO };
            after = after + change;
            let (kind, none) = (EntryKind::Grant, None);
            let (grant_id, charge_id, hold_id, reference) = (none.clone(), none.clone(), none.clone(), none);
            let entry = EntrySeen { seq, kind, change, after, grant_id, charge_id, hold_id, reference };
            journal.entries.push(entry);
            writes.push(Write {
                name: "write",
                window: window(random),
                span: Span { first: seq, last: seq },
            });
        }
        let sights = (0..random.random_range(0..4)).map(|_| sight(&journal, random)).collect();
        Small { journal, writes, sights }
    }

    fn can_be(&self) -> bool {
        let writes: Vec<(Window, Place)> =
            self.writes.iter().map(|write| (write.window, Place(write.span.first, At::Entry))).collect();
        let mut placed = writes;
        self.can_place(&mut placed, &self.sights)
    }

    /// Tries every place for every sight.
    fn can_place(&self, placed: &mut Vec<(Window, Place)>, sights: &[Sight]) -> bool {
        let [sight, others @ ..] = sights else { return is_in_order(placed) };
        (0..=self.journal.last()).any(|seq| {
            let is_true = match sight.saw {
                Saw::Available(credits) => self.journal.after(seq).expect("a state").available == credits,
                Saw::State { seq: wanted, balance } => {
                    seq == wanted && self.journal.after(seq) == Some(balance)
                }
                Saw::Since(since) => since.is_some_and(|since| seq >= since),
            };
            placed.push((sight.window, Place(seq, At::After)));
            let can_be = is_true && self.can_place(placed, others);
            placed.pop();
            can_be
        })
    }
}

/// Where in the journal something is: an entry, or what follows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u64, At);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    Entry,
    After,
}

fn is_in_order(placed: &[(Window, Place)]) -> bool {
    placed.iter().all(|(earlier, before)| {
        placed.iter().all(|(later, after)| earlier.answered >= later.invoked || before <= after)
    })
}

fn window(random: &mut SmallRng) -> Window {
    let invoked = random.random_range(0..MOMENTS);
    let answered = if random.random_ratio(1, 8) { u64::MAX } else { random.random_range(invoked..=MOMENTS) };
    Window { invoked: Moment(invoked), answered: Moment(answered) }
}

fn sight(journal: &Journal, random: &mut SmallRng) -> Sight {
    let seq = random.random_range(0..=journal.last());
    let balance = journal.after(seq).expect("a state");
    let saw = match random.random_range(0..6) {
        0 => Saw::Since(Some(seq)),
        1 => Saw::State { seq, balance },
        _ => Saw::Available(balance.available),
    };
    Sight { window: window(random), saw, what: "sight".to_owned(), kind: SightKind::Read }
}

#[test]
fn the_walk_through_time_is_exact() {
    let mut could_be = 0;
    for seed in 0..HISTORIES {
        let small = Small::random(&mut SmallRng::seed_from_u64(seed));
        let mut anomalies = Vec::new();
        check_order(&small.journal, &small.writes, &small.sights, &mut anomalies);
        let can_be = small.can_be();
        assert_eq!(anomalies.is_empty(), can_be, "seed {seed}: {anomalies:?}");
        could_be += u64::from(can_be);
    }
    // Else one of the two answers would hardly have been tried.
    assert!((HISTORIES / 10..HISTORIES * 9 / 10).contains(&could_be), "{could_be} could be");
}
