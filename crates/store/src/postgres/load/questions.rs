//! The statements that load a batch, each with what becomes of its rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use coffer_ledger::{
    AccountId, Bucket, ChargeId, Command, Entry, EntryKind, FurtherNeeds, GrantId, HoldId, HoldStatus,
    IdempotencyKey, KeyId, Needs, Seq, UuidBytes,
};

use super::Found;
use crate::postgres::people;
use crate::postgres::statement::{Call, Form, Given, by_statement, id};
use crate::rows::{self, Columns, RememberedRow};

/// A statement, and what becomes of each of its rows.
pub(super) struct Question {
    pub(super) call: Call,
    pub(super) take: fn(&mut Found, &mut Columns<'_>) -> rows::Result<()>,
}

type Take = fn(&mut Found, &mut Columns<'_>) -> rows::Result<()>;

/// Which entries charges are; the index of charges is for these words.
const IS_CHARGE: &str = "entries.kind IN ('charge', 'capture')";

struct Questions {
    form: Form,
    list: Vec<Question>,
}

impl Questions {
    /// Asks for the rows of a table that have these ids in a column.
    fn by_id(
        &mut self,
        columns: &str,
        (from, column): (&str, &'static str),
        tail: &str,
        ids: Vec<UuidBytes>,
        take: Take,
    ) {
        for part in by_statement(self.form, ids, |id| Bucket(id[15])) {
            let given =
                Given::of(self.form, &part, |id| Bucket(id[15]))
                    .with(column, "uuid", &part, |bytes| id(*bytes));
            self.list.push(Question { call: given.select(columns, from, tail), take });
        }
    }

    /// Asks for rows that have an account and a number.
    fn by_seq(&mut self, columns: &str, from: &str, places: Vec<(AccountId, Seq)>, take: Take) {
        for part in by_statement(self.form, places, |(account_id, _)| account_id.bucket()) {
            let given = Given::of(self.form, &part, |(account_id, _)| account_id.bucket())
                .with("account_id", "uuid", &part, |(account_id, _)| id(account_id.bytes()))
                .with("seq", "bigint", &part, |(_, seq)| i64::try_from(seq.0).unwrap_or(i64::MAX));
            self.list.push(Question { call: given.select(columns, from, ""), take });
        }
    }

    /// Asks for rows that have an account and an idempotency key.
    fn by_name(&mut self, columns: &str, table: &str, names: Vec<(AccountId, IdempotencyKey)>, take: Take) {
        for part in by_statement(self.form, names, |(account_id, _)| account_id.bucket()) {
            let given = Given::of(self.form, &part, |(account_id, _)| account_id.bucket())
                .with("account_id", "uuid", &part, |(account_id, _)| id(account_id.bytes()))
                .with("idempotency_key", "text", &part, |(_, key)| key.as_str().to_owned());
            self.list.push(Question { call: given.select(columns, table, ""), take });
        }
    }

    /// Asks for everything in the bucket of what belongs to no account, which stays locked.
    fn catalogue(&mut self, columns: &str, table: &str, order: &str, take: Take) {
        let bucket: i16 = Bucket::CATALOGUE.0.into();
        let sql =
            format!("SELECT {columns} FROM {table} WHERE {table}.bucket = $1 ORDER BY {order} FOR UPDATE");
        self.list.push(Question { call: Call { sql, arguments: vec![Box::new(bucket)] }, take });
    }
}

/// What the commands name. The accounts come first: they stay locked until the transaction ends, in an order that all
/// batches keep, and what is read after them can no longer change.
pub(super) fn first(form: Form, commands: &[Command], needs: &Needs) -> Vec<Question> {
    let mut questions = Questions { form, list: Vec::new() };
    let accounts = bytes(&needs.accounts, AccountId::bytes);
    let locked = " ORDER BY accounts.bucket, accounts.id FOR UPDATE OF accounts";
    questions.by_id(rows::ACCOUNT, ("accounts", "id"), locked, accounts.clone(), account);
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    questions.list.push(Question { call: Call::over_all_buckets(now, Vec::new()), take: clock });
    let of_account = |columns: &str, table: &str| format!("{table}.account_id, {columns}");
    let lots = of_account(rows::LOT, "lots");
    questions.by_id(&lots, ("lots", "account_id"), " AND lots.is_open", accounts.clone(), open_lot);
    questions.by_id(rows::HOLD, ("holds", "account_id"), " AND holds.status = 'open'", accounts, open_hold);
    named_by_few(&mut questions, needs);
    let names: Vec<_> = needs.remembered.iter().cloned().collect();
    questions.by_name(rows::ENTRY, "entries", names.clone(), answer);
    let remembered = format!("remembered.account_id, remembered.idempotency_key, {}", rows::REMEMBERED);
    questions.by_name(&remembered, "remembered", names, remembered_answer);
    if needs.operator_keys {
        questions.catalogue(rows::OPERATOR_KEY, "operator_keys", "id", operator_key);
    }
    let by_id = people::by_id(form, needs.sessions.iter().copied().collect());
    let by_holder = people::by_holder(form, needs.sessions_of.iter().copied().collect());
    questions.list.extend(by_id.into_iter().chain(by_holder).map(|call| Question { call, take: session }));
    if names_prices(commands) {
        questions.catalogue(rows::PRICE, "prices", "operation", price);
    }
    questions.list
}

/// What only some kinds of commands name.
fn named_by_few(questions: &mut Questions, needs: &Needs) {
    let profiles = bytes(&needs.account_profiles, AccountId::bytes);
    questions.by_id(rows::ACCOUNT_PROFILE, ("account_profiles", "id"), "", profiles, account_profile);
    questions.by_id(
        &grant_columns(),
        ("grants", "id"),
        WITH_LOT,
        bytes(&needs.grants, GrantId::bytes),
        named_grant,
    );
    let charges = bytes(&needs.charges, ChargeId::bytes);
    let is_charge = format!(" AND {IS_CHARGE}");
    questions.by_id(rows::ENTRY, ("entries", "charge_id"), &is_charge, charges.clone(), charge);
    let refunded = "charge_refunds.charge_id, charge_refunds.refunded";
    questions.by_id(refunded, ("charge_refunds", "charge_id"), "", charges.clone(), charge_refunded);
    let its_hold = format!(
        " AND {IS_CHARGE} JOIN holds ON holds.bucket = entries.bucket AND holds.id = entries.hold_id"
    );
    let held_at = "entries.charge_id, holds.created_at";
    questions.by_id(held_at, ("entries", "charge_id"), &its_hold, charges, charge_held_at);
    let holds: Vec<UuidBytes> = needs.holds.iter().map(|(_, id)| id.bytes()).collect();
    questions.by_id(rows::HOLD, ("holds", "id"), "", holds, named_hold);
    keys(questions, &needs.keys);
    let profiles = bytes(&needs.key_profiles, KeyId::bytes);
    questions.by_id(rows::KEY_PROFILE, ("key_profiles", "id"), "", profiles, key_profile);
}

/// What follows from the first answers.
pub(super) fn second(form: Form, further: &FurtherNeeds, found: &Found) -> Vec<Question> {
    let mut questions = Questions { form, list: Vec::new() };
    keys(&mut questions, &further.keys);
    questions.by_id(rows::LOT, ("lots", "grant_id"), "", bytes(&further.lots, GrantId::bytes), closed_lot);
    let note = format!("entries.account_id, entries.seq, {}", rows::NOTE);
    questions.by_seq(&note, "entries", further.notes.iter().copied().collect(), hold_note);
    let (grants, holds) = shown(found);
    questions.by_id(&grant_columns(), ("grants", "id"), WITH_LOT, grants, shown_grant);
    questions.by_id(rows::HOLD, ("holds", "id"), "", holds.clone(), shown_hold);
    let made = format!("holds.id, {}", rows::ENTRY);
    let its_entry = " JOIN entries ON entries.bucket = holds.bucket AND entries.account_id = holds.account_id \
                     AND entries.seq = holds.seq";
    questions.by_id(&made, ("holds", "id"), its_entry, holds, entry_of_hold);
    questions.list
}

/// The account of each of these keys.
pub(super) fn account_of_key(form: Form, keys: &[KeyId]) -> Call {
    Given::of(form, keys, |key| key.bucket()).with("id", "uuid", keys, |key| id(key.bytes())).select(
        "keys.id, keys.account_id",
        "keys",
        "",
    )
}

const WITH_LOT: &str = " JOIN lots ON lots.bucket = grants.bucket AND lots.grant_id = grants.id";

fn grant_columns() -> String {
    format!("{}, {}", rows::GRANT, rows::LOT)
}

fn keys(questions: &mut Questions, keys: &BTreeSet<KeyId>) {
    let keys = bytes(keys, KeyId::bytes);
    questions.by_id(rows::KEY, ("keys", "id"), "", keys.clone(), key);
    let by_time = " ORDER BY retired_secrets.until";
    questions.by_id(rows::RETIRED_SECRET, ("retired_secrets", "key_id"), by_time, keys, retired_secret);
}

/// The grants and the holds that earlier answers show.
fn shown(found: &Found) -> (Vec<UuidBytes>, Vec<UuidBytes>) {
    let of_kinds = |kinds: [EntryKind; 2]| {
        found.answers.iter().filter(move |entry| kinds.contains(&entry.kind)).collect::<Vec<&Entry>>()
    };
    let grants =
        of_kinds([EntryKind::Grant, EntryKind::Void]).into_iter().filter_map(|entry| entry.origin.grant_id);
    let pending = found.remembered.iter().filter_map(|(_, _, row)| match row {
        RememberedRow::PendingGrant(_, id) | RememberedRow::VoidedPendingGrant(_, id) => Some(*id),
        RememberedRow::Refusal(_, _) => None,
    });
    let grants: BTreeSet<GrantId> = grants.chain(pending).collect();
    let holds =
        of_kinds([EntryKind::Hold, EntryKind::Release]).into_iter().filter_map(|entry| entry.origin.hold_id);
    let holds: BTreeSet<HoldId> = holds.collect();
    (bytes(&grants, GrantId::bytes), bytes(&holds, HoldId::bytes))
}

/// Whether a price is set or taken away: then prices are read under a lock, and not from what was read a moment ago.
pub(in crate::postgres) fn names_prices(commands: &[Command]) -> bool {
    commands.iter().any(|command| matches!(command.bare(), Command::PutPrice(_) | Command::DeletePrice(_)))
}

fn bytes<Id: Copy>(ids: &BTreeSet<Id>, bytes: impl Fn(Id) -> UuidBytes) -> Vec<UuidBytes> {
    ids.iter().copied().map(bytes).collect()
}

fn account(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let account = rows::account(columns)?;
    found.snapshot.accounts.insert(account.id, Arc::new(account));
    Ok(())
}

fn clock(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    found.clock = Some(rows::time(columns)?);
    Ok(())
}

fn open_lot(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let (account_id, lot) = (rows::account_id(columns)?, rows::lot(columns)?);
    if let Some(account) = found.snapshot.accounts.get_mut(&account_id) {
        Arc::make_mut(account).lots.push(lot);
    }
    Ok(())
}

fn open_hold(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let hold = rows::hold(columns)?;
    if let Some(account) = found.snapshot.accounts.get_mut(&hold.account_id) {
        Arc::make_mut(account).holds.insert(hold);
    }
    Ok(())
}

fn account_profile(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let profile = rows::account_profile(columns)?;
    found.snapshot.account_profiles.insert(profile.id, profile);
    Ok(())
}

fn named_grant(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let grant = rows::grant(columns)?;
    found.snapshot.grants.insert(grant.lot.grant_id, grant);
    Ok(())
}

fn shown_grant(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let grant = rows::grant(columns)?;
    found.grants.insert(grant.lot.grant_id, grant);
    Ok(())
}

fn charge(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    found.charges.push(rows::entry(columns)?);
    Ok(())
}

fn charge_refunded(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let (id, refunded) = rows::charge_refunded(columns)?;
    found.refunded.insert(id, refunded);
    Ok(())
}

fn charge_held_at(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let id = ChargeId::from_bytes(columns.bytes()?);
    found.held_at.insert(id, rows::time(columns)?);
    Ok(())
}

/// Open ones have come with their account.
fn named_hold(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let hold = rows::hold(columns)?;
    if hold.status != HoldStatus::Open {
        found.snapshot.holds.insert(hold.id, hold);
    }
    Ok(())
}

fn shown_hold(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let hold = rows::hold(columns)?;
    found.holds.insert(hold.id, hold);
    Ok(())
}

fn entry_of_hold(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let id = HoldId::from_bytes(columns.bytes()?);
    found.made.insert(id, rows::entry(columns)?);
    Ok(())
}

fn key(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let key = rows::key(columns)?;
    found.snapshot.keys.insert(key.id, Arc::new(key));
    Ok(())
}

fn retired_secret(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let (id, retired) = rows::retired_secret(columns)?;
    if let Some(key) = found.snapshot.keys.get_mut(&id) {
        Arc::make_mut(key).retired.push(retired);
    }
    Ok(())
}

fn key_profile(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let profile = rows::key_profile(columns)?;
    found.snapshot.key_profiles.insert(profile.id, profile);
    Ok(())
}

fn closed_lot(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let lot = rows::lot(columns)?;
    found.snapshot.lots.insert(lot.grant_id, lot);
    Ok(())
}

fn hold_note(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let place = (rows::account_id(columns)?, rows::seq(columns)?);
    found.snapshot.notes.insert(place, rows::note(columns)?);
    Ok(())
}

fn answer(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    found.answers.push(rows::entry(columns)?);
    Ok(())
}

fn remembered_answer(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let account_id = rows::account_id(columns)?;
    let key = columns.text()?;
    found.remembered.push((account_id, key, rows::remembered(columns)?));
    Ok(())
}

fn operator_key(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let key = rows::operator_key(columns)?;
    found.snapshot.operator_keys.insert(key.id, key);
    Ok(())
}

fn session(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let session = rows::session(columns)?;
    found.snapshot.sessions.insert(session.id, session);
    Ok(())
}

fn price(found: &mut Found, columns: &mut Columns<'_>) -> rows::Result<()> {
    let price = rows::price(columns)?;
    found.snapshot.prices.insert(price.operation.clone(), Arc::new(price));
    Ok(())
}
