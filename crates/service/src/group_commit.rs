//! Group commit: while one batch commits, the next one fills. There is no timer.
//!
//! Each lane of the store has a committer of its own, so that batches of different lanes are under way at the same time.
//! Everything of an account is in one lane, where commands keep the order in which they came. Commands that must wait for
//! others' locks stand in the lane's siding meanwhile, where nobody waits behind them.
//!
//! The queue is bounded in commands and in bytes, over all lanes together; what does not fit is refused at once. A
//! caller who hangs up cancels nothing. At shutdown every queued caller still gets an answer.

mod committer;
mod siding;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coffer_ledger::{Command, Reply};
use coffer_store::Store;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::limits::{ASIDE_BYTES_MAX, ASIDE_COMMANDS_MAX, QUEUE_BYTES_MAX, QUEUE_COMMANDS_MAX};
use crate::service::Unavailable;
use crate::tally::Tally;
use committer::{Applier, Committer};
use siding::Siding;

type Answer = Result<Vec<Reply>, Unavailable>;

/// Commands of one caller in one lane, and where the answer goes.
struct Submission {
    commands: Vec<Command>,
    answer: oneshot::Sender<Answer>,
    /// The place in the queue that this submission occupies until its batch begins.
    room: Option<Room>,
}

/// The way in.
pub(crate) struct Queue {
    store: Arc<dyn Store>,
    lanes: Vec<Lane>,
    waiting: Places,
    aside: Places,
    last_commit_worked: Arc<AtomicBool>,
}

/// How much may wait somewhere.
#[derive(Clone)]
struct Places {
    commands_max: usize,
    commands_free: Arc<Semaphore>,
    bytes_free: Arc<Semaphore>,
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
    /// Starts the tasks that commit, two for each lane: one of them tries what stands aside.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        clock: &Arc<Clock>,
        tally: &Arc<Tally>,
    ) -> (Queue, Vec<JoinHandle<()>>) {
        let last_commit_worked = Arc::new(AtomicBool::new(true));
        let aside = Places::new(ASIDE_COMMANDS_MAX, ASIDE_BYTES_MAX);
        let (mut lanes, mut tasks) = (Vec::new(), Vec::new());
        for _ in 0..store.lanes() {
            let (submissions, waiting) = mpsc::unbounded_channel();
            let closing = Arc::new(Notify::new());
            let applier = Applier {
                store: Arc::clone(&store),
                clock: Arc::clone(clock),
                tally: Arc::clone(tally),
                last_commit_worked: Arc::clone(&last_commit_worked),
            };
            let siding = Arc::new(Siding::new(aside.clone()));
            tasks.push(tokio::spawn(Arc::clone(&siding).run(applier.clone())));
            let committer = Committer { applier, waiting, closing: Arc::clone(&closing), siding };
            tasks.push(tokio::spawn(committer.run()));
            lanes.push(Lane { submissions, closing });
        }
        let waiting = Places::new(QUEUE_COMMANDS_MAX, QUEUE_BYTES_MAX);
        (Queue { store, lanes, waiting, aside, last_commit_worked }, tasks)
    }

    /// Queues commands and waits for their replies, in order. Once queued, they are carried out whether or
    /// not the caller still waits.
    pub(crate) async fn submit(&self, commands: Vec<Command>) -> Answer {
        let room = self.waiting.room_for(&commands).ok_or(Unavailable::Overloaded)?;
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

    /// How many commands wait, those that stand aside among them.
    pub(crate) fn commands_waiting(&self) -> usize {
        self.waiting.taken() + self.aside.taken()
    }

    /// Takes nothing more; what is queued is still carried out.
    pub(crate) fn close(&self) {
        for lane in &self.lanes {
            lane.closing.notify_one();
        }
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
        let count = commands.len();
        // All are queued before the first is waited for: a caller who hangs up leaves none behind.
        let mut under_way = Vec::new();
        for (lane, Part { commands, places }) in self.parts(commands) {
            let room = room.split_off(&commands);
            under_way.push((places, self.lanes[lane].queue(commands, room)));
        }
        together(count, under_way).await
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
        drop(self.submissions.send(Submission { commands, answer, room: Some(room) }));
        answered
    }
}

impl Places {
    fn new(commands_max: usize, bytes_max: usize) -> Places {
        Places {
            commands_max,
            commands_free: Arc::new(Semaphore::new(commands_max)),
            bytes_free: Arc::new(Semaphore::new(bytes_max)),
        }
    }

    /// Room for commands, where there is any.
    fn room_for(&self, commands: &[Command]) -> Option<Room> {
        let count = u32::try_from(commands.len()).ok()?;
        let bytes = u32::try_from(bytes_of(commands)).ok()?;
        let commands = Arc::clone(&self.commands_free).try_acquire_many_owned(count).ok()?;
        let bytes = Arc::clone(&self.bytes_free).try_acquire_many_owned(bytes).ok()?;
        Some(Room { commands, bytes })
    }

    /// For how many commands there is no room any more.
    fn taken(&self) -> usize {
        self.commands_max - self.commands_free.available_permits()
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

/// Waits for parts of what a caller has sent, each with the places of its commands in the whole, and puts the answer
/// together.
async fn together(count: usize, parts: Vec<(Vec<usize>, oneshot::Receiver<Answer>)>) -> Answer {
    let mut replies = vec![None; count];
    let mut failures = Vec::new();
    for (places, answered) in parts {
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
