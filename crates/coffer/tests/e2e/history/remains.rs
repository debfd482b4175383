//! What is left of every hold and every charge, entry by entry: what a refusal with 409 is measured by.

use std::collections::HashMap;

use super::anomaly::{Anomaly, Fault};
use super::credits::Credits;
use super::journal::{EntryKind, EntrySeen, Journal};

/// How much of each hold is still held, and of each charge not refunded, by its id.
#[derive(Default)]
pub(super) struct Remains {
    of: HashMap<String, Vec<Step>>,
}

/// What is left after an entry. It only ever becomes less.
#[derive(Clone, Copy, Debug)]
struct Step {
    seq: u64,
    credits: Credits,
}

impl Remains {
    /// Reads a journal, and adds what takes from a hold or a charge more than there was, or less than all in the
    /// end.
    pub(super) fn of(journal: &Journal, anomalies: &mut Vec<Anomaly>) -> Remains {
        let mut remains = Remains::default();
        for entry in &journal.entries {
            if let Err(what) = remains.note(entry) {
                let what = format!("entry {}: {what}", entry.seq);
                anomalies.push(Anomaly::new(Fault::JournalIsBroken, what));
            }
        }
        remains
    }

    /// The first entry after which less than so much was left of a hold or a charge.
    pub(super) fn first_with_less(&self, id: &str, credits: Credits) -> Option<u64> {
        let steps = self.of.get(id)?;
        let index = steps.partition_point(|step| step.credits >= credits);
        steps.get(index).map(|step| step.seq)
    }

    fn note(&mut self, entry: &EntrySeen) -> Result<(), String> {
        let (available, held) = (entry.change.available, entry.change.held);
        let hold = entry.hold_id.as_deref().ok_or("no hold_id");
        let charge = entry.charge_id.as_deref().ok_or("no charge_id");
        match entry.kind {
            EntryKind::Charge => self.begin(charge?, entry.seq, -available),
            EntryKind::Hold => self.begin(hold?, entry.seq, held),
            EntryKind::Capture => {
                self.begin(charge?, entry.seq, -held)?;
                self.take(hold?, entry.seq, -held)
            }
            EntryKind::Release => match self.left_of(hold?) {
                Some(left) if left != -held => Err(format!("{left} were held, and {} released", -held)),
                _ => self.take(hold?, entry.seq, -held),
            },
            EntryKind::Refund => self.take(charge?, entry.seq, available),
            EntryKind::Grant | EntryKind::Expire | EntryKind::Void | EntryKind::Adjust => Ok(()),
        }
    }

    fn begin(&mut self, id: &str, seq: u64, credits: Credits) -> Result<(), String> {
        let former = self.of.insert(id.to_owned(), vec![Step { seq, credits }]);
        former.map_or(Ok(()), |_| Err(format!("{id} was made before")))
    }

    fn take(&mut self, id: &str, seq: u64, credits: Credits) -> Result<(), String> {
        let left = self.left_of(id).ok_or_else(|| format!("{id} was never made"))?;
        if credits < Credits::ZERO || credits > left {
            return Err(format!("{credits} taken from the {left} of {id}"));
        }
        let steps = self.of.get_mut(id).expect("something is left of it");
        steps.push(Step { seq, credits: left - credits });
        Ok(())
    }

    fn left_of(&self, id: &str) -> Option<Credits> {
        Some(self.of.get(id)?.last().expect("steps begin with the first").credits)
    }
}
