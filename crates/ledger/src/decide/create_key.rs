//! Making a customer's key, from a new secret or an imported one.

use super::Decision;
use crate::snapshot::Effects;
use crate::{AccountStatus, CreateKey, Key, KeyRecord, Outcome, Refusal, Snapshot, Spent, Timestamp};

pub(super) fn decide(snapshot: &Snapshot, clock: Timestamp, command: &CreateKey) -> Decision {
    let Some(account) = snapshot.accounts.get(&command.account_id) else {
        return Decision::refused(Refusal::AccountIsUnknown);
    };
    if command.expires_at.is_some_and(|expiry| expiry <= clock) {
        return Decision::refused(Refusal::ExpiryIsNotInTheFuture { at: clock });
    }
    if account.status == AccountStatus::Closed {
        return Decision::refused(Refusal::AccountIsClosed);
    }
    if snapshot.secrets.contains_key(&command.secret) {
        return Decision::refused(Refusal::SecretIsTaken);
    }

    // From here the command succeeds.
    let profile = command.profile(clock);
    let key = Key {
        id: command.id,
        account_id: command.account_id,
        secret: command.secret,
        retired: Vec::new(),
        disabled: false,
        revoked_at: None,
        expires_at: command.expires_at,
        limit: command.limit,
        spent: Spent::default(),
    };
    let effects =
        Effects { keys: vec![key.clone()], key_profile: Some(profile.clone()), ..Effects::default() };
    Decision::done(Outcome::KeyCreated(KeyRecord { profile, key }), effects)
}
