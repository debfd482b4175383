//! A store in memory that has several lanes, and does in each what a test tells it to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use coffer_ledger::{
    Account, AccountId, AccountRecord, Action, Bucket, Charge, ChargeId, Command, Entry, Grant, GrantId,
    HoldId, HoldRecord, KeyId, KeyRecord, Needs, Operation, OperatorKey, OperatorKeyId, Price, Reply,
    SecretHash, Session, SessionId, SessionOf, Timestamp,
};
use coffer_store::{
    AccountFilter, ActionFilter, Batch, ChargeFilter, EntryPage, EntryQuery, HoldFilter, Holder, LockedRows,
    MemoryStore, NameSearch, Page, Reader, Span, Store, StoreError, StoreHealth, Usage, UsageBy,
};
use tokio::sync::Barrier;

/// A bucket is in the lane of its remainder.
pub(crate) struct LanedStore {
    memory: MemoryStore,
    lanes: usize,
    /// Each batch waits here before it is applied.
    meeting: Option<Barrier>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failing: BTreeMap<usize, fn() -> StoreError>,
    /// Whether uses of keys are being written, and never are.
    key_uses_stall: bool,
    /// How often they were to be written.
    key_uses_told: usize,
    /// Accounts that somebody else has locked.
    locked: BTreeSet<AccountId>,
    /// The batches of each lane, those that failed too.
    batches: BTreeMap<usize, Vec<Vec<Command>>>,
    /// What was applied, in this order.
    applied: Vec<Command>,
}

impl LanedStore {
    pub(crate) fn new(lanes: usize) -> LanedStore {
        LanedStore { memory: MemoryStore::default(), lanes, meeting: None, state: Mutex::default() }
    }

    /// No batch is applied before so many are under way at the same time.
    pub(crate) fn where_batches_meet(lanes: usize, count: usize) -> LanedStore {
        LanedStore { meeting: Some(Barrier::new(count)), ..LanedStore::new(lanes) }
    }

    /// From now on no batch of the lane is applied, and no probe works.
    pub(crate) fn fail(&self, lane: usize, error: fn() -> StoreError) {
        self.state().failing.insert(lane, error);
    }

    /// Whether from now on uses of keys are taken and never written.
    pub(crate) fn stall_key_uses(&self, stall: bool) {
        self.state().key_uses_stall = stall;
    }

    /// How often uses of keys were to be written.
    pub(crate) fn key_uses_told(&self) -> usize {
        self.state().key_uses_told
    }

    pub(crate) fn heal(&self) {
        self.state().failing.clear();
    }

    /// From now on no batch is applied that names the account.
    pub(crate) fn lock(&self, account: AccountId) {
        self.state().locked.insert(account);
    }

    pub(crate) fn unlock(&self, account: AccountId) {
        self.state().locked.remove(&account);
    }

    pub(crate) fn applied(&self) -> Vec<Command> {
        self.state().applied.clone()
    }

    pub(crate) fn batches(&self, lane: usize) -> Vec<Vec<Command>> {
        self.state().batches.get(&lane).cloned().unwrap_or_default()
    }

    /// Lets batches be under way, where they meet.
    pub(crate) async fn meet(&self) {
        let meeting = self.meeting.as_ref().expect("a store where batches meet");
        meeting.wait().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the state")
    }
}

impl State {
    fn locked_places(&self, commands: &[Command]) -> Vec<usize> {
        let is_locked = |command: &Command| {
            let needs = Needs::of(std::slice::from_ref(command));
            needs.accounts.iter().any(|account| self.locked.contains(account))
        };
        let places = commands.iter().enumerate().filter(|(_, command)| is_locked(command));
        places.map(|(place, _)| place).collect()
    }
}

#[async_trait]
impl Store for LanedStore {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn lane_of(&self, bucket: Bucket) -> usize {
        usize::from(bucket.0) % self.lanes
    }

    async fn apply(&self, batch: Batch) -> Result<Vec<Reply>, StoreError> {
        let lane = batch.commands.first().map_or(0, |command| self.lane_of(command.bucket()));
        let other = |command: &Command| self.lane_of(command.bucket()) != lane;
        assert!(!batch.commands.iter().any(other), "a batch holds the commands of one lane");
        self.state().batches.entry(lane).or_default().push(batch.commands.clone());
        if self.meeting.is_some() {
            self.meet().await;
        }
        let failing = self.state().failing.get(&lane).copied();
        if let Some(error) = failing {
            return Err(error());
        }
        let locked = self.state().locked_places(&batch.commands);
        if !locked.is_empty() {
            return Err(StoreError::RowsLocked(Box::new(LockedRows { commands: batch.commands, locked })));
        }
        let commands = batch.commands.clone();
        let applied = self.memory.apply(batch).await;
        self.state().applied.extend(commands);
        applied
    }

    async fn forget_refusals(&self, before: Timestamp) -> Result<(), StoreError> {
        self.memory.forget_refusals(before).await
    }

    async fn note_key_uses(&self, uses: BTreeMap<KeyId, Timestamp>) -> Result<(), StoreError> {
        self.state().key_uses_told += 1;
        if self.state().key_uses_stall {
            std::future::pending::<()>().await;
        }
        self.memory.note_key_uses(uses).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let failing = self.state().failing.values().next().copied();
        failing.map_or(Ok(()), |error| Err(error()))
    }

    async fn close(&self) {
        self.memory.close().await;
    }
}

#[async_trait]
impl Reader for LanedStore {
    async fn holder(&self, secret: &SecretHash, until: Timestamp) -> Result<Option<Holder>, StoreError> {
        self.memory.holder(secret, until).await
    }

    async fn operator_key(&self, secret: &SecretHash) -> Result<Option<Arc<OperatorKey>>, StoreError> {
        self.memory.operator_key(secret).await
    }

    async fn operator_key_record(&self, id: OperatorKeyId) -> Result<Option<OperatorKey>, StoreError> {
        self.memory.operator_key_record(id).await
    }

    async fn operator_keys(&self, span: Span) -> Result<Page<OperatorKey>, StoreError> {
        self.memory.operator_keys(span).await
    }

    async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, StoreError> {
        self.memory.account(id).await
    }

    async fn account_record(&self, id: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        self.memory.account_record(id).await
    }

    async fn account_records(
        &self,
        filter: AccountFilter,
        span: Span,
    ) -> Result<Page<AccountRecord>, StoreError> {
        self.memory.account_records(filter, span).await
    }

    async fn accounts_named(&self, search: NameSearch) -> Result<Page<AccountRecord>, StoreError> {
        self.memory.accounts_named(search).await
    }

    async fn accounts_due(&self, until: Timestamp, count_max: usize) -> Result<Vec<AccountId>, StoreError> {
        self.memory.accounts_due(until, count_max).await
    }

    async fn key_record(&self, id: KeyId) -> Result<Option<(Account, KeyRecord)>, StoreError> {
        self.memory.key_record(id).await
    }

    async fn key_records(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<(Account, Page<KeyRecord>)>, StoreError> {
        self.memory.key_records(account_id, span).await
    }

    async fn key_uses(&self, ids: Vec<KeyId>) -> Result<BTreeMap<KeyId, Timestamp>, StoreError> {
        self.memory.key_uses(ids).await
    }

    async fn grant(&self, id: GrantId) -> Result<Option<(Account, Grant)>, StoreError> {
        self.memory.grant(id).await
    }

    async fn grants(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<(Account, Page<Grant>)>, StoreError> {
        self.memory.grants(account_id, span).await
    }

    async fn charge(&self, id: ChargeId) -> Result<Option<Charge>, StoreError> {
        self.memory.charge(id).await
    }

    async fn charges(&self, filter: ChargeFilter, span: Span) -> Result<Page<Charge>, StoreError> {
        self.memory.charges(filter, span).await
    }

    async fn hold(&self, id: HoldId) -> Result<Option<HoldRecord>, StoreError> {
        self.memory.hold(id).await
    }

    async fn holds(&self, filter: HoldFilter, span: Span) -> Result<Page<HoldRecord>, StoreError> {
        self.memory.holds(filter, span).await
    }

    async fn account_of_grant(&self, id: GrantId) -> Result<Option<AccountId>, StoreError> {
        self.memory.account_of_grant(id).await
    }

    async fn accounts_of_charges(
        &self,
        ids: Vec<ChargeId>,
    ) -> Result<BTreeMap<ChargeId, AccountId>, StoreError> {
        self.memory.accounts_of_charges(ids).await
    }

    async fn accounts_of_holds(&self, ids: Vec<HoldId>) -> Result<BTreeMap<HoldId, AccountId>, StoreError> {
        self.memory.accounts_of_holds(ids).await
    }

    async fn entries(&self, query: EntryQuery) -> Result<EntryPage, StoreError> {
        self.memory.entries(query).await
    }

    async fn last_entry(&self, account_id: AccountId, until: Timestamp) -> Result<Option<Entry>, StoreError> {
        self.memory.last_entry(account_id, until).await
    }

    async fn usage(
        &self,
        account_id: AccountId,
        by: UsageBy,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Usage>, StoreError> {
        self.memory.usage(account_id, by, from, to).await
    }

    async fn price(&self, operation: Operation) -> Result<Option<Price>, StoreError> {
        self.memory.price(operation).await
    }

    async fn prices(&self, span: Span) -> Result<Page<Price>, StoreError> {
        self.memory.prices(span).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.memory.session(id).await
    }

    async fn sessions_of(&self, of: SessionOf) -> Result<Vec<Session>, StoreError> {
        self.memory.sessions_of(of).await
    }

    async fn operator_sessions(&self, span: Span) -> Result<Page<Session>, StoreError> {
        self.memory.operator_sessions(span).await
    }

    async fn actions(&self, filter: ActionFilter, span: Span) -> Result<Page<Action>, StoreError> {
        self.memory.actions(filter, span).await
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        self.memory.health().await
    }
}
