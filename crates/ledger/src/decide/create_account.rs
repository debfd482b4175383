//! Opening an account.

use super::Decision;
use crate::snapshot::Effects;
use crate::{Account, AccountProfile, AccountRecord, CreateAccount, Outcome, Refusal, Snapshot, Timestamp};

pub(super) fn decide(snapshot: &Snapshot, clock: Timestamp, command: &CreateAccount) -> Decision {
    if let Some(external_id) = &command.external_id
        && snapshot.external_ids.contains_key(external_id)
    {
        return Decision::refused(Refusal::ExternalIdIsTaken(external_id.clone()));
    }

    // From here the command succeeds.
    let account = Account::new(command.id, command.overdraft_limit, clock);
    let profile = AccountProfile {
        id: command.id,
        name: command.name.clone(),
        external_id: command.external_id.clone(),
        metadata: command.metadata.clone(),
        created_at: clock,
    };
    let effects = Effects {
        account: Some(account.clone()),
        account_profile: Some(profile.clone()),
        ..Effects::default()
    };
    Decision::done(Outcome::AccountCreated(AccountRecord { profile, account }), effects)
}
