//! The service: what the wire formats talk to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use coffer_ledger::{Command, Credits, Key, KeyId, Outcome, Reply, SecretHash, Timestamp, settle};
use coffer_store::{Holder, Reader, Store, StoreError};
use tokio::task::{JoinHandle, JoinSet};

use crate::background;
use crate::clock::{Clock, ClockStrayed};
use crate::group_commit::Queue;
use crate::key_uses::KeyUses;
use crate::limits::{PROBE_EVERY_MS, PROBE_MS_MAX, USES_WRITTEN_AT_ONCE};
use crate::sessions::LiveOperator;
use crate::survey::Surveys;
use crate::tally::{Lately, Tally};

/// Why something could not be done just now. The same request may be sent again, under the same idempotency key: nothing was
/// done, unless the variant says otherwise.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unavailable {
    /// More waits already than may wait.
    #[error("too many requests are waiting; try again shortly")]
    Overloaded,
    /// The process is about to end.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// The system clock cannot be trusted.
    #[error(transparent)]
    ClockStrayed(#[from] ClockStrayed),
    /// The store could not write.
    #[error("{0}")]
    Store(Arc<StoreError>),
    /// Nobody knows whether it was done: the connection to the database was lost at the commit.
    #[error("{}", StoreError::InDoubt)]
    InDoubt,
    /// Some of the commands were carried out and the others were not, for this cause.
    #[error("{0}; a part of it was done, send all of it again with the same idempotency keys")]
    InPart(Box<Unavailable>),
}

impl Unavailable {
    /// Why commands of several lanes were not all carried out: the first cause, unless the fate of others is unknown.
    pub(crate) fn in_part(failures: Vec<Unavailable>, some_was_done: bool) -> Unavailable {
        if failures.iter().any(|failure| matches!(failure, Unavailable::InDoubt)) {
            return Unavailable::InDoubt;
        }
        let first = failures.into_iter().next().expect("something failed");
        if some_was_done { Unavailable::InPart(Box::new(first)) } else { first }
    }
}

impl From<StoreError> for Unavailable {
    fn from(error: StoreError) -> Unavailable {
        match error {
            StoreError::Closed => Unavailable::ShuttingDown,
            StoreError::InDoubt => Unavailable::InDoubt,
            StoreError::DiskIsFull
            | StoreError::Locked
            | StoreError::Unreadable(_)
            | StoreError::Unreachable(_)
            | StoreError::Contended
            | StoreError::SchemaChanged { .. }
            | StoreError::ClockStrayed => Unavailable::Store(Arc::new(error)),
            StoreError::RowsLocked(_) => Unavailable::Store(Arc::new(StoreError::Contended)),
        }
    }
}

/// Why something could not be read.
pub type ReadError = StoreError;

/// What a presented secret turns out to be.
#[derive(Clone, Debug)]
pub enum Standing {
    /// A live customer's key.
    Live(Arc<Key>),
    /// A customer's key that was live once.
    Dead(Arc<Key>),
    /// Nothing that was ever known.
    Unknown,
}

/// Coffer at work.
pub struct Service {
    store: Arc<dyn Store>,
    queue: Queue,
    clock: Arc<Clock>,
    configured_operator: Option<SecretHash>,
    key_uses: Arc<KeyUses>,
    surveys: Surveys,
    tally: Arc<Tally>,
    last_probe: Mutex<Option<(Instant, bool)>>,
    committers: Mutex<Vec<JoinHandle<()>>>,
    background: Mutex<JoinSet<()>>,
}

impl Service {
    /// Starts to work on a store. A secret in `configured_operator` opens everything while the process lives.
    #[must_use]
    pub fn start(
        store: Arc<dyn Store>,
        clock: Clock,
        configured_operator: Option<SecretHash>,
    ) -> Arc<Service> {
        let clock = Arc::new(clock);
        let tally = Arc::new(Tally::new());
        let (queue, committers) = Queue::start(Arc::clone(&store), &clock, &tally);
        let service = Arc::new(Service {
            store,
            queue,
            clock,
            configured_operator,
            key_uses: Arc::default(),
            surveys: Surveys::default(),
            tally,
            last_probe: Mutex::default(),
            committers: Mutex::new(committers),
            background: Mutex::default(),
        });
        let tasks = background::start(&service);
        *service.background.lock().expect("no task panics while it holds the tasks") = tasks;
        service
    }

    /// Carries out a command: durable before the reply.
    ///
    /// # Errors
    /// Where it cannot be carried out just now; nothing was done, unless it is [`Unavailable::InDoubt`].
    pub async fn submit(&self, command: Command) -> Result<Outcome, Unavailable> {
        self.submit_named(command).await.map(|reply| reply.outcome)
    }

    /// Carries out a command that has an idempotency key, and tells whether the reply is an earlier one.
    ///
    /// # Errors
    /// Where it cannot be carried out just now; nothing was done, unless it is [`Unavailable::InDoubt`].
    pub async fn submit_named(&self, command: Command) -> Result<Reply, Unavailable> {
        let mut replies = self.submit_all(vec![command]).await?;
        Ok(replies.pop().expect("one command has one reply"))
    }

    /// Carries out commands, each on its own and those of an account in order, all durable before the replies.
    ///
    /// # Errors
    /// Where they cannot be carried out just now, or not all of them; nothing was done, unless it is
    /// [`Unavailable::InDoubt`] or [`Unavailable::InPart`].
    pub async fn submit_all(&self, commands: Vec<Command>) -> Result<Vec<Reply>, Unavailable> {
        self.queue.submit(commands).await
    }

    /// What can be looked at.
    #[must_use]
    pub fn reader(&self) -> &dyn Reader {
        &*self.store
    }

    pub(crate) fn key_uses(&self) -> &KeyUses {
        &self.key_uses
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The time, for reads.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the account of a live customer's key has available now; `None` for every other secret.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn available(&self, secret: &SecretHash) -> Result<Option<Credits>, ReadError> {
        let now = self.now();
        let Some(Holder { key, account }) = self.store.holder(secret, now).await? else {
            return Ok(None);
        };
        if !key.opens(secret, now) {
            return Ok(None);
        }
        self.key_uses.note(key.id, now);
        Ok(Some(settle(&account, now).balance.available))
    }

    /// What a presented secret turns out to be.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn standing(&self, secret: &SecretHash) -> Result<Standing, ReadError> {
        let now = self.now();
        let Some(Holder { key, .. }) = self.store.holder(secret, now).await? else {
            return Ok(Standing::Unknown);
        };
        if !key.opens(secret, now) {
            return Ok(Standing::Dead(key));
        }
        self.key_uses.note(key.id, now);
        Ok(Standing::Live(key))
    }

    /// When each of these keys was last used.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn last_uses(&self, ids: Vec<KeyId>) -> Result<BTreeMap<KeyId, Timestamp>, ReadError> {
        let recent: Vec<_> = ids.iter().filter_map(|id| Some((*id, self.key_uses.last(*id)?))).collect();
        let mut uses = self.store.key_uses(ids).await?;
        for (id, at) in recent {
            let last = uses.entry(id).or_insert(at);
            // Another node may have noted a later use.
            *last = at.max(*last);
        }
        Ok(uses)
    }

    /// Writes the uses of keys that are not written yet, in portions spread over some time, so that nobody waits long behind very
    /// many. Where it fails, the next time writes them.
    pub(crate) async fn write_key_uses(&self, over: Duration) {
        let (key_uses, store) = (Arc::clone(&self.key_uses), Arc::clone(&self.store));
        // There may be very many, too, to be looked through where requests are answered.
        let taken = tokio::task::spawn_blocking(move || {
            let mut uses = key_uses.take();
            // Each lane is written to apart: a portion is to meet few of them.
            uses.sort_by_key(|(id, _)| store.lane_of(id.bucket()));
            uses
        });
        let uses = taken.await.expect("looking through uses does not panic");
        let portions = uses.chunks(USES_WRITTEN_AT_ONCE);
        let count = u32::try_from(portions.len()).unwrap_or(u32::MAX);
        let pause = over.checked_div(count).unwrap_or_default();
        for (place, portion) in portions.enumerate() {
            if place > 0 {
                tokio::time::sleep(pause).await;
            }
            if let Err(error) = self.store.note_key_uses(portion.iter().copied().collect()).await {
                self.key_uses.put_back();
                tracing::warn!(%error, "the uses of keys could not be written");
                return;
            }
        }
    }

    /// What an operator's secret may do; `None` for every other secret.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn operator(&self, secret: &SecretHash) -> Result<Option<LiveOperator>, ReadError> {
        if self.is_configured(secret) {
            return Ok(Some(LiveOperator::Configured(*secret)));
        }
        let key = self.store.operator_key(secret).await?;
        Ok(key.filter(|key| key.revoked_at.is_none()).map(LiveOperator::Known))
    }

    /// Whether it is the operator's secret that was given by configuration.
    pub(crate) fn is_configured(&self, secret: &SecretHash) -> bool {
        self.configured_operator.as_ref() == Some(secret)
    }

    /// Whether an operator's key was given by configuration.
    #[must_use]
    pub fn has_configured_operator(&self) -> bool {
        self.configured_operator.is_some()
    }

    /// Whether commits work: the last one did, or else a probe does, made at most once a second.
    pub async fn is_ready(&self) -> bool {
        if self.clock.now_for_writes().is_err() {
            return false;
        }
        let last_worked = self.queue.last_commit_worked();
        if last_worked && !self.store.can_be_away() {
            return true;
        }
        let last_probe = self.last_probe();
        if let Some((when, worked)) = last_probe
            && when.elapsed() < Duration::from_millis(PROBE_EVERY_MS)
        {
            return worked;
        }
        // While the probe is under way, others are told what is known by now.
        self.note_probe(last_worked && last_probe.is_none_or(|(_, worked)| worked));
        let probe = tokio::time::timeout(Duration::from_millis(PROBE_MS_MAX), self.store.probe());
        let worked = matches!(probe.await, Ok(Ok(())));
        self.note_probe(worked);
        if worked {
            self.queue.commits_work();
        }
        worked
    }

    pub(crate) fn surveys(&self) -> &Surveys {
        &self.surveys
    }

    /// What this process has done lately.
    #[must_use]
    pub fn lately(&self) -> Lately {
        self.tally.lately()
    }

    /// How many commands wait for a commit.
    #[must_use]
    pub fn commands_waiting(&self) -> usize {
        self.queue.commands_waiting()
    }

    /// Ends: takes nothing more, answers everybody who is queued, and brings the store to rest.
    pub async fn close(&self) {
        let mut background =
            std::mem::take(&mut *self.background.lock().expect("no task panics while it holds the tasks"));
        background.shutdown().await;
        self.queue.close();
        let committers =
            std::mem::take(&mut *self.committers.lock().expect("no task panics while it holds the handles"));
        for committer in committers {
            committer.await.expect("a committer that panics stops the process");
        }
        // The background may have been cut off while it wrote: writing some of them again changes nothing.
        let uses = self.key_uses.all();
        if !uses.is_empty()
            && let Err(error) = self.store.note_key_uses(uses).await
        {
            tracing::warn!(%error, "the uses of keys could not be written");
        }
        self.store.close().await;
    }

    fn last_probe(&self) -> Option<(Instant, bool)> {
        *self.last_probe.lock().expect("no task panics while it holds the probe")
    }

    fn note_probe(&self, worked: bool) {
        *self.last_probe.lock().expect("no task panics while it holds the probe") =
            Some((Instant::now(), worked));
    }
}
