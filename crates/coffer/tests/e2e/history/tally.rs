//! How much a run had in it: a history in which nothing happened proves nothing.

use std::fmt;

use super::answers::{Outcome, settle};
use super::record::{History, Moment, Operation, Seen};

/// What clients went through.
#[derive(Default, Debug)]
pub(crate) struct Tally {
    done: usize,
    short: usize,
    conflicts: usize,
    unanswered: usize,
    lost_answers: usize,
    /// Operations whose first answer nobody got, only its replays.
    carried_out_unheard: usize,
    /// Requests sent again long after their answer.
    repeated: usize,
    twins: usize,
    read_by_customers: usize,
    read_by_operators: usize,
}

/// How much can be done during a run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Throughput {
    /// What a server does that asks nobody.
    OfOneProcess,
    /// What nodes do that ask a database for everything, on the same few cores.
    OfADatabase,
}

impl Tally {
    pub(crate) fn of(history: &History) -> Tally {
        let mut tally = Tally::default();
        for operation in &history.operations {
            tally.count(operation);
        }
        for read in &history.reads {
            match read.seen {
                Seen::ByCustomer { .. } => tally.read_by_customers += 1,
                Seen::ByOperator { .. } => tally.read_by_operators += 1,
            }
        }
        tally
    }

    fn count(&mut self, operation: &Operation) {
        let settled = settle(operation, &mut Vec::new());
        match settled.outcome {
            Some(Outcome::Done(_)) => self.done += 1,
            Some(Outcome::Short { .. }) => self.short += 1,
            Some(Outcome::Conflict(_)) => self.conflicts += 1,
            None => self.unanswered += 1,
        }
        let answers = operation.tries.iter().filter_map(|one| one.answer.as_ref());
        let heard = answers.clone().any(|answer| !answer.replayed);
        self.carried_out_unheard += usize::from(operation.is_answered() && !heard);
        self.lost_answers += operation.tries.len() - answers.count();
        let first_answer = settled.window.answered;
        self.repeated += operation.tries.iter().filter(|one| one.invoked > first_answer).count();
        let mut tries = operation.tries.iter();
        let first =
            tries.next().and_then(|one| one.answer.as_ref()).map_or(Moment::NEVER, |answer| answer.at);
        let is_twin = |second: &super::record::Try| second.invoked < first && second.answer.is_some();
        self.twins +=
            usize::from(tries.next().is_some_and(|second| first != Moment::NEVER && is_twin(second)));
    }

    /// Wants enough of everything that a wrong server could do wrong.
    pub(crate) fn must_be_telling(&self, throughput: Throughput) {
        let fewer = match throughput {
            Throughput::OfOneProcess => 1,
            Throughput::OfADatabase => 4,
        };
        assert_eq!(self.unanswered, 0, "everything is answered in the end: {self}");
        for (what, count, min) in [
            ("done", self.done, 2_000),
            ("short", self.short, 200),
            ("conflicts", self.conflicts, 50),
            ("lost answers", self.lost_answers, 200),
            ("carried out unheard", self.carried_out_unheard, 20),
            ("repeated", self.repeated, 200),
            ("twins", self.twins, 100),
            ("read by customers", self.read_by_customers, 200),
            ("read by operators", self.read_by_operators, 200),
        ] {
            let min = min / fewer;
            assert!(count >= min, "only {count} of {min} {what}: {self}");
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { done, short, conflicts, unanswered, lost_answers, .. } = self;
        let Tally { carried_out_unheard, repeated, twins, read_by_customers, read_by_operators, .. } = self;
        write!(
            f,
            "{done} operations done, {short} refused with 402 and {conflicts} with 409, {unanswered} never \
             answered; {lost_answers} answers lost, {carried_out_unheard} of them to what was decided; \
             {repeated} requests repeated, {twins} sent twice at once; {read_by_customers} reads by customers, \
             {read_by_operators} by operators"
        )
    }
}
