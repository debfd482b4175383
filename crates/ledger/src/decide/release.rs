//! Giving back what a hold has reserved.

use super::Decision;
use super::draft::{Draft, Posting};
use super::open_hold;
use crate::{
    Credits, EntryKind, HoldRecord, HoldStatus, Idempotency, Outcome, Refusal, ReleaseHold, Snapshot,
    Timestamp,
};

/// Guards: the hold is open.
pub(super) fn decide(
    snapshot: &Snapshot,
    clock: Timestamp,
    command: &ReleaseHold,
    idempotency: Idempotency,
) -> Decision {
    let Some(account) = snapshot.accounts.get(&command.account_id) else {
        return Decision::refused(Refusal::AccountIsUnknown);
    };
    let mut draft = Draft::open(account, clock);
    let seq = match open_hold(snapshot, &draft, command.id) {
        Ok(hold) => hold.seq,
        Err(refusal) => return Decision::refused(refusal),
    };

    // From here the command succeeds.
    let at = draft.at();
    let posting = Posting::of(EntryKind::Release, at, Credits::ZERO);
    let posting = Posting { idempotency: Some(idempotency), ..posting };
    let hold = draft.end_hold(command.id, HoldStatus::Released, at, posting);
    let balance = draft.answer().balance_told;
    let record = HoldRecord { hold, note: snapshot.note(command.account_id, seq), balance };
    Decision::done(Outcome::Released(record), draft.into_effects(snapshot))
}
