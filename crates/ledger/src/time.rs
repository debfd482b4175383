//! Points in time: milliseconds since 1970 in UTC, written as RFC 3339.
//!
//! There is no clock here: the time of every decision is an argument.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::DateTime;

/// A point in time, exact to a millisecond, from 1970 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

const MS_MAX: i64 = 253_402_300_799_999;
const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

impl Timestamp {
    /// The earliest time, 1970-01-01T00:00:00.000Z.
    pub const MIN: Timestamp = Timestamp(0);
    /// The latest time, 9999-12-31T23:59:59.999Z.
    pub const MAX: Timestamp = Timestamp(MS_MAX);

    /// The time so many milliseconds after 1970, or `None` outside of 1970 to 9999.
    #[must_use]
    pub const fn from_unix_ms(ms: i64) -> Option<Timestamp> {
        if ms < 0 || ms > MS_MAX { None } else { Some(Timestamp(ms)) }
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// The time so many milliseconds later, held at [`Timestamp::MAX`].
    #[must_use]
    pub const fn saturating_add_ms(self, ms: u32) -> Timestamp {
        let later = self.0 + ms as i64;
        Timestamp(if later > MS_MAX { MS_MAX } else { later })
    }

    /// The time so many days later, held at [`Timestamp::MAX`].
    #[must_use]
    pub const fn saturating_add_days(self, days: u16) -> Timestamp {
        let later = self.0 + days as i64 * MS_PER_DAY;
        Timestamp(if later > MS_MAX { MS_MAX } else { later })
    }

    /// The midnight (UTC) at or before this time.
    #[must_use]
    pub const fn start_of_day(self) -> Timestamp {
        Timestamp(self.0 - self.0 % MS_PER_DAY)
    }

    /// The Monday midnight (UTC) at or before this time; 1970-01-01 for the days before the first Monday.
    #[must_use]
    pub const fn start_of_week(self) -> Timestamp {
        // Day 0, 1970-01-01, was a Thursday: three days after a Monday.
        let days = self.0 / MS_PER_DAY;
        let monday = days - (days + 3) % 7;
        Timestamp(if monday < 0 { 0 } else { monday * MS_PER_DAY })
    }

    /// The midnight (UTC) at which this time's month began.
    #[must_use]
    pub fn start_of_month(self) -> Timestamp {
        let day_of_month = self.civil().day();
        Timestamp(self.start_of_day().0 - (i64::from(day_of_month) - 1) * MS_PER_DAY)
    }

    /// The calendar's date and the clock's time in UTC. jiff's own timestamps end a day before ours do, for
    /// they leave room for every offset; its civil times do not.
    fn civil(self) -> DateTime {
        let since_epoch = SignedDuration::from_millis(self.0);
        EPOCH.checked_add(since_epoch).expect("1970 to 9999 lies within jiff's calendar")
    }
}

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Writes RFC 3339 in UTC with milliseconds, such as `2026-11-22T13:00:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}Z", self.civil())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// Why a text is not a time. The message is a rule that completes "expires_at …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an RFC 3339 time between 1970 and 9999, such as 2026-11-22T13:00:00.000Z")]
pub struct TimestampError;

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads RFC 3339 with any offset; what is finer than a millisecond is cut off.
    fn from_str(text: &str) -> Result<Timestamp, TimestampError> {
        // jiff also reads other forms of ISO 8601; the contract names RFC 3339 alone.
        let bytes = text.as_bytes();
        let shape = text.is_ascii()
            && bytes.len() >= 20
            && bytes[4] == b'-'
            && bytes[7] == b'-'
            && matches!(bytes[10], b'T' | b't')
            && bytes[13] == b':'
            && bytes[16] == b':';
        if !shape {
            return Err(TimestampError);
        }
        let zone = bytes[19..].iter().position(|byte| !matches!(byte, b'.' | b'0'..=b'9'));
        let (civil, zone) = text.split_at(19 + zone.ok_or(TimestampError)?);
        let civil: DateTime = civil.parse().map_err(|_| TimestampError)?;
        let since_epoch = civil.duration_since(EPOCH).as_millis();
        let ms = i64::try_from(since_epoch).map_err(|_| TimestampError)?;
        Timestamp::from_unix_ms(ms - offset_ms(zone)?).ok_or(TimestampError)
    }
}

/// How far a zone, `Z` or `+hh:mm`, lies before UTC.
fn offset_ms(zone: &str) -> Result<i64, TimestampError> {
    let (sign, clock) = match zone.as_bytes() {
        [b'Z' | b'z'] => return Ok(0),
        [b'+', ..] => (1, &zone[1..]),
        [b'-', ..] => (-1, &zone[1..]),
        _ => return Err(TimestampError),
    };
    let digits = |text: &str, below: i64| -> Result<i64, TimestampError> {
        let number: Option<i64> =
            text.parse().ok().filter(|_| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()));
        number.filter(|number| *number < below).ok_or(TimestampError)
    };
    let (hours, minutes) = clock.split_once(':').ok_or(TimestampError)?;
    Ok(sign * (digits(hours, 24)? * 60 + digits(minutes, 60)?) * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap_or_else(|_| panic!("{text} is a time"))
    }

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        for (given, written) in [
            ("2026-11-22T13:00:00Z", "2026-11-22T13:00:00.000Z"),
            ("2026-11-22T13:00:00.1234567Z", "2026-11-22T13:00:00.123Z"),
            ("2026-11-22T14:30:00+01:30", "2026-11-22T13:00:00.000Z"),
            ("2026-11-22t13:00:00z", "2026-11-22T13:00:00.000Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("1970-01-01T00:00:00-23:59", "1970-01-01T23:59:00.000Z"),
        ] {
            assert_eq!(time(given).to_string(), written, "{given}");
        }
    }

    #[test]
    fn other_notations_are_refused() {
        for given in [
            "",
            "now",
            "2026-11-22",
            "2026-11-22T13:00:00",
            "2026-11-22 13:00:00Z",
            "2026-11-22T13Z",
            "2026-11-22T13:00Z",
            "20261122T130000Z",
            "2026-11-22T13:00:00+01",
            "2026-11-22T13:00:00+01:00[Europe/Berlin]",
            "2026-13-22T13:00:00Z",
            "2026-02-30T13:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-11-22T13:00:00,5Z",
            "1763816400",
            "2026-11-22T13:00:00+24:00",
            "2026-11-22T13:00:00+1:000",
            "2026-11-22T13:00:00Z ",
            "2026-11-22T13:00:00.Z",
            "2026-11-22T13:00:0éZ",
        ] {
            assert_eq!(given.parse::<Timestamp>(), Err(TimestampError), "{given}");
        }
    }

    #[test]
    fn periods_start_where_the_calendar_says() {
        for (at, day, week, month) in [
            ("2026-11-22T13:00:00Z", "2026-11-22T00:00:00Z", "2026-11-16T00:00:00Z", "2026-11-01T00:00:00Z"),
            ("2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-01T00:00:00Z"),
            (
                "2024-02-29T23:59:59.999Z",
                "2024-02-29T00:00:00Z",
                "2024-02-26T00:00:00Z",
                "2024-02-01T00:00:00Z",
            ),
            ("1970-01-02T00:00:00Z", "1970-01-02T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(time(at).start_of_day(), time(day), "day of {at}");
            assert_eq!(time(at).start_of_week(), time(week), "week of {at}");
            assert_eq!(time(at).start_of_month(), time(month), "month of {at}");
        }
    }
}
