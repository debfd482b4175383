//! The database's clock, by which all nodes go.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use coffer_ledger::Timestamp;
use rustix::time::{ClockId, clock_gettime};

use crate::StoreError;

/// How far the database's clock may move against the time since this machine's boot, in milliseconds.
const STRAYS_MS_MAX: i64 = 60_000;

/// The database's clock as far as this node knows it: the last time it was told, and how long ago that is by a clock that
/// nobody can set.
#[derive(Debug)]
pub struct DatabaseClock {
    /// How far the database's clock was ahead of the time since boot at the start, and when it was last told.
    first_ahead_ms: i64,
    ahead_ms: AtomicI64,
    strayed: AtomicBool,
}

impl DatabaseClock {
    /// The clock of a database that has just told its time.
    pub(super) fn started(told: Timestamp) -> DatabaseClock {
        let ahead_ms = told.unix_ms() - boot_ms();
        DatabaseClock {
            first_ahead_ms: ahead_ms,
            ahead_ms: AtomicI64::new(ahead_ms),
            strayed: AtomicBool::new(false),
        }
    }

    /// The time, within the delay of an answer from the database.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ms = boot_ms() + self.ahead_ms.load(Ordering::Relaxed);
        Timestamp::from_unix_ms(ms).unwrap_or(Timestamp::MIN)
    }

    /// Whether it has moved by itself.
    pub(super) fn has_strayed(&self) -> bool {
        self.strayed.load(Ordering::Relaxed)
    }

    /// Notes what the database has just told.
    ///
    /// # Errors
    /// Once its clock has moved by itself, for as long as the process lives: what would be settled by a wrong time could
    /// not be taken back.
    pub(super) fn told(&self, now: Timestamp) -> Result<(), StoreError> {
        let ahead_ms = now.unix_ms() - boot_ms();
        let strays_by_ms = ahead_ms - self.first_ahead_ms;
        if strays_by_ms.abs() > STRAYS_MS_MAX && !self.strayed.swap(true, Ordering::Relaxed) {
            tracing::error!(
                strays_by_ms,
                "the database's clock has strayed; nothing is written until a restart"
            );
        }
        if self.has_strayed() {
            return Err(StoreError::ClockStrayed);
        }
        self.ahead_ms.store(ahead_ms, Ordering::Relaxed);
        Ok(())
    }
}

/// Milliseconds since boot, time asleep included.
fn boot_ms() -> i64 {
    let time = clock_gettime(ClockId::Boottime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_stops_writes_for_good() {
        let start = Timestamp::from_unix_ms(1_790_000_000_000).expect("a time");
        let clock = DatabaseClock::started(start);
        assert!(clock.told(start.saturating_add_ms(59_000)).is_ok());
        assert!(clock.now() >= start.saturating_add_ms(59_000));
        assert!(matches!(clock.told(start.saturating_add_ms(61_000)), Err(StoreError::ClockStrayed)));
        assert!(matches!(clock.told(start), Err(StoreError::ClockStrayed)), "until a restart");
    }
}
