//! Accounts: what can be spent, and from which lots.
//!
//! An [`Account`] is what decisions look at; the text that people know it by is its [`AccountProfile`],
//! which no decision about credits needs and so no decision loads.

use crate::{AccountId, Credits, EntryHash, ExternalId, GrantId, Holds, Lot, Metadata, Name, Seq, Timestamp};

/// Whether an account may be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AccountStatus {
    /// Everything works.
    Active,
    /// New charges and holds are refused; what was begun may end.
    Frozen,
    /// Nothing moves any more; the entries stay.
    Closed,
}

/// What an account can spend and what it has reserved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Balance {
    /// What can be spent, the overdraft limit not added: below zero when in debt.
    pub available: Credits,
    /// What open holds have reserved.
    pub held: Credits,
}

/// Lifetime sums, by which conservation is checked: granted + adjusted + refunded = available + held +
/// spent + expired + voided.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Totals {
    /// Grants that have taken effect.
    pub granted: Credits,
    /// Adjustments, negative ones subtracted.
    pub adjusted: Credits,
    /// Refunds.
    pub refunded: Credits,
    /// Charges and captures.
    pub spent: Credits,
    /// What expired.
    pub expired: Credits,
    /// What was voided.
    pub voided: Credits,
}

/// An account as decisions see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its id; the last byte is its bucket.
    pub id: AccountId,
    /// Whether it may be used.
    pub status: AccountStatus,
    /// How far below zero charges and holds may take `available`.
    pub overdraft_limit: Credits,
    /// What can be spent and what is reserved.
    pub balance: Balance,
    /// How far the overdraft, the last lot of every account, has been drawn: zero or more.
    pub debt: Credits,
    /// Lots that are pending or have something left or held, in burn order.
    pub lots: Vec<Lot>,
    /// Its open holds.
    pub holds: Holds,
    /// How many lots were ever made in it.
    pub lots_made: u32,
    /// The lot that takes what is refunded to expired lots today, once there is one.
    pub refund_lot: Option<RefundLot>,
    /// The number of its last entry, 0 before the first.
    pub seq: Seq,
    /// The hash of its last entry, zeros before the first.
    pub head: EntryHash,
    /// The time of its last entry.
    pub last_at: Timestamp,
    /// Lifetime sums.
    pub totals: Totals,
}

/// The promotional lot of one day that takes what is refunded to lots that have expired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefundLot {
    /// The midnight at which the day began.
    pub day: Timestamp,
    /// The lot.
    pub grant_id: GrantId,
}

/// Credits that will expire unless they are spent before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NextExpiry {
    /// When.
    pub at: Timestamp,
    /// How many.
    pub credits: Credits,
}

impl Account {
    /// A new, empty account.
    #[must_use]
    pub fn new(id: AccountId, overdraft_limit: Credits, created_at: Timestamp) -> Account {
        Account {
            id,
            status: AccountStatus::Active,
            overdraft_limit,
            balance: Balance::default(),
            debt: Credits::ZERO,
            lots: Vec::new(),
            holds: Holds::default(),
            lots_made: 0,
            refund_lot: None,
            seq: Seq::default(),
            head: EntryHash::GENESIS,
            last_at: created_at,
            totals: Totals::default(),
        }
    }

    /// When something next falls due: the start or the expiry of a lot, or the end of a hold.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let holds = self.holds.next_to_expire().map(|hold| hold.expires_at);
        self.lots.iter().filter_map(Lot::next_due).chain(holds).min()
    }

    /// What can be spent and what is held, together.
    #[must_use]
    pub fn posted(&self) -> Credits {
        let Balance { available, held } = self.balance;
        available.checked_add(held).expect("the ledger keeps what is posted in range")
    }

    /// Whether a charge or a hold of so many credits can be covered, the overdraft included.
    #[must_use]
    pub fn covers(&self, credits: Credits) -> bool {
        let spendable =
            i128::from(self.balance.available.millionths()) + i128::from(self.overdraft_limit.millionths());
        credits.is_zero() || i128::from(credits.millionths()) <= spendable
    }

    /// The lots whose credits can be spent or are held now, in burn order.
    pub fn started_lots(&self) -> impl Iterator<Item = &Lot> {
        self.lots.iter().filter(|lot| lot.started)
    }

    /// The next expiry of available credits, if any of them expire.
    #[must_use]
    pub fn next_expiry(&self) -> Option<NextExpiry> {
        let expiring = || self.started_lots().filter(|lot| lot.remaining.is_positive());
        let at = expiring().filter_map(|lot| lot.expires_at).min()?;
        let lots = expiring().filter(|lot| lot.expires_at == Some(at));
        let credits =
            Credits::checked_sum(lots.map(|lot| lot.remaining)).expect("lots are part of the balance");
        Some(NextExpiry { at, credits })
    }
}

/// What people know an account by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountProfile {
    /// The account it describes.
    pub id: AccountId,
    /// What it is called.
    pub name: Name,
    /// The user's own id for it, fixed at creation.
    pub external_id: Option<ExternalId>,
    /// The user's own pairs.
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An account with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRecord {
    /// What people know it by.
    pub profile: AccountProfile,
    /// What decisions see.
    pub account: Account,
}
