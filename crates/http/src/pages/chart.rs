//! Charts, drawn here as SVG: no script draws them, and a table beside each says the same in words.

use askama::Template;
use coffer_service::Total;

use super::look::Language;
use super::part::Html;
use super::show;

/// How high the drawing of bars is, in its own units.
const HEIGHT: i128 = 1000;
/// How wide a bar and the gap behind it are.
const BAR: usize = 80;
const STEP: usize = 100;

/// A bar for each of a row of things, such as days.
#[derive(Clone, Debug)]
pub(crate) struct Bars {
    pub(crate) language: Language,
    /// What it shows.
    pub(crate) title: String,
    /// The same in a sentence with numbers, for those who cannot see it.
    pub(crate) summary: String,
    /// What each bar is of, such as a day.
    pub(crate) of: String,
    /// What is measured, such as credits.
    pub(crate) measure: String,
    pub(crate) bars: Vec<Bar>,
}

#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) label: String,
    /// Nothing below zero is drawn, but it is told.
    pub(crate) value: Total,
}

/// How one bar is drawn.
struct Drawn {
    label: String,
    value: String,
    x: usize,
    y: i128,
    height: i128,
}

#[derive(Template)]
#[template(path = "pages/bars.html")]
struct BarsDrawn<'a> {
    chart: &'a Bars,
    width: usize,
    top: String,
    half: String,
    first: String,
    middle: String,
    last: String,
    bars: Vec<Drawn>,
}

impl Bars {
    pub(crate) fn html(&self) -> Html {
        let largest = self.bars.iter().map(|bar| bar.value.millionths()).max().unwrap_or(0);
        // Where nothing is to be drawn, the axis ends at one credit.
        let top = if largest > 0 { round_up(largest) } else { 1_000_000 };
        let bars = self.bars.iter().enumerate().map(|(place, bar)| {
            let value = bar.value.millionths().max(0);
            // What is more than nothing shows, however little it is.
            let height = (value * HEIGHT / top).max(if value > 0 { 8 } else { 0 });
            Drawn {
                label: bar.label.clone(),
                value: show::total(bar.value),
                x: place * STEP + (STEP - BAR) / 2,
                y: HEIGHT - height,
                height,
            }
        });
        let label = |place: usize| self.bars.get(place).map_or(String::new(), |bar| bar.label.clone());
        Html::of(&BarsDrawn {
            chart: self,
            width: self.bars.len().max(1) * STEP,
            top: show::total(Total::from_millionths(top)),
            half: show::total(Total::from_millionths(top / 2)),
            first: label(0),
            middle: label(self.bars.len() / 2),
            last: label(self.bars.len().saturating_sub(1)),
            bars: bars.collect(),
        })
    }
}

/// The smallest of 1, 2, 4, 5, 10 times a power of ten that is not below.
fn round_up(millionths: i128) -> i128 {
    let mut power = 1;
    loop {
        if let Some(top) =
            [1, 2, 4, 5].map(|factor| power * factor).into_iter().find(|top| *top >= millionths)
        {
            return top;
        }
        power *= 10;
    }
}

/// What several things have each come to, the largest as a whole line.
#[derive(Clone, Debug)]
pub(crate) struct Shares {
    /// Label and value of each; the label may be a link.
    pub(crate) shares: Vec<(Html, Total)>,
}

struct Share<'a> {
    label: &'a Html,
    value: String,
    width: i128,
}

#[derive(Template)]
#[template(path = "pages/shares.html")]
struct SharesDrawn<'a> {
    shares: Vec<Share<'a>>,
}

impl Shares {
    pub(crate) fn html(&self) -> Html {
        let largest = self.shares.iter().map(|(_, value)| value.millionths()).max().unwrap_or(0).max(1);
        let shares = self.shares.iter().map(|(label, value)| Share {
            label,
            value: show::total(*value),
            width: value.millionths().max(0) * HEIGHT / largest,
        });
        Html::of(&SharesDrawn { shares: shares.collect() })
    }
}

#[cfg(test)]
mod tests {
    use coffer_ledger::Credits;

    use super::*;
    use crate::pages::part;

    #[test]
    fn the_axis_ends_at_a_round_number() {
        for (largest, top) in [(1, 1), (3, 4), (41, 50), (999, 1000), (1000, 1000), (1001, 2000)] {
            assert_eq!(round_up(largest), top, "{largest}");
        }
        assert_eq!(
            round_up(i128::from(Credits::MAX.millionths())),
            10_i128.pow(19),
            "beyond what an account can have"
        );
    }

    fn bars(bars: Vec<Bar>) -> String {
        let chart = Bars {
            language: Language::English,
            title: "Usage".to_owned(),
            summary: String::new(),
            of: "Day".to_owned(),
            measure: "Credits".to_owned(),
            bars,
        };
        chart.html().to_string()
    }

    #[test]
    fn what_several_accounts_come_to_is_told_in_full() {
        let two = Total::from(Credits::MAX).plus(Credits::MAX);
        let shares = Shares { shares: vec![(part::text("Acme"), two)] }.html().to_string();
        assert!(shares.contains("18,000,000,000,000"), "{shares}");
        let bars = bars(vec![Bar { label: "now".to_owned(), value: two }]);
        for drawn in ["18,000,000,000,000", "20,000,000,000,000", r#"height="900""#] {
            assert!(bars.contains(drawn), "{drawn} in {bars}");
        }
    }

    #[test]
    fn bars_are_as_high_as_their_values_and_never_below_the_floor() {
        let bar = |value: &str| {
            let credits: Credits = value.parse().unwrap();
            Bar { label: "<day>".to_owned(), value: Total::from(credits) }
        };
        let html = bars(vec![bar("100"), bar("25"), bar("-3"), bar("0.000001")]);
        for drawn in
            [r#"y="0" width="80" height="1000""#, r#"y="750" width="80" height="250""#, r#"height="8""#]
        {
            assert!(html.contains(drawn), "{drawn} in {html}");
        }
        assert_eq!(html.matches(r#"height="0""#).count(), 1);
        assert!(html.contains("&#60;day&#62;") && !html.contains("<day>"), "{html}");
    }
}
