//! The one who commits in a lane, batch after batch.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use coffer_ledger::{Command, Reply};
use coffer_store::{Batch, LockedRows, Store, StoreError};
use tokio::sync::{Notify, mpsc, oneshot};

use super::siding::Siding;
use super::{Answer, Submission, together};
use crate::clock::Clock;
use crate::limits::BATCH_COMMANDS_MAX;
use crate::service::Unavailable;
use crate::tally::Tally;

/// Has the store apply batches.
#[derive(Clone)]
pub(super) struct Applier {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<Clock>,
    pub(super) tally: Arc<Tally>,
    pub(super) last_commit_worked: Arc<AtomicBool>,
}

/// Why a batch was not applied.
pub(super) enum Unapplied {
    /// Others have locked what some of its commands name. The rest can be applied without them.
    Locked(LockedRows),
    /// It cannot be applied just now.
    Failed(Unavailable),
}

impl Applier {
    pub(super) async fn apply(&self, commands: Vec<Command>) -> Result<Vec<Reply>, Unapplied> {
        let clock = self.clock.now_for_writes().map_err(|error| Unapplied::Failed(error.into()))?;
        let count = commands.len();
        let began = Instant::now();
        let replies = match self.store.apply(Batch { clock, commands }).await {
            Ok(replies) => replies,
            Err(StoreError::RowsLocked(locked)) => return Err(Unapplied::Locked(*locked)),
            Err(error) => return Err(Unapplied::Failed(self.failed(error, count))),
        };
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
            StoreError::Contended => tracing::warn!(%error, commands, "a batch was refused"),
            // The store has logged what became of its file or its database, and a clock or a schema when it was noticed;
            // locked rows do not come here.
            StoreError::Unreachable(_)
            | StoreError::DiskIsFull
            | StoreError::Locked
            | StoreError::Closed
            | StoreError::Unreadable(_)
            | StoreError::RowsLocked(_)
            | StoreError::SchemaChanged { .. }
            | StoreError::ClockStrayed => {}
        }
        Unavailable::from(error)
    }
}

/// The one who commits in a lane.
pub(super) struct Committer {
    pub(super) applier: Applier,
    pub(super) waiting: mpsc::UnboundedReceiver<Submission>,
    pub(super) closing: Arc<Notify>,
    pub(super) siding: Arc<Siding>,
}

impl Committer {
    pub(super) async fn run(mut self) {
        let _guard = StopOnPanic;
        while let Some(first) = self.next().await {
            let batch = self.fill(first);
            self.commit(batch).await;
        }
        self.siding.close();
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

    /// Commits what need not wait for others' locks, now that its turn has come.
    async fn commit(&self, submissions: Vec<Submission>) {
        let mut submissions = self.divert(submissions);
        while !submissions.is_empty() {
            let mut commands = Vec::with_capacity(submissions.len());
            let mut callers = Vec::with_capacity(submissions.len());
            for submission in submissions {
                callers.push((submission.commands.len(), submission.answer));
                commands.extend(submission.commands);
            }
            match self.applier.apply(commands).await {
                Ok(replies) => {
                    let mut replies = replies.into_iter();
                    for (count, answer) in callers {
                        // Whoever has hung up does not hear the answer; what was done is done.
                        drop(answer.send(Ok(replies.by_ref().take(count).collect())));
                    }
                    return;
                }
                Err(Unapplied::Failed(error)) => {
                    for (_, answer) in callers {
                        drop(answer.send(Err(error.clone())));
                    }
                    return;
                }
                Err(Unapplied::Locked(locked)) => submissions = self.set_aside(callers, locked),
            }
        }
    }

    /// Sends what follows a command that stands aside after it: commands of an account keep their order.
    fn divert(&self, submissions: Vec<Submission>) -> Vec<Submission> {
        if self.siding.is_empty() {
            return submissions;
        }
        let split = |Submission { commands, answer, room }: Submission| {
            let aside = places(&commands, |_, command| self.siding.has_before(command));
            let rest = self.split(commands, answer, &aside)?;
            Some(Submission { room, ..rest })
        };
        submissions.into_iter().filter_map(split).collect()
    }

    /// Sets the commands aside that must wait for others' locks, and answers what is left of the batch.
    fn set_aside(
        &self,
        callers: Vec<(usize, oneshot::Sender<Answer>)>,
        LockedRows { commands, locked }: LockedRows,
    ) -> Vec<Submission> {
        assert!(!locked.is_empty(), "a batch of which nothing is locked is applied");
        tracing::debug!(commands = locked.len(), "commands are set aside: others have locked what they name");
        let locked: BTreeSet<usize> = locked.into_iter().collect();
        let (mut left, mut commands, mut first) = (Vec::new(), commands.into_iter(), 0);
        for (count, answer) in callers {
            let own: Vec<Command> = commands.by_ref().take(count).collect();
            let aside = places(&own, |place, _| locked.contains(&(first + place)));
            left.extend(self.split(own, answer, &aside));
            first += count;
        }
        left
    }

    /// Sets some of a caller's commands aside; what is left is a submission of its own. The caller is answered once all
    /// of them are.
    fn split(
        &self,
        commands: Vec<Command>,
        answer: oneshot::Sender<Answer>,
        aside: &BTreeSet<usize>,
    ) -> Option<Submission> {
        if aside.is_empty() {
            return Some(Submission { commands, answer, room: None });
        }
        let count = commands.len();
        let (mut kept, mut kept_places, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for (place, command) in commands.into_iter().enumerate() {
            if aside.contains(&place) {
                parts.push((vec![place], self.siding.add(command)));
            } else {
                kept.push(command);
                kept_places.push(place);
            }
        }
        let rest = (!kept.is_empty()).then(|| {
            let (answer, answered) = oneshot::channel();
            parts.push((kept_places, answered));
            Submission { commands: kept, answer, room: None }
        });
        tokio::spawn(async move { drop(answer.send(together(count, parts).await)) });
        rest
    }
}

/// The places of those commands for which a condition holds.
fn places(commands: &[Command], is_one: impl Fn(usize, &Command) -> bool) -> BTreeSet<usize> {
    let found = commands.iter().enumerate().filter(|(place, command)| is_one(*place, command));
    found.map(|(place, _)| place).collect()
}

/// A committer that panics must not leave a server behind that answers nobody.
pub(super) struct StopOnPanic;

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the committer has panicked; the process stops");
            std::process::abort();
        }
    }
}
