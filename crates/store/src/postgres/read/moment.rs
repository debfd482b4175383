//! An account at one moment, with what belongs to it.
//!
//! Every change to an account's credits, lots and holds changes its row too (the number and the hash of its last entry are in
//! it, or how many lots were made). So the row is read first and last, all in one round trip: where both are the same,
//! nothing has happened between them, and else everything is read again. One thing leaves the row as it is, voiding a grant
//! that has not started; whoever reads grants beside the account compares its lots.

use coffer_ledger::{Account, AccountId, GrantId, Hold, KeyId, Lot};
use tokio_postgres::Row;

use super::{by_id, each, one};
use crate::StoreError;
use crate::postgres::database::Database;
use crate::postgres::statement::{Call, Form};
use crate::rows;

/// How often it is read again before the caller is told that too many others write.
const TRIES_MAX: usize = 8;

/// Which lots of an account are read.
pub(super) const OPEN_LOTS: &str = " AND lots.is_open";
/// Which holds of an account are read.
pub(super) const OPEN_HOLDS: &str = " AND holds.status = 'open'";

/// Which account is meant: by its own id, or by that of something that belongs to it.
#[derive(Clone, Copy, Debug)]
pub(in crate::postgres) enum Whose {
    /// This one.
    Account(AccountId),
    /// That of a key.
    Key(KeyId),
    /// That of a grant.
    Grant(GrantId),
}

impl Whose {
    /// Reads the rows of a table that are the account's, which a column tells.
    fn select(self, form: Form, columns: &str, table: &str, column: &'static str, tail: &str) -> Call {
        let through = |owned: &str| {
            format!(
                "{owned} JOIN {table} ON {table}.bucket = {owned}.bucket \
                 AND {table}.{column} = {owned}.account_id"
            )
        };
        match self {
            Whose::Account(id) => by_id(form, id.bucket(), column, id.bytes()).select(columns, table, tail),
            Whose::Key(id) => {
                by_id(form, id.bucket(), "id", id.bytes()).select(columns, &through("keys"), tail)
            }
            Whose::Grant(id) => {
                by_id(form, id.bucket(), "id", id.bytes()).select(columns, &through("grants"), tail)
            }
        }
    }

    fn row(self, form: Form) -> Call {
        self.select(form, rows::ACCOUNT, "accounts", "id", "")
    }

    fn lots(self, form: Form) -> Call {
        self.select(form, rows::LOT, "lots", "account_id", OPEN_LOTS)
    }

    fn holds(self, form: Form) -> Call {
        self.select(form, rows::HOLD, "holds", "account_id", OPEN_HOLDS)
    }
}

/// Reads an account with its open lots and holds, and what else is asked for, all at one moment and in one round trip.
/// `read` makes sense of the rows of each further statement; it answers `None` where it sees that they are not of the
/// account's moment after all.
pub(in crate::postgres) async fn account_with<More>(
    database: &Database,
    whose: Whose,
    more: impl Fn() -> Vec<Call>,
    read: impl Fn(&Account, &[Vec<Row>]) -> Result<Option<More>, StoreError>,
) -> Result<Option<(Account, More)>, StoreError> {
    for _ in 0..TRIES_MAX {
        let form = database.form;
        let calls = || {
            let parts = [whose.row(form), whose.lots(form), whose.holds(form)];
            parts.into_iter().chain(more()).chain([whose.row(form)]).collect()
        };
        let answers = database.read(calls).await?;
        let [before, lots, holds, more @ .., after] = answers.as_slice() else {
            unreachable!("every statement has its answer")
        };
        let (account, after) = (one(before, rows::account)?, one(after, rows::account)?);
        if account != after {
            continue;
        }
        let Some(mut account) = account else { return Ok(None) };
        fill(&mut account, each(lots, rows::lot)?, each(holds, rows::hold)?);
        if let Some(more) = read(&account, more)? {
            return Ok(Some((account, more)));
        }
    }
    Err(StoreError::Contended)
}

/// Gives an account its open lots and holds.
pub(super) fn fill(account: &mut Account, lots: Vec<Lot>, holds: Vec<Hold>) {
    account.lots = lots;
    account.lots.sort_by_key(Lot::burn_order);
    for hold in holds {
        account.holds.insert(hold);
    }
}
