//! The audit: whether what is kept of an account follows from its entries.
//!
//! An [`Audit`] reads the entries of one account from the first to the last and keeps its own books of them; then it
//! compares these with the account, its lots, its holds, its charges and its keys as they are stored. It shares no
//! arithmetic with the decisions that wrote them, and it never stops at the first finding. Of charges it remembers only
//! those that were refunded, and of keys a sum a day, so that an account with many entries takes little memory.

use std::collections::BTreeMap;

use crate::{
    Account, AccountId, Balance, ChargeId, Credits, Entry, EntryHash, EntryKind, GrantId, Hold, HoldId,
    HoldStatus, Key, KeyId, Lot, LotChange, Period, Seq, Timestamp,
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
}

#[derive(Debug)]
struct HoldBooks {
    key_id: Option<KeyId>,
    made_at: Timestamp,
    seq: u64,
    credits: i128,
    captured: i128,
    left: Vec<(Option<GrantId>, i128)>,
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
            self.found(format_args!("entry {} follows entry {before}", entry.seq.0));
        }
        if entry.hash != entry.hash_after(self.head) {
            self.found(format_args!("entry {}: its hash does not follow from its content", entry.seq.0));
        }
        self.head = entry.hash;
        if entry.at < self.at {
            self.found(format_args!("entry {}: it happened before the one before it", entry.seq.0));
        }
        self.at = entry.at;
        self.read_balance(entry);
        self.read_sums(entry);
        self.read_lots(entry);
        self.read_holds(entry);
        self.read_charges(entry);
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
                EntryKind::Grant
                | EntryKind::Charge
                | EntryKind::Capture
                | EntryKind::Refund
                | EntryKind::Void
                | EntryKind::Adjust => lot.remaining += credits,
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

    /// Compares the account with its entries.
    pub fn compare_account(&mut self, account: &Account) {
        let last = self.seq;
        if account.seq != Seq(last) || account.head != self.head {
            self.found(format_args!("the account is at entry {}, and the last is {last}", account.seq.0));
        }
        let totals = &account.totals;
        for (name, said, found) in [
            ("available", account.balance.available, self.balance.available),
            ("held", account.balance.held, self.balance.held),
            ("debt", account.debt, self.debt),
            ("granted", totals.granted, self.sum("grant")),
            ("adjusted", totals.adjusted, self.sum("adjust")),
            ("refunded", totals.refunded, self.sum("refund")),
            ("spent", totals.spent, self.sum("charge")),
            ("expired", totals.expired, self.sum("expire")),
            ("voided", totals.voided, self.sum("void")),
        ] {
            self.must_be(format_args!("the account's {name}"), said, found);
        }
        let put_in = self.sum("grant") + self.sum("adjust") + self.sum("refund");
        let gone = self.sum("charge") + self.sum("expire") + self.sum("void");
        if put_in != self.balance.available + self.balance.held + gone {
            self.found(format_args!("credits were made or lost"));
        }
        let remaining: i128 = self.lots.values().map(|lot| lot.remaining).sum();
        if remaining - self.debt != self.balance.available {
            self.found(format_args!("what is left of the lots, less the debt, is not what is available"));
        }
    }

    /// Compares a lot with the entries. A lot that has not started has none.
    pub fn compare_lot(&mut self, lot: &Lot) {
        let id = lot.grant_id;
        let books = self.lots.remove(&id).unwrap_or_default();
        let remaining = if lot.started { lot.remaining } else { Credits::ZERO };
        self.must_be(format_args!("what is left of {id}"), remaining, books.remaining);
        self.must_be(format_args!("what is held of {id}"), lot.held, books.held);
        self.must_be(format_args!("what has expired of {id}"), lot.expired, books.expired);
    }

    /// Compares a hold with the entries.
    pub fn compare_hold(&mut self, hold: &Hold) {
        let id = hold.id;
        let Some(books) = self.holds.remove(&id) else {
            self.found(format_args!("{id} has no entry"));
            return;
        };
        if hold.seq.0 != books.seq || hold.key_id != books.key_id {
            self.found(format_args!("{id} is not the hold that its entry made"));
        }
        self.must_be(format_args!("the credits of {id}"), hold.credits, books.credits);
        self.must_be(format_args!("what was captured of {id}"), hold.captured, books.captured);
        let left: Vec<_> = hold.lots.iter().map(|lot| (lot.grant_id, millionths(lot.credits))).collect();
        if left != books.left {
            self.found(format_args!("{id} does not hold what its entries leave"));
        }
        if hold.status != HoldStatus::Open && !left.is_empty() {
            self.found(format_args!("{id} has ended, and holds something still"));
        }
    }

    /// Compares what a key has spent with the entries, in the running period of every length.
    pub fn compare_key(&mut self, key: &Key) {
        let counted = self.counted.remove(&key.id).unwrap_or_default();
        let spent = &key.spent;
        for (period, window) in [
            (Period::Day, spent.day),
            (Period::Week, spent.week),
            (Period::Month, spent.month),
            (Period::Total, spent.total),
        ] {
            let within = counted.iter().filter(|(day, _)| period.start(**day) == window.starts_at);
            let found: i128 = within.map(|(_, credits)| credits).sum();
            self.must_be(format_args!("what {} has spent in its {period:?}", key.id), window.credits, found);
        }
    }

    /// Ends: what the entries name must have been compared, or it is missing.
    #[must_use]
    pub fn finish(mut self) -> Vec<Finding> {
        let lots: Vec<GrantId> = self.lots.keys().copied().collect();
        for id in lots {
            self.found(format_args!("{id} is missing"));
        }
        let holds: Vec<HoldId> = self.holds.keys().copied().collect();
        for id in holds {
            self.found(format_args!("{id} is missing"));
        }
        for (id, books) in std::mem::take(&mut self.charges) {
            let said = self.refunded.get(&id).copied().unwrap_or(Credits::ZERO);
            self.must_be(format_args!("what was given back of {id}"), said, books.refunded);
        }
        let keys: Vec<KeyId> = self.counted.keys().copied().collect();
        for id in keys {
            self.found(format_args!("{id} is missing"));
        }
        self.findings
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
