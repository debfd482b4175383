//! The table: what was measured, one row each.
//!
//! Numbers are whole ones, in a unit small enough: a ratio is so many thousandths.

use std::fmt;

use crate::Failure;
use crate::machine::Machine;

const NOTHING: &str = "-";
const HEAD: [&str; 5] = ["work", "coffer", "peer", "ratio", "goal"];
const QUICK: &str = "A QUICK RUN: rounds and ledgers far too small. It shows that everything can be measured; its numbers mean nothing.";

/// Everything that was measured on a machine.
pub(crate) struct Table {
    pub(crate) machine: Machine,
    pub(crate) is_quick: bool,
    pub(crate) rows: Vec<Row>,
}

/// One row. What does not apply is not there.
pub(crate) struct Row {
    /// The name of the measurement that it belongs to.
    pub(crate) measurement: &'static str,
    pub(crate) work: String,
    pub(crate) coffer: Result<Quantity, String>,
    pub(crate) peer: Option<(String, Quantity)>,
    pub(crate) ratio: Option<Ratios>,
    pub(crate) goal: Option<Goal>,
    /// What the chart calls it, where it is in the chart.
    pub(crate) chart: Option<&'static str>,
}

/// What a number is to be, and whether it is.
pub(crate) struct Goal {
    pub(crate) text: String,
    pub(crate) is_met: bool,
}

/// A number with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quantity {
    pub(crate) number: u64,
    pub(crate) unit: Unit,
}

/// Units, as small as what is counted in them needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    PerSecond,
    Nanoseconds,
    Milliseconds,
    Bytes,
    BytesPerAccount,
    Percent,
    Count,
}

/// Coffer's number over the peer's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Ratio {
    pub(crate) thousandths: u64,
}

/// The ratios of several rounds: the one in the middle, and those between which half of them lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ratios {
    pub(crate) median: Ratio,
    pub(crate) lower: Ratio,
    pub(crate) upper: Ratio,
}

impl Row {
    /// A number of Coffer's.
    pub(crate) fn new(work: impl Into<String>, number: u64, unit: Unit) -> Row {
        Row {
            measurement: "",
            work: work.into(),
            coffer: Ok(Quantity { number, unit }),
            peer: None,
            ratio: None,
            goal: None,
            chart: None,
        }
    }

    /// Something that could not be measured.
    pub(crate) fn failed(work: impl Into<String>, failure: &Failure) -> Row {
        Row { coffer: Err(failure.to_string()), ..Row::new(work, 0, Unit::Count) }
    }

    /// Beside a peer's number, in the same unit.
    pub(crate) fn beside(self, peer: impl Into<String>, number: u64, ratio: Ratios) -> Row {
        let unit = self.coffer.as_ref().map_or(Unit::Count, |quantity| quantity.unit);
        Row { peer: Some((peer.into(), Quantity { number, unit })), ratio: Some(ratio), ..self }
    }

    /// What the number must at least be, or at most.
    pub(crate) fn goal(self, text: impl Into<String>, is_met: bool) -> Row {
        Row { goal: Some(Goal { text: text.into(), is_met }), ..self }
    }

    /// What the ratio must at least be.
    pub(crate) fn ratio_at_least(self, ratio_min: Ratio) -> Row {
        let is_met = self.ratio.is_some_and(|ratio| ratio.median >= ratio_min);
        self.goal(format!(">= {ratio_min}"), is_met)
    }

    /// What the number must at most be.
    pub(crate) fn at_most(self, number_max: u64) -> Row {
        let (text, is_met) = match &self.coffer {
            Ok(quantity) => {
                (Quantity { number: number_max, ..*quantity }.to_string(), quantity.number <= number_max)
            }
            Err(_) => return self,
        };
        self.goal(format!("<= {text}"), is_met)
    }

    /// What the number must at least be.
    pub(crate) fn at_least(self, number_min: u64) -> Row {
        let (text, is_met) = match &self.coffer {
            Ok(quantity) => {
                (Quantity { number: number_min, ..*quantity }.to_string(), quantity.number >= number_min)
            }
            Err(_) => return self,
        };
        self.goal(format!(">= {text}"), is_met)
    }

    /// Puts the ratio into the chart.
    pub(crate) fn charted(self, name: &'static str) -> Row {
        Row { chart: Some(name), ..self }
    }

    fn cells(&self) -> [String; 5] {
        let nothing = || NOTHING.to_owned();
        let coffer = match &self.coffer {
            Ok(quantity) => quantity.to_string(),
            Err(failure) => format!("NOT MEASURED: {failure}"),
        };
        let peer = self.peer.as_ref().map_or_else(nothing, |(name, quantity)| format!("{name} {quantity}"));
        let ratio = self.ratio.map_or_else(nothing, |ratio| ratio.to_string());
        let goal = self.goal.as_ref().map_or_else(nothing, |goal| {
            format!("{}: {}", goal.text, if goal.is_met { "met" } else { "missed" })
        });
        [self.work.clone(), coffer, peer, ratio, goal]
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        match self.unit {
            Unit::PerSecond => write!(f, "{}/s", grouped(number)),
            Unit::Nanoseconds if number < 1_000_000 => write!(f, "{} µs", in_thousands(number)),
            Unit::Nanoseconds => write!(f, "{} ms", in_thousands(number / 1000)),
            Unit::Milliseconds => write!(f, "{} s", in_thousands(number)),
            Unit::Bytes => write!(f, "{} MB", in_thousands(number / 1000)),
            Unit::BytesPerAccount => write!(f, "{} bytes", grouped(number)),
            Unit::Percent => write!(f, "{number} %"),
            Unit::Count => write!(f, "{}", grouped(number)),
        }
    }
}

impl Ratio {
    /// `None` where the peer did nothing.
    pub(crate) fn of(coffer: u64, peer: u64) -> Option<Ratio> {
        let thousandths = u128::from(coffer) * 1000 / u128::from((peer > 0).then_some(peer)?);
        u64::try_from(thousandths).ok().map(|thousandths| Ratio { thousandths })
    }

    pub(crate) const fn of_thousandths(thousandths: u64) -> Ratio {
        Ratio { thousandths }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = (self.thousandths + 5) / 10;
        write!(f, "{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

impl Ratios {
    /// `None` where there is none.
    pub(crate) fn of(ratios: impl IntoIterator<Item = Ratio>) -> Option<Ratios> {
        let mut ratios: Vec<Ratio> = ratios.into_iter().collect();
        ratios.sort_unstable();
        let last = ratios.len().checked_sub(1)?;
        let lower = last / 4;
        Some(Ratios { median: ratios[last / 2], lower: ratios[lower], upper: ratios[last - lower] })
    }
}

impl fmt::Display for Ratios {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} to {})", self.median, self.lower, self.upper)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        if self.is_quick {
            writeln!(f, "{QUICK}\n")?;
        }
        let cells: Vec<[String; 5]> =
            std::iter::once(HEAD.map(str::to_owned)).chain(self.rows.iter().map(Row::cells)).collect();
        // What could not be measured says so at length, and does not widen the column for the others.
        let is_measured = |row: &&[String; 5]| !row[1].starts_with("NOT");
        let widths: [usize; 5] = std::array::from_fn(|column| {
            cells.iter().filter(is_measured).map(|row| row[column].chars().count()).max().unwrap_or(0)
        });
        for (index, row) in cells.iter().enumerate() {
            let padded: Vec<String> =
                row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(f, "{}", padded.join(" | ").trim_end())?;
            if index == 0 {
                writeln!(f, "{}", widths.map(|width| "-".repeat(width)).join("-|-"))?;
            }
        }
        if self.is_quick {
            writeln!(f, "\n{QUICK}")?;
        }
        Ok(())
    }
}

/// The one in the middle; the lower of two.
pub(crate) fn median<T: Ord + Copy>(numbers: impl IntoIterator<Item = T>) -> Option<T> {
    let mut numbers: Vec<T> = numbers.into_iter().collect();
    numbers.sort_unstable();
    numbers.get(numbers.len().saturating_sub(1) / 2).copied()
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Thousandths with one digit behind the point: nanoseconds as microseconds, milliseconds as seconds.
pub(crate) fn in_thousands(number: u64) -> String {
    let tenths = (number + 50) / 100;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        for (number, text) in [(0, "0.0"), (49, "0.0"), (50, "0.1"), (1234, "1.2"), (9950, "10.0")] {
            assert_eq!(in_thousands(number), text);
        }
        for (coffer, peer, text) in [(1, 1, "1.00"), (799, 1000, "0.80"), (3, 2, "1.50"), (0, 5, "0.00")] {
            assert_eq!(Ratio::of(coffer, peer).map(|ratio| ratio.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Ratio::of(1, 0), None);
    }

    #[test]
    fn a_row_says_whether_its_goal_is_met() {
        let ratio = Ratios::of(Ratio::of(9, 10)).expect("there is one");
        let row = Row::new("reads", 9000, Unit::PerSecond).beside("nginx", 10_000, ratio);
        let met = row.ratio_at_least(Ratio::of_thousandths(900));
        assert_eq!(
            met.cells(),
            ["reads", "9,000/s", "nginx 10,000/s", "0.90 (0.90 to 0.90)", ">= 0.90: met"]
        );
        let missed = Row::new("start", 3_001, Unit::Milliseconds).at_most(3_000);
        assert_eq!(missed.cells(), ["start", "3.0 s", "-", "-", "<= 3.0 s: missed"]);
        let latency = Row::new("p99", 1_500_000, Unit::Nanoseconds).at_most(10_000_000);
        assert_eq!(latency.cells(), ["p99", "1.5 ms", "-", "-", "<= 10.0 ms: met"]);
        let failed = Row::failed("nginx", &Failure("it is not there".to_owned()));
        assert_eq!(failed.cells()[1], "NOT MEASURED: it is not there");
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3, 1, 2]), Some(2));
        assert_eq!(median([4, 1, 3, 2]), Some(2));
        assert_eq!(median([7]), Some(7));
        assert_eq!(median::<u64>([]), None);
    }

    #[test]
    fn half_of_the_ratios_lie_between_the_quartiles() {
        let text = |thousandths: &[u64]| {
            let ratios = thousandths.iter().map(|thousandths| Ratio::of_thousandths(*thousandths));
            Ratios::of(ratios).map(|ratios| ratios.to_string())
        };
        let nine = [900, 100, 300, 200, 400, 600, 500, 700, 800];
        assert_eq!(text(&nine).as_deref(), Some("0.50 (0.30 to 0.70)"));
        assert_eq!(text(&[1000]).as_deref(), Some("1.00 (1.00 to 1.00)"));
        assert_eq!(text(&[]), None);
    }
}
