//! Killing a customer's key. Killing it again changes nothing.

use super::Decision;
use crate::snapshot::Effects;
use crate::{Key, KeyRecord, Outcome, Refusal, RevokeKey, Snapshot, Timestamp};

pub(super) fn decide(snapshot: &Snapshot, clock: Timestamp, command: &RevokeKey) -> Decision {
    let (Some(key), Some(profile)) = (snapshot.keys.get(&command.id), snapshot.key_profiles.get(&command.id))
    else {
        return Decision::refused(Refusal::KeyIsUnknown);
    };

    // From here the command succeeds.
    let revoked = Key { revoked_at: key.revoked_at.or(Some(clock)), ..Key::clone(key) };
    let effects =
        Effects { keys: Vec::from_iter((revoked != **key).then(|| revoked.clone())), ..Effects::default() };
    Decision::done(Outcome::KeyRevoked(KeyRecord { profile: profile.clone(), key: revoked }), effects)
}
