//! A commit in doubt: the connection was lost, or the database gave no word in time, after the commit had been sent.
//!
//! What tells is a row that this batch alone can have written, and that was written with all the others or not at all. An
//! entry of a request is such a row, for its hash is over an id that was minted for that request. An entry that anybody
//! would write alike (what has fallen due) is not, and neither is one that names only what was there before; a batch
//! without a better one writes a mark.

use std::time::Duration;

use coffer_ledger::{AccountId, Bucket, Changes, Entry, EntryHash, EntryKind, Reply, Seq};
use deadpool_postgres::Object;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::PostgresStore;
use super::batch::Decided;
use super::error::describe;
use super::statement::{self, Call};
use crate::{StoreError, rows};

/// How often it is looked whether a commit has happened, how long a look may take, and how long it is waited in between.
const LOOKS_MAX: u32 = 8;
const LOOK_MAX: Duration = Duration::from_secs(8);
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// A row by which it can be told whether a batch was committed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Witness {
    /// An entry of a request. Its account was locked: whoever can lock it again knows that the batch has ended.
    Entry(AccountId, Seq, EntryHash),
    /// A claim that stands for nothing else. Whoever looks for it makes it: if that works, the batch has not been committed,
    /// and can no longer be.
    Mark(Bucket, Uuid),
}

impl Witness {
    /// The witness of what a batch has changed, in whose bucket a mark can be.
    pub(super) fn of(changes: &Changes, bucket: Bucket) -> Witness {
        match changes.entries.iter().find(|entry| has_minted_id(entry)) {
            Some(entry) => Witness::Entry(entry.account_id, entry.seq, entry.hash),
            None => Witness::Mark(bucket, Uuid::from_u128(rand::random())),
        }
    }

    /// The statement that writes it, where nothing else does.
    pub(super) fn mark(&self) -> Option<Call> {
        let sql = "INSERT INTO claims (bucket, reservation) VALUES ($1, $2)";
        self.on_mark(sql)
    }

    /// The statement that takes it away, once nobody is in doubt.
    pub(super) fn unmark(&self) -> Option<Call> {
        let sql = "DELETE FROM claims WHERE bucket = $1 AND reservation = $2";
        self.on_mark(sql)
    }

    fn on_mark(&self, sql: &str) -> Option<Call> {
        match self {
            Witness::Entry(..) => None,
            Witness::Mark(bucket, mark) => {
                let arguments: Vec<statement::Argument> =
                    vec![Box::new(statement::bucket(*bucket)), Box::new(*mark)];
                Some(Call { sql: sql.to_owned(), arguments })
            }
        }
    }
}

/// Whether an entry's hash is over an id that was minted for the request which it answers.
fn has_minted_id(entry: &Entry) -> bool {
    let is_of_minted_id = match entry.kind {
        EntryKind::Grant
        | EntryKind::Charge
        | EntryKind::Hold
        | EntryKind::Capture
        | EntryKind::Refund
        | EntryKind::Adjust => true,
        EntryKind::Release | EntryKind::Expire | EntryKind::Void => false,
    };
    is_of_minted_id && entry.idempotency.is_some()
}

impl PostgresStore {
    /// The answers of a batch, if it turns out to have been committed; then what comes after a commit is done, too.
    pub(super) async fn has_committed(&self, decided: Decided) -> Result<Option<Vec<Reply>>, StoreError> {
        // Whether or not it was: nobody on this node shall go by what was before.
        self.forget_what_changed(&decided.changes);
        let (is_there, connection) = self.look_for(&decided.witness).await?;
        if !is_there {
            return Ok(None);
        }
        self.forget_what_changed(&decided.changes);
        self.usage.note(&decided.changes.entries);
        self.settle(&connection, &decided).await;
        Ok(Some(decided.replies))
    }

    /// Looks for a witness; answers with the connection on which that worked.
    async fn look_for(&self, witness: &Witness) -> Result<(bool, Object), StoreError> {
        // A look that was not answered may have made the mark itself: then a mark that is there tells nothing.
        let mut may_have_marked = false;
        for _ in 0..LOOKS_MAX {
            sleep(LOOK_AGAIN).await;
            let Ok(connection) = self.database.writer().await else { continue };
            match timeout(LOOK_MAX, is_there(&connection, witness)).await {
                Ok(Ok(true)) if may_have_marked => return Err(StoreError::InDoubt),
                Ok(Ok(is_there)) => {
                    tracing::info!(
                        is_there,
                        "a commit was in doubt, and now it is known whether it has happened"
                    );
                    return Ok((is_there, connection));
                }
                Ok(Err(error)) => tracing::debug!(error = describe(&error), "it cannot be found out yet"),
                Err(_) => tracing::debug!("it cannot be found out yet: the database does not answer"),
            }
            may_have_marked = matches!(witness, Witness::Mark(..));
            drop(Object::take(connection));
        }
        Err(StoreError::InDoubt)
    }
}

async fn is_there(connection: &Object, witness: &Witness) -> Result<bool, tokio_postgres::Error> {
    match witness {
        Witness::Entry(account_id, seq, hash) => entry_is_there(connection, *account_id, *seq, *hash).await,
        Witness::Mark(bucket, mark) => {
            let sql = "INSERT INTO claims (bucket, reservation) VALUES ($1, $2) \
                       ON CONFLICT (bucket, reservation) DO NOTHING RETURNING reservation";
            let made = connection.query(sql, &[&statement::bucket(*bucket), mark]).await?;
            Ok(made.is_empty())
        }
    }
}

/// Looks for an entry under the lock of its account.
async fn entry_is_there(
    connection: &Object,
    account_id: AccountId,
    seq: Seq,
    hash: EntryHash,
) -> Result<bool, tokio_postgres::Error> {
    let (bucket, id) = (statement::bucket(account_id.bucket()), statement::id(account_id.bytes()));
    connection.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let lock = "SELECT seq FROM accounts WHERE bucket = $1 AND id = $2 FOR UPDATE";
    connection.query(lock, &[&bucket, &id]).await?;
    let sql = "SELECT seq FROM entries WHERE bucket = $1 AND account_id = $2 AND seq = $3 AND hash = $4";
    let (seq, hash) = (rows::number(seq), statement::Bytes(hash.0));
    let found = connection.query(sql, &[&bucket, &id, &seq, &hash]).await?;
    connection.batch_execute("ROLLBACK").await?;
    Ok(!found.is_empty())
}

#[cfg(test)]
mod tests {
    use coffer_ledger::{Account, Credits, Timestamp};

    use super::*;

    #[test]
    fn a_batch_without_an_entry_of_its_own_is_told_by_a_mark() {
        let id = AccountId::from_bytes([7; 16]);
        let opened = Account::new(id, Credits::ZERO, Timestamp::MIN);
        let changes = Changes { accounts: vec![opened.into()], ..Changes::default() };
        let witness = Witness::of(&changes, id.bucket());
        assert!(matches!(witness, Witness::Mark(Bucket(7), _)));
        assert!(witness.mark().is_some() && witness.unmark().is_some());
    }
}
