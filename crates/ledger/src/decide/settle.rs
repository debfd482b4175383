//! Settling what has fallen due on an account that no other command reaches.

use super::Decision;
use super::draft::Draft;
use crate::limits::SETTLED_AT_ONCE_MAX;
use crate::snapshot::Effects;
use crate::{Outcome, Refusal, Settle, Snapshot, Timestamp};

pub(super) fn decide(snapshot: &Snapshot, clock: Timestamp, command: &Settle) -> Decision {
    let Some(account) = snapshot.accounts.get(&command.account_id) else {
        return Decision::refused(Refusal::AccountIsUnknown);
    };

    // From here the command succeeds.
    if account.next_due().is_none_or(|due| due > clock) {
        return Decision::done(Outcome::Settled, Effects::default());
    }
    // A part at a time: thousands may have fallen due while nobody looked, and others wait for the batch.
    let draft = Draft::open_in_part(account, clock, SETTLED_AT_ONCE_MAX);
    Decision::done(Outcome::Settled, draft.into_effects(snapshot))
}
