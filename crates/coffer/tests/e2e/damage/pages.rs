//! Bits turned over in the file itself, wherever they lie in the rows of entries.

use std::ops::Range;

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::{Damaged, account_id};

const PAGE_BYTES: usize = 4096;
const FLIPS: usize = 250;
/// What a page of a table's rows begins with.
const LEAF_OF_A_TABLE: u8 = 0x0d;

/// Where in the file the rows of entries lie.
fn rows(connection: &Connection, file: &[u8]) -> Vec<Range<usize>> {
    let sql = "SELECT pageno FROM dbstat WHERE name = 'entries' AND pagetype = 'leaf'";
    let mut statement = connection.prepare(sql).expect("SQL");
    let pages = statement.query_map([], |row| row.get::<_, usize>(0)).expect("SQL");
    pages.flat_map(|page| rows_of_page(file, (page.expect("a page") - 1) * PAGE_BYTES)).collect()
}

fn rows_of_page(file: &[u8], start: usize) -> Vec<Range<usize>> {
    let page = &file[start..start + PAGE_BYTES];
    assert_eq!(page[0], LEAF_OF_A_TABLE);
    let number = |at: usize| usize::from(u16::from_be_bytes([page[at], page[at + 1]]));
    let row = |row: usize| {
        let begins = number(8 + 2 * row);
        let (payload_bytes, of_length) = varint(&page[begins..]);
        let (_, of_number) = varint(&page[begins + of_length..]);
        start + begins..start + begins + of_length + of_number + payload_bytes
    };
    (0..number(3)).map(row).collect()
}

/// A number as SQLite writes lengths, and in how many bytes.
fn varint(bytes: &[u8]) -> (usize, usize) {
    let mut number = 0;
    for (place, byte) in bytes.iter().enumerate() {
        number = number << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return (number, place + 1);
        }
    }
    panic!("a number has an end");
}

/// Everything that the entries say to whoever reads them; nothing where they cannot be read.
fn read(connection: &Connection) -> Option<Vec<Vec<Value>>> {
    let mut statement = connection.prepare("SELECT * FROM entries ORDER BY account_id, seq").ok()?;
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (1..columns).map(|column| row.get(column)).collect();
    statement.query_map([], row).ok()?.collect::<rusqlite::Result<_>>().ok()
}

#[tokio::test]
async fn a_bit_anywhere_in_the_row_of_an_entry_is_found() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let whole = Damaged::copy().await;
    let content = std::fs::read(whole.file()).expect("the file is there");
    let rows = rows(&whole.connection(), &content);
    let in_good_order = read(&whole.connection());
    let accounts: Vec<String> = {
        let connection = whole.connection();
        let mut statement = connection.prepare("SELECT id FROM accounts").expect("SQL");
        let ids = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("SQL");
        ids.map(|id| account_id(&id.expect("an id"))).collect()
    };
    assert!(rows.len() > 30, "there are entries");

    let mut without_effect = 0;
    for _ in 0..FLIPS {
        let row = rows[random.random_range(0..rows.len())].clone();
        let (place, bit) = (random.random_range(row), random.random_range(0..8));
        let damaged = Damaged::copy().await;
        let mut bytes = content.clone();
        bytes[place] ^= 1 << bit;
        std::fs::write(damaged.file(), bytes).expect("the file can be written");
        let ended = damaged.verify();
        match ended.code {
            Some(1) => {
                // Of a page that cannot be read no more can be said; and where the number of a row has changed, by
                // which only indexes know it, it is missing from these.
                let said = format!("{}{}", ended.stdout, ended.stderr);
                let is_named = accounts.iter().any(|account| said.contains(account));
                assert!(
                    is_named || said.contains("malformed") || said.contains("missing from index"),
                    "byte {place}, bit {bit}: {said}"
                );
            }
            // SQLite does not read all that it writes.
            Some(0) => {
                let unchanged = read(&damaged.connection()) == in_good_order;
                assert!(unchanged, "byte {place}, bit {bit}: entries have changed, and nothing is found");
                without_effect += 1;
            }
            _ => panic!("byte {place}, bit {bit}: {ended:?}"),
        }
    }
    assert!(without_effect < FLIPS / 20, "{without_effect} of {FLIPS} bits are of no effect");
}
