//! A ledger with something of everything: each kind of entry, holds and grants in each state, debt, refusals that are
//! remembered, rotated keys, erased text, a closed account, sessions, operators' actions. For tests of the file as a whole.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{Answer, Api};

const KINDS: [&str; 9] =
    ["grant", "charge", "hold", "capture", "release", "refund", "expire", "void", "adjust"];
/// How long the short-lived things live.
const SHORTLY_SECONDS: u64 = 1;
/// How long the grant lives that other requests draw on before it expires.
const EXPIRING_SECONDS: u64 = 5;
/// How much later than its end something short-lived is sure to be seen as ended.
const SURELY: Duration = Duration::from_millis(300);

/// A request that moves credits, and what it was told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    path: String,
    name: String,
    body: Value,
    status: u16,
    text: String,
}

/// What was made.
#[derive(Debug)]
pub(crate) struct EveryKind {
    /// All accounts, the one with most in it first.
    pub(crate) accounts: Vec<String>,
    /// The secret of a key of the first account.
    pub(crate) secret: String,
    /// Everything that was asked for under a name.
    pub(crate) told: Vec<Told>,
}

impl EveryKind {
    /// Makes all of it, which takes a little more than five seconds, for something must fall due. It is made in new
    /// accounts each time.
    pub(crate) async fn make(api: &Api) -> EveryKind {
        let mut maker = Maker { api, told: Vec::new() };
        let (first, secret) = maker.much_of_everything().await;
        let mut accounts = vec![first];
        accounts.push(maker.held_while_voided().await);
        accounts.push(maker.in_debt().await);
        accounts.push(maker.erased().await);
        accounts.push(maker.closed().await);
        maker.operators(&accounts[0]).await;
        let told = maker.told;
        EveryKind { accounts, secret, told }
    }

    /// Wants the same answer, byte for byte, to everything that was asked for.
    pub(crate) async fn is_answered_again(&self, api: &Api) {
        for told in &self.told {
            let again = api.post_named(&told.path, &told.name, told.body.clone()).await;
            assert_eq!((again.status, &again.text), (told.status, &told.text), "{told:?}");
            assert!(again.is_replayed(), "{told:?}");
        }
    }

    /// What the accounts have, as text that two ledgers can be compared by.
    pub(crate) async fn balances(&self, api: &Api) -> Vec<String> {
        let mut balances = vec![api.read_balance(&self.secret).await.wants(200).text];
        for account in &self.accounts {
            let balance = api.get(&format!("/v1/accounts/{account}/balance")).await.wants(200);
            let mut balance = balance.json();
            balance.as_object_mut().expect("an object").remove("at");
            balances.push(balance.to_string());
        }
        balances
    }

    /// The statements of all accounts, oldest entry first.
    pub(crate) async fn statements(&self, api: &Api) -> Vec<String> {
        let mut statements = Vec::new();
        for account in &self.accounts {
            let path = format!("/v1/accounts/{account}/entries");
            let accept = [("Accept", "application/x-ndjson")];
            let streamed = api.call(Method::GET, &path, &accept, None).await.expect("an answer");
            statements.push(streamed.wants(200).text);
        }
        statements
    }

    /// Wants every kind of entry in the statements.
    pub(crate) async fn has_every_kind(&self, api: &Api) {
        let statements = self.statements(api).await;
        let entries = statements.iter().flat_map(|statement| statement.lines());
        let kinds = entries.map(|entry| {
            let entry: Value = serde_json::from_str(entry).expect("JSON");
            entry["kind"].as_str().expect("text").to_owned()
        });
        assert_eq!(kinds.collect::<BTreeSet<_>>(), KINDS.map(str::to_owned).into(), "all kinds of entries");
    }
}

struct Maker<'a> {
    api: &'a Api,
    told: Vec<Told>,
}

impl Maker<'_> {
    async fn named(&mut self, status: u16, path: &str, body: Value) -> Answer {
        let name = format!("request-{}", self.told.len());
        let answer = self.api.post_named(path, &name, body.clone()).await.wants(status);
        let text = answer.text.clone();
        self.told.push(Told { path: path.to_owned(), name, body, status, text });
        answer
    }

    async fn account(&self, body: Value) -> String {
        self.api.post("/v1/accounts", body).await.wants(201).text_of("id")
    }

    async fn grant(&mut self, account: &str, body: Value) -> String {
        self.named(201, &format!("/v1/accounts/{account}/grants"), body).await.text_of("id")
    }

    async fn charge(&mut self, body: Value) -> String {
        self.named(201, "/v1/charges", body).await.text_of("id")
    }

    async fn hold(&mut self, body: Value) -> String {
        self.named(201, "/v1/holds", body).await.text_of("id")
    }

    async fn much_of_everything(&mut self) -> (String, String) {
        let account = self.account(json!({"name": "Everything", "metadata": {"plan": "gold"}})).await;
        let limited = json!({"name": "site", "limit": {"credits": 500, "period": "month"}});
        let keys = format!("/v1/accounts/{account}/keys");
        let key = self.api.post(&keys, limited).await.wants(201);
        let rotated = self.api.post(&format!("/v1/keys/{}/rotate", key.text_of("id")), json!({})).await;
        let secret = rotated.wants(201).text_of("secret");
        let price = json!({"credits_per_unit": "2.5", "unit": "page"});
        let put = self.api.call(Method::PUT, "/v1/prices/draw", &[], Some(price)).await;
        assert_eq!(put.expect("an answer").status, 200);

        self.grant(&account, json!({"credits": 100, "reference": "order 1", "metadata": {"from": "shop"}}))
            .await;
        let expiring = json!({"credits": 80, "priority": 10, "category": "promotional",
                              "expires_at": seconds_from_now(EXPIRING_SECONDS)});
        let expired = Instant::now() + Duration::from_secs(EXPIRING_SECONDS) + SURELY;
        self.grant(&account, expiring).await;
        self.grant(&account, json!({"credits": 10, "effective_at": seconds_from_now(SHORTLY_SECONDS)})).await;
        self.grant(&account, json!({"credits": 7, "effective_at": seconds_from_now(86_400)})).await;
        let later = json!({"credits": 3, "effective_at": seconds_from_now(86_400)});
        let later = self.grant(&account, later).await;
        self.named(200, &format!("/v1/grants/{later}/void"), json!({})).await;
        let unwanted = self.grant(&account, json!({"credits": 20, "priority": 90})).await;

        let by_key =
            json!({"api_key": secret, "credits": 30, "reference": "drawing", "metadata": {"size": "big"}});
        let charge = self.charge(by_key).await;
        let priced = self.charge(json!({"api_key": secret, "operation": "draw", "quantity": 3})).await;
        self.charge(json!({"account_id": account, "credits": 0})).await;

        let held = self.hold(json!({"api_key": secret, "credits": 20, "reference": "video"})).await;
        let capture = |hold: &str| format!("/v1/holds/{hold}/capture");
        self.named(201, &capture(&held), json!({"credits": 5, "final": false})).await;
        self.named(201, &capture(&held), json!({"credits": 3})).await;
        let beyond = self.hold(json!({"api_key": secret, "operation": "draw"})).await;
        self.named(201, &capture(&beyond), json!({"quantity": 2, "excess": "charge"})).await;
        let released = self.hold(json!({"account_id": account, "credits": 4})).await;
        self.named(200, &format!("/v1/holds/{released}/release"), json!({})).await;
        self.hold(json!({"api_key": secret, "credits": 6, "expires_in": SHORTLY_SECONDS})).await;
        self.hold(json!({"api_key": secret, "credits": 9})).await;

        let adjustments = format!("/v1/accounts/{account}/adjustments");
        self.named(201, &adjustments, json!({"credits": 5, "reason": "they waited"})).await;
        self.named(201, &adjustments, json!({"credits": "-1.5", "reason": "they waited less"})).await;
        self.named(200, &format!("/v1/grants/{unwanted}/void"), json!({})).await;
        self.named(402, "/v1/charges", json!({"account_id": account, "credits": 100_000})).await;
        self.named(402, "/v1/charges", json!({"api_key": secret, "credits": 600})).await;
        self.named(409, &format!("/v1/charges/{charge}/refund"), json!({"credits": 31})).await;
        self.named(409, &capture(&held), json!({})).await;

        let lapsed = Instant::now() + Duration::from_secs(SHORTLY_SECONDS) + SURELY;
        tokio::time::sleep_until(expired.max(lapsed)).await;
        // The lot of the first charge has expired, and that of the second in part.
        self.named(201, &format!("/v1/charges/{charge}/refund"), json!({"credits": 10})).await;
        self.named(201, &format!("/v1/charges/{priced}/refund"), json!({})).await;
        self.charge(json!({"api_key": secret, "credits": 1})).await;
        (account, secret)
    }

    async fn held_while_voided(&mut self) -> String {
        let account = self.account(json!({"name": "Voided", "external_id": null})).await;
        let grant = self.grant(&account, json!({"credits": 10})).await;
        let charge = self.charge(json!({"account_id": account, "credits": 1})).await;
        let hold = self.hold(json!({"account_id": account, "credits": 4})).await;
        self.named(200, &format!("/v1/grants/{grant}/void"), json!({})).await;
        self.named(201, &format!("/v1/holds/{hold}/capture"), json!({"credits": 1})).await;
        self.named(201, &format!("/v1/charges/{charge}/refund"), json!({})).await;
        account
    }

    async fn in_debt(&mut self) -> String {
        let account = self.account(json!({"name": "In debt", "overdraft_limit": 20})).await;
        self.charge(json!({"account_id": account, "credits": 4})).await;
        self.grant(&account, json!({"credits": 6})).await;
        let hold = self.hold(json!({"account_id": account, "credits": 5})).await;
        self.grant(&account, json!({"credits": 8})).await;
        self.named(200, &format!("/v1/holds/{hold}/release"), json!({})).await;
        let hold = self.hold(json!({"account_id": account, "credits": 1})).await;
        let forced = json!({"credits": 40, "excess": "force"});
        self.named(201, &format!("/v1/holds/{hold}/capture"), forced).await;
        account
    }

    async fn erased(&self) -> String {
        let account = self.account(json!({"name": "Erased"})).await;
        let path = format!("/v1/accounts/{account}/grants");
        let granted = json!({"credits": 10, "reference": "their name", "metadata": {"phone": "123"}});
        self.api.post_named(&path, "granted", granted).await.wants(201);
        let charged = json!({"account_id": account, "credits": 1, "reference": "their name again"});
        self.api.post_named("/v1/charges", "charged", charged).await.wants(201);
        let path = format!("/v1/accounts/{account}/adjustments");
        let adjusted = json!({"credits": 1, "reason": "they moved"});
        self.api.post_named(&path, "adjusted", adjusted).await.wants(201);
        self.api.post(&format!("/v1/accounts/{account}/erase"), json!({})).await.wants(200);
        account
    }

    /// An operator's key that has done something, a session of its holder, and one of a customer.
    async fn operators(&self, account: &str) {
        let made = self.api.post("/v1/operator-keys", json!({"name": "second"})).await.wants(201);
        let second = self.api.with_operator_key(&made.text_of("secret"));
        second.sign_in().await;
        let path = format!("/v1/accounts/{account}/portal-sessions");
        second.post(&path, json!({})).await.wants(201);
    }

    async fn closed(&mut self) -> String {
        let account = self.account(json!({"name": "Closed"})).await;
        self.grant(&account, json!({"credits": 10})).await;
        self.charge(json!({"account_id": account, "credits": 1})).await;
        let path = format!("/v1/accounts/{account}");
        let closed = self.api.call(Method::PATCH, &path, &[], Some(json!({"status": "closed"}))).await;
        closed.expect("an answer").wants(200);
        account
    }
}

fn seconds_from_now(seconds: u64) -> String {
    let at = SystemTime::now() + Duration::from_secs(seconds);
    let since_1970 = at.duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970");
    let ms = i64::try_from(since_1970.as_millis()).expect("it is not that late");
    coffer_ledger::Timestamp::from_unix_ms(ms).expect("a time").to_string()
}
