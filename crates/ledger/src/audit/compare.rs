//! What is kept of an account, against the books that its entries make.

use super::{Audit, Finding, LotBooks, millionths};
use crate::{Account, Credits, GrantId, Hold, HoldId, HoldStatus, Key, KeyId, Lot, Period, Seq, Timestamp};

impl Audit<'_> {
    /// Compares the account with its entries.
    pub fn compare_account(&mut self, account: &Account) {
        let last = self.seq;
        if account.seq != Seq(last) || account.head != self.head {
            self.found(format_args!("the account is at entry {}, and the last is {last}", account.seq.0));
        }
        let at = self.at;
        if last > 0 && account.last_at != at {
            self.found(format_args!("the account is at {}, and entry {last} is of {at}", account.last_at));
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
        self.lots_made = account.lots_made;
        self.refund_lot = account.refund_lot;
        let remaining: i128 = self.lots.values().map(|lot| lot.remaining).sum();
        if remaining - self.debt != self.balance.available {
            self.found(format_args!("what is left of the lots, less the debt, is not what is available"));
        }
    }

    /// Compares a lot with the entries. A lot that has not started has none.
    pub fn compare_lot(&mut self, lot: &Lot) {
        let id = lot.grant_id;
        if !self.orders.insert(lot.order) {
            self.found(format_args!("{id} has the place in the order of creation that another has"));
        }
        if let Some(refund_lot) = self.refund_lot.filter(|refund_lot| refund_lot.grant_id == id) {
            self.refund_lot = None;
            if refund_lot.day != lot.effective_at.start_of_day() {
                self.found(format_args!("{id} is not of the day whose refunds it takes"));
            }
        }
        let books = self.lots.remove(&id).unwrap_or_default();
        self.must_be(format_args!("what is held of {id}"), lot.held, books.held);
        self.must_be(format_args!("what has expired of {id}"), lot.expired, books.expired);
        if lot.started {
            self.must_be(format_args!("what is left of {id}"), lot.remaining, books.remaining);
            if let Some(granted) = books.granted {
                self.must_be(format_args!("what was granted of {id}"), lot.granted, granted);
            }
            self.compare_times(lot, &books);
        } else {
            let (granted, was_voided) = (millionths(lot.granted), lot.is_voided());
            let remaining = books.remaining + if was_voided { 0 } else { granted };
            self.must_be(format_args!("what is to start of {id}"), lot.remaining, remaining);
        }
        let held_when_voided = lot.held_when_voided.map(millionths);
        if held_when_voided.filter(|held| lot.started || *held != 0) != books.held_when_voided {
            self.found(format_args!("{id} is not voided as its entries say"));
        }
    }

    fn compare_times(&mut self, lot: &Lot, books: &LotBooks) {
        let id = lot.grant_id;
        let starts = |at: Timestamp| {
            if books.is_start_exact { lot.effective_at == at } else { lot.effective_at <= at }
        };
        if !books.started_at.is_some_and(starts) {
            self.found(format_args!("{id} has not started when its entry says"));
        }
        let Some(expires_at) = lot.expires_at else {
            if books.expired_first_at.is_some() {
                self.found(format_args!("{id} never expires, and has"));
            }
            return;
        };
        if books.drawn_last_at.is_some_and(|at| at >= expires_at) {
            self.found(format_args!("{id} was drawn from when it had expired"));
        }
        if books.expired_first_at.is_some_and(|at| at < expires_at) {
            self.found(format_args!("{id} has expired before its time"));
        }
        // Of much that falls due at one instant, only a part may be settled yet.
        if lot.remaining.is_positive() && expires_at < self.at {
            self.found(format_args!("{id} should have expired"));
        }
    }

    /// Compares a hold with the entries.
    pub fn compare_hold(&mut self, hold: &Hold) {
        let id = hold.id;
        let Some(books) = self.holds.remove(&id) else {
            self.found(format_args!("{id} has no entry"));
            return;
        };
        let made = (hold.seq.0, hold.key_id, hold.created_at);
        if made != (books.seq, books.key_id, books.made_at) {
            self.found(format_args!("{id} is not the hold that entry {} made", books.seq));
        }
        if let Some(priced) = &hold.priced
            && priced.rate.times(priced.quantity) != Some(hold.credits)
        {
            self.found(format_args!("{id} does not hold what its operation cost"));
        }
        let is_in_time = match hold.status {
            HoldStatus::Open => self.at <= hold.expires_at,
            HoldStatus::Captured | HoldStatus::Released => {
                books.used_last_at.is_some_and(|at| at < hold.expires_at)
            }
            HoldStatus::Expired => books.released_at.is_none_or(|at| at == hold.expires_at),
        };
        if !is_in_time {
            self.found(format_args!("{id} has not ended when its entries say"));
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
        let lots_made = self.lots_made;
        if !self.orders.iter().copied().eq(1..=lots_made) {
            self.found(format_args!("{lots_made} lots were made in it, and other ones are there"));
        }
        if let Some(refund_lot) = self.refund_lot {
            self.found(format_args!("{}, which takes refunds, is missing", refund_lot.grant_id));
        }
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
}
