//! Where commands of a lane stand that must wait for others' locks: a stopped node, or somebody's transaction, has the row
//! that they name. They are tried again apart from the lane, which goes on without them.
//!
//! Who names the same account stands behind them, so that an account's commands keep their order. Nobody waits here
//! for longer than a bound, and no connection waits with them: a try is short, and then there is a pause.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use coffer_ledger::{AccountId, Command, KeyId, Needs};
use coffer_store::{LockedRows, StoreError};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::committer::{Applier, StopOnPanic, Unapplied};
use super::{Answer, Places, Room};
use crate::limits::{ASIDE_AGAIN_MS, ASIDE_MS_MAX};
use crate::service::Unavailable;

/// Commands that stand aside.
pub(super) struct Siding {
    places: Places,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Command, Caller)>,
    /// What the commands name that stand here or are being tried, and how many of them.
    named: BTreeMap<Named, usize>,
    is_closing: bool,
}

/// Who is to be answered of a command that stands aside.
struct Caller {
    named: Named,
    since: Instant,
    answer: oneshot::Sender<Answer>,
    _room: Room,
}

/// What a command waits for, as far as the command itself tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Account(AccountId),
    /// The account of a key, which the command does not name.
    Key(KeyId),
    Catalogue,
}

impl Named {
    fn by(command: &Command) -> Named {
        if let Command::CreateAccount(create) = command.bare() {
            return Named::Account(create.id);
        }
        let needs = Needs::of(std::slice::from_ref(command));
        let account = needs.accounts.first().map(|id| Named::Account(*id));
        let key = || needs.key_profiles.first().map(|id| Named::Key(*id));
        account.or_else(key).unwrap_or(Named::Catalogue)
    }
}

impl Siding {
    pub(super) fn new(places: Places) -> Siding {
        Siding { places, state: Mutex::default(), changed: Notify::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state().named.is_empty()
    }

    /// Whether a command stands here that one must come after.
    pub(super) fn has_before(&self, command: &Command) -> bool {
        self.state().named.contains_key(&Named::by(command))
    }

    /// Sets a command aside. It is answered in a bounded time, and at once where there is no room left.
    pub(super) fn add(&self, command: Command) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let Some(room) = self.places.room_for(std::slice::from_ref(&command)) else {
            drop(answer.send(Err(given_up())));
            return answered;
        };
        let named = Named::by(&command);
        let mut state = self.state();
        *state.named.entry(named).or_default() += 1;
        state.waiting.push_back((command, Caller { named, since: Instant::now(), answer, _room: room }));
        drop(state);
        self.changed.notify_one();
        answered
    }

    /// Nothing more comes; what stands here is still tried.
    pub(super) fn close(&self) {
        self.state().is_closing = true;
        self.changed.notify_one();
    }

    /// Tries what stands here until nothing more comes and everybody is answered.
    pub(super) async fn run(self: Arc<Self>, applier: Applier) {
        let _guard = StopOnPanic;
        while let Some(batch) = self.next().await {
            let locked = self.try_once(&applier, batch).await;
            if !self.put_back(locked) {
                tokio::time::sleep(Duration::from_millis(ASIDE_AGAIN_MS)).await;
            }
        }
    }

    /// All that stands here.
    async fn next(&self) -> Option<Vec<(Command, Caller)>> {
        loop {
            {
                let mut state = self.state();
                if !state.waiting.is_empty() {
                    return Some(state.waiting.drain(..).collect());
                }
                if state.is_closing {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Applies what can be applied, and answers it; what is still locked is left.
    async fn try_once(&self, applier: &Applier, mut batch: Vec<(Command, Caller)>) -> Vec<(Command, Caller)> {
        let mut left = Vec::new();
        while !batch.is_empty() {
            let (commands, callers): (Vec<Command>, Vec<Caller>) = batch.into_iter().unzip();
            match applier.apply(commands).await {
                Ok(replies) => {
                    let answers = callers.into_iter().zip(replies);
                    answers.for_each(|(caller, reply)| self.answer(caller, Ok(vec![reply])));
                    break;
                }
                Err(Unapplied::Failed(error)) => {
                    callers.into_iter().for_each(|caller| self.answer(caller, Err(error.clone())));
                    break;
                }
                Err(Unapplied::Locked(LockedRows { commands, locked })) => {
                    assert!(!locked.is_empty(), "a batch of which nothing is locked is applied");
                    let locked: BTreeSet<usize> = locked.into_iter().collect();
                    let all = commands.into_iter().zip(callers).enumerate();
                    let (still, free): (Vec<_>, Vec<_>) = all.partition(|(place, _)| locked.contains(place));
                    left.extend(still.into_iter().map(|(_, one)| one));
                    batch = free.into_iter().map(|(_, one)| one).collect();
                }
            }
        }
        left
    }

    /// Puts commands back before those that have come meanwhile, and refuses those that have waited for too long. False
    /// where some are left that nothing but time can help.
    fn put_back(&self, locked: Vec<(Command, Caller)>) -> bool {
        let longest = Duration::from_millis(ASIDE_MS_MAX);
        let (late, left): (Vec<_>, Vec<_>) =
            locked.into_iter().partition(|(_, caller)| caller.since.elapsed() >= longest);
        if !late.is_empty() {
            tracing::warn!(
                commands = late.len(),
                "commands are refused: others have locked what they name for {ASIDE_MS_MAX} ms"
            );
        }
        late.into_iter().for_each(|(_, caller)| self.answer(caller, Err(given_up())));
        let is_done = left.is_empty();
        let mut state = self.state();
        left.into_iter().rev().for_each(|one| state.waiting.push_front(one));
        is_done
    }

    /// Answers a command. Only then do others that name the same go their usual way again.
    fn answer(&self, caller: Caller, told: Answer) {
        let mut state = self.state();
        if let Some(count) = state.named.get_mut(&caller.named) {
            *count -= 1;
            if *count == 0 {
                state.named.remove(&caller.named);
            }
        }
        drop(state);
        // Whoever has hung up does not hear it; what was done is done.
        drop(caller.answer.send(told));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics that holds the state")
    }
}

/// What is told to whoever has waited for too long.
fn given_up() -> Unavailable {
    Unavailable::Store(Arc::new(StoreError::Contended))
}
