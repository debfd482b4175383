//! At the start, what trails is read back from the redo rows and the journal; and it is laid over the tables for whoever
//! reads a file beside its server, or of a server that was killed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use coffer_ledger::{
    Account, AccountId, GrantId, Hold, HoldId, HoldStatus, IdempotencyKey, Key, KeyId, Lot, Seq,
};
use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::Trailing;
use super::image::{self, Image};
use super::sweep::Sweep;
use crate::rows::{self, Columns};
use crate::sqlite::names::{EntryNumber, NameDigest, Names, UNWRITTEN_MAX};
use crate::sqlite::pace::Pace;
use crate::sqlite::published::Published;
use crate::sqlite::query::{Result, all, each, one};
use crate::sqlite::{read, write};

/// Tables that what trails belongs in, and what their rows are known by.
const TABLES: [(&str, &str); 5] =
    [("accounts", "id"), ("lots", "grant_id"), ("holds", "id"), ("keys", "id"), ("entry_places", "number")];

/// What the redo rows and the journal tell.
#[derive(Default)]
struct Told {
    accounts: HashMap<AccountId, Account>,
    lots: BTreeMap<(AccountId, GrantId), Lot>,
    holds: BTreeMap<(AccountId, HoldId), Hold>,
    keys: BTreeMap<(AccountId, KeyId), Key>,
    places: BTreeMap<(AccountId, Seq), EntryNumber>,
    redo: Option<(i64, i64)>,
}

/// Brings what is published and the names to where the journal ends, and answers with them, what trails, and the journal's last
/// entry.
pub(in crate::sqlite) fn recover(
    connection: &Connection,
    published: &Published,
    names: Names,
) -> Result<(Trailing, Names, EntryNumber)> {
    let told = Told::read(connection)?;
    told.publish(published);
    let sweep = told.redo.map_or_else(Sweep::default, |(first, last)| Sweep::of_redo(first, last + 1));
    let trailing = told.trailing(sweep);
    let names = with_unwritten(names, connection)?;
    let number = |columns: &mut Columns<'_>| columns.count();
    let last = one(connection, "SELECT coalesce(max(number), 0) FROM entries", [], number)?;
    Ok((trailing, names, EntryNumber(last.unwrap_or(0))))
}

/// Brings all that trails into the tables of a file that nobody else writes to.
pub(in crate::sqlite) fn bring_in(connection: &mut Connection) -> Result<()> {
    let told = Told::read(connection)?;
    let transaction = connection.transaction()?;
    write::accounts(&transaction, told.whole_accounts(&transaction)?)?;
    write::lot_states(&transaction, told.lots.values())?;
    told.write_others(&transaction)?;
    transaction.execute("DELETE FROM redo", [])?;
    transaction.commit()
}

/// Makes the tables show what trails as if it were in them, to this connection alone, in a transaction of its caller's.
pub(in crate::sqlite) fn lay_over(connection: &Connection) -> Result<()> {
    let told = Told::read(connection)?;
    if told.redo.is_none() {
        return Ok(());
    }
    let accounts = told.whole_accounts(connection)?;
    for (table, _) in TABLES {
        let sql = "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?1";
        let sql: String = connection.query_row(sql, [table], |row| row.get(0))?;
        connection.execute_batch(&sql.replacen("CREATE TABLE", "CREATE TEMP TABLE", 1))?;
    }
    // A temporary table goes before the file's of the same name.
    write::accounts(connection, accounts)?;
    told.lots.iter().try_for_each(|((account_id, _), lot)| write::lot(connection, *account_id, lot))?;
    told.write_others(connection)?;
    for (table, id) in TABLES {
        // A place that trails is in no table yet: nothing has to be hidden.
        let hidden = if table == "entry_places" {
            String::new()
        } else {
            format!(" WHERE {id} NOT IN (SELECT {id} FROM temp.trailing_{table})")
        };
        connection.execute_batch(&format!(
            "ALTER TABLE temp.{table} RENAME TO trailing_{table}; \
             CREATE TEMP VIEW {table} AS SELECT * FROM temp.trailing_{table} UNION ALL \
             SELECT * FROM main.{table}{hidden}"
        ))?;
    }
    Ok(())
}

impl Told {
    fn read(connection: &Connection) -> Result<Told> {
        let mut told = Told::default();
        let sql = "SELECT min(id), max(id), min(first_entry) FROM redo";
        let row = |columns: &mut Columns<'_>| {
            Ok((columns.optional_integer()?, columns.optional_integer()?, columns.optional_integer()?))
        };
        let Some((Some(first), Some(last), Some(first_entry))) = one(connection, sql, [], row)? else {
            return Ok(told);
        };
        told.redo = Some((first, last));
        let row = |columns: &mut Columns<'_>| columns.blob().map(<[u8]>::to_vec);
        let mut read = Ok(());
        each(connection, "SELECT images FROM redo ORDER BY id", [], row, |images| {
            if read.is_ok() {
                read = image::each(&images, |image| told.take(image));
            }
        })?;
        read.map_err(|problem| rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, problem.into()))?;
        told.read_places(connection, first_entry)?;
        Ok(told)
    }

    /// An image of a later batch goes before that of an earlier one.
    fn take(&mut self, image: Image) {
        match image {
            Image::Account(account) => drop(self.accounts.insert(account.id, account)),
            Image::Lot(account_id, lot) => drop(self.lots.insert((account_id, lot.grant_id), lot)),
            Image::Hold(hold) => drop(self.holds.insert((hold.account_id, hold.id), hold)),
            Image::Key(key) => drop(self.keys.insert((key.account_id, key.id), key)),
        }
    }

    /// The account's row tells how far its entries are placed.
    fn read_places(&mut self, connection: &Connection, first_entry: i64) -> Result<()> {
        let sql = "SELECT entries.account_id, entries.seq, entries.number FROM entries \
                   JOIN main.accounts ON accounts.id = entries.account_id \
                   WHERE entries.number >= ?1 AND entries.seq > accounts.seq";
        let row = |columns: &mut Columns<'_>| {
            Ok((rows::account_id(columns)?, rows::seq(columns)?, EntryNumber(columns.count()?)))
        };
        each(connection, sql, [first_entry], row, |(account_id, seq, number)| {
            self.places.insert((account_id, seq), number);
        })
    }

    /// The accounts that are told of, as they stand.
    fn whole_accounts(&self, connection: &Connection) -> Result<Vec<Account>> {
        let whole = |account: &Account| Ok(self.whole(account, read::account(connection, account.id)?));
        self.accounts.values().map(whole).collect()
    }

    fn write_others(&self, connection: &Connection) -> Result<()> {
        write::holds(connection, self.holds.values())?;
        write::keys(connection, self.keys.values())?;
        let places = self.places.iter();
        write::places(connection, places.map(|((account_id, seq), number)| (*account_id, *seq, *number)))
    }

    fn touched(&self) -> BTreeSet<AccountId> {
        let lots = self.lots.keys().map(|(account_id, _)| *account_id);
        let holds = self.holds.keys().map(|(account_id, _)| *account_id);
        let keys = self.keys.keys().map(|(account_id, _)| *account_id);
        self.accounts.keys().copied().chain(lots).chain(holds).chain(keys).collect()
    }

    fn trailing(self, sweep: Sweep) -> Trailing {
        let mut trailing = Trailing { sweep, ..Trailing::default() };
        for id in self.accounts.keys() {
            trailing.account(*id);
        }
        for ((account_id, _), lot) in self.lots {
            trailing.account(account_id).lot(lot);
        }
        for ((account_id, _), hold) in self.holds {
            trailing.account(account_id).hold(hold);
        }
        for (account_id, key_id) in self.keys.into_keys() {
            trailing.account(account_id).key(key_id);
        }
        for ((account_id, seq), number) in self.places {
            trailing.entry(account_id, seq, number);
        }
        trailing
    }

    fn publish(&self, published: &Published) {
        for id in self.touched() {
            let in_table = published.account(id).map(|account| (*account).clone());
            let told = self.accounts.get(&id).or(in_table.as_ref());
            let told =
                self.whole(told.expect("an account is in its table as soon as it is made"), in_table.clone());
            published.trails(id);
            published.publish_account(&Arc::new(told));
        }
        for key in self.keys.values() {
            let retired = published.key(key.id).map(|key| key.retired.clone()).unwrap_or_default();
            published.publish_key(&Key { retired, ..key.clone() });
        }
    }

    /// The account with its open lots and holds, which are those of its tables as far as nothing else is told of them.
    fn whole(&self, told: &Account, in_table: Option<Account>) -> Account {
        let mut whole = told.clone();
        if let Some(in_table) = in_table {
            whole.lots = in_table.lots;
            whole.holds = in_table.holds;
        }
        let id = whole.id;
        for ((_, grant_id), lot) in self.lots.range((id, GrantId::MIN)..=(id, GrantId::MAX)) {
            whole.lots.retain(|other| other.grant_id != *grant_id);
            whole.lots.extend(lot.is_open().then(|| lot.clone()));
        }
        whole.lots.sort_by_key(Lot::burn_order);
        whole.lots.shrink_to_fit();
        for (_, hold) in self.holds.range((id, HoldId::MIN)..=(id, HoldId::MAX)) {
            drop(whole.holds.remove(hold.id));
            if hold.status == HoldStatus::Open {
                whole.holds.insert(hold.clone());
            }
        }
        whole
    }
}

/// The names in the file's runs and those that are to be told from the journal. Where these are many, as after an upgrade,
/// they become runs at once.
fn with_unwritten(mut names: Names, connection: &Connection) -> Result<Names> {
    let sql =
        "SELECT number, account_id, idempotency_key FROM entries WHERE number > ?1 ORDER BY number LIMIT ?2";
    let row = |columns: &mut Columns<'_>| {
        let number = EntryNumber(columns.count()?);
        let (account_id, key) = (rows::account_id(columns)?, columns.optional_text::<IdempotencyKey>()?);
        Ok((number, key.map(|key| NameDigest::of(account_id, &key))))
    };
    let mut last = names.through();
    loop {
        let found = all(connection, sql, params![last.0, UNWRITTEN_MAX], row)?;
        let Some((number, _)) = found.last() else { return Ok(names) };
        last = *number;
        let entries = found.len();
        found.into_iter().for_each(|(number, name)| names.add(name, number));
        if names.is_due() {
            let transaction = connection.unchecked_transaction()?;
            names.step(&transaction, Pace::After { entries })?;
            transaction.commit()?;
            names.took();
        }
    }
}
