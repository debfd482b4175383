//! Filling what is published at the start: all accounts with their open lots and holds, and all keys.
//!
//! Where they are many, every core takes part. Each has a connection of its own, takes a thousand rows that lie side by
//! side, publishes them whole, and takes the next. As many must be found as were taken: a row that a damage has put out of
//! its place would hide others.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{available_parallelism, scope};

use coffer_ledger::{AccountId, Hold, KeyId, Lot, RetiredSecret};
use rusqlite::{Connection, ffi};

use super::Published;
use crate::sqlite::read::{self, Stretch, Untaken};
use crate::sqlite::schema;

/// How many accounts or keys are taken at a time.
const TAKEN: usize = if cfg!(test) { 3 } else { 1_024 };
/// More would wait for the disk rather than for each other.
const THREADS_MAX: usize = 4;
/// With no more accounts than this, one thread is quick enough: each leaves some megabytes behind in the allocator.
const ACCOUNTS_OF_ONE_THREAD: usize = if cfg!(test) { 2 * TAKEN } else { 250_000 };

pub(super) fn accounts_and_keys(
    published: &Published,
    connection: &Connection,
    path: &Path,
) -> rusqlite::Result<()> {
    // Those of a key come in the order in which they die.
    let mut retired: HashMap<KeyId, Vec<RetiredSecret>> = HashMap::new();
    read::each_retired_secret(connection, |(id, secret)| retired.entry(id).or_default().push(secret))?;
    let (accounts, keys) = (Untaken::all_of("accounts"), Untaken::all_of("keys"));
    let is_long = accounts.is_longer_than(connection, ACCOUNTS_OF_ONE_THREAD)?;
    let left = Mutex::new(Left { accounts, keys, is_given_up: false });
    let loading = Loading { published, retired, left };
    if !is_long {
        return loading.load(path);
    }
    let count = available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    scope(|scope| {
        let threads = Vec::from_iter((0..count).map(|_| scope.spawn(|| loading.load(path))));
        let ended =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        ended.collect()
    })
}

struct Loading<'start> {
    published: &'start Published,
    retired: HashMap<KeyId, Vec<RetiredSecret>>,
    left: Mutex<Left>,
}

/// What nobody has taken.
struct Left {
    accounts: Untaken,
    keys: Untaken,
    /// Whether a thread has failed, so that the others need not go on.
    is_given_up: bool,
}

/// What a thread takes.
enum Taken {
    Accounts(Stretch),
    Keys(Stretch),
}

impl Loading<'_> {
    fn load(&self, path: &Path) -> rusqlite::Result<()> {
        let loaded = self.load_all(path);
        if loaded.is_err() {
            self.left().is_given_up = true;
        }
        loaded
    }

    fn load_all(&self, path: &Path) -> rusqlite::Result<()> {
        let connection = schema::open_for_reading(path)?;
        while let Some(taken) = self.take(&connection)? {
            match taken {
                Taken::Accounts(stretch) => self.accounts(&connection, &stretch)?,
                Taken::Keys(stretch) => self.keys(&connection, &stretch)?,
            }
        }
        Ok(())
    }

    fn take(&self, connection: &Connection) -> rusqlite::Result<Option<Taken>> {
        let mut left = self.left();
        if left.is_given_up {
            return Ok(None);
        }
        if let Some(stretch) = left.accounts.take(connection, TAKEN)? {
            return Ok(Some(Taken::Accounts(stretch)));
        }
        Ok(left.keys.take(connection, TAKEN)?.map(Taken::Keys))
    }

    fn left(&self) -> std::sync::MutexGuard<'_, Left> {
        self.left.lock().expect("no thread panics while it takes what is left")
    }

    /// What belongs to no account is passed over: that is for `verify` to tell.
    fn accounts(&self, connection: &Connection, stretch: &Stretch) -> rusqlite::Result<()> {
        let mut lots: HashMap<AccountId, Vec<Lot>> = HashMap::new();
        read::each_open_lot(connection, stretch, |(id, lot)| lots.entry(id).or_default().push(lot))?;
        let mut holds: HashMap<AccountId, Vec<Hold>> = HashMap::new();
        read::each_open_hold(connection, stretch, |hold| {
            holds.entry(hold.account_id).or_default().push(hold);
        })?;
        let mut found = 0;
        read::each_account(connection, stretch, |mut account| {
            found += 1;
            account.lots = lots.remove(&account.id).unwrap_or_default();
            account.lots.sort_by_key(Lot::burn_order);
            account.lots.shrink_to_fit();
            for hold in holds.remove(&account.id).into_iter().flatten() {
                account.holds.insert(hold);
            }
            self.published.publish_account(&Arc::new(account));
        })?;
        check("accounts", found, stretch)
    }

    /// A retired secret stays taken after its time.
    fn keys(&self, connection: &Connection, stretch: &Stretch) -> rusqlite::Result<()> {
        let mut found = 0;
        read::each_key(connection, stretch, |mut key| {
            found += 1;
            key.retired = self.retired.get(&key.id).cloned().unwrap_or_default();
            self.published.publish_key(&key);
        })?;
        check("keys", found, stretch)
    }
}

fn check(what: &str, found: usize, stretch: &Stretch) -> rusqlite::Result<()> {
    if found == stretch.rows {
        return Ok(());
    }
    let damage = ffi::Error::new(ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(damage, Some(format!("the {what} are not in the order of their ids"))))
}

#[cfg(test)]
mod tests {
    use coffer_ledger::{
        Account, AccountId, Category, Credits, GrantId, Key, KeyId, Lot, Priority, SecretHash, Spent,
        Timestamp,
    };

    use super::TAKEN;
    use crate::DataDirectory;
    use crate::sqlite::published::Published;
    use crate::sqlite::{schema, write};

    fn account(number: usize) -> Account {
        let bytes = (number as u128) << 64 | 7;
        // As large as an id can be.
        let id = if number == 2 * TAKEN { u128::MAX } else { bytes };
        Account::new(AccountId::from_bytes(id.to_be_bytes()), Credits::ZERO, Timestamp::MIN)
    }

    fn lot(account: &Account, order: u32) -> Lot {
        let mut id = account.id.bytes();
        id[0] = u8::try_from(order).expect("few");
        let credits = Credits::from_whole(order.into()).expect("few");
        Lot {
            grant_id: GrantId::from_bytes(id),
            order,
            category: Category::Paid,
            priority: Priority::DEFAULT,
            effective_at: Timestamp::MIN,
            expires_at: None,
            granted: credits,
            remaining: credits,
            held: Credits::ZERO,
            expired: Credits::ZERO,
            started: true,
            held_when_voided: None,
        }
    }

    fn key(account: &Account) -> Key {
        Key {
            id: KeyId::from_bytes(account.id.bytes()),
            account_id: account.id,
            secret: SecretHash::from_bytes([account.id.bytes(); 2].concat().try_into().expect("32")),
            retired: Vec::new(),
            disabled: false,
            revoked_at: None,
            expires_at: None,
            limit: None,
            spent: Spent::default(),
        }
    }

    /// A ledger of so many accounts with two lots and a key each, and its directory.
    fn ledger(count: usize) -> (tempfile::TempDir, DataDirectory, rusqlite::Connection, Vec<Account>) {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let directory = DataDirectory::lock(temporary.path()).expect("nobody else is there");
        let connection = schema::open_for_writing(&directory).expect("a new file");
        let mut accounts = Vec::from_iter((1..=count).map(account));
        write::accounts(&connection, accounts.iter()).expect("written");
        write::keys(&connection, &Vec::from_iter(accounts.iter().map(key))).expect("written");
        for account in &mut accounts {
            account.lots = vec![lot(account, 1), lot(account, 2)];
            account.lots.iter().for_each(|lot| write::lot(&connection, account.id, lot).expect("written"));
        }
        (temporary, directory, connection, accounts)
    }

    #[test]
    fn every_account_is_loaded_whole() {
        for count in [0, 1, TAKEN - 1, TAKEN, TAKEN + 1, 2 * TAKEN, 5 * TAKEN + 1] {
            let (_temporary, directory, connection, accounts) = ledger(count);
            let published = Published::load(&connection, &directory.database()).expect("nothing is damaged");
            assert_eq!((published.accounts.len(), published.keys.len()), (accounts.len(), accounts.len()));
            for account in accounts {
                let holder = published.holder(&key(&account).secret).expect("its key is there");
                assert_eq!(*holder.account, account, "{count}");
            }
        }
    }

    /// An id whose bits have changed lies where nobody looks for it. Found by reading.
    #[test]
    fn no_account_goes_missing_unnoticed() {
        let (_temporary, directory, connection, accounts) = ledger(5 * TAKEN);
        let path = directory.database();
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("written to the file");
        drop(connection);
        let mut bytes = std::fs::read(&path).expect("a file");
        let id = accounts[1].id.bytes();
        let places = Vec::from_iter((0..bytes.len() - 16).filter(|place| bytes[*place..*place + 16] == id));
        places.iter().for_each(|place| bytes[*place] = 0xf0);
        std::fs::write(&path, bytes).expect("written");
        let connection = schema::open_for_reading(&path).expect("it can be opened");
        let refused = Published::load(&connection, &path).expect_err("accounts are missing");
        assert!(refused.to_string().contains("not in the order of their ids"), "{refused}");
    }
}
