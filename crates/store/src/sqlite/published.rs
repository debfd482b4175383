//! What has been committed, in memory: the accounts and keys that decisions and balance reads look at.
//!
//! Only the writer publishes, after a commit and before its answers. Readers take no lock and wait for
//! nobody. An account and its key are published one after the other, so a reader may see one of them a batch
//! older; each by itself is a state that was committed.
//!
//! It also notes of which accounts the file does not show everything yet, so that whoever reads the file knows.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use coffer_ledger::{
    Account, AccountId, Changes, Hold, Key, KeyId, Lot, Operation, OperatorKey, OperatorKeyId, Price,
    RetiredSecret, SecretHash, Timestamp,
};
use rusqlite::Connection;

use super::read;
use super::writer::Scope;
use crate::{Holder, Page, Span};

type Map<Id, Record> = papaya::HashMap<Id, Record, foldhash::fast::RandomState>;

#[derive(Debug)]
pub(super) struct Published {
    accounts: Map<AccountId, Arc<Account>>,
    keys: Map<KeyId, Arc<Key>>,
    /// Whose a secret is or was. What it opens, if anything, the key tells: only there is one state of it.
    secrets: Map<SecretHash, KeyId>,
    prices: Map<Operation, Arc<Price>>,
    operator_keys: RwLock<BTreeMap<OperatorKeyId, OperatorKey>>,
    operator_secrets: Map<SecretHash, Arc<OperatorKey>>,
    /// The accounts of which the file may not show everything that has been committed.
    trailing: papaya::HashSet<AccountId, foldhash::fast::RandomState>,
    sweeps: AtomicU64,
}

impl Published {
    /// Everything that the file holds of it.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Published> {
        let published = Published {
            accounts: Map::default(),
            keys: Map::default(),
            secrets: Map::default(),
            prices: Map::default(),
            operator_keys: RwLock::default(),
            operator_secrets: Map::default(),
            trailing: papaya::HashSet::default(),
            sweeps: AtomicU64::default(),
        };
        published.load_accounts(connection)?;
        published.load_keys(connection)?;
        published.publish_price(Price::reserved());
        read::each_price(connection, |price| published.publish_price(price))?;
        read::each_operator_key(connection, |key| published.publish_operator_key(key))?;
        Ok(published)
    }

    fn load_accounts(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut lots: HashMap<AccountId, Vec<Lot>> = HashMap::new();
        read::each_open_lot(connection, |account_id, lot| lots.entry(account_id).or_default().push(lot))?;
        let mut holds: HashMap<AccountId, Vec<Hold>> = HashMap::new();
        read::each_open_hold(connection, |hold| holds.entry(hold.account_id).or_default().push(hold))?;
        read::each_account(connection, |mut account| {
            account.lots = lots.remove(&account.id).unwrap_or_default();
            account.lots.sort_by_key(Lot::burn_order);
            account.lots.shrink_to_fit();
            for hold in holds.remove(&account.id).into_iter().flatten() {
                account.holds.insert(hold);
            }
            self.publish_account(Arc::new(account));
        })
    }

    /// A retired secret points to its key as a live one does, and stays taken after its time.
    fn load_keys(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut retired: HashMap<KeyId, Vec<RetiredSecret>> = HashMap::new();
        read::each_retired_secret(connection, |(id, secret)| retired.entry(id).or_default().push(secret))?;
        read::each_key(connection, |mut key| {
            key.retired = retired.remove(&key.id).unwrap_or_default();
            self.publish_key(&Arc::new(key));
        })
    }

    /// Notes that the file will not show all that is committed of an account; before it is committed.
    pub(super) fn trails(&self, id: AccountId) {
        let trailing = self.trailing.pin();
        // To look costs less than to put in again.
        if !trailing.contains(&id) {
            trailing.insert(id);
        }
    }

    /// Notes that the file shows all of some accounts; after it is committed.
    pub(super) fn show_in_file(&self, ids: impl Iterator<Item = AccountId>) {
        let mut ids = ids.peekable();
        if ids.peek().is_none() {
            return;
        }
        self.sweeps.fetch_add(1, Ordering::SeqCst);
        let trailing = self.trailing.pin();
        for id in ids {
            trailing.remove(&id);
        }
    }

    /// How often it has been noted that the file shows accounts. A reader that finds nothing noted must have seen this number
    /// before it began as well: else what trailed may have been written, and its note taken away, between the reader's
    /// beginning and its look, and its moment of the file is the one before that.
    pub(super) fn sweeps(&self) -> u64 {
        self.sweeps.load(Ordering::SeqCst)
    }

    /// Whether the file shows all that has been committed of what is in scope.
    pub(super) fn is_in_file(&self, scope: Scope) -> bool {
        match scope {
            Scope::Account(id) => !self.trailing.pin().contains(&id),
            Scope::Holds => self.trailing.pin().is_empty(),
        }
    }

    /// When something falls due on an account next.
    pub(super) fn due(&self, id: AccountId) -> Option<Timestamp> {
        self.accounts.pin().get(&id)?.next_due()
    }

    /// The accounts that the file may not tell of, and on which something has fallen due by a time.
    pub(super) fn trailing_due(&self, until: Timestamp) -> Vec<(Timestamp, AccountId)> {
        let due = |id: &AccountId| self.due(*id).filter(|due| *due <= until).map(|due| (due, *id));
        self.trailing.pin().iter().filter_map(due).collect()
    }

    pub(super) fn account(&self, id: AccountId) -> Option<Arc<Account>> {
        self.accounts.pin().get(&id).cloned()
    }

    pub(super) fn key(&self, id: KeyId) -> Option<Arc<Key>> {
        self.keys.pin().get(&id).cloned()
    }

    pub(super) fn key_by_secret(&self, secret: &SecretHash) -> Option<Arc<Key>> {
        let id = *self.secrets.pin().get(secret)?;
        Some(self.key(id).expect("a key is published before its secrets"))
    }

    pub(super) fn price(&self, operation: &Operation) -> Option<Arc<Price>> {
        self.prices.pin().get(operation).cloned()
    }

    pub(super) fn holder(&self, secret: &SecretHash) -> Option<Holder> {
        let key = self.key_by_secret(secret)?;
        let account = self.account(key.account_id).expect("a key's account was published before it");
        Some(Holder { key, account })
    }

    pub(super) fn operator_key(&self, secret: &SecretHash) -> Option<Arc<OperatorKey>> {
        self.operator_secrets.pin().get(secret).cloned()
    }

    pub(super) fn operator_key_record(&self, id: OperatorKeyId) -> Option<OperatorKey> {
        self.operator_keys.read().expect("no thread panics while it holds the keys").get(&id).cloned()
    }

    pub(super) fn newest_operator_keys(&self, span: Span) -> Page<OperatorKey> {
        let keys = self.operator_keys.read().expect("no thread panics while it holds the keys");
        let older = keys.range(..OperatorKeyId::from_bytes(span.before_or_end())).rev();
        Page::of(older.take(span.count_max + 1).map(|(_, key)| key.clone()).collect(), span)
    }

    pub(super) fn operator_keys(&self) -> BTreeMap<OperatorKeyId, OperatorKey> {
        self.operator_keys.read().expect("no thread panics while it holds the keys").clone()
    }

    /// Shows what a batch has changed. It must have been committed.
    pub(super) fn publish(&self, changes: Changes) {
        changes.accounts.into_iter().for_each(|account| self.publish_account(account));
        changes.keys.iter().for_each(|key| self.publish_key(key));
        for (operation, price) in changes.prices {
            match price {
                Some(price) => self.publish_price(price),
                None => drop(self.prices.pin().remove(&operation)),
            }
        }
        changes.operator_keys.into_values().for_each(|key| self.publish_operator_key(key));
    }

    pub(super) fn publish_account(&self, account: Arc<Account>) {
        self.accounts.pin().insert(account.id, account);
    }

    pub(super) fn publish_key(&self, key: &Arc<Key>) {
        self.keys.pin().insert(key.id, Arc::clone(key));
        let secrets = self.secrets.pin();
        for retired in &key.retired {
            secrets.insert(retired.secret, key.id);
        }
        secrets.insert(key.secret, key.id);
    }

    fn publish_price(&self, price: Price) {
        self.prices.pin().insert(price.operation.clone(), Arc::new(price));
    }

    fn publish_operator_key(&self, key: OperatorKey) {
        self.operator_secrets.pin().insert(key.secret, Arc::new(key.clone()));
        self.operator_keys.write().expect("no thread panics while it holds the keys").insert(key.id, key);
    }
}
