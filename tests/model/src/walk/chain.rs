//! What the entries of an account say by themselves: gapless numbers, hashes, times that never run backwards,
//! balances that follow from the changes, and conservation.

use coffer_ledger::{Account, Entry, EntryHash, EntryKind, Seq, Timestamp};

use super::{Mismatch, same};
use crate::account::{Amount, amount};

/// The largest amount there is, in millionths.
const LARGEST: Amount = 9_000_000_000_000_000_000;

/// What has been read of an account's entries.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    seq: u64,
    head: EntryHash,
    last_at: Timestamp,
    available: Amount,
    held: Amount,
    totals: Totals,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Totals {
    granted: Amount,
    adjusted: Amount,
    refunded: Amount,
    spent: Amount,
    expired: Amount,
    voided: Amount,
}

impl Default for Chain {
    fn default() -> Chain {
        Chain {
            seq: 0,
            head: EntryHash([0; 32]),
            last_at: Timestamp::MIN,
            available: 0,
            held: 0,
            totals: Totals::default(),
        }
    }
}

impl Chain {
    pub(super) fn seq(&self) -> Seq {
        Seq(self.seq)
    }

    pub(super) fn append(&mut self, entry: &Entry) -> Result<(), Mismatch> {
        same("the number of an entry", &entry.seq.0, &(self.seq + 1))?;
        same("the hash of an entry", &entry.hash, &entry.hash_after(self.head))?;
        if entry.at < self.last_at {
            return Err(Mismatch(format!("{entry:?} happened before the one before it")));
        }
        let (credits, held_credits) = (amount(entry.credits), amount(entry.held_credits));
        self.available += credits;
        self.held += held_credits;
        let after = (amount(entry.balance_after.available), amount(entry.balance_after.held));
        same("the balance after an entry", &after, &(self.available, self.held))?;
        let of_lots: Amount = entry.lots.iter().map(|change| amount(change.credits)).sum();
        let of_lots_expected =
            if entry.kind == EntryKind::Capture { credits + held_credits } else { credits };
        same("the sum of an entry's lots", &of_lots, &of_lots_expected)?;
        self.totals.add(entry.kind, credits, held_credits);
        self.must_conserve()?;
        self.seq = entry.seq.0;
        self.head = entry.hash;
        self.last_at = entry.at;
        Ok(())
    }

    fn must_conserve(&self) -> Result<(), Mismatch> {
        let Totals { granted, adjusted, refunded, spent, expired, voided } = self.totals;
        let came = granted + adjusted + refunded;
        same("what came in", &came, &(self.available + self.held + spent + expired + voided))?;
        for total in [self.available, self.held, granted, adjusted, refunded, spent, expired, voided] {
            if total.abs() > LARGEST {
                return Err(Mismatch(format!("{self:?} leaves the range")));
            }
        }
        Ok(())
    }

    /// The account must be what its entries have made of it.
    pub(super) fn must_agree_with(&self, account: &Account) -> Result<(), Mismatch> {
        same("the number of the last entry", &account.seq.0, &self.seq)?;
        same("the last hash", &account.head, &self.head)?;
        let balance = (amount(account.balance.available), amount(account.balance.held));
        same("the balance", &balance, &(self.available, self.held))?;
        let remaining: Amount = account.started_lots().map(|lot| amount(lot.remaining)).sum();
        same("what lots have, less the debt", &(remaining - amount(account.debt)), &self.available)?;
        let reserved: Amount = account.holds.iter().map(|hold| amount(hold.left())).sum();
        same("what holds have", &reserved, &self.held)?;
        let totals = Totals {
            granted: amount(account.totals.granted),
            adjusted: amount(account.totals.adjusted),
            refunded: amount(account.totals.refunded),
            spent: amount(account.totals.spent),
            expired: amount(account.totals.expired),
            voided: amount(account.totals.voided),
        };
        same("the totals", &totals, &self.totals)
    }
}

impl Totals {
    fn add(&mut self, kind: EntryKind, credits: Amount, held_credits: Amount) {
        match kind {
            EntryKind::Grant => self.granted += credits,
            EntryKind::Adjust => self.adjusted += credits,
            EntryKind::Refund => self.refunded += credits,
            EntryKind::Charge | EntryKind::Capture => self.spent -= credits + held_credits,
            EntryKind::Expire => self.expired -= credits,
            EntryKind::Void => self.voided -= credits,
            EntryKind::Hold | EntryKind::Release => {}
        }
    }
}
