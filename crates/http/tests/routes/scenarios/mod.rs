//! Every scenario of the ledger, told through HTTP: call by call, in batches of one, and in turns, for an operation of
//! a batch is the same request as the single call.

mod looks;
mod moves;

use std::collections::HashMap;

use coffer_ledger::{AccountStatus, KeyLimit, Period, Timestamp};
use coffer_scenarios::{Action, Driver, KeyRow, Secret};
use serde_json::{Value, json};

use crate::support::{Answer, Api, AsString as _};

/// What no id that was minted ends in.
const NOBODY: &str = "00000000000000000000000000";

pub(crate) struct HttpDriver {
    api: Api,
    way: Way,
    moves: usize,
    accounts: HashMap<String, String>,
    grants: HashMap<String, String>,
    names_of_grants: HashMap<String, String>,
    charges: HashMap<String, String>,
    holds: HashMap<String, String>,
    keys: HashMap<String, KnownKey>,
}

/// How credits are moved.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Calls,
    Batches,
    InTurns,
}

struct KnownKey {
    id: String,
    /// All that it has had, the newest last.
    secrets: Vec<String>,
}

impl Driver for HttpDriver {
    async fn run(&mut self, at: Timestamp, action: &Action) -> String {
        self.api.set_clock(at);
        match action {
            Action::Open { account, overdraft, external_id } => {
                let limit = overdraft.to_string();
                let body = json!({"name": account, "overdraft_limit": limit, "external_id": external_id});
                let answer = self.api.post("/v1/accounts", body).await;
                learn(&mut self.accounts, account, &answer);
                words(&answer, |_| "opened".to_owned())
            }
            Action::SetStatus { account, status } => {
                let status = match status {
                    AccountStatus::Active => "active",
                    AccountStatus::Frozen => "frozen",
                    AccountStatus::Closed => "closed",
                };
                self.update_account(account, json!({"status": status})).await
            }
            Action::SetOverdraft { account, limit } => {
                self.update_account(account, json!({"overdraft_limit": limit.to_string()})).await
            }
            Action::Settle { account } => self.settle(account).await,
            Action::Grant(row) => self.grant(row).await,
            Action::Void { grant, name } => self.void(grant, name).await,
            Action::Adjust { account, credits, allow_negative, name } => {
                self.adjust(account, *credits, *allow_negative, name).await
            }
            Action::Charge(row) => self.charge(row).await,
            Action::Refund { charge, credits, name } => self.refund(charge, *credits, name).await,
            Action::Hold { spending, expires_in_ms } => self.hold(spending, *expires_in_ms).await,
            Action::Capture(row) => self.capture(row).await,
            Action::Release { hold, name } => self.release(hold, name).await,
            Action::CreateKey(row) => self.create_key(row).await,
            Action::ImportKey { key, account, secret } => self.import_key(key, account, secret).await,
            Action::SetDisabled { key, disabled } => {
                self.update_key(key, json!({"disabled": disabled})).await
            }
            Action::SetLimit { key, limit } => {
                self.update_key(key, json!({"limit": limit_body(*limit)})).await
            }
            Action::Rotate { key, overlap_ms } => self.rotate(key, *overlap_ms).await,
            Action::Revoke { key } => {
                status(&self.api.post(&format!("/v1/keys/{}/revoke", self.key(key)), json!({})).await)
            }
            Action::PutPrice { operation, rate } => {
                let body = json!({"credits_per_unit": rate.to_string()});
                let answer = self.api.put(&format!("/v1/prices/{operation}"), body).await;
                words(&answer, |price| format!("priced {}", price["credits_per_unit"].string()))
            }
            Action::DeletePrice { operation } => {
                let answer = self.api.delete(&format!("/v1/prices/{operation}")).await;
                if answer.status == 204 { "unpriced".to_owned() } else { answer.refusal() }
            }
            Action::Look(look) => self.look(look).await,
        }
    }
}

impl HttpDriver {
    pub(crate) fn new(way: Way) -> HttpDriver {
        HttpDriver {
            api: Api::new(),
            way,
            moves: 0,
            accounts: HashMap::new(),
            grants: HashMap::new(),
            names_of_grants: HashMap::new(),
            charges: HashMap::new(),
            holds: HashMap::new(),
            keys: HashMap::new(),
        }
    }

    fn account(&self, name: &str) -> String {
        self.accounts.get(name).cloned().unwrap_or_else(|| format!("acc_{NOBODY}"))
    }

    fn key(&self, name: &str) -> String {
        self.keys.get(name).map_or_else(|| format!("key_{NOBODY}"), |key| key.id.clone())
    }

    fn secret(&self, secret: &Secret) -> &str {
        let secrets = &self.keys[&secret.key].secrets;
        &secrets[secrets.len() - 1 - secret.rotations_ago]
    }

    async fn update_account(&self, account: &str, body: Value) -> String {
        status(&self.api.patch(&format!("/v1/accounts/{}", self.account(account)), body).await)
    }

    /// Nobody can ask for it, but a statement shows what is written.
    async fn settle(&self, account: &str) -> String {
        let path = format!("/v1/accounts/{}/entries?limit=1", self.account(account));
        words(&self.api.get(&path).await, |_| "settled".to_owned())
    }

    async fn create_key(&mut self, row: &KeyRow) -> String {
        let expires_at = row.expires_at.map(|time| time.to_string());
        let body = json!({"name": row.name, "limit": limit_body(row.limit), "expires_at": expires_at});
        let answer = self.api.post(&format!("/v1/accounts/{}/keys", self.account(&row.account)), body).await;
        self.learn_key(&row.name, &answer, |key| key["secret"].string());
        status(&answer)
    }

    async fn import_key(&mut self, name: &str, account: &str, secret: &str) -> String {
        let path = format!("/v1/accounts/{}/keys/import", self.account(account));
        let answer = self.api.post(&path, json!({"name": name, "secret": secret})).await;
        self.learn_key(name, &answer, |_| secret.to_owned());
        status(&answer)
    }

    fn learn_key(&mut self, name: &str, answer: &Answer, secret: impl FnOnce(&Value) -> String) {
        if answer.status == 201 {
            let key = answer.json();
            let known = KnownKey { id: key["id"].string(), secrets: vec![secret(&key)] };
            self.keys.insert(name.to_owned(), known);
        }
    }

    async fn update_key(&self, key: &str, body: Value) -> String {
        status(&self.api.patch(&format!("/v1/keys/{}", self.key(key)), body).await)
    }

    async fn rotate(&mut self, name: &str, overlap_ms: Option<u32>) -> String {
        let body = overlap_ms.map_or_else(|| json!({}), |ms| json!({"overlap_seconds": ms / 1000}));
        let answer = self.api.post(&format!("/v1/keys/{}/rotate", self.key(name)), body).await;
        if answer.status == 201 {
            let known = self.keys.get_mut(name).expect("a key that is rotated is known");
            known.secrets.push(answer.json()["secret"].string());
        }
        status(&answer)
    }
}

fn limit_body(limit: Option<KeyLimit>) -> Option<Value> {
    limit.map(|limit| {
        let period = match limit.period {
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
            Period::Total => "total",
        };
        json!({"credits": limit.credits.to_string(), "period": period})
    })
}

/// What was created is what its name stands for from now on.
fn learn(names: &mut HashMap<String, String>, name: &str, answer: &Answer) {
    if answer.status == 201 {
        names.insert(name.to_owned(), answer.json()["id"].string());
    }
}

fn status(answer: &Answer) -> String {
    words(answer, |object| object["status"].string())
}

fn words(answer: &Answer, say: impl FnOnce(&Value) -> String) -> String {
    if answer.status < 300 { say(&answer.json()) } else { answer.refusal() }
}
