//! The checker: whether a history of clients and the journals of its accounts can both be true.
//!
//! Together the parts say that the server is linearizable and durable, each operation once and only once. Accounts
//! share nothing, so each is judged by itself; that an order exists for each makes one exist for all.

use super::anomaly::{Anomaly, Fault};
use super::answers::{Conflict, Outcome, Settled, Window, settle};
use super::claims::{Span, asked, claim};
use super::credits::{Balance, Credits};
use super::journal::Journal;
use super::order::{Saw, Sight, SightKind, Write, check_order};
use super::record::{History, Operation, Read, Request, Seen};
use super::remains::Remains;

/// Everything that is wrong. The journals stand in the order of the accounts' numbers, and were read after the last
/// answer.
pub(crate) fn check(history: &History, journals: &[Journal]) -> Vec<Anomaly> {
    let strange = history.strange.iter().map(|what| Anomaly::new(Fault::StrangeAnswer, what));
    let mut anomalies: Vec<Anomaly> = strange.collect();
    for (account, journal) in journals.iter().enumerate() {
        check_account(account, history, journal, &mut anomalies);
    }
    anomalies
}

fn check_account(account: usize, history: &History, journal: &Journal, anomalies: &mut Vec<Anomaly>) {
    let operations = history.operations.iter().filter(|operation| operation.account == account);
    let operations: Vec<Settled> = operations.map(|operation| settle(operation, anomalies)).collect();
    let broken = journal.unsound();
    if !broken.is_empty() {
        // With what does not add up nothing else can be compared.
        anomalies.extend(broken);
        return;
    }
    let remains = Remains::of(journal, anomalies);
    let spans = claim(journal, &operations, anomalies);
    let writes = operations.iter().zip(&spans).filter_map(|(settled, span)| write(settled, *span));
    let writes: Vec<Write> = writes.collect();
    let reads = history.reads.iter().filter(|read| read.account == account).map(sight_of_read);
    let mut sights: Vec<Sight> = reads.collect();
    for settled in &operations {
        if let Some(saw) = refusal(settled, journal.overdraft_limit, &remains, anomalies) {
            let what =
                format!("{}: {:?}: {:?}", settled.operation.name, settled.operation.request, settled.outcome);
            sights.push(Sight { window: settled.window, saw, what, kind: SightKind::Refusal });
        }
    }
    check_order(journal, &writes, &sights, anomalies);
}

fn write<'a>(settled: &Settled<'a>, span: Option<Span>) -> Option<Write<'a>> {
    Some(Write { name: &settled.operation.name, window: settled.window, span: span? })
}

fn sight_of_read(read: &Read) -> Sight {
    let saw = match read.seen {
        Seen::ByCustomer { available } => Saw::Available(available),
        Seen::ByOperator { available, held, seq } => Saw::State { seq, balance: Balance { available, held } },
    };
    let window = Window { invoked: read.invoked, answered: read.answered };
    Sight { window, saw, what: format!("{:?}", read.seen), kind: SightKind::Read }
}

/// In which states a refusal is true; nothing if the operation was not refused, or untruly by its own words.
fn refusal(
    settled: &Settled,
    overdraft_limit: Credits,
    remains: &Remains,
    anomalies: &mut Vec<Anomaly>,
) -> Option<Saw> {
    let Settled { operation, outcome, .. } = settled;
    match outcome {
        None | Some(Outcome::Done(_)) => None,
        Some(Outcome::Short { required, available }) => {
            if asked(&operation.request) == Some(*required) && *required > *available + overdraft_limit {
                return Some(Saw::Available(*available));
            }
            let Operation { name, request, .. } = operation;
            let what = format!(
                "{name}: {request:?}: {required} required and {available} available, with an overdraft limit of \
                 {overdraft_limit}"
            );
            anomalies.push(Anomaly::new(Fault::FalseRefusal, what));
            None
        }
        Some(Outcome::Conflict(conflict)) => Some(Saw::Since(since(*conflict, &operation.request, remains))),
    }
}

/// Since which entry a request is in conflict with what it names.
fn since(conflict: Conflict, request: &Request, remains: &Remains) -> Option<u64> {
    match (conflict, request) {
        // A closed hold holds nothing.
        (Conflict::HoldClosed, Request::Capture { hold, .. } | Request::Release { hold }) => {
            remains.first_with_less(hold, Credits::MILLIONTH)
        }
        (Conflict::CaptureExceedsHold, Request::Capture { hold, credits, .. }) => {
            remains.first_with_less(hold, *credits)
        }
        (Conflict::RefundExceedsCharge, Request::Refund { charge, credits }) => {
            remains.first_with_less(charge, credits.unwrap_or(Credits::MILLIONTH))
        }
        _ => unreachable!("{conflict:?} answers no {request:?}"),
    }
}
