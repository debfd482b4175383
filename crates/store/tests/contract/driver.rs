//! Carries out scenarios on a store, as the service would.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use coffer_ledger::{
    AccountId, ChargeCredits, ChargeId, Command, CreateAccount, CreateKey, ExternalId, GrantCredits, GrantId,
    GrantStatus, Hint, IdempotencyKey, KeyId, KeyStatus, KeyUse, Metadata, Name, Note, Outcome, Reference,
    Refusal, Reply, RevokeKey, Salt, SecretHash, Timestamp, UpdateKey, settle,
};
use coffer_scenarios::{Action, ChargeRow, Driver, GrantRow, KeyRow, Payer};
use coffer_store::{Batch, MemoryStore, Store};

use crate::Fresh;

pub(crate) struct StoreDriver {
    fresh: Fresh,
    minted: u64,
    accounts: HashMap<String, AccountId>,
    grants: BTreeMap<GrantId, String>,
    keys: HashMap<String, (AccountId, KeyId)>,
}

impl StoreDriver {
    pub(crate) fn new(fresh: Fresh) -> StoreDriver {
        StoreDriver {
            fresh,
            minted: 0,
            accounts: HashMap::new(),
            grants: BTreeMap::new(),
            keys: HashMap::new(),
        }
    }

    /// Puts another store in the place of the one that was driven.
    pub(crate) async fn reopen(&mut self, reopen: impl AsyncFnOnce(Arc<dyn Store>) -> Arc<dyn Store>) {
        let closed: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let old = std::mem::replace(&mut self.fresh.store, closed);
        self.fresh.store = reopen(old).await;
    }

    /// Ids that sort by the order in which they are minted, as real ones do.
    fn mint(&mut self) -> [u8; 16] {
        self.minted += 1;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.minted.to_be_bytes());
        bytes
    }

    fn account(&mut self, name: &str) -> AccountId {
        if let Some(id) = self.accounts.get(name) {
            return *id;
        }
        // A name that was never opened: an id that nobody has.
        AccountId::from_bytes(self.mint())
    }

    fn command(&mut self, action: &Action) -> Option<Command> {
        Some(match action {
            Action::Open { account, overdraft, external_id } => {
                let id = AccountId::from_bytes(self.mint());
                self.accounts.insert(account.clone(), id);
                Command::CreateAccount(CreateAccount {
                    id,
                    name: name(account),
                    external_id: external_id.clone().map(|text| ExternalId::try_from(text).expect("short")),
                    overdraft_limit: *overdraft,
                    metadata: Metadata::default(),
                })
            }
            Action::Grant(row) => Command::Grant(self.grant(row)),
            Action::Charge(row) => Command::Charge(self.charge(row)),
            Action::CreateKey(row) => Command::CreateKey(self.create_key(row)),
            Action::SetDisabled { key, disabled } => Command::UpdateKey(UpdateKey {
                id: self.keys[key].1,
                name: None,
                expires_at: None,
                limit: None,
                disabled: Some(*disabled),
                metadata: None,
            }),
            Action::Revoke { key } => {
                let id = self.keys.get(key).map_or_else(|| KeyId::from_bytes([9; 16]), |(_, id)| *id);
                Command::RevokeKey(RevokeKey { id })
            }
            Action::Balance { .. } | Action::Lots { .. } | Action::Read { .. } => return None,
        })
    }

    fn grant(&mut self, row: &GrantRow) -> GrantCredits {
        let id = GrantId::from_bytes(self.mint());
        self.grants.insert(id, row.name.clone());
        GrantCredits {
            id,
            account_id: self.account(&row.account),
            credits: row.credits,
            category: row.category,
            priority: row.priority,
            effective_at: row.effective_at,
            expires_at: row.expires_at,
            note: note(row.reference.as_deref(), self.minted),
            idempotency: idempotency(&row.name),
        }
    }

    fn charge(&mut self, row: &ChargeRow) -> ChargeCredits {
        let (account_id, key) = match &row.payer {
            Payer::Account(account) => (self.account(account), None),
            Payer::Key(key) => {
                let (account_id, key_id) = self.keys[key];
                (account_id, Some(KeyUse { key_id, secret: secret(key) }))
            }
        };
        ChargeCredits {
            id: ChargeId::from_bytes(self.mint()),
            account_id,
            key,
            credits: row.credits,
            note: note(row.reference.as_deref(), self.minted),
            idempotency: idempotency(&row.name),
        }
    }

    fn create_key(&mut self, row: &KeyRow) -> CreateKey {
        let id = KeyId::from_bytes(self.mint());
        let account_id = self.account(&row.account);
        self.keys.insert(row.name.clone(), (account_id, id));
        CreateKey {
            id,
            account_id,
            name: name(&row.name),
            secret: secret(&row.name),
            hint: Hint::try_from("…".to_owned()).expect("short"),
            expires_at: row.expires_at,
            limit: row.limit,
            metadata: Metadata::default(),
        }
    }

    async fn look(&mut self, at: Timestamp, action: &Action) -> String {
        let store = &self.fresh.store;
        match action {
            Action::Read { key } => {
                let holder = store.holder(&secret(key)).await.expect("a read").expect("a known secret");
                let available = settle(&holder.account, at).balance.available;
                if holder.key.is_live(at) { available.to_string() } else { "dead".to_owned() }
            }
            Action::Balance { account } | Action::Lots { account } => {
                let Some(id) = self.accounts.get(account) else { return "404 not_found".to_owned() };
                let account = store.account(*id).await.expect("a read").expect("a known account");
                let account = settle(&account, at);
                if matches!(action, Action::Balance { .. }) {
                    let balance = account.balance;
                    return format!(
                        "available {}, held {}, seq {}",
                        balance.available, balance.held, account.seq.0
                    );
                }
                let lots = account.started_lots();
                let lots: Vec<String> =
                    lots.map(|lot| format!("{} {}", self.grants[&lot.grant_id], lot.remaining)).collect();
                if lots.is_empty() { "none".to_owned() } else { lots.join(", ") }
            }
            Action::Open { .. }
            | Action::Grant(_)
            | Action::Charge(_)
            | Action::CreateKey(_)
            | Action::SetDisabled { .. }
            | Action::Revoke { .. } => unreachable!("this is no look"),
        }
    }
}

impl Driver for StoreDriver {
    async fn run(&mut self, at: Timestamp, action: &Action) -> String {
        let Some(command) = self.command(action) else { return self.look(at, action).await };
        let batch = Batch { clock: at, commands: vec![command] };
        let mut replies = self.fresh.store.apply(batch).await.expect("a batch is written");
        let Reply { outcome, replayed } = replies.pop().expect("one reply");
        let again = if replayed { "again: " } else { "" };
        format!("{again}{}", words(&outcome, at))
    }
}

fn words(outcome: &Outcome, at: Timestamp) -> String {
    match outcome {
        Outcome::AccountCreated(_) => "opened".to_owned(),
        Outcome::Granted(grant) => {
            let status = match grant.status(grant.created_at) {
                GrantStatus::Pending => "pending",
                GrantStatus::Active => "active",
                GrantStatus::Depleted => "depleted",
                GrantStatus::Expired => "expired",
                GrantStatus::Voided => "voided",
            };
            format!("granted {}, {} left, {status}", grant.lot.granted, grant.lot.remaining)
        }
        Outcome::Charged(charge) => {
            format!("charged {}, available {}", charge.credits, charge.balance.available)
        }
        Outcome::KeyCreated(record) | Outcome::KeyUpdated(record) | Outcome::KeyRevoked(record) => {
            match record.key.status(at) {
                KeyStatus::Active => "active",
                KeyStatus::Disabled => "disabled",
                KeyStatus::Expired => "expired",
                KeyStatus::Revoked => "revoked",
            }
            .to_owned()
        }
        Outcome::Refused(refusal) => refused(refusal),
        Outcome::Settled | Outcome::OperatorKeyCreated(_) | Outcome::OperatorKeyRevoked(_) => {
            format!("{outcome:?}")
        }
    }
}

fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::AccountIsUnknown | Refusal::KeyIsUnknown | Refusal::OperatorKeyIsUnknown => {
            "404 not_found".to_owned()
        }
        Refusal::AccountIsFrozen => "403 account_frozen".to_owned(),
        Refusal::AccountIsClosed => "409 conflict, account_closed".to_owned(),
        Refusal::ExternalIdIsTaken(_) => "409 conflict, external_id_taken".to_owned(),
        Refusal::KeyIsRevoked => "409 conflict, key_revoked".to_owned(),
        Refusal::ApiKeyIsDead => "401 unauthorized, api_key".to_owned(),
        Refusal::SecretIsTaken => "409 conflict, secret_taken".to_owned(),
        Refusal::LastOperatorKeyMustLive => "409 conflict, last_operator_key".to_owned(),
        Refusal::ExpiryIsNotInTheFuture { .. } | Refusal::ExpiryIsNotAfterStart => {
            "400 invalid_request, expires_at".to_owned()
        }
        Refusal::IdempotencyKeyWasReused => "422 idempotency_key_reused".to_owned(),
        Refusal::KeyLimitIsExceeded { required, remaining } => {
            format!("402 key_limit_exceeded, required {required}, remaining {remaining}")
        }
        Refusal::CreditsAreInsufficient { required, available } => {
            format!("402 insufficient_credits, required {required}, available {available}")
        }
        Refusal::BalanceIsOutOfRange => "409 conflict, balance_out_of_range".to_owned(),
        Refusal::TooManyGrantsAreOpen => "409 conflict, too_many_open".to_owned(),
    }
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).expect("a short name")
}

fn idempotency(text: &str) -> IdempotencyKey {
    IdempotencyKey::try_from(text.to_owned()).expect("a visible name")
}

fn note(reference: Option<&str>, salt: u64) -> Note {
    let reference = reference.map(|text| Reference::try_from(text.to_owned()).expect("short"));
    Note::new(reference, Metadata::default(), Salt((u128::from(salt) << 64).to_be_bytes()))
}

fn secret(key: &str) -> SecretHash {
    let mut bytes = [0; 32];
    bytes[..key.len()].copy_from_slice(key.as_bytes());
    SecretHash::from_bytes(bytes)
}
