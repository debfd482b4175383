//! A timer that wakes the loop to the microsecond: what polling itself waits is rounded up to whole milliseconds.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::Broken;

pub(crate) struct Timer(OwnedFd);

impl Timer {
    pub(crate) fn new(registry: &Registry, token: Token) -> Result<Timer, Broken> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let file = timerfd_create(TimerfdClockId::Monotonic, flags)
            .map_err(|error| Broken::of("make a timer", error))?;
        registry
            .register(&mut SourceFd(&file.as_raw_fd()), token, Interest::READABLE)
            .map_err(|error| Broken::of("wait for a timer", error))?;
        Ok(Timer(file))
    }

    /// Wakes the loop once, after so long.
    pub(crate) fn set(&self, after: Duration) -> Result<(), Broken> {
        // Nothing at all would stop the timer.
        let after = after.max(Duration::from_nanos(1));
        let value = Timespec {
            tv_sec: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(after.subsec_nanos()),
        };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)
            .map(|_before| ())
            .map_err(|error| Broken::of("set a timer", error))
    }
}
