//! Adding up what accounts have spent, block by block, beside the batches.
//!
//! Any node may add any block: it moves the account's mark on, from where it has seen it, in the transaction that adds the
//! block's sums, so that of two who do it at once one finds that it is done. A batch says which accounts have come to the end
//! of a block; what nobody has added, because a node or the database went away, is found when a node starts.

use std::sync::Arc;
use std::time::Duration;

use coffer_ledger::{AccountId, Entry, KeyId, Seq};
use deadpool_postgres::Object;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::database::{Database, all, silent};
use super::statement::{Call, id};
use super::watch::SchemaWatch;
use crate::StoreError;
use crate::day_sums::{BLOCK, DayOf, MS_PER_DAY, NO_KEY, NO_OPERATION, Spent, day_sum};
use crate::rows::{self, Columns};

/// How many accounts are taken from the queue at once.
const ACCOUNTS_AT_ONCE: usize = 64;
/// How many blocks of an account are added in one transaction, where many are missing.
const BLOCKS_AT_ONCE: u64 = 16;
/// How long the database may take over one transaction.
const ADDING_MAX: Duration = Duration::from_secs(30);
/// How long it is waited after the database could not do it.
const PAUSE: Duration = Duration::from_secs(5);

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const NO_SUMS: &str = "INSERT INTO usage_through (bucket, account_id, seq) VALUES ($1, $2, 0) \
                       ON CONFLICT (bucket, account_id) DO NOTHING";
const LAST: &str = "SELECT seq FROM accounts WHERE bucket = $1 AND id = $2";
const THROUGH: &str = "SELECT seq FROM usage_through WHERE bucket = $1 AND account_id = $2";
const MOVE_ON: &str =
    "UPDATE usage_through SET seq = $4 WHERE bucket = $1 AND account_id = $2 AND seq = $3 RETURNING seq";
const ADD: &str = "INSERT INTO usage_days (bucket, account_id, day, key_id, operation, charges, charged, refunded) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                   ON CONFLICT (bucket, account_id, day, key_id, operation) DO UPDATE SET \
                   charges = usage_days.charges + excluded.charges, charged = usage_days.charged + excluded.charged, \
                   refunded = usage_days.refunded + excluded.refunded";

/// Accounts whose entries are to be added up.
#[derive(Debug)]
pub(super) struct UsageSums(mpsc::UnboundedSender<AccountId>);

impl UsageSums {
    pub(super) fn start(database: Arc<Database>) -> UsageSums {
        let (due, waiting) = mpsc::unbounded_channel();
        tokio::spawn(run(Adder { database, schema: SchemaWatch::started() }, waiting));
        UsageSums(due)
    }

    /// Takes in what a batch has committed.
    pub(super) fn note(&self, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.seq.0.is_multiple_of(BLOCK)) {
            // Without the task that adds, the store is being closed.
            self.0.send(entry.account_id).unwrap_or_default();
        }
    }
}

/// Adds up what is due, first whatever is missing anywhere, until the store is gone.
async fn run(adder: Adder, mut waiting: mpsc::UnboundedReceiver<AccountId>) {
    let mut is_missing = true;
    loop {
        let mut due = Vec::new();
        if !is_missing && waiting.recv_many(&mut due, ACCOUNTS_AT_ONCE).await == 0 {
            return;
        }
        let added = adder.add_all(is_missing, due).await;
        is_missing = added.is_err();
        if let Err(error) = added {
            if matches!(error, StoreError::Closed) || waiting.is_closed() {
                return;
            }
            tracing::warn!(%error, "usage could not be added up; it is read from the journal meanwhile");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

struct Adder {
    database: Arc<Database>,
    schema: SchemaWatch,
}

impl Adder {
    async fn add_all(&self, is_missing: bool, mut due: Vec<AccountId>) -> Result<(), StoreError> {
        if is_missing {
            due = self.database.records(missing, rows::account_id).await?;
        }
        due.sort_unstable();
        due.dedup();
        for account_id in due {
            self.add_up(account_id).await?;
        }
        Ok(())
    }

    /// Adds all whole blocks of an account.
    async fn add_up(&self, account_id: AccountId) -> Result<(), StoreError> {
        loop {
            let connection = self.database.reader().await?;
            match timeout(ADDING_MAX, self.add(&connection, account_id)).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => return Ok(()),
                failed => {
                    // Its transaction may not have ended.
                    drop(Object::take(connection));
                    return failed.unwrap_or_else(|_| Err(silent())).map(drop);
                }
            }
        }
    }

    /// Adds some blocks; answers whether there may be more.
    async fn add(&self, connection: &Object, account_id: AccountId) -> Result<bool, StoreError> {
        self.schema.look_now_and_then(connection).await?;
        let of_account = |sql: &str| Call::in_bucket(account_id.bucket(), sql).with(id(account_id.bytes()));
        let found = all(connection, [NO_SUMS, LAST, THROUGH].map(of_account).into()).await?;
        let mut numbers = found.iter().flatten().map(|row| rows::seq(&mut Columns::of(row)));
        let (Some(last), Some(through)) = (numbers.next().transpose()?, numbers.next().transpose()?) else {
            return Ok(false);
        };
        let blocks = (last.0.saturating_sub(through.0) / BLOCK).min(BLOCKS_AT_ONCE);
        if blocks == 0 {
            return Ok(false);
        }
        let stretch = |sql| {
            let end = Seq(through.0 + blocks * BLOCK);
            of_account(sql).with(rows::number(through)).with(rows::number(end))
        };
        connection.batch_execute(BEGIN).await?;
        if all(connection, vec![stretch(MOVE_ON)]).await?.iter().all(Vec::is_empty) {
            // Another node has been faster.
            connection.batch_execute("ROLLBACK").await?;
            return Ok(true);
        }
        let mut additions = Vec::new();
        for row in all(connection, vec![stretch(&sums())]).await?.iter().flatten() {
            additions.push(added(of_account(ADD), day_sum(&mut Columns::of(row))?));
        }
        all(connection, additions).await?;
        connection.batch_execute("COMMIT").await?;
        Ok(true)
    }
}

/// Accounts of which whole blocks are missing.
fn missing() -> Call {
    let sql = "SELECT accounts.id FROM accounts LEFT JOIN usage_through \
               ON usage_through.bucket = accounts.bucket AND usage_through.account_id = accounts.id \
               WHERE accounts.seq - coalesce(usage_through.seq, 0) >= $1";
    Call::over_all_buckets(sql, vec![Box::new(i64::try_from(BLOCK).expect("a block is small"))])
}

fn sums() -> String {
    format!(
        "SELECT at - at % {MS_PER_DAY} AS day, coalesce(key_id, '{}'), coalesce(operation, '{NO_OPERATION}'), \
         count(*) FILTER (WHERE kind <> 'refund'), \
         coalesce(sum(-credits - held_credits) FILTER (WHERE kind <> 'refund'), 0)::bigint, \
         coalesce(sum(credits) FILTER (WHERE kind = 'refund'), 0)::bigint \
         FROM entries WHERE bucket = $1 AND account_id = $2 AND seq > $3 AND seq <= $4 \
         AND kind IN ('charge', 'capture', 'refund') GROUP BY 1, 2, 3",
        id(NO_KEY)
    )
}

fn added(call: Call, (of, spent): (DayOf, Spent)) -> Call {
    call.with(of.day.unix_ms())
        .with(id(of.key_id.map_or(NO_KEY, KeyId::bytes)))
        .with(of.operation.map_or_else(|| NO_OPERATION.to_owned(), |operation| operation.as_str().to_owned()))
        .with(i64::try_from(spent.charges).expect("no account has that many entries"))
        .with(spent.charged.millionths())
        .with(spent.refunded.millionths())
}
