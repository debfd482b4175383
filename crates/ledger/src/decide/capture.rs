//! Spending what a hold has reserved, and perhaps more.

use super::Decision;
use super::amounts::{minus, plus};
use super::draft::{Draft, Posting};
use super::open_hold;
use super::spending::cost_of;
use crate::{
    CaptureAmount, CaptureHold, Charge, Credits, EntryKind, Excess, Hold, HoldStatus, Idempotency, Key,
    Metadata, Note, Origin, Outcome, Purpose, Quantity, Refusal, Snapshot, TextDigests, Timestamp,
};

/// Guards, in this order: the hold is open, a quantity means something, a part is more than zero, what is held covers it or what is available
/// does, the ranges. Neither the key's cap nor its state is asked, for the hold was counted when it was made, and the
/// work is done.
pub(super) fn decide(
    snapshot: &Snapshot,
    clock: Timestamp,
    command: &CaptureHold,
    idempotency: Idempotency,
) -> Decision {
    let Some(account) = snapshot.accounts.get(&command.account_id) else {
        return Decision::refused(Refusal::AccountIsUnknown);
    };
    let mut draft = Draft::open(account, clock);
    let mut hold = match open_hold(snapshot, &draft, command.hold_id) {
        Ok(hold) => hold.clone(),
        Err(refusal) => return Decision::refused(refusal),
    };
    let left = hold.left();
    let credits = match amount(&hold, left, command.amount) {
        Ok(credits) => credits,
        Err(refusal) => return Decision::refused(refusal),
    };
    if credits.is_zero() && !command.is_final {
        return Decision::refused(Refusal::NothingWouldBeCaptured);
    }
    let beyond = credits.checked_sub(left).filter(|beyond| beyond.is_positive()).unwrap_or(Credits::ZERO);
    if let Err(refusal) = excess_is_allowed(&draft, command.excess, credits, left, beyond) {
        return Decision::refused(refusal);
    }
    let key =
        hold.key_id.map(|id| draft.key(snapshot.keys.get(&id).expect("a batch loads the keys of its holds")));
    if !stays_in_range(&draft, key.as_ref(), &hold, credits, beyond) {
        return Decision::refused(Refusal::BalanceIsOutOfRange);
    }

    // From here the command succeeds.
    let at = draft.at();
    let purpose = Purpose {
        operation: hold.priced.as_ref().map(|priced| priced.operation.clone()),
        quantity: quantity(&hold, command.amount),
    };
    let taken = hold.take(credits);
    hold.captured = plus(hold.captured, credits);
    let mut lots = draft.take_held(&taken);
    lots.extend(draft.draw(beyond));
    let totals = &mut draft.account_mut().totals;
    totals.spent = plus(totals.spent, credits);
    if beyond.is_positive() {
        draft.count_spent(hold.key_id, beyond);
    }
    draft.post(Posting {
        held_credits: -minus(credits, beyond),
        lots,
        origin: Origin {
            charge_id: Some(command.id),
            hold_id: Some(hold.id),
            key_id: hold.key_id,
            ..Origin::default()
        },
        purpose,
        note: inherited(snapshot.note(command.account_id, hold.seq), command.is_final),
        idempotency: Some(idempotency),
        ..Posting::of(EntryKind::Capture, at, -beyond)
    });
    let status = if hold.captured.is_positive() { HoldStatus::Captured } else { HoldStatus::Released };
    draft.put_hold(hold);
    if command.is_final {
        draft.end_hold(command.hold_id, status, at, Posting::of(EntryKind::Release, at, Credits::ZERO));
    }
    let charge = Charge::of_entry(draft.answer()).expect("a capture's entry names the charge");
    Decision::done(Outcome::Captured(charge), draft.into_effects(snapshot))
}

fn amount(hold: &Hold, left: Credits, amount: CaptureAmount) -> Result<Credits, Refusal> {
    match (amount, &hold.priced) {
        (CaptureAmount::All, _) => Ok(left),
        (CaptureAmount::Credits(credits), _) => Ok(credits),
        (CaptureAmount::Quantity(quantity), Some(priced)) => cost_of(priced, quantity),
        (CaptureAmount::Quantity(_), None) => Err(Refusal::HoldHasNoOperation),
    }
}

/// The quantity that is captured, where one can be told: the one that was given, or the hold's own where all of it is
/// captured at once.
fn quantity(hold: &Hold, amount: CaptureAmount) -> Option<Quantity> {
    match amount {
        CaptureAmount::Quantity(quantity) => Some(quantity),
        CaptureAmount::All if hold.captured.is_zero() => hold.priced.as_ref().map(|priced| priced.quantity),
        CaptureAmount::All | CaptureAmount::Credits(_) => None,
    }
}

fn excess_is_allowed(
    draft: &Draft,
    excess: Excess,
    required: Credits,
    held: Credits,
    beyond: Credits,
) -> Result<(), Refusal> {
    if beyond.is_zero() {
        return Ok(());
    }
    match excess {
        Excess::Refuse => Err(Refusal::CaptureExceedsHold { required, held }),
        Excess::Force => Ok(()),
        Excess::Charge if draft.account().covers(beyond) => Ok(()),
        Excess::Charge => {
            let available = draft.account().balance.available;
            Err(Refusal::CreditsAreInsufficient { required: beyond, available })
        }
    }
}

fn stays_in_range(draft: &Draft, key: Option<&Key>, hold: &Hold, credits: Credits, beyond: Credits) -> bool {
    let account = draft.account();
    account.totals.spent.checked_add(credits).is_some()
        && hold.captured.checked_add(credits).is_some()
        && account.balance.available.checked_sub(beyond).is_some()
        && account.debt.checked_add(beyond).is_some()
        && key.is_none_or(|key| key.spent.with(beyond, draft.at()).is_some())
}

/// The hold's own text. Of the parts of a hold only the last takes its metadata over: there may be thousands of parts, and
/// each would repeat it.
fn inherited(note: Note, is_final: bool) -> Note {
    if is_final {
        return note;
    }
    match note.salt {
        Some(salt) => Note::new(note.reference, Metadata::default(), salt),
        None => {
            let reference = note.erased.and_then(|digests| digests.reference);
            let digests =
                reference.map(|digest| TextDigests { reference: Some(digest), ..TextDigests::default() });
            Note { erased: digests.map(Box::new), ..Note::default() }
        }
    }
}
