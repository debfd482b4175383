//! Adding up what accounts have spent, block by block, beside the batches.
//!
//! Any node may add any block: it moves the account's mark on, from where it has seen it, in the transaction that adds the
//! block's sums, so that of two who do it at once one finds that it is done. A batch says which accounts have come to the end
//! of a block. What nobody has added, because a node or the database went away, is looked for when a node starts. What cannot
//! be added keeps nothing else waiting, and is tried again later.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use coffer_ledger::{AccountId, Bucket, Entry, KeyId, Seq};
use deadpool_postgres::Object;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::database::{Database, all, silent};
use super::load::begin;
use super::statement::{Call, id};
use super::watch::SchemaWatch;
use crate::StoreError;
use crate::day_sums::{BLOCK, DayOf, MS_PER_DAY, NO_KEY, NO_OPERATION, Spent, day_sum};
use crate::rows::{self, Columns};

/// How many of those that are due are taken from the queue at once.
const AT_ONCE: usize = 64;
/// How many blocks of an account are added in one transaction, where many are missing.
const BLOCKS_AT_ONCE: u64 = 16;
/// How long the database may take over one transaction.
const ADDING_MAX: Duration = Duration::from_secs(30);
/// How long it is waited before what could not be done is tried again.
const PAUSE: Duration = Duration::from_secs(30);

const MISSING: &str = "SELECT accounts.id FROM accounts LEFT JOIN usage_through \
                       ON usage_through.bucket = accounts.bucket AND usage_through.account_id = accounts.id \
                       WHERE accounts.bucket = $1 AND accounts.seq >= $2 \
                       AND accounts.seq - coalesce(usage_through.seq, 0) >= $2";
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

/// What is to be added up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Due {
    /// The entries of an account.
    Account(AccountId),
    /// Those of accounts in a bucket, of which it is not known what is missing.
    Bucket(Bucket),
}

/// Takes in what is to be added up.
#[derive(Debug)]
pub(super) struct UsageSums(mpsc::UnboundedSender<Due>);

impl UsageSums {
    /// Begins with whatever is missing anywhere.
    pub(super) fn start(database: Arc<Database>) -> UsageSums {
        let (due, waiting) = mpsc::unbounded_channel();
        tokio::spawn(run(Adder { database, schema: SchemaWatch::started() }, waiting));
        let sums = UsageSums(due);
        (0..=u8::MAX).for_each(|bucket| sums.send(Due::Bucket(Bucket(bucket))));
        sums
    }

    /// Takes in what a batch has committed.
    pub(super) fn note(&self, entries: &[Entry]) {
        let ends = entries.iter().filter(|entry| entry.seq.0.is_multiple_of(BLOCK));
        ends.for_each(|entry| self.send(Due::Account(entry.account_id)));
    }

    fn send(&self, due: Due) {
        // Without the task that adds, the store is being closed.
        self.0.send(due).unwrap_or_default();
    }
}

/// Adds up what is due, and tries again later what could not be added, until the store is gone.
async fn run(adder: Adder, mut waiting: mpsc::UnboundedReceiver<Due>) {
    let (mut failed, mut again_at) = (BTreeSet::new(), Instant::now());
    loop {
        let mut arrived = Vec::new();
        let received = waiting.recv_many(&mut arrived, AT_ONCE);
        let received =
            if failed.is_empty() { Ok(received.await) } else { timeout_at(again_at, received).await };
        if received == Ok(0) {
            return;
        }
        let mut due: BTreeSet<Due> = arrived.into_iter().collect();
        if Instant::now() >= again_at {
            due.append(&mut failed);
        }
        let mut last_error = None;
        for one in due {
            if waiting.is_closed() {
                return;
            }
            if let Err(error) = adder.settle(one).await {
                // What failed first is not put off by what fails later.
                if failed.is_empty() {
                    again_at = Instant::now() + PAUSE;
                }
                failed.insert(one);
                last_error = Some(error);
            }
        }
        if let Some(error) = last_error {
            tracing::warn!(%error, "usage could not be added up; it is read from the journal meanwhile");
        }
    }
}

struct Adder {
    database: Arc<Database>,
    schema: SchemaWatch,
}

impl Adder {
    async fn settle(&self, due: Due) -> Result<(), StoreError> {
        match due {
            Due::Account(account_id) => self.add_up(account_id).await,
            Due::Bucket(bucket) => {
                let mut settled = Ok(());
                for account_id in self.missing(bucket).await? {
                    // The others do not wait for one that cannot be added.
                    settled = self.add_up(account_id).await.and(settled);
                }
                settled
            }
        }
    }

    /// Accounts in a bucket of which whole blocks are missing.
    async fn missing(&self, bucket: Bucket) -> Result<Vec<AccountId>, StoreError> {
        let connection = self.database.reader().await?;
        let call = Call::in_bucket(bucket, MISSING).with(i64::try_from(BLOCK).expect("a block is small"));
        let Ok(found) = timeout(ADDING_MAX, all(&connection, vec![call])).await else {
            drop(Object::take(connection));
            return Err(silent());
        };
        let mut missing = Vec::new();
        for row in found?.iter().flatten() {
            missing.push(rows::account_id(&mut Columns::of(row))?);
        }
        Ok(missing)
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
        connection.batch_execute(begin(self.database.form)).await?;
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
