//! The statement: every entry of the account, filtered by kind and day, and as a file.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use coffer_ledger::{Entry, EntryKind};
use coffer_service::{EntryOrder, EntryQuery};

use super::frame::{Place, frame, refused};
use super::visitor::Visitor;
use super::words::PortalWords;
use crate::pages::form::Filled;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Badge, Empty, Html, Pager, Tone};
use crate::pages::table::{Column, Row, Table};
use crate::pages::wanted::{FilterWords, Wanted};
use crate::problem::Problem;
use crate::{App, Shared, entries};

/// Entries on a page.
const SHOWN_MAX: usize = 25;
const FILE_PATH: &str = "/portal/statement.csv";

/// The page.
pub(super) async fn show(State(app): Shared, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    match page(&app, &visitor, &Wanted::of(&query)).await {
        Ok(page) => page.respond(StatusCode::OK),
        Err(problem) => refused(&visitor, Place::Statement, &problem),
    }
}

/// The whole range as a file, streamed.
pub(super) async fn file(State(app): Shared, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    let wanted = Wanted::of(&query).query(visitor.account_id(), SHOWN_MAX);
    let range = EntryQuery { beyond: None, order: EntryOrder::OldestFirst, ..wanted };
    match entries::file(&app, range).await {
        Ok(mut response) => {
            let name = HeaderValue::from_static("attachment; filename=\"statement.csv\"");
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_DISPOSITION, name);
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            response
        }
        Err(problem) => refused(&visitor, Place::Statement, &problem),
    }
}

async fn page(app: &App, visitor: &Visitor, wanted: &Wanted<'_>) -> Result<Page, Problem> {
    let words = visitor.words();
    let path = Place::Statement.href();
    app.service.write_what_is_due(visitor.account_id()).await?;
    let found = app.service.reader().entries(wanted.query(visitor.account_id(), SHOWN_MAX)).await?;
    let empty = if found.next.is_some() { words.entries_go_on } else { words.no_entries_text };
    let table = Table {
        caption: words.statement.to_owned(),
        columns: vec![
            Column::words(words.kind),
            Column::words(words.what),
            Column::number(words.change),
            Column::number(words.balance),
            Column::words(words.when),
        ],
        rows: found.entries.iter().map(|entry| row(visitor, entry)).collect(),
        empty: Empty { title: words.no_entries.to_owned(), text: empty.to_owned(), action: None },
        pager: Some(Pager {
            language: visitor.look.language,
            first: wanted.goes_on().then(|| wanted.place(path, None)),
            next: found.next.map(|next| wanted.place(path, Some(next))),
        }),
    };
    let body = [filter_form(visitor, wanted), table.html()];
    let mut heading = Heading::new(words.statement).lead(part::text(words.statement_lead));
    let download = wanted.place(FILE_PATH, None);
    heading.actions.push(Action::link(ActionLook::Plain, words.download, download));
    let mut page = Page::new(frame(visitor, Place::Statement, words.statement), heading);
    page.sections.push(Section::boxed(Html::all(body)));
    Ok(page)
}

fn filter_form(visitor: &Visitor, wanted: &Wanted<'_>) -> Html {
    let words = visitor.words();
    let names = FilterWords { kind: words.kind, from: words.from, to: words.to };
    let path = Place::Statement.href();
    wanted.form(visitor.look.language, path, &names, |kind| kind_name(words, kind))
}

fn row(visitor: &Visitor, entry: &Entry) -> Row {
    let words = visitor.words();
    let held = (!entry.held_credits.is_zero())
        .then(|| Html::all([part::text(format!("{} ", words.held)), part::change(entry.held_credits)]));
    let change = match held {
        Some(held) => part::two_lines(part::change(entry.credits), held),
        None => part::change(entry.credits),
    };
    Row::new(vec![
        Badge::new(tone(entry.kind), kind_name(words, entry.kind)).html(),
        what(entry),
        change,
        part::credits(entry.balance_after.available),
        part::time(entry.at, visitor.look.language),
    ])
}

/// What an entry was for, and its number. Reasons and metadata are the operator's own.
fn what(entry: &Entry) -> Html {
    let operation = entry.purpose.operation.as_ref().map(|operation| operation.as_str().to_owned());
    let reference = entry.note.reference.as_ref().map(|reference| reference.as_str().to_owned());
    let said: Vec<String> = [operation, reference].into_iter().flatten().collect();
    let number = part::text(format!("#{}", entry.seq.0));
    if said.is_empty() { number } else { part::two_lines(part::written(said.join(" · ")), number) }
}

const fn tone(kind: EntryKind) -> Tone {
    match kind {
        EntryKind::Grant | EntryKind::Refund => Tone::Good,
        EntryKind::Hold | EntryKind::Adjust => Tone::Attention,
        EntryKind::Expire | EntryKind::Void => Tone::Bad,
        EntryKind::Charge | EntryKind::Capture | EntryKind::Release => Tone::Neutral,
    }
}

const fn kind_name(words: &PortalWords, kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Grant => words.kind_grant,
        EntryKind::Charge => words.kind_charge,
        EntryKind::Hold => words.kind_hold,
        EntryKind::Capture => words.kind_capture,
        EntryKind::Release => words.kind_release,
        EntryKind::Refund => words.kind_refund,
        EntryKind::Expire => words.kind_expire,
        EntryKind::Void => words.kind_void,
        EntryKind::Adjust => words.kind_adjust,
    }
}
