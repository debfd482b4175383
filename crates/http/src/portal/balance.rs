//! What the account has: the figures at the top of the first page, and the page of its grants.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::{AccountStatus, Category, Grant, GrantStatus, Timestamp};
use coffer_service::Total;

use super::frame::{Place, frame, refused};
use super::visitor::Visitor;
use super::words::PortalWords;
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Badge, Empty, Html, Notice, Pager, Stat, Stats, Tone};
use crate::pages::show;
use crate::pages::table::{Column, Row, Table};
use crate::problem::Problem;
use crate::{App, Shared, paging};

/// Grants on a page.
const SHOWN_MAX: &str = "20";

/// The figures. `spent` is what was spent lately.
pub(super) fn stats(visitor: &Visitor, spent: Option<Total>) -> Html {
    let words = visitor.words();
    let language = visitor.look.language;
    let account = &visitor.account;
    let mut available = Stat::new(words.available, show::credits(account.balance.available));
    available = available.unit(words.unit).leading();
    if account.debt.is_positive() {
        available = available.note(format!("{} {}", show::credits(account.debt), words.in_debt));
    } else if account.overdraft_limit.is_positive() {
        let limit = show::credits(account.overdraft_limit);
        available = available.note(format!("{} {limit}", words.overdraft_note));
    }
    let held = Stat::new(words.held, show::credits(account.balance.held)).note(words.held_note);
    let expiry = match account.next_expiry() {
        Some(next) => Stat::new(words.next_expiry, show::credits(next.credits)).note(format!(
            "{} {}",
            words.expires_on,
            show::day(next.at, language)
        )),
        None => Stat::new(words.next_expiry, "–").note(words.never_expires),
    };
    let spent = spent.map(|spent| Stat::new(words.spent_30_days, show::total(spent)).unit(words.unit));
    Html::of(&Stats([available, held, expiry].into_iter().chain(spent).collect()))
}

/// What a customer must know before anything else.
pub(super) fn notices(visitor: &Visitor) -> Vec<Notice> {
    let words = visitor.words();
    match visitor.account.status {
        AccountStatus::Active | AccountStatus::Closed => Vec::new(),
        AccountStatus::Frozen => vec![Notice {
            tone: Tone::Attention,
            title: words.account_frozen.to_owned(),
            text: words.account_frozen_text.to_owned(),
        }],
    }
}

/// The page of the grants.
pub(super) async fn show(State(app): Shared, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    match page(&app, &visitor, &query).await {
        Ok(page) => page.respond(StatusCode::OK),
        Err(problem) => refused(&visitor, Place::Credits, &problem),
    }
}

async fn page(app: &App, visitor: &Visitor, query: &Filled) -> Result<Page, Problem> {
    let words = visitor.words();
    let span = paging::span(Some(SHOWN_MAX), query.given("cursor"))?;
    let found = app.service.grants(visitor.account_id(), span).await?;
    let (grants, at) = found.ok_or_else(|| Problem::not_found("account"))?;
    let last = grants.items.last().filter(|_| grants.has_more).map(|grant| grant.lot.grant_id);
    let place = |cursor: &str| href(Place::Credits.href(), [("cursor", cursor)]);
    let table = Table {
        caption: words.credits.to_owned(),
        columns: vec![
            Column::words(words.grant),
            Column::words(words.status),
            Column::number(words.granted),
            Column::number(words.remaining),
            Column::number(words.held),
            Column::words(words.starts),
            Column::words(words.expires),
        ],
        rows: grants.items.iter().map(|grant| row(visitor, grant, at)).collect(),
        empty: Empty {
            title: words.no_grants.to_owned(),
            text: words.no_grants_text.to_owned(),
            action: None,
        },
        pager: Some(Pager {
            language: visitor.look.language,
            first: query.given("cursor").map(|_| Place::Credits.href().to_owned()),
            next: last.map(|id| place(&paging::cursor(&id.bytes()))),
        }),
    };
    let heading = Heading::new(words.credits).lead(part::text(words.credits_lead));
    let mut page = Page::new(frame(visitor, Place::Credits, words.credits), heading);
    page.notices = notices(visitor);
    page.sections = vec![Section::bare(stats(visitor, None)), Section::boxed(table.html())];
    Ok(page)
}

fn row(visitor: &Visitor, grant: &Grant, at: Timestamp) -> Row {
    let words = visitor.words();
    let language = visitor.look.language;
    let lot = &grant.lot;
    let category = match lot.category {
        Category::Paid => words.paid,
        Category::Promotional => words.promotional,
    };
    let name = match &grant.reference {
        Some(reference) => part::two_lines(part::written(reference.as_str()), part::text(category)),
        None => part::text(category),
    };
    let expiry = match lot.expires_at {
        Some(at) => part::time(at, language),
        None => part::text(words.no_expiry),
    };
    Row::new(vec![
        name,
        status(words, grant.status(at)).html(),
        part::credits(lot.granted),
        part::credits(lot.remaining),
        part::credits(lot.held),
        part::time(lot.effective_at, language),
        expiry,
    ])
}

fn status(words: &PortalWords, status: GrantStatus) -> Badge {
    match status {
        GrantStatus::Pending => Badge::new(Tone::Attention, words.pending),
        GrantStatus::Active => Badge::new(Tone::Good, words.active),
        GrantStatus::Depleted => Badge::new(Tone::Neutral, words.depleted),
        GrantStatus::Expired => Badge::new(Tone::Neutral, words.expired),
        GrantStatus::Voided => Badge::new(Tone::Bad, words.voided),
    }
}
