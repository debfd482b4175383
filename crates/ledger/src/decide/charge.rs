//! Charging credits.

use super::Decision;
use super::amounts::plus;
use super::draft::{Draft, Posting};
use super::spending::authorize;
use crate::{Charge, ChargeCredits, EntryKind, Idempotency, Origin, Outcome, Refusal, Snapshot, Timestamp};

/// Guards: those of everything that spends (`spending.rs`), then the range of what was ever spent.
pub(super) fn decide(
    snapshot: &Snapshot,
    clock: Timestamp,
    command: &ChargeCredits,
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
    if draft.account().totals.spent.checked_add(credits).is_none() {
        return Decision::refused(Refusal::BalanceIsOutOfRange);
    }

    // From here the command succeeds.
    let key_id = command.key.map(|used| used.key_id);
    let lots = draft.draw(credits);
    let totals = &mut draft.account_mut().totals;
    totals.spent = plus(totals.spent, credits);
    draft.count_spent(key_id, credits);
    draft.post(Posting {
        lots,
        origin: Origin { charge_id: Some(command.id), key_id, ..Origin::default() },
        purpose: spending.purpose(),
        note: command.note.clone(),
        idempotency: Some(idempotency),
        ..Posting::of(EntryKind::Charge, draft.at(), -credits)
    });
    let charge = Charge::of_entry(draft.answer()).expect("a charge's entry names the charge");
    Decision::done(Outcome::Charged(charge), draft.into_effects(snapshot))
}
