//! What accounts that nobody uses cost: memory, and time at a restart.
//!
//! They are made through the API over many connections, so this is a first look at write throughput, too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::client::{Client, Operator};
use crate::server::Coffer;
use crate::table::{Row, grouped, in_thousands};
use crate::{Failure, Places};

const ACCOUNTS: usize = 100_000;
const CREDITS: &str = "1234";
const BALANCE: &str = r#"{"code":100000,"message":{},"result":{"user_credits":"1234"}}"#;
/// An account, a grant and a key.
const OPERATIONS_PER_ACCOUNT: usize = 3;
const CONNECTIONS: usize = 256;
const MAKING_MS_MAX: u64 = 15 * 60 * 1000;
/// One key of so many is looked at after the restart.
const KEY_CHECKED_EVERY: usize = 1_000;
/// How long a server is left alone before its memory is read.
const REST_MS: u64 = 3_000;

/// A megabyte is a million bytes.
const MEGABYTE: u64 = 1_000_000;
const RESIDENT_BYTES_MAX: u64 = 150 * MEGABYTE;

pub(crate) async fn measure(places: &Places) -> Result<Vec<Row>, Failure> {
    let data = places.temporary()?;
    let coffer = Coffer::start(places, data.path(), None).await?;
    rest().await;
    let empty_bytes = coffer.server.resident_bytes()?;

    let started = Instant::now();
    let keys = make_accounts(coffer.server.address, &coffer.operator_key).await?;
    let took = started.elapsed();
    rest().await;
    let made_bytes = coffer.server.resident_bytes()?;
    coffer.server.end().await?;

    let coffer = Coffer::start(places, data.path(), None).await?;
    rest().await;
    let restarted_bytes = coffer.server.resident_bytes()?;
    check_keys(coffer.server.address, &keys).await?;
    let start_ms = coffer.start_ms;
    coffer.server.end().await?;

    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let operations = (ACCOUNTS * OPERATIONS_PER_ACCOUNT) as u64;
    let accounts = grouped(ACCOUNTS as u64);
    let goal = format!("<= {}", megabytes(RESIDENT_BYTES_MAX));
    let memory =
        |work: String, bytes| Row::new(work, megabytes(bytes)).goal(&goal, bytes <= RESIDENT_BYTES_MAX);
    Ok(vec![
        Row::new("memory of an empty server", megabytes(empty_bytes)),
        memory(format!("memory with {accounts} idle accounts, just made"), made_bytes),
        memory(format!("memory with {accounts} idle accounts, after a restart"), restarted_bytes),
        Row::new(
            format!("start with {accounts} accounts until ready"),
            format!("{} s", in_thousands(start_ms)),
        ),
        Row::new(
            format!("accounts, grants and keys made over {CONNECTIONS} connections"),
            format!("{}/s ({} s)", grouped(operations * 1000 / took_ms.max(1)), in_thousands(took_ms)),
        ),
    ])
}

/// Makes the accounts; answers some of their keys.
async fn make_accounts(address: SocketAddr, operator_key: &str) -> Result<Vec<String>, Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut makers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut operator = Operator::connect(address, operator_key).await?;
        let next = Arc::clone(&next);
        makers.spawn(async move {
            let mut keys = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= ACCOUNTS {
                    return Ok::<_, Failure>(keys);
                }
                let key = operator.account_with_key(number, CREDITS).await?;
                if number.is_multiple_of(KEY_CHECKED_EVERY) {
                    keys.push(key);
                }
            }
        });
    }
    let all = async {
        let mut keys = Vec::new();
        while let Some(made) = makers.join_next().await {
            keys.extend(made.map_err(|error| Failure::of("make accounts", error))??);
        }
        Ok(keys)
    };
    let made = tokio::time::timeout(Duration::from_millis(MAKING_MS_MAX), all).await;
    made.map_err(|late| Failure::of("make accounts", late))?
}

async fn check_keys(address: SocketAddr, keys: &[String]) -> Result<(), Failure> {
    let mut client = Client::connect(address).await?;
    for key in keys {
        let answer = client.balance(key).await?;
        if answer.text() != BALANCE {
            return Err(Failure(format!("a key answered after the restart: {}", answer.text())));
        }
    }
    Ok(())
}

async fn rest() {
    tokio::time::sleep(Duration::from_millis(REST_MS)).await;
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", in_thousands(bytes / 1000))
}
