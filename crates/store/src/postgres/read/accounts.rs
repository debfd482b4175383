//! Accounts.

use std::collections::BTreeMap;

use coffer_ledger::{Account, AccountId, AccountRecord, AccountStatus, ExternalId, Hold, Lot, Timestamp};
use tokio_postgres::Row;

use super::moment::{OPEN_HOLDS, OPEN_LOTS, Whose, account_with, fill};
use super::{by_id, each, missing, number, one};
use crate::postgres::database::Database;
use crate::postgres::names::{EXTERNAL_ID, bucket_of_name, external_id_name};
use crate::postgres::statement::{self, Bytes, Call, Form, Given, by_statement};
use crate::rows::{self, Columns};
use crate::{AccountFilter, NameSearch, Page, Span, StoreError};

pub(in crate::postgres) async fn account(
    database: &Database,
    id: AccountId,
) -> Result<Option<Account>, StoreError> {
    let found = account_with(database, Whose::Account(id), Vec::new, |_, _| Ok(Some(()))).await?;
    Ok(found.map(|(account, ())| account))
}

pub(in crate::postgres) async fn account_record(
    database: &Database,
    id: AccountId,
) -> Result<Option<AccountRecord>, StoreError> {
    let profile = || {
        let given = by_id(database.form, id.bucket(), "id", id.bytes());
        vec![given.select(rows::ACCOUNT_PROFILE, "account_profiles", "")]
    };
    let found = account_with(database, Whose::Account(id), profile, |_, more| {
        let profile = one(&more[0], rows::account_profile)?;
        profile.ok_or_else(|| missing(format_args!("the profile of {id}"))).map(Some)
    });
    Ok(found.await?.map(|(account, profile)| AccountRecord { profile, account }))
}

pub(in crate::postgres) async fn account_records(
    database: &Database,
    filter: &AccountFilter,
    span: Span,
) -> Result<Page<AccountRecord>, StoreError> {
    let is_wanted =
        |record: &AccountRecord| filter.status.is_none_or(|status| record.account.status == status);
    if let Some(external_id) = &filter.external_id {
        let found = by_external_id(database, external_id).await?.into_iter();
        let older =
            found.filter(|record| is_wanted(record) && record.profile.id.bytes() < span.before_or_end());
        return Ok(Page::of(older.collect(), span));
    }
    let found = database.records(|| newest(filter.status, span), account_record_row).await?;
    let Page { items, has_more } = Page::of(found, span);
    let mut items = whole(database, items).await?;
    // One that was read again may have another status by now.
    items.retain(is_wanted);
    Ok(Page { items, has_more })
}

pub(in crate::postgres) async fn accounts_named(
    database: &Database,
    search: &NameSearch,
) -> Result<Page<AccountRecord>, StoreError> {
    let found = database.records(|| named(search), account_record_row).await?;
    let Page { items, has_more } = Page::of_up_to(found, search.count_max);
    let mut items = whole(database, items).await?;
    // One that was read again may have another status by now.
    items.retain(|record| search.status.is_none_or(|status| record.account.status == status));
    Ok(Page { items, has_more })
}

pub(in crate::postgres) async fn accounts_due(
    database: &Database,
    until: Timestamp,
    count_max: usize,
) -> Result<Vec<AccountId>, StoreError> {
    let sql = "SELECT id FROM accounts WHERE next_due <= $1 ORDER BY next_due LIMIT $2";
    let call = || Call::over_all_buckets(sql, Vec::new()).with(until.unix_ms()).with(number(count_max));
    database.records(call, rows::account_id).await
}

/// A name in the directory may be no more than reserved, for an account that was never made or that got no such name.
async fn by_external_id(
    database: &Database,
    external_id: &ExternalId,
) -> Result<Option<AccountRecord>, StoreError> {
    let name = [external_id_name(external_id)];
    let owner = || {
        Given::of(database.form, &name, bucket_of_name)
            .with("kind", "text", &name, |_| EXTERNAL_ID)
            .with("name", "bytea", &name, |name| Bytes(*name))
            .select("directory.owner", "directory", "")
    };
    let Some(id) = database.records(owner, rows::account_id).await?.pop() else { return Ok(None) };
    let record = account_record(database, id).await?;
    Ok(record.filter(|record| record.profile.external_id.as_ref() == Some(external_id)))
}

fn newest(status: Option<AccountStatus>, span: Span) -> Call {
    let (profile, account) = (rows::ACCOUNT_PROFILE, rows::ACCOUNT);
    let of_status = if status.is_some() { " AND accounts.status = $3" } else { "" };
    let sql = format!(
        "SELECT {profile}, {account} FROM account_profiles \
         JOIN accounts ON accounts.bucket = account_profiles.bucket AND accounts.id = account_profiles.id \
         WHERE account_profiles.id < $1{of_status} ORDER BY account_profiles.id DESC LIMIT $2"
    );
    let call = Call::over_all_buckets(sql, Vec::new())
        .with(statement::id(span.before_or_end()))
        .with(number(span.count_max + 1));
    match status {
        Some(status) => call.with(rows::account_status(status)),
        None => call,
    }
}

fn named(search: &NameSearch) -> Call {
    let (profile, account) = (rows::ACCOUNT_PROFILE, rows::ACCOUNT);
    // As the index has it.
    let name = "lower(account_profiles.name COLLATE \"C\")";
    let of_status = if search.status.is_some() { " AND accounts.status = $5" } else { "" };
    let sql = format!(
        "SELECT {profile}, {account} FROM account_profiles \
         JOIN accounts ON accounts.bucket = account_profiles.bucket AND accounts.id = account_profiles.id \
         WHERE ({name}, account_profiles.id) > ($1, $2) AND {name} < $3{of_status} \
         ORDER BY {name}, account_profiles.id LIMIT $4"
    );
    let (name, id) = search.lower();
    let call = Call::over_all_buckets(sql, Vec::new())
        .with(name.to_owned())
        .with(statement::id(id))
        .with(search.upper())
        .with(number(search.count_max + 1));
    match search.status {
        Some(status) => call.with(rows::account_status(status)),
        None => call,
    }
}

fn account_record_row(columns: &mut Columns<'_>) -> rows::Result<AccountRecord> {
    Ok(AccountRecord { profile: rows::account_profile(columns)?, account: rows::account(columns)? })
}

/// The records with the open lots and holds of their accounts. Where something happened on an account since its record was
/// read, it is read again by itself.
async fn whole(database: &Database, records: Vec<AccountRecord>) -> Result<Vec<AccountRecord>, StoreError> {
    let ids: Vec<AccountId> = records.iter().map(|record| record.account.id).collect();
    let calls = || {
        let parts = by_statement(database.form, ids.clone(), |id| id.bucket());
        parts.iter().flat_map(|ids| parts_of(database.form, ids)).collect()
    };
    let answers = database.read(calls).await?;
    let mut parts = Parts::default();
    for answers in answers.as_chunks().0 {
        parts.add(answers)?;
    }
    let mut whole = Vec::with_capacity(records.len());
    for mut record in records {
        let id = record.account.id;
        if parts.accounts.get(&id) == Some(&record.account) {
            let (lots, holds) = (parts.lots.remove(&id), parts.holds.remove(&id));
            fill(&mut record.account, lots.unwrap_or_default(), holds.unwrap_or_default());
            whole.push(record);
        } else {
            whole.extend(account_record(database, id).await?);
        }
    }
    Ok(whole)
}

/// What [`Parts`] are made of: the rows of the accounts come last, after what must not have changed before them.
fn parts_of(form: Form, ids: &[AccountId]) -> [Call; 3] {
    let given = |column| {
        Given::of(form, ids, |id| id.bucket()).with(column, "uuid", ids, |id| statement::id(id.bytes()))
    };
    let lots = format!("lots.account_id, {}", rows::LOT);
    [
        given("account_id").select(&lots, "lots", OPEN_LOTS),
        given("account_id").select(rows::HOLD, "holds", OPEN_HOLDS),
        given("id").select(rows::ACCOUNT, "accounts", ""),
    ]
}

/// Many accounts, with their open lots and holds still apart.
#[derive(Default)]
struct Parts {
    lots: BTreeMap<AccountId, Vec<Lot>>,
    holds: BTreeMap<AccountId, Vec<Hold>>,
    accounts: BTreeMap<AccountId, Account>,
}

impl Parts {
    fn add(&mut self, [lots, holds, accounts]: &[Vec<Row>; 3]) -> Result<(), StoreError> {
        let lot = |columns: &mut Columns<'_>| Ok((rows::account_id(columns)?, rows::lot(columns)?));
        for (account_id, lot) in each(lots, lot)? {
            self.lots.entry(account_id).or_default().push(lot);
        }
        for hold in each(holds, rows::hold)? {
            self.holds.entry(hold.account_id).or_default().push(hold);
        }
        let accounts = each(accounts, rows::account)?.into_iter();
        self.accounts.extend(accounts.map(|account| (account.id, account)));
        Ok(())
    }
}
