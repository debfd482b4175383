//! A client as they are: it works on shared accounts, loses patience, asks again, and asks twice at once.
//!
//! Clients judge nothing. Whatever they are told goes into the history.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::credits::Credits;
use super::mix::{Action, MIX};
use super::record::{History, Operation, Payer, Request, Try};
use super::sending::{Account, Reader, Sender};
use super::shelf::Shelf;

/// Who hangs up long before the server can answer, and who waits out most of a standstill.
const IMPATIENCE_MICROSECONDS_MAX: u64 = 3_000;
const PATIENCE: std::ops::Range<Duration> = Duration::from_millis(150)..Duration::from_millis(900);
/// A busy machine is no failure: patience doubles with every try, up to this.
const PATIENCE_MAX: Duration = Duration::from_secs(20);
const BEFORE_A_RETRY_MILLISECONDS: std::ops::Range<u64> = 1..20;
const THINKING_MICROSECONDS_MAX: u64 = 8_000;
/// How often each thing that is left open is asked for in the end.
const LAST_TRIES_MAX: usize = 200;

/// What clients share.
pub(crate) struct Run {
    pub(crate) sender: Sender,
    pub(crate) accounts: Vec<(Account, Shelf)>,
    pub(crate) is_ending: AtomicBool,
}

/// One of the clients.
pub(crate) struct Client {
    run: Arc<Run>,
    number: usize,
    random: SmallRng,
    history: History,
    /// Operations that were put aside without an answer.
    open: Vec<usize>,
}

impl Client {
    pub(crate) fn new(run: Arc<Run>, number: usize, seed: u64) -> Client {
        // Any other constant would do: clients of one run must differ.
        let random = SmallRng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(number as u64));
        Client { run, number, random, history: History::default(), open: Vec::new() }
    }

    /// Works until the run ends, and then until everything that it ever asked for is answered.
    pub(crate) async fn work(mut self) -> History {
        while !self.run.is_ending.load(Ordering::SeqCst) {
            self.act().await;
            match self.random.random_range(0..12) {
                0 | 1 => self.repeat_what_was_answered().await,
                2 => self.ask_for_what_is_open().await,
                3..7 => self.think().await,
                _ => {}
            }
        }
        self.ask_for_the_last_time().await;
        self.history
    }

    async fn act(&mut self) {
        let (action, _) =
            MIX.choose_weighted(&mut self.random, |(_, share)| *share).expect("something to do");
        let account = self.random.random_range(0..self.run.accounts.len());
        let request = match action {
            Action::ReadAsCustomer => return self.read(account, Reader::Customer).await,
            Action::ReadAsOperator => return self.read(account, Reader::Operator).await,
            Action::Grant => Some(Request::Grant { credits: self.quarters(8..30) }),
            Action::Charge => None,
            Action::Hold => self.hold(account),
            Action::Capture => self.capture(account),
            Action::Release => self.release(account),
            Action::Refund => self.refund(account),
        };
        // What there is nothing for becomes a charge.
        let charge = Request::Charge { credits: self.quarters(1..25), payer: self.payer() };
        self.begin(account, request.unwrap_or(charge)).await;
    }

    /// Asks for something new, now and then twice at once, and insists on an answer or puts it aside.
    async fn begin(&mut self, account: usize, request: Request) {
        let index = self.history.operations.len();
        let name = format!("client-{}-{index}", self.number);
        self.history.operations.push(Operation { name, account, request, tries: Vec::new() });
        if self.random.random_ratio(1, 8) {
            self.try_twins(index).await;
        } else {
            self.try_once(index, 0).await;
        }
        if self.history.operations[index].is_answered() {
            return;
        }
        if self.random.random_ratio(1, 3) {
            self.open.push(index);
        } else {
            self.insist(index).await;
        }
    }

    /// Asks under the same name until there is an answer, or the run ends.
    async fn insist(&mut self, index: usize) {
        for count in 1.. {
            self.try_once(index, count).await;
            if self.history.operations[index].is_answered() {
                return;
            }
            if self.run.is_ending.load(Ordering::SeqCst) {
                self.open.push(index);
                return;
            }
            self.pause().await;
        }
    }

    /// Asks for everything that is still open. What has no answer even then has none in the history either.
    async fn ask_for_the_last_time(&mut self) {
        for index in std::mem::take(&mut self.open) {
            for count in 1..=LAST_TRIES_MAX {
                self.try_once(index, count).await;
                if self.history.operations[index].is_answered() {
                    break;
                }
                self.pause().await;
            }
        }
    }

    async fn pause(&mut self) {
        let milliseconds = self.random.random_range(BEFORE_A_RETRY_MILLISECONDS);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    /// Asks again for something that was answered, half of the time of late: the answer must be the same for ever.
    async fn repeat_what_was_answered(&mut self) {
        let operations = &self.history.operations;
        let Some(last) = operations.len().checked_sub(1) else { return };
        let recent = self.random.random_bool(0.5);
        let from = if recent { last.saturating_sub(3) } else { 0 };
        let index = self.random.random_range(from..=last);
        if operations[index].is_answered() {
            self.try_once(index, 1).await;
        }
    }

    async fn ask_for_what_is_open(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let index = self.open.swap_remove(self.random.random_range(0..self.open.len()));
        self.insist(index).await;
    }

    async fn try_once(&mut self, index: usize, tries_before: usize) {
        let patience = self.patience(tries_before);
        let operation = &self.history.operations[index];
        let (account, _) = &self.run.accounts[operation.account];
        let one = self.run.sender.send(account, operation, patience).await;
        self.note(index, [one]);
    }

    async fn try_twins(&mut self, index: usize) {
        let (patience, twins_patience) = (self.patience(0), self.patience(1));
        let delay = Duration::from_micros(self.random.random_range(0..1_500));
        let operation = &self.history.operations[index];
        let (account, _) = &self.run.accounts[operation.account];
        let sender = &self.run.sender;
        let twin = async {
            tokio::time::sleep(delay).await;
            sender.send(account, operation, twins_patience).await
        };
        let (one, other) = tokio::join!(sender.send(account, operation, patience), twin);
        self.note(index, [one, other]);
    }

    async fn read(&mut self, account: usize, reader: Reader) {
        let patience = self.patience(1);
        let (account, _) = &self.run.accounts[account];
        match self.run.sender.read(account, reader, patience).await {
            Ok(read) => self.history.reads.extend(read),
            Err(strange) => self.history.strange.push(strange),
        }
    }

    async fn think(&mut self) {
        let time = Duration::from_micros(self.random.random_range(0..THINKING_MICROSECONDS_MAX));
        tokio::time::sleep(time).await;
    }

    /// Remembers tries, and lets everybody know what they have made or used up.
    fn note(&mut self, index: usize, tries: impl IntoIterator<Item = Try>) {
        let operation = &mut self.history.operations[index];
        let was_answered = operation.is_answered();
        operation.tries.extend(tries);
        if !was_answered {
            let (_, shelf) = &self.run.accounts[operation.account];
            shelf.learn(operation, &mut self.random);
        }
    }

    fn patience(&mut self, tries_before: usize) -> Duration {
        if tries_before < 2 && self.random.random_ratio(1, 12) {
            return Duration::from_micros(self.random.random_range(0..IMPATIENCE_MICROSECONDS_MAX));
        }
        let doublings = u32::try_from(tries_before.min(8)).expect("a small number");
        let patience = self.random.random_range(PATIENCE) * (1 << doublings);
        patience.min(PATIENCE_MAX)
    }

    fn payer(&mut self) -> Payer {
        if self.random.random() { Payer::CustomersKey } else { Payer::Account }
    }

    fn quarters(&mut self, range: std::ops::Range<i64>) -> Credits {
        Credits::millionths(self.random.random_range(range) * 250_000)
    }

    fn hold(&mut self, account: usize) -> Option<Request> {
        if self.run.accounts[account].1.has_enough_holds() {
            return self.release(account);
        }
        Some(Request::Hold { credits: self.quarters(2..20), payer: self.payer() })
    }

    /// All of a hold, part of it, or more than it can have left.
    fn capture(&mut self, account: usize) -> Option<Request> {
        let (hold, held) = self.run.accounts[account].1.hold(&mut self.random)?;
        let credits = match self.random.random_range(0..10) {
            0 => held + Credits::MILLIONTH,
            1..5 => held,
            _ => self.quarters(1..6),
        };
        Some(Request::Capture { hold, credits, is_final: self.random.random_ratio(2, 3) })
    }

    fn release(&mut self, account: usize) -> Option<Request> {
        let (hold, _) = self.run.accounts[account].1.hold(&mut self.random)?;
        Some(Request::Release { hold })
    }

    fn refund(&mut self, account: usize) -> Option<Request> {
        let (charge, credits) = self.run.accounts[account].1.refund(&mut self.random)?;
        Some(Request::Refund { charge, credits })
    }
}
