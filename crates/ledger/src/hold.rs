//! Holds: credits that are reserved for work whose cost is not known yet.
//!
//! A [`Hold`] is what decisions look at and change; a [`HoldRecord`] is the hold with what people know it by.
//! Open holds are part of their account ([`Holds`]), for whatever comes next on it must settle those that have
//! lapsed; copies of an account share them.

use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

use crate::{
    AccountId, Balance, Credits, Entry, GrantId, HoldId, KeyId, LotChange, Note, Priced, Seq, Timestamp,
};

/// What a hold has reserved from one lot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeldLot {
    /// The grant whose lot it is; `None` for the overdraft.
    pub grant_id: Option<GrantId>,
    /// How much: more than zero.
    pub credits: Credits,
}

/// Where a hold stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HoldStatus {
    /// Its credits are reserved.
    Open,
    /// It ended with a capture.
    Captured,
    /// It ended because somebody released it.
    Released,
    /// It ended because its time was over.
    Expired,
}

/// A hold as decisions see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// Whose credits it reserves.
    pub account_id: AccountId,
    /// The number of the entry that made it: among holds that lapse together, the older goes first.
    pub seq: Seq,
    /// The customer's key that it was made with, if one was.
    pub key_id: Option<KeyId>,
    /// The operation that it was made for, at the price of then.
    pub priced: Option<Priced>,
    /// How much it reserved.
    pub credits: Credits,
    /// How much was charged through it, more than it held included.
    pub captured: Credits,
    /// What it reserves still, in burn order.
    pub lots: Vec<HeldLot>,
    /// Where it stands.
    pub status: HoldStatus,
    /// When it was made: the caps of its key count it then.
    pub created_at: Timestamp,
    /// When it lapses unless it has ended before.
    pub expires_at: Timestamp,
}

impl Hold {
    /// What it reserves still.
    #[must_use]
    pub fn left(&self) -> Credits {
        let lots = self.lots.iter().map(|lot| lot.credits);
        Credits::checked_sum(lots).expect("what is left is part of what was reserved")
    }

    /// Takes up to so much out of it, in burn order, and answers from which lots.
    pub(crate) fn take(&mut self, credits: Credits) -> Vec<HeldLot> {
        let mut wanted = credits;
        let mut taken = Vec::new();
        for lot in &mut self.lots {
            let part = wanted.min(lot.credits);
            if part.is_positive() {
                wanted = wanted.checked_sub(part).expect("a part is not more than the whole");
                lot.credits = lot.credits.checked_sub(part).expect("a part is not more than the whole");
                taken.push(HeldLot { grant_id: lot.grant_id, credits: part });
            }
        }
        self.lots.retain(|lot| lot.credits.is_positive());
        taken
    }

    /// The hold as it stood right after the entry that made it.
    fn when_made(self, entry: &Entry) -> Hold {
        let lot = |change: &LotChange| HeldLot { grant_id: change.grant_id, credits: -change.credits };
        Hold {
            captured: Credits::ZERO,
            lots: entry.lots.iter().map(lot).collect(),
            status: HoldStatus::Open,
            ..self
        }
    }
}

/// A hold with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldRecord {
    /// What decisions see.
    pub hold: Hold,
    /// The user's own text.
    pub note: Note,
    /// The account's balance right after it was made; in the answer to a release, right after that.
    pub balance: Balance,
}

impl HoldRecord {
    /// The hold as it stands, by the entry that made it.
    #[must_use]
    pub fn of_entry(hold: Hold, entry: &Entry) -> HoldRecord {
        HoldRecord { hold, note: entry.note.clone(), balance: entry.balance_told }
    }

    /// The hold as it stood right after the entry that made it: what its first answer showed.
    #[must_use]
    pub fn as_made_by(self, entry: &Entry) -> HoldRecord {
        HoldRecord { hold: self.hold.when_made(entry), ..self }
    }
}

/// The open holds of an account. A copy shares what it does not change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Holds {
    by_id: RedBlackTreeMapSync<HoldId, Hold>,
    by_expiry: RedBlackTreeSetSync<(Timestamp, Seq, HoldId)>,
}

impl Holds {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.size()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The open hold with this id.
    #[must_use]
    pub fn get(&self, id: HoldId) -> Option<&Hold> {
        self.by_id.get(&id)
    }

    /// The holds, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Hold> {
        self.by_id.values()
    }

    /// The hold that lapses next.
    #[must_use]
    pub fn next_to_expire(&self) -> Option<&Hold> {
        self.by_expiry.first().map(|(_, _, id)| self.by_id.get(id).expect("both trees hold the same holds"))
    }

    /// The holds that have lapsed by a time, in the order in which they did.
    pub fn expired_by(&self, until: Timestamp) -> impl Iterator<Item = &Hold> {
        let lapsed = self.by_expiry.iter().take_while(move |(expires_at, _, _)| *expires_at <= until);
        lapsed.map(|(_, _, id)| self.by_id.get(id).expect("both trees hold the same holds"))
    }

    /// Puts an open hold in, in the place of what was known of it.
    pub fn insert(&mut self, hold: Hold) {
        self.by_expiry.insert_mut((hold.expires_at, hold.seq, hold.id));
        self.by_id.insert_mut(hold.id, hold);
    }

    /// Takes a hold out, if it is there.
    pub fn remove(&mut self, id: HoldId) -> Option<Hold> {
        let hold = self.by_id.get(&id)?.clone();
        self.by_expiry.remove_mut(&(hold.expires_at, hold.seq, id));
        self.by_id.remove_mut(&id);
        Some(hold)
    }
}
