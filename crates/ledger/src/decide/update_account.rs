//! Changing an account, and closing it.

use super::draft::Draft;
use super::{Decision, sessions};
use crate::snapshot::Effects;
use crate::{
    Account, AccountProfile, AccountRecord, AccountStatus, GrantId, Outcome, Refusal, SessionOf, Snapshot,
    Timestamp, UpdateAccount,
};

/// Guards: a closed account stays closed, and its limit stays; closing needs no open hold and no debt.
pub(super) fn decide(snapshot: &Snapshot, clock: Timestamp, command: &UpdateAccount) -> Decision {
    let (Some(account), Some(profile)) =
        (snapshot.accounts.get(&command.id), snapshot.account_profiles.get(&command.id))
    else {
        return Decision::refused(Refusal::AccountIsUnknown);
    };
    let mut draft = Draft::open(account, clock);
    let was_closed = account.status == AccountStatus::Closed;
    let reopens = command.status.is_some_and(|status| status != AccountStatus::Closed);
    if was_closed && (reopens || command.overdraft_limit.is_some()) {
        return Decision::refused(Refusal::AccountIsClosed);
    }
    let closes = !was_closed && command.status == Some(AccountStatus::Closed);
    if closes && !draft.account().holds.is_empty() {
        return Decision::refused(Refusal::AccountHasOpenHolds);
    }
    if closes && draft.account().debt.is_positive() {
        return Decision::refused(Refusal::AccountIsInDebt);
    }

    // From here the command succeeds.
    if closes {
        let open: Vec<GrantId> =
            draft.account().lots.iter().filter(|lot| lot.is_open()).map(|lot| lot.grant_id).collect();
        for grant_id in open {
            draft.void_lot(grant_id, None);
        }
    }
    let changed = draft.account_mut();
    changed.status = command.status.unwrap_or(changed.status);
    changed.overdraft_limit = command.overdraft_limit.unwrap_or(changed.overdraft_limit);
    let profile = AccountProfile {
        name: command.name.as_ref().unwrap_or(&profile.name).clone(),
        metadata: command.metadata.as_ref().unwrap_or(&profile.metadata).clone(),
        ..profile.clone()
    };
    let effects = draft.into_effects(snapshot);
    let account: Account = effects.account.clone().expect("a draft has its account");
    let sessions =
        if closes { sessions::all_ended(snapshot, SessionOf::Account(command.id)) } else { Vec::new() };
    let effects = Effects { account_profile: Some(profile.clone()), sessions, ..effects };
    Decision::done(Outcome::AccountUpdated(AccountRecord { profile, account }), effects)
}
