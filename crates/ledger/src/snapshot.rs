//! Snapshots: what a store loaded for a batch, and what the batch has changed so far.
//!
//! A store asks [`Needs::of`] what the commands name and loads that into a [`Snapshot`]; asks
//! [`Snapshot::further_needs`] what follows from it and loads that as well; lets [`crate::decide`] answer each
//! command in turn; and writes what [`Snapshot::into_changes`] says, all in one transaction. What is loaded is
//! shared with the store and never changed, only replaced: where the transaction fails, the snapshot is dropped and
//! nothing has happened.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::{
    Account, AccountId, AccountProfile, AccountStatus, Action, ChargeId, Command, Cost, Credits, Entry,
    EntryKind, ExternalId, Fingerprint, Grant, GrantId, Hold, HoldId, IdempotencyKey, Key, KeyId, KeyProfile,
    Lot, Note, Operation, OperatorKey, OperatorKeyId, Outcome, Price, Refundable, SecretHash, Seq, Session,
    SessionId, SessionOf, Timestamp,
};

/// What a batch of commands needs loaded. Their names are known from the commands alone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// Accounts.
    pub accounts: BTreeSet<AccountId>,
    /// Accounts, as people know them.
    pub account_profiles: BTreeSet<AccountId>,
    /// Whose external ids these are.
    pub external_ids: BTreeSet<ExternalId>,
    /// Grants, with their lots.
    pub grants: BTreeSet<GrantId>,
    /// Charges, as refunds see them.
    pub charges: BTreeSet<ChargeId>,
    /// Holds of accounts. Open ones come with their account, so only those that have ended are loaded apart.
    pub holds: BTreeSet<(AccountId, HoldId)>,
    /// Keys, as decisions see them.
    pub keys: BTreeSet<KeyId>,
    /// Keys, as people know them.
    pub key_profiles: BTreeSet<KeyId>,
    /// Whose secrets these are, or were.
    pub secrets: BTreeSet<SecretHash>,
    /// Prices.
    pub prices: BTreeSet<Operation>,
    /// What is remembered under these idempotency keys.
    pub remembered: BTreeSet<(AccountId, IdempotencyKey)>,
    /// All operators' keys: they are few.
    pub operator_keys: bool,
    /// Sessions.
    pub sessions: BTreeSet<SessionId>,
    /// All sessions of these holders: each has few.
    pub sessions_of: BTreeSet<SessionOf>,
}

/// What a batch needs besides, as it turns out once its [`Needs`] are loaded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FurtherNeeds {
    /// Keys whose caps get something back.
    pub keys: BTreeSet<KeyId>,
    /// Lots that get something back and may have been used up.
    pub lots: BTreeSet<GrantId>,
    /// The text of the entries with these numbers: those that made holds which are captured or released.
    pub notes: BTreeSet<(AccountId, Seq)>,
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
            Command::UpdateAccount(update) => {
                self.accounts.insert(update.id);
                self.account_profiles.insert(update.id);
                if update.status == Some(AccountStatus::Closed) {
                    self.sessions_of.insert(SessionOf::Account(update.id));
                }
            }
            Command::Grant(grant) => self.named(grant.account_id, &grant.idempotency),
            Command::VoidGrant(void) => {
                self.named(void.account_id, &void.idempotency);
                self.grants.insert(void.id);
            }
            Command::Adjust(adjust) => self.named(adjust.account_id, &adjust.idempotency),
            Command::Charge(charge) => {
                self.named(charge.account_id, &charge.idempotency);
                self.keys.extend(charge.key.map(|key| key.key_id));
                self.price_of(&charge.cost);
            }
            Command::Refund(refund) => {
                self.named(refund.account_id, &refund.idempotency);
                self.charges.insert(refund.charge_id);
            }
            Command::Hold(hold) => {
                self.named(hold.account_id, &hold.idempotency);
                self.keys.extend(hold.key.map(|key| key.key_id));
                self.price_of(&hold.cost);
            }
            Command::Capture(capture) => {
                self.named(capture.account_id, &capture.idempotency);
                self.holds.insert((capture.account_id, capture.hold_id));
            }
            Command::Release(release) => {
                self.named(release.account_id, &release.idempotency);
                self.holds.insert((release.account_id, release.id));
            }
            Command::Settle(settle) => {
                self.accounts.insert(settle.account_id);
            }
            Command::EraseTexts(erase) => {
                self.accounts.insert(erase.account_id);
            }
            Command::CreateKey(create) => {
                self.accounts.insert(create.account_id);
                self.secrets.insert(create.secret);
            }
            Command::UpdateKey(update) => self.key(update.id),
            Command::RotateKey(rotate) => {
                self.key(rotate.id);
                self.secrets.insert(rotate.secret);
            }
            Command::RevokeKey(revoke) => self.key(revoke.id),
            Command::PutPrice(put) => {
                self.prices.insert(put.operation.clone());
            }
            Command::DeletePrice(delete) => {
                self.prices.insert(delete.operation.clone());
            }
            Command::CreateOperatorKey(_) => self.operator_keys = true,
            Command::RevokeOperatorKey(revoke) => self.sessions_of(SessionOf::OperatorKey(revoke.id)),
            Command::OfferSession(offer) => self.sessions_of(SessionOf::Account(offer.account_id)),
            Command::OpenSession(open) => self.session(open.id, SessionOf::Account(open.account_id)),
            Command::SignIn(sign_in) => self.sessions_of(sign_in.of),
            Command::UseSession(used) => self.session(used.id, used.of),
            Command::EndSession(end) => self.session(end.id, end.of),
            Command::EndSessions(end) => self.sessions_of(end.of),
            Command::Audited(audited) => self.add(&audited.command),
        }
    }

    fn session(&mut self, id: SessionId, of: SessionOf) {
        self.holder(of);
        self.sessions.insert(id);
    }

    fn sessions_of(&mut self, of: SessionOf) {
        self.holder(of);
        self.sessions_of.insert(of);
    }

    /// Whose sessions change: a store that several nodes share keeps others from changing them meanwhile.
    fn holder(&mut self, of: SessionOf) {
        match of {
            SessionOf::Account(id) => drop(self.accounts.insert(id)),
            SessionOf::OperatorKey(_) | SessionOf::ConfiguredKey(_) => self.operator_keys = true,
        }
    }

    fn named(&mut self, account_id: AccountId, idempotency: &IdempotencyKey) {
        self.accounts.insert(account_id);
        self.remembered.insert((account_id, idempotency.clone()));
    }

    fn key(&mut self, id: KeyId) {
        self.keys.insert(id);
        self.key_profiles.insert(id);
    }

    fn price_of(&mut self, cost: &Cost) {
        if let Cost::Operation { operation, .. } = cost {
            self.prices.insert(operation.clone());
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

/// What is loaded of one kind, by what it is named by. Every command looks up several, in maps of a batch that live as long as
/// it, and who chooses the names cannot choose the seed: so the hash may be a quick one.
pub type Records<Id, Record> = HashMap<Id, Record, foldhash::fast::RandomState>;

/// What is loaded for a batch. What is absent does not exist.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// Accounts.
    pub accounts: Records<AccountId, Arc<Account>>,
    /// Accounts, as people know them.
    pub account_profiles: Records<AccountId, AccountProfile>,
    /// Whose external ids these are.
    pub external_ids: Records<ExternalId, AccountId>,
    /// Grants that commands name, as of before the batch.
    pub grants: Records<GrantId, Grant>,
    /// Charges that commands name.
    pub charges: Records<ChargeId, Refundable>,
    /// Holds that commands name and that have ended.
    pub holds: Records<HoldId, Hold>,
    /// Lots that may get something back, as of before the batch.
    pub lots: Records<GrantId, Lot>,
    /// The text of entries that made holds.
    pub notes: Records<(AccountId, Seq), Note>,
    /// Keys, as decisions see them.
    pub keys: Records<KeyId, Arc<Key>>,
    /// Keys, as people know them.
    pub key_profiles: Records<KeyId, KeyProfile>,
    /// Whose secrets these are, or were.
    pub secrets: Records<SecretHash, KeyId>,
    /// Prices.
    pub prices: Records<Operation, Arc<Price>>,
    /// What is remembered under these idempotency keys.
    pub remembered: Records<(AccountId, IdempotencyKey), Remembered>,
    /// All operators' keys, where a command names one.
    pub operator_keys: BTreeMap<OperatorKeyId, OperatorKey>,
    /// Sessions that commands name, and those of holders that they name.
    pub sessions: BTreeMap<SessionId, Session>,
    changes: Changes,
    accounts_changed: BTreeSet<AccountId>,
    keys_changed: BTreeSet<KeyId>,
}

/// What one command causes, besides its outcome.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Effects {
    pub(crate) account: Option<Account>,
    pub(crate) account_profile: Option<AccountProfile>,
    pub(crate) entries: Vec<Entry>,
    /// Grants that are new.
    pub(crate) grants: Vec<Grant>,
    /// The lots that changed, as they are now.
    pub(crate) lots: Vec<Lot>,
    /// The holds that are new or changed, as they are now.
    pub(crate) holds: Vec<Hold>,
    /// The charge that was given back, as it is now.
    pub(crate) charge: Option<Refundable>,
    pub(crate) keys: Vec<Key>,
    pub(crate) key_profile: Option<KeyProfile>,
    pub(crate) price: Option<PriceChange>,
    pub(crate) operator_key: Option<OperatorKey>,
    pub(crate) erasure: Option<Erasure>,
    pub(crate) remembered: Option<RememberedChange>,
    pub(crate) sessions: Vec<SessionChange>,
    pub(crate) action: Option<Box<Action>>,
}

/// What happened to a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum SessionChange {
    Kept(Session),
    Ended(SessionId),
}

/// What happened to the price of an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PriceChange {
    Put(Price),
    Deleted(Operation),
}

/// Text to be erased: the notes of an account's entries from one number through another, and the texts of its
/// grants that were made by a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Erasure {
    /// The account.
    pub account_id: AccountId,
    /// The first entry.
    pub from: Seq,
    /// The last entry.
    pub through: Seq,
    /// Grants made by this time.
    pub until: Timestamp,
}

/// What a batch writes, all of it or nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Accounts that are new or changed, as people know them.
    pub account_profiles: BTreeMap<AccountId, AccountProfile>,
    /// Accounts that are new or changed, as decisions see them.
    pub accounts: Vec<Arc<Account>>,
    /// Entries, per account in order.
    pub entries: Vec<Entry>,
    /// Grants that are new.
    pub grants: Vec<Grant>,
    /// Lots that are new or changed, as they are now, by their accounts.
    pub lots: BTreeMap<(AccountId, GrantId), Lot>,
    /// Holds that are new or changed, as they are now.
    pub holds: BTreeMap<HoldId, Hold>,
    /// How much of these charges has been given back by now.
    pub refunded: BTreeMap<ChargeId, Credits>,
    /// Keys that are new or changed, as decisions see them.
    pub keys: Vec<Arc<Key>>,
    /// Keys that are new or changed, as people know them.
    pub key_profiles: BTreeMap<KeyId, KeyProfile>,
    /// Prices that are new or changed; `None` for those that are gone.
    pub prices: BTreeMap<Operation, Option<Price>>,
    /// Operators' keys that are new or changed.
    pub operator_keys: BTreeMap<OperatorKeyId, OperatorKey>,
    /// Texts to be erased, after everything else is written.
    pub erasures: Vec<Erasure>,
    /// Answers to be remembered that no entry carries.
    pub remembered: Vec<RememberedChange>,
    /// Sessions that are new or changed; `None` for those that are gone.
    pub sessions: BTreeMap<SessionId, Option<Session>>,
    /// What the audit log is to tell.
    pub actions: Vec<Action>,
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
    /// One that holds nothing, with room for what most commands need.
    #[must_use]
    pub fn with_room_for(needs: &Needs) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.accounts.reserve(needs.accounts.len());
        snapshot.keys.reserve(needs.keys.len());
        snapshot.remembered.reserve(needs.remembered.len());
        snapshot
    }

    /// What the batch needs besides what its commands name, now that that is loaded: the keys of holds that have
    /// lapsed or are named, the keys and lots of charges that are given back, and the lots of today's refunds.
    #[must_use]
    pub fn further_needs(&self, needs: &Needs, clock: Timestamp) -> FurtherNeeds {
        let mut further = FurtherNeeds::default();
        for account in self.accounts.values() {
            let lapsed = account.holds.expired_by(clock.max(account.last_at));
            further.keys.extend(lapsed.filter_map(|hold| hold.key_id));
            further
                .lots
                .extend(account.refund_lot.filter(|_| !self.charges.is_empty()).map(|lot| lot.grant_id));
        }
        for (account_id, id) in &needs.holds {
            let open = self.accounts.get(account_id).and_then(|account| account.holds.get(*id));
            further.keys.extend(open.and_then(|hold| hold.key_id));
            further.notes.extend(open.map(|hold| (*account_id, hold.seq)));
        }
        for charge in self.charges.values() {
            further.keys.extend(charge.key_id);
            further.lots.extend(charge.lots.iter().filter_map(|lot| lot.grant_id));
        }
        further.keys.retain(|id| !self.keys.contains_key(id));
        further
    }

    /// The text of an entry that made a hold.
    pub(crate) fn note(&self, account_id: AccountId, seq: Seq) -> Note {
        self.notes.get(&(account_id, seq)).cloned().expect("a batch loads the texts of its holds")
    }

    /// A lot that is not among its account's open ones, as it is now.
    pub(crate) fn closed_lot(&self, account_id: AccountId, id: GrantId) -> Option<&Lot> {
        self.changes.lots.get(&(account_id, id)).or_else(|| self.lots.get(&id))
    }

    /// A hold that is not among its account's open ones, as it is now.
    pub(crate) fn closed_hold(&self, id: HoldId) -> Option<&Hold> {
        self.changes.holds.get(&id).or_else(|| self.holds.get(&id))
    }

    /// Takes in what a command caused, so that the next one sees it.
    pub(crate) fn absorb(&mut self, effects: Effects) {
        let Effects {
            account,
            account_profile,
            entries,
            grants,
            lots,
            holds,
            charge,
            keys,
            key_profile,
            price,
            operator_key,
            erasure,
            remembered,
            sessions,
            action,
        } = effects;
        if let Some(account) = account {
            let changed = lots.into_iter().map(|lot| ((account.id, lot.grant_id), lot));
            self.changes.lots.extend(changed);
            self.accounts_changed.insert(account.id);
            self.accounts.insert(account.id, Arc::new(account));
        } else {
            assert!(lots.is_empty(), "lots change with their account");
        }
        if let Some(profile) = account_profile {
            self.external_ids
                .extend(profile.external_id.clone().map(|external_id| (external_id, profile.id)));
            self.account_profiles.insert(profile.id, profile.clone());
            self.changes.account_profiles.insert(profile.id, profile);
        }
        for entry in entries.iter().filter(|entry| entry.kind == EntryKind::Hold) {
            self.notes.insert((entry.account_id, entry.seq), entry.note.clone());
        }
        self.changes.entries.extend(entries);
        self.changes.grants.extend(grants);
        self.changes.holds.extend(holds.into_iter().map(|hold| (hold.id, hold)));
        if let Some(charge) = charge {
            self.changes.refunded.insert(charge.id, charge.refunded);
            self.charges.insert(charge.id, charge);
        }
        for key in keys {
            self.keys_changed.insert(key.id);
            self.secrets.insert(key.secret, key.id);
            self.keys.insert(key.id, Arc::new(key));
        }
        if let Some(profile) = key_profile {
            self.key_profiles.insert(profile.id, profile.clone());
            self.changes.key_profiles.insert(profile.id, profile);
        }
        match price {
            None => {}
            Some(PriceChange::Put(price)) => {
                self.prices.insert(price.operation.clone(), Arc::new(price.clone()));
                self.changes.prices.insert(price.operation.clone(), Some(price));
            }
            Some(PriceChange::Deleted(operation)) => {
                self.prices.remove(&operation);
                self.changes.prices.insert(operation, None);
            }
        }
        if let Some(operator_key) = operator_key {
            self.operator_keys.insert(operator_key.id, operator_key.clone());
            self.changes.operator_keys.insert(operator_key.id, operator_key);
        }
        if let Some(erasure) = erasure {
            self.erase(&erasure);
            self.changes.erasures.push(erasure);
        }
        if let Some(change) = remembered {
            self.remembered.insert((change.account_id, change.key.clone()), change.remembered.clone());
            if !change.has_entry {
                self.changes.remembered.push(change);
            }
        }
        for change in sessions {
            self.change_session(change);
        }
        self.changes.actions.extend(action.map(|action| *action));
    }

    fn change_session(&mut self, change: SessionChange) {
        match change {
            SessionChange::Kept(session) => {
                self.sessions.insert(session.id, session.clone());
                self.changes.sessions.insert(session.id, Some(session));
            }
            SessionChange::Ended(id) => {
                self.sessions.remove(&id);
                self.changes.sessions.insert(id, None);
            }
        }
    }

    /// What comes of a hold after its text was erased must not bring the text back.
    fn erase(&mut self, erasure: &Erasure) {
        for ((account_id, seq), note) in &mut self.notes {
            if *account_id == erasure.account_id && (erasure.from..=erasure.through).contains(seq) {
                *note = note.erase();
            }
        }
    }

    /// What the batch has changed, for the store to write.
    #[must_use]
    pub fn into_changes(mut self) -> Changes {
        let mut changes = self.changes;
        changes.accounts = take(&mut self.accounts, &self.accounts_changed);
        changes.keys = take(&mut self.keys, &self.keys_changed);
        changes
    }
}

fn take<Id: Eq + std::hash::Hash, Record>(
    records: &mut Records<Id, Record>,
    changed: &BTreeSet<Id>,
) -> Vec<Record> {
    changed.iter().map(|id| records.remove(id).expect("what was changed was absorbed")).collect()
}
