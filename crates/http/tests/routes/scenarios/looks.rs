//! What is shown.

use coffer_scenarios::{Look, Secret};
use serde_json::Value;

use super::moves::grant_words;
use super::{HttpDriver, words};
use crate::support::AsString as _;

impl HttpDriver {
    pub(super) async fn look(&self, look: &Look) -> String {
        match look {
            Look::Balance { account } => {
                let path = format!("/v1/accounts/{}/balance", self.account(account));
                words(&self.api.get(&path).await, |balance| {
                    let [available, held] = ["available", "held"].map(|name| balance[name].string());
                    format!("available {available}, held {held}, seq {}", balance["seq"])
                })
            }
            Look::Lots { account } => {
                let path = format!("/v1/accounts/{}/balance", self.account(account));
                let balance = self.api.get(&path).await.ok();
                let grants = balance["grants"].as_array().expect("a list").iter();
                let lots: Vec<String> = grants.map(|lot| self.lot(lot)).collect();
                if lots.is_empty() { "none".to_owned() } else { lots.join(", ") }
            }
            Look::GrantStatus { grant } => match self.grants.get(grant) {
                Some(id) => words(&self.api.get(&format!("/v1/grants/{id}")).await, grant_words),
                None => "404 not_found".to_owned(),
            },
            Look::HoldStatus { hold } => match self.holds.get(hold) {
                Some(id) => words(&self.api.get(&format!("/v1/holds/{id}")).await, |hold| {
                    format!("{}, captured {}", hold["status"].string(), hold["captured"].string())
                }),
                None => "404 not_found".to_owned(),
            },
            Look::Read(secret) => self.read(secret).await,
            Look::Spent { key } => {
                let answer = self.api.get(&format!("/v1/keys/{}", self.key(key))).await;
                words(&answer, |key| key["spent"].string())
            }
            Look::Last { account } => {
                let path = format!("/v1/accounts/{}/entries?limit=1", self.account(account));
                let entry = &self.api.get(&path).await.ok()["data"][0];
                let [kind, credits, held] =
                    ["kind", "credits", "held_credits"].map(|name| entry[name].string());
                format!("{kind} {credits}, held {held}")
            }
            Look::Kinds { account } => self.kinds(account).await,
        }
    }

    fn lot(&self, lot: &Value) -> String {
        let [id, remaining, held, category] =
            ["id", "remaining", "held", "category"].map(|name| lot[name].string());
        let name = self.names_of_grants.get(&id).unwrap_or(&category);
        let held = if held == "0" { String::new() } else { format!(" held {held}") };
        format!("{name} {remaining}{held}")
    }

    async fn read(&self, secret: &Secret) -> String {
        let envelope = self.api.read_balance(self.secret(secret)).await.ok();
        match envelope["code"].as_u64() {
            Some(100_000) => envelope["result"]["user_credits"].string(),
            Some(800_002) => "dead".to_owned(),
            other => panic!("{other:?} is no code of a balance"),
        }
    }

    /// Page by page, newest first, as they are listed.
    async fn kinds(&self, account: &str) -> String {
        let first = format!("/v1/accounts/{}/entries?limit=3", self.account(account));
        let mut kinds = Vec::new();
        let mut path = first.clone();
        loop {
            let page = self.api.get(&path).await.ok();
            kinds.extend(page["data"].as_array().expect("a list").iter().map(|entry| entry["kind"].string()));
            if page["has_more"] == false {
                kinds.reverse();
                return kinds.join(" ");
            }
            path = format!("{first}&cursor={}", page["next_cursor"].string());
        }
    }
}
