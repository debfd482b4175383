//! The clock: the wall clock, watched by one that nobody can set; or the database's, where several nodes share one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use coffer_ledger::Timestamp;
use coffer_store::DatabaseClock;
use rustix::time::{ClockId, clock_gettime};

use crate::limits::CLOCK_STRAYS_MS_MAX;

/// The wall clock has moved by itself more than 60 s away from the time since boot. Expiries settled by it
/// could not be taken back, so nothing is written until a person has looked and restarted the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the system clock was set by more than 60 s while the process ran; restart it once the clock is right"
)]
pub struct ClockStrayed;

/// Where times come from.
#[derive(Debug)]
pub enum Clock {
    /// The system's clock.
    System(SystemClock),
    /// The clock of the database that keeps the ledger. Its store decides batches by it and watches it.
    Database(Arc<DatabaseClock>),
    /// A clock that shows the time that it was set to, in milliseconds since 1970: for tests, which cannot wait
    /// for midnight.
    Set(Arc<AtomicI64>),
}

/// The system's wall clock, and how far it lay from the time since boot at the start.
#[derive(Debug)]
pub struct SystemClock {
    wall_less_boot_ms: i64,
    strayed: AtomicBool,
}

impl Clock {
    /// The system's clock, which is taken for right at this moment.
    #[must_use]
    pub fn system() -> Clock {
        Clock::System(SystemClock::start())
    }

    /// The time, for reads and for what a wrong time cannot harm.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ms = match self {
            Clock::System(_) => wall_ms(),
            Clock::Database(clock) => return clock.now(),
            Clock::Set(ms) => ms.load(Ordering::Relaxed),
        };
        Timestamp::from_unix_ms(ms).unwrap_or(Timestamp::MIN)
    }

    /// The time, for writes.
    ///
    /// # Errors
    /// Once the wall clock has strayed, for as long as the process lives.
    pub fn now_for_writes(&self) -> Result<Timestamp, ClockStrayed> {
        match self {
            Clock::System(system) => system.check()?,
            // Its store refuses a batch once it has strayed.
            Clock::Database(clock) if clock.has_strayed() => return Err(ClockStrayed),
            Clock::Database(_) | Clock::Set(_) => {}
        }
        Ok(self.now())
    }
}

impl SystemClock {
    fn start() -> SystemClock {
        SystemClock { wall_less_boot_ms: wall_ms() - boot_ms(), strayed: AtomicBool::new(false) }
    }

    fn check(&self) -> Result<(), ClockStrayed> {
        self.checked(wall_ms() - boot_ms() - self.wall_less_boot_ms)
    }

    fn checked(&self, strays_by_ms: i64) -> Result<(), ClockStrayed> {
        if strays_by_ms.abs() > CLOCK_STRAYS_MS_MAX && !self.strayed.swap(true, Ordering::Relaxed) {
            tracing::error!(strays_by_ms, "{ClockStrayed}");
        }
        if self.strayed.load(Ordering::Relaxed) { Err(ClockStrayed) } else { Ok(()) }
    }
}

fn wall_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
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
    fn a_clock_that_strayed_once_stays_refused() {
        let clock = SystemClock::start();
        assert_eq!(clock.check(), Ok(()));
        assert_eq!(clock.checked(60_000), Ok(()));
        assert_eq!(clock.checked(-60_000), Ok(()));
        assert_eq!(clock.checked(-60_001), Err(ClockStrayed));
        assert_eq!(clock.checked(0), Err(ClockStrayed));
        assert_eq!(clock.check(), Err(ClockStrayed));
    }
}
