//! Loading what a batch needs, under the locks of its accounts: one round trip for what the commands name, and a second one
//! where something follows from that.

mod questions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coffer_ledger::{
    Account, AccountId, ChargeId, Command, Credits, Entry, EntryKind, Grant, GrantId, Hold, HoldId,
    HoldRecord, IdempotencyKey, KeyId, Lot, Needs, Operation, Outcome, Records, Refundable, Related,
    Remembered, Snapshot, Timestamp,
};
use deadpool_postgres::Object;

use super::database::all;
use super::names::Names;
use super::pipeline::{Pipeline, prepared};
use super::statement::{Form, by_statement};
use crate::StoreError;
use crate::rows::{Columns, RememberedRow};
use questions::Question;

pub(super) use questions::names_prices;

/// Begins a transaction whatever the session's defaults are. Somebody who waits for a row for too long gives up, and
/// somebody who stands still while holding rows loses them. Waiting is short, for the whole lane waits along: what others have
/// locked for longer is set aside.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '250ms'; \
                     SET LOCAL idle_in_transaction_session_timeout = '5s'";
/// The same where rows are locked on other servers than the one that is spoken to: they are to know as well.
const BEGIN_SHARDED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
                             SET LOCAL citus.propagate_set_commands TO 'local'; SET LOCAL lock_timeout = '250ms'; \
                             SET LOCAL idle_in_transaction_session_timeout = '5s'";

/// How a transaction begins that locks rows.
pub(super) const fn begin(form: Form) -> &'static str {
    match form {
        Form::AnyBucket => BEGIN,
        Form::OneBucket => BEGIN_SHARDED,
    }
}

/// What a batch is decided on.
pub(super) struct Loaded {
    pub(super) snapshot: Snapshot,
    /// The database's time.
    pub(super) clock: Timestamp,
    /// What was there.
    pub(super) before: Before,
}

/// What is there before a batch changes it.
pub(super) struct Before {
    /// The accounts.
    pub(super) accounts: Records<AccountId, Arc<Account>>,
    /// What has a price, where prices change.
    pub(super) prices: BTreeSet<Operation>,
}

/// What has been read, before it is put together.
#[derive(Default)]
struct Found {
    snapshot: Snapshot,
    clock: Option<Timestamp>,
    /// Entries that answer idempotency keys.
    answers: Vec<Entry>,
    /// Answers that no entry carries.
    remembered: Vec<(AccountId, IdempotencyKey, RememberedRow)>,
    /// Entries of charges that are given back, when their holds were made, and how much was given back.
    charges: Vec<Entry>,
    held_at: BTreeMap<ChargeId, Timestamp>,
    refunded: BTreeMap<ChargeId, Credits>,
    /// What answers show beside their entries.
    grants: BTreeMap<GrantId, Grant>,
    holds: BTreeMap<HoldId, Hold>,
    /// The entries that made holds.
    made: BTreeMap<HoldId, Entry>,
}

/// The account of each key that commands name by itself. A key stays with its account, so it is read before anything is locked.
pub(super) async fn accounts_of_keys(
    connection: &Object,
    form: Form,
    needs: &Needs,
) -> Result<BTreeMap<KeyId, AccountId>, StoreError> {
    let ids: Vec<KeyId> = needs.key_profiles.iter().copied().collect();
    let parts = by_statement(form, ids, |id| id.bucket());
    let calls = parts.iter().map(|part| questions::account_of_key(form, part)).collect();
    let mut accounts = BTreeMap::new();
    for row in all(connection, calls).await?.iter().flatten() {
        let mut columns = Columns::of(row);
        accounts.insert(KeyId::from_bytes(columns.bytes()?), AccountId::from_bytes(columns.bytes()?));
    }
    Ok(accounts)
}

/// Begins the transaction of a batch, locks its accounts and loads what it needs. Whoever calls ends the transaction.
pub(super) async fn load(
    connection: &Object,
    form: Form,
    commands: &[Command],
    needs: &Needs,
    names: &Names,
    clock: Option<Timestamp>,
    prices: Snapshot,
) -> Result<Loaded, Trouble> {
    let mut needs = needs.clone();
    let of_keys = accounts_of_keys(connection, form, &needs).await.map_err(Trouble::Store)?;
    needs.accounts.extend(of_keys.into_values());
    let mut found = Found { snapshot: prices, ..Found::default() };
    let first = questions::first(form, commands, &needs);
    ask(connection, Some(begin(form)), first, &mut found).await?;
    found.put_together();
    names.tell(commands, &mut found.snapshot);
    let clock = clock.or(found.clock).expect("the database was asked for its time");
    let further = found.snapshot.further_needs(&needs, clock);
    let second = questions::second(form, &further, &found);
    if !second.is_empty() {
        ask(connection, None, second, &mut found).await?;
    }
    found.remember().map_err(Trouble::Store)?;
    let snapshot = found.snapshot;
    let prices =
        if names_prices(commands) { snapshot.prices.keys().cloned().collect() } else { BTreeSet::new() };
    let before = Before { accounts: snapshot.accounts.clone(), prices };
    Ok(Loaded { snapshot, clock, before })
}

/// Why loading broke off.
pub(super) enum Trouble {
    Database(tokio_postgres::Error),
    Store(StoreError),
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Trouble {
        Trouble::Database(error)
    }
}

async fn ask(
    connection: &Object,
    begin: Option<&'static str>,
    questions: Vec<Question>,
    found: &mut Found,
) -> Result<(), Trouble> {
    let (calls, readers): (Vec<_>, Vec<_>) =
        questions.into_iter().map(|question| (question.call, question.take)).unzip();
    let prepared = prepared(connection, calls).await?;
    let mut pipeline = Pipeline::on(connection);
    if let Some(begin) = begin {
        pipeline.send_text(begin).await;
    }
    for (statement, arguments) in prepared {
        pipeline.send(statement, arguments).await;
    }
    let mut answers = pipeline.answers().await.map_err(|(_, error)| error)?;
    if begin.is_some() {
        answers.remove(0);
    }
    for (rows, take) in answers.iter().zip(readers) {
        for row in rows {
            take(found, &mut Columns::of(row)).map_err(|error| Trouble::Store(error.into()))?;
        }
    }
    Ok(())
}

impl Found {
    /// Makes of the first answers what decisions see.
    fn put_together(&mut self) {
        for account in self.snapshot.accounts.values_mut() {
            Arc::make_mut(account).lots.sort_by_key(Lot::burn_order);
        }
        for entry in std::mem::take(&mut self.charges) {
            let Some(id) = entry.origin.charge_id else { continue };
            let refunded = self.refunded.get(&id).copied().unwrap_or(Credits::ZERO);
            let refundable = Refundable::of_entry(&entry, self.held_at.get(&id).copied(), refunded);
            self.snapshot.charges.extend(refundable.map(|refundable| (id, refundable)));
        }
    }

    /// Makes the answers of earlier requests again.
    fn remember(&mut self) -> Result<(), StoreError> {
        for entry in std::mem::take(&mut self.answers) {
            let related = self.related(&entry);
            let outcome = Outcome::of_entry(&entry, related);
            let (Some(idempotency), Some(outcome)) = (entry.idempotency, outcome) else {
                return Err(unexplained(entry.account_id));
            };
            let remembered = Remembered { fingerprint: idempotency.fingerprint, outcome };
            self.snapshot.remembered.insert((entry.account_id, idempotency.key), remembered);
        }
        for (account_id, key, row) in std::mem::take(&mut self.remembered) {
            let grant = |id: GrantId| self.grants.get(&id).cloned().ok_or_else(|| unexplained(account_id));
            let (fingerprint, outcome) = match row {
                RememberedRow::Refusal(fingerprint, refusal) => (fingerprint, Outcome::Refused(refusal)),
                RememberedRow::PendingGrant(fingerprint, id) => {
                    (fingerprint, Outcome::Granted(grant(id)?.as_pending()))
                }
                RememberedRow::VoidedPendingGrant(fingerprint, id) => {
                    (fingerprint, Outcome::GrantVoided(grant(id)?.as_voided()))
                }
            };
            self.snapshot.remembered.insert((account_id, key), Remembered { fingerprint, outcome });
        }
        Ok(())
    }

    /// What an answer shows beside its entry.
    fn related(&self, entry: &Entry) -> Related {
        let grant = || entry.origin.grant_id.and_then(|id| self.grants.get(&id)).cloned();
        let hold = || entry.origin.hold_id.and_then(|id| self.holds.get(&id)).cloned();
        match entry.kind {
            EntryKind::Grant | EntryKind::Void => Related { grant: grant(), hold: None },
            EntryKind::Hold => {
                Related { grant: None, hold: hold().map(|hold| HoldRecord::of_entry(hold, entry)) }
            }
            EntryKind::Release => {
                let made = hold().and_then(|hold| Some((self.made.get(&hold.id)?, hold)));
                Related { grant: None, hold: made.map(|(made, hold)| HoldRecord::of_entry(hold, made)) }
            }
            EntryKind::Charge
            | EntryKind::Capture
            | EntryKind::Refund
            | EntryKind::Expire
            | EntryKind::Adjust => Related::default(),
        }
    }
}

fn unexplained(account_id: AccountId) -> StoreError {
    StoreError::Unreadable(format!("{account_id}: an earlier answer cannot be made again from its entry"))
}
