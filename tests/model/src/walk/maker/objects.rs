//! What there is to refer to: what was made by the commands of a history, in the order in which it was.

use coffer_ledger::{AccountId, ChargeId, Command, GrantId, HoldId, KeyId, Outcome, SecretHash};

use crate::account::{Amount, amount};
use crate::step::Pick;

/// Objects by their owners.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(super) accounts: Vec<AccountId>,
    grants: Vec<(AccountId, GrantId)>,
    holds: Vec<(AccountId, HoldId)>,
    charges: Vec<(AccountId, ChargeId, Amount)>,
    keys: Vec<(AccountId, KeyId)>,
    /// The secrets of keys, those that they had before too.
    secrets: Vec<(KeyId, SecretHash)>,
}

impl Objects {
    pub(super) fn grant(&self, pick: Pick) -> Option<(AccountId, GrantId)> {
        newest(&self.grants, pick)
    }

    /// A hold; one in eight times any, else one that is open.
    pub(super) fn hold(
        &self,
        pick: Pick,
        is_open: impl Fn((AccountId, HoldId)) -> bool,
    ) -> Option<(AccountId, HoldId)> {
        let open: Vec<_> = self.holds.iter().copied().filter(|hold| is_open(*hold)).collect();
        if pick % 8 == 7 || open.is_empty() { newest(&self.holds, pick / 8) } else { newest(&open, pick) }
    }

    pub(super) fn charge(&self, pick: Pick) -> Option<(AccountId, ChargeId, Amount)> {
        newest(&self.charges, pick)
    }

    pub(super) fn key(&self, pick: Pick) -> Option<(AccountId, KeyId)> {
        newest(&self.keys, pick)
    }

    /// A secret of a key, its present one first.
    pub(super) fn secret(&self, id: KeyId, pick: Pick) -> Option<SecretHash> {
        let of_key: Vec<_> = self.secrets.iter().filter(|(key, _)| *key == id).copied().collect();
        newest(&of_key, pick).map(|(_, secret)| secret)
    }

    pub(super) fn any_secret(&self, pick: Pick) -> Option<SecretHash> {
        newest(&self.secrets, pick).map(|(_, secret)| secret)
    }

    /// Takes in what came of a command. Only then: nobody knows an id before the answer, and nobody gets the answer
    /// before it is durable, so no command names what another one of its batch makes.
    pub(crate) fn learn(&mut self, command: &Command, outcome: &Outcome) {
        match (outcome, command) {
            (Outcome::AccountCreated(made), _) => self.accounts.push(made.account.id),
            (Outcome::Granted(made), _) => self.see_lot(made.account_id, made.lot.grant_id),
            (Outcome::Held(made), _) => self.holds.push((made.hold.account_id, made.hold.id)),
            (Outcome::Charged(made) | Outcome::Captured(made), _) => {
                self.charges.push((made.account_id, made.id, amount(made.credits)));
            }
            (Outcome::KeyCreated(made), Command::CreateKey(create)) => {
                self.keys.push((made.key.account_id, made.key.id));
                self.secrets.push((create.id, create.secret));
            }
            (Outcome::KeyRotated(_), Command::RotateKey(rotate)) => {
                self.secrets.push((rotate.id, rotate.secret));
            }
            _ => {}
        }
    }

    /// Takes in a lot that an entry names: refunds and ends of holds make some, too.
    pub(crate) fn see_lot(&mut self, account_id: AccountId, grant_id: GrantId) {
        if !self.grants.contains(&(account_id, grant_id)) {
            self.grants.push((account_id, grant_id));
        }
    }
}

fn newest<Object: Copy>(objects: &[Object], pick: Pick) -> Option<Object> {
    let place = usize::from(pick).checked_rem(objects.len())?;
    objects.iter().rev().nth(place).copied()
}
