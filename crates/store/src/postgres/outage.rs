//! What the log says while the database is away: that it is, every few seconds how much has failed meanwhile, and that it is
//! there again. A line for each failure would bury everything else.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::StoreError;

/// How long nothing more is said once something was.
const QUIET: Duration = Duration::from_secs(5);

/// Whether one kind of work fails.
#[derive(Debug)]
pub(super) struct Outage {
    what: &'static str,
    /// Whether there is a state, for those to whom everything is well.
    is_away: AtomicBool,
    away: Mutex<Option<Away>>,
}

#[derive(Debug)]
struct Away {
    told: Instant,
    failed: u64,
}

/// What is to be said.
#[derive(PartialEq, Eq, Debug)]
enum Said {
    Nothing,
    Begins,
    GoesOn { failed: u64 },
    IsOver { failed: u64 },
}

impl Outage {
    /// None yet, of this kind of work.
    pub(super) const fn of(what: &'static str) -> Outage {
        Outage { what, is_away: AtomicBool::new(false), away: Mutex::new(None) }
    }

    /// Takes note of how some work has ended, and says what is to be said.
    pub(super) fn note<Done>(&self, ended: Result<&Done, &StoreError>) {
        let error = match ended {
            Ok(_) => None,
            Err(error @ (StoreError::Unreachable(_) | StoreError::DiskIsFull)) => Some(error),
            // Of the others each is told by itself, or is no failure of the database.
            Err(_) => return,
        };
        let what = self.what;
        match (self.noted(error.is_some(), Instant::now()), error) {
            (Said::Begins, Some(error)) => tracing::error!(%error, "{what} fail"),
            (Said::GoesOn { failed }, Some(error)) => tracing::error!(%error, failed, "{what} still fail"),
            (Said::IsOver { failed }, _) => tracing::warn!(failed, "{what} work again"),
            (Said::Nothing | Said::Begins | Said::GoesOn { .. }, _) => {}
        }
    }

    fn noted(&self, has_failed: bool, now: Instant) -> Said {
        if !has_failed && !self.is_away.load(Ordering::Relaxed) {
            return Said::Nothing;
        }
        let mut away = self.away.lock().expect("no thread panics while it holds the state");
        self.is_away.store(has_failed, Ordering::Relaxed);
        match (&mut *away, has_failed) {
            (None, false) => Said::Nothing,
            (None, true) => {
                *away = Some(Away { told: now, failed: 1 });
                Said::Begins
            }
            (Some(so_far), false) => {
                let failed = so_far.failed;
                *away = None;
                Said::IsOver { failed }
            }
            (Some(so_far), true) => {
                so_far.failed += 1;
                if now.duration_since(so_far.told) < QUIET {
                    return Said::Nothing;
                }
                so_far.told = now;
                Said::GoesOn { failed: so_far.failed }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_when_it_begins_now_and_then_and_when_it_is_over() {
        let outage = Outage::of("reads");
        let start = Instant::now();
        let mut said = Vec::new();
        for (ms, has_failed) in
            [(0, false), (1, true), (2, true), (4_000, true), (5_001, true), (5_002, true), (10_001, true)]
        {
            said.push(outage.noted(has_failed, start + Duration::from_millis(ms)));
        }
        for has_failed in [false, false, true] {
            said.push(outage.noted(has_failed, start + Duration::from_secs(20)));
        }
        assert_eq!(
            said,
            [
                Said::Nothing,
                Said::Begins,
                Said::Nothing,
                Said::Nothing,
                Said::GoesOn { failed: 4 },
                Said::Nothing,
                Said::GoesOn { failed: 6 },
                Said::IsOver { failed: 6 },
                Said::Nothing,
                Said::Begins,
            ]
        );
    }
}
