//! Random histories, walked through the model and through the stores.
//!
//! Every run has another seed, which a failure tells beside the shortest history that still fails. The same run once
//! more: `PROPTEST_RNG_SEED=… cargo test -p coffer-model`; a longer one: `PROPTEST_CASES=…`.

mod walks;

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};

use coffer_model::{Mismatch, Mix, Step, history};
use proptest::prelude::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use walks::{in_memory, in_postgres, in_sqlite};

/// What a run of the first property must come to.
const STEPS_MIN: usize = 100_000;

/// How long a failing history may be shrunk, in milliseconds.
const SHRINK_MS_MAX: u32 = 120_000;

#[test]
fn the_memory_store_does_what_the_model_says() {
    let (cases, steps) = run(450, &history(Mix::Small, 0..=600), |steps| in_memory(Mix::Small, steps));
    assert!(steps >= STEPS_MIN || cases < 450, "{steps} steps are too few");
}

#[test]
fn one_long_history_comes_out_as_the_model_says() {
    run(1, &history(Mix::Small, 3_000..=3_000), |steps| in_memory(Mix::Small, steps));
}

#[test]
fn the_embedded_store_does_what_the_model_says_and_keeps_it() {
    run(12, &history(Mix::Small, 0..=300), in_sqlite);
}

#[test]
fn postgres_does_what_the_model_says_and_keeps_it() {
    run(6, &history(Mix::Small, 0..=200), in_postgres);
}

#[test]
fn amounts_at_the_edges_of_the_range_break_nothing() {
    run(100, &history(Mix::Huge, 0..=300), |steps| in_memory(Mix::Huge, steps));
}

/// Walks so many random histories, and says how many and how many steps it were.
fn run(
    cases: u32,
    histories: &impl Strategy<Value = Vec<Step>>,
    walk: impl Fn(&[Step]) -> Result<(), Mismatch>,
) -> (u32, usize) {
    let given = Config::default();
    let seed = match given.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one(cases),
    };
    let cases = std::env::var("PROPTEST_CASES").map_or(cases, |_| given.cases);
    eprintln!("PROPTEST_RNG_SEED={seed}, {cases} histories");
    let walked = Cell::new(0);
    let failed = Cell::new(false);
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        // A history that failed becomes a test of its own, below, in words that people can read.
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_shrink_time: SHRINK_MS_MAX,
        ..given
    };
    let result = TestRunner::new(config).run(histories, |steps| {
        if !failed.get() {
            walked.set(walked.get() + steps.len());
        }
        why_it_fails(&walk, &steps).map_or(Ok(()), |reason| {
            failed.set(true);
            Err(TestCaseError::fail(reason))
        })
    });
    match result {
        Ok(()) => (cases, walked.get()),
        Err(TestError::Abort(reason)) => panic!("no histories: {reason}"),
        Err(TestError::Fail(_, steps)) => {
            let (steps, reason) = shortest(steps, |steps| why_it_fails(&walk, steps));
            let steps: Vec<String> = steps.iter().map(|step| format!("    Step::{step:?},\n")).collect();
            panic!("PROPTEST_RNG_SEED={seed}\n\n{}\n{reason}\n", steps.concat());
        }
    }
}

fn why_it_fails(walk: impl Fn(&[Step]) -> Result<(), Mismatch>, steps: &[Step]) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| walk(steps))) {
        Ok(Ok(())) => None,
        Ok(Err(mismatch)) => Some(mismatch.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Some(format!("a panic: {}", text.unwrap_or("without a word")))
        }
    }
}

/// Takes steps and commands away as long as it still fails. What shrinking leaves standing is often there for the sake
/// of something that shrinking took away later.
fn shortest(mut steps: Vec<Step>, fails: impl Fn(&[Step]) -> Option<String>) -> (Vec<Step>, String) {
    let mut reason = fails(&steps).expect("what failed fails again");
    loop {
        let fewer = (0..steps.len()).flat_map(|place| fewer(&steps, place));
        match fewer.into_iter().find_map(|fewer| fails(&fewer).map(|reason| (fewer, reason))) {
            Some(shorter) => (steps, reason) = shorter,
            None => return (steps, reason),
        }
    }
}

/// The history without one step, and without each of its commands.
fn fewer(steps: &[Step], place: usize) -> Vec<Vec<Step>> {
    let mut without = steps.to_vec();
    let step = without.remove(place);
    let mut all = vec![without];
    if let Step::Batch(acts) = step
        && acts.len() > 1
    {
        for act in 0..acts.len() {
            let mut acts = acts.clone();
            acts.remove(act);
            let mut steps = steps.to_vec();
            steps[place] = Step::Batch(acts);
            all.push(steps);
        }
    }
    all
}
