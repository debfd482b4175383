//! One account of the model: everything that ever was in it, in the order in which it was made.
//!
//! Nothing is kept that can be counted: what is available, what a lot holds and what a key has spent are sums
//! over the whole past. How credits move is in `account/movement.rs`, what the single commands do in [`crate::model`].

mod movement;

use coffer_ledger::{
    AccountId, AccountStatus, Category, ChargeId, Credits, EntryKind, GrantId, GrantStatus, HoldId,
    HoldStatus, KeyId, KeyLimit, KeyStatus, Operation, Origin, Period, Quantity, Rate, Reference, SecretHash,
    Timestamp,
};

pub(crate) use self::movement::{of_grant, taken};

/// Millionths of a credit.
pub type Amount = i128;

/// Credits of one lot, or of the overdraft (`None`).
pub type Take = (Option<GrantId>, Amount);

/// Credits that the caps of a key count (or, below zero, no longer count), and when they count them.
pub type Count = (Timestamp, Amount);

/// A lot.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words are the contract's")]
pub struct Lot {
    pub grant_id: GrantId,
    pub category: Category,
    pub priority: u8,
    pub effective_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub granted: Amount,
    pub remaining: Amount,
    pub expired: Amount,
    pub is_started: bool,
    pub is_voided: bool,
    pub reference: Option<Reference>,
    pub created_at: Timestamp,
}

/// A hold, open or ended.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words are the contract's")]
pub struct Hold {
    pub id: HoldId,
    pub key_id: Option<KeyId>,
    pub priced: Option<(Operation, Quantity, Rate)>,
    pub credits: Amount,
    pub captured: Amount,
    pub takes: Vec<Take>,
    pub status: HoldStatus,
    pub reference: Option<Reference>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A charge, through a hold or without one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words are the contract's")]
pub struct Charge {
    pub id: ChargeId,
    pub key_id: Option<KeyId>,
    pub operation: Option<Operation>,
    pub credits: Amount,
    pub refunded: Amount,
    /// What it took, in the order in which it took it.
    pub takes: Vec<Take>,
    /// When the caps of its key counted it, in the order in which it took it.
    pub counts: Vec<Count>,
}

/// A customer's key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words are the contract's")]
pub struct Key {
    pub id: KeyId,
    pub secret: SecretHash,
    pub retired: Vec<(SecretHash, Timestamp)>,
    pub is_disabled: bool,
    pub is_revoked: bool,
    pub expires_at: Option<Timestamp>,
    pub limit: Option<KeyLimit>,
    pub counts: Vec<Count>,
}

/// An entry, as far as the rules say what is in it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words are the contract's")]
pub struct Entry {
    pub kind: EntryKind,
    pub credits: Amount,
    pub held_credits: Amount,
    pub available_after: Amount,
    pub held_after: Amount,
    pub lots: Vec<Take>,
    pub origin: Origin,
    pub at: Timestamp,
}

/// An account.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words are the contract's")]
pub struct Account {
    pub id: AccountId,
    pub status: AccountStatus,
    pub overdraft_limit: Amount,
    pub debt: Amount,
    pub lots: Vec<Lot>,
    pub holds: Vec<Hold>,
    pub charges: Vec<Charge>,
    pub keys: Vec<Key>,
    pub entries: Vec<Entry>,
    /// The lot that takes what is refunded to expired lots, and the day of which it is that lot.
    pub refund_lot: Option<(i64, GrantId)>,
    pub created_at: Timestamp,
}

pub(crate) fn amount(credits: Credits) -> Amount {
    Amount::from(credits.millionths())
}

pub(crate) fn credits(amount: Amount) -> Credits {
    i64::try_from(amount)
        .ok()
        .and_then(Credits::from_millionths)
        .expect("the histories that the model walks keep to small amounts")
}

pub(crate) fn day(at: Timestamp) -> i64 {
    at.unix_ms() / 86_400_000
}

fn week(at: Timestamp) -> i64 {
    // 1970-01-01 was a Thursday, so four days later a week began.
    (day(at) + 3) / 7
}

fn month(at: Timestamp) -> String {
    at.to_string()[.."2026-11".len()].to_owned()
}

fn is_same_period(period: Period, one: Timestamp, other: Timestamp) -> bool {
    match period {
        Period::Day => day(one) == day(other),
        Period::Week => week(one) == week(other),
        Period::Month => month(one) == month(other),
        Period::Total => true,
    }
}

impl Lot {
    pub(crate) fn has_expired(&self, at: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= at)
    }
}

impl Hold {
    pub(crate) fn left(&self) -> Amount {
        self.takes.iter().map(|(_, credits)| credits).sum()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.status == HoldStatus::Open
    }
}

impl Key {
    /// What it has spent in the period that holds this time.
    #[must_use]
    pub fn spent(&self, period: Period, at: Timestamp) -> Amount {
        let counts = self.counts.iter().filter(|(counted_at, _)| is_same_period(period, *counted_at, at));
        counts.map(|(_, credits)| credits).sum()
    }

    pub(crate) fn status(&self, at: Timestamp) -> KeyStatus {
        if self.is_revoked {
            KeyStatus::Revoked
        } else if self.expires_at.is_some_and(|expires_at| expires_at <= at) {
            KeyStatus::Expired
        } else if self.is_disabled {
            KeyStatus::Disabled
        } else {
            KeyStatus::Active
        }
    }

    pub(crate) fn opens(&self, secret: SecretHash, at: Timestamp) -> bool {
        let is_old = self.retired.iter().any(|(old, until)| *old == secret && at < *until);
        self.status(at) == KeyStatus::Active && (self.secret == secret || is_old)
    }
}

impl Account {
    /// What can be spent, the overdraft limit not added.
    #[must_use]
    pub fn available(&self) -> Amount {
        let started = self.lots.iter().filter(|lot| lot.is_started);
        started.map(|lot| lot.remaining).sum::<Amount>() - self.debt
    }

    /// What open holds have reserved.
    #[must_use]
    pub fn held(&self) -> Amount {
        self.holds.iter().filter(|hold| hold.is_open()).map(Hold::left).sum()
    }

    /// What open holds have reserved from one lot.
    #[must_use]
    pub fn held_from(&self, grant_id: GrantId) -> Amount {
        let takes = self.holds.iter().filter(|hold| hold.is_open()).flat_map(|hold| &hold.takes);
        takes.filter(|(lot, _)| *lot == Some(grant_id)).map(|(_, credits)| credits).sum()
    }

    /// The time of its last entry, or of its making.
    #[must_use]
    pub fn last_at(&self) -> Timestamp {
        self.entries.last().map_or(self.created_at, |entry| entry.at)
    }

    /// The places of the lots to which something can still happen, in burn order.
    #[must_use]
    pub fn open_lots(&self) -> Vec<usize> {
        let is_open = |place: &usize| {
            let lot = &self.lots[*place];
            lot.remaining > 0 || self.held_from(lot.grant_id) > 0
        };
        let mut places: Vec<usize> = (0..self.lots.len()).filter(is_open).collect();
        places.sort_by_key(|place| {
            let lot = &self.lots[*place];
            (lot.priority, lot.expires_at.unwrap_or(Timestamp::MAX), lot.effective_at, *place)
        });
        places
    }

    /// Where a grant stands.
    #[must_use]
    pub fn grant_status(&self, lot: &Lot, at: Timestamp) -> GrantStatus {
        let held = self.held_from(lot.grant_id);
        if lot.is_voided {
            GrantStatus::Voided
        } else if !lot.is_started {
            GrantStatus::Pending
        } else if lot.has_expired(at) && (lot.expired > 0 || held > 0) {
            GrantStatus::Expired
        } else if lot.remaining > 0 || held > 0 {
            GrantStatus::Active
        } else {
            GrantStatus::Depleted
        }
    }

    pub(crate) fn covers(&self, required: Amount) -> bool {
        required == 0 || required <= self.available() + self.overdraft_limit
    }

    pub(crate) fn lot(&mut self, grant_id: GrantId) -> &mut Lot {
        let mut lots = self.lots.iter_mut();
        lots.find(|lot| lot.grant_id == grant_id).expect("what was taken came from a lot")
    }

    pub(crate) fn count(&mut self, key_id: Option<KeyId>, at: Timestamp, credits: Amount) {
        if let Some(key) = self.keys.iter_mut().find(|key| Some(key.id) == key_id) {
            key.counts.push((at, credits));
        }
    }
}
