//! Erasing free text. Amounts, times and digests stay: the chain is as whole as before.

use super::Decision;
use crate::snapshot::Effects;
use crate::{EraseTexts, Erasure, Outcome, Refusal, Snapshot};

pub(super) fn decide(snapshot: &Snapshot, command: &EraseTexts) -> Decision {
    if !snapshot.accounts.contains_key(&command.account_id) {
        return Decision::refused(Refusal::AccountIsUnknown);
    }

    // From here the command succeeds.
    let EraseTexts { account_id, from, through, until } = *command;
    let effects =
        Effects { erasure: Some(Erasure { account_id, from, through, until }), ..Effects::default() };
    Decision::done(Outcome::TextsErased, effects)
}
