//! Each account against its entries, and all of them together. Accounts with few entries are looked at many at once.

use std::collections::{BTreeMap, HashSet};

use coffer_ledger::{Account, AccountId, Audit, ChargeId, Credits, Finding, Lot, Seq};
use tokio_postgres::Row;

use super::{LOOKS_MAX, Look, Pages};
use crate::day_sums::{DAY_SUM, DayAudit, optional_day_sum};
use crate::postgres::PostgresError;
use crate::postgres::statement::{Call, id};
use crate::rows::{self, Columns, RowError};

/// How many accounts are looked at together, and how many entries they have together unless one alone has more.
const TOGETHER_MAX: usize = 500;
const ENTRIES_TOGETHER_MAX: u64 = 5_000;

/// What is found in each account.
type Checks = BTreeMap<AccountId, Checked>;

#[derive(Default)]
struct Checked {
    entries: u64,
    findings: Vec<Finding>,
    sums: Vec<(&'static str, i128)>,
}

/// Tells what is wrong with accounts; answers how many there are, and how many entries they have.
pub(super) async fn accounts(
    look: &Look<'_>,
    tell: &mut impl FnMut(Finding),
) -> Result<(u64, u64), PostgresError> {
    let mut sums: BTreeMap<&'static str, i128> = BTreeMap::new();
    let (mut accounts, mut entries) = (0, 0);
    let mut pages = look.all_pages("SELECT bucket, id, seq FROM accounts ORDER BY bucket, id").await?;
    while let Some(page) = pages.next().await? {
        for group in groups(&page, tell) {
            for (_, checked) in checked(look, &group).await? {
                accounts += 1;
                entries += checked.entries;
                checked.findings.into_iter().for_each(&mut *tell);
                for (name, amount) in checked.sums {
                    *sums.entry(name).or_default() += amount;
                }
            }
        }
    }
    let sum = |names: &[&str]| -> i128 { names.iter().filter_map(|name| sums.get(name)).sum() };
    let there = sum(&["available", "held"]);
    if sum(&["grant", "adjust", "refund"]) != there + sum(&["charge", "expire", "void"]) {
        tell("in all accounts together credits were made or lost".to_owned());
    }
    Ok((accounts, entries))
}

/// Accounts of one bucket that are looked at together.
struct Group {
    bucket: i16,
    accounts: Vec<AccountId>,
    entries: u64,
}

impl Group {
    /// Whether an account can be looked at together with these.
    fn takes(&self, bucket: i16, entries: u64) -> bool {
        self.bucket == bucket
            && self.accounts.len() < TOGETHER_MAX
            && self.entries.saturating_add(entries) <= ENTRIES_TOGETHER_MAX
    }

    /// A statement on rows of these accounts, which a column tells.
    fn call(&self, columns: &str, from: &str, account: &str, tail: &str) -> Call {
        // Of one account the index has the rows in order; of several they are sorted.
        let accounts = if self.accounts.len() == 1 { "($2::uuid[])[1]" } else { "ANY ($2::uuid[])" };
        let table = from.split(' ').next().expect("a table has a name");
        let sql = format!(
            "SELECT {columns} FROM {from} WHERE {table}.bucket = $1 AND {account} = {accounts}{tail}"
        );
        let ids: Vec<_> = self.accounts.iter().map(|account| id(account.bytes())).collect();
        // The bucket of the row, which may be another than that of the id.
        Call::over_all_buckets(sql, vec![Box::new(self.bucket)]).with(ids)
    }
}

fn groups(page: &[Row], tell: &mut impl FnMut(Finding)) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in page {
        let bucket: i16 = row.get(0);
        let mut columns = Columns::after(row, 1);
        let (account, entries) = match (rows::account_id(&mut columns), rows::seq(&mut columns)) {
            (Ok(account), Ok(Seq(entries))) => (account, entries),
            (Ok(account), Err(_)) => (account, ENTRIES_TOGETHER_MAX),
            (Err(error), _) => {
                tell(format!("an account cannot be read: {error}"));
                continue;
            }
        };
        match groups.last_mut() {
            Some(group) if group.takes(bucket, entries) => {
                group.accounts.push(account);
                group.entries += entries;
            }
            Some(_) | None => groups.push(Group { bucket, accounts: vec![account], entries }),
        }
    }
    groups
}

/// What is found in accounts each time that they are looked at.
async fn checked(look: &Look<'_>, group: &Group) -> Result<Checks, PostgresError> {
    let mut all = look_at(look, group).await?;
    for _ in 1..LOOKS_MAX {
        let doubtful = all.iter().filter(|(_, checked)| !checked.findings.is_empty());
        let accounts: Vec<AccountId> = doubtful.map(|(account, _)| *account).collect();
        if accounts.is_empty() {
            break;
        }
        let again = Group { bucket: group.bucket, accounts, entries: group.entries };
        for (account, mut checked) in look_at(look, &again).await? {
            let found: HashSet<Finding> = checked.findings.drain(..).collect();
            let before = all.remove(&account).unwrap_or_default();
            checked.findings = before.findings.into_iter().filter(|old| found.contains(old)).collect();
            if checked.findings.is_empty() && !found.is_empty() {
                // It is written to all the time, and what was seen of it is not of one moment.
                checked.sums.clear();
            }
            all.insert(account, checked);
        }
    }
    Ok(all)
}

/// Looks at accounts once. Entries come before everything that must not be older than they are.
async fn look_at(look: &Look<'_>, group: &Group) -> Result<Checks, PostgresError> {
    let refunded = refunded(look, group).await?;
    let book = |account: &AccountId| (*account, Book::of(*account, &refunded));
    let mut books = Books(group.accounts.iter().map(book).collect());
    // Entries through which the sums go do not change; so these may be older than the entries.
    let columns = format!("usage_through.account_id, usage_through.seq, {DAY_SUM}");
    let sums = "usage_through LEFT JOIN usage_days ON usage_days.bucket = usage_through.bucket \
                AND usage_days.account_id = usage_through.account_id";
    let call = group.call(&columns, sums, "usage_through.account_id", "");
    books.read(look.pages(call).await?, Book::usage).await?;
    let columns = format!("entries.account_id, entries.seq, {}, {}", rows::SEAL, rows::ENTRY);
    let call = group.call(&columns, "entries", "account_id", " ORDER BY account_id, seq");
    books.read(look.pages(call).await?, Book::entry).await?;
    let columns = format!("accounts.id, next_due, {}", rows::ACCOUNT);
    books.read(look.pages(group.call(&columns, "accounts", "id", "")).await?, Book::account).await?;
    let columns = format!("grants.account_id, lots.is_open, {}", rows::LOT);
    let lots = "grants JOIN lots ON lots.bucket = grants.bucket AND lots.grant_id = grants.id";
    books.read(look.pages(group.call(&columns, lots, "grants.account_id", "")).await?, Book::lot).await?;
    let columns = format!("holds.account_id, {}", rows::HOLD);
    books.read(look.pages(group.call(&columns, "holds", "account_id", "")).await?, Book::hold).await?;
    let columns = format!("keys.account_id, {}", rows::KEY);
    books.read(look.pages(group.call(&columns, "keys", "account_id", "")).await?, Book::key).await?;
    Ok(books.0.into_iter().map(|(account, book)| (account, book.finish())).collect())
}

/// How much of the accounts' charges has been given back.
async fn refunded(look: &Look<'_>, group: &Group) -> Result<BTreeMap<ChargeId, Credits>, PostgresError> {
    let from = "entries JOIN charge_refunds ON charge_refunds.bucket = entries.bucket \
                AND charge_refunds.charge_id = entries.charge_id";
    let columns = "charge_refunds.charge_id, charge_refunds.refunded";
    let is_charge = " AND entries.kind IN ('charge', 'capture')";
    let mut pages = look.pages(group.call(columns, from, "entries.account_id", is_charge)).await?;
    let mut refunded = BTreeMap::new();
    while let Some(page) = pages.next().await? {
        // What cannot be read is missing from the map, and so is found.
        refunded.extend(page.iter().filter_map(|row| rows::charge_refunded(&mut Columns::of(row)).ok()));
    }
    Ok(refunded)
}

/// The books of accounts.
struct Books<'a>(BTreeMap<AccountId, Book<'a>>);

impl<'a> Books<'a> {
    /// Reads rows into the books, each into that of the account that its first column names.
    async fn read(
        &mut self,
        mut pages: Pages<'_>,
        read: impl Fn(&mut Book<'a>, &mut Columns<'_>) -> rows::Result<()>,
    ) -> Result<(), PostgresError> {
        while let Some(page) = pages.next().await? {
            for row in &page {
                let mut columns = Columns::of(row);
                let account = rows::account_id(&mut columns).ok();
                let Some(book) = account.and_then(|account| self.0.get_mut(&account)) else { continue };
                if let Err(error) = read(book, &mut columns) {
                    book.cannot_be_read(&error);
                }
            }
        }
        Ok(())
    }
}

/// What is read of one account, and what its entries say.
struct Book<'a> {
    id: AccountId,
    audit: Audit<'a>,
    usage: DayAudit,
    entries: u64,
    findings: Vec<Finding>,
    /// The account, with its open lots and holds.
    account: Option<Account>,
    next_due: Option<coffer_ledger::Timestamp>,
}

impl<'a> Book<'a> {
    fn of(id: AccountId, refunded: &'a BTreeMap<ChargeId, Credits>) -> Book<'a> {
        let audit = Audit::of(id, refunded);
        let usage = DayAudit::of(id);
        Book { id, audit, usage, entries: 0, findings: Vec::new(), account: None, next_due: None }
    }

    fn cannot_be_read(&mut self, error: &RowError) {
        self.findings.push(format!("{}: it cannot be read: {error}", self.id));
    }

    fn usage(&mut self, columns: &mut Columns<'_>) -> rows::Result<()> {
        self.usage.note_through(rows::seq(columns)?);
        if let Some(sum) = optional_day_sum(columns)? {
            self.usage.note(sum);
        }
        Ok(())
    }

    fn entry(&mut self, columns: &mut Columns<'_>) -> rows::Result<()> {
        self.entries += 1;
        let (id, seq) = (self.id, rows::seq(columns)?);
        let seal = rows::seal(columns)?;
        match rows::entry(columns) {
            Ok(entry) => {
                if seal.is_none_or(|seal| seal != rows::seal_of_entry(&entry)) {
                    self.findings.push(format!("{id}: entry {}: what it answers has changed", seq.0));
                }
                self.audit.read(&entry);
                self.usage.read(&entry);
            }
            Err(error) => self.findings.push(format!("{id}: entry {} cannot be read: {error}", seq.0)),
        }
        Ok(())
    }

    fn account(&mut self, columns: &mut Columns<'_>) -> rows::Result<()> {
        self.next_due = rows::optional_time(columns)?;
        let account = rows::account(columns)?;
        self.audit.compare_account(&account);
        self.account = Some(account);
        Ok(())
    }

    fn lot(&mut self, columns: &mut Columns<'_>) -> rows::Result<()> {
        let is_open = columns.flag()?;
        let lot = rows::lot(columns)?;
        self.audit.compare_lot(&lot);
        if is_open != (lot.remaining.is_positive() || lot.held.is_positive()) {
            let said = if is_open { "open, and nothing is" } else { "used up, and something is" };
            self.findings.push(format!("{}: {} is noted as {said} left of it", self.id, lot.grant_id));
        }
        if is_open && let Some(account) = &mut self.account {
            account.lots.push(lot);
        }
        Ok(())
    }

    fn hold(&mut self, columns: &mut Columns<'_>) -> rows::Result<()> {
        let hold = rows::hold(columns)?;
        self.audit.compare_hold(&hold);
        if hold.status == coffer_ledger::HoldStatus::Open
            && let Some(account) = &mut self.account
        {
            account.holds.insert(hold);
        }
        Ok(())
    }

    fn key(&mut self, columns: &mut Columns<'_>) -> rows::Result<()> {
        self.audit.compare_key(&rows::key(columns)?);
        Ok(())
    }

    fn finish(mut self) -> Checked {
        let Some(mut account) = self.account else {
            // What is wrong with it has been found where it was read.
            return Checked { entries: self.entries, findings: self.findings, sums: Vec::new() };
        };
        account.lots.sort_by_key(Lot::burn_order);
        if self.next_due != account.next_due() {
            self.findings.push(format!("{}: it is noted to be due at another time than it is", self.id));
        }
        let mut sums: Vec<(&'static str, i128)> = ["grant", "adjust", "refund", "charge", "expire", "void"]
            .into_iter()
            .map(|name| (name, self.audit.sum(name)))
            .collect();
        sums.push(("available", i128::from(account.balance.available.millionths())));
        sums.push(("held", i128::from(account.balance.held.millionths())));
        self.findings.extend(self.audit.finish());
        self.findings.extend(self.usage.finish());
        Checked { entries: self.entries, findings: self.findings, sums }
    }
}
