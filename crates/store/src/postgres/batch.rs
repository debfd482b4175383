//! Applying a batch: one transaction, tried again where others were faster, and looked for where its commit is in doubt.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use coffer_ledger::{Account, AccountId, Bucket, Changes, Command, Needs, Reply, Snapshot, decide};
use deadpool_postgres::Object;
use rand::RngExt as _;
use tokio::time::timeout;

use super::PostgresStore;
use super::connect::ClockSource;
use super::database::{all, silent};
use super::doubt::Witness;
use super::error::{Setback, describe};
use super::load::{self, Loaded, Trouble, names_prices};
use super::names::{GivenNames, Names};
use super::pipeline::{Pipeline, prepared};
use super::statement::Call;
use super::write;
use crate::{Batch, StoreError};

/// How often a batch is tried, and after how long it is not tried again.
const TRIES_MAX: u32 = 12;
const BATCH_MAX: Duration = Duration::from_secs(30);
/// How long it is waited before the second try, at most; each time twice as long, up to a bound.
const PAUSE_MS_FIRST: u64 = 2;
const PAUSE_MS_MAX: u64 = 200;
/// How long the database may take to answer what is loaded, locks of others included; what is committed; and what is put in
/// order afterwards. It may be there and say nothing, and nobody shall wait without end.
const LOAD_MAX: Duration = Duration::from_secs(15);
const COMMIT_MAX: Duration = Duration::from_secs(15);
const SETTLE_MAX: Duration = Duration::from_secs(5);
/// How old prices may be when they are charged: with what was waited for after they were read.
const PRICES_AGE_MAX: Duration = Duration::from_millis(800);
/// How often a batch is tried before a name that another has just reserved counts as taken.
const TRIES_FOR_NAMES: u32 = 6;

/// How a try has ended that came to no good.
enum Failure {
    /// Nothing was done, and it may work another time.
    Again(StoreError),
    /// Nothing was done, and trying again would not mend it.
    Final(StoreError),
    /// The commit had been sent, and it is not known what became of it: the row that can tell, and the answers if it is there.
    InDoubt(Witness, Vec<Reply>),
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
        let applied = self.try_until_done(batch, &mut names).await;
        match &applied {
            Ok(_) | Err(StoreError::InDoubt) => {}
            Err(error) => {
                if matches!(error, StoreError::DiskIsFull) {
                    tracing::error!(
                        "the database's disk is full; a batch was refused, and nothing of it was done"
                    );
                }
                self.give_up(&names).await;
            }
        }
        applied
    }

    async fn try_until_done(&self, batch: &Batch, names: &mut Names) -> Result<Vec<Reply>, StoreError> {
        let needs = Needs::of(&batch.commands);
        let (mut tries, started) = (0, Instant::now());
        loop {
            tries += 1;
            let error = match self.try_batch(batch, &needs, names, tries).await {
                Ok(replies) => return Ok(replies),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::InDoubt(witness, replies)) => match self.has_committed(&witness).await? {
                    true => return Ok(replies),
                    false => StoreError::Contended,
                },
                Err(Failure::Again(error)) => error,
            };
            if tries >= TRIES_MAX || started.elapsed() >= BATCH_MAX {
                return Err(error);
            }
            tracing::debug!(tries, %error, "a batch is tried again");
            pause(tries).await;
        }
    }

    /// Lets the names go that a batch has reserved which came to nothing, so that it can be sent again at once.
    async fn give_up(&self, names: &Names) {
        let given_up = async {
            let connection = self.database.reader().await?;
            Ok::<_, StoreError>(names.give_up(&connection, self.database.form).await?)
        };
        if !names.is_empty() && !matches!(timeout(SETTLE_MAX, given_up).await, Ok(Ok(()))) {
            tracing::warn!(
                "names stay reserved for a minute, for the database could not be asked to free them"
            );
        }
    }

    async fn try_batch(
        &self,
        batch: &Batch,
        needs: &Needs,
        names: &mut Names,
        tries: u32,
    ) -> Result<Vec<Reply>, Failure> {
        let form = self.database.form;
        let given_clock = match self.clock_source {
            ClockSource::Database => None,
            ClockSource::Sender => Some(batch.clock),
        };
        let asked = Instant::now();
        let prices = self.prices_of(batch, needs).await?;
        let connection = self.database.writer().await?;
        let now = given_clock.unwrap_or_else(|| self.clock.now());
        let Ok(reserved) = timeout(SETTLE_MAX, names.reserve(&connection, form, now)).await else {
            drop(Object::take(connection));
            return Err(Failure::Again(silent()));
        };
        let is_contended = reserved?;
        if is_contended && tries < TRIES_FOR_NAMES {
            return Err(Failure::Again(StoreError::Contended));
        }
        let open = Open::new(connection);
        let before = self.clock.before_asking();
        let loading = load::load(open.connection(), form, &batch.commands, needs, names, given_clock, prices);
        let loaded = timeout(LOAD_MAX, loading).await.map_err(|_| Failure::Again(silent()))??;
        let Loaded { mut snapshot, clock, accounts } = loaded;
        if given_clock.is_none() {
            self.clock.told(clock, before)?;
        }
        if asked.elapsed() > PRICES_AGE_MAX && !needs.prices.is_empty() && !names_prices(&batch.commands) {
            self.prices.forget();
            snapshot.prices = self.prices_of(batch, needs).await?.prices;
        }
        let mut replies = Vec::with_capacity(batch.commands.len());
        for command in &batch.commands {
            replies.push(decide(&snapshot, clock, command).absorb_into(&mut snapshot));
        }
        let changes = snapshot.into_changes();
        let given = names.given(&changes);
        let witness =
            Witness::of(&changes, batch.commands.first().map_or(Bucket::CATALOGUE, Command::bucket));
        if !changes.is_empty() {
            self.note_owners(&given).await?;
            let mut calls = self.writing(open.connection(), &changes, &given, &accounts).await?;
            calls.extend(witness.mark());
            commit(open.connection(), calls, &witness, &replies).await?;
        }
        let connection = open.into_committed(changes.is_empty()).await?;
        self.after_commit(&connection, &changes, &given, &witness).await;
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
    async fn after_commit(
        &self,
        connection: &Object,
        changes: &Changes,
        given: &GivenNames,
        witness: &Witness,
    ) {
        if !changes.prices.is_empty() {
            self.prices.forget();
        }
        if !changes.operator_keys.is_empty() {
            self.operator_keys.forget();
        }
        let unmark = witness.unmark().filter(|_| !changes.is_empty());
        let settled = async {
            all(connection, unmark.into_iter().collect()).await?;
            given.settle(connection, self.database.form).await
        };
        match timeout(SETTLE_MAX, settled).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = describe(&error), "names stay reserved until somebody wants them");
            }
            Err(_) => {
                tracing::warn!("names stay reserved until somebody wants them: the database does not answer");
            }
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
}

/// Sends what is to be written and the commit together.
async fn commit(
    connection: &Object,
    calls: Vec<Call>,
    witness: &Witness,
    replies: &[Reply],
) -> Result<(), Failure> {
    let prepared = prepared(connection, calls).await?;
    let writes = prepared.len();
    let mut pipeline = Pipeline::on(connection);
    for (statement, arguments) in prepared {
        pipeline.send(statement, arguments).await;
    }
    pipeline.send_text("COMMIT").await;
    let in_doubt = || Failure::InDoubt(*witness, replies.to_vec());
    let (done, error) = match timeout(COMMIT_MAX, pipeline.answers()).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(failed)) => failed,
        Err(_) => return Err(in_doubt()),
    };
    let is_told = error.as_db_error().is_some();
    match Setback::of(&error) {
        // What the database says of a write is of a commit that did not happen.
        Setback::LostRace => Err(error.into()),
        Setback::Refused | Setback::ConnectionLost if is_told && done < writes => Err(error.into()),
        // A sharded database may fail at its commit when a shard has committed.
        Setback::Refused | Setback::ConnectionLost => Err(in_doubt()),
    }
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
