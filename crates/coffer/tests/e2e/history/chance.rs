//! The checker against histories at random: those of a correct server pass, however much happens at once, and no lost
//! or doubled entry hides in them.

use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::credits::{Balance, Credits};
use super::journal::EntrySeen;
use super::proof::anomalies;
use super::record::{Payer, Request};
use super::synthetic::World;

/// A correct server's history with so many operations, most of them at the same time as others.
fn random_world(seed: u64, operations: u64) -> World {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut world = World::new(Credits::whole(3));
    for number in 1..=operations {
        let moment = number * 1_000;
        let mut wait =
            || moment.saturating_sub(random.random_range(0..9_000))..moment + random.random_range(1..9_000);
        let (first, second) = (wait(), wait());
        let name = format!("operation-{number}");
        let request = random_request(&world, &mut random);
        match random.random_range(0..20) {
            0 => world.read(first),
            1 => world.send_twice(&name, request, first.start / 2, second),
            2 if has_reference(&request) => {
                world.send(&name, request, first);
                world.operation(&name).tries[0].answer = None;
            }
            3 => {
                world.send(&name, request, first.clone());
                world.repeat(&name, second.start + 20_000..second.end + 20_000);
            }
            _ => world.send(&name, request, first),
        }
    }
    world
}

/// Whether the entry of a request names it, so that it is found without an answer.
fn has_reference(request: &Request) -> bool {
    matches!(request, Request::Grant { .. } | Request::Charge { .. } | Request::Hold { .. })
}

fn random_request(world: &World, random: &mut SmallRng) -> Request {
    let credits = Credits::whole(random.random_range(1..6));
    let mut recent = |prefix: &str| {
        let some: Vec<&String> = world.made(prefix).take(5).collect();
        some.choose(random).map(|id| (*id).clone())
    };
    let (hold, charge) = (recent("hld"), recent("chg"));
    let is_final = random.random();
    match (random.random_range(0..12), hold, charge) {
        (0..3, _, _) => Request::Grant { credits },
        (3..5, _, _) => Request::Hold { credits, payer: Payer::Account },
        (5, Some(hold), _) => Request::Release { hold },
        (6..8, Some(hold), _) => Request::Capture { hold, credits, is_final },
        (8, _, Some(charge)) => Request::Refund { charge, credits: None },
        _ => Request::Charge { credits, payer: Payer::Account },
    }
}

#[test]
fn every_history_of_a_correct_server_passes() {
    for seed in 0..200 {
        let found = anomalies(&random_world(seed, 300));
        assert_eq!(found, [], "seed {seed}");
    }
}

#[test]
fn one_entry_too_few_or_too_many_is_always_caught() {
    for seed in 0..200 {
        let world = random_world(seed, 300);
        let mut random = SmallRng::seed_from_u64(seed);
        let entries = &world.journal.entries;
        let at = random.random_range(0..entries.len());
        let mut lost = entries.clone();
        lost.remove(at);
        let mut doubled = entries.clone();
        doubled.insert(at, entries[at].clone());
        for (what, changed) in [("lost", lost), ("doubled", doubled)] {
            let mut world = world.clone();
            world.journal.entries = renumbered(changed);
            assert_ne!(anomalies(&world), [], "seed {seed}: entry {at} {what}");
        }
    }
}

/// Entries that are numbered and add up again.
fn renumbered(mut entries: Vec<EntrySeen>) -> Vec<EntrySeen> {
    let mut after = Balance::default();
    for (seq, entry) in (1..).zip(&mut entries) {
        after = after + entry.change;
        (entry.seq, entry.after) = (seq, after);
    }
    entries
}

#[test]
fn a_hundred_thousand_events_are_checked_in_no_time() {
    let world = random_world(1, 100_000);
    let began = Instant::now();
    assert_eq!(anomalies(&world), []);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
