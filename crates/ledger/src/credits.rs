//! Amounts of credits: `i64` millionths in a newtype whose every operation is checked.
//!
//! Owns the decimal notation of the public contract. There is no float anywhere, and no operator that can
//! overflow: what leaves the range is `None`, and the caller has to say what that means.

use std::fmt;
use std::str::FromStr;

/// An amount of credits, exact to a millionth, between -9,000,000,000,000 and +9,000,000,000,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Credits(i64);

const MILLIONTHS_PER_CREDIT: i64 = 1_000_000;
const FRACTION_DIGITS_MAX: usize = 6;

impl Credits {
    /// No credits.
    pub const ZERO: Credits = Credits(0);
    /// The largest amount, and the largest total an account may reach: 9,000,000,000,000 credits.
    pub const MAX: Credits = Credits(9_000_000_000_000 * MILLIONTHS_PER_CREDIT);

    /// The amount of so many millionths, or `None` beyond ±[`Credits::MAX`].
    #[must_use]
    pub const fn from_millionths(millionths: i64) -> Option<Credits> {
        if millionths > Credits::MAX.0 || millionths < -Credits::MAX.0 {
            None
        } else {
            Some(Credits(millionths))
        }
    }

    /// The amount of so many whole credits, or `None` beyond ±[`Credits::MAX`].
    #[must_use]
    pub const fn from_whole(credits: i64) -> Option<Credits> {
        match credits.checked_mul(MILLIONTHS_PER_CREDIT) {
            Some(millionths) => Credits::from_millionths(millionths),
            None => None,
        }
    }

    /// The amount in millionths of a credit.
    #[must_use]
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// The sum, or `None` beyond ±[`Credits::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Credits) -> Option<Credits> {
        self.0.checked_add(other.0).and_then(Credits::from_millionths)
    }

    /// The difference, or `None` beyond ±[`Credits::MAX`].
    #[must_use]
    pub fn checked_sub(self, other: Credits) -> Option<Credits> {
        self.checked_add(-other)
    }

    /// The sum of many amounts, or `None` if it ends beyond ±[`Credits::MAX`].
    pub fn checked_sum(amounts: impl IntoIterator<Item = Credits>) -> Option<Credits> {
        let sum: i128 = amounts.into_iter().map(|amount| i128::from(amount.0)).sum();
        i64::try_from(sum).ok().and_then(Credits::from_millionths)
    }

    /// Whether the amount is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether the amount is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether the amount is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// The range is symmetric, so the negative of an amount always is an amount.
impl std::ops::Neg for Credits {
    type Output = Credits;
    fn neg(self) -> Credits {
        Credits(-self.0)
    }
}

/// Writes the canonical form: no leading zeros, no trailing zeros in the fraction, no `+`, no exponent.
impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let scale = MILLIONTHS_PER_CREDIT.unsigned_abs();
        let (whole, mut fraction) = (magnitude / scale, magnitude % scale);
        let sign = if self.0 < 0 { "-" } else { "" };
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let mut width = FRACTION_DIGITS_MAX;
        while fraction % 10 == 0 {
            fraction /= 10;
            width -= 1;
        }
        write!(f, "{sign}{whole}.{fraction:0width$}")
    }
}

impl fmt::Debug for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credits({self})")
    }
}

/// Why a text is not an amount of credits. The message is a rule that completes "credits …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreditsError {
    /// Something other than an optional `-`, digits, and an optional `.` with digits.
    #[error("must be a decimal string such as \"12.5\", or a JSON integer")]
    NotADecimal,
    /// More than six digits behind the point.
    #[error("must have at most 6 fraction digits")]
    TooPrecise,
    /// Beyond ±9,000,000,000,000.
    #[error("must lie between -9000000000000 and 9000000000000")]
    OutOfRange,
}

impl FromStr for Credits {
    type Err = CreditsError;

    /// Reads `-?(0|[1-9][0-9]*)(\.[0-9]{1,6})?`, and refuses a negative zero.
    fn from_str(text: &str) -> Result<Credits, CreditsError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(CreditsError::NotADecimal),
            None => (digits, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !all_digits(whole) || !all_digits(fraction) {
            return Err(CreditsError::NotADecimal);
        }
        if fraction.len() > FRACTION_DIGITS_MAX {
            return Err(CreditsError::TooPrecise);
        }
        let whole: i64 = whole.parse().map_err(|_| CreditsError::OutOfRange)?;
        let fraction = format!("{fraction:0<FRACTION_DIGITS_MAX$}");
        let fraction: i64 = fraction.parse().map_err(|_| CreditsError::NotADecimal)?;
        let magnitude = whole
            .checked_mul(MILLIONTHS_PER_CREDIT)
            .and_then(|whole| whole.checked_add(fraction))
            .ok_or(CreditsError::OutOfRange)?;
        if negative && magnitude == 0 {
            return Err(CreditsError::NotADecimal);
        }
        Credits::from_millionths(if negative { -magnitude } else { magnitude })
            .ok_or(CreditsError::OutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_form_has_one_canonical_form() {
        for (given, canonical) in [
            ("0", "0"),
            ("1234", "1234"),
            ("0.5", "0.5"),
            ("-3.25", "-3.25"),
            ("1.50", "1.5"),
            ("1.000000", "1"),
            ("0.000001", "0.000001"),
            ("-0.000001", "-0.000001"),
            ("100.010", "100.01"),
            ("9000000000000", "9000000000000"),
            ("-9000000000000.000000", "-9000000000000"),
        ] {
            let credits: Credits = given.parse().unwrap_or_else(|error| panic!("{given}: {error}"));
            assert_eq!(credits.to_string(), canonical, "{given}");
            assert_eq!(canonical.parse(), Ok(credits), "{canonical}");
        }
    }

    #[test]
    fn every_other_form_is_refused_with_its_rule() {
        use CreditsError::{NotADecimal, OutOfRange, TooPrecise};
        for (given, rule) in [
            ("", NotADecimal),
            ("-", NotADecimal),
            (".", NotADecimal),
            (".5", NotADecimal),
            ("5.", NotADecimal),
            ("+5", NotADecimal),
            ("01", NotADecimal),
            ("-0", NotADecimal),
            ("-0.0", NotADecimal),
            ("1e3", NotADecimal),
            ("1,5", NotADecimal),
            (" 1", NotADecimal),
            ("1 ", NotADecimal),
            ("1_000", NotADecimal),
            ("1.2.3", NotADecimal),
            ("--1", NotADecimal),
            ("NaN", NotADecimal),
            ("Infinity", NotADecimal),
            ("١", NotADecimal),
            ("0.0000001", TooPrecise),
            ("0.5000000", TooPrecise),
            ("9000000000000.000001", OutOfRange),
            ("-9000000000000.000001", OutOfRange),
            ("9223372036854775807", OutOfRange),
            ("99999999999999999999999999", OutOfRange),
        ] {
            assert_eq!(given.parse::<Credits>(), Err(rule), "{given:?}");
        }
    }

    #[test]
    fn sums_leave_the_range_as_none() {
        let one = Credits::from_millionths(1).expect("in range");
        assert_eq!(Credits::MAX.checked_add(one), None);
        assert_eq!((-Credits::MAX).checked_sub(one), None);
        assert_eq!(Credits::MAX.checked_sub(Credits::MAX), Some(Credits::ZERO));
        assert_eq!(Credits::checked_sum([Credits::MAX, Credits::MAX, -Credits::MAX]), Some(Credits::MAX));
        assert_eq!(Credits::checked_sum([Credits::MAX, one]), None);
    }
}
