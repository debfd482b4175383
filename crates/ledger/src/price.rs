//! Prices: what one unit of an operation costs, and what a quantity of it does.
//!
//! A price has up to 12 fraction digits, a quantity up to 6. Their product is rounded half-even to a millionth of
//! a credit, once, at the end: 0.0000005 becomes 0, 0.0000015 becomes 0.000002.

use std::fmt;
use std::str::FromStr;

use crate::{Credits, Description, Operation, Timestamp, Unit, UuidBytes};

/// The operation of the balance endpoint: in every catalogue, free, and not to be changed.
pub const RESERVED_OPERATION: &str = "get-credits-balance";

const FRACTION_DIGITS_MAX: usize = 12;
const PARTS_PER_CREDIT: i128 = 1_000_000_000_000;
/// A product is counted in 10⁻¹⁸ of a credit: of so many consists a millionth.
const PARTS_PER_MILLIONTH: i128 = 1_000_000_000_000;

/// Credits per unit of an operation, exact to 10⁻¹² of a credit, between 0 and 9,000,000,000,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate(i128);

impl Rate {
    /// Nothing.
    pub const FREE: Rate = Rate(0);

    /// What a quantity costs, rounded half-even to a millionth, or `None` beyond [`Credits::MAX`].
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Option<Credits> {
        let product = self.0.checked_mul(i128::from(quantity.0.millionths()))?;
        let (whole, rest) = (product / PARTS_PER_MILLIONTH, product % PARTS_PER_MILLIONTH);
        let half = PARTS_PER_MILLIONTH / 2;
        let up = rest > half || rest == half && whole % 2 == 1;
        i64::try_from(whole + i128::from(up)).ok().and_then(Credits::from_millionths)
    }
}

/// Writes the canonical form, as credits are written, with up to 12 fraction digits.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, mut fraction) = (self.0 / PARTS_PER_CREDIT, self.0 % PARTS_PER_CREDIT);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let mut width = FRACTION_DIGITS_MAX;
        while fraction % 10 == 0 {
            fraction /= 10;
            width -= 1;
        }
        write!(f, "{whole}.{fraction:0width$}")
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rate({self})")
    }
}

/// Why a text is not a price. The message is a rule that completes "credits_per_unit …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Something other than digits, and optionally a `.` with digits.
    #[error("must be a decimal string such as \"0.0025\", or a JSON integer, and not below zero")]
    NotADecimal,
    /// More than twelve digits behind the point.
    #[error("must have at most 12 fraction digits")]
    TooPrecise,
    /// Beyond 9,000,000,000,000.
    #[error("must lie between 0 and 9000000000000")]
    OutOfRange,
}

impl FromStr for Rate {
    type Err = RateError;

    /// Reads `(0|[1-9][0-9]*)(\.[0-9]{1,12})?`.
    fn from_str(text: &str) -> Result<Rate, RateError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(RateError::NotADecimal),
            None => (text, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !all_digits(whole) || !all_digits(fraction) {
            return Err(RateError::NotADecimal);
        }
        if fraction.len() > FRACTION_DIGITS_MAX {
            return Err(RateError::TooPrecise);
        }
        let whole: i64 = whole.parse().map_err(|_| RateError::OutOfRange)?;
        let fraction: i128 =
            format!("{fraction:0<FRACTION_DIGITS_MAX$}").parse().map_err(|_| RateError::NotADecimal)?;
        let parts = i128::from(whole) * PARTS_PER_CREDIT + fraction;
        let parts_max = i128::from(Credits::MAX.millionths()) * (PARTS_PER_CREDIT / 1_000_000);
        if parts > parts_max { Err(RateError::OutOfRange) } else { Ok(Rate(parts)) }
    }
}

/// How much of an operation: more than zero, exact to a millionth.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Quantity(Credits);

impl Quantity {
    /// What a request has whose caller did not say.
    pub const ONE: Quantity = match Credits::from_whole(1) {
        Some(one) => Quantity(one),
        None => panic!("one is in range"),
    };

    /// The quantity that is written like this amount, or `None` where it is not above zero.
    #[must_use]
    pub fn new(amount: Credits) -> Option<Quantity> {
        amount.is_positive().then_some(Quantity(amount))
    }

    /// The amount that is written like this quantity.
    #[must_use]
    pub const fn amount(self) -> Credits {
        self.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One line of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Price {
    /// What the list of prices is sorted by: when the operation first had a price.
    pub id: UuidBytes,
    /// What it is the price of.
    pub operation: Operation,
    /// What one unit costs.
    pub rate: Rate,
    /// What the operation is counted in.
    pub unit: Option<Unit>,
    /// What the operation is, for people.
    pub description: Option<Description>,
    /// When it was last set; `None` for the one that every catalogue has.
    pub updated_at: Option<Timestamp>,
}

impl Price {
    /// The price that every catalogue has.
    #[must_use]
    pub fn reserved() -> Price {
        let text = |text: &str| text.to_owned();
        Price {
            id: [0; 16],
            operation: Operation::try_from(text(RESERVED_OPERATION)).expect("a short name"),
            rate: Rate::FREE,
            unit: Some(Unit::try_from(text("call")).expect("a short name")),
            description: Some(Description::try_from(text("Reading the balance")).expect("a short text")),
            updated_at: None,
        }
    }
}

/// The operation that something was made for, at the price that it had then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Priced {
    /// Which operation.
    pub operation: Operation,
    /// How much of it.
    pub quantity: Quantity,
    /// What one unit cost.
    pub rate: Rate,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn quantity(text: &str) -> Quantity {
        Quantity::new(text.parse().expect("an amount")).expect("above zero")
    }

    #[test]
    fn products_are_rounded_half_even_to_a_millionth() {
        for (price, given, cost) in [
            ("0", "5", "0"),
            ("2", "3", "6"),
            ("0.5", "0.5", "0.25"),
            ("0.000000000001", "1", "0"),
            ("0.0000005", "1", "0"),
            ("0.0000015", "1", "0.000002"),
            ("0.0000025", "1", "0.000002"),
            ("0.0000035", "1", "0.000004"),
            ("0.000000500001", "1", "0.000001"),
            ("0.000000499999", "1", "0"),
            ("0.000001", "0.5", "0"),
            ("0.000003", "0.5", "0.000002"),
            ("0.333333333333", "3", "1"),
            ("0.000000000001", "9000000000000", "9"),
            ("9000000000000", "1", "9000000000000"),
            ("9000000000000", "0.000001", "9000000"),
        ] {
            assert_eq!(
                rate(price).times(quantity(given)),
                Some(cost.parse().expect("an amount")),
                "{price} × {given}"
            );
        }
        assert_eq!(rate("9000000000000").times(quantity("1.000001")), None);
        assert_eq!(rate("9000000000000").times(quantity("9000000000000")), None);
    }

    #[test]
    fn every_price_has_one_canonical_form() {
        for (given, canonical) in [
            ("0", "0"),
            ("0.0", "0"),
            ("1.50", "1.5"),
            ("0.000000000001", "0.000000000001"),
            ("12.340000000000", "12.34"),
            ("9000000000000", "9000000000000"),
        ] {
            assert_eq!(rate(given).to_string(), canonical);
            assert_eq!(rate(canonical), rate(given));
        }
        use RateError::{NotADecimal, OutOfRange, TooPrecise};
        for (given, rule) in [
            ("", NotADecimal),
            ("-1", NotADecimal),
            ("+1", NotADecimal),
            ("1.", NotADecimal),
            (".5", NotADecimal),
            ("01", NotADecimal),
            ("1e3", NotADecimal),
            ("0.0000000000001", TooPrecise),
            ("9000000000000.000000000001", OutOfRange),
            ("99999999999999999999", OutOfRange),
        ] {
            assert_eq!(given.parse::<Rate>(), Err(rule), "{given:?}");
        }
    }
}
