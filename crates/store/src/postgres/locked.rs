//! Which commands of a batch name what others have locked: somebody's transaction that stays open, or that of a node which
//! stands still.
//!
//! The same rows are read twice at one moment, as they are and with those left out that are locked (`SKIP LOCKED`). What is
//! missing is locked. Both go by bucket and id, in a transaction that is rolled back at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use coffer_ledger::{AccountId, Bucket, Command, KeyId, Needs};
use deadpool_postgres::Object;
use tokio::time::timeout;

use super::PostgresStore;
use super::database::silent;
use super::load::{accounts_of_keys, names_prices};
use super::pipeline::{Pipeline, prepared};
use super::statement::{Call, Form, Given, by_statement, id};
use crate::StoreError;
use crate::rows::Columns;

/// How long it may take to find out.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// What leaves out rows that others have locked.
const FREE: &str = " FOR UPDATE SKIP LOCKED";

/// What is locked of what a batch names.
struct Locked {
    accounts: BTreeSet<AccountId>,
    accounts_of_keys: BTreeMap<KeyId, AccountId>,
    has_prices: bool,
    has_operator_keys: bool,
}

impl PostgresStore {
    /// The places of the commands that others keep from being carried out. All commands of an account are among them, or
    /// none.
    pub(super) async fn locked_by_others(
        &self,
        commands: &[Command],
        needs: &Needs,
    ) -> Result<Vec<usize>, StoreError> {
        let connection = self.database.writer().await?;
        let Ok(locked) = timeout(LOOK_MAX, look(&connection, self.database.form, commands, needs)).await
        else {
            drop(Object::take(connection));
            return Err(silent());
        };
        let locked = locked?;
        let places = commands.iter().enumerate().filter(|(_, command)| locked.stops(command));
        Ok(places.map(|(place, _)| place).collect())
    }
}

impl Locked {
    fn stops(&self, command: &Command) -> bool {
        let needs = Needs::of(std::slice::from_ref(command));
        let keys = needs.key_profiles.iter().filter_map(|key| self.accounts_of_keys.get(key));
        let is_of_prices = names_prices(std::slice::from_ref(command));
        needs.accounts.iter().chain(keys).any(|account| self.accounts.contains(account))
            || self.has_prices && is_of_prices
            || self.has_operator_keys && needs.operator_keys
    }
}

async fn look(
    connection: &Object,
    form: Form,
    commands: &[Command],
    needs: &Needs,
) -> Result<Locked, StoreError> {
    let accounts_of_keys = accounts_of_keys(connection, form, needs).await?;
    let named: BTreeSet<AccountId> =
        needs.accounts.iter().chain(accounts_of_keys.values()).copied().collect();
    let parts = by_statement(form, named.into_iter().collect(), |id| id.bucket());
    let (of_accounts, of_prices) = (parts.len(), usize::from(names_prices(commands)));
    let mut calls: Vec<Call> =
        parts.iter().flat_map(|part| ["", FREE].map(|tail| accounts(form, part, tail))).collect();
    if of_prices > 0 {
        calls.extend(["", FREE].map(|tail| of_catalogue("prices", tail)));
    }
    if needs.operator_keys {
        calls.extend(["", FREE].map(|tail| of_catalogue("operator_keys", tail)));
    }
    let prepared = prepared(connection, calls).await?;
    let mut pipeline = Pipeline::on(connection);
    pipeline.send_text("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await;
    for (statement, arguments) in prepared {
        pipeline.send(statement, arguments).await;
    }
    pipeline.send_text("ROLLBACK").await;
    let answers = pipeline.answers().await.map_err(|(_, error)| error)?;
    let mut pairs = answers[1..answers.len() - 1].chunks_exact(2);
    let mut accounts = BTreeSet::new();
    for pair in pairs.by_ref().take(of_accounts) {
        for row in &pair[0] {
            accounts.insert(AccountId::from_bytes(Columns::of(row).bytes()?));
        }
        for row in &pair[1] {
            accounts.remove(&AccountId::from_bytes(Columns::of(row).bytes()?));
        }
    }
    let mut is_short = || pairs.next().is_some_and(|pair| pair[1].len() < pair[0].len());
    let has_prices = of_prices > 0 && is_short();
    let has_operator_keys = needs.operator_keys && is_short();
    Ok(Locked { accounts, accounts_of_keys, has_prices, has_operator_keys })
}

fn accounts(form: Form, ids: &[AccountId], tail: &str) -> Call {
    let of = if tail.is_empty() { String::new() } else { tail.replace("UPDATE", "UPDATE OF accounts") };
    Given::of(form, ids, |id| id.bucket()).with("id", "uuid", ids, |account| id(account.bytes())).select(
        "accounts.id",
        "accounts",
        &of,
    )
}

fn of_catalogue(table: &str, tail: &str) -> Call {
    Call::in_bucket(
        Bucket::CATALOGUE,
        format!("SELECT {table}.id FROM {table} WHERE {table}.bucket = $1{tail}"),
    )
}
