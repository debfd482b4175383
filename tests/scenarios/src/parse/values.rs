//! Times, amounts and options.

use coffer_ledger::{Category, Credits, Excess, KeyLimit, Period, Priority, Quantity, Rate, Timestamp};

use crate::rows::{RowCost, Secret};

/// The time so long after the beginning.
pub(crate) fn after(beginning: Timestamp, text: &str) -> Timestamp {
    Timestamp::from_unix_ms(beginning.unix_ms() + length_ms(text)).expect("a time")
}

fn length_ms(text: &str) -> i64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: i64 = number.parse().unwrap_or_else(|_| panic!("{text} is no length of time"));
    let seconds = match unit {
        "s" => number,
        "m" => number * 60,
        "h" => number * 60 * 60,
        "d" => number * 24 * 60 * 60,
        other => panic!("{other} is no unit of time"),
    };
    seconds * 1000
}

/// The words `name=value` of a row. What is taken must be all there is.
pub(super) struct Options<'a> {
    beginning: Timestamp,
    left: Vec<&'a str>,
}

impl<'a> Options<'a> {
    pub(super) fn new(beginning: Timestamp, options: Vec<&'a str>) -> Options<'a> {
        Options { beginning, left: options }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<&'a str> {
        let value = |option: &&'a str| option.strip_prefix(name)?.strip_prefix('=');
        let place = self.left.iter().position(|option| value(option).is_some())?;
        value(&self.left.remove(place))
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).map(str::to_owned)
    }

    pub(super) fn time(&mut self, name: &str) -> Option<Timestamp> {
        self.take(name).map(|text| after(self.beginning, text))
    }

    pub(super) fn length_ms(&mut self, name: &str) -> Option<u32> {
        self.take(name).map(|text| length_ms(text).try_into().expect("a short time"))
    }

    pub(super) fn yes_or_no(&mut self, name: &str) -> Option<bool> {
        self.take(name).map(|text| match text {
            "yes" => true,
            "no" => false,
            other => panic!("{other} is neither yes nor no"),
        })
    }

    pub(super) fn assert_all_taken(&self, row: &str) {
        assert!(self.left.is_empty(), "{row}: {:?} means nothing here", self.left);
    }
}

pub(super) fn credits(text: &str) -> Credits {
    text.parse().unwrap_or_else(|error| panic!("{text} {error}"))
}

/// `None` where all is meant.
pub(super) fn credits_or_all(text: &str) -> Option<Credits> {
    (text != "all").then(|| credits(text))
}

pub(super) fn rate(text: &str) -> Rate {
    text.parse().unwrap_or_else(|error| panic!("{text} {error}"))
}

pub(super) fn quantity(text: &str) -> Quantity {
    Quantity::new(credits(text)).unwrap_or_else(|| panic!("{text} is no quantity"))
}

/// An amount begins with a digit, an operation does not.
pub(super) fn cost(text: &str) -> RowCost {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return RowCost::Credits(credits(text));
    }
    let (operation, quantity_of_it) = match text.split_once('*') {
        Some((operation, number)) => (operation, Some(quantity(number))),
        None => (text, None),
    };
    RowCost::Operation { operation: operation.to_owned(), quantity: quantity_of_it }
}

pub(super) fn secret(text: &str) -> Secret {
    let (key, rotations_ago) = match text.split_once('.') {
        Some((key, number)) => (key, number.parse().expect("a number of rotations")),
        None => (text, 0),
    };
    Secret { key: key.to_owned(), rotations_ago }
}

pub(super) fn priority(text: &str) -> Priority {
    text.parse().ok().and_then(Priority::new).unwrap_or_else(|| panic!("{text} is no priority"))
}

pub(super) fn category(text: &str) -> Category {
    match text {
        "paid" => Category::Paid,
        "promotional" => Category::Promotional,
        other => panic!("{other} is no category"),
    }
}

pub(super) fn excess(text: &str) -> Excess {
    match text {
        "refuse" => Excess::Refuse,
        "charge" => Excess::Charge,
        "force" => Excess::Force,
        other => panic!("{other} is no way with excess"),
    }
}

pub(super) fn limit(text: &str) -> KeyLimit {
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
