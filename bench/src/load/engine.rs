//! The loop: one thread, one poll, all connections.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use rustix::time::{ClockId, clock_gettime};

use crate::connection::Connection;
use crate::counted::Counted;
use crate::request::Requests;
use crate::timer::Timer;
use crate::{Broken, Pace, Plan, Until};

const TIMER: Token = Token(usize::MAX);
const EVENTS: usize = 1024;
/// How long nothing at all may be answered.
const SILENCE_MS_MAX: u64 = 60_000;

struct Engine<'a> {
    plan: &'a Plan,
    requests: &'a mut Requests,
    poll: Poll,
    timer: Timer,
    connections: Vec<Connection>,
    /// Connections without a request, the one that has had none for longest first.
    free: VecDeque<usize>,
    started: Instant,
    /// When nothing more is sent.
    end: Option<Instant>,
    sent: u64,
    exhausted: bool,
    counted: Counted,
}

/// Loads a server, and answers when the last answer has come.
///
/// # Errors
/// Where a connection breaks, the server says what is no answer, or nothing for a minute. A status that was not expected is
/// counted: see [`Counted::flawless`].
pub fn run(plan: &Plan, requests: &mut Requests) -> Result<Counted, Broken> {
    let cpu_before = thread_cpu();
    let mut engine = Engine::new(plan, requests)?;
    engine.run()?;
    let mut counted = engine.counted;
    counted.cpu = thread_cpu().saturating_sub(cpu_before);
    Ok(counted)
}

impl<'a> Engine<'a> {
    fn new(plan: &'a Plan, requests: &'a mut Requests) -> Result<Engine<'a>, Broken> {
        let poll = Poll::new().map_err(|error| Broken::of("make a poll", error))?;
        let open = |index| Connection::open(plan.address, poll.registry(), Token(index));
        let connections: Vec<Connection> = (0..plan.connections).map(open).collect::<Result<_, _>>()?;
        let timer = Timer::new(poll.registry(), TIMER)?;
        let free = (0..connections.len()).collect();
        let started = Instant::now();
        let end = match plan.until {
            Until::Elapsed(duration) => Some(started + duration),
            Until::Exhausted => None,
        };
        let (sent, exhausted, counted) = (0, false, Counted::nothing());
        Ok(Engine { plan, requests, poll, timer, connections, free, started, end, sent, exhausted, counted })
    }

    fn run(&mut self) -> Result<(), Broken> {
        let mut events = Events::with_capacity(EVENTS);
        let mut last_heard = Instant::now();
        while self.send_what_is_due()? || self.free.len() < self.connections.len() {
            self.poll_into(&mut events)?;
            for event in &events {
                if event.token() == TIMER {
                    continue;
                }
                let index = event.token().0;
                if self.connections[index].go_on(event, self.plan.protocol)? {
                    last_heard = Instant::now();
                    self.finish(index, last_heard)?;
                }
            }
            if self.free.len() < self.connections.len()
                && last_heard.elapsed() > Duration::from_millis(SILENCE_MS_MAX)
            {
                return Err(Broken("the server does not answer any more".to_owned()));
            }
            if self.free.len() == self.connections.len() {
                last_heard = Instant::now();
            }
        }
        let ended = Instant::now();
        let until = self.end.map_or(ended, |end| end.min(ended));
        self.counted.elapsed = until.saturating_duration_since(self.started);
        Ok(())
    }

    fn poll_into(&mut self, events: &mut Events) -> Result<(), Broken> {
        match self.poll.poll(events, Some(Duration::from_millis(SILENCE_MS_MAX))) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            Err(error) => Err(Broken::of("wait for answers", error)),
        }
    }

    /// Sends what is due on connections that are free. Whether more is to come.
    fn send_what_is_due(&mut self) -> Result<bool, Broken> {
        match self.plan.pace {
            Pace::Closed => self.send_at_once(),
            Pace::Open { per_second } => self.send_by_the_clock(per_second),
        }
    }

    fn send_at_once(&mut self) -> Result<bool, Broken> {
        while let Some(index) = self.free.pop_front() {
            let now = Instant::now();
            if self.is_over(now) || !self.send(index, now)? {
                self.free.push_front(index);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What is due by the end is sent, even where no connection was free until then: who waited longest must not be left out.
    fn send_by_the_clock(&mut self, per_second: u64) -> Result<bool, Broken> {
        loop {
            let due = self.started + nth_after(self.sent, per_second);
            if self.is_over(due) {
                return Ok(false);
            }
            let now = Instant::now();
            if now < due {
                self.timer.set(due - now)?;
                return Ok(true);
            }
            let Some(index) = self.free.pop_front() else { return Ok(true) };
            if self.connections[index].free_since <= due {
                self.counted.delayed(now - due);
            }
            if !self.send(index, due)? {
                self.free.push_front(index);
                return Ok(false);
            }
        }
    }

    fn is_over(&self, at: Instant) -> bool {
        self.exhausted || self.end.is_some_and(|end| at >= end)
    }

    /// `false` where there are no more requests.
    fn send(&mut self, index: usize, due: Instant) -> Result<bool, Broken> {
        let Some(request) = self.requests.next_request() else {
            self.exhausted = true;
            return Ok(false);
        };
        self.sent += 1;
        self.connections[index].send(request, due)?;
        Ok(true)
    }

    fn finish(&mut self, index: usize, now: Instant) -> Result<(), Broken> {
        let connection = &mut self.connections[index];
        let due = connection.due.expect("what is answered was asked");
        let answer = connection.take_answer();
        self.counted.answered(answer.status, now.saturating_duration_since(due));
        if !self.requests.accepts(&answer) {
            self.counted.wrong(answer.status, answer.body);
        }
        let is_over = self.end.is_some_and(|end| now >= end);
        self.counted.answers += u64::from(!is_over);
        if self.plan.pace == Pace::Closed && !is_over && self.send(index, now)? {
            return Ok(());
        }
        self.connections[index].free_since = now;
        self.free.push_back(index);
        Ok(())
    }
}

/// When the request with a number is due, counted from the start.
fn nth_after(number: u64, per_second: u64) -> Duration {
    let nanoseconds = u128::from(number) * 1_000_000_000 / u128::from(per_second.max(1));
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
