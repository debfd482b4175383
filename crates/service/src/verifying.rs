//! Looking whether a customer's key would be let through, without spending anything.

use coffer_ledger::{AccountStatus, Cost, Credits, Key, KeyId, Operation, SecretHash, settle};

use crate::service::{ReadError, Service};

/// What a customer's key would be told.
#[derive(Clone, Debug)]
pub struct KeyCheck {
    /// The key, which is live.
    pub key: Key,
    /// What the call would cost, if a cost was asked for.
    pub would_charge: Option<Credits>,
    /// Whether it would be let through.
    pub allowed: bool,
    /// What the account has available.
    pub available: Credits,
}

/// What comes of asking.
#[derive(Clone, Debug)]
pub enum WouldCharge {
    /// The secret opens nothing.
    Dead,
    /// The catalogue has no such operation.
    OperationIsUnknown(Operation),
    /// The key is live.
    Checked(Box<KeyCheck>),
}

impl Service {
    /// What a charge with this secret would come to now: the same checks, and nothing is spent.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn check_key(&self, secret: &SecretHash, cost: Option<Cost>) -> Result<WouldCharge, ReadError> {
        let now = self.now();
        let Some(holder) = self.reader().holder(secret, now).await? else { return Ok(WouldCharge::Dead) };
        if !holder.key.opens(secret, now) {
            return Ok(WouldCharge::Dead);
        }
        self.note_use(holder.key.id);
        let account = settle(&holder.account, now);
        let key = match (holder.key.limit, holder.account.next_due()) {
            // In memory a key and its account may be of different batches: what holds give back to its cap is told by
            // the file, where both are of one.
            (Some(_), Some(due)) if due <= now => match self.key(holder.key.id).await? {
                Some(record) => record.key,
                None => return Ok(WouldCharge::Dead),
            },
            (Some(_) | None, _) => Key::clone(&holder.key),
        };
        let would_charge = match cost {
            None => None,
            Some(Cost::Credits(credits)) => Some(Some(credits)),
            Some(Cost::Operation { operation, quantity }) => {
                let Some(price) = self.reader().price(operation.clone()).await? else {
                    return Ok(WouldCharge::OperationIsUnknown(operation));
                };
                Some(price.rate.times(quantity))
            }
        };
        let fits = |credits: Credits| {
            let capped =
                key.remaining(now).is_some_and(|remaining| credits.is_positive() && credits > remaining);
            !capped && account.covers(credits) && account.balance.available.checked_sub(credits).is_some()
        };
        let payable = match would_charge {
            None => true,
            Some(credits) => credits.is_some_and(fits),
        };
        let allowed = account.status == AccountStatus::Active && payable;
        let available = account.balance.available;
        let check = KeyCheck { key, would_charge: would_charge.flatten(), allowed, available };
        Ok(WouldCharge::Checked(Box::new(check)))
    }

    fn note_use(&self, id: KeyId) {
        self.key_uses().note(id, self.now());
    }
}
