//! Group commit: while one batch commits, the next one fills. There is no timer.
//!
//! Each lane of the store has a committer of its own, so that batches of different lanes are under way at the same time.
//! Everything of an account is in one lane, where commands keep the order in which they came.
//!
//! The queue is bounded in commands and in bytes, over all lanes together; what does not fit is refused at once. A
//! caller who hangs up cancels nothing. At shutdown every queued caller still gets an answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use coffer_ledger::{Command, Reply};
use coffer_store::{Batch, Store, StoreError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::limits::{BATCH_COMMANDS_MAX, QUEUE_BYTES_MAX, QUEUE_COMMANDS_MAX};
use crate::service::Unavailable;
use crate::tally::Tally;

type Answer = Result<Vec<Reply>, Unavailable>;

/// Commands of one caller in one lane, and where the answer goes.
struct Submission {
    commands: Vec<Command>,
    answer: oneshot::Sender<Answer>,
    /// The place in the queue that this submission occupies until its batch begins.
    _room: Room,
}

/// The way in.
pub(crate) struct Queue {
    store: Arc<dyn Store>,
    lanes: Vec<Lane>,
    commands_free: Arc<Semaphore>,
    bytes_free: Arc<Semaphore>,
    last_commit_worked: Arc<AtomicBool>,
}

/// The way to one committer.
struct Lane {
    submissions: mpsc::UnboundedSender<Submission>,
    closing: Arc<Notify>,
}

/// A place in the queue: free again when it is dropped.
struct Room {
    commands: OwnedSemaphorePermit,
    bytes: OwnedSemaphorePermit,
}

/// The commands of a caller that are in one lane, and where their replies belong.
#[derive(Default)]
struct Part {
    commands: Vec<Command>,
    places: Vec<usize>,
}

impl Queue {
    /// Starts the tasks that commit, one for each lane.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        clock: &Arc<Clock>,
        tally: &Arc<Tally>,
    ) -> (Queue, Vec<JoinHandle<()>>) {
        let last_commit_worked = Arc::new(AtomicBool::new(true));
        let start_lane = |_| {
            let (submissions, waiting) = mpsc::unbounded_channel();
            let closing = Arc::new(Notify::new());
            let committer = Committer {
                store: Arc::clone(&store),
                clock: Arc::clone(clock),
                tally: Arc::clone(tally),
                waiting,
                closing: Arc::clone(&closing),
                last_commit_worked: Arc::clone(&last_commit_worked),
            };
            (Lane { submissions, closing }, tokio::spawn(committer.run()))
        };
        let (lanes, committers) = (0..store.lanes()).map(start_lane).unzip();
        let queue = Queue {
            store,
            lanes,
            commands_free: Arc::new(Semaphore::new(QUEUE_COMMANDS_MAX)),
            bytes_free: Arc::new(Semaphore::new(QUEUE_BYTES_MAX)),
            last_commit_worked,
        };
        (queue, committers)
    }

    /// Queues commands and waits for their replies, in order. Once queued, they are carried out whether or
    /// not the caller still waits.
    pub(crate) async fn submit(&self, commands: Vec<Command>) -> Answer {
        let room = self.room_for(&commands).ok_or(Unavailable::Overloaded)?;
        match self.only_lane(&commands) {
            Some(lane) => heard(self.lanes[lane].queue(commands, room)).await,
            None => self.submit_in_parts(commands, room).await,
        }
    }

    /// Whether the last commit worked; true before the first.
    pub(crate) fn last_commit_worked(&self) -> bool {
        self.last_commit_worked.load(Ordering::Relaxed)
    }

    /// Notes that a probe has found commits to work again.
    pub(crate) fn commits_work(&self) {
        self.last_commit_worked.store(true, Ordering::Relaxed);
    }

    /// How many commands wait.
    pub(crate) fn commands_waiting(&self) -> usize {
        QUEUE_COMMANDS_MAX - self.commands_free.available_permits()
    }

    /// Takes nothing more; what is queued is still carried out.
    pub(crate) fn close(&self) {
        for lane in &self.lanes {
            lane.closing.notify_one();
        }
    }

    fn room_for(&self, commands: &[Command]) -> Option<Room> {
        let count = u32::try_from(commands.len()).ok()?;
        let bytes = u32::try_from(bytes_of(commands)).ok()?;
        let commands = Arc::clone(&self.commands_free).try_acquire_many_owned(count).ok()?;
        let bytes = Arc::clone(&self.bytes_free).try_acquire_many_owned(bytes).ok()?;
        Some(Room { commands, bytes })
    }

    /// The lane that all of the commands are in, if it is one.
    fn only_lane(&self, commands: &[Command]) -> Option<usize> {
        if self.lanes.len() == 1 {
            return Some(0);
        }
        let mut lanes = commands.iter().map(|command| self.lane_of(command));
        let first = lanes.next().unwrap_or(0);
        lanes.all(|lane| lane == first).then_some(first)
    }

    fn lane_of(&self, command: &Command) -> usize {
        self.store.lane_of(command.bucket())
    }

    /// Queues commands of several lanes, and answers once every part has been answered.
    async fn submit_in_parts(&self, commands: Vec<Command>, mut room: Room) -> Answer {
        let mut replies = vec![None; commands.len()];
        // All are queued before the first is waited for: a caller who hangs up leaves none behind.
        let mut under_way = Vec::new();
        for (lane, Part { commands, places }) in self.parts(commands) {
            let room = room.split_off(&commands);
            under_way.push((places, self.lanes[lane].queue(commands, room)));
        }
        let mut failures = Vec::new();
        for (places, answered) in under_way {
            match heard(answered).await {
                Ok(part) => places.iter().zip(part).for_each(|(place, reply)| replies[*place] = Some(reply)),
                Err(error) => failures.push(error),
            }
        }
        if failures.is_empty() {
            let every = |reply: Option<Reply>| reply.expect("every command is in a part");
            return Ok(replies.into_iter().map(every).collect());
        }
        let some_was_done = replies.iter().any(Option::is_some);
        Err(Unavailable::in_part(failures, some_was_done))
    }

    fn parts(&self, commands: Vec<Command>) -> BTreeMap<usize, Part> {
        let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
        for (place, command) in commands.into_iter().enumerate() {
            let part = parts.entry(self.lane_of(&command)).or_default();
            part.commands.push(command);
            part.places.push(place);
        }
        parts
    }
}

impl Lane {
    /// Hands commands to the committer. One that has ended drops them, and with them the answer's other end.
    fn queue(&self, commands: Vec<Command>, room: Room) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        drop(self.submissions.send(Submission { commands, answer, _room: room }));
        answered
    }
}

impl Room {
    /// The part of this room that some of its commands occupy.
    fn split_off(&mut self, commands: &[Command]) -> Room {
        let enough = "a room has a place for each of its commands";
        Room {
            commands: self.commands.split(commands.len()).expect(enough),
            bytes: self.bytes.split(bytes_of(commands)).expect(enough),
        }
    }
}

fn bytes_of(commands: &[Command]) -> usize {
    commands.iter().map(Command::bytes).sum()
}

async fn heard(answered: oneshot::Receiver<Answer>) -> Answer {
    answered.await.map_err(|_| Unavailable::ShuttingDown)?
}

/// The one who commits in a lane, batch after batch.
struct Committer {
    store: Arc<dyn Store>,
    clock: Arc<Clock>,
    tally: Arc<Tally>,
    waiting: mpsc::UnboundedReceiver<Submission>,
    closing: Arc<Notify>,
    last_commit_worked: Arc<AtomicBool>,
}

impl Committer {
    async fn run(mut self) {
        let _guard = StopOnPanic;
        while let Some(first) = self.next().await {
            let batch = self.fill(first);
            self.commit(batch).await;
        }
    }

    async fn next(&mut self) -> Option<Submission> {
        tokio::select! {
            biased;
            submission = self.waiting.recv() => submission,
            () = self.closing.notified() => {
                self.waiting.close();
                self.waiting.recv().await
            }
        }
    }

    fn fill(&mut self, first: Submission) -> Vec<Submission> {
        let mut commands = first.commands.len();
        let mut batch = vec![first];
        while commands < BATCH_COMMANDS_MAX
            && let Ok(next) = self.waiting.try_recv()
        {
            commands += next.commands.len();
            batch.push(next);
        }
        batch
    }

    async fn commit(&self, submissions: Vec<Submission>) {
        let mut commands = Vec::with_capacity(submissions.len());
        let mut callers = Vec::with_capacity(submissions.len());
        for submission in submissions {
            callers.push((submission.commands.len(), submission.answer));
            commands.extend(submission.commands);
        }
        match self.apply(commands).await {
            Ok(replies) => {
                let mut replies = replies.into_iter();
                for (count, answer) in callers {
                    // Whoever has hung up does not hear the answer; what was done is done.
                    drop(answer.send(Ok(replies.by_ref().take(count).collect())));
                }
            }
            Err(error) => {
                for (_, answer) in callers {
                    drop(answer.send(Err(error.clone())));
                }
            }
        }
    }

    async fn apply(&self, commands: Vec<Command>) -> Answer {
        let clock = self.clock.now_for_writes()?;
        let count = commands.len();
        let began = Instant::now();
        let applied = self.store.apply(Batch { clock, commands }).await;
        let replies = applied.map_err(|error| self.failed(error, count))?;
        assert_eq!(replies.len(), count, "a store answers every command");
        self.tally.note(&replies, began.elapsed());
        Ok(replies)
    }

    fn failed(&self, error: StoreError, commands: usize) -> Unavailable {
        // A batch that works may have had nothing to write, or be of another lane: only a probe takes this back.
        self.last_commit_worked.store(false, Ordering::Relaxed);
        match error {
            StoreError::InDoubt => {
                tracing::warn!(%error, commands, "nobody knows whether a batch was committed");
            }
            StoreError::Unreachable(_) | StoreError::Contended => {
                tracing::warn!(%error, commands, "a batch was refused");
            }
            // The embedded store has logged what became of its file, and a clock is logged when it strays.
            StoreError::DiskIsFull
            | StoreError::Locked
            | StoreError::Closed
            | StoreError::Unreadable(_)
            | StoreError::ClockStrayed => {}
        }
        Unavailable::from(error)
    }
}

/// A committer that panics must not leave a server behind that answers nobody.
struct StopOnPanic;

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the committer has panicked; the process stops");
            std::process::abort();
        }
    }
}
