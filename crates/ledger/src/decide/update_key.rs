//! Changing a customer's key.

use super::Decision;
use crate::snapshot::Effects;
use crate::{Key, KeyProfile, KeyRecord, Outcome, Refusal, Snapshot, Timestamp, UpdateKey};

pub(super) fn decide(snapshot: &Snapshot, clock: Timestamp, command: &UpdateKey) -> Decision {
    let (Some(key), Some(profile)) = (snapshot.keys.get(&command.id), snapshot.key_profiles.get(&command.id))
    else {
        return Decision::refused(Refusal::KeyIsUnknown);
    };
    if command.expires_at.flatten().is_some_and(|expiry| expiry <= clock) {
        return Decision::refused(Refusal::ExpiryIsNotInTheFuture { at: clock });
    }
    if key.revoked_at.is_some() {
        return Decision::refused(Refusal::KeyIsRevoked);
    }

    // From here the command succeeds.
    let key = Key {
        disabled: command.disabled.unwrap_or(key.disabled),
        expires_at: command.expires_at.unwrap_or(key.expires_at),
        limit: command.limit.unwrap_or(key.limit),
        ..Key::clone(key)
    };
    let profile = KeyProfile {
        name: command.name.as_ref().unwrap_or(&profile.name).clone(),
        metadata: command.metadata.as_ref().unwrap_or(&profile.metadata).clone(),
        ..profile.clone()
    };
    let effects =
        Effects { keys: vec![key.clone()], key_profile: Some(profile.clone()), ..Effects::default() };
    Decision::done(Outcome::KeyUpdated(KeyRecord { profile, key }), effects)
}
