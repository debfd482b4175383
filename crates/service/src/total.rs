//! Sums of credits, over whatever they are.

use std::fmt;
use std::iter::Sum;

use coffer_ledger::Credits;

/// A sum of credits: what one account has fits [`Credits`], what several have together, or a difference on the way, may not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Total(i128);

impl Total {
    /// A sum of that many millionths of a credit.
    #[must_use]
    pub const fn from_millionths(millionths: i128) -> Total {
        Total(millionths)
    }

    /// With this added.
    #[must_use]
    pub fn plus(self, credits: Credits) -> Total {
        Total(self.0 + i128::from(credits.millionths()))
    }

    pub(crate) fn plus_total(self, other: Total) -> Total {
        Total(self.0 + other.0)
    }

    /// Less this.
    #[must_use]
    pub fn less(self, credits: Credits) -> Total {
        Total(self.0 - i128::from(credits.millionths()))
    }

    /// The same in millionths of a credit.
    #[must_use]
    pub const fn millionths(self) -> i128 {
        self.0
    }
}

impl Sum for Total {
    fn sum<I: Iterator<Item = Total>>(totals: I) -> Total {
        totals.fold(Total::default(), Total::plus_total)
    }
}

impl From<Credits> for Total {
    fn from(credits: Credits) -> Total {
        Total::default().plus(credits)
    }
}

/// As credits are written.
impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MILLIONTHS: u128 = 1_000_000;
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.unsigned_abs() / MILLIONTHS, self.0.unsigned_abs() % MILLIONTHS);
        let fraction = format!("{fraction:06}");
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            digits => write!(f, "{sign}{whole}.{digits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_written_as_credits_are() {
        for text in ["0", "1234.5", "-0.000001", "9000000000000"] {
            let credits: Credits = text.parse().unwrap();
            assert_eq!(Total::from(credits).to_string(), text);
        }
        let two = Total::from(Credits::MAX).plus(Credits::MAX);
        assert_eq!(two.to_string(), "18000000000000");
        assert_eq!(two.less(Credits::MAX), Total::from(Credits::MAX));
    }
}
