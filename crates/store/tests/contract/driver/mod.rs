//! Carries out scenarios on a store, as the service would.

mod commands;
mod looks;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use coffer_ledger::{
    AccountId, Bucket, ChargeId, GrantId, HoldId, KeyId, Outcome, Reply, SecretHash, Timestamp,
};
use coffer_scenarios::{Action, Driver};
use coffer_store::{Batch, MemoryStore, Store};

use crate::Fresh;

pub(crate) struct StoreDriver {
    fresh: Fresh,
    minted: u64,
    names: Names,
}

/// What the rows' names stand for.
#[derive(Default)]
struct Names {
    accounts: HashMap<String, AccountId>,
    grants: HashMap<String, (AccountId, GrantId)>,
    names_of_grants: BTreeMap<GrantId, String>,
    charges: HashMap<String, (AccountId, ChargeId)>,
    holds: HashMap<String, (AccountId, HoldId)>,
    keys: HashMap<String, KnownKey>,
}

struct KnownKey {
    account_id: AccountId,
    id: KeyId,
    /// All that it has had, the newest last.
    secrets: Vec<SecretHash>,
}

impl StoreDriver {
    pub(crate) fn new(fresh: Fresh) -> StoreDriver {
        StoreDriver { fresh, minted: 0, names: Names::default() }
    }

    /// Puts another store in the place of the one that was driven.
    pub(crate) async fn reopen(&mut self, reopen: impl AsyncFnOnce(Arc<dyn Store>) -> Arc<dyn Store>) {
        let closed: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let old = std::mem::replace(&mut self.fresh.store, closed);
        self.fresh.store = reopen(old).await;
    }

    /// Ids that sort by the order in which they are minted, and end with the bucket of their account, as real ones do.
    fn mint(&mut self, bucket: Bucket) -> [u8; 16] {
        self.minted += 1;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.minted.to_be_bytes());
        bytes[15] = bucket.0;
        bytes
    }

    /// Each account in another bucket.
    fn mint_account(&mut self) -> [u8; 16] {
        let bucket = (self.minted * 97 % 256).to_le_bytes()[0];
        self.mint(Bucket(bucket))
    }
}

impl Names {
    /// What came of a row is what its name stands for from now on.
    fn learn(&mut self, action: &Action, outcome: &Outcome) {
        match (action, outcome) {
            (Action::Open { account, .. }, Outcome::AccountCreated(record)) => {
                self.accounts.insert(account.clone(), record.profile.id);
            }
            (Action::Grant(row), Outcome::Granted(grant)) => {
                self.grants.insert(row.name.clone(), (grant.account_id, grant.lot.grant_id));
                self.names_of_grants.insert(grant.lot.grant_id, row.name.clone());
            }
            (Action::Charge(row), Outcome::Charged(charge)) => {
                self.charges.insert(row.name.clone(), (charge.account_id, charge.id));
            }
            (Action::Capture(row), Outcome::Captured(charge)) => {
                self.charges.insert(row.name.clone(), (charge.account_id, charge.id));
            }
            (Action::Hold { spending, .. }, Outcome::Held(record)) => {
                self.holds.insert(spending.name.clone(), (record.hold.account_id, record.hold.id));
            }
            (Action::CreateKey(row), Outcome::KeyCreated(record)) => self.learn_key(&row.name, &record.key),
            (Action::ImportKey { key, .. }, Outcome::KeyCreated(record)) => self.learn_key(key, &record.key),
            (Action::Rotate { key, .. }, Outcome::KeyRotated(record)) => {
                let known = self.keys.get_mut(key).expect("a key that is rotated is known");
                known.secrets.push(record.key.secret);
            }
            _ => {}
        }
    }

    fn learn_key(&mut self, name: &str, key: &coffer_ledger::Key) {
        let known = KnownKey { account_id: key.account_id, id: key.id, secrets: vec![key.secret] };
        self.keys.insert(name.to_owned(), known);
    }

    fn secret(&self, secret: &coffer_scenarios::Secret) -> SecretHash {
        let secrets = &self.keys[&secret.key].secrets;
        secrets[secrets.len() - 1 - secret.rotations_ago]
    }
}

impl Driver for StoreDriver {
    async fn run(&mut self, at: Timestamp, action: &Action) -> String {
        let Some(command) = self.command(action) else {
            let Action::Look(look) = action else { unreachable!("what is no command looks") };
            return self.look(at, look).await;
        };
        let batch = Batch { clock: at, commands: vec![command] };
        let mut replies = self.fresh.store.apply(batch).await.expect("a batch is written");
        let Reply { outcome, replayed } = replies.pop().expect("one reply");
        self.names.learn(action, &outcome);
        let again = if replayed { "again: " } else { "" };
        format!("{again}{}", words::outcome(&outcome, at))
    }
}
