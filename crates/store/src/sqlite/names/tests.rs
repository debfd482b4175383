//! Names against a plain map, through runs, merges, transactions that fail and files that are opened anew.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rusqlite::Connection;

use super::{EntryNumber, NameDigest, Names, Pace};

const STEPS: usize = 4_000;

fn open() -> Connection {
    let connection = Connection::open_in_memory().expect("memory");
    connection
        .execute_batch(
            "CREATE TABLE name_runs (id INTEGER PRIMARY KEY, level INTEGER, after INTEGER, through INTEGER, names INTEGER); \
             CREATE TABLE name_chunks (id INTEGER PRIMARY KEY, run INTEGER, names BLOB); \
             CREATE TABLE remembered (account_id BLOB, idempotency_key TEXT); CREATE TABLE entries (number INTEGER PRIMARY KEY)",
        )
        .expect("tables");
    connection
}

/// How a step ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Committed,
    RolledBack,
    /// Where it writes a chunk, as if there were no space for it; or as if it had not come to that.
    NoSpace,
}

const NO_SPACE: &str = "CREATE TEMP TRIGGER no_space BEFORE INSERT ON name_chunks WHEN NEW.id % 3 = 0 \
                        BEGIN SELECT RAISE(FAIL, 'no space'); END";

/// Takes one step after some entries, and tells how it has ended.
fn step(connection: &Connection, names: &mut Names, entries: usize, end: End) -> End {
    let pace = if entries == 0 { Pace::Idle } else { Pace::After { entries } };
    if end == End::NoSpace {
        connection.execute_batch(NO_SPACE).expect("a trigger");
    }
    // Of the merges under way, only the last one is gone on with.
    let levels = |names: &Names| Vec::from_iter(names.merges.iter().map(|merge| merge.level));
    let merging = levels(names);
    let transaction = connection.unchecked_transaction().expect("a transaction");
    let end = match (names.step(&transaction, pace), end) {
        (Ok(()), End::Committed | End::NoSpace) => End::Committed,
        (Ok(()), End::RolledBack) => End::RolledBack,
        (Err(_), End::NoSpace) => End::NoSpace,
        (Err(error), End::Committed | End::RolledBack) => panic!("{error}"),
    };
    if end == End::Committed {
        transaction.commit().expect("a commit");
        names.took();
    } else {
        transaction.rollback().expect("a roll-back");
        names.failed();
        let left = levels(names);
        assert!(merging.starts_with(&left) && left.len() + 1 >= merging.len(), "{left:?} of {merging:?}");
    }
    connection.execute_batch("DROP TRIGGER IF EXISTS no_space").expect("SQL");
    end
}

fn assert_finds(
    connection: &Connection,
    names: &Names,
    model: &BTreeMap<u64, BTreeSet<EntryNumber>>,
    name: u64,
) {
    let found = names.find(connection, NameDigest(name)).expect("a search");
    let told: BTreeSet<EntryNumber> = found.iter().copied().collect();
    assert_eq!(told.len(), found.len(), "nothing is found twice");
    assert_eq!(told, model.get(&name).cloned().unwrap_or_default(), "what is found by {name}");
}

#[test]
fn what_is_added_is_found_whatever_happens_meanwhile() {
    let seed = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let connection = open();
    let mut names = Names::open(&connection).expect("names");
    let mut model: BTreeMap<u64, BTreeSet<EntryNumber>> = BTreeMap::new();
    let mut added: Vec<Option<NameDigest>> = Vec::new();
    let mut levels = BTreeSet::new();
    let mut ended: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..STEPS {
        let entries = random.random_range(0..6);
        for _ in 0..entries {
            // Few enough that digests meet, and so do the chunks that they stand in.
            let name = random.random_bool(0.9).then(|| random.random_range(0..400) << 55);
            added.push(name.map(NameDigest));
            let number = EntryNumber(added.len() as u64);
            connection.execute("INSERT INTO entries VALUES (?1)", [number.0]).expect("a row");
            names.add(name.map(NameDigest), number);
            if let Some(name) = name {
                model.entry(name).or_default().insert(number);
            }
        }
        let end = match random.random_range(0..60) {
            0 => End::RolledBack,
            1 => End::NoSpace,
            _ => End::Committed,
        };
        let end = step(&connection, &mut names, entries, end);
        ended.entry(format!("{end:?}")).and_modify(|count| *count += 1).or_insert(1);
        levels.extend(names.runs.iter().map(|run| run.level));
        // Not at the end, for chunks that are forgotten come to light when the file is opened.
        if number < STEPS / 2 && random.random_bool(0.01) {
            names = Names::open(&connection).expect("names");
            for (name, number) in added.iter().zip(1..).skip(names.through().0 as usize) {
                names.add(*name, EntryNumber(number));
            }
        }
        assert_finds(&connection, &names, &model, random.random_range(0..401) << 55);
    }
    (0..401).for_each(|name| assert_finds(&connection, &names, &model, name << 55));
    assert_eq!(levels, BTreeSet::from([0, 1, 2, 3]), "there were runs of every level");
    println!("steps: {ended:?}");
    while names.is_due() {
        step(&connection, &mut names, 0, End::Committed);
    }
    let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count");
    let orphans = count("SELECT count(*) FROM name_chunks WHERE run NOT IN (SELECT id FROM name_runs)");
    assert_eq!(orphans, 0, "chunks of runs that are none any more are removed");
    let mut after = EntryNumber(0);
    for run in &names.runs {
        assert_eq!(run.after, after, "runs lie side by side");
        after = run.through;
    }
}
