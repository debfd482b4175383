//! A line of the log that would be written very often: it is written once, and then every few seconds with how many were
//! left out.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long nothing more is said once something was.
const QUIET: Duration = Duration::from_secs(5);

/// Whether a line is to be written.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Option<Said>>);

#[derive(Clone, Copy, Debug)]
struct Said {
    at: Instant,
    left_out: u64,
}

impl Seldom {
    /// How many lines were left out before the one that is to be written now; `None` where it is left out, too.
    pub(crate) fn left_out(&self) -> Option<u64> {
        self.left_out_at(Instant::now())
    }

    fn left_out_at(&self, now: Instant) -> Option<u64> {
        let mut said = self.0.lock().expect("no thread panics while it holds what was said");
        match &mut *said {
            Some(last) if now.duration_since(last.at) < QUIET => {
                last.left_out += 1;
                None
            }
            last => Some(last.replace(Said { at: now, left_out: 0 }).map_or(0, |last| last.left_out)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_at_once_and_then_every_few_seconds_with_a_count() {
        let (seldom, start) = (Seldom::default(), Instant::now());
        let at = |ms| seldom.left_out_at(start + Duration::from_millis(ms));
        let said = [0, 1, 2_000, 5_000, 5_001, 60_000].map(at);
        assert_eq!(said, [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
