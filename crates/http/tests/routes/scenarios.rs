//! Every scenario of the ledger, told through HTTP.

use std::collections::HashMap;

use coffer_ledger::{Category, Credits, Period, Timestamp};
use coffer_scenarios::{Action, ChargeRow, Driver, GrantRow, KeyRow, Payer};
use serde_json::{Map, Value, json};

use crate::support::{Answer, Api, AsString as _};

const NOBODY: &str = "acc_00000000000000000000000000";

struct HttpDriver {
    api: Api,
    accounts: HashMap<String, String>,
    grants: HashMap<String, String>,
    keys: HashMap<String, (String, String)>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_as_told() {
    coffer_scenarios::check_all(async || HttpDriver {
        api: Api::new(),
        accounts: HashMap::new(),
        grants: HashMap::new(),
        keys: HashMap::new(),
    })
    .await;
}

impl Driver for HttpDriver {
    async fn run(&mut self, at: Timestamp, action: &Action) -> String {
        self.api.set_clock(at);
        match action {
            Action::Open { account, overdraft, external_id } => {
                self.open(account, *overdraft, external_id.as_deref()).await
            }
            Action::Grant(row) => self.grant(row).await,
            Action::Charge(row) => self.charge(row).await,
            Action::CreateKey(row) => self.create_key(row).await,
            Action::SetDisabled { key, disabled } => {
                let path = format!("/v1/keys/{}", self.keys[key].0);
                status(&self.api.patch(&path, json!({"disabled": disabled})).await)
            }
            Action::Revoke { key } => {
                let id = self.keys.get(key).map_or("key_00000000000000000000000000", |(id, _)| id);
                status(&self.api.post(&format!("/v1/keys/{id}/revoke"), json!({})).await)
            }
            Action::Balance { account } => {
                let answer = self.api.get(&format!("/v1/accounts/{}/balance", self.account(account))).await;
                words(&answer, |balance| {
                    let seq = &balance["seq"];
                    format!(
                        "available {}, held {}, seq {seq}",
                        balance["available"].string(),
                        balance["held"].string()
                    )
                })
            }
            Action::Lots { account } => self.lots(account).await,
            Action::Read { key } => self.read(key).await,
        }
    }
}

impl HttpDriver {
    fn account(&self, name: &str) -> &str {
        self.accounts.get(name).map_or(NOBODY, String::as_str)
    }

    async fn open(&mut self, name: &str, overdraft: Credits, external_id: Option<&str>) -> String {
        let body =
            json!({"name": name, "overdraft_limit": overdraft.to_string(), "external_id": external_id});
        let answer = self.api.post("/v1/accounts", body).await;
        if answer.status == 201 {
            self.accounts.insert(name.to_owned(), answer.json()["id"].string());
        }
        words(&answer, |_| "opened".to_owned())
    }

    async fn grant(&mut self, row: &GrantRow) -> String {
        let mut body = Map::new();
        body.insert("credits".to_owned(), amount(row.credits));
        body.insert("priority".to_owned(), json!(row.priority.get()));
        if row.category == Category::Promotional {
            body.insert("category".to_owned(), json!("promotional"));
        }
        for (name, time) in [("effective_at", row.effective_at), ("expires_at", row.expires_at)] {
            body.extend(time.map(|time| (name.to_owned(), json!(time.to_string()))));
        }
        body.extend(row.reference.iter().map(|reference| ("reference".to_owned(), json!(reference))));
        let path = format!("/v1/accounts/{}/grants", self.account(&row.account));
        let answer = self.api.move_named(&path, &row.name, Value::Object(body)).await;
        if answer.status == 201 {
            self.grants.insert(answer.json()["id"].string(), row.name.clone());
        }
        words(&answer, |grant| {
            let [credits, left] = ["credits", "remaining"].map(|name| grant[name].string());
            format!("granted {credits}, {left} left, {}", grant["status"].string())
        })
    }

    async fn charge(&mut self, row: &ChargeRow) -> String {
        let mut body = Map::new();
        match &row.payer {
            Payer::Account(account) => body.insert("account_id".to_owned(), json!(self.account(account))),
            Payer::Key(key) => body.insert("api_key".to_owned(), json!(self.keys[key].1)),
        };
        body.insert("credits".to_owned(), amount(row.credits));
        body.extend(row.reference.iter().map(|reference| ("reference".to_owned(), json!(reference))));
        let answer = self.api.move_named("/v1/charges", &row.name, Value::Object(body)).await;
        words(&answer, |charge| {
            format!(
                "charged {}, available {}",
                charge["credits"].string(),
                charge["balance"]["available"].string()
            )
        })
    }

    async fn create_key(&mut self, row: &KeyRow) -> String {
        let limit = row.limit.map(|limit| {
            let period = match limit.period {
                Period::Day => "day",
                Period::Week => "week",
                Period::Month => "month",
                Period::Total => "total",
            };
            json!({"credits": limit.credits.to_string(), "period": period})
        });
        let expires_at = row.expires_at.map(|time| time.to_string());
        let body = json!({"name": row.name, "limit": limit, "expires_at": expires_at});
        let answer = self.api.post(&format!("/v1/accounts/{}/keys", self.account(&row.account)), body).await;
        if answer.status == 201 {
            let key = answer.json();
            self.keys.insert(row.name.clone(), (key["id"].string(), key["secret"].string()));
        }
        status(&answer)
    }

    async fn lots(&self, account: &str) -> String {
        let balance = self.api.get(&format!("/v1/accounts/{}/balance", self.account(account))).await.ok();
        let grants = balance["grants"].as_array().expect("a list").iter();
        let lots: Vec<String> = grants
            .map(|lot| format!("{} {}", self.grants[&lot["id"].string()], lot["remaining"].string()))
            .collect();
        if lots.is_empty() { "none".to_owned() } else { lots.join(", ") }
    }

    async fn read(&self, key: &str) -> String {
        let envelope = self.api.read_balance(&self.keys[key].1).await.ok();
        match envelope["code"].as_u64() {
            Some(100_000) => envelope["result"]["user_credits"].string(),
            Some(800_002) => "dead".to_owned(),
            other => panic!("{other:?} is no code of a balance"),
        }
    }
}

/// Whole credits go as a JSON integer, so that both forms are used.
fn amount(credits: Credits) -> Value {
    match credits.to_string().parse::<i64>() {
        Ok(whole) => json!(whole),
        Err(_) => json!(credits.to_string()),
    }
}

fn status(answer: &Answer) -> String {
    words(answer, |key| key["status"].string())
}

fn words(answer: &Answer, say: impl FnOnce(&Value) -> String) -> String {
    let again = if answer.header("idempotency-replayed") == "true" { "again: " } else { "" };
    let said = if answer.status < 300 { say(&answer.json()) } else { answer.refusal() };
    format!("{again}{said}")
}
