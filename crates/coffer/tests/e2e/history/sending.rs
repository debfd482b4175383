//! How requests go over the wire, and answers come back or are lost.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::credits::Credits;
use super::record::{Clock, Operation, Payer, Read, Request, Seen, Told, Try};
use crate::support::{Answer, Api, BALANCE_PATH};

/// Long enough that no hold runs out during a run.
const HOLD_SECONDS: u64 = 86_400;
const UNAVAILABLE: u16 = 503;

/// An account of a run.
pub(crate) struct Account {
    pub(crate) number: usize,
    pub(crate) id: String,
    /// A customer's key.
    pub(crate) secret: String,
    pub(crate) overdraft_limit: Credits,
}

/// Sends to one node after the other, and looks at the clock before and after.
pub(crate) struct Sender {
    nodes: Vec<Api>,
    clock: Clock,
    sent: AtomicUsize,
}

impl Sender {
    pub(crate) fn to(nodes: Vec<Api>) -> Sender {
        Sender { nodes, clock: Clock::start(), sent: AtomicUsize::new(0) }
    }

    /// The node whose turn it is. Twins and retries go to another than the first try, if there is one.
    pub(crate) fn api(&self) -> &Api {
        &self.nodes[self.sent.fetch_add(1, Ordering::Relaxed) % self.nodes.len()]
    }

    /// Sends an operation once. Whoever loses patience hangs up, and does not know what the server makes of it.
    pub(crate) async fn send(&self, account: &Account, operation: &Operation, patience: Duration) -> Try {
        let (path, body) = wire(account, operation);
        let headers = [("Idempotency-Key", operation.name.as_str())];
        let call = self.api().call(Method::POST, &path, &headers, Some(body));
        let invoked = self.clock.now();
        let answer = tokio::time::timeout(patience, call).await;
        let at = self.clock.now();
        let Ok(Ok(answer)) = answer else { return Try { invoked, answer: None } };
        // It may mean that the fate of a commit is unknown.
        if answer.status == UNAVAILABLE {
            return Try { invoked, answer: None };
        }
        let (status, replayed) = (answer.status, answer.is_replayed());
        Try { invoked, answer: Some(Told { at, status, replayed, text: answer.text }) }
    }

    /// Reads a balance once. A read that is not answered has shown nothing; `Err` is what no read may answer.
    pub(crate) async fn read(
        &self,
        account: &Account,
        reader: Reader,
        patience: Duration,
    ) -> Result<Option<Read>, String> {
        let path = format!("/v1/accounts/{}/balance", account.id);
        let headers = [("ZF-API-KEY", account.secret.as_str())];
        let (method, path, headers) = match reader {
            Reader::Customer => (Method::POST, BALANCE_PATH, &headers[..]),
            Reader::Operator => (Method::GET, path.as_str(), &[][..]),
        };
        let invoked = self.clock.now();
        let answer = tokio::time::timeout(patience, self.api().call(method, path, headers, None)).await;
        let answered = self.clock.now();
        let Ok(Ok(answer)) = answer else { return Ok(None) };
        if answer.status == UNAVAILABLE {
            return Ok(None);
        }
        let seen = match reader {
            Reader::Customer => seen_by_customer(&answer),
            Reader::Operator => seen_by_operator(&answer),
        };
        let seen = seen.ok_or_else(|| format!("to a read of {}: {answer:?}", account.id))?;
        Ok(Some(Read { account: account.number, invoked, answered, seen }))
    }
}

/// Who reads a balance.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reader {
    Customer,
    Operator,
}

fn seen_by_customer(answer: &Answer) -> Option<Seen> {
    let body: Value = serde_json::from_str(&answer.text).ok()?;
    let is_told = answer.status == 200 && body["code"] == 100_000;
    let available = Credits::parse(body["result"]["user_credits"].as_str()?)?;
    is_told.then_some(Seen::ByCustomer { available })
}

fn seen_by_operator(answer: &Answer) -> Option<Seen> {
    let body: Value = serde_json::from_str(&answer.text).ok()?;
    let credits = |field: &str| Credits::parse(body[field].as_str()?);
    let (available, held, seq) = (credits("available")?, credits("held")?, body["seq"].as_u64()?);
    (answer.status == 200).then_some(Seen::ByOperator { available, held, seq })
}

/// An operation's path and body. Whatever may carry a reference carries the operation's name.
fn wire(account: &Account, operation: &Operation) -> (String, Value) {
    let name = &operation.name;
    let spend = |credits: &Credits, payer: &Payer| match payer {
        Payer::Account => {
            json!({"account_id": account.id, "credits": credits.to_string(), "reference": name})
        }
        Payer::CustomersKey => {
            json!({"api_key": account.secret, "credits": credits.to_string(), "reference": name})
        }
    };
    match &operation.request {
        Request::Grant { credits } => (
            format!("/v1/accounts/{}/grants", account.id),
            json!({"credits": credits.to_string(), "reference": name}),
        ),
        Request::Charge { credits, payer } => ("/v1/charges".to_owned(), spend(credits, payer)),
        Request::Hold { credits, payer } => {
            let mut body = spend(credits, payer);
            body["expires_in"] = HOLD_SECONDS.into();
            ("/v1/holds".to_owned(), body)
        }
        Request::Capture { hold, credits, is_final } => {
            (format!("/v1/holds/{hold}/capture"), json!({"credits": credits.to_string(), "final": is_final}))
        }
        Request::Release { hold } => (format!("/v1/holds/{hold}/release"), json!({})),
        Request::Refund { charge, credits: Some(credits) } => {
            (format!("/v1/charges/{charge}/refund"), json!({"credits": credits.to_string()}))
        }
        Request::Refund { charge, credits: None } => (format!("/v1/charges/{charge}/refund"), json!({})),
    }
}
