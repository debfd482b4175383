//! Amounts as the checker reckons with them, apart from the ledger's own, which is on trial.

use std::fmt;
use std::ops::{Add, Neg, Sub};

const PER_CREDIT: i64 = 1_000_000;

/// An amount of credits, in millionths. Amounts of a test are small: no sum of them leaves an `i64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Credits(i64);

/// What an account has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Balance {
    pub(crate) available: Credits,
    pub(crate) held: Credits,
}

impl Credits {
    pub(crate) const ZERO: Credits = Credits(0);

    /// The smallest amount there is.
    pub(crate) const MILLIONTH: Credits = Credits(1);

    pub(crate) const fn millionths(count: i64) -> Credits {
        Credits(count)
    }

    pub(crate) const fn whole(credits: i64) -> Credits {
        Credits(credits * PER_CREDIT)
    }

    /// Reads the contract's notation, in its canonical form alone.
    pub(crate) fn parse(text: &str) -> Option<Credits> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let negative = whole.starts_with('-');
        let millionths: i64 = format!("{fraction:0<6}").parse().ok()?;
        let whole: i64 = whole.parse().ok()?;
        let credits = Credits(whole * PER_CREDIT + if negative { -millionths } else { millionths });
        (credits.to_string() == text).then_some(credits)
    }
}

impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (magnitude, scale) = (self.0.unsigned_abs(), PER_CREDIT.unsigned_abs());
        let sign = if self.0 < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{:06}", magnitude / scale, magnitude % scale);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl fmt::Debug for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} available and {} held", self.available, self.held)
    }
}

impl Add for Credits {
    type Output = Credits;
    fn add(self, other: Credits) -> Credits {
        Credits(self.0 + other.0)
    }
}

impl Sub for Credits {
    type Output = Credits;
    fn sub(self, other: Credits) -> Credits {
        Credits(self.0 - other.0)
    }
}

impl Neg for Credits {
    type Output = Credits;
    fn neg(self) -> Credits {
        Credits(-self.0)
    }
}

impl Add for Balance {
    type Output = Balance;
    fn add(self, change: Balance) -> Balance {
        Balance { available: self.available + change.available, held: self.held + change.held }
    }
}

#[test]
fn amounts_are_read_as_they_are_written() {
    for (text, millionths) in
        [("0", 0), ("1234", 1_234_000_000), ("0.5", 500_000), ("-3.25", -3_250_000), ("-0.000001", -1)]
    {
        assert_eq!(Credits::parse(text), Some(Credits(millionths)), "{text}");
        assert_eq!(Credits(millionths).to_string(), text);
    }
    for text in ["", "1.", "1.0", "+1", "01", "-0", ".5", "1e3", "0.0000001", "--1", "0.-5"] {
        assert_eq!(Credits::parse(text), None, "{text}");
    }
}
