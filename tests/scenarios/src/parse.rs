//! How a row reads. A row that makes no sense panics: the tables are part of the code.
//!
//! - `open A [overdraft=5] [external=x]`
//! - `grant A 10 as g1 [priority=20] [category=promotional] [start=60s] [expires=2m] [ref=text]`
//! - `charge A 3 as c1 [ref=text]`, `charge by k1 3 as c1`: of an account, or with a customer's key; `as` is the
//!   idempotency key
//! - `key k1 of A [limit=5/day] [expires=60s]`, `disable k1`, `enable k1`, `revoke k1`
//! - `balance A`, `lots A`, `read k1`: looking
//!
//! Times and lengths of time are `0s`, `90m`, `2h`, `3d` after the beginning.

use coffer_ledger::{Category, Credits, KeyLimit, Period, Priority, Timestamp};

/// Something that a row does.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the module's comment says what each one reads like")]
pub enum Action {
    Open { account: String, overdraft: Credits, external_id: Option<String> },
    Grant(GrantRow),
    Charge(ChargeRow),
    CreateKey(KeyRow),
    SetDisabled { key: String, disabled: bool },
    Revoke { key: String },
    Balance { account: String },
    Lots { account: String },
    Read { key: String },
}

/// A grant to be made.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the module's comment says what each one reads like")]
pub struct GrantRow {
    pub account: String,
    pub credits: Credits,
    pub name: String,
    pub priority: Priority,
    pub category: Category,
    pub effective_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub reference: Option<String>,
}

/// A charge to be made.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the module's comment says what each one reads like")]
pub struct ChargeRow {
    pub payer: Payer,
    pub credits: Credits,
    pub name: String,
    pub reference: Option<String>,
}

/// Who pays for a charge.
#[derive(Clone, Debug)]
pub enum Payer {
    /// An account.
    Account(String),
    /// The account of a customer's key.
    Key(String),
}

/// A key to be made.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the module's comment says what each one reads like")]
pub struct KeyRow {
    pub account: String,
    pub name: String,
    pub limit: Option<KeyLimit>,
    pub expires_at: Option<Timestamp>,
}

/// The time so long after the beginning.
pub(crate) fn after(beginning: Timestamp, text: &str) -> Timestamp {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: i64 = number.parse().unwrap_or_else(|_| panic!("{text} is no length of time"));
    let seconds = match unit {
        "s" => number,
        "m" => number * 60,
        "h" => number * 60 * 60,
        "d" => number * 24 * 60 * 60,
        other => panic!("{other} is no unit of time"),
    };
    Timestamp::from_unix_ms(beginning.unix_ms() + seconds * 1000).expect("a time")
}

pub(crate) fn action(beginning: Timestamp, text: &str) -> Action {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (plain, options): (Vec<&str>, Vec<&str>) = words.into_iter().partition(|word| !word.contains('='));
    let options = Options { beginning, options };
    match plain[..] {
        ["open", account] => Action::Open {
            account: account.to_owned(),
            overdraft: options.get("overdraft").map_or(Credits::ZERO, credits),
            external_id: options.get("external").map(str::to_owned),
        },
        ["grant", account, amount, "as", name] => Action::Grant(GrantRow {
            account: account.to_owned(),
            credits: credits(amount),
            name: name.to_owned(),
            priority: options.get("priority").map_or(Priority::DEFAULT, priority),
            category: options.get("category").map_or(Category::Paid, category),
            effective_at: options.time("start"),
            expires_at: options.time("expires"),
            reference: options.get("ref").map(str::to_owned),
        }),
        ["charge", "by", key, amount, "as", name] => {
            charge(Payer::Key(key.to_owned()), amount, name, &options)
        }
        ["charge", account, amount, "as", name] => {
            charge(Payer::Account(account.to_owned()), amount, name, &options)
        }
        ["key", name, "of", account] => Action::CreateKey(KeyRow {
            account: account.to_owned(),
            name: name.to_owned(),
            limit: options.get("limit").map(limit),
            expires_at: options.time("expires"),
        }),
        ["disable", key] => Action::SetDisabled { key: key.to_owned(), disabled: true },
        ["enable", key] => Action::SetDisabled { key: key.to_owned(), disabled: false },
        ["revoke", key] => Action::Revoke { key: key.to_owned() },
        ["balance", account] => Action::Balance { account: account.to_owned() },
        ["lots", account] => Action::Lots { account: account.to_owned() },
        ["read", key] => Action::Read { key: key.to_owned() },
        _ => panic!("{text} is no action"),
    }
}

fn charge(payer: Payer, amount: &str, name: &str, options: &Options<'_>) -> Action {
    let reference = options.get("ref").map(str::to_owned);
    Action::Charge(ChargeRow { payer, credits: credits(amount), name: name.to_owned(), reference })
}

struct Options<'a> {
    beginning: Timestamp,
    options: Vec<&'a str>,
}

impl Options<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let pairs = self.options.iter().filter_map(|option| option.split_once('='));
        pairs.filter(|(given, _)| *given == name).map(|(_, value)| value).next()
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        self.get(name).map(|text| after(self.beginning, text))
    }
}

fn credits(text: &str) -> Credits {
    text.parse().unwrap_or_else(|error| panic!("{text} {error}"))
}

fn priority(text: &str) -> Priority {
    text.parse().ok().and_then(Priority::new).unwrap_or_else(|| panic!("{text} is no priority"))
}

fn category(text: &str) -> Category {
    match text {
        "paid" => Category::Paid,
        "promotional" => Category::Promotional,
        other => panic!("{other} is no category"),
    }
}

fn limit(text: &str) -> KeyLimit {
    let (amount, period) = text.split_once('/').unwrap_or_else(|| panic!("{text} is no limit"));
    let period = match period {
        "day" => Period::Day,
        "week" => Period::Week,
        "month" => Period::Month,
        "total" => Period::Total,
        other => panic!("{other} is no period"),
    };
    KeyLimit { credits: credits(amount), period }
}
