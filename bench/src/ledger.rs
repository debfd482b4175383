//! A ledger to measure on: how it is filled over HTTP, and the requests that the measurements send.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_load::{Counted, Expected, Order, Pace, Plan, Protocol, Requests, Template, Until, Values};

use crate::client::{BALANCE_PATH, CHARGES_PATH};
use crate::rounds::drive;
use crate::{Failure, Places};

/// What every account is granted where charges are measured: more than any load can take.
pub(crate) const CREDITS_PLENTY: &str = "1000000000";

/// What every account is granted where balances are read.
pub(crate) const CREDITS_READ: &str = "1234";
/// What a read of such a balance answers.
pub(crate) const BALANCE_READ: &str = r#"{"code":100000,"message":{},"result":{"user_credits":"1234"}}"#;

const MAKING_CONNECTIONS: usize = 256;
const GRANTS_PER_CALL: usize = 1_000;
/// How many batches are under way at once.
const CALLERS: usize = 3;
const ACCOUNT_ID_BYTES: usize = 30;
const NAME_DIGITS: usize = 8;
const SECRET_BYTES: usize = "cof_live_".len() + 43 + 6;

/// A server that runs, and the key that opens it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) operator_key: String,
}

/// Accounts that were made, by their ids.
pub(crate) struct Made {
    pub(crate) accounts: Arc<Values>,
    /// How many were made a second, each durable before the next was asked for.
    pub(crate) per_second: u64,
}

impl Target {
    /// Makes accounts, each by one request.
    pub(crate) async fn make_accounts(&self, count: usize) -> Result<Made, Failure> {
        let names = Values::numbers(count, NAME_DIGITS);
        let body = format!(r#"{{"name":"customer {}"}}"#, names.placeholder());
        let requests = self.requests("/v1/accounts", &body, names, Expected::status(201));
        let requests = requests.limited(count as u64).harvesting(r#""id":""#, ACCOUNT_ID_BYTES);
        let (counted, requests) = self.exhaust(requests, MAKING_CONNECTIONS).await?;
        Ok(Made { accounts: Arc::new(requests.harvested()), per_second: counted.per_second(1) })
    }

    /// Grants every account as much, by batches.
    pub(crate) async fn grant_all(&self, accounts: &Arc<Values>, credits: &str) -> Result<(), Failure> {
        // Each account once: all batches are full, but for one where there are fewer accounts.
        let per_call = GRANTS_PER_CALL.min(accounts.len());
        assert!(accounts.len().is_multiple_of(per_call), "the accounts fill whole batches");
        let fields = format!(r#""type":"grant","credits":"{credits}""#);
        let requests = self.batches(accounts, Order::InTurn, per_call, &fields);
        self.exhaust(requests.limited((accounts.len() / per_call) as u64), CALLERS).await.map(drop)
    }

    /// Makes a key for every account, each by one request; answers the secrets.
    pub(crate) async fn make_keys(&self, accounts: &Arc<Values>) -> Result<Arc<Values>, Failure> {
        let path = format!("/v1/accounts/{}/keys", accounts.placeholder());
        let template = self.template(&path, r#"{"name":"only"}"#, &[]);
        let requests = Requests::new(template, Arc::clone(accounts), Order::InTurn, Expected::status(201));
        let requests = requests.limited(accounts.len() as u64).harvesting(r#""secret":""#, SECRET_BYTES);
        Ok(Arc::new(self.exhaust(requests, MAKING_CONNECTIONS).await?.1.harvested()))
    }

    /// Makes accounts to charge, each with more than enough.
    pub(crate) async fn make_rich(&self, count: usize) -> Result<Arc<Values>, Failure> {
        let accounts = self.make_accounts(count).await?.accounts;
        self.grant_all(&accounts, CREDITS_PLENTY).await?;
        Ok(accounts)
    }

    /// Charges all accounts in turn, by batches, until there are so many more entries; answers how many came to be a second.
    pub(crate) async fn charge_many(&self, accounts: &Arc<Values>, entries: usize) -> Result<u64, Failure> {
        let mut per_second = 0;
        for (calls, per_call) in [(entries / BATCH_CHARGES, BATCH_CHARGES), (1, entries % BATCH_CHARGES)] {
            if calls > 0 && per_call > 0 {
                let requests = self.batches_of_charges(accounts, Order::InTurn, per_call);
                let (counted, _) = self.exhaust(requests.limited(calls as u64), CALLERS).await?;
                per_second = per_second.max(counted.per_second(per_call as u64));
            }
        }
        Ok(per_second)
    }

    /// Charges of one credit, each a call of its own under a random idempotency key.
    pub(crate) fn charges(&self, accounts: &Arc<Values>) -> Requests {
        self.charges_at(self.address, accounts)
    }

    /// The same charges sent elsewhere.
    pub(crate) fn charges_at(&self, address: SocketAddr, accounts: &Arc<Values>) -> Requests {
        let body = format!(r#"{{"account_id":"{}","credits":1}}"#, accounts.placeholder());
        let once = [("Idempotency-Key", Template::ONCE)];
        let template = Target { address, ..self.clone() }.template(CHARGES_PATH, &body, &once);
        Requests::new(template, Arc::clone(accounts), Order::ByChance, Expected::status(201))
    }

    /// Batches of charges of one credit, all of which must be done.
    pub(crate) fn batches_of_charges(
        &self,
        accounts: &Arc<Values>,
        order: Order,
        per_call: usize,
    ) -> Requests {
        self.batches(accounts, order, per_call, r#""type":"charge","credits":1"#)
    }

    fn batches(&self, accounts: &Arc<Values>, order: Order, per_call: usize, fields: &str) -> Requests {
        let operation = format!(
            r#"{{"idempotency_key":"{}","account_id":"{}",{fields}}}"#,
            Template::ONCE,
            accounts.placeholder()
        );
        let operations = vec![operation; per_call].join(",");
        let template = self.template("/v1/batch", &format!(r#"{{"operations":[{operations}]}}"#), &[]);
        let has = Some((r#""status":201"#.to_owned(), per_call));
        let expected = Expected { has, ..Expected::status(200) };
        Requests::new(template, Arc::clone(accounts), order, expected)
    }

    fn requests(&self, path: &str, body: &str, values: Values, expected: Expected) -> Requests {
        Requests::new(self.template(path, body, &[]), values.into(), Order::InTurn, expected)
    }

    fn template(&self, path: &str, body: &str, more: &[(&str, &str)]) -> Template {
        let authorization = format!("Bearer {}", self.operator_key);
        let mut headers = vec![("Authorization", authorization.as_str())];
        headers.extend(more);
        Template::http("POST", path, self.address, &headers, body)
    }

    /// Sends requests until there are no more.
    async fn exhaust(&self, requests: Requests, connections: usize) -> Result<(Counted, Requests), Failure> {
        let (address, protocol) = (self.address, Protocol::Http);
        let plan = Plan { address, protocol, connections, pace: Pace::Closed, until: Until::Exhausted };
        drive(plan, requests).await
    }
}

/// How many charges a batch has.
pub(crate) const BATCH_CHARGES: usize = 8_000;

/// Reads of balances, with the keys in turn. Every answer must be that of a live key.
pub(crate) fn balance_reads(address: SocketAddr, keys: &Arc<Values>) -> Requests {
    let key = keys.placeholder();
    let template = Template::http("POST", BALANCE_PATH, address, &[("ZF-API-KEY", &key)], "");
    let expected = Expected { body: Some(BALANCE_READ.to_owned()), ..Expected::status(200) };
    Requests::new(template, Arc::clone(keys), Order::InTurn, expected)
}

/// Keys in a file, one a line.
pub(crate) fn write_keys(keys: &Values, file: &std::path::Path) -> Result<(), Failure> {
    let lines = (0..keys.len()).map(|index| String::from_utf8_lossy(keys.get(index)) + "\n");
    std::fs::write(file, lines.collect::<String>()).map_err(|error| Failure::of("write the keys", error))
}

/// How a closed or open loop over HTTP goes on for a while.
pub(crate) fn plan(address: SocketAddr, connections: usize, pace: Pace, seconds: u64) -> Plan {
    let until = Until::Elapsed(Duration::from_secs(seconds));
    Plan { address, protocol: Protocol::Http, connections, pace, until }
}

/// A Coffer on an embedded store of its own, with accounts to charge.
pub(crate) struct Rich {
    pub(crate) coffer: crate::server::Coffer,
    pub(crate) accounts: Arc<Values>,
    pub(crate) data: tempfile::TempDir,
}

impl Rich {
    pub(crate) async fn start(places: &Places, accounts: usize) -> Result<Rich, Failure> {
        let data = places.temporary()?;
        let coffer = crate::server::Coffer::start(places, data.path(), None).await?;
        let accounts = coffer.target().make_rich(accounts).await?;
        Ok(Rich { coffer, accounts, data })
    }
}
