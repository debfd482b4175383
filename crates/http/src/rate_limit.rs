//! Rates: how fast an address may fail to authenticate, and how fast a key may be, where that is configured.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use coffer_ledger::SecretHash;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::address::ClientAddress;
use crate::limits::RATES_REMEMBERED_MAX;
use crate::settings::RateLimits;

/// Every rate that is counted.
pub(crate) struct Rates {
    failed_authentications: Option<Rate<ClientAddress>>,
    balance_reads: Option<Rate<SecretHash>>,
    operator_requests: Option<Rate<SecretHash>>,
}

/// Who exceeds a rate is told to come back after so many seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooFast {
    pub(crate) retry_after_seconds: u64,
}

impl Rates {
    pub(crate) fn new(limits: &RateLimits) -> Rates {
        let burst = limits.failed_authentications_burst;
        Rates {
            failed_authentications: limits
                .failed_authentications_per_second
                .map(|rate| Rate::new(rate, burst)),
            balance_reads: limits.balance_reads_per_second.map(|rate| Rate::new(rate, rate)),
            operator_requests: limits.operator_requests_per_second.map(|rate| Rate::new(rate, rate)),
        }
    }

    /// Counts a failed authentication of an address. A live key never gets here.
    pub(crate) fn failed_authentication(&self, from: ClientAddress) -> Result<(), TooFast> {
        self.failed_authentications.as_ref().map_or(Ok(()), |rate| rate.count(&from))
    }

    /// Counts a balance read with a live key.
    pub(crate) fn balance_read(&self, secret: SecretHash) -> Result<(), TooFast> {
        self.balance_reads.as_ref().map_or(Ok(()), |rate| rate.count(&secret))
    }

    /// Counts a request with a live operator's key.
    pub(crate) fn operator_request(&self, secret: SecretHash) -> Result<(), TooFast> {
        self.operator_requests.as_ref().map_or(Ok(()), |rate| rate.count(&secret))
    }

    /// Forgets who has been slow for long enough.
    pub(crate) fn forget_the_slow(&self) {
        self.failed_authentications.as_ref().inspect(|rate| rate.forget_the_slow());
        self.balance_reads.as_ref().inspect(|rate| rate.forget_the_slow());
        self.operator_requests.as_ref().inspect(|rate| rate.forget_the_slow());
    }
}

struct Rate<Who: Hash + Eq + Clone> {
    quota: Quota,
    limiter: RwLock<DefaultKeyedRateLimiter<Who>>,
    counted: AtomicU32,
    clock: DefaultClock,
}

/// After so many counts, who has been slow for long enough is forgotten, however recent the last time was.
const COUNTS_BETWEEN_FORGETTING: u32 = 100_000;

impl<Who: Hash + Eq + Clone> Rate<Who> {
    fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Rate<Who> {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let limiter = RwLock::new(RateLimiter::keyed(quota));
        Rate { quota, limiter, counted: AtomicU32::new(0), clock: DefaultClock::default() }
    }

    fn count(&self, who: &Who) -> Result<(), TooFast> {
        if self.counted.fetch_add(1, Ordering::Relaxed) % COUNTS_BETWEEN_FORGETTING
            == COUNTS_BETWEEN_FORGETTING - 1
        {
            self.forget_the_slow();
        }
        let limiter = self.limiter.read().expect("no thread panics while it holds the rates");
        limiter.check_key(who).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            TooFast { retry_after_seconds: whole_seconds(wait) }
        })
    }

    fn forget_the_slow(&self) {
        let remembered = {
            let limiter = self.limiter.read().expect("no thread panics while it holds the rates");
            limiter.retain_recent();
            limiter.shrink_to_fit();
            limiter.len()
        };
        if remembered > RATES_REMEMBERED_MAX {
            // Memory is worth more than remembering so many: everybody begins anew.
            tracing::warn!(remembered, "very many callers come at once; their rates are forgotten");
            let mut limiter = self.limiter.write().expect("no thread panics while it holds the rates");
            *limiter = RateLimiter::keyed(self.quota);
        }
    }
}

/// Rounded up, at least one.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}
