//! Applying a batch: one transaction, tried again where others were faster, and looked for where its commit is in doubt.

use std::collections::HashMap;
use std::time::Duration;

use coffer_ledger::{Account, AccountId, Changes, Needs, Reply, Snapshot, decide};
use deadpool_postgres::Object;
use rand::RngExt as _;

use super::PostgresStore;
use super::connect::ClockSource;
use super::database::all;
use super::error::{Setback, describe};
use super::load::{self, Loaded, Trouble, names_prices};
use super::names::{GivenNames, Names};
use super::pipeline::{Pipeline, prepared};
use super::statement::{self, Call};
use super::write::{self, Witness};
use crate::{Batch, StoreError};

/// How often a batch is tried.
const TRIES_MAX: u32 = 12;
/// How long it is waited before the second try, at most; each time twice as long, up to a bound.
const PAUSE_MS_FIRST: u64 = 2;
const PAUSE_MS_MAX: u64 = 200;
/// How often it is looked whether a commit has happened, and how long it is waited in between.
const LOOKS_MAX: u32 = 8;
const LOOK_AGAIN_MS: u64 = 500;

/// How a try has ended that came to no good.
enum Failure {
    /// Nothing was done, and it may work another time.
    Again(StoreError),
    /// Nothing was done, and trying again would not mend it.
    Final(StoreError),
    /// The commit had been sent when the connection was lost: the row that can tell, and what is answered if it is there.
    InDoubt(Option<Witness>, Vec<Reply>),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        match error {
            // No connection was to be had, or it was lost before anything was sent.
            StoreError::Unreachable(_) => Failure::Again(error),
            StoreError::DiskIsFull
            | StoreError::Locked
            | StoreError::Closed
            | StoreError::Unreadable(_)
            | StoreError::Contended
            | StoreError::InDoubt
            | StoreError::ClockStrayed => Failure::Final(error),
        }
    }
}

/// A statement failed before the commit had been sent.
impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Failure {
        match Setback::of(&error) {
            Setback::LostRace => Failure::Again(StoreError::Contended),
            Setback::ConnectionLost => Failure::Again(StoreError::Unreachable(describe(&error))),
            Setback::Refused => Failure::Final(error.into()),
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        match trouble {
            Trouble::Database(error) => error.into(),
            Trouble::Store(error) => error.into(),
        }
    }
}

impl PostgresStore {
    pub(super) async fn apply_batch(&self, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
        let mut names = Names::of(&batch.commands);
        let needs = Needs::of(&batch.commands);
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.try_batch(batch, &needs, &mut names).await {
                Ok(replies) => return Ok(replies),
                Err(Failure::Final(error)) => {
                    if matches!(error, StoreError::DiskIsFull) {
                        tracing::error!(
                            "the database's disk is full; a batch was refused, and nothing of it was done"
                        );
                    }
                    return Err(error);
                }
                Err(Failure::InDoubt(witness, replies)) => match self.has_committed(witness).await? {
                    true => return Ok(replies),
                    false => StoreError::Contended,
                },
                Err(Failure::Again(error)) => error,
            };
            if tries >= TRIES_MAX {
                return Err(error);
            }
            tracing::debug!(tries, %error, "a batch is tried again");
            pause(tries).await;
        }
    }

    async fn try_batch(
        &self,
        batch: &Batch,
        needs: &Needs,
        names: &mut Names,
    ) -> Result<Vec<Reply>, Failure> {
        let form = self.database.form;
        let given_clock = match self.clock_source {
            ClockSource::Database => None,
            ClockSource::Sender => Some(batch.clock),
        };
        let prices = self.prices_of(batch, needs).await?;
        let connection = self.database.writer().await?;
        names.reserve(&connection, form, given_clock.unwrap_or_else(|| self.clock.now())).await?;
        let open = Open::new(connection);
        let loaded =
            load::load(open.connection(), form, &batch.commands, needs, names, given_clock, prices).await?;
        let Loaded { mut snapshot, clock, accounts } = loaded;
        if given_clock.is_none() {
            self.clock.told(clock)?;
        }
        let mut replies = Vec::with_capacity(batch.commands.len());
        for command in &batch.commands {
            replies.push(decide(&snapshot, clock, command).absorb_into(&mut snapshot));
        }
        let changes = snapshot.into_changes();
        let given = names.given(&changes);
        if !changes.is_empty() {
            self.note_owners(&given).await?;
            let calls = self.writing(open.connection(), &changes, &given, &accounts).await?;
            commit(open.connection(), calls, &changes, &replies).await?;
        }
        let connection = open.into_committed(changes.is_empty()).await?;
        self.after_commit(&connection, &changes, &given).await;
        Ok(replies)
    }

    /// The statements that write what has changed.
    async fn writing(
        &self,
        connection: &Object,
        changes: &Changes,
        given: &GivenNames,
        before: &HashMap<AccountId, Account>,
    ) -> Result<Vec<Call>, Failure> {
        let form = self.database.form;
        let mut calls = write::changes(form, changes, before);
        calls.extend(given.claims(form));
        for erasure in &changes.erasures {
            let texts = all(connection, vec![write::erased_texts(erasure)]).await?.remove(0);
            calls.extend(write::erase(form, erasure, &texts).map_err(StoreError::from)?);
        }
        Ok(calls)
    }

    /// Notes those who get a name that was reserved for another; on another connection, for the directory's rows are not
    /// the batch's.
    async fn note_owners(&self, given: &GivenNames) -> Result<(), Failure> {
        if given.has_moved {
            let connection = self.database.reader().await?;
            given.note_owners(&connection, self.database.form).await?;
        }
        Ok(())
    }

    /// What others on this node must know at once, and the directory.
    async fn after_commit(&self, connection: &Object, changes: &Changes, given: &GivenNames) {
        if !changes.prices.is_empty() {
            self.prices.forget();
        }
        if !changes.operator_keys.is_empty() {
            self.operator_keys.forget();
        }
        if let Err(error) = given.settle(connection, self.database.form).await {
            tracing::warn!(error = describe(&error), "names stay reserved until somebody wants them");
        }
    }

    /// The prices that charges are made at: read a moment ago at most. Where a price is changed they are read under its lock.
    async fn prices_of(&self, batch: &Batch, needs: &Needs) -> Result<Snapshot, StoreError> {
        let mut snapshot = Snapshot::default();
        if names_prices(&batch.commands) {
            return Ok(snapshot);
        }
        for operation in &needs.prices {
            if let Some(price) = self.recent_price(operation).await? {
                snapshot.prices.insert(operation.clone(), price);
            }
        }
        Ok(snapshot)
    }

    /// Whether a batch was committed whose connection was lost at the commit. Its accounts are locked by it until it has
    /// ended, so the row is looked for under the same lock.
    async fn has_committed(&self, witness: Option<Witness>) -> Result<bool, StoreError> {
        let Some(witness) = witness else { return Err(StoreError::InDoubt) };
        for _ in 0..LOOKS_MAX {
            tokio::time::sleep(Duration::from_millis(LOOK_AGAIN_MS)).await;
            let Ok(connection) = self.database.writer().await else { continue };
            match is_there(&connection, &witness).await {
                Ok(is_there) => {
                    tracing::info!(
                        is_there,
                        "a commit was in doubt, and it was found out whether it has happened"
                    );
                    return Ok(is_there);
                }
                Err(error) => tracing::debug!(error = describe(&error), "it cannot be found out yet"),
            }
            drop(Object::take(connection));
        }
        Err(StoreError::InDoubt)
    }
}

/// Sends what is to be written and the commit together.
async fn commit(
    connection: &Object,
    calls: Vec<Call>,
    changes: &Changes,
    replies: &[Reply],
) -> Result<(), Failure> {
    let prepared = prepared(connection, calls).await?;
    let writes = prepared.len();
    let mut pipeline = Pipeline::on(connection);
    for (statement, arguments) in prepared {
        pipeline.send(statement, arguments).await;
    }
    pipeline.send_text("COMMIT").await;
    let Err((done, error)) = pipeline.answers().await else { return Ok(()) };
    let is_refused = error.as_db_error().is_some();
    match Setback::of(&error) {
        // A write was refused, and with it the commit that followed.
        Setback::LostRace | Setback::Refused => Err(error.into()),
        Setback::ConnectionLost if is_refused && done < writes => Err(error.into()),
        Setback::ConnectionLost => Err(Failure::InDoubt(Witness::of(changes), replies.to_vec())),
    }
}

/// Looks for a row under the lock of its account.
async fn is_there(connection: &Object, witness: &Witness) -> Result<bool, tokio_postgres::Error> {
    let (account_id, sql) = match witness {
        Witness::Entry(account_id, ..) => (
            account_id,
            "SELECT FROM entries WHERE bucket = $1 AND account_id = $2 AND seq = $3 AND hash = $4",
        ),
        Witness::Remembered(account_id, _) => (
            account_id,
            "SELECT FROM remembered WHERE bucket = $1 AND account_id = $2 AND idempotency_key = $3",
        ),
    };
    let (bucket, id) = (statement::bucket(account_id.bucket()), statement::id(account_id.bytes()));
    connection.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '10s'").await?;
    let lock = "SELECT seq FROM accounts WHERE bucket = $1 AND id = $2 FOR UPDATE";
    connection.query(lock, &[&bucket, &id]).await?;
    let found = match witness {
        Witness::Entry(_, seq, hash) => {
            let (seq, hash) = (crate::rows::number(*seq), statement::Bytes(hash.0));
            connection.query(sql, &[&bucket, &id, &seq, &hash]).await?
        }
        Witness::Remembered(_, key) => connection.query(sql, &[&bucket, &id, key]).await?,
    };
    connection.batch_execute("ROLLBACK").await?;
    Ok(!found.is_empty())
}

/// Waits for a random time, longer with each try.
async fn pause(tries: u32) {
    let longest = PAUSE_MS_MAX.min(PAUSE_MS_FIRST << tries.min(16));
    let ms = rand::rng().random_range(0..=longest);
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// A connection with a transaction that has not ended. Where it is dropped like that, the connection is not used again.
struct Open(Option<Object>);

impl Open {
    fn new(connection: Object) -> Open {
        Open(Some(connection))
    }

    fn connection(&self) -> &Object {
        self.0.as_ref().expect("it is there until it is given back")
    }

    /// The connection after its transaction; one that has changed nothing is rolled back.
    async fn into_committed(mut self, has_changed_nothing: bool) -> Result<Object, tokio_postgres::Error> {
        if has_changed_nothing {
            self.connection().batch_execute("ROLLBACK").await?;
        }
        Ok(self.0.take().expect("it is there until it is given back"))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}
