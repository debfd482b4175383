//! Correcting a balance by hand.

use super::Decision;
use super::amounts::plus;
use super::draft::{Draft, Posting};
use crate::limits::GRANTS_OPEN_MAX;
use crate::{
    AccountStatus, AdjustCredits, Adjustment, Credits, EntryKind, GrantId, Idempotency, Origin, Outcome,
    Refusal, Snapshot, Timestamp,
};

/// Guards: the account is not closed; then for more credits the number of open grants and the range, for fewer the
/// balance, the overdraft not counted, and the range.
pub(super) fn decide(
    snapshot: &Snapshot,
    clock: Timestamp,
    command: &AdjustCredits,
    idempotency: Idempotency,
) -> Decision {
    let Some(account) = snapshot.accounts.get(&command.account_id) else {
        return Decision::refused(Refusal::AccountIsUnknown);
    };
    let mut draft = Draft::open(account, clock);
    if draft.account().status == AccountStatus::Closed {
        return Decision::refused(Refusal::AccountIsClosed);
    }
    let credits = command.credits;
    let refusal = if credits.is_negative() { too_little(&draft, command) } else { too_much(&draft, credits) };
    if let Some(refusal) = refusal {
        return Decision::refused(refusal);
    }

    // From here the command succeeds.
    let at = draft.at();
    let totals = &mut draft.account_mut().totals;
    totals.adjusted = plus(totals.adjusted, credits);
    let lots = if credits.is_negative() {
        draft.draw(-credits)
    } else {
        let grant_id = GrantId::of_adjustment(command.id);
        draft.make_lot(draft.new_lot(grant_id, credits, at));
        draft.put_in(grant_id)
    };
    draft.post(Posting {
        lots,
        origin: Origin { adjustment_id: Some(command.id), ..Origin::default() },
        note: command.note.clone(),
        idempotency: Some(idempotency),
        ..Posting::of(EntryKind::Adjust, at, credits)
    });
    let adjustment = Adjustment::of_entry(draft.answer()).expect("an adjustment's entry names it");
    Decision::done(Outcome::Adjusted(adjustment), draft.into_effects(snapshot))
}

fn too_much(draft: &Draft, credits: Credits) -> Option<Refusal> {
    let account = draft.account();
    if draft.open_lots() >= GRANTS_OPEN_MAX {
        return Some(Refusal::TooManyGrantsAreOpen);
    }
    let fits = draft.has_room_for(credits) && account.totals.adjusted.checked_add(credits).is_some();
    (!fits).then_some(Refusal::BalanceIsOutOfRange)
}

fn too_little(draft: &Draft, command: &AdjustCredits) -> Option<Refusal> {
    let account = draft.account();
    let (required, available) = (-command.credits, account.balance.available);
    if required > available && !command.allow_negative {
        return Some(Refusal::CreditsAreInsufficient { required, available });
    }
    let fits = available.checked_sub(required).is_some()
        && account.debt.checked_add(required).is_some()
        && account.totals.adjusted.checked_sub(required).is_some();
    (!fits).then_some(Refusal::BalanceIsOutOfRange)
}
