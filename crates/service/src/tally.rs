//! What this process has done lately: charges, refusals, and how long its commits take. Kept as it happens, in little
//! memory, so that whoever looks waits for nothing. It is gone with the process; the ledger is the truth.

use std::collections::VecDeque;
use std::mem::Discriminant;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use coffer_ledger::{Credits, Outcome, Refusal, Reply};

use crate::limits::{COMMITS_REMEMBERED_MAX, TALLY_SLOT_SECONDS, TALLY_SLOTS_MAX};
use crate::total::Total;

/// What is counted while the process works.
#[derive(Debug)]
pub(crate) struct Tally {
    started: Instant,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    /// The latest stretches of time, the current one last.
    slots: VecDeque<Slot>,
    refusals: Vec<Refused>,
    /// The latest commits, the last one last.
    commits: VecDeque<Duration>,
    commands: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    number: u64,
    charges: u64,
    spent: Total,
}

#[derive(Clone, Debug)]
struct Refused {
    of: Discriminant<Refusal>,
    refusal: Refusal,
    count: u64,
    last: SystemTime,
}

/// What a process has done lately.
#[derive(Clone, Debug)]
pub struct Lately {
    /// Stretches of time of [`TALLY_SLOT_SECONDS`] each, oldest first, the last one still running.
    pub slots: Vec<Stretch>,
    /// Charges and captures in the last whole stretch and the running one, and the seconds that these two cover.
    pub recent: (u64, u64),
    /// Kinds of refusals since the process began, most frequent first.
    pub refusals: Vec<RefusalCount>,
    /// How long commits have taken.
    pub commits: CommitTimes,
    /// Commands carried out since the process began.
    pub commands: u64,
    /// How long the process has been at work.
    pub up: Duration,
}

/// What was charged in a stretch of time.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// How many seconds ago it began.
    pub seconds_ago: u64,
    /// Charges and captures.
    pub charges: u64,
    /// What they came to.
    pub spent: Total,
}

/// How often something was refused.
#[derive(Clone, Debug)]
pub struct RefusalCount {
    /// The last one of its kind.
    pub refusal: Refusal,
    /// How many there were of the kind.
    pub count: u64,
    /// When the last one was.
    pub last: SystemTime,
}

/// How long the latest commits have taken, from the sorted times of up to [`COMMITS_REMEMBERED_MAX`].
#[derive(Clone, Copy, Debug, Default)]
pub struct CommitTimes {
    /// How many these figures are of.
    pub count: usize,
    /// Half of them took no longer.
    pub median: Duration,
    /// 99 of 100 took no longer.
    pub slow: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally { started: Instant::now(), counted: Mutex::default() }
    }

    /// Counts what a batch came to, and how long it took.
    pub(crate) fn note(&self, replies: &[Reply], took: Duration) {
        let mut charges = 0;
        let mut spent = Total::default();
        for reply in replies.iter().filter(|reply| !reply.replayed) {
            if let Some(credits) = charged(&reply.outcome) {
                charges += 1;
                spent = spent.plus(credits);
            }
        }
        let number = self.slot_number();
        let mut counted = self.counted();
        let slot = counted.slot(number);
        slot.charges += charges;
        slot.spent = slot.spent.plus_total(spent);
        counted.commands += replies.len() as u64;
        counted.commits.push_back(took);
        if counted.commits.len() > COMMITS_REMEMBERED_MAX {
            counted.commits.pop_front();
        }
        for reply in replies {
            if let Outcome::Refused(refusal) = &reply.outcome {
                counted.refused(refusal);
            }
        }
    }

    /// What has been counted.
    pub(crate) fn lately(&self) -> Lately {
        let now = self.slot_number();
        let up = self.started.elapsed();
        let counted = self.counted();
        let slots: Vec<Stretch> =
            (0..TALLY_SLOTS_MAX as u64).rev().map(|before| counted.stretch(now, before, up)).collect();
        let recent: u64 = slots.iter().rev().take(2).map(|stretch| stretch.charges).sum();
        let seconds = (up.as_secs() % TALLY_SLOT_SECONDS) + if now > 0 { TALLY_SLOT_SECONDS } else { 0 };
        let mut refusals = counted.refusals.clone();
        refusals.sort_by_key(|refused| std::cmp::Reverse(refused.count));
        let count = |refused: Refused| RefusalCount {
            refusal: refused.refusal,
            count: refused.count,
            last: refused.last,
        };
        Lately {
            slots,
            recent: (recent, seconds.max(1)),
            refusals: refusals.into_iter().map(count).collect(),
            commits: CommitTimes::of(counted.commits.iter().copied().collect()),
            commands: counted.commands,
            up,
        }
    }

    fn slot_number(&self) -> u64 {
        self.started.elapsed().as_secs() / TALLY_SLOT_SECONDS
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().expect("no thread panics while it counts")
    }
}

impl Counted {
    fn slot(&mut self, number: u64) -> &mut Slot {
        if self.slots.back().is_none_or(|slot| slot.number < number) {
            self.slots.push_back(Slot { number, ..Slot::default() });
            if self.slots.len() > TALLY_SLOTS_MAX {
                self.slots.pop_front();
            }
        }
        self.slots.back_mut().expect("one was just put there")
    }

    /// The stretch that lies so many before the running one; those before the process began are empty.
    fn stretch(&self, now: u64, before: u64, up: Duration) -> Stretch {
        let number = now.checked_sub(before);
        let slot = self.slots.iter().find(|slot| Some(slot.number) == number).copied().unwrap_or_default();
        let seconds_ago = up.as_secs() % TALLY_SLOT_SECONDS + before * TALLY_SLOT_SECONDS;
        Stretch { seconds_ago, charges: slot.charges, spent: slot.spent }
    }

    fn refused(&mut self, refusal: &Refusal) {
        let (of, last) = (std::mem::discriminant(refusal), SystemTime::now());
        match self.refusals.iter_mut().find(|known| known.of == of) {
            Some(known) => {
                known.count += 1;
                known.last = last;
                known.refusal = refusal.clone();
            }
            None => self.refusals.push(Refused { of, refusal: refusal.clone(), count: 1, last }),
        }
    }
}

impl CommitTimes {
    fn of(mut times: Vec<Duration>) -> CommitTimes {
        times.sort_unstable();
        let at = |hundredths: usize| {
            let place = (times.len() * hundredths).div_ceil(100).saturating_sub(1);
            times.get(place).copied().unwrap_or_default()
        };
        CommitTimes { count: times.len(), median: at(50), slow: at(99), longest: at(100) }
    }
}

/// What a command has spent.
fn charged(outcome: &Outcome) -> Option<Credits> {
    match outcome {
        Outcome::Charged(charge) | Outcome::Captured(charge) => Some(charge.credits),
        Outcome::AccountCreated(_)
        | Outcome::AccountUpdated(_)
        | Outcome::Granted(_)
        | Outcome::GrantVoided(_)
        | Outcome::Adjusted(_)
        | Outcome::Refunded(_)
        | Outcome::Held(_)
        | Outcome::Released(_)
        | Outcome::Settled
        | Outcome::TextsErased
        | Outcome::KeyCreated(_)
        | Outcome::KeyUpdated(_)
        | Outcome::KeyRotated(_)
        | Outcome::KeyRevoked(_)
        | Outcome::PricePut(_)
        | Outcome::PriceDeleted
        | Outcome::OperatorKeyCreated(_)
        | Outcome::OperatorKeyRevoked(_)
        | Outcome::SessionOffered(_)
        | Outcome::SessionOpened(_)
        | Outcome::SessionUsed
        | Outcome::SessionsEnded { .. }
        | Outcome::Refused(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(refusal: Refusal) -> Reply {
        Reply { outcome: Outcome::Refused(refusal), replayed: false }
    }

    #[test]
    fn refusals_are_counted_by_kind() {
        let tally = Tally::new();
        let short = |required: i64| Refusal::CreditsAreInsufficient {
            required: Credits::from_whole(required).unwrap(),
            available: Credits::ZERO,
        };
        tally.note(&[refused(short(1)), refused(Refusal::KeyIsUnknown)], Duration::from_millis(1));
        tally.note(&[refused(short(7))], Duration::from_millis(3));
        let lately = tally.lately();
        let counts: Vec<_> = lately.refusals.iter().map(|of| (of.count, of.refusal.clone())).collect();
        assert_eq!(counts, [(2, short(7)), (1, Refusal::KeyIsUnknown)]);
        assert_eq!((lately.commands, lately.commits.count), (3, 2));
        assert_eq!(lately.commits.longest, Duration::from_millis(3));
        assert_eq!(lately.slots.len(), TALLY_SLOTS_MAX, "those before the process began are empty");
    }

    #[test]
    fn times_are_told_by_rank() {
        let times = CommitTimes::of((1..=200).rev().map(Duration::from_millis).collect());
        let ms = [times.median, times.slow, times.longest].map(|time| time.as_millis());
        assert_eq!(ms, [100, 198, 200]);
        assert_eq!(CommitTimes::of(Vec::new()).longest, Duration::ZERO);
    }

    #[test]
    fn only_so_many_stretches_and_commits_are_remembered() {
        let mut counted = Counted::default();
        for number in 0..10_000 {
            counted.slot(number).charges += 1;
        }
        assert_eq!(counted.slots.len(), TALLY_SLOTS_MAX);
        assert_eq!(counted.slots.back().map(|slot| slot.number), Some(9_999));
    }
}
