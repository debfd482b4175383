//! Taking back what is left of a grant.

use super::Decision;
use super::draft::Draft;
use crate::{AccountStatus, Grant, Idempotency, Lot, Outcome, Refusal, Snapshot, Timestamp, VoidGrant};

/// Guards: the grant is known, the account is not closed, the grant is open. An open grant of which all is held can be
/// voided: what returns is then taken back as well.
pub(super) fn decide(
    snapshot: &Snapshot,
    clock: Timestamp,
    command: &VoidGrant,
    idempotency: Idempotency,
) -> Decision {
    let Some(account) = snapshot.accounts.get(&command.account_id) else {
        return Decision::refused(Refusal::AccountIsUnknown);
    };
    let grant = snapshot.grants.get(&command.id).filter(|grant| grant.account_id == command.account_id);
    let Some(grant) = grant else { return Decision::refused(Refusal::GrantIsUnknown) };
    let mut draft = Draft::open(account, clock);
    if draft.account().status == AccountStatus::Closed {
        return Decision::refused(Refusal::AccountIsClosed);
    }
    let at = draft.at();
    let has_expired = |lot: &Lot| lot.started && lot.expires_at.is_some_and(|expires_at| expires_at <= at);
    let mut open = draft.account().lots.iter().filter(|lot| lot.grant_id == command.id && lot.is_open());
    if open.next().is_none_or(|lot| lot.is_voided() || has_expired(lot)) {
        return Decision::refused(Refusal::GrantIsClosed);
    }

    // From here the command succeeds.
    draft.void_lot(command.id, Some(idempotency));
    let lot = draft.lot(command.id).clone();
    let outcome = Outcome::GrantVoided(Grant { lot, ..grant.clone() });
    Decision::done(outcome, draft.into_effects(snapshot))
}
