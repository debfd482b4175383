//! Reserving credits.

use super::Decision;
use super::draft::{Draft, Posting};
use super::spending::authorize;
use crate::limits::HOLDS_OPEN_MAX;
use crate::{
    Credits, EntryKind, HeldLot, Hold, HoldCredits, HoldRecord, HoldStatus, Idempotency, Origin, Outcome,
    Refusal, Snapshot, Timestamp,
};

/// Guards: those of everything that spends (`spending.rs`), then the number of open holds, then the range of what is
/// held.
pub(super) fn decide(
    snapshot: &Snapshot,
    clock: Timestamp,
    command: &HoldCredits,
    idempotency: Idempotency,
) -> Decision {
    let Some(account) = snapshot.accounts.get(&command.account_id) else {
        return Decision::refused(Refusal::AccountIsUnknown);
    };
    let mut draft = Draft::open(account, clock);
    let spending = match authorize(snapshot, &draft, command.key.as_ref(), &command.cost) {
        Ok(spending) => spending,
        Err(refusal) => return Decision::refused(refusal),
    };
    let credits = spending.credits;
    if draft.account().holds.len() >= HOLDS_OPEN_MAX {
        return Decision::refused(Refusal::TooManyHoldsAreOpen);
    }
    if draft.account().balance.held.checked_add(credits).is_none() {
        return Decision::refused(Refusal::BalanceIsOutOfRange);
    }

    // From here the command succeeds.
    let at = draft.at();
    let key_id = command.key.map(|used| used.key_id);
    let drawn = draft.draw(credits);
    draft.hold_drawn(&drawn);
    draft.count_spent(key_id, credits);
    let lots = drawn.iter().map(|lot| HeldLot { grant_id: lot.grant_id, credits: -lot.credits }).collect();
    draft.post(Posting {
        held_credits: credits,
        lots: drawn,
        origin: Origin { hold_id: Some(command.id), key_id, ..Origin::default() },
        purpose: spending.purpose(),
        note: command.note.clone(),
        idempotency: Some(idempotency),
        ..Posting::of(EntryKind::Hold, at, -credits)
    });
    let hold = Hold {
        id: command.id,
        account_id: command.account_id,
        seq: draft.account().seq,
        key_id,
        priced: spending.priced,
        credits,
        captured: Credits::ZERO,
        lots,
        status: HoldStatus::Open,
        created_at: at,
        expires_at: at.saturating_add_ms(command.expires_in_ms),
    };
    draft.put_hold(hold.clone());
    let record = HoldRecord::of_entry(hold, draft.answer());
    Decision::done(Outcome::Held(record), draft.into_effects(snapshot))
}
