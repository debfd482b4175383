//! Customers' keys: whose they are, whether they are live, and how much they may spend.
//!
//! The secret itself never gets here, only its hash and its last characters.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::{AccountId, Credits, Hint, KeyId, Metadata, Name, Timestamp};

/// The SHA-256 of a secret. Two of them are compared in constant time.
#[derive(Clone, Copy, Eq, PartialOrd, Ord)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> SecretHash {
        SecretHash(bytes)
    }

    /// The bytes of the hash.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Word by word is as constant in time as byte by byte, and done sooner.
    fn words(&self) -> [u64; 4] {
        let (words, _) = self.0.as_chunks();
        std::array::from_fn(|index| u64::from_ne_bytes(words[index]))
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &SecretHash) -> bool {
        self.words().ct_eq(&other.words()).into()
    }
}

impl std::hash::Hash for SecretHash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(redacted)")
    }
}

/// The stretch of time a cap counts in, by the calendar of UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Period {
    /// From midnight.
    Day,
    /// From Monday midnight.
    Week,
    /// From the first of the month.
    Month,
    /// Since the key was made.
    Total,
}

impl Period {
    /// When the period that holds this time began.
    #[must_use]
    pub fn start(self, at: Timestamp) -> Timestamp {
        match self {
            Period::Day => at.start_of_day(),
            Period::Week => at.start_of_week(),
            Period::Month => at.start_of_month(),
            Period::Total => Timestamp::MIN,
        }
    }
}

/// How much a key may spend in a period.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct KeyLimit {
    /// The most it may spend.
    pub credits: Credits,
    /// In which stretch of time.
    pub period: Period,
}

/// What was spent in one period.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Window {
    /// When the period began.
    pub starts_at: Timestamp,
    /// What was spent in it.
    pub credits: Credits,
}

impl Window {
    fn at_start(self, starts_at: Timestamp) -> Window {
        if self.starts_at == starts_at { self } else { Window { starts_at, credits: Credits::ZERO } }
    }
}

/// What a key has spent, in the running period of every length, so that a cap may change its period.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Spent {
    /// In the last day it was used in.
    pub day: Window,
    /// In the last week.
    pub week: Window,
    /// In the last month.
    pub month: Window,
    /// Since it was made.
    pub total: Window,
}

impl Spent {
    /// What was spent in the period that holds this time.
    #[must_use]
    pub fn in_period(&self, period: Period, at: Timestamp) -> Credits {
        let window = match period {
            Period::Day => self.day,
            Period::Week => self.week,
            Period::Month => self.month,
            Period::Total => self.total,
        };
        window.at_start(period.start(at)).credits
    }

    /// The sums after credits have returned that were counted at a time. A period that has passed since takes
    /// nothing back: its window counts another one by now.
    #[must_use]
    pub fn without(&self, credits: Credits, counted_at: Timestamp) -> Spent {
        let subtract = |window: Window, period: Period| {
            if window.starts_at != period.start(counted_at) {
                return window;
            }
            let left = window.credits.checked_sub(credits).expect("no more returns than was counted");
            assert!(!left.is_negative(), "no more returns than was counted");
            Window { credits: left, ..window }
        };
        Spent {
            day: subtract(self.day, Period::Day),
            week: subtract(self.week, Period::Week),
            month: subtract(self.month, Period::Month),
            total: subtract(self.total, Period::Total),
        }
    }

    /// The sums after one more charge, or `None` where they would leave the range.
    #[must_use]
    pub fn with(&self, credits: Credits, at: Timestamp) -> Option<Spent> {
        let add = |window: Window, period: Period| {
            let window = window.at_start(period.start(at));
            Some(Window { credits: window.credits.checked_add(credits)?, ..window })
        };
        Some(Spent {
            day: add(self.day, Period::Day)?,
            week: add(self.week, Period::Week)?,
            month: add(self.month, Period::Month)?,
            total: add(self.total, Period::Total)?,
        })
    }
}

/// Whether a key opens anything.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyStatus {
    /// It works.
    Active,
    /// Switched off, and may be switched on again.
    Disabled,
    /// Its time is over.
    Expired,
    /// Dead for good.
    Revoked,
}

/// A customer's key as decisions see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// Whose it is; a key never moves to another account.
    pub account_id: AccountId,
    /// The hash of its secret.
    pub secret: SecretHash,
    /// Secrets that it had before and that live on for a while, the oldest first.
    pub retired: Vec<RetiredSecret>,
    /// Whether it is switched off.
    pub disabled: bool,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// How much it may spend, if there is a cap.
    pub limit: Option<KeyLimit>,
    /// What it has spent.
    pub spent: Spent,
}

/// A secret that a key had before it was rotated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetiredSecret {
    /// The hash of the secret.
    pub secret: SecretHash,
    /// When it stops working.
    pub until: Timestamp,
}

impl Key {
    /// Whether this secret opens what the key opens at this time.
    #[must_use]
    pub fn opens(&self, secret: &SecretHash, at: Timestamp) -> bool {
        let retired = || self.retired.iter().any(|old| old.secret == *secret && at < old.until);
        self.is_live(at) && (self.secret == *secret || retired())
    }

    /// Whether the key opens anything at this time.
    #[must_use]
    pub fn status(&self, at: Timestamp) -> KeyStatus {
        if self.revoked_at.is_some() {
            return KeyStatus::Revoked;
        }
        if self.expires_at.is_some_and(|expiry| expiry <= at) {
            return KeyStatus::Expired;
        }
        if self.disabled { KeyStatus::Disabled } else { KeyStatus::Active }
    }

    /// Whether the key is active at this time.
    #[must_use]
    pub fn is_live(&self, at: Timestamp) -> bool {
        self.status(at) == KeyStatus::Active
    }

    /// What the cap leaves to spend at this time, or `None` where there is no cap.
    #[must_use]
    pub fn remaining(&self, at: Timestamp) -> Option<Credits> {
        let limit = self.limit?;
        let spent = self.spent.in_period(limit.period, at);
        // A cap may have been lowered below what was spent.
        Some(limit.credits.checked_sub(spent).filter(|left| !left.is_negative()).unwrap_or(Credits::ZERO))
    }

    /// What was spent in the running period of the cap; without a cap, in all.
    #[must_use]
    pub fn spent(&self, at: Timestamp) -> Credits {
        self.spent.in_period(self.limit.map_or(Period::Total, |limit| limit.period), at)
    }
}

/// What people know a key by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyProfile {
    /// The key it describes.
    pub id: KeyId,
    /// What it is called.
    pub name: Name,
    /// The end of its secret.
    pub hint: Hint,
    /// The user's own pairs.
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A key with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRecord {
    /// What people know it by.
    pub profile: KeyProfile,
    /// What decisions see.
    pub key: Key,
}
