//! What a test wants of its proxy, told from its thread to those of the connections.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// When a connection is cut around a COMMIT.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cut {
    /// The server never hears of the COMMIT, and rolls back.
    Before,
    /// The server gets the COMMIT and carries it out; the client never hears of it.
    After,
}

#[derive(Default)]
pub(super) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Both ends of every connection, by its number.
    open: HashMap<u64, [TcpStream; 2]>,
    opened: u64,
    is_refusing: bool,
    has_ended: bool,
    /// What happens to the next commits, in this order.
    cuts: Vec<Cut>,
    commits: usize,
    was_cut: usize,
    delay: Duration,
}

impl Control {
    /// Lets a connection in, and gives it a number; `None` where nobody is let in.
    pub(super) fn admit(&self, ends: [TcpStream; 2]) -> Option<u64> {
        let mut state = self.state();
        if state.is_refusing || state.has_ended {
            return None;
        }
        state.opened += 1;
        let number = state.opened;
        state.open.insert(number, ends);
        Some(number)
    }

    pub(super) fn forget(&self, number: u64) {
        self.state().open.remove(&number);
        self.changed.notify_all();
    }

    /// Ends all connections that there are, in both directions.
    pub(super) fn cut_all(&self) {
        let mut state = self.state();
        for [client, server] in state.open.drain().map(|(_, ends)| ends) {
            // One that has ended already cannot be ended.
            drop(client.shutdown(Shutdown::Both));
            drop(server.shutdown(Shutdown::Both));
        }
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn refuse(&self, is_refusing: bool) {
        self.state().is_refusing = is_refusing;
    }

    pub(super) fn end(&self) {
        self.state().has_ended = true;
        self.cut_all();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().has_ended
    }

    pub(super) fn cut_next_commits(&self, count: usize, cut: Cut) {
        self.state().cuts.extend(std::iter::repeat_n(cut, count));
    }

    pub(super) fn forget_cuts(&self) {
        self.state().cuts.clear();
    }

    /// Counts a commit, and says whether its connection is to be cut. One that is cut after it is left to itself from here
    /// on: whoever cuts all connections as soon as this is counted must not take the commit with them.
    pub(super) fn commit_comes(&self, number: u64) -> Option<Cut> {
        let mut state = self.state();
        state.commits += 1;
        let cut = (!state.cuts.is_empty()).then(|| state.cuts.remove(0));
        if cut == Some(Cut::After) {
            state.open.remove(&number);
        }
        state.was_cut += usize::from(cut.is_some());
        cut
    }

    /// How many commits came by.
    pub(super) fn commits(&self) -> usize {
        self.state().commits
    }

    /// How many of them were cut.
    pub(super) fn was_cut(&self) -> usize {
        self.state().was_cut
    }

    /// How many connections there are.
    pub(super) fn open(&self) -> usize {
        self.state().open.len()
    }

    pub(super) fn delay(&self, delay: Duration) {
        self.state().delay = delay;
        self.changed.notify_all();
    }

    /// Waits as long as an answer is to be delayed, and not once its connection has been cut.
    pub(super) fn wait_before_answer(&self, number: u64) {
        let started = Instant::now();
        let mut state = self.state();
        while state.open.contains_key(&number) {
            let left = state.delay.saturating_sub(started.elapsed());
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            (state, _) = waited.expect("nothing panics that holds the state");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics that holds the state")
    }
}
