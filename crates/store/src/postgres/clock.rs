//! The database's clock, by which all nodes go.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use coffer_ledger::Timestamp;
use rustix::time::{ClockId, clock_gettime};

use crate::StoreError;

/// How far the database's clock may move against the time since this machine's boot, in milliseconds.
const STRAYS_MS_MAX: i64 = 60_000;
/// How long an answer may have taken that this node sets its own idea of the time by.
const ANSWER_MS_MAX: i64 = 1_000;

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

    /// Whether it has moved by itself. Then nothing is written any more.
    #[must_use]
    pub fn has_strayed(&self) -> bool {
        self.strayed.load(Ordering::Relaxed)
    }

    /// To be called before the database is asked for its time.
    pub(super) fn before_asking(&self) -> Asked {
        Asked { boot_ms: boot_ms() }
    }

    /// Notes what the database has told. It said so some time between the question and now: a node that stood still in
    /// between must not take that for the clock's doing.
    ///
    /// # Errors
    /// Once the database's clock has moved by itself, for as long as the process lives: what would be settled by a wrong time
    /// could not be taken back.
    pub(super) fn told(&self, told: Timestamp, asked: Asked) -> Result<(), StoreError> {
        self.told_at(told, asked, boot_ms())
    }

    fn told_at(&self, told: Timestamp, asked: Asked, boot_ms: i64) -> Result<(), StoreError> {
        let (least, most) = (told.unix_ms() - boot_ms, told.unix_ms() - asked.boot_ms);
        let strays_by_ms = (least - self.first_ahead_ms).max(0) + (most - self.first_ahead_ms).min(0);
        if strays_by_ms.abs() > STRAYS_MS_MAX && !self.strayed.swap(true, Ordering::Relaxed) {
            tracing::error!(
                strays_by_ms,
                "the database's clock has strayed; nothing is written until a restart"
            );
        }
        if self.has_strayed() {
            return Err(StoreError::ClockStrayed);
        }
        if most - least <= ANSWER_MS_MAX {
            self.ahead_ms.store(least, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// When the database was asked for its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    boot_ms: i64,
}

/// Milliseconds since boot, time asleep included.
fn boot_ms() -> i64 {
    let time = clock_gettime(ClockId::Boottime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_790_000_000_000 + ms).expect("a time")
    }

    /// A clock that was at 0 when this machine had run for 0.
    fn clock() -> DatabaseClock {
        DatabaseClock {
            first_ahead_ms: at(0).unix_ms(),
            ahead_ms: AtomicI64::new(at(0).unix_ms()),
            strayed: AtomicBool::new(false),
        }
    }

    fn told(clock: &DatabaseClock, ms: i64, asked_ms: i64, now_ms: i64) -> Result<(), StoreError> {
        clock.told_at(at(ms), Asked { boot_ms: asked_ms }, now_ms)
    }

    #[test]
    fn a_clock_that_was_set_stops_writes_for_good() {
        let clock = clock();
        assert!(told(&clock, 60_000, 0, 0).is_ok());
        assert!(told(&clock, -60_000, 0, 0).is_ok());
        assert!(matches!(told(&clock, 60_001, 0, 0), Err(StoreError::ClockStrayed)));
        assert!(matches!(told(&clock, 0, 0, 0), Err(StoreError::ClockStrayed)), "until a restart");
        let other = self::clock();
        assert!(matches!(told(&other, -60_001, 0, 0), Err(StoreError::ClockStrayed)));
    }

    #[test]
    fn a_node_that_stood_still_blames_nobody_and_keeps_its_time() {
        let clock = clock();
        assert!(told(&clock, 10, 0, 300_000).is_ok());
        assert_eq!(clock.ahead_ms.load(Ordering::Relaxed), at(0).unix_ms());
        assert!(told(&clock, 300_010, 300_000, 300_020).is_ok());
        assert_eq!(clock.ahead_ms.load(Ordering::Relaxed), at(-10).unix_ms());
    }
}
