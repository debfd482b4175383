//! PostgreSQL: the same ledger for any number of nodes, on one database or on a sharded one.
//!
//! The rows are the truth, and no node keeps a state that others need. A batch is one transaction: it locks its accounts'
//! rows in order, loads, decides, writes, commits, in two round trips where nothing is out of the ordinary. Everything that
//! belongs to an account changes only while the account's row is locked. What must be unique among all accounts, and so
//! cannot be locked with one of them, is in the directory.

mod connect;
mod error;
mod unverified;

mod schema;
mod watch;

mod clock;
mod database;
mod outage;
mod pipeline;
mod statement;

mod batch;
mod commit;
mod doubt;
mod load;
mod locked;
mod names;
mod write;

mod people;
mod usage;

mod holders;
mod read;
mod recent;

pub(crate) mod receive;
mod verify;

mod cells;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use coffer_ledger::{
    Account, AccountId, AccountRecord, Action, Bucket, Charge, ChargeId, Entry, Grant, GrantId, HoldId,
    HoldRecord, KeyId, KeyRecord, Operation, OperatorKey, OperatorKeyId, Price, Reply, SecretHash, Session,
    SessionId, SessionOf, Timestamp,
};

use crate::rows;
use crate::{
    AccountFilter, ActionFilter, Batch, ChargeFilter, EntryPage, EntryQuery, HoldFilter, Holder, LockedRows,
    NameSearch, Page, Reader, Span, Store, StoreError, StoreHealth, Usage, UsageBy,
};
use batch::Unapplied;
use database::{Database, all, silent};
use deadpool_postgres::Object;
use holders::Holders;
use recent::Recent;
use statement::{Bytes, Call, Form, bucket};
use tokio::time::timeout;
use usage::UsageSums;
use watch::SchemaWatch;

pub use clock::DatabaseClock;
pub use connect::{ClockSource, LaneChoice, PostgresOptions};
pub use error::PostgresError;
pub use schema::Upgraded;

use error::describe;

/// How many batches are under way at once where the tables are not distributed: while one waits for its commit, others are
/// decided.
const LANES: usize = 2;
/// How many lanes there are where they are: one for each bucket.
const LANES_SHARDED: usize = 256;
/// How long the database may take over what is written beside the batches.
const APART_MAX: Duration = Duration::from_secs(30);

/// Keeps the ledger in a PostgreSQL database, beside any number of other nodes.
#[derive(Debug)]
pub struct PostgresStore {
    database: Arc<Database>,
    lanes: usize,
    clock: Arc<DatabaseClock>,
    clock_source: ClockSource,
    schema: SchemaWatch,
    holders: Holders,
    prices: Recent<Operation, Option<Price>>,
    operator_keys: Recent<SecretHash, Arc<OperatorKey>>,
    usage: UsageSums,
}

impl PostgresStore {
    /// Opens the ledger in a database, or makes an empty one there. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// Where the database cannot be reached, holds something else, or a ledger of another version.
    pub async fn open(options: &PostgresOptions) -> Result<PostgresStore, PostgresError> {
        let first = connect::pool(&options.url, 1)?;
        let form = schema::open(&first).await?;
        schema::name_dangers(&first).await?;
        let told = first.get().await?.query_one(NOW, &[]).await?.get(0);
        let told = Timestamp::from_unix_ms(told)
            .ok_or_else(|| PostgresError::Unusable("its clock shows no year from 1970 to 9999".to_owned()))?;
        first.close();
        let form = options.lanes.form(form);
        let lanes = match form {
            Form::AnyBucket => LANES.min(options.connections / 2).max(1),
            Form::OneBucket => LANES_SHARDED,
        };
        // One for each lane, and one for what stands aside from it and is tried meanwhile.
        let writers = (2 * lanes).min(options.connections / 2).max(1);
        let database = Arc::new(Database::new(options, writers, form)?);
        Ok(PostgresStore {
            holders: Holders::start(Arc::clone(&database)),
            usage: UsageSums::start(Arc::clone(&database)),
            database,
            lanes,
            clock: Arc::new(DatabaseClock::started(told)),
            clock_source: options.clock,
            schema: SchemaWatch::started(),
            prices: Recent::new(),
            operator_keys: Recent::new(),
        })
    }

    /// Brings the tables of an older version to this program's.
    ///
    /// # Errors
    /// Where there is no ledger, it is newer, or the database refuses it; then nothing has changed.
    pub async fn upgrade_schema(options: &PostgresOptions) -> Result<Upgraded, PostgresError> {
        schema::upgrade(&connect::pool(&options.url, 1)?).await
    }

    /// The database's clock.
    #[must_use]
    pub fn clock(&self) -> Arc<DatabaseClock> {
        Arc::clone(&self.clock)
    }

    /// A price that was read less than a second ago, or is read now.
    async fn recent_price(&self, operation: &Operation) -> Result<Option<Price>, StoreError> {
        let reserved = Price::reserved();
        if *operation == reserved.operation {
            return Ok(Some(reserved));
        }
        if let Some(price) = self.prices.get(operation) {
            return Ok(price);
        }
        let asked = self.prices.ask();
        let call = || {
            let sql = format!("SELECT {} FROM prices WHERE bucket = $1 AND operation = $2", rows::PRICE);
            let operation = operation.as_str().to_owned();
            Call { sql, arguments: vec![Box::new(bucket(Bucket::CATALOGUE)), Box::new(operation)] }
        };
        let price = self.database.records(call, rows::price).await?.pop();
        self.prices.keep(asked, operation.clone(), price.clone());
        Ok(price)
    }

    /// Carries out statements one after the other, each by itself.
    async fn write_apart(&self, calls: Vec<Call>) -> Result<(), StoreError> {
        let connection = self.database.writer().await?;
        let writing = async {
            self.schema.look_now_and_then(&connection).await?;
            all(&connection, calls).await?;
            Ok(())
        };
        let written = timeout(APART_MAX, writing).await;
        written.unwrap_or_else(|_| {
            drop(Object::take(connection));
            Err(silent())
        })
    }
}

/// The database's time, in milliseconds.
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

#[async_trait]
impl Store for PostgresStore {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn lane_of(&self, bucket: Bucket) -> usize {
        usize::from(bucket.0) % self.lanes
    }

    fn can_be_away(&self) -> bool {
        true
    }

    async fn apply(&self, batch: Batch) -> Result<Vec<Reply>, StoreError> {
        let applied = self.apply_batch(&batch).await.map_err(|unapplied| match unapplied {
            Unapplied::Failed(error) => error,
            Unapplied::Locked(locked) => {
                StoreError::RowsLocked(Box::new(LockedRows { commands: batch.commands, locked }))
            }
        });
        self.database.batches.note(applied.as_ref());
        applied
    }

    async fn forget_refusals(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write_apart(vec![write::forget_refusals(before)]).await
    }

    async fn note_key_uses(&self, uses: BTreeMap<KeyId, Timestamp>) -> Result<(), StoreError> {
        self.write_apart(write::key_uses(self.database.form, &uses)).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        if self.clock.has_strayed() {
            return Err(StoreError::ClockStrayed);
        }
        let connection = self.database.writer().await?;
        self.schema.look(&connection).await?;
        all(&connection, vec![write::probe()]).await?;
        Ok(())
    }

    async fn close(&self) {
        self.database.close();
    }
}

#[async_trait]
impl Reader for PostgresStore {
    async fn holder(&self, secret: &SecretHash, until: Timestamp) -> Result<Option<Holder>, StoreError> {
        self.holders.holder(*secret, until).await
    }

    async fn operator_key(&self, secret: &SecretHash) -> Result<Option<Arc<OperatorKey>>, StoreError> {
        if let Some(key) = self.operator_keys.get(secret) {
            return Ok(Some(key));
        }
        let asked = self.operator_keys.ask();
        let call = || {
            let sql =
                format!("SELECT {} FROM operator_keys WHERE bucket = $1 AND secret = $2", rows::OPERATOR_KEY);
            let secret = Bytes(*secret.bytes());
            Call { sql, arguments: vec![Box::new(bucket(Bucket::CATALOGUE)), Box::new(secret)] }
        };
        let key = self.database.records(call, rows::operator_key).await?.pop().map(Arc::new);
        if let Some(key) = &key {
            // What is unknown is not kept: a new key works at once.
            self.operator_keys.keep(asked, *secret, Arc::clone(key));
        }
        Ok(key)
    }

    async fn operator_key_record(&self, id: OperatorKeyId) -> Result<Option<OperatorKey>, StoreError> {
        read::operator_key(&self.database, id).await
    }

    async fn operator_keys(&self, span: Span) -> Result<Page<OperatorKey>, StoreError> {
        read::operator_keys(&self.database, span).await
    }

    async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, StoreError> {
        Ok(read::account(&self.database, id).await?.map(Arc::new))
    }

    async fn account_record(&self, id: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        read::account_record(&self.database, id).await
    }

    async fn account_records(
        &self,
        filter: AccountFilter,
        span: Span,
    ) -> Result<Page<AccountRecord>, StoreError> {
        read::account_records(&self.database, &filter, span).await
    }

    async fn accounts_named(&self, search: NameSearch) -> Result<Page<AccountRecord>, StoreError> {
        read::accounts_named(&self.database, &search).await
    }

    async fn accounts_due(&self, until: Timestamp, count_max: usize) -> Result<Vec<AccountId>, StoreError> {
        read::accounts_due(&self.database, until, count_max).await
    }

    async fn key_record(&self, id: KeyId) -> Result<Option<(Account, KeyRecord)>, StoreError> {
        read::account_and_key(&self.database, id).await
    }

    async fn key_records(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<(Account, Page<KeyRecord>)>, StoreError> {
        read::account_and_keys(&self.database, account_id, span).await
    }

    async fn key_uses(&self, ids: Vec<KeyId>) -> Result<BTreeMap<KeyId, Timestamp>, StoreError> {
        read::key_uses(&self.database, &ids).await
    }

    async fn grant(&self, id: GrantId) -> Result<Option<(Account, Grant)>, StoreError> {
        read::account_and_grant(&self.database, id).await
    }

    async fn grants(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<(Account, Page<Grant>)>, StoreError> {
        read::account_and_grants(&self.database, account_id, span).await
    }

    async fn charge(&self, id: ChargeId) -> Result<Option<Charge>, StoreError> {
        read::charge(&self.database, id).await
    }

    async fn charges(&self, filter: ChargeFilter, span: Span) -> Result<Page<Charge>, StoreError> {
        read::charges(&self.database, &filter, span).await
    }

    async fn hold(&self, id: HoldId) -> Result<Option<HoldRecord>, StoreError> {
        read::hold(&self.database, id).await
    }

    async fn holds(&self, filter: HoldFilter, span: Span) -> Result<Page<HoldRecord>, StoreError> {
        read::holds(&self.database, &filter, span).await
    }

    async fn account_of_grant(&self, id: GrantId) -> Result<Option<AccountId>, StoreError> {
        read::account_of_grant(&self.database, id).await
    }

    async fn accounts_of_charges(
        &self,
        ids: Vec<ChargeId>,
    ) -> Result<BTreeMap<ChargeId, AccountId>, StoreError> {
        read::accounts_of_charges(&self.database, &ids).await
    }

    async fn accounts_of_holds(&self, ids: Vec<HoldId>) -> Result<BTreeMap<HoldId, AccountId>, StoreError> {
        read::accounts_of_holds(&self.database, &ids).await
    }

    async fn entries(&self, query: EntryQuery) -> Result<EntryPage, StoreError> {
        read::entries(&self.database, &query).await
    }

    async fn last_entry(&self, account_id: AccountId, until: Timestamp) -> Result<Option<Entry>, StoreError> {
        read::last_entry(&self.database, account_id, until).await
    }

    async fn usage(
        &self,
        account_id: AccountId,
        by: UsageBy,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Usage>, StoreError> {
        read::usage(&self.database, account_id, by, from, to).await
    }

    async fn price(&self, operation: Operation) -> Result<Option<Price>, StoreError> {
        self.recent_price(&operation).await
    }

    async fn prices(&self, span: Span) -> Result<Page<Price>, StoreError> {
        read::prices(&self.database, span).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        people::session(&self.database, id).await
    }

    async fn sessions_of(&self, of: SessionOf) -> Result<Vec<Session>, StoreError> {
        people::sessions_of(&self.database, &of).await
    }

    async fn operator_sessions(&self, span: Span) -> Result<Page<Session>, StoreError> {
        people::operator_sessions(&self.database, span).await
    }

    async fn actions(&self, filter: ActionFilter, span: Span) -> Result<Page<Action>, StoreError> {
        people::read_actions(&self.database, &filter, span).await
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        Ok(read::health(&self.database).await)
    }
}
