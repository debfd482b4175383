//! Whether credits may be spent or reserved: what a charge and a hold have in common.

use super::draft::Draft;
use crate::{AccountStatus, Cost, Credits, KeyUse, Priced, Purpose, Quantity, Refusal, Snapshot};

/// What may be spent, and what for.
pub(super) struct Spending {
    pub(super) credits: Credits,
    pub(super) priced: Option<Priced>,
}

impl Spending {
    pub(super) fn purpose(&self) -> Purpose {
        Purpose {
            operation: self.priced.as_ref().map(|priced| priced.operation.clone()),
            quantity: self.priced.as_ref().map(|priced| priced.quantity),
        }
    }
}

/// Guards, in this order: the key is live, the account may be used, the operation has a price, the key's cap, the
/// balance, the range of what is available and of what the key has spent.
pub(super) fn authorize(
    snapshot: &Snapshot,
    draft: &Draft,
    used: Option<&KeyUse>,
    cost: &Cost,
) -> Result<Spending, Refusal> {
    let at = draft.at();
    let key = match used {
        None => None,
        Some(used) => match snapshot.keys.get(&used.key_id) {
            Some(key) if key.account_id == draft.account().id && key.opens(&used.secret, at) => {
                Some(draft.key(key))
            }
            Some(_) | None => return Err(Refusal::ApiKeyIsDead),
        },
    };
    match draft.account().status {
        AccountStatus::Active => {}
        AccountStatus::Frozen => return Err(Refusal::AccountIsFrozen),
        AccountStatus::Closed => return Err(Refusal::AccountIsClosed),
    }
    let spending = price(snapshot, cost)?;
    let required = spending.credits;
    if let Some(remaining) = key.as_ref().and_then(|key| key.remaining(at))
        && required.is_positive()
        && required > remaining
    {
        return Err(Refusal::KeyLimitIsExceeded { required, remaining });
    }
    let available = draft.account().balance.available;
    if !draft.account().covers(required) {
        return Err(Refusal::CreditsAreInsufficient { required, available });
    }
    let counts = key.is_none_or(|key| key.spent.with(required, at).is_some());
    if !counts || available.checked_sub(required).is_none() {
        return Err(Refusal::BalanceIsOutOfRange);
    }
    Ok(spending)
}

fn price(snapshot: &Snapshot, cost: &Cost) -> Result<Spending, Refusal> {
    match cost {
        Cost::Credits(credits) => Ok(Spending { credits: *credits, priced: None }),
        Cost::Operation { operation, quantity } => {
            let Some(price) = snapshot.prices.get(operation) else {
                return Err(Refusal::OperationIsUnknown(operation.clone()));
            };
            let priced = Priced { operation: operation.clone(), quantity: *quantity, rate: price.rate };
            let credits = cost_of(&priced, *quantity)?;
            Ok(Spending { credits, priced: Some(priced) })
        }
    }
}

/// What a quantity costs at a price.
pub(super) fn cost_of(priced: &Priced, quantity: Quantity) -> Result<Credits, Refusal> {
    priced.rate.times(quantity).ok_or(Refusal::BalanceIsOutOfRange)
}
