//! What has been committed, in memory: the accounts and keys that decisions and balance reads look at.
//!
//! What the file holds is loaded at the start. Then only the writer publishes, after a commit and before its answers.
//! Readers take no lock and wait for nobody. An account and its key are published one after the other, so a reader may see
//! one of them a batch older; each by itself is a state that was committed.
//!
//! They lie there packed, for a process holds all of them and most are idle: whoever looks at one unpacks a copy. Only an
//! account with open holds or many lots is shared as it is.
//!
//! It also notes of which accounts the file does not show everything yet, so that whoever reads the file knows.

mod load;
mod packed;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use coffer_ledger::{
    Account, AccountId, Changes, Key, KeyId, Operation, OperatorKey, OperatorKeyId, Price, SecretHash, Seq,
    Timestamp,
};
use rusqlite::Connection;

use super::read;
use super::writer::Scope;
use crate::{Holder, Page, Span};
use packed::{PackedAccount, PackedKey};

type Map<Id, Record> = papaya::HashMap<Id, Record, foldhash::fast::RandomState>;

/// How many lots an account may have to be packed: with more, to unpack them for each look would take longer than the memory
/// is worth.
const LOTS_PACKED_MAX: usize = 4;

#[derive(Debug)]
pub(super) struct Published {
    accounts: Map<AccountId, Kept>,
    keys: Map<KeyId, PackedKey>,
    secrets: Secrets,
    /// Whose secrets have been before they were rotated. They stay taken after their time.
    retired: Map<SecretHash, KeyId>,
    prices: Map<Operation, Arc<Price>>,
    operator_keys: RwLock<BTreeMap<OperatorKeyId, OperatorKey>>,
    operator_secrets: Map<SecretHash, Arc<OperatorKey>>,
    /// The accounts of which the file may not show everything that has been committed.
    trailing: papaya::HashSet<AccountId, foldhash::fast::RandomState>,
    sweeps: AtomicU64,
}

/// How an account is kept.
#[derive(Debug)]
enum Kept {
    Packed(PackedAccount),
    /// With open holds, or many lots.
    Whole(Arc<Account>),
}

impl Kept {
    fn of(account: &Arc<Account>) -> Kept {
        if account.holds.is_empty() && account.lots.len() <= LOTS_PACKED_MAX {
            Kept::Packed(PackedAccount::of(account))
        } else {
            Kept::Whole(Arc::clone(account))
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        match self {
            Kept::Packed(packed) => packed.next_due(),
            Kept::Whole(account) => account.next_due(),
        }
    }

    fn seq(&self) -> Seq {
        match self {
            Kept::Packed(packed) => packed.seq(),
            Kept::Whole(account) => account.seq,
        }
    }

    fn account(&self, id: AccountId) -> Arc<Account> {
        match self {
            Kept::Packed(packed) => Arc::new(packed.unpack(id)),
            Kept::Whole(account) => Arc::clone(account),
        }
    }
}

impl Published {
    /// Everything that the file holds of it.
    pub(super) fn load(connection: &Connection, path: &Path) -> rusqlite::Result<Published> {
        let published = Published {
            accounts: Map::default(),
            keys: Map::default(),
            secrets: Secrets::default(),
            retired: Map::default(),
            prices: Map::default(),
            operator_keys: RwLock::default(),
            operator_secrets: Map::default(),
            trailing: papaya::HashSet::default(),
            sweeps: AtomicU64::default(),
        };
        load::accounts_and_keys(&published, connection, path)?;
        published.publish_price(Price::reserved());
        read::each_price(connection, |price| published.publish_price(price))?;
        read::each_operator_key(connection, |key| published.publish_operator_key(key))?;
        Ok(published)
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

    /// The number of an account's last entry.
    pub(super) fn seq(&self, id: AccountId) -> Option<Seq> {
        self.accounts.pin().get(&id).map(Kept::seq)
    }

    pub(super) fn account(&self, id: AccountId) -> Option<Arc<Account>> {
        self.accounts.pin().get(&id).map(|kept| kept.account(id))
    }

    pub(super) fn key(&self, id: KeyId) -> Option<Arc<Key>> {
        self.keys.pin().get(&id).map(|packed| Arc::new(packed.unpack(id)))
    }

    /// Whose a secret is or was. What it opens, if anything, the key tells: only there is one state of it.
    pub(super) fn key_by_secret(&self, secret: &SecretHash) -> Option<Arc<Key>> {
        let keys = self.secrets.may_have(secret).filter_map(|id| self.key(id));
        let has_it = keys.into_iter().find(|key| key.secret == *secret);
        has_it.or_else(|| self.key(*self.retired.pin().get(secret)?))
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
    pub(super) fn publish(&self, changes: &Changes) {
        changes.accounts.iter().for_each(|account| self.publish_account(account));
        changes.keys.iter().for_each(|key| self.publish_key(key));
        for (operation, price) in &changes.prices {
            match price {
                Some(price) => self.publish_price(price.clone()),
                None => drop(self.prices.pin().remove(operation)),
            }
        }
        changes.operator_keys.values().for_each(|key| self.publish_operator_key(key.clone()));
    }

    pub(super) fn publish_account(&self, account: &Arc<Account>) {
        self.accounts.pin().insert(account.id, Kept::of(account));
    }

    pub(super) fn publish_key(&self, key: &Key) {
        // Before the key has another secret, so that at no moment the old one is nobody's.
        for retired in &key.retired {
            self.retired.pin().insert(retired.secret, key.id);
        }
        self.keys.pin().insert(key.id, PackedKey::of(key));
        self.secrets.insert(&key.secret, key.id);
    }

    fn publish_price(&self, price: Price) {
        self.prices.pin().insert(price.operation.clone(), Arc::new(price));
    }

    fn publish_operator_key(&self, key: OperatorKey) {
        self.operator_secrets.pin().insert(key.secret, Arc::new(key.clone()));
        self.operator_keys.write().expect("no thread panics while it holds the keys").insert(key.id, key);
    }
}

/// The keys by the first eight bytes of their secrets' hashes. Where two begin alike, the later one is found at the next
/// number that is free; none is ever taken away.
#[derive(Debug, Default)]
struct Secrets {
    keys: Map<u64, KeyId>,
}

impl Secrets {
    /// The keys that may have a secret; no others do.
    fn may_have(&self, secret: &SecretHash) -> impl Iterator<Item = KeyId> {
        Secrets::numbers(secret).map_while(|number| self.keys.pin().get(&number).copied())
    }

    fn insert(&self, secret: &SecretHash, id: KeyId) {
        let keys = self.keys.pin();
        for number in Secrets::numbers(secret) {
            // At the start several threads do so at once.
            match keys.try_insert(number, id) {
                Ok(_) => return,
                Err(taken) if *taken.current == id => return,
                Err(_) => {}
            }
        }
    }

    fn numbers(secret: &SecretHash) -> impl Iterator<Item = u64> {
        let (first, _) = secret.bytes().split_first_chunk().expect("a hash has 32 bytes");
        let first = u64::from_le_bytes(*first);
        (0..).map(move |further| first.wrapping_add(further))
    }
}

#[cfg(test)]
mod tests {
    use coffer_ledger::{KeyId, SecretHash};

    use super::Secrets;

    #[test]
    fn secrets_that_begin_alike_are_kept_apart() {
        let secret = |last: u8| {
            let mut bytes = [0xff; 32];
            bytes[31] = last;
            SecretHash::from_bytes(bytes)
        };
        let id = |number: u8| KeyId::from_bytes([number; 16]);
        let secrets = Secrets::default();
        for number in [1, 2, 3, 2, 1] {
            secrets.insert(&secret(number), id(number));
        }
        assert_eq!(Vec::from_iter(secrets.may_have(&secret(3))), [id(1), id(2), id(3)], "each once");
        assert_eq!(secrets.may_have(&SecretHash::from_bytes([7; 32])).count(), 0);
    }
}
