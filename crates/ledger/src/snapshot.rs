//! Snapshots: what a store loaded for a batch, and what the batch has changed so far.
//!
//! A store asks [`Needs::of`] what the commands name, loads that, lets [`crate::decide`] answer each command
//! in turn, and writes what [`Snapshot::into_changes`] says, all in one transaction. A snapshot holds copies:
//! where the transaction fails, it is dropped and nothing has happened.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    Account, AccountId, AccountProfile, Command, Entry, ExternalId, Fingerprint, Grant, GrantId,
    IdempotencyKey, Key, KeyId, KeyProfile, Lot, OperatorKey, OperatorKeyId, Outcome, SecretHash, Timestamp,
};

/// What a batch of commands needs loaded. Their names are known from the commands alone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// Accounts.
    pub accounts: BTreeSet<AccountId>,
    /// Whose external ids these are.
    pub external_ids: BTreeSet<ExternalId>,
    /// Keys, as decisions see them.
    pub keys: BTreeSet<KeyId>,
    /// Keys, as people know them.
    pub key_profiles: BTreeSet<KeyId>,
    /// Whose secrets these are.
    pub secrets: BTreeSet<SecretHash>,
    /// What is remembered under these idempotency keys.
    pub remembered: BTreeSet<(AccountId, IdempotencyKey)>,
    /// All operators' keys: they are few.
    pub operator_keys: bool,
}

impl Needs {
    /// What these commands name.
    #[must_use]
    pub fn of(commands: &[Command]) -> Needs {
        let mut needs = Needs::default();
        for command in commands {
            needs.add(command);
        }
        needs
    }

    fn add(&mut self, command: &Command) {
        match command {
            Command::CreateAccount(create) => {
                self.external_ids.extend(create.external_id.clone());
            }
            Command::Grant(grant) => {
                self.accounts.insert(grant.account_id);
                self.remembered.insert((grant.account_id, grant.idempotency.clone()));
            }
            Command::Charge(charge) => {
                self.accounts.insert(charge.account_id);
                self.keys.extend(charge.key.map(|key| key.key_id));
                self.remembered.insert((charge.account_id, charge.idempotency.clone()));
            }
            Command::Settle(settle) => {
                self.accounts.insert(settle.account_id);
            }
            Command::CreateKey(create) => {
                self.accounts.insert(create.account_id);
                self.secrets.insert(create.secret);
            }
            Command::UpdateKey(update) => {
                self.keys.insert(update.id);
                self.key_profiles.insert(update.id);
            }
            Command::RevokeKey(revoke) => {
                self.keys.insert(revoke.id);
                self.key_profiles.insert(revoke.id);
            }
            Command::CreateOperatorKey(_) | Command::RevokeOperatorKey(_) => self.operator_keys = true,
        }
    }
}

/// The answer that is remembered under an idempotency key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// The request that it answered.
    pub fingerprint: Fingerprint,
    /// The answer.
    pub outcome: Outcome,
}

/// What is loaded for a batch. What is absent does not exist.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// Accounts.
    pub accounts: HashMap<AccountId, Account>,
    /// Whose external ids these are.
    pub external_ids: HashMap<ExternalId, AccountId>,
    /// Keys, as decisions see them.
    pub keys: HashMap<KeyId, Key>,
    /// Keys, as people know them.
    pub key_profiles: HashMap<KeyId, KeyProfile>,
    /// Whose secrets these are.
    pub secrets: HashMap<SecretHash, KeyId>,
    /// What is remembered under these idempotency keys.
    pub remembered: HashMap<(AccountId, IdempotencyKey), Remembered>,
    /// All operators' keys, where a command names one.
    pub operator_keys: BTreeMap<OperatorKeyId, OperatorKey>,
    changes: Changes,
    accounts_changed: BTreeSet<AccountId>,
    keys_changed: BTreeSet<KeyId>,
    key_profiles_changed: BTreeSet<KeyId>,
}

/// What one command causes, besides its outcome.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Effects {
    pub(crate) account: Option<Account>,
    pub(crate) account_profile: Option<AccountProfile>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) grant: Option<Grant>,
    /// The lots that entries changed, as they are now.
    pub(crate) lots: Vec<Lot>,
    pub(crate) key: Option<Key>,
    pub(crate) key_profile: Option<KeyProfile>,
    pub(crate) operator_key: Option<OperatorKey>,
    pub(crate) remembered: Option<RememberedChange>,
}

/// What a batch writes, all of it or nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Accounts that are new, as people know them.
    pub account_profiles: Vec<AccountProfile>,
    /// Accounts that are new or changed, as decisions see them.
    pub accounts: Vec<Account>,
    /// Entries, per account in order.
    pub entries: Vec<Entry>,
    /// Grants that are new.
    pub grants: Vec<Grant>,
    /// Lots that are new or changed, as they are now.
    pub lots: BTreeMap<GrantId, Lot>,
    /// Keys that are new or changed, as decisions see them.
    pub keys: Vec<Key>,
    /// Keys that are new or changed, as people know them.
    pub key_profiles: Vec<KeyProfile>,
    /// Operators' keys that are new or changed.
    pub operator_keys: Vec<OperatorKey>,
    /// Answers to be remembered that no entry carries.
    pub remembered: Vec<RememberedChange>,
}

/// An answer to be remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RememberedChange {
    /// The account in whose scope the key lies.
    pub account_id: AccountId,
    /// The caller's name for the request.
    pub key: IdempotencyKey,
    /// The request and its answer.
    pub remembered: Remembered,
    /// When it was answered.
    pub at: Timestamp,
    /// Whether an entry of the same batch carries it, so that it needs no place of its own.
    pub has_entry: bool,
}

impl Changes {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Changes::default()
    }
}

impl Snapshot {
    /// Takes in what a command caused, so that the next one sees it.
    pub(crate) fn absorb(&mut self, effects: Effects) {
        let Effects {
            account,
            account_profile,
            entries,
            grant,
            lots,
            key,
            key_profile,
            operator_key,
            remembered,
        } = effects;
        if let Some(account) = account {
            self.accounts_changed.insert(account.id);
            self.accounts.insert(account.id, account);
        }
        if let Some(profile) = account_profile {
            self.external_ids
                .extend(profile.external_id.clone().map(|external_id| (external_id, profile.id)));
            self.changes.account_profiles.push(profile);
        }
        self.changes.entries.extend(entries);
        self.changes.grants.extend(grant);
        self.changes.lots.extend(lots.into_iter().map(|lot| (lot.grant_id, lot)));
        if let Some(key) = key {
            self.keys_changed.insert(key.id);
            self.secrets.insert(key.secret, key.id);
            self.keys.insert(key.id, key);
        }
        if let Some(profile) = key_profile {
            self.key_profiles_changed.insert(profile.id);
            self.key_profiles.insert(profile.id, profile);
        }
        if let Some(operator_key) = operator_key {
            self.operator_keys.insert(operator_key.id, operator_key.clone());
            self.changes.operator_keys.push(operator_key);
        }
        if let Some(change) = remembered {
            self.remembered.insert((change.account_id, change.key.clone()), change.remembered.clone());
            if !change.has_entry {
                self.changes.remembered.push(change);
            }
        }
    }

    /// What the batch has changed, for the store to write.
    #[must_use]
    pub fn into_changes(mut self) -> Changes {
        let mut changes = self.changes;
        changes.accounts = take(&mut self.accounts, &self.accounts_changed);
        changes.keys = take(&mut self.keys, &self.keys_changed);
        changes.key_profiles = take(&mut self.key_profiles, &self.key_profiles_changed);
        changes
    }
}

fn take<Id: Eq + std::hash::Hash, Record>(
    records: &mut HashMap<Id, Record>,
    changed: &BTreeSet<Id>,
) -> Vec<Record> {
    changed.iter().map(|id| records.remove(id).expect("what was changed was absorbed")).collect()
}
