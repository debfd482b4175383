//! The ledger at a glance: what all accounts come to, what this process has done lately, who spends most, what was refused.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::{Scope, Timestamp};
use coffer_service::{Lately, Survey};

use super::act;
use super::cells::account_path;
use super::frame::{Place, frame};
use super::visitor::Visitor;
use super::words::ConsoleWords;
use crate::pages::chart::{Bar, Bars, Shares};
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Empty, Html, Notice, Stat, Stats, Tone};
use crate::pages::respond::see_other;
use crate::pages::show;
use crate::pages::table::{Column, Row, Table};
use crate::problem::Problem;
use crate::{App, Shared};

/// How often a script fetches the figures again.
const REFRESH_SECONDS: u16 = 10;

/// The overview; for who may not see it, the first page that they may.
pub(crate) async fn show(State(app): Shared, visitor: Visitor) -> Response {
    let first = Place::first(&visitor);
    if first != Place::Overview {
        return see_other(first.href());
    }
    match page(&app, &visitor).await {
        Ok(page) => page.respond(StatusCode::OK),
        Err(problem) => act::refused(&visitor, Place::Overview, &problem),
    }
}

async fn page(app: &Arc<App>, visitor: &Visitor) -> Result<Page, Problem> {
    visitor.allowed(Scope::Read)?;
    let words = visitor.words();
    let survey = app.service.survey().await?;
    let lately = app.service.lately();
    let heading = Heading::new(words.overview).lead(part::text(words.overview_lead));
    let mut page = Page::new(frame(visitor, Place::Overview, words.overview), heading);
    match &survey {
        Some(survey) => page.sections.push(figures(visitor, words, survey, &lately)),
        None => page.notices.push(Notice {
            tone: Tone::Neutral,
            title: String::new(),
            text: words.counting.to_owned(),
        }),
    }
    page.sections.push(charges(visitor, words, &lately));
    page.sections.push(top(app, words, survey.as_deref()).await?);
    page.sections.push(refused(visitor, words, &lately));
    Ok(page)
}

fn figures(visitor: &Visitor, words: &ConsoleWords, survey: &Survey, lately: &Lately) -> Section {
    let (charges, seconds) = lately.recent;
    let stats = vec![
        Stat::new(words.available, show::total(survey.available)).note(words.available_note).leading(),
        Stat::new(words.spent, show::total(survey.spent)).note(words.spent_note).leading(),
        Stat::new(words.granted, show::total(survey.granted)).note(words.granted_note).leading(),
        Stat::new(words.charge_rate, rate(charges, seconds)).note(words.charge_rate_note).leading(),
        Stat::new(words.held, show::total(survey.held)).note(words.held_note),
        Stat::new(words.expiring, show::total(survey.expiring)).note(words.expiring_note),
        Stat::new(words.debt, show::total(survey.debt)).note(in_debt(words, survey)),
        Stat::new(words.accounts, show::count(survey.accounts)).note(as_of(visitor, words, survey.at)),
    ];
    let mut section = Section::bare(Html::of(&Stats(stats)));
    section.anchor = "figures";
    section.refresh_seconds = REFRESH_SECONDS;
    section
}

fn in_debt(words: &ConsoleWords, survey: &Survey) -> String {
    let what = if survey.in_debt == 1 { words.account_in_debt } else { words.accounts_in_debt };
    format!("{} {what}", show::count(survey.in_debt))
}

fn as_of(visitor: &Visitor, words: &ConsoleWords, at: Timestamp) -> String {
    let time = show::time(at, visitor.look.language);
    format!("{} {time}", words.as_of)
}

/// Charges a second, to a tenth.
fn rate(charges: u64, seconds: u64) -> String {
    let tenths = charges * 10 / seconds;
    if tenths.is_multiple_of(10) {
        show::count(tenths / 10)
    } else {
        format!("{}.{}", show::count(tenths / 10), tenths % 10)
    }
}

fn charges(visitor: &Visitor, words: &ConsoleWords, lately: &Lately) -> Section {
    let bars = lately
        .slots
        .iter()
        .map(|stretch| Bar { label: ago(words, stretch.seconds_ago), value: stretch.spent });
    let chart = Bars {
        language: visitor.look.language,
        title: words.charges_lately.to_owned(),
        summary: words.charges_lately_lead.to_owned(),
        of: words.when.to_owned(),
        measure: words.credits.to_owned(),
        bars: bars.collect(),
    };
    let mut section = Section::new("charges", words.charges_lately, chart.html());
    section.lead = part::remark(words.charges_lately_lead);
    section.refresh_seconds = REFRESH_SECONDS;
    section
}

fn ago(words: &ConsoleWords, seconds: u64) -> String {
    match (seconds / 60, seconds) {
        (0, 0..10) => words.now.to_owned(),
        (0, seconds) => format!("{seconds} {}", words.seconds_ago),
        (minutes, _) => format!("{minutes} {}", words.minutes_ago),
    }
}

/// Who has spent most. Their names are looked up one by one: they are five.
async fn top(app: &App, words: &ConsoleWords, survey: Option<&Survey>) -> Result<Section, Problem> {
    let mut shares = Vec::new();
    for (id, spent) in survey.map(|survey| survey.top.as_slice()).unwrap_or_default() {
        let record = app.service.reader().account_record(*id).await?;
        let name = record.map_or_else(|| id.to_string(), |record| record.profile.name.to_string());
        let link = part::link(account_path(*id), part::text(name));
        shares.push((link, *spent));
    }
    let body = if shares.is_empty() {
        Html::of(&Empty {
            title: words.nobody_has_spent.to_owned(),
            text: words.nobody_has_spent_text.to_owned(),
            action: None,
        })
    } else {
        Shares { shares }.html()
    };
    let mut section = Section::new("top-accounts", words.top_accounts, body).half();
    section.lead = part::remark(words.top_accounts_lead);
    Ok(section)
}

fn refused(visitor: &Visitor, words: &ConsoleWords, lately: &Lately) -> Section {
    const SHOWN_MAX: usize = 8;
    let language = visitor.look.language;
    let rows = lately.refusals.iter().take(SHOWN_MAX).map(|counted| {
        Row::new(vec![
            part::text(crate::pages::refusals::kind(&counted.refusal, language)),
            part::text(show::count(counted.count)),
            show::moment(counted.last).map_or_else(|| part::text(""), |at| part::time(at, language)),
        ])
    });
    let table = Table {
        caption: words.refusals.to_owned(),
        columns: vec![Column::words(words.refusal), Column::number(words.count), Column::words(words.last)],
        rows: rows.collect(),
        empty: Empty {
            title: words.no_refusals.to_owned(),
            text: words.no_refusals_text.to_owned(),
            action: None,
        },
        pager: None,
    };
    let mut section = Section::new("refusals", words.refusals, table.html()).half();
    section.lead = part::remark(words.refusals_lead);
    section
}
