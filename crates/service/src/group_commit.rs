//! Group commit: while one batch commits, the next one fills. There is no timer.
//!
//! The queue is bounded in commands and in bytes; what does not fit is refused at once. A caller who hangs up
//! cancels nothing. At shutdown every queued caller still gets an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coffer_ledger::{Command, Reply};
use coffer_store::{Batch, Store};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::clock::Clock;
use crate::limits::{BATCH_COMMANDS_MAX, QUEUE_BYTES_MAX, QUEUE_COMMANDS_MAX};
use crate::service::Unavailable;

/// Commands of one caller, and where the answer goes.
struct Submission {
    commands: Vec<Command>,
    answer: oneshot::Sender<Result<Vec<Reply>, Unavailable>>,
    /// The place in the queue that this submission occupies until its batch begins.
    _room: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

/// The way in.
pub(crate) struct Queue {
    submissions: mpsc::UnboundedSender<Submission>,
    commands_free: Arc<Semaphore>,
    bytes_free: Arc<Semaphore>,
    closing: Arc<Notify>,
    last_commit_worked: Arc<AtomicBool>,
}

impl Queue {
    /// Starts the task that commits.
    pub(crate) fn start(store: Arc<dyn Store>, clock: Arc<Clock>) -> (Queue, tokio::task::JoinHandle<()>) {
        let (submissions, waiting) = mpsc::unbounded_channel();
        let closing = Arc::new(Notify::new());
        let last_commit_worked = Arc::new(AtomicBool::new(true));
        let committer = Committer {
            store,
            clock,
            waiting,
            closing: Arc::clone(&closing),
            last_commit_worked: Arc::clone(&last_commit_worked),
        };
        let queue = Queue {
            submissions,
            commands_free: Arc::new(Semaphore::new(QUEUE_COMMANDS_MAX)),
            bytes_free: Arc::new(Semaphore::new(QUEUE_BYTES_MAX)),
            closing,
            last_commit_worked,
        };
        (queue, tokio::spawn(committer.run()))
    }

    /// Queues commands and waits for their replies, in order. Once queued, they are carried out whether or
    /// not the caller still waits.
    pub(crate) async fn submit(&self, commands: Vec<Command>) -> Result<Vec<Reply>, Unavailable> {
        let room = self.room_for(&commands).ok_or(Unavailable::Overloaded)?;
        let (answer, answered) = oneshot::channel();
        let submission = Submission { commands, answer, _room: room };
        self.submissions.send(submission).map_err(|_| Unavailable::ShuttingDown)?;
        answered.await.map_err(|_| Unavailable::ShuttingDown)?
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
        self.closing.notify_one();
    }

    fn room_for(&self, commands: &[Command]) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let count = u32::try_from(commands.len()).ok()?;
        let bytes = u32::try_from(commands.iter().map(Command::bytes).sum::<usize>()).ok()?;
        let commands_room = Arc::clone(&self.commands_free).try_acquire_many_owned(count).ok()?;
        let bytes_room = Arc::clone(&self.bytes_free).try_acquire_many_owned(bytes).ok()?;
        Some((commands_room, bytes_room))
    }
}

/// The one who commits, batch after batch.
struct Committer {
    store: Arc<dyn Store>,
    clock: Arc<Clock>,
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

    async fn apply(&self, commands: Vec<Command>) -> Result<Vec<Reply>, Unavailable> {
        let clock = self.clock.now_for_writes()?;
        let count = commands.len();
        let applied = self.store.apply(Batch { clock, commands }).await;
        if applied.is_err() {
            // A batch that works may have had nothing to write: only a probe takes this back.
            self.last_commit_worked.store(false, Ordering::Relaxed);
        }
        let replies = applied.map_err(Unavailable::from)?;
        assert_eq!(replies.len(), count, "a store answers every command");
        Ok(replies)
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
