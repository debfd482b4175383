//! Rows and what they mean: plain functions between SQLite's values and the ledger's types.
//!
//! A value that means nothing is an error of the row, never a guess.

use std::collections::BTreeMap;

use coffer_ledger::{
    Account, AccountProfile, AccountStatus, Balance, Category, Credits, Entry, EntryHash, EntryKind,
    Fingerprint, Grant, Idempotency, Key, KeyLimit, KeyProfile, Lot, LotChange, Metadata, Note, OperatorKey,
    Origin, Period, Priority, Refusal, Salt, Scope, Scopes, SecretHash, Seq, Spent, Timestamp, Totals,
    Window,
};
use coffer_ledger::{AccountId, ChargeId, GrantId, HoldId, KeyId, OperatorKeyId};
use rusqlite::Row;
use rusqlite::types::Type;

pub(super) type Result<Value> = rusqlite::Result<Value>;

/// Reads a row column by column, in the order in which the statement names them.
pub(super) struct Columns<'row> {
    row: &'row Row<'row>,
    next: usize,
}

impl<'row> Columns<'row> {
    pub(super) fn of(row: &'row Row<'row>) -> Columns<'row> {
        Columns { row, next: 0 }
    }

    fn raw<Value: rusqlite::types::FromSql>(&mut self) -> Result<Value> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// The error for a column that holds what it cannot mean.
    fn meaningless(&self, what: &str) -> rusqlite::Error {
        let message = format!("a row holds no {what}");
        rusqlite::Error::FromSqlConversionFailure(self.next - 1, Type::Null, message.into())
    }

    fn parsed<Value>(&mut self, what: &str, parse: impl FnOnce(&str) -> Option<Value>) -> Result<Value> {
        let text: String = self.raw()?;
        parse(&text).ok_or_else(|| self.meaningless(what))
    }

    fn credits(&mut self) -> Result<Credits> {
        let millionths = self.raw()?;
        Credits::from_millionths(millionths).ok_or_else(|| self.meaningless("amount in range"))
    }

    fn optional_credits(&mut self) -> Result<Option<Credits>> {
        let millionths: Option<i64> = self.raw()?;
        millionths
            .map(|millionths| {
                Credits::from_millionths(millionths).ok_or_else(|| self.meaningless("amount in range"))
            })
            .transpose()
    }

    fn time(&mut self) -> Result<Timestamp> {
        let ms = self.raw()?;
        Timestamp::from_unix_ms(ms).ok_or_else(|| self.meaningless("time"))
    }

    fn optional_time(&mut self) -> Result<Option<Timestamp>> {
        let ms: Option<i64> = self.raw()?;
        ms.map(|ms| Timestamp::from_unix_ms(ms).ok_or_else(|| self.meaningless("time"))).transpose()
    }

    fn text<Text: TryFrom<String>>(&mut self) -> Result<Text> {
        let text: String = self.raw()?;
        Text::try_from(text).map_err(|_| self.meaningless("text within its limits"))
    }

    fn optional_text<Text: TryFrom<String>>(&mut self) -> Result<Option<Text>> {
        let text: Option<String> = self.raw()?;
        text.map(|text| Text::try_from(text).map_err(|_| self.meaningless("text within its limits")))
            .transpose()
    }

    fn metadata(&mut self) -> Result<Metadata> {
        let json: Option<String> = self.raw()?;
        let Some(json) = json else { return Ok(Metadata::default()) };
        let pairs: Option<BTreeMap<String, String>> = serde_json::from_str(&json).ok();
        pairs.and_then(|pairs| Metadata::try_from(pairs).ok()).ok_or_else(|| self.meaningless("metadata"))
    }

    fn account_id(&mut self) -> Result<AccountId> {
        self.raw().map(AccountId::from_bytes)
    }

    fn key_id(&mut self) -> Result<KeyId> {
        self.raw().map(KeyId::from_bytes)
    }

    fn secret(&mut self) -> Result<SecretHash> {
        self.raw().map(SecretHash::from_bytes)
    }

    fn count(&mut self) -> Result<u32> {
        self.raw()
    }

    fn window(&mut self) -> Result<Window> {
        Ok(Window { starts_at: self.time()?, credits: self.credits()? })
    }
}

pub(super) fn account_id(columns: &mut Columns<'_>) -> Result<AccountId> {
    columns.account_id()
}

pub(super) fn time(columns: &mut Columns<'_>) -> Result<Timestamp> {
    columns.time()
}

pub(super) const ACCOUNT: &str = "accounts.id, status, overdraft_limit, available, held, debt, grants_made, \
     seq, head, last_at, granted, adjusted, refunded, spent, expired, voided";

/// An account without its lots.
pub(super) fn account(columns: &mut Columns<'_>) -> Result<Account> {
    Ok(Account {
        id: columns.account_id()?,
        status: columns.parsed("account status", parse_account_status)?,
        overdraft_limit: columns.credits()?,
        balance: Balance { available: columns.credits()?, held: columns.credits()? },
        debt: columns.credits()?,
        grants_made: columns.count()?,
        seq: Seq(columns.raw()?),
        head: EntryHash(columns.raw()?),
        last_at: columns.time()?,
        totals: Totals {
            granted: columns.credits()?,
            adjusted: columns.credits()?,
            refunded: columns.credits()?,
            spent: columns.credits()?,
            expired: columns.credits()?,
            voided: columns.credits()?,
        },
        lots: Vec::new(),
    })
}

pub(super) const fn account_status(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Active => "active",
        AccountStatus::Frozen => "frozen",
        AccountStatus::Closed => "closed",
    }
}

fn parse_account_status(text: &str) -> Option<AccountStatus> {
    let all = [AccountStatus::Active, AccountStatus::Frozen, AccountStatus::Closed];
    all.into_iter().find(|status| account_status(*status) == text)
}

pub(super) const ACCOUNT_PROFILE: &str = "account_profiles.id, name, external_id, metadata, created_at";

pub(super) fn account_profile(columns: &mut Columns<'_>) -> Result<AccountProfile> {
    Ok(AccountProfile {
        id: columns.account_id()?,
        name: columns.text()?,
        external_id: columns.optional_text()?,
        metadata: columns.metadata()?,
        created_at: columns.time()?,
    })
}

pub(super) const LOT: &str = "lots.grant_id, creation_order, category, priority, effective_at, expires_at, \
     granted, remaining, held, expired, started, voided";

pub(super) fn lot(columns: &mut Columns<'_>) -> Result<Lot> {
    Ok(Lot {
        grant_id: GrantId::from_bytes(columns.raw()?),
        order: columns.count()?,
        category: columns.parsed("category", parse_category)?,
        priority: {
            let priority = columns.raw()?;
            Priority::new(priority).ok_or_else(|| columns.meaningless("priority"))?
        },
        effective_at: columns.time()?,
        expires_at: columns.optional_time()?,
        granted: columns.credits()?,
        remaining: columns.credits()?,
        held: columns.credits()?,
        expired: columns.credits()?,
        started: columns.raw()?,
        voided: columns.raw()?,
    })
}

pub(super) const fn category(category: Category) -> &'static str {
    match category {
        Category::Paid => "paid",
        Category::Promotional => "promotional",
    }
}

fn parse_category(text: &str) -> Option<Category> {
    [Category::Paid, Category::Promotional].into_iter().find(|known| category(*known) == text)
}

/// What a grant has besides its lot; the lot's columns come behind it.
pub(super) const GRANT: &str = "grants.account_id, reference, metadata, created_at";

pub(super) fn grant(columns: &mut Columns<'_>) -> Result<Grant> {
    let account_id = columns.account_id()?;
    let reference = columns.optional_text()?;
    let metadata = columns.metadata()?;
    let created_at = columns.time()?;
    Ok(Grant { account_id, lot: lot(columns)?, reference, metadata, created_at })
}

pub(super) const ENTRY: &str = "account_id, seq, kind, credits, held_credits, available_after, held_after, lots, \
     grant_id, charge_id, hold_id, key_id, reference, metadata, salt, at, idempotency_key, fingerprint, hash";

pub(super) fn entry(columns: &mut Columns<'_>) -> Result<Entry> {
    Ok(Entry {
        account_id: columns.account_id()?,
        seq: Seq(columns.raw()?),
        kind: columns.parsed("kind of entry", parse_entry_kind)?,
        credits: columns.credits()?,
        held_credits: columns.credits()?,
        balance_after: Balance { available: columns.credits()?, held: columns.credits()? },
        lots: {
            let bytes: Vec<u8> = columns.raw()?;
            parse_lot_changes(&bytes).ok_or_else(|| columns.meaningless("list of lots"))?
        },
        origin: Origin {
            grant_id: columns.raw::<Option<_>>()?.map(GrantId::from_bytes),
            charge_id: columns.raw::<Option<_>>()?.map(ChargeId::from_bytes),
            hold_id: columns.raw::<Option<_>>()?.map(HoldId::from_bytes),
            key_id: columns.raw::<Option<_>>()?.map(KeyId::from_bytes),
        },
        note: Note {
            reference: columns.optional_text()?,
            metadata: columns.metadata()?,
            salt: columns.raw::<Option<_>>()?.map(Salt),
        },
        at: columns.time()?,
        idempotency: idempotency(columns)?,
        hash: EntryHash(columns.raw()?),
    })
}

fn idempotency(columns: &mut Columns<'_>) -> Result<Option<Idempotency>> {
    let key = columns.optional_text()?;
    let fingerprint: Option<[u8; 32]> = columns.raw()?;
    match (key, fingerprint) {
        (Some(key), Some(fingerprint)) => {
            Ok(Some(Idempotency { key, fingerprint: Fingerprint(fingerprint) }))
        }
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(columns.meaningless("whole idempotency record")),
    }
}

fn parse_entry_kind(text: &str) -> Option<EntryKind> {
    [EntryKind::Grant, EntryKind::Charge, EntryKind::Expire].into_iter().find(|kind| kind.as_str() == text)
}

const OVERDRAFT: [u8; 16] = [0; 16];
const LOT_CHANGE_BYTES: usize = 24;

pub(super) fn lot_changes(lots: &[LotChange]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(lots.len() * LOT_CHANGE_BYTES);
    for lot in lots {
        bytes.extend(lot.grant_id.map_or(OVERDRAFT, GrantId::bytes));
        bytes.extend(lot.credits.millionths().to_be_bytes());
    }
    bytes
}

fn parse_lot_changes(bytes: &[u8]) -> Option<Vec<LotChange>> {
    let (changes, rest) = bytes.as_chunks::<LOT_CHANGE_BYTES>();
    if !rest.is_empty() {
        return None;
    }
    let change = |bytes: &[u8; LOT_CHANGE_BYTES]| {
        let (id, credits) = bytes.split_first_chunk::<16>()?;
        let credits = i64::from_be_bytes(credits.try_into().ok()?);
        let grant_id = (*id != OVERDRAFT).then_some(GrantId::from_bytes(*id));
        Some(LotChange { grant_id, credits: Credits::from_millionths(credits)? })
    };
    changes.iter().map(change).collect()
}

pub(super) const KEY: &str = "keys.id, account_id, secret, disabled, revoked_at, expires_at, limit_credits, \
     limit_period, day_starts_at, day_spent, week_starts_at, week_spent, month_starts_at, month_spent, total_spent";

pub(super) fn key(columns: &mut Columns<'_>) -> Result<Key> {
    Ok(Key {
        id: columns.key_id()?,
        account_id: columns.account_id()?,
        secret: columns.secret()?,
        disabled: columns.raw()?,
        revoked_at: columns.optional_time()?,
        expires_at: columns.optional_time()?,
        limit: key_limit(columns)?,
        spent: Spent {
            day: columns.window()?,
            week: columns.window()?,
            month: columns.window()?,
            total: Window { starts_at: Timestamp::MIN, credits: columns.credits()? },
        },
    })
}

fn key_limit(columns: &mut Columns<'_>) -> Result<Option<KeyLimit>> {
    let credits = columns.optional_credits()?;
    let name: Option<String> = columns.raw()?;
    match (credits, name.as_deref().map(parse_period)) {
        (Some(credits), Some(Some(period))) => Ok(Some(KeyLimit { credits, period })),
        (None, None) => Ok(None),
        (Some(_), Some(None) | None) | (None, Some(_)) => Err(columns.meaningless("whole cap")),
    }
}

pub(super) const fn period(period: Period) -> &'static str {
    match period {
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
        Period::Total => "total",
    }
}

fn parse_period(text: &str) -> Option<Period> {
    let all = [Period::Day, Period::Week, Period::Month, Period::Total];
    all.into_iter().find(|known| period(*known) == text)
}

pub(super) const KEY_PROFILE: &str = "key_profiles.id, name, hint, metadata, created_at";

pub(super) fn key_profile(columns: &mut Columns<'_>) -> Result<KeyProfile> {
    Ok(KeyProfile {
        id: columns.key_id()?,
        name: columns.text()?,
        hint: columns.text()?,
        metadata: columns.metadata()?,
        created_at: columns.time()?,
    })
}

pub(super) const OPERATOR_KEY: &str = "id, name, secret, hint, scopes, created_at, revoked_at";

pub(super) fn operator_key(columns: &mut Columns<'_>) -> Result<OperatorKey> {
    Ok(OperatorKey {
        id: OperatorKeyId::from_bytes(columns.raw()?),
        name: columns.text()?,
        secret: columns.secret()?,
        hint: columns.text()?,
        scopes: columns.parsed("scopes", parse_scopes)?,
        created_at: columns.time()?,
        revoked_at: columns.optional_time()?,
    })
}

pub(super) fn scopes(scopes: Scopes) -> String {
    scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
}

fn parse_scopes(text: &str) -> Option<Scopes> {
    let scopes: Option<Vec<Scope>> = text.split(' ').map(|scope| scope.parse().ok()).collect();
    Scopes::of(scopes?)
}

/// What is remembered apart from entries: a grant that starts later, or a refusal.
pub(super) const REMEMBERED: &str = "fingerprint, grant_id, refusal, required, left_over";

pub(super) enum RememberedRow {
    PendingGrant(Fingerprint, GrantId),
    Refusal(Fingerprint, Refusal),
}

pub(super) fn remembered(columns: &mut Columns<'_>) -> Result<RememberedRow> {
    let fingerprint = Fingerprint(columns.raw()?);
    let grant_id: Option<[u8; 16]> = columns.raw()?;
    if let Some(grant_id) = grant_id {
        return Ok(RememberedRow::PendingGrant(fingerprint, GrantId::from_bytes(grant_id)));
    }
    let name: String = columns.raw()?;
    let amounts = (columns.optional_credits()?, columns.optional_credits()?);
    let refusal = parse_refusal(&name, amounts).ok_or_else(|| columns.meaningless("refusal"))?;
    Ok(RememberedRow::Refusal(fingerprint, refusal))
}

/// The name and the amounts under which a refusal is kept; `None` for those that are not remembered.
pub(super) fn refusal(refusal: &Refusal) -> Option<(&'static str, Option<Credits>, Option<Credits>)> {
    match refusal {
        Refusal::KeyLimitIsExceeded { required, remaining } => {
            Some(("key_limit_exceeded", Some(*required), Some(*remaining)))
        }
        Refusal::CreditsAreInsufficient { required, available } => {
            Some(("insufficient_credits", Some(*required), Some(*available)))
        }
        Refusal::BalanceIsOutOfRange => Some(("balance_out_of_range", None, None)),
        Refusal::TooManyGrantsAreOpen => Some(("too_many_grants_open", None, None)),
        Refusal::AccountIsClosed => Some(("account_closed", None, None)),
        Refusal::AccountIsUnknown
        | Refusal::AccountIsFrozen
        | Refusal::ExternalIdIsTaken(_)
        | Refusal::KeyIsUnknown
        | Refusal::KeyIsRevoked
        | Refusal::ApiKeyIsDead
        | Refusal::SecretIsTaken
        | Refusal::OperatorKeyIsUnknown
        | Refusal::LastOperatorKeyMustLive
        | Refusal::ExpiryIsNotInTheFuture { .. }
        | Refusal::ExpiryIsNotAfterStart
        | Refusal::IdempotencyKeyWasReused => None,
    }
}

fn parse_refusal(name: &str, amounts: (Option<Credits>, Option<Credits>)) -> Option<Refusal> {
    match (name, amounts) {
        ("key_limit_exceeded", (Some(required), Some(remaining))) => {
            Some(Refusal::KeyLimitIsExceeded { required, remaining })
        }
        ("insufficient_credits", (Some(required), Some(available))) => {
            Some(Refusal::CreditsAreInsufficient { required, available })
        }
        ("balance_out_of_range", (None, None)) => Some(Refusal::BalanceIsOutOfRange),
        ("too_many_grants_open", (None, None)) => Some(Refusal::TooManyGrantsAreOpen),
        ("account_closed", (None, None)) => Some(Refusal::AccountIsClosed),
        _ => None,
    }
}

pub(super) fn metadata(metadata: &Metadata) -> String {
    serde_json::to_string(metadata.pairs()).expect("strings can be written as JSON")
}
