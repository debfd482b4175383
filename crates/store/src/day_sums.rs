//! What accounts have spent, summed by day, key and operation, so that nobody who asks for usage has to read the journal.
//!
//! A projection that trails: the sums of an account go through a certain entry, in whole blocks, and what came later is
//! read from the journal. No batch adds its own entries: whole blocks are added later, beside batches or written along with one.
//! Both databases have the same two tables: `usage_days` with the sums, `usage_through` with how far they go.

use std::collections::BTreeMap;
use std::ops::Range;

use coffer_ledger::{
    AccountId, Charge, Credits, Entry, EntryKind, Finding, KeyId, Operation, Seq, Timestamp, UuidBytes,
};

use crate::rows::{self, Columns};

/// How many entries of an account are added at a time: about as many are read from the journal when somebody asks. Adding
/// them costs a row for each day, key and operation among them.
pub(crate) const BLOCK: u64 = 512;

pub(crate) const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

/// What stands in the tables for what was spent without a key: a column that rows are told by has a value.
pub(crate) const NO_KEY: UuidBytes = [0; 16];
/// The same for what was spent on no operation.
pub(crate) const NO_OPERATION: &str = "";

/// The columns of a row of sums.
pub(crate) const DAY_SUM: &str = "usage_days.day, usage_days.key_id, usage_days.operation, usage_days.charges, \
                                  usage_days.charged, usage_days.refunded";

/// What was spent, and on how many charges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spent {
    pub(crate) charges: u64,
    pub(crate) charged: Credits,
    pub(crate) refunded: Credits,
}

impl Spent {
    pub(crate) const NOTHING: Spent = Spent { charges: 0, charged: Credits::ZERO, refunded: Credits::ZERO };

    /// What an entry has spent or given back; `None` for those that do neither.
    pub(crate) fn by(entry: &Entry) -> Option<Spent> {
        match Charge::of_entry(entry) {
            Some(charge) => Some(Spent { charges: 1, charged: charge.credits, ..Spent::NOTHING }),
            None if entry.kind == EntryKind::Refund => {
                Some(Spent { refunded: entry.credits, ..Spent::NOTHING })
            }
            None => None,
        }
    }

    /// The sum of both; `None` where it is out of range, as no account's lifetime totals can be.
    pub(crate) fn plus(self, other: Spent) -> Option<Spent> {
        Some(Spent {
            charges: self.charges.checked_add(other.charges)?,
            charged: self.charged.checked_add(other.charged)?,
            refunded: self.refunded.checked_add(other.refunded)?,
        })
    }
}

/// What a row of sums is of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct DayOf {
    /// The midnight with which the day begins.
    pub(crate) day: Timestamp,
    pub(crate) key_id: Option<KeyId>,
    pub(crate) operation: Option<Operation>,
}

/// A row of sums.
pub(crate) fn day_sum(columns: &mut Columns<'_>) -> rows::Result<(DayOf, Spent)> {
    let sum = optional_day_sum(columns)?;
    sum.ok_or_else(|| columns.meaningless("sum"))
}

/// A row of sums, or nulls where there is none.
pub(crate) fn optional_day_sum(columns: &mut Columns<'_>) -> rows::Result<Option<(DayOf, Spent)>> {
    let Some(day) = rows::optional_time(columns)? else { return Ok(None) };
    let key_id = Some(columns.bytes()?).filter(|id| *id != NO_KEY).map(KeyId::from_bytes);
    let operation: String = columns.text()?;
    let operation = match operation.as_str() {
        NO_OPERATION => None,
        _ => Some(Operation::try_from(operation).map_err(|_| columns.meaningless("operation"))?),
    };
    let spent = Spent {
        charges: columns.count()?,
        charged: rows::credits(columns)?,
        refunded: rows::credits(columns)?,
    };
    Ok(Some((DayOf { day, key_id, operation }, spent)))
}

/// Whole days within a stretch of time, in milliseconds: those that begin from the one and before the other.
pub(crate) fn whole_days(from: Timestamp, to: Timestamp) -> Range<i64> {
    let first = from.unix_ms().div_euclid(MS_PER_DAY) + i64::from(from.start_of_day() != from);
    first * MS_PER_DAY..to.start_of_day().unix_ms()
}

/// Of entries that somebody asks for, which are read from the journal, and which are in the sums of whole days.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cut {
    /// Entries before the first whole day.
    pub(crate) head: Range<u64>,
    /// When the days begin whose sums are wanted.
    pub(crate) days: Range<i64>,
    /// Entries after the last whole day, or which are in no sum yet.
    pub(crate) tail: Range<u64>,
}

impl Cut {
    /// Cuts the `asked` entries, of which those from the first to the last whole day are `whole`, where the sums go
    /// `through` an entry. If they end before what is asked for does, all that is summed of its last day is asked for.
    pub(crate) fn of(asked: &Range<u64>, days: &Range<i64>, whole: &Range<u64>, through: u64) -> Cut {
        let is_summed_whole = through >= asked.end;
        let summed_before = if is_summed_whole { whole.end } else { through + 1 };
        let days = days.start..if is_summed_whole { days.end } else { i64::MAX };
        let head = asked.start..whole.start.min(through + 1).min(asked.end);
        let tail = summed_before.max(head.end).max(asked.start)..asked.end;
        Cut { head, days, tail }
    }
}

/// The sums of an account against its entries.
#[derive(Debug)]
pub(crate) struct DayAudit {
    account_id: AccountId,
    through: Seq,
    last: Seq,
    noted: BTreeMap<DayOf, Spent>,
    /// `None` where it comes to more than any account can spend.
    found: BTreeMap<DayOf, Option<Spent>>,
}

impl DayAudit {
    /// Where no sums are noted.
    pub(crate) fn of(account_id: AccountId) -> DayAudit {
        let (noted, found) = (BTreeMap::new(), BTreeMap::new());
        DayAudit { account_id, through: Seq(0), last: Seq(0), noted, found }
    }

    /// Takes in how far the sums go, before any entry.
    pub(crate) fn note_through(&mut self, through: Seq) {
        self.through = through;
    }

    pub(crate) fn note(&mut self, (of, spent): (DayOf, Spent)) {
        self.noted.insert(of, spent);
    }

    pub(crate) fn read(&mut self, entry: &Entry) {
        self.last = self.last.max(entry.seq);
        let Some(spent) = Spent::by(entry).filter(|_| entry.seq <= self.through) else { return };
        let (day, key_id) = (entry.at.start_of_day(), entry.origin.key_id);
        let of = DayOf { day, key_id, operation: entry.purpose.operation.clone() };
        let sum = self.found.entry(of).or_insert(Some(Spent::NOTHING));
        *sum = sum.and_then(|sum| sum.plus(spent));
    }

    pub(crate) fn finish(self) -> Vec<Finding> {
        let id = self.account_id;
        let mut findings = Vec::new();
        if self.through > self.last {
            findings.push(format!("{id}: its usage is summed through an entry that is not there"));
        }
        let noted: BTreeMap<DayOf, Option<Spent>> =
            self.noted.into_iter().map(|(of, spent)| (of, Some(spent))).collect();
        if noted != self.found {
            findings.push(format!("{id}: its usage by day is not what its entries come to"));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use coffer_ledger::Timestamp;

    use super::{Cut, MS_PER_DAY, whole_days};

    #[test]
    fn days_are_whole_that_begin_and_end_within_a_stretch_of_time() {
        let at = |ms| Timestamp::from_unix_ms(ms).expect("a time");
        let day = MS_PER_DAY;
        for (from, to, expected) in [
            (0, day, 0..day),
            (1, 3 * day, day..3 * day),
            (day - 1, day, day..day),
            (day, 3 * day - 1, day..2 * day),
            (1, 2, day..0),
        ] {
            assert_eq!(whole_days(at(from), at(to)), expected, "{from} {to}");
        }
        assert_eq!(whole_days(Timestamp::MIN, Timestamp::MAX).start, 0);
    }

    /// Ten entries a day, numbered from 1: whatever is asked for and however far the sums go, each entry counts once.
    #[test]
    fn each_entry_counts_once() {
        const LAST: u64 = 45;
        let day_of = |seq: u64| i64::try_from((seq - 1) / 10).expect("small");
        let first_of_day = |day: i64| (u64::try_from(day.max(0)).expect("it is") * 10 + 1).min(LAST + 1);
        for (start, end) in (1..=LAST + 1).flat_map(|start| (start..=LAST + 1).map(move |end| (start, end))) {
            let asked: Range<u64> = start..end;
            // As if entries were an hour apart: the first and the last one say from when and to when is asked.
            let days = (i64::try_from(start - 1).expect("small") + 9) / 10
                ..i64::try_from(end - 1).expect("small") / 10;
            let whole = first_of_day(days.start)..first_of_day(days.end);
            for through in 0..=LAST {
                let cut = Cut::of(&asked, &days, &whole, through);
                let in_sums = |seq: u64| seq <= through && cut.days.contains(&day_of(seq));
                for seq in 1..=LAST {
                    let counted = [cut.head.contains(&seq), in_sums(seq), cut.tail.contains(&seq)];
                    let times = counted.into_iter().filter(|is_counted| *is_counted).count();
                    let wanted = usize::from(asked.contains(&seq));
                    assert_eq!(times, wanted, "entry {seq} of {asked:?} through {through}: {cut:?}");
                }
            }
        }
    }
}
