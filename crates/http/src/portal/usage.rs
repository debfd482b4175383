//! What the account has spent, by day, by key and by operation.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::{KeyId, Timestamp};
use coffer_service::{Span, Total, Usage, UsageBy, UsageOf};

use super::frame::{Place, frame, refused};
use super::visitor::Visitor;
use crate::pages::chart::{Bar, Bars, Shares};
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Empty, Html};
use crate::pages::show;
use crate::problem::Problem;
use crate::{App, Shared};

/// The stretches of time that are offered, in days; the second one is shown first.
const DAYS: [u16; 3] = [7, 30, 90];
pub(super) const DAYS_DEFAULT: u16 = DAYS[1];
/// Keys and operations that are named; the rest is summed.
const NAMED_MAX: usize = 12;
/// Keys whose names are looked up: the newest.
const KEYS_MAX: usize = 100;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The page.
pub(super) async fn show(State(app): Shared, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    let asked = query.get("days").parse().ok().filter(|days| DAYS.contains(days));
    match page(&app, &visitor, asked.unwrap_or(DAYS_DEFAULT)).await {
        Ok(page) => page.respond(StatusCode::OK),
        Err(problem) => refused(&visitor, Place::Usage, &problem),
    }
}

async fn page(app: &App, visitor: &Visitor, days: u16) -> Result<Page, Problem> {
    let words = visitor.words();
    let by_day = by_day(app, visitor, days).await?;
    let mut chart = Section::new("by-day", words.by_day, by_day.chart(visitor));
    let labels = [(DAYS[0], words.days_7), (DAYS[1], words.days_30), (DAYS[2], words.days_90)];
    for (count, label) in labels {
        let look = if count == days { ActionLook::Primary } else { ActionLook::Plain };
        let place = href(Place::Usage.href(), [("days", count.to_string().as_str())]);
        chart.actions.push(Action::link(look, label, place));
    }
    let keys = summed(app, visitor, UsageBy::Key, days).await?;
    let names = names(app, visitor).await?;
    let key_label = |of: &UsageOf| match of {
        UsageOf::Key(Some(id)) => names.get(id).cloned().unwrap_or_else(|| id.to_string()),
        UsageOf::Key(None) | UsageOf::Day(_) | UsageOf::Operation(_) => words.without_key.to_owned(),
    };
    let operations = summed(app, visitor, UsageBy::Operation, days).await?;
    let operation_label = |of: &UsageOf| match of {
        UsageOf::Operation(Some(operation)) => operation.as_str().to_owned(),
        UsageOf::Operation(None) | UsageOf::Day(_) | UsageOf::Key(_) => words.without_operation.to_owned(),
    };
    let heading = Heading::new(words.usage).lead(part::text(words.usage_lead));
    let mut page = Page::new(frame(visitor, Place::Usage, words.usage), heading);
    page.sections = vec![
        chart,
        Section::new("by-key", words.by_key, shares(visitor, keys, key_label)).half(),
        Section::new("by-operation", words.by_operation, shares(visitor, operations, operation_label)).half(),
    ];
    Ok(page)
}

/// What was spent on each of the latest days.
pub(super) struct ByDay {
    days: Vec<(Timestamp, Total)>,
    /// What it comes to.
    pub(super) total: Total,
    charges: u64,
}

/// What was spent on each of so many days, today the last.
pub(super) async fn by_day(app: &App, visitor: &Visitor, days: u16) -> Result<ByDay, Problem> {
    let sums = summed(app, visitor, UsageBy::Day, days).await?;
    let mut found: BTreeMap<Timestamp, Total> = BTreeMap::new();
    let mut charges = 0;
    for usage in &sums {
        if let UsageOf::Day(day) = usage.of {
            found.insert(day, net(usage));
            charges += usage.charges;
        }
    }
    let total = found.values().copied().sum();
    let days = each_day(app.service.now(), days);
    let days = days.into_iter().map(|day| (day, found.get(&day).copied().unwrap_or_default()));
    Ok(ByDay { days: days.collect(), total, charges })
}

impl ByDay {
    /// A bar for each day.
    pub(super) fn chart(&self, visitor: &Visitor) -> Html {
        let words = visitor.words();
        let language = visitor.look.language;
        let bar =
            |(day, spent): &(Timestamp, Total)| Bar { label: show::short_day(*day, language), value: *spent };
        let (total, charges) = (show::total(self.total), show::count(self.charges));
        let bars = Bars {
            language,
            title: words.by_day.to_owned(),
            summary: format!("{total} {}, {charges} {}", words.unit, words.charges),
            of: words.day.to_owned(),
            measure: words.unit.to_owned(),
            bars: self.days.iter().map(bar).collect(),
        };
        Html::all([part::remark(&bars.summary), bars.html()])
    }
}

/// The midnights with which so many days begin, today's the last.
fn each_day(now: Timestamp, days: u16) -> Vec<Timestamp> {
    let today = now.start_of_day().unix_ms();
    let midnight = |ago: i64| Timestamp::from_unix_ms(today - ago * DAY_MS);
    (0..i64::from(days)).rev().filter_map(midnight).collect()
}

async fn summed(app: &App, visitor: &Visitor, by: UsageBy, days: u16) -> Result<Vec<Usage>, Problem> {
    let from = each_day(app.service.now(), days).first().copied().unwrap_or(Timestamp::MIN);
    Ok(app.service.reader().usage(visitor.account_id(), by, from, Timestamp::MAX).await?)
}

/// Charges less refunds.
fn net(usage: &Usage) -> Total {
    Total::from(usage.charged).less(usage.refunded)
}

/// How the newest keys are called.
async fn names(app: &App, visitor: &Visitor) -> Result<BTreeMap<KeyId, String>, Problem> {
    let span = Span { before: None, count_max: KEYS_MAX };
    let page = app.service.keys(visitor.account_id(), span).await?;
    let records = page.into_iter().flat_map(|page| page.items);
    Ok(records.map(|record| (record.key.id, record.profile.name.as_str().to_owned())).collect())
}

/// The largest first, and all that are not named as one.
fn shares(visitor: &Visitor, mut sums: Vec<Usage>, label: impl Fn(&UsageOf) -> String) -> Html {
    let words = visitor.words();
    if sums.is_empty() {
        let (title, text) = (words.nothing_spent.to_owned(), words.nothing_spent_text.to_owned());
        return Html::of(&Empty { title, text, action: None });
    }
    sums.sort_by_key(|usage| std::cmp::Reverse(net(usage)));
    let others = sums.split_off(sums.len().min(NAMED_MAX));
    let mut shares: Vec<(Html, Total)> =
        sums.iter().map(|usage| (part::text(label(&usage.of)), net(usage))).collect();
    if !others.is_empty() {
        shares.push((part::text(words.and_others), others.iter().map(net).sum()));
    }
    Shares { shares }.html()
}
