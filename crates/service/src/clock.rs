//! The clock: the wall clock, watched by one that nobody can set.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use coffer_ledger::Timestamp;
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
pub struct Clock {
    wall_less_boot_ms: i64,
    strayed: AtomicBool,
}

impl Clock {
    /// A clock that takes the wall clock of this moment for right.
    #[must_use]
    pub fn start() -> Clock {
        Clock { wall_less_boot_ms: wall_ms() - boot_ms(), strayed: AtomicBool::new(false) }
    }

    /// The time, for reads and for what a wrong time cannot harm.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(wall_ms()).unwrap_or(Timestamp::MIN)
    }

    /// The time, for writes.
    ///
    /// # Errors
    /// Once the wall clock has strayed, for as long as the process lives.
    pub fn now_for_writes(&self) -> Result<Timestamp, ClockStrayed> {
        let strays_by = wall_ms() - boot_ms() - self.wall_less_boot_ms;
        self.checked(strays_by).map(|()| self.now())
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
        let clock = Clock::start();
        assert!(clock.now_for_writes().is_ok());
        assert_eq!(clock.checked(60_000), Ok(()));
        assert_eq!(clock.checked(-60_000), Ok(()));
        assert_eq!(clock.checked(-60_001), Err(ClockStrayed));
        assert_eq!(clock.checked(0), Err(ClockStrayed));
        assert_eq!(clock.now_for_writes(), Err(ClockStrayed));
    }
}
