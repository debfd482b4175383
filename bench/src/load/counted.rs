//! What came of a load.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::Broken;

const LATENCY_NS_MAX: u64 = 120_000_000_000;
const LATENCY_DIGITS: u8 = 3;
const SHOWN_BYTES_MAX: usize = 400;

/// What came of a load.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Answers that came while requests were sent.
    pub answers: u64,
    /// How long requests were sent; where they ran out, until the last answer.
    pub elapsed: Duration,
    /// How many answers had which status, those that came later included.
    pub statuses: BTreeMap<u16, u64>,
    /// Processor time that the load itself took, in the kernel and out of it.
    pub cpu: Duration,
    latencies: Histogram<u64>,
    delays: Histogram<u64>,
    wrong: u64,
    first_wrong: String,
}

impl Counted {
    pub(crate) fn nothing() -> Counted {
        let empty = Histogram::new_with_bounds(1, LATENCY_NS_MAX, LATENCY_DIGITS);
        let empty = empty.expect("the bounds of the histogram are in order");
        Counted {
            answers: 0,
            elapsed: Duration::ZERO,
            statuses: BTreeMap::new(),
            cpu: Duration::ZERO,
            latencies: empty.clone(),
            delays: empty,
            wrong: 0,
            first_wrong: String::new(),
        }
    }

    /// An answer, so long after its request was due.
    pub(crate) fn answered(&mut self, status: u16, took: Duration) {
        *self.statuses.entry(status).or_default() += 1;
        self.latencies.saturating_record(nanoseconds(took));
    }

    /// A request that the load itself sent so much later than it was due, although a connection was free.
    pub(crate) fn delayed(&mut self, by: Duration) {
        self.delays.saturating_record(nanoseconds(by));
    }

    pub(crate) fn wrong(&mut self, status: u16, body: &[u8]) {
        if self.wrong == 0 {
            let shown = &body[..body.len().min(SHOWN_BYTES_MAX)];
            self.first_wrong = format!("{status}: {}", String::from_utf8_lossy(shown));
        }
        self.wrong += 1;
    }

    /// All answers, those that came when nothing more was sent included.
    #[must_use]
    pub fn answers_in_all(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// What was done a second while requests were sent, where each request did so much.
    #[must_use]
    pub fn per_second(&self, done_by_each: u64) -> u64 {
        let done = u128::from(self.answers) * u128::from(done_by_each);
        u64::try_from(done * 1_000_000_000 / self.elapsed.as_nanos().max(1)).unwrap_or(u64::MAX)
    }

    /// The latency below which such a part of the answers came, in nanoseconds.
    #[must_use]
    pub fn latency_ns(&self, quantile: f64) -> u64 {
        self.latencies.value_at_quantile(quantile)
    }

    /// How late the load itself was, for such a part of the requests, in nanoseconds: what is no fault of the server's.
    #[must_use]
    pub fn delay_ns(&self, quantile: f64) -> u64 {
        self.delays.value_at_quantile(quantile)
    }

    /// The same, if every answer was as it had to be.
    ///
    /// # Errors
    /// Where one was not: how many, and the first of them.
    pub fn flawless(self) -> Result<Counted, Broken> {
        if self.answers_in_all() == 0 {
            return Err(Broken("nothing was answered".to_owned()));
        }
        if self.wrong > 0 {
            return Err(Broken(format!(
                "{} of {} answers were wrong; statuses {:?}; the first was {}",
                self.wrong,
                self.answers_in_all(),
                self.statuses,
                self.first_wrong
            )));
        }
        Ok(self)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
