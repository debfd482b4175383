//! Grants: lots of credits with a priority, a start and an end.
//!
//! A [`Lot`] is what decisions look at and change; a [`Grant`] is the lot with what people know it by.

use std::fmt;

use crate::limits::PRIORITY_MAX;
use crate::{AccountId, Credits, Entry, GrantId, LotChange, Metadata, Reference, Timestamp};

/// Whether credits were paid for or given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Category {
    /// Bought.
    Paid,
    /// Given: a trial, a campaign, a kindness.
    Promotional,
}

impl Category {
    /// The name in the public contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Category::Paid => "paid",
            Category::Promotional => "promotional",
        }
    }
}

/// The place of a grant in the burn order: 0 burns first, 100 last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Priority(u8);

impl Priority {
    /// What a grant has whose caller did not say: 50.
    pub const DEFAULT: Priority = Priority(50);

    /// The priority, or `None` above 100.
    #[must_use]
    pub const fn new(priority: u8) -> Option<Priority> {
        if priority > PRIORITY_MAX { None } else { Some(Priority(priority)) }
    }

    /// The number, 0 to 100.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is left of one grant, as decisions see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lot {
    /// The grant this is a lot of.
    pub grant_id: GrantId,
    /// The how-manieth grant of its account this is, from 1: the last word of the burn order.
    pub order: u32,
    /// Paid or promotional.
    pub category: Category,
    /// Lower burns first.
    pub priority: Priority,
    /// When its credits become available.
    pub effective_at: Timestamp,
    /// When what is left of it expires, if ever.
    pub expires_at: Option<Timestamp>,
    /// How large the grant was.
    pub granted: Credits,
    /// What is left and not held. A pending lot has all of it here already, but it is not available yet.
    pub remaining: Credits,
    /// What open holds have reserved from it.
    pub held: Credits,
    /// What has expired of it.
    pub expired: Credits,
    /// Whether its start has been settled: before that the lot is pending and has no entry.
    pub started: bool,
    /// Once somebody has taken back what was left of it: what was held of it at that moment.
    pub held_when_voided: Option<Credits>,
}

impl Lot {
    /// Where the lot stands in the burn order of its account: lower priority number, then soonest expiry
    /// (never-expiring last), then oldest start, then order of creation.
    #[must_use]
    pub fn burn_order(&self) -> impl Ord + use<> {
        let never = self.expires_at.is_none();
        (self.priority, never, self.expires_at, self.effective_at, self.order)
    }

    /// Whether somebody took back what was left of it. Whatever returns to it then is voided at once.
    #[must_use]
    pub fn is_voided(&self) -> bool {
        self.held_when_voided.is_some()
    }

    /// Whether anything can still happen to it: it is pending, or has something left or held.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.remaining.is_positive() || self.held.is_positive()
    }

    fn as_created(&self) -> Lot {
        Lot {
            remaining: self.granted,
            held: Credits::ZERO,
            expired: Credits::ZERO,
            started: false,
            held_when_voided: None,
            ..self.clone()
        }
    }

    /// When the lot next needs settling, if ever: its start while it is pending, then its expiry while
    /// something would expire.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        if !self.started {
            return Some(self.effective_at);
        }
        self.expires_at.filter(|_| self.remaining.is_positive())
    }
}

/// Where a grant stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GrantStatus {
    /// Its start lies ahead.
    Pending,
    /// Credits are left or held.
    Active,
    /// All of it was spent.
    Depleted,
    /// Its end came before it was spent.
    Expired,
    /// What was left was taken back.
    Voided,
}

/// A grant with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The account it was given to.
    pub account_id: AccountId,
    /// What is left of it.
    pub lot: Lot,
    /// The user's own word for it.
    pub reference: Option<Reference>,
    /// The user's own pairs.
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Grant {
    /// Where the grant stands at a time up to which its account is settled.
    #[must_use]
    pub fn status(&self, settled_until: Timestamp) -> GrantStatus {
        let lot = &self.lot;
        if lot.is_voided() {
            return GrantStatus::Voided;
        }
        if !lot.started {
            return GrantStatus::Pending;
        }
        let ended = lot.expires_at.is_some_and(|expiry| expiry <= settled_until);
        if ended && (lot.expired.is_positive() || lot.held.is_positive()) {
            return GrantStatus::Expired;
        }
        if lot.is_open() { GrantStatus::Active } else { GrantStatus::Depleted }
    }

    /// The grant as it stood right after an entry started it: what its first answer showed.
    #[must_use]
    pub fn as_started_by(mut self, entry: &Entry) -> Grant {
        let of_lot = |change: &&LotChange| change.grant_id == Some(self.lot.grant_id);
        let remaining = entry.lots.iter().find(of_lot).map_or(Credits::ZERO, |change| change.credits);
        self.lot = Lot { remaining, started: true, ..self.lot.as_created() };
        self
    }

    /// The grant as it stood right after it was voided: what the answer showed.
    #[must_use]
    pub fn as_voided(mut self) -> Grant {
        self.lot.remaining = Credits::ZERO;
        self.lot.held = self.lot.held_when_voided.unwrap_or(Credits::ZERO);
        self
    }

    /// The grant as it stood when it was made to start later.
    #[must_use]
    pub fn as_pending(mut self) -> Grant {
        self.lot = self.lot.as_created();
        self
    }
}
