//! Making and killing operators' keys.

use super::{Decision, sessions};
use crate::snapshot::Effects;
use crate::{
    CreateOperatorKey, OperatorKey, Outcome, Refusal, RevokeOperatorKey, Scope, SessionOf, Snapshot,
    Timestamp,
};

pub(super) fn create(snapshot: &Snapshot, clock: Timestamp, command: &CreateOperatorKey) -> Decision {
    if snapshot.operator_keys.values().any(|key| key.secret == command.secret) {
        return Decision::refused(Refusal::SecretIsTaken);
    }

    // From here the command succeeds.
    let key = OperatorKey {
        id: command.id,
        name: command.name.clone(),
        secret: command.secret,
        hint: command.hint.clone(),
        scopes: command.scopes,
        created_at: clock,
        revoked_at: None,
    };
    let effects = Effects { operator_key: Some(key.clone()), ..Effects::default() };
    Decision::done(Outcome::OperatorKeyCreated(key), effects)
}

/// The last live key that can make others must live on, or nobody could get in again.
pub(super) fn revoke(snapshot: &Snapshot, clock: Timestamp, command: &RevokeOperatorKey) -> Decision {
    let Some(key) = snapshot.operator_keys.get(&command.id) else {
        return Decision::refused(Refusal::OperatorKeyIsUnknown);
    };
    if key.revoked_at.is_some() {
        return Decision::done(Outcome::OperatorKeyRevoked(key.clone()), Effects::default());
    }
    let administers = |key: &OperatorKey| key.revoked_at.is_none() && key.scopes.contains(Scope::Admin);
    let others = || snapshot.operator_keys.values().filter(|other| other.id != key.id);
    if administers(key) && !command.other_is_live && !others().any(administers) {
        return Decision::refused(Refusal::LastOperatorKeyMustLive);
    }

    // From here the command succeeds.
    let revoked = OperatorKey { revoked_at: Some(clock), ..key.clone() };
    let sessions = sessions::all_ended(snapshot, SessionOf::OperatorKey(command.id));
    let effects = Effects { operator_key: Some(revoked.clone()), sessions, ..Effects::default() };
    Decision::done(Outcome::OperatorKeyRevoked(revoked), effects)
}
