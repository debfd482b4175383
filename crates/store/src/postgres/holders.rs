//! What customers' keys open: while one query is under way the next one fills, so that many who ask at once cost one round
//! trip.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coffer_ledger::{Account, AccountId, Key, KeyId, RetiredSecret, SecretHash, Timestamp};
use futures_util::future::try_join_all;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_postgres::Row;

use super::database::Database;
use super::names;
use super::read;
use super::statement::{Call, Given, by_statement, id};
use crate::rows::{self, Columns};
use crate::{Holder, StoreError};

/// How many are asked for at once.
const ASKED_MAX: usize = 1_000;
/// How many queries are under way at once.
const QUERIES_MAX: usize = 4;
/// How many accounts are read whole at once.
const WHOLE_AT_ONCE: usize = 32;
/// How many secrets are remembered with their keys. Whose a secret is never changes.
const KNOWN_MAX: usize = 200_000;

/// One who asks.
struct Asking {
    secret: SecretHash,
    until: Timestamp,
    answer: oneshot::Sender<Result<Option<Holder>, StoreError>>,
}

/// Answers who a secret belongs to.
#[derive(Debug)]
pub(super) struct Holders {
    asking: mpsc::UnboundedSender<Asking>,
}

/// What the task that asks has.
struct Asker {
    database: Arc<Database>,
    known: papaya::HashMap<SecretHash, KeyId>,
}

impl Holders {
    pub(super) fn start(database: Arc<Database>) -> Holders {
        let (asking, waiting) = mpsc::unbounded_channel();
        let asker = Arc::new(Asker { database, known: papaya::HashMap::new() });
        tokio::spawn(ask(asker, waiting));
        Holders { asking }
    }

    pub(super) async fn holder(
        &self,
        secret: SecretHash,
        until: Timestamp,
    ) -> Result<Option<Holder>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let asking = Asking { secret, until, answer };
        self.asking.send(asking).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

/// Takes all who wait, and asks for them together.
async fn ask(asker: Arc<Asker>, mut waiting: mpsc::UnboundedReceiver<Asking>) {
    let places = Arc::new(Semaphore::new(QUERIES_MAX));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("the places are never closed");
        let mut asked = Vec::new();
        if waiting.recv_many(&mut asked, ASKED_MAX).await == 0 {
            return;
        }
        let asker = Arc::clone(&asker);
        tokio::spawn(async move {
            asker.answer(asked).await;
            drop(place);
        });
    }
}

impl Asker {
    async fn answer(&self, asked: Vec<Asking>) {
        match self.holders(&asked).await {
            Ok(holders) => {
                for (asking, holder) in asked.into_iter().zip(holders) {
                    // Whoever has hung up does not hear the answer.
                    drop(asking.answer.send(Ok(holder)));
                }
            }
            Err(error) => {
                let text = error.to_string();
                for asking in asked {
                    drop(asking.answer.send(Err(StoreError::Unreachable(text.clone()))));
                }
            }
        }
    }

    async fn holders(&self, asked: &[Asking]) -> Result<Vec<Option<Holder>>, StoreError> {
        self.learn(asked).await?;
        let ids: Vec<Option<KeyId>> =
            asked.iter().map(|asking| self.known.pin().get(&asking.secret).copied()).collect();
        let mut wanted: Vec<KeyId> = ids.iter().flatten().copied().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let found = self.keys(&wanted, asked).await?;
        let due = self.due_accounts(asked, &ids, &found).await?;
        let holders = asked.iter().zip(ids).map(|(asking, key_id)| {
            let (holder, _) = found.get(&key_id?).filter(|(holder, _)| has(&holder.key, &asking.secret))?;
            let account = due.get(&holder.account.id).unwrap_or(&holder.account);
            Some(Holder { key: Arc::clone(&holder.key), account: Arc::clone(account) })
        });
        Ok(holders.collect())
    }

    /// Accounts on which something falls due by the time that somebody asks for: they are needed whole. Each is read once,
    /// some at a time.
    async fn due_accounts(
        &self,
        asked: &[Asking],
        ids: &[Option<KeyId>],
        found: &BTreeMap<KeyId, (Holder, Option<Timestamp>)>,
    ) -> Result<BTreeMap<AccountId, Arc<Account>>, StoreError> {
        let due = asked.iter().zip(ids).filter_map(|(asking, id)| {
            let (holder, due) = found.get(&(*id)?)?;
            due.is_some_and(|due| due <= asking.until).then_some(holder.account.id)
        });
        let due: BTreeSet<AccountId> = due.collect();
        let due: Vec<AccountId> = due.into_iter().collect();
        let mut accounts = BTreeMap::new();
        for some in due.chunks(WHOLE_AT_ONCE) {
            let reads = some.iter().map(|id| read::account(&self.database, *id));
            for account in try_join_all(reads).await?.into_iter().flatten() {
                accounts.insert(account.id, Arc::new(account));
            }
        }
        Ok(accounts)
    }

    /// Finds out whose secrets these are, where it is not known.
    async fn learn(&self, asked: &[Asking]) -> Result<(), StoreError> {
        let mut unknown: Vec<SecretHash> = {
            let known = self.known.pin();
            let secrets = asked.iter().map(|asking| asking.secret);
            secrets.filter(|secret| !known.contains_key(secret)).collect()
        };
        unknown.sort_unstable_by_key(|secret| *secret.bytes());
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        let answers = self.database.read(|| names::owner_of_secret(self.database.form, &unknown)).await?;
        let known = self.known.pin();
        if known.len() > KNOWN_MAX {
            known.clear();
        }
        for row in answers.iter().flatten() {
            let (secret, key_id) = names::secret_and_owner(row)?;
            known.insert(secret, key_id);
        }
        Ok(())
    }

    /// The keys with their accounts, and when something falls due on these.
    async fn keys(
        &self,
        ids: &[KeyId],
        asked: &[Asking],
    ) -> Result<BTreeMap<KeyId, (Holder, Option<Timestamp>)>, StoreError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let answers = self.database.read(|| self.calls(ids, key_and_account)).await?;
        let mut found = BTreeMap::new();
        for row in answers.iter().flatten() {
            let (key, account, due) = key_row(row)?;
            found.insert(key.id, (key, account, due));
        }
        self.with_retired(&mut found, asked).await?;
        self.unlearn(&found, asked);
        let holder = |(key, account, due)| (Holder { key: Arc::new(key), account: Arc::new(account) }, due);
        Ok(found.into_iter().map(|(id, parts)| (id, holder(parts))).collect())
    }

    /// The directory may name an owner who was never written, or who was not given the secret: that is not remembered.
    fn unlearn(&self, found: &BTreeMap<KeyId, (Key, Account, Option<Timestamp>)>, asked: &[Asking]) {
        let known = self.known.pin();
        for asking in asked {
            let has_it = |(key, ..): &(Key, Account, Option<Timestamp>)| has(key, &asking.secret);
            if known.get(&asking.secret).is_some_and(|id| !found.get(id).is_some_and(has_it)) {
                known.remove(&asking.secret);
            }
        }
    }

    /// Old secrets are only looked at where one has been presented.
    async fn with_retired(
        &self,
        found: &mut BTreeMap<KeyId, (Key, Account, Option<Timestamp>)>,
        asked: &[Asking],
    ) -> Result<(), StoreError> {
        let mut rotated: Vec<KeyId> = Vec::new();
        {
            let known = self.known.pin();
            for asking in asked {
                let Some(id) = known.get(&asking.secret) else { continue };
                if found.get(id).is_some_and(|(key, ..)| key.secret != asking.secret) {
                    rotated.push(*id);
                }
            }
        }
        rotated.sort_unstable();
        rotated.dedup();
        if rotated.is_empty() {
            return Ok(());
        }
        let answers = self.database.read(|| self.calls(&rotated, retired)).await?;
        for row in answers.iter().flatten() {
            let (id, secret): (KeyId, RetiredSecret) = rows::retired_secret(&mut Columns::of(row))?;
            if let Some((key, ..)) = found.get_mut(&id) {
                key.retired.push(secret);
            }
        }
        Ok(())
    }

    fn calls(&self, ids: &[KeyId], call: fn(Given) -> Call) -> Vec<Call> {
        let part = |part: Vec<KeyId>| (Given::of(self.database.form, &part, |id| id.bucket()), part);
        let parts = by_statement(self.database.form, ids.to_vec(), |id| id.bucket()).into_iter().map(part);
        parts.map(|(given, part)| call(given.with("id", "uuid", &part, |key| id(key.bytes())))).collect()
    }
}

/// Whether a secret is a key's, or was.
fn has(key: &Key, secret: &SecretHash) -> bool {
    key.secret == *secret || key.retired.iter().any(|retired| retired.secret == *secret)
}

fn key_and_account(given: Given) -> Call {
    let columns = format!("{}, {}, accounts.next_due", rows::KEY, rows::ACCOUNT);
    let its_account = " JOIN accounts ON accounts.bucket = keys.bucket AND accounts.id = keys.account_id";
    given.select(&columns, "keys", its_account)
}

/// `retired_secrets` has no `id`: it is found by the key's.
fn retired(given: Given) -> Call {
    let with_retired = " JOIN retired_secrets ON retired_secrets.bucket = keys.bucket \
                        AND retired_secrets.key_id = keys.id ORDER BY retired_secrets.until";
    given.select(rows::RETIRED_SECRET, "keys", with_retired)
}

fn key_row(row: &Row) -> rows::Result<(Key, Account, Option<Timestamp>)> {
    let mut columns = Columns::of(row);
    let key = rows::key(&mut columns)?;
    let account = rows::account(&mut columns)?;
    Ok((key, account, rows::optional_time(&mut columns)?))
}
