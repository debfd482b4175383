//! Giving a customer's key another secret.

use super::Decision;
use crate::limits::SECRETS_RETIRED_MAX;
use crate::snapshot::Effects;
use crate::{Key, KeyProfile, KeyRecord, Outcome, Refusal, RetiredSecret, RotateKey, Snapshot, Timestamp};

/// Guards: the key was not revoked, the secret is new, not too many secrets live on. A secret whose time is over is
/// dropped, but not in the batch that ended it: the store has yet to hear of it. One that still lives keeps the time
/// that it was promised.
pub(super) fn decide(snapshot: &Snapshot, clock: Timestamp, command: &RotateKey) -> Decision {
    let (Some(key), Some(profile)) = (snapshot.keys.get(&command.id), snapshot.key_profiles.get(&command.id))
    else {
        return Decision::refused(Refusal::KeyIsUnknown);
    };
    if key.revoked_at.is_some() {
        return Decision::refused(Refusal::KeyIsRevoked);
    }
    if snapshot.secrets.contains_key(&command.secret) {
        return Decision::refused(Refusal::SecretIsTaken);
    }
    let mut retired: Vec<RetiredSecret> =
        key.retired.iter().filter(|old| old.until >= clock).copied().collect();
    retired.push(RetiredSecret { secret: key.secret, until: clock.saturating_add_ms(command.overlap_ms) });
    // One that dies at this moment does not live on: a leaked secret can always be replaced at once.
    if retired.iter().filter(|old| old.until > clock).count() > SECRETS_RETIRED_MAX {
        return Decision::refused(Refusal::TooManySecretsLiveOn);
    }

    // From here the command succeeds.
    let key = Key { secret: command.secret, retired, ..Key::clone(key) };
    let profile = KeyProfile { hint: command.hint.clone(), ..profile.clone() };
    let effects =
        Effects { keys: vec![key.clone()], key_profile: Some(profile.clone()), ..Effects::default() };
    Decision::done(Outcome::KeyRotated(KeyRecord { profile, key }), effects)
}
