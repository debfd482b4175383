//! Giving back credits of a charge.

use std::collections::BTreeSet;

use super::Decision;
use super::amounts::plus;
use super::draft::{Draft, Posting};
use crate::limits::GRANTS_OPEN_MAX;
use crate::{
    AccountStatus, EntryKind, GrantId, Idempotency, Lot, LotChange, Origin, Outcome, Purpose, Refund,
    RefundCharge, Refundable, Refusal, Snapshot, Timestamp,
};

/// Guards, in this order: the charge is known, the account is not closed, the charge leaves so much, the number of open
/// grants with those that it opens, the range.
pub(super) fn decide(
    snapshot: &Snapshot,
    clock: Timestamp,
    command: &RefundCharge,
    idempotency: Idempotency,
) -> Decision {
    let Some(account) = snapshot.accounts.get(&command.account_id) else {
        return Decision::refused(Refusal::AccountIsUnknown);
    };
    let charge = snapshot.charges.get(&command.charge_id);
    let Some(charge) = charge.filter(|charge| charge.account_id == command.account_id) else {
        return Decision::refused(Refusal::ChargeIsUnknown);
    };
    let mut draft = Draft::open(account, clock);
    if draft.account().status == AccountStatus::Closed {
        return Decision::refused(Refusal::AccountIsClosed);
    }
    let left = charge.left();
    let credits = command.credits.unwrap_or(left);
    if credits > left || !credits.is_positive() {
        return Decision::refused(Refusal::RefundExceedsCharge { required: credits, left });
    }
    let parts = charge.next_lots(credits);
    if draft.open_lots() + lots_opened(&draft, snapshot, &parts) > GRANTS_OPEN_MAX {
        return Decision::refused(Refusal::TooManyGrantsAreOpen);
    }
    if !draft.has_room_for(credits) || draft.account().totals.refunded.checked_add(credits).is_none() {
        return Decision::refused(Refusal::BalanceIsOutOfRange);
    }

    // From here the command succeeds.
    let totals = &mut draft.account_mut().totals;
    totals.refunded = plus(totals.refunded, credits);
    for counted in charge.next_counted(credits) {
        draft.count_returned(charge.key_id, counted);
    }
    let lots: Vec<LotChange> =
        parts.iter().flat_map(|part| give_back(&mut draft, snapshot, command, part)).collect();
    let returned_to: BTreeSet<GrantId> = lots.iter().filter_map(|change| change.grant_id).collect();
    let at = draft.at();
    draft.post(Posting {
        lots,
        origin: Origin {
            charge_id: Some(charge.id),
            refund_id: Some(command.id),
            key_id: charge.key_id,
            ..Origin::default()
        },
        purpose: Purpose { operation: charge.operation.clone(), quantity: None },
        idempotency: Some(idempotency),
        ..Posting::of(EntryKind::Refund, at, credits)
    });
    for grant_id in returned_to {
        if draft.lot(grant_id).is_voided() {
            draft.void_again(grant_id, at);
        }
    }
    let refund = Refund::of_entry(draft.answer()).expect("a refund's entry names the refund");
    let mut effects = draft.into_effects(snapshot);
    effects.charge = Some(Refundable { refunded: plus(charge.refunded, credits), ..charge.clone() });
    Decision::done(Outcome::Refunded(refund), effects)
}

/// Gives back a part to where it came from, or to what stands for that by now.
fn give_back(
    draft: &mut Draft,
    snapshot: &Snapshot,
    command: &RefundCharge,
    part: &LotChange,
) -> Vec<LotChange> {
    let at = draft.at();
    let Some(grant_id) = part.grant_id else {
        return draft.return_to_overdraft(part.credits, command.paid_lot_id, at);
    };
    let lot = draft.lot_or_closed(snapshot, grant_id);
    if has_expired(lot, at) {
        let expires_at = at.saturating_add_days(command.refund_lot_days);
        return vec![draft.return_to_refund_lot(part.credits, command.refund_lot_id, expires_at, snapshot)];
    }
    let lot = lot.clone();
    draft.reopen_lot(&lot);
    vec![draft.return_to_lot(grant_id, part.credits)]
}

/// A voided lot takes back what is voided at once, however old it is.
fn has_expired(lot: &Lot, at: Timestamp) -> bool {
    !lot.is_voided() && lot.expires_at.is_some_and(|expires_at| expires_at <= at)
}

/// How many lots would be open that are not open now: new ones, and used-up ones that get something back.
fn lots_opened(draft: &Draft, snapshot: &Snapshot, parts: &[LotChange]) -> usize {
    let at = draft.at();
    let is_open = |lot: &Lot| draft.account().lots.iter().any(|open| open.grant_id == lot.grant_id);
    let mut opened = BTreeSet::new();
    let mut made = 0;
    let mut has_expired_parts = false;
    for part in parts {
        match part.grant_id {
            None => made += usize::from(part.credits > draft.account().debt),
            Some(grant_id) => {
                let lot = draft.lot_or_closed(snapshot, grant_id);
                if has_expired(lot, at) {
                    has_expired_parts = true;
                } else if !lot.is_voided() && !is_open(lot) {
                    opened.insert(grant_id);
                }
            }
        }
    }
    if has_expired_parts {
        made += usize::from(draft.refund_lot_of_today(snapshot).is_none_or(|lot| !is_open(lot)));
    }
    opened.len() + made
}
