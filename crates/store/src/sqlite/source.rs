//! A ledger's file as what another store is filled from: all of it, account by account, in an order that is always the same.

use coffer_ledger::{AccountId, Bucket};
use rusqlite::{Connection, params};

use super::query::{JOURNAL, each, one, select};
use super::{LedgerFile, read, trailing};
use crate::FileError;
use crate::migrate::{Catalogue, Head, Portion};
use crate::rows::{self, Columns};

/// The tables of which another store must have as many rows.
const TABLES: [&str; 16] = [
    "accounts",
    "account_profiles",
    "entries",
    "charge_refunds",
    "grants",
    "lots",
    "holds",
    "keys",
    "key_profiles",
    "key_uses",
    "retired_secrets",
    "remembered",
    "prices",
    "operator_keys",
    "sessions",
    "actions",
];

/// The file, at one moment.
pub(crate) struct Source {
    connection: Connection,
}

/// Why reading ended before the end.
pub(crate) enum Ended {
    /// Nobody takes what is read.
    Unwanted,
    /// It cannot be read.
    Broken(rusqlite::Error),
}

impl From<rusqlite::Error> for Ended {
    fn from(cause: rusqlite::Error) -> Ended {
        Ended::Broken(cause)
    }
}

impl From<rows::RowError> for Ended {
    fn from(error: rows::RowError) -> Ended {
        Ended::Broken(error.into())
    }
}

impl Source {
    /// Opens a ledger of this program's own version.
    pub(crate) fn open(file: &LedgerFile) -> Result<Source, FileError> {
        let connection = file.open()?;
        // For as long as the connection lives: all of it is of one moment.
        let begun = connection.execute_batch("BEGIN").and_then(|()| trailing::lay_over(&connection));
        begun.map_err(|cause| FileError::Unreadable { path: file.path().to_owned(), cause })?;
        Ok(Source { connection })
    }

    /// How many accounts and how many entries there are.
    pub(crate) fn totals(&self) -> rusqlite::Result<(u64, u64)> {
        Ok((self.count("accounts")?, self.count("entries")?))
    }

    /// How many rows each table has.
    pub(crate) fn counts(&self) -> rusqlite::Result<Vec<(&'static str, u64)>> {
        TABLES.iter().map(|table| Ok((*table, self.count(table)?))).collect()
    }

    fn count(&self, table: &str) -> rusqlite::Result<u64> {
        let number = |columns: &mut Columns<'_>| columns.count();
        let found = one(&self.connection, &select("count(*)", table), [], number)?;
        Ok(found.unwrap_or(0))
    }

    /// Where the entries of accounts end; `None` for those that are not there.
    pub(crate) fn heads(&self, ids: &[AccountId]) -> rusqlite::Result<Vec<Option<Head>>> {
        let head = |id: &AccountId| {
            let sql = "SELECT id, seq, head FROM accounts WHERE id = ?1";
            one(&self.connection, sql, [id.bytes()], rows::head)
        };
        ids.iter().map(head).collect()
    }

    /// What belongs to no account.
    pub(crate) fn catalogue(&self) -> rusqlite::Result<Catalogue> {
        let mut catalogue = Catalogue {
            prices: Vec::new(),
            operator_keys: Vec::new(),
            sessions: Vec::new(),
            actions: Vec::new(),
        };
        read::each_price(&self.connection, |price| catalogue.prices.push(price))?;
        read::each_operator_key(&self.connection, |key| catalogue.operator_keys.push(key))?;
        let sessions = select(rows::SESSION, "sessions WHERE holder_kind != 'account'");
        each(&self.connection, &sessions, [], rows::session, |session| catalogue.sessions.push(session))?;
        let actions = select(rows::ACTION, "actions WHERE account_id IS NULL");
        each(&self.connection, &actions, [], rows::action, |action| catalogue.actions.push(action))?;
        Ok(catalogue)
    }

    /// Reads accounts with all that belongs to them, by bucket and then by id, beginning behind one of them. Each portion
    /// is given to `take`, which says whether more is wanted. Where `is_apart`, no portion has accounts of two buckets.
    pub(crate) fn portions(
        &self,
        after: Option<AccountId>,
        is_apart: bool,
        take: impl FnMut(Portion) -> bool,
    ) -> Result<(), Ended> {
        let mut filling = Filling { connection: &self.connection, portion: Portion::default(), take };
        let (bucket, id) =
            after.map_or((Vec::new(), Vec::new()), |id| (vec![id.bucket().0], id.bytes().to_vec()));
        let sql = "SELECT id FROM accounts WHERE (substr(id, 16), id) > (?1, ?2) ORDER BY substr(id, 16), id";
        let mut statement = self.connection.prepare(sql)?;
        let mut found = statement.query(params![bucket, id])?;
        let mut last: Option<Bucket> = None;
        while let Some(row) = found.next()? {
            let id = rows::account_id(&mut Columns::of(row))?;
            if is_apart && last.is_some_and(|last| last != id.bucket()) {
                filling.give()?;
            }
            last = Some(id.bucket());
            filling.account(id)?;
        }
        filling.give()
    }
}

/// A portion that is being filled.
struct Filling<'a, Take> {
    connection: &'a Connection,
    portion: Portion,
    take: Take,
}

impl<Take: FnMut(Portion) -> bool> Filling<'_, Take> {
    /// All that belongs to an account, and then the account.
    fn account(&mut self, id: AccountId) -> Result<(), Ended> {
        let profile = select(rows::ACCOUNT_PROFILE, "account_profiles WHERE id = ?1");
        self.rows(&profile, id, rows::account_profile, |portion, profile| {
            portion.account_profiles.push(profile);
        })?;
        self.entries(id)?;
        let columns = format!("{}, {}", rows::GRANT, rows::LOT);
        let grants = "grants JOIN lots ON lots.grant_id = grants.id WHERE grants.account_id = ?1";
        self.rows(&select(&columns, grants), id, rows::grant, |portion, grant| portion.grants.push(grant))?;
        let holds = select(rows::HOLD, "holds WHERE account_id = ?1");
        self.rows(&holds, id, rows::hold, |portion, hold| portion.holds.push(hold))?;
        self.keys(id)?;
        let remembered = select(rows::SEALED, "remembered WHERE account_id = ?1");
        self.rows(&remembered, id, rows::kept_answer, |portion, kept| portion.remembered.push(kept))?;
        let sessions = select(rows::SESSION, "sessions WHERE holder = ?1 AND holder_kind = 'account'");
        self.rows(&sessions, id, rows::session, |portion, session| portion.sessions.push(session))?;
        let actions = select(rows::ACTION, "actions WHERE account_id = ?1");
        self.rows(&actions, id, rows::action, |portion, action| portion.actions.push(action))?;
        self.portion.accounts.extend(read::account(self.connection, id)?);
        if self.portion.is_full() { self.give() } else { Ok(()) }
    }

    fn entries(&mut self, id: AccountId) -> Result<(), Ended> {
        let refunded = "CASE WHEN kind = 'refund' THEN (SELECT refunded FROM charge_refunds \
                        WHERE charge_refunds.charge_id = entries.charge_id) END";
        let columns = format!("{refunded}, {}, {}", rows::SEAL, rows::ENTRY);
        let sql = select(&columns, &format!("{JOURNAL} ORDER BY place.seq"));
        let row = |columns: &mut Columns<'_>| {
            Ok((rows::optional_credits(columns)?, rows::seal(columns)?, rows::entry(columns)?))
        };
        self.rows(&sql, id, row, |portion, (refunded, seal, entry)| {
            // Each refund of a charge tells the same; the other store takes the first.
            portion.refunded.extend(entry.origin.charge_id.zip(refunded));
            portion.text_bytes += entry.note.bytes();
            // An entry of before there were seals gets one now. Any other keeps its own, by which damage is found.
            let seal = seal.unwrap_or_else(|| rows::seal_of_entry(&entry));
            portion.entries.push((entry, seal));
        })
    }

    fn keys(&mut self, id: AccountId) -> Result<(), Ended> {
        let keys = select(rows::KEY, "keys WHERE account_id = ?1");
        self.rows(&keys, id, rows::key, |portion, key| portion.keys.push(key))?;
        let of_keys = |columns, table: &str, key: &str| {
            let keys = format!("keys JOIN {table} ON {table}.{key} = keys.id WHERE keys.account_id = ?1");
            select(columns, &keys)
        };
        // The names of its columns are those of keys, too.
        let columns = "key_profiles.id, key_profiles.name, key_profiles.hint, key_profiles.metadata, \
                       key_profiles.created_at";
        self.rows(&of_keys(columns, "key_profiles", "id"), id, rows::key_profile, |portion, profile| {
            portion.key_profiles.push(profile);
        })?;
        let uses = of_keys(rows::KEY_USE, "key_uses", "key_id");
        self.rows(&uses, id, rows::key_use, |portion, used| portion.key_uses.push(used))?;
        let retired = of_keys(rows::RETIRED_SECRET, "retired_secrets", "key_id");
        self.rows(&retired, id, rows::retired_secret, |portion, secret| portion.retired_secrets.push(secret))
    }

    /// Rows of an account, of which there may be any number.
    fn rows<Record>(
        &mut self,
        sql: &str,
        id: AccountId,
        read: impl Fn(&mut Columns<'_>) -> rows::Result<Record>,
        put: impl Fn(&mut Portion, Record),
    ) -> Result<(), Ended> {
        let connection = self.connection;
        let mut statement = connection.prepare_cached(sql)?;
        let mut found = statement.query([id.bytes()])?;
        while let Some(row) = found.next()? {
            put(&mut self.portion, read(&mut Columns::of(row))?);
            if self.portion.is_full() {
                self.give()?;
            }
        }
        Ok(())
    }

    fn give(&mut self) -> Result<(), Ended> {
        let portion = std::mem::take(&mut self.portion);
        if portion.is_empty() || (self.take)(portion) { Ok(()) } else { Err(Ended::Unwanted) }
    }
}
