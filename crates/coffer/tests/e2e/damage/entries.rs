//! A stored entry with one bit turned over.

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use rusqlite::params;
use rusqlite::types::Value;

use super::{Damaged, account_id, flipped};

/// Where an entry stands in its account; nothing that anybody reads depends on it.
const NOT_OF_THE_LEDGER: &str = "number";

/// What is to be damaged: a column of an entry.
struct Place {
    number: i64,
    account_id: Vec<u8>,
    seq: i64,
    kind: String,
    value: Value,
}

fn columns(damaged: &Damaged) -> Vec<String> {
    let connection = damaged.connection();
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info('entries')").expect("SQL");
    let names = statement.query_map([], |row| row.get::<_, String>(0)).expect("SQL");
    names.map(|name| name.expect("a name")).filter(|name| name != NOT_OF_THE_LEDGER).collect()
}

/// The first and the last entry of each kind that has something in a column.
fn places(damaged: &Damaged, column: &str) -> Vec<Place> {
    let connection = damaged.connection();
    let sql = format!(
        "SELECT number, account_id, seq, kind, {column} FROM entries WHERE number IN \
         (SELECT min(number) FROM entries WHERE length({column}) > 0 GROUP BY kind UNION \
          SELECT max(number) FROM entries WHERE length({column}) > 0 GROUP BY kind)"
    );
    let mut statement = connection.prepare(&sql).expect("SQL");
    let place = |row: &rusqlite::Row<'_>| {
        let (number, account_id, seq) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Place { number, account_id, seq, kind: row.get(3)?, value: row.get(4)? })
    };
    let places = statement.query_map([], place).expect("SQL");
    places.map(|place| place.expect("a row")).collect()
}

/// Whether a text names an account and one of its entries.
fn names(text: &str, account: &str, seq: i64) -> bool {
    let entry = format!("entry {seq}");
    let names_entry = |line: &str| {
        let after = line.split_once(&entry).map(|(_, after)| after);
        after.is_some_and(|after| !after.starts_with(|next: char| next.is_ascii_digit()))
    };
    text.lines().any(|line| line.contains(account) && names_entry(line))
}

#[tokio::test]
async fn a_bit_of_any_column_is_found_and_named() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let whole = Damaged::copy().await;
    for column in columns(&whole) {
        let places = places(&whole, &column);
        assert!(!places.is_empty(), "some entry has something in {column}");
        for place in places {
            let damaged = Damaged::copy().await;
            let value = flipped(&place.value, random.random_range(0..512)).expect("a bit");
            let what =
                format!("{column} of {} {}: {:?} became {value:?}", place.kind, place.seq, place.value);
            let sql = format!("UPDATE entries SET {column} = ?1 WHERE number = ?2");
            let changed = damaged.connection().execute(&sql, params![value, place.number]);
            if let Err(error) = changed {
                // The file's own rules refuse it: two entries with one number, for example.
                assert!(error.to_string().contains("UNIQUE"), "{what}: {error}");
                continue;
            }
            let said = damaged.found(&what);
            assert!(names(&said, &account_id(&place.account_id), place.seq), "{what}: {said}");
        }
    }
}

#[tokio::test]
async fn an_entry_that_is_missing_is_named() {
    let whole = Damaged::copy().await;
    for place in places(&whole, "hash") {
        let damaged = Damaged::copy().await;
        damaged.change(&format!("DELETE FROM entries WHERE number = {}", place.number));
        let what = format!("{} {} is gone", place.kind, place.seq);
        let said = damaged.found(&what);
        let last_is_missing = format!("is at entry {}, and the last is {}", place.seq, place.seq - 1);
        let middle_is_missing = format!("entry {} is missing", place.seq);
        let account = account_id(&place.account_id);
        let lines: Vec<&str> = said.lines().filter(|line| line.contains(&account)).collect();
        let is_named =
            lines.iter().any(|line| line.contains(&last_is_missing) || line.contains(&middle_is_missing));
        assert!(is_named, "{what}: {said}");
    }
}

#[tokio::test]
async fn an_entry_that_was_put_in_is_named() {
    let damaged = Damaged::copy().await;
    // As somebody would who wants more credits and does not know of hashes.
    let (account, seq): (Vec<u8>, i64) = {
        let connection = damaged.connection();
        let sql = "SELECT id, seq FROM accounts ORDER BY seq DESC LIMIT 1";
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("an account")
    };
    let sql = "INSERT INTO entries (account_id, seq, kind, credits, held_credits, available_after, held_after, lots, \
               adjustment_id, at, idempotency_key, fingerprint, hash) \
               SELECT account_id, seq + 1, 'adjust', 1000000, 0, available_after + 1000000, held_after, x'', \
               zeroblob(16), at, 'new', zeroblob(32), hash FROM entries WHERE account_id = ?1 AND seq = ?2";
    assert_eq!(damaged.connection().execute(sql, params![account, seq]), Ok(1));
    let said = damaged.found("an entry was put in");
    assert!(names(&said, &account_id(&account), seq + 1), "{said}");
}

#[tokio::test]
async fn a_request_that_an_entry_has_lost_is_named() {
    let whole = Damaged::copy().await;
    for place in places(&whole, "idempotency_key") {
        let damaged = Damaged::copy().await;
        let sql = "UPDATE entries SET idempotency_key = NULL, fingerprint = NULL WHERE number =";
        damaged.change(&format!("{sql} {}", place.number));
        let what = format!("{} {} has no idempotency key", place.kind, place.seq);
        let said = damaged.found(&what);
        assert!(names(&said, &account_id(&place.account_id), place.seq), "{what}: {said}");
    }
}
