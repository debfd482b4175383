//! A chart of the ratios, drawn from a file of results.
//!
//! Each bar begins where the peer stands and goes right where Coffer is quicker; double the ratio is one step further, so that
//! twice and half are equally far from the peer. A line across a bar is the goal.

use std::fmt::Write as _;

use serde_json::Value;

use crate::Failure;
use crate::rounds::DISTURBED;

const WIDTH: u32 = 860;
const LEFT: u32 = 360;
const RIGHT: u32 = 80;
const TOP: u32 = 74;
const ROW: u32 = 34;
const BAR: u32 = 18;
const BOTTOM: u32 = 66;
/// From an eighth to sixteen times. What lies beyond reaches the end, and its number says how far it goes.
const STEPS: [(u64, &str); 8] = [
    (125, "⅛"),
    (250, "¼"),
    (500, "½"),
    (1_000, "peer"),
    (2_000, "2×"),
    (4_000, "4×"),
    (8_000, "8×"),
    (16_000, "16×"),
];

const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}\
.title{font-size:16px;font-weight:600}.quiet{fill:#656d76;font-size:12px}\
.number{font-weight:600}.line{stroke:#d1d9e0}.peer{stroke:#656d76}\
.bar{fill:#2f6f4f}.goal{stroke:#b35900;stroke-width:2}.ground{fill:#fff}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#9198a1}.line{stroke:#3d444d}\
.peer{stroke:#9198a1}.bar{fill:#57ab5a}.goal{stroke:#e09b13}.ground{fill:#0d1117}}";

struct Bar<'a> {
    name: &'a str,
    thousandths: u64,
    goal_thousandths: Option<u64>,
}

/// The chart as SVG. `None` where nothing in the results belongs into it.
pub(crate) fn draw(results: &Value) -> Result<Option<String>, Failure> {
    let rows = results["rows"].as_array().ok_or_else(|| Failure("the results have no rows".to_owned()))?;
    let bars: Vec<Bar<'_>> = rows.iter().filter_map(bar).collect();
    if bars.is_empty() {
        return Ok(None);
    }
    let rows_height = ROW * u32::try_from(bars.len()).unwrap_or(u32::MAX / ROW);
    let height = TOP + rows_height + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>Coffer beside its peers, as ratios</title>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"16\" y=\"28\">How many times as much Coffer does as its peer, in the same run</text>\n"
    );
    scale(&mut svg, TOP + rows_height);
    let mut y = TOP;
    for bar in &bars {
        bar.draw(&mut svg, y);
        y += ROW;
    }
    for (line, text) in (0_u32..).zip(footer(results)) {
        let y = TOP + rows_height + 24 + line * 18;
        put(&mut svg, format_args!("<text class=\"quiet\" x=\"16\" y=\"{y}\">{}</text>\n", escaped(&text)));
    }
    svg.push_str("</svg>\n");
    Ok(Some(svg))
}

fn bar(row: &Value) -> Option<Bar<'_>> {
    let goal = row["goal"]["text"].as_str().and_then(|text| in_thousandths(text.strip_prefix(">= ")?));
    Some(Bar {
        name: row["chart"].as_str()?,
        thousandths: row["ratio_thousandths"]["median"].as_u64()?,
        goal_thousandths: goal,
    })
}

/// `0.40` is 400 thousandths.
fn in_thousandths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.')?;
    let hundredths: u64 = (part.len() == 2).then(|| part.parse().ok())??;
    Some(whole.parse::<u64>().ok()? * 1000 + hundredths * 10)
}

impl Bar<'_> {
    fn draw(&self, svg: &mut String, y: u32) {
        let (peer, end) = (across(1000), across(self.thousandths));
        let (from, width) = (peer.min(end), peer.abs_diff(end).max(1));
        let (middle, bar_y) = (y + ROW / 2 + 5, y + (ROW - BAR) / 2);
        put(svg, format_args!("<text x=\"16\" y=\"{middle}\">{}</text>\n", escaped(self.name)));
        put(
            svg,
            format_args!(
                "<rect class=\"bar\" x=\"{from}\" y=\"{bar_y}\" width=\"{width}\" height=\"{BAR}\" rx=\"2\"/>\n"
            ),
        );
        if let Some(goal) = self.goal_thousandths {
            let (x, top, bottom) = (across(goal), bar_y - 4, bar_y + BAR + 4);
            put(
                svg,
                format_args!("<line class=\"goal\" x1=\"{x}\" x2=\"{x}\" y1=\"{top}\" y2=\"{bottom}\"/>\n"),
            );
        }
        let hundredths = (self.thousandths + 5) / 10;
        let (whole, part, x) = (hundredths / 100, hundredths % 100, WIDTH - 16);
        put(
            svg,
            format_args!(
                "<text class=\"number\" text-anchor=\"end\" x=\"{x}\" y=\"{middle}\">{whole}.{part:02}×</text>\n"
            ),
        );
    }
}

fn scale(svg: &mut String, bottom: u32) {
    for (thousandths, name) in STEPS {
        let (x, class) = (across(thousandths), if thousandths == 1000 { "peer" } else { "line" });
        let (name_y, top) = (TOP - 12, TOP - 6);
        put(
            svg,
            format_args!(
                "<line class=\"{class}\" x1=\"{x}\" x2=\"{x}\" y1=\"{top}\" y2=\"{bottom}\"/>\n\
                 <text class=\"quiet\" text-anchor=\"middle\" x=\"{x}\" y=\"{name_y}\">{name}</text>\n"
            ),
        );
    }
}

/// Where a ratio lies, from the left. What is beyond the scale lies at its end.
#[expect(clippy::float_arithmetic, reason = "a logarithm, and only for drawing")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn across(thousandths: u64) -> u32 {
    let (least, most) = (STEPS[0].0, STEPS[STEPS.len() - 1].0);
    let doublings = |thousandths: u64| (thousandths.clamp(least, most) as f64 / least as f64).log2();
    LEFT + (doublings(thousandths) / doublings(most) * f64::from(WIDTH - RIGHT - LEFT)).round() as u32
}

fn footer(results: &Value) -> Vec<String> {
    let machine = |name: &str| results["machine"][name].as_str().unwrap_or_default().to_owned();
    let works = results["rows"].as_array().into_iter().flatten().filter_map(|row| row["work"].as_str());
    let warning = if results["quick"] == Value::Bool(true) {
        "A QUICK RUN, WHICH MEANS NOTHING · "
    } else if works.into_iter().any(|work| work.contains(DISTURBED)) {
        "other programs were busy meanwhile · "
    } else {
        ""
    };
    vec![
        "A bar begins where the peer stands. The mark across a bar is the goal. Load, Coffer and peer share the machine.".to_owned(),
        format!("{warning}{} · coffer {}", machine("machine"), machine("coffer")),
    ]
}

fn put(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.write_fmt(text).expect("text can be written to");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn twice_and_half_are_equally_far_from_the_peer() {
        assert_eq!(across(2000) - across(1000), across(1000) - across(500));
        assert_eq!(across(0), LEFT);
        assert_eq!(across(1_000_000), WIDTH - RIGHT);
    }

    #[test]
    fn only_what_has_a_name_for_it_is_in_the_chart() {
        let row = |chart: Value| json!({"chart": chart, "ratio_thousandths": {"median": 1995}, "goal": {"text": ">= 1.50"}});
        let results = |row: Value| json!({"quick": false, "machine": {"machine": "2 cores"}, "rows": [row]});
        assert!(draw(&results(row(Value::Null))).is_ok_and(|chart| chart.is_none()));
        let drawn = draw(&results(row(json!("Redis & co.")))).expect("it has rows").expect("it has a bar");
        for part in [">Redis &amp; co.<", ">2.00×<", "class=\"goal\"", ">2 cores · coffer <"] {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
        assert!(draw(&json!({})).is_err());
    }
}
