//! Applying a batch: one transaction, tried again where others were faster, and looked for where its commit is in doubt.
//! What waits for others' locks is told apart from the rest (`locked.rs`), and can be applied later by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coffer_ledger::{Bucket, Changes, Command, Needs, Price, Reply, Snapshot, Timestamp, decide};
use deadpool_postgres::Object;
use rand::RngExt as _;
use tokio::time::timeout;

use super::PostgresStore;
use super::connect::ClockSource;
use super::database::silent;
use super::doubt::Witness;
use super::error::{Setback, describe};
use super::load::{self, Loaded, Trouble, names_prices};
use super::names::{GivenNames, Names};
use crate::{Batch, StoreError};

/// How often a batch is tried, and after how long it is not tried again.
const TRIES_MAX: u32 = 12;
const BATCH_MAX: Duration = Duration::from_secs(15);
/// How long it is waited before the second try, at most; each time twice as long, up to a bound.
const PAUSE_MS_FIRST: u64 = 2;
const PAUSE_MS_MAX: u64 = 200;
/// How long the database may take to answer what is loaded, locks of others included, and what is put in order before and
/// afterwards. It may be there and say nothing, and nobody shall wait without end.
pub(super) const LOAD_MAX: Duration = Duration::from_secs(10);
pub(super) const SETTLE_MAX: Duration = Duration::from_secs(5);
/// How old prices may be when they are charged: with what was waited for after they were read.
const PRICES_AGE_MAX: Duration = Duration::from_millis(800);
/// How often a batch is tried before a name that another has just reserved counts as taken.
const TRIES_FOR_NAMES: u32 = 6;

/// Why a batch was not applied.
pub(super) enum Unapplied {
    /// Others have locked what the commands at these places name; nothing was done.
    Locked(Vec<usize>),
    /// It could not be applied.
    Failed(StoreError),
}

impl From<StoreError> for Unapplied {
    fn from(error: StoreError) -> Unapplied {
        Unapplied::Failed(error)
    }
}

/// How a try has ended that came to no good.
pub(super) enum Failure {
    /// Nothing was done, and it may work another time.
    Again(StoreError),
    /// Nothing was done: others have had a row locked for too long.
    Locked,
    /// Nothing was done, and trying again would not mend it.
    Final(StoreError),
    /// The commit had been sent, and it is not known what became of it.
    InDoubt(Box<Decided>),
}

/// What was decided of a batch.
pub(super) struct Decided {
    pub(super) replies: Vec<Reply>,
    pub(super) changes: Changes,
    pub(super) given: GivenNames,
    /// The row that tells whether it was committed.
    pub(super) witness: Witness,
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
            | StoreError::RowsLocked(_)
            | StoreError::InDoubt
            | StoreError::SchemaChanged { .. }
            | StoreError::ClockStrayed => Failure::Final(error),
        }
    }
}

/// A statement failed before the commit had been sent.
impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Failure {
        match Setback::of(&error) {
            Setback::LostRace => Failure::Again(StoreError::Contended),
            Setback::RowLocked => Failure::Locked,
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
    pub(super) async fn apply_batch(&self, batch: &Batch) -> Result<Vec<Reply>, Unapplied> {
        let mut names = Names::of(&batch.commands);
        let applied = self.try_until_done(batch, &mut names).await;
        match &applied {
            Ok(_) | Err(Unapplied::Failed(StoreError::InDoubt)) => {}
            Err(_) => self.give_up(&names).await,
        }
        applied
    }

    async fn try_until_done(&self, batch: &Batch, names: &mut Names) -> Result<Vec<Reply>, Unapplied> {
        let needs = Needs::of(&batch.commands);
        let (mut tries, started) = (0, Instant::now());
        loop {
            tries += 1;
            let error = match self.try_batch(batch, &needs, names, tries).await {
                Ok(replies) => return Ok(replies),
                Err(Failure::Final(error)) => return Err(self.cause_of(error).await.into()),
                Err(Failure::InDoubt(decided)) => match self.has_committed(*decided).await? {
                    Some(replies) => return Ok(replies),
                    None => StoreError::Contended,
                },
                Err(Failure::Locked) => {
                    let locked = self.locked_by_others(&batch.commands, &needs).await?;
                    if !locked.is_empty() {
                        return Err(Unapplied::Locked(locked));
                    }
                    StoreError::Contended
                }
                Err(Failure::Again(error)) => error,
            };
            if tries >= TRIES_MAX || started.elapsed() >= BATCH_MAX {
                return Err(error.into());
            }
            tracing::debug!(tries, %error, "a batch is tried again");
            pause(tries).await;
        }
    }

    /// What the database does not take may have this cause, which it does not name: that the tables are others now.
    async fn cause_of(&self, error: StoreError) -> StoreError {
        let StoreError::Unreachable(_) = error else { return error };
        let look = async { self.schema.look(&self.database.writer().await?).await };
        match timeout(SETTLE_MAX, look).await {
            Ok(Err(changed @ StoreError::SchemaChanged { .. })) => changed,
            Ok(_) | Err(_) => error,
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
        let asked = Instant::now();
        let prices = self.prices_of(batch, needs).await?;
        let connection = self.database.writer().await?;
        let Ok(prepared) = timeout(SETTLE_MAX, self.prepare(&connection, batch, names, tries)).await else {
            drop(Object::take(connection));
            return Err(Failure::Again(silent()));
        };
        prepared?;
        let open = Open::new(connection);
        let done = self.transact(open.connection(), batch, needs, names, (asked, prices)).await;
        match done {
            Ok(decided) => {
                let connection = open.into_committed(decided.changes.is_empty()).await?;
                self.forget_what_changed(&decided.changes);
                self.usage.note(&decided.changes.entries);
                self.settle(&connection, &decided).await;
                Ok(decided.replies)
            }
            Err(failure @ (Failure::Locked | Failure::Again(StoreError::Contended))) => {
                open.roll_back().await;
                Err(failure)
            }
            Err(failure) => Err(failure),
        }
    }

    /// What comes before the transaction: whether the tables are still those that this node knows, and the names.
    async fn prepare(
        &self,
        connection: &Object,
        batch: &Batch,
        names: &mut Names,
        tries: u32,
    ) -> Result<(), Failure> {
        self.schema.look_now_and_then(connection).await?;
        let now = self.given_clock(batch).unwrap_or_else(|| self.clock.now());
        let is_contended = names.reserve(connection, self.database.form, now).await?;
        if is_contended && tries < TRIES_FOR_NAMES {
            return Err(Failure::Again(StoreError::Contended));
        }
        Ok(())
    }

    /// Loads, decides, writes and commits. Where nothing has changed, the transaction is still open afterwards.
    async fn transact(
        &self,
        connection: &Object,
        batch: &Batch,
        needs: &Needs,
        names: &Names,
        (asked, prices): (Instant, Snapshot),
    ) -> Result<Decided, Failure> {
        let (form, given_clock) = (self.database.form, self.given_clock(batch));
        let before_asking = self.clock.before_asking();
        let loading = load::load(connection, form, &batch.commands, needs, names, given_clock, prices);
        let loaded = timeout(LOAD_MAX, loading).await.map_err(|_| Failure::Again(silent()))??;
        let Loaded { mut snapshot, clock, before } = loaded;
        if given_clock.is_none() {
            self.clock.told(clock, before_asking)?;
        }
        if asked.elapsed() > PRICES_AGE_MAX && !needs.prices.is_empty() && !names_prices(&batch.commands) {
            self.prices.forget();
            snapshot.prices = self.prices_of(batch, needs).await?.prices;
        }
        let mut replies = Vec::with_capacity(batch.commands.len());
        for command in &batch.commands {
            replies.push(decide(&snapshot, clock, command).absorb_into(&mut snapshot));
        }
        let decided = decided(batch, names, replies, snapshot.into_changes());
        self.write(connection, decided, &before).await
    }

    /// The time by which a batch is decided, where it is not the database's.
    fn given_clock(&self, batch: &Batch) -> Option<Timestamp> {
        match self.clock_source {
            ClockSource::Database => None,
            ClockSource::Sender => Some(batch.clock),
        }
    }

    /// The prices that charges are made at: read a moment ago at most. Where a price is changed they are read under its lock.
    async fn prices_of(&self, batch: &Batch, needs: &Needs) -> Result<Snapshot, StoreError> {
        let mut snapshot = Snapshot::default();
        if names_prices(&batch.commands) {
            // The one that every catalogue has is in no table.
            let reserved = Price::reserved();
            if needs.prices.contains(&reserved.operation) {
                snapshot.prices.insert(reserved.operation.clone(), Arc::new(reserved));
            }
            return Ok(snapshot);
        }
        for operation in &needs.prices {
            if let Some(price) = self.recent_price(operation).await? {
                snapshot.prices.insert(operation.clone(), Arc::new(price));
            }
        }
        Ok(snapshot)
    }
}

fn decided(batch: &Batch, names: &Names, replies: Vec<Reply>, changes: Changes) -> Decided {
    let bucket = batch.commands.first().map_or(Bucket::CATALOGUE, Command::bucket);
    let (given, witness) = (names.given(&changes), Witness::of(&changes, bucket));
    Decided { replies, changes, given, witness }
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

    /// Ends the transaction without an effect, so that the connection can be used again.
    async fn roll_back(mut self) {
        if let Ok(Ok(())) = timeout(SETTLE_MAX, self.connection().batch_execute("ROLLBACK")).await {
            drop(self.0.take());
        }
    }

    /// The connection after its transaction; one that has changed nothing is rolled back.
    async fn into_committed(mut self, has_changed_nothing: bool) -> Result<Object, Failure> {
        if has_changed_nothing {
            let rolled_back = timeout(SETTLE_MAX, self.connection().batch_execute("ROLLBACK")).await;
            rolled_back.map_err(|_| Failure::Again(silent()))??;
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
