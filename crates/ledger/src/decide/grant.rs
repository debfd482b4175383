//! Granting credits.

use super::Decision;
use super::draft::Draft;
use crate::limits::GRANTS_OPEN_MAX;
use crate::{
    AccountStatus, Credits, Grant, GrantCredits, Idempotency, Lot, Outcome, Refusal, Snapshot, Timestamp,
};

pub(super) fn decide(
    snapshot: &Snapshot,
    clock: Timestamp,
    command: &GrantCredits,
    idempotency: Idempotency,
) -> Decision {
    let Some(account) = snapshot.accounts.get(&command.account_id) else {
        return Decision::refused(Refusal::AccountIsUnknown);
    };
    let mut draft = Draft::open(account, clock);
    let at = draft.at();
    let effective_at = command.effective_at.unwrap_or(at);
    if let Some(expires_at) = command.expires_at {
        if expires_at <= at {
            return Decision::refused(Refusal::ExpiryIsNotInTheFuture { at });
        }
        if expires_at <= effective_at {
            return Decision::refused(Refusal::ExpiryIsNotAfterStart);
        }
    }
    if draft.account().status == AccountStatus::Closed {
        return Decision::refused(Refusal::AccountIsClosed);
    }
    if draft.open_lots() >= GRANTS_OPEN_MAX {
        return Decision::refused(Refusal::TooManyGrantsAreOpen);
    }
    if !stays_in_range(&draft, command.credits) {
        return Decision::refused(Refusal::BalanceIsOutOfRange);
    }

    // From here the command succeeds.
    draft.add_lot(Lot {
        grant_id: command.id,
        order: draft.account().lots_made + 1,
        category: command.category,
        priority: command.priority,
        effective_at,
        expires_at: command.expires_at,
        granted: command.credits,
        remaining: command.credits,
        held: Credits::ZERO,
        expired: Credits::ZERO,
        started: false,
        held_when_voided: None,
    });
    if effective_at <= at {
        draft.start_lot(command.id, at, command.note.clone(), Some(idempotency));
    }
    let grant = Grant {
        account_id: command.account_id,
        lot: draft.lot(command.id).clone(),
        reference: command.note.reference.clone(),
        metadata: command.note.metadata.clone(),
        created_at: at,
    };
    let mut effects = draft.into_effects(snapshot);
    effects.grants.push(grant.clone());
    Decision::done(Outcome::Granted(grant), effects)
}

/// Whether the account stays in range with these credits and with all that is still to start: a lot that
/// starts is not asked again.
fn stays_in_range(draft: &Draft, credits: Credits) -> bool {
    let coming = draft.pending().and_then(|pending| pending.checked_add(credits));
    let granted = coming.and_then(|coming| draft.account().totals.granted.checked_add(coming));
    granted.is_some() && draft.has_room_for(credits)
}
