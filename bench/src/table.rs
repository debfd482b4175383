//! The table: what was measured, one row each.
//!
//! Numbers are whole ones, in a unit small enough: a ratio is so many thousandths.

use std::fmt;

use crate::Failure;
use crate::machine::Machine;

const NOTHING: &str = "-";
const HEAD: [&str; 5] = ["work", "coffer", "peer", "ratio", "goal"];

/// Everything that was measured on a machine.
pub(crate) struct Table {
    machine: Machine,
    rows: Vec<Row>,
}

/// One row. What does not apply is a dash.
pub(crate) struct Row([String; 5]);

/// Coffer's number over the peer's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Ratio {
    thousandths: u64,
}

/// The ratios of several rounds: the one in the middle, and those between which half of them lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ratios {
    pub(crate) median: Ratio,
    lower: Ratio,
    upper: Ratio,
}

impl Table {
    pub(crate) fn new(machine: Machine) -> Table {
        Table { machine, rows: Vec::new() }
    }

    pub(crate) fn extend(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
    }
}

impl Row {
    /// A number of Coffer's.
    pub(crate) fn new(work: impl Into<String>, coffer: impl Into<String>) -> Row {
        let nothing = || NOTHING.to_owned();
        Row([work.into(), coffer.into(), nothing(), nothing(), nothing()])
    }

    /// Something that could not be measured.
    pub(crate) fn failed(work: &str, failure: &Failure) -> Row {
        Row::new(work, format!("not measured: {failure}"))
    }

    /// Beside the peer's.
    pub(crate) fn beside(mut self, peer: impl Into<String>, ratio: Ratios) -> Row {
        let [_, _, peer_cell, ratio_cell, _] = &mut self.0;
        *peer_cell = peer.into();
        *ratio_cell = ratio.to_string();
        self
    }

    /// What it is to be, and whether it is.
    pub(crate) fn goal(mut self, goal: &str, is_met: bool) -> Row {
        let [_, _, _, _, cell] = &mut self.0;
        *cell = format!("{goal}: {}", if is_met { "met" } else { "missed" });
        self
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
        let head = HEAD.map(str::to_owned);
        let cells = || std::iter::once(&head).chain(self.rows.iter().map(|row| &row.0));
        let widths: [usize; 5] =
            std::array::from_fn(|column| cells().map(|row| row[column].chars().count()).max().unwrap_or(0));
        for (index, row) in cells().enumerate() {
            let padded: Vec<String> =
                row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(f, "{}", padded.join(" | ").trim_end())?;
            if index == 0 {
                writeln!(f, "{}", widths.map(|width| "-".repeat(width)).join("-|-"))?;
            }
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
