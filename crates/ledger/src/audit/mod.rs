//! The audit: whether what is kept of an account follows from its entries.
//!
//! An [`Audit`] reads the entries of one account from the first to the last and keeps its own books of them; then it
//! compares these with the account, its lots, its holds, its charges and its keys as they are stored. It shares no
//! arithmetic with the decisions that wrote them, and it never stops at the first finding. Of charges it remembers only
//! those that were refunded, and of keys a sum a day, so that an account with many entries takes little memory.

mod compare;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    AccountId, Balance, ChargeId, Credits, Entry, EntryHash, EntryKind, GrantId, HoldId, KeyId, LotChange,
    RefundLot, Timestamp,
};

/// What an audit has found wrong, in words.
pub type Finding = String;

/// The books of one account, kept from its entries alone.
#[derive(Debug)]
pub struct Audit<'a> {
    account_id: AccountId,
    /// How much of charges is said to have been given back, of this account's and of others.
    refunded: &'a BTreeMap<ChargeId, Credits>,
    seq: u64,
    head: EntryHash,
    at: Timestamp,
    balance: Amounts,
    sums: BTreeMap<&'static str, i128>,
    lots: BTreeMap<GrantId, LotBooks>,
    debt: i128,
    holds: BTreeMap<HoldId, HoldBooks>,
    charges: BTreeMap<ChargeId, ChargeBooks>,
    /// How many lots the account says were made in it, and which one it says takes refunds.
    lots_made: u32,
    refund_lot: Option<RefundLot>,
    /// The places in the order of creation that lots have said to have.
    orders: BTreeSet<u32>,
    /// What was counted of each key, by the midnight of the day; what returned is taken off.
    counted: BTreeMap<KeyId, BTreeMap<Timestamp, i128>>,
    findings: Vec<Finding>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Amounts {
    available: i128,
    held: i128,
}

#[derive(Debug, Default)]
struct LotBooks {
    remaining: i128,
    held: i128,
    expired: i128,
    /// How large it was made, where a grant or an adjustment made it; what is refunded to expired lots grows one.
    granted: Option<i128>,
    held_when_voided: Option<i128>,
    started_at: Option<Timestamp>,
    /// Whether it started by itself, or a request that starts lots at once made it: then the start is known.
    is_start_exact: bool,
    drawn_last_at: Option<Timestamp>,
    expired_first_at: Option<Timestamp>,
}

#[derive(Debug)]
struct HoldBooks {
    key_id: Option<KeyId>,
    made_at: Timestamp,
    seq: u64,
    credits: i128,
    captured: i128,
    left: Vec<(Option<GrantId>, i128)>,
    /// When it was last captured or released.
    used_last_at: Option<Timestamp>,
    /// When what it held was given back.
    released_at: Option<Timestamp>,
}

#[derive(Debug)]
struct ChargeBooks {
    key_id: Option<KeyId>,
    credits: i128,
    refunded: i128,
    /// The parts that were counted, the one that a refund gives back first at the front.
    counted: Vec<(Timestamp, i128)>,
}

fn millionths(credits: Credits) -> i128 {
    i128::from(credits.millionths())
}

/// An amount for people.
fn shown(millionths: i128) -> String {
    match i64::try_from(millionths).ok().and_then(Credits::from_millionths) {
        Some(credits) => credits.to_string(),
        None => format!("{millionths} millionths"),
    }
}

impl LotBooks {
    fn note_times(&mut self, entry: &Entry, is_drawn: bool) {
        if self.started_at.is_none() {
            self.started_at = Some(entry.at);
            self.is_start_exact = entry.kind != EntryKind::Grant || entry.idempotency.is_none();
        }
        match entry.kind {
            EntryKind::Charge | EntryKind::Hold | EntryKind::Capture | EntryKind::Adjust if is_drawn => {
                self.drawn_last_at = Some(entry.at);
            }
            EntryKind::Expire => {
                self.expired_first_at.get_or_insert(entry.at);
            }
            EntryKind::Grant
            | EntryKind::Charge
            | EntryKind::Hold
            | EntryKind::Capture
            | EntryKind::Release
            | EntryKind::Refund
            | EntryKind::Void
            | EntryKind::Adjust => {}
        }
    }
}

impl Audit<'_> {
    /// Begins with an account that has no entries yet. `refunded` says how much of charges was given back.
    #[must_use]
    pub fn of(account_id: AccountId, refunded: &BTreeMap<ChargeId, Credits>) -> Audit<'_> {
        Audit {
            account_id,
            refunded,
            seq: 0,
            head: EntryHash::GENESIS,
            at: Timestamp::MIN,
            balance: Amounts::default(),
            sums: BTreeMap::new(),
            lots: BTreeMap::new(),
            debt: 0,
            holds: BTreeMap::new(),
            charges: BTreeMap::new(),
            lots_made: 0,
            refund_lot: None,
            orders: BTreeSet::new(),
            counted: BTreeMap::new(),
            findings: Vec::new(),
        }
    }

    /// The sum of everything of one kind so far: `grant`, `adjust`, `refund`, `charge`, `expire` or `void`, as
    /// conservation counts it.
    #[must_use]
    pub fn sum(&self, kind: &str) -> i128 {
        self.sums.get(kind).copied().unwrap_or(0)
    }

    /// Reads the next entry.
    pub fn read(&mut self, entry: &Entry) {
        let before = std::mem::replace(&mut self.seq, entry.seq.0);
        if entry.seq.0 != before + 1 {
            self.found(format_args!("entry {} is missing: entry {} follows", before + 1, entry.seq.0));
        }
        if entry.hash != entry.hash_after(self.head) {
            self.found(format_args!("entry {}: its hash does not follow from its content", entry.seq.0));
        }
        self.head = entry.hash;
        if entry.at < self.at {
            self.found(format_args!("entry {}: it happened before the one before it", entry.seq.0));
        }
        self.at = entry.at;
        self.read_request(entry);
        self.read_balance(entry);
        self.read_sums(entry);
        self.read_lots(entry);
        self.read_holds(entry);
        self.read_charges(entry);
    }

    /// What never happens by itself has the request that caused it.
    fn read_request(&mut self, entry: &Entry) {
        let needs_a_request = match entry.kind {
            EntryKind::Charge
            | EntryKind::Hold
            | EntryKind::Capture
            | EntryKind::Refund
            | EntryKind::Adjust => true,
            EntryKind::Grant | EntryKind::Release | EntryKind::Expire | EntryKind::Void => false,
        };
        if needs_a_request && entry.idempotency.is_none() {
            self.found(format_args!("entry {}: its idempotency key is missing", entry.seq.0));
        }
    }

    fn read_balance(&mut self, entry: &Entry) {
        self.balance.available += millionths(entry.credits);
        self.balance.held += millionths(entry.held_credits);
        let Balance { available, held } = entry.balance_after;
        let said = Amounts { available: millionths(available), held: millionths(held) };
        if said != self.balance {
            self.found(format_args!("entry {}: the balance after it is not what it makes", entry.seq.0));
            self.balance = said;
        }
    }

    fn read_sums(&mut self, entry: &Entry) {
        let (credits, held) = (millionths(entry.credits), millionths(entry.held_credits));
        let (name, amount) = match entry.kind {
            EntryKind::Grant => ("grant", credits),
            EntryKind::Adjust => ("adjust", credits),
            EntryKind::Refund => ("refund", credits),
            EntryKind::Charge | EntryKind::Capture => ("charge", -credits - held),
            EntryKind::Expire => ("expire", -credits),
            EntryKind::Void => ("void", -credits),
            EntryKind::Hold | EntryKind::Release => {
                if credits != -held {
                    self.found(format_args!("entry {}: what is held is not what was available", entry.seq.0));
                }
                return;
            }
        };
        *self.sums.entry(name).or_default() += amount;
        if entry.kind != EntryKind::Capture && held != 0 {
            self.found(format_args!("entry {}: it moves what is held", entry.seq.0));
        }
    }

    /// Every entry says what it did to each lot; what it did to all of them is what it did to the balance.
    fn read_lots(&mut self, entry: &Entry) {
        let sum: i128 = entry.lots.iter().map(|lot| millionths(lot.credits)).sum();
        let moved = match entry.kind {
            EntryKind::Capture => millionths(entry.credits) + millionths(entry.held_credits),
            EntryKind::Grant
            | EntryKind::Charge
            | EntryKind::Hold
            | EntryKind::Release
            | EntryKind::Refund
            | EntryKind::Expire
            | EntryKind::Void
            | EntryKind::Adjust => millionths(entry.credits),
        };
        if sum != moved {
            self.found(format_args!("entry {}: its lots do not add up to it", entry.seq.0));
        }
        // What a capture took of what was held comes first in its list.
        let mut held_left = -millionths(entry.held_credits);
        for LotChange { grant_id, credits } in &entry.lots {
            let credits = millionths(*credits);
            let is_held_part = entry.kind == EntryKind::Capture && held_left > 0;
            if is_held_part {
                held_left += credits;
            }
            let Some(grant_id) = grant_id else {
                if !is_held_part {
                    self.debt -= credits;
                }
                continue;
            };
            let lot = self.lots.entry(*grant_id).or_default();
            lot.note_times(entry, credits < 0 && !is_held_part);
            match entry.kind {
                EntryKind::Capture if is_held_part => lot.held += credits,
                EntryKind::Hold | EntryKind::Release => {
                    lot.remaining += credits;
                    lot.held -= credits;
                }
                EntryKind::Expire => {
                    lot.remaining += credits;
                    lot.expired -= credits;
                }
                EntryKind::Void => {
                    lot.held_when_voided.get_or_insert(lot.held);
                    lot.remaining += credits;
                }
                EntryKind::Grant | EntryKind::Adjust => {
                    if credits >= 0 {
                        lot.granted = Some(millionths(entry.credits));
                    }
                    lot.remaining += credits;
                }
                EntryKind::Charge | EntryKind::Capture | EntryKind::Refund => lot.remaining += credits,
            }
        }
        // What returned to the overdraft and found no debt became a lot of its own: nothing of that was ever held.
        if entry.kind == EntryKind::Release {
            self.read_new_lots_of(entry);
        }
    }

    fn read_new_lots_of(&mut self, entry: &Entry) {
        let Some(books) = entry.origin.hold_id.and_then(|id| self.holds.get(&id)) else { return };
        for change in &entry.lots {
            if let Some(grant_id) = change.grant_id
                && !books.left.iter().any(|(held_of, _)| *held_of == Some(grant_id))
            {
                let lot = self.lots.get_mut(&grant_id).expect("its change was just read");
                lot.held += millionths(change.credits);
            }
        }
    }

    fn read_holds(&mut self, entry: &Entry) {
        let Some(id) = entry.origin.hold_id else { return };
        match entry.kind {
            EntryKind::Hold => {
                let left = entry.lots.iter().map(|lot| (lot.grant_id, -millionths(lot.credits))).collect();
                let credits = millionths(entry.held_credits);
                let books = HoldBooks {
                    key_id: entry.origin.key_id,
                    made_at: entry.at,
                    seq: entry.seq.0,
                    credits,
                    captured: 0,
                    left,
                    used_last_at: None,
                    released_at: None,
                };
                if self.holds.insert(id, books).is_some() {
                    self.found(format_args!("entry {}: {id} was made before", entry.seq.0));
                }
                self.count(entry.origin.key_id, entry.at, credits);
            }
            EntryKind::Capture => {
                let captured = -millionths(entry.credits) - millionths(entry.held_credits);
                let Some(books) = self.holds.get_mut(&id) else {
                    self.found(format_args!("entry {}: {id} was never made", entry.seq.0));
                    return;
                };
                books.captured += captured;
                books.used_last_at = Some(entry.at);
                let mut taken = -millionths(entry.held_credits);
                for (_, left) in &mut books.left {
                    let part = taken.min(*left);
                    taken -= part;
                    *left -= part;
                }
                let is_covered = taken == 0;
                books.left.retain(|(_, left)| *left > 0);
                if !is_covered {
                    self.found(format_args!("entry {}: it takes more than {id} holds", entry.seq.0));
                }
                self.count(entry.origin.key_id, entry.at, -millionths(entry.credits));
            }
            EntryKind::Release => {
                let released = -millionths(entry.held_credits);
                let Some(books) = self.holds.get_mut(&id) else {
                    self.found(format_args!("entry {}: {id} was never made", entry.seq.0));
                    return;
                };
                let left: i128 = books.left.iter().map(|(_, left)| left).sum();
                books.left.clear();
                books.used_last_at = Some(entry.at);
                books.released_at = Some(entry.at);
                let (key_id, made_at) = (books.key_id, books.made_at);
                if left != released {
                    self.found(format_args!("entry {}: it does not release what {id} holds", entry.seq.0));
                }
                self.count(key_id, made_at, -released);
            }
            EntryKind::Grant
            | EntryKind::Charge
            | EntryKind::Refund
            | EntryKind::Expire
            | EntryKind::Void
            | EntryKind::Adjust => {}
        }
    }

    fn read_charges(&mut self, entry: &Entry) {
        let Some(id) = entry.origin.charge_id else { return };
        match entry.kind {
            EntryKind::Charge | EntryKind::Capture => {
                let made_at =
                    entry.origin.hold_id.and_then(|hold| self.holds.get(&hold)).map(|hold| hold.made_at);
                let taken = -millionths(entry.credits);
                let held = -millionths(entry.held_credits);
                if self.refunded.contains_key(&id) {
                    let books = ChargeBooks {
                        key_id: entry.origin.key_id,
                        credits: taken + held,
                        refunded: 0,
                        counted: vec![(entry.at, taken), (made_at.unwrap_or(entry.at), held)],
                    };
                    self.charges.insert(id, books);
                }
                if entry.kind == EntryKind::Charge {
                    self.count(entry.origin.key_id, entry.at, taken);
                }
            }
            EntryKind::Refund => self.read_refund(entry, id),
            EntryKind::Grant
            | EntryKind::Hold
            | EntryKind::Release
            | EntryKind::Expire
            | EntryKind::Void
            | EntryKind::Adjust => {}
        }
    }

    fn read_refund(&mut self, entry: &Entry, id: ChargeId) {
        let mut wanted = millionths(entry.credits);
        let Some(books) = self.charges.get_mut(&id) else {
            self.found(format_args!("entry {}: it is not known that {id} was given back", entry.seq.0));
            return;
        };
        books.refunded += wanted;
        let exceeds = books.refunded > books.credits;
        let key_id = books.key_id;
        let mut returned = Vec::new();
        for (at, credits) in &mut books.counted {
            let part = wanted.min(*credits);
            wanted -= part;
            *credits -= part;
            returned.push((*at, -part));
        }
        for (at, credits) in returned {
            self.count(key_id, at, credits);
        }
        if exceeds {
            self.found(format_args!("entry {}: more was given back than {id} took", entry.seq.0));
        }
    }

    fn count(&mut self, key_id: Option<KeyId>, at: Timestamp, credits: i128) {
        if let Some(key_id) = key_id
            && credits != 0
        {
            *self.counted.entry(key_id).or_default().entry(at.start_of_day()).or_default() += credits;
        }
    }

    fn must_be(&mut self, what: std::fmt::Arguments<'_>, said: Credits, found: i128) {
        if millionths(said) != found {
            self.found(format_args!("{what} is {said}, and by the entries {}", shown(found)));
        }
    }

    fn found(&mut self, what: std::fmt::Arguments<'_>) {
        self.findings.push(format!("{}: {what}", self.account_id));
    }
}
