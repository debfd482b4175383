//! Filling what is published at the start: all accounts with their open lots and holds, and all keys.
//!
//! Every core takes part, with a connection of its own. Each takes some thousand accounts that lie side by side, reads what
//! belongs to them in the order of their ids, and publishes each once, whole; then it takes the next.

use std::collections::HashMap;
use std::iter::Peekable;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{available_parallelism, scope};

use coffer_ledger::{AccountId, KeyId, Lot, RetiredSecret};
use rusqlite::Connection;

use super::Published;
use crate::sqlite::read::{self, Stretch};
use crate::sqlite::schema;

/// How many accounts are taken at a time.
const ACCOUNTS_TAKEN: u32 = 8_192;
/// More would wait for the disk rather than for each other.
const THREADS_MAX: usize = 4;

pub(super) fn accounts_and_keys(
    published: &Published,
    connection: &Connection,
    path: &Path,
) -> rusqlite::Result<()> {
    // They are few, and those of a key come in the order in which they die.
    let mut retired: HashMap<KeyId, Vec<RetiredSecret>> = HashMap::new();
    read::each_retired_secret(connection, |(id, secret)| retired.entry(id).or_default().push(secret))?;
    let loading = Loading { published, retired, next: Mutex::new(Next::After(None)) };
    let threads = available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    scope(|scope| {
        let load = || loading.load(&schema::open_for_reading(path)?);
        let threads = Vec::from_iter((0..threads).map(|_| scope.spawn(load)));
        let ended =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        ended.collect()
    })
}

struct Loading<'start> {
    published: &'start Published,
    retired: HashMap<KeyId, Vec<RetiredSecret>>,
    next: Mutex<Next>,
}

/// Where the accounts begin that nobody has taken.
#[derive(Clone, Copy)]
enum Next {
    /// Behind this one, or with the first.
    After(Option<AccountId>),
    End,
}

impl Loading<'_> {
    fn load(&self, connection: &Connection) -> rusqlite::Result<()> {
        while let Some(stretch) = self.take(connection)? {
            self.accounts(connection, &stretch)?;
            read::each_key(connection, &stretch, |mut key| {
                key.retired = self.retired.get(&key.id).cloned().unwrap_or_default();
                self.published.publish_key(&key);
            })?;
        }
        Ok(())
    }

    fn take(&self, connection: &Connection) -> rusqlite::Result<Option<Stretch>> {
        let mut next = self.next.lock().expect("no thread panics while it takes the next");
        let Next::After(after) = *next else { return Ok(None) };
        let stretch = Stretch::next(connection, after, ACCOUNTS_TAKEN)?;
        *next =
            if stretch.through == AccountId::MAX { Next::End } else { Next::After(Some(stretch.through)) };
        Ok(Some(stretch))
    }

    fn accounts(&self, connection: &Connection, stretch: &Stretch) -> rusqlite::Result<()> {
        let (mut lots, mut holds) = (Vec::new(), Vec::new());
        read::each_open_lot(connection, stretch, |lot| lots.push(lot))?;
        read::each_open_hold(connection, stretch, |hold| holds.push((hold.account_id, hold)))?;
        let (mut lots, mut holds) = (lots.into_iter().peekable(), holds.into_iter().peekable());
        read::each_account(connection, stretch, |mut account| {
            account.lots = Vec::from_iter(of_account(&mut lots, account.id));
            account.lots.sort_by_key(Lot::burn_order);
            of_account(&mut holds, account.id).for_each(|hold| account.holds.insert(hold));
            self.published.publish_account(&Arc::new(account));
        })
    }
}

/// What belongs to an account, of rows in the order of their accounts. What belongs to none that is there is passed over: that
/// is for `verify` to tell.
fn of_account<Row>(
    rows: &mut Peekable<impl Iterator<Item = (AccountId, Row)>>,
    id: AccountId,
) -> impl Iterator<Item = Row> {
    while rows.next_if(|(of, _)| *of < id).is_some() {}
    std::iter::from_fn(move || rows.next_if(|(of, _)| *of == id).map(|(_, row)| row))
}
