//! Charging credits.

use super::Decision;
use super::draft::{Draft, Posting};
use crate::{
    AccountStatus, Charge, ChargeCredits, EntryKind, Idempotency, Key, Origin, Outcome, Refusal, Snapshot,
    Spent, Timestamp,
};

/// Guards, in this order: the key is live, the account may be used, the key's cap, the balance, the range.
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
    let at = draft.at();
    let key = match &command.key {
        None => None,
        Some(used) => match snapshot.keys.get(&used.key_id) {
            Some(key) if key.secret == used.secret && key.is_live(at) => Some(key),
            Some(_) | None => return Decision::refused(Refusal::ApiKeyIsDead),
        },
    };
    match draft.account().status {
        AccountStatus::Active => {}
        AccountStatus::Frozen => return Decision::refused(Refusal::AccountIsFrozen),
        AccountStatus::Closed => return Decision::refused(Refusal::AccountIsClosed),
    }
    if let Some(refusal) = key.and_then(|key| beyond_limit(key, command, at)) {
        return Decision::refused(refusal);
    }
    if !draft.account().covers(command.credits) {
        let available = draft.account().balance.available;
        return Decision::refused(Refusal::CreditsAreInsufficient { required: command.credits, available });
    }
    let spent = match key.map(|key| key.spent.with(command.credits, at)) {
        None => None,
        Some(Some(spent)) => Some(spent),
        Some(None) => return Decision::refused(Refusal::BalanceIsOutOfRange),
    };
    let account = draft.account();
    if account.totals.spent.checked_add(command.credits).is_none()
        || account.balance.available.checked_sub(command.credits).is_none()
    {
        return Decision::refused(Refusal::BalanceIsOutOfRange);
    }

    // From here the command succeeds.
    let lots = draft.spend(command.credits);
    let entry = draft.post(Posting {
        kind: EntryKind::Charge,
        at,
        credits: -command.credits,
        lots,
        origin: Origin {
            charge_id: Some(command.id),
            key_id: command.key.map(|used| used.key_id),
            ..Origin::default()
        },
        note: command.note.clone(),
        idempotency: Some(idempotency),
    });
    let charge = Charge::of_entry(entry).expect("a charge's entry names the charge");
    let mut effects = draft.into_effects();
    effects.key = key.zip(spent).map(|(key, spent)| with_spent(key, spent));
    Decision::done(Outcome::Charged(charge), effects)
}

fn beyond_limit(key: &Key, command: &ChargeCredits, at: Timestamp) -> Option<Refusal> {
    let remaining = key.remaining(at)?;
    let required = command.credits;
    (required.is_positive() && required > remaining)
        .then_some(Refusal::KeyLimitIsExceeded { required, remaining })
}

fn with_spent(key: &Key, spent: Spent) -> Key {
    Key { spent, ..key.clone() }
}
