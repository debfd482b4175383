//! How credits, numbers and times are written for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use coffer_ledger::{Credits, Timestamp};
use coffer_service::Total;

use super::look::Language;

/// Credits with their thousands apart, such as `1,234.5`; never rounded.
pub(crate) fn credits(credits: Credits) -> String {
    grouped(&credits.to_string())
}

/// Credits with their sign before them, as a change.
pub(crate) fn change(change: Credits) -> String {
    let sign = if change.is_positive() { "+" } else { "" };
    format!("{sign}{}", credits(change))
}

/// A sum of credits, which may be beyond what an account can have.
pub(crate) fn total(total: Total) -> String {
    grouped(&total.to_string())
}

/// A count with its thousands apart.
pub(crate) fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// Bytes in the largest unit that leaves a whole number of two digits or more.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 10 * 1024 && unit + 1 < UNITS.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{} {}", count(value), UNITS[unit])
}

/// A rule or a reason as a sentence of its own.
pub(crate) fn sentence(text: &str, language: Language) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}{}", letters.as_str(), language.pick(".", "。"))
}

/// A minus is written as a minus, and thousands stand apart.
fn grouped(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("\u{2212}", digits),
        None => ("", number),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, format!(".{fraction}")),
        None => (digits, String::new()),
    };
    let mut text = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text + &fraction
}

/// A moment of the system's clock.
pub(crate) fn moment(at: SystemTime) -> Option<Timestamp> {
    let ms = at.duration_since(UNIX_EPOCH).ok()?.as_millis();
    Timestamp::from_unix_ms(i64::try_from(ms).ok()?)
}

/// A stretch of time in its two largest units, such as `3 h 12 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds == 0 => {
            format!("{}.{:02} ms", duration.as_micros() / 1000, duration.as_micros() % 1000 / 10)
        }
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

/// A time to the minute, in UTC.
pub(crate) fn time(at: Timestamp, language: Language) -> String {
    let text = at.to_string();
    format!("{}, {}", day(at, language), &text[11..16])
}

/// A time to the second, in UTC.
pub(crate) fn exact_time(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} {} UTC", &text[..10], &text[11..19])
}

/// A day, in UTC.
pub(crate) fn day(at: Timestamp, language: Language) -> String {
    let text = at.to_string();
    let (year, month, day) = (&text[..4], &text[5..7], &text[8..10]);
    match language {
        Language::English => format!("{} {} {year}", day.trim_start_matches('0'), month_name(month)),
        Language::Chinese => format!("{year}-{month}-{day}"),
    }
}

/// A day without its year, where there is little room.
pub(crate) fn short_day(at: Timestamp, language: Language) -> String {
    let text = at.to_string();
    let (month, day) = (&text[5..7], &text[8..10]);
    let (month_number, day_number) = (month.trim_start_matches('0'), day.trim_start_matches('0'));
    match language {
        Language::English => format!("{day_number} {}", month_name(month)),
        Language::Chinese => format!("{month_number}月{day_number}日"),
    }
}

fn month_name(month: &str) -> &'static str {
    match month {
        "01" => "Jan",
        "02" => "Feb",
        "03" => "Mar",
        "04" => "Apr",
        "05" => "May",
        "06" => "Jun",
        "07" => "Jul",
        "08" => "Aug",
        "09" => "Sep",
        "10" => "Oct",
        "11" => "Nov",
        _ => "Dec",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_never_rounded() {
        for (given, shown) in [
            ("0", "0"),
            ("999", "999"),
            ("1234", "1,234"),
            ("1234567.000001", "1,234,567.000001"),
            ("-1234.5", "\u{2212}1,234.5"),
            ("-0.25", "\u{2212}0.25"),
        ] {
            assert_eq!(credits(given.parse().unwrap()), shown);
        }
        assert_eq!(change("5".parse().unwrap()), "+5");
        assert_eq!(change("-5".parse().unwrap()), "\u{2212}5");
        assert_eq!(bytes(9_999), "9,999 B");
        assert_eq!(bytes(123_456_789), "117 MiB");
    }

    #[test]
    fn times_are_told_in_both_languages() {
        let at: Timestamp = "2026-03-05T07:09:11.000Z".parse().unwrap();
        assert_eq!(time(at, Language::English), "5 Mar 2026, 07:09");
        assert_eq!(time(at, Language::Chinese), "2026-03-05, 07:09");
        assert_eq!(short_day(at, Language::Chinese), "3月5日");
        assert_eq!(exact_time(at), "2026-03-05 07:09:11 UTC");
    }
}
