//! The statement: every entry of the account, filtered by kind and day, and as a file.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use coffer_ledger::{Entry, EntryKind, Seq, Timestamp};
use coffer_service::{EntryOrder, EntryQuery};

use super::frame::{Place, frame, refused};
use super::visitor::Visitor;
use super::words::PortalWords;
use crate::pages::field::{Field, FieldKind};
use crate::pages::filters;
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Badge, Empty, Html, Pager, Tone};
use crate::pages::table::{Column, Row, Table};
use crate::problem::Problem;
use crate::{App, Shared, entries};

/// Entries on a page.
const SHOWN_MAX: usize = 25;
const FILE_PATH: &str = "/portal/statement.csv";

/// Which entries are wanted. A day that is none narrows nothing, and neither does a kind.
struct Wanted<'a> {
    kind: Option<EntryKind>,
    from: &'a str,
    to: &'a str,
    beyond: Option<Seq>,
}

impl Wanted<'_> {
    fn of(query: &Filled) -> Wanted<'_> {
        let is_day = |day: &&str| midnight(day).is_some();
        Wanted {
            kind: EntryKind::of_name(query.get("kind")),
            from: Some(query.get("from")).filter(is_day).unwrap_or_default(),
            to: Some(query.get("to")).filter(is_day).unwrap_or_default(),
            beyond: query.get("beyond").parse().ok().filter(|seq| i64::try_from(*seq).is_ok()).map(Seq),
        }
    }

    fn place(&self, path: &str, beyond: Option<Seq>) -> String {
        let beyond = beyond.map(|seq| seq.0.to_string()).unwrap_or_default();
        let kind = self.kind.map_or("", EntryKind::as_str);
        href(path, [("kind", kind), ("from", self.from), ("to", self.to), ("beyond", beyond.as_str())])
    }

    fn query(&self, visitor: &Visitor) -> EntryQuery {
        EntryQuery {
            account_id: visitor.account_id(),
            from: midnight(self.from),
            // The last day counts whole.
            to: midnight(self.to).map(|midnight| midnight.saturating_add_days(1)),
            kind: self.kind,
            visible_to: None,
            order: EntryOrder::NewestFirst,
            beyond: self.beyond,
            count_max: SHOWN_MAX,
        }
    }
}

/// The midnight with which a day begins, in UTC.
fn midnight(day: &str) -> Option<Timestamp> {
    format!("{day}T00:00:00Z").parse().ok()
}

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
    let range =
        EntryQuery { beyond: None, order: EntryOrder::OldestFirst, ..Wanted::of(&query).query(&visitor) };
    match entries::file(&app, range).await {
        Ok(mut response) => {
            let name = HeaderValue::from_static("attachment; filename=\"statement.csv\"");
            response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
            response
        }
        Err(problem) => refused(&visitor, Place::Statement, &problem),
    }
}

async fn page(app: &App, visitor: &Visitor, wanted: &Wanted<'_>) -> Result<Page, Problem> {
    let words = visitor.words();
    let path = Place::Statement.href();
    app.service.write_what_is_due(visitor.account_id()).await?;
    let found = app.service.reader().entries(wanted.query(visitor)).await?;
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
            first: wanted.beyond.map(|_| wanted.place(path, None)),
            next: found.next.map(|next| wanted.place(path, Some(next))),
        }),
    };
    let pager = table.rows.is_empty().then(|| table.pager.clone()).flatten();
    let mut body = vec![filter_form(visitor, wanted), table.html()];
    body.extend(pager.map(|pager| Html::of(&pager)));
    let mut heading = Heading::new(words.statement).lead(part::text(words.statement_lead));
    let download = wanted.place(FILE_PATH, None);
    heading.actions.push(Action::link(ActionLook::Plain, words.download, download));
    let mut page = Page::new(frame(visitor, Place::Statement, words.statement), heading);
    page.sections.push(Section::boxed(Html::all(body)));
    Ok(page)
}

fn filter_form(visitor: &Visitor, wanted: &Wanted<'_>) -> Html {
    let words = visitor.words();
    let language = visitor.look.language;
    let mut kinds = vec![(String::new(), language.words().all.to_owned())];
    kinds.extend(EntryKind::ALL.map(|kind| (kind.as_str().to_owned(), kind_name(words, kind).to_owned())));
    let kind = wanted.kind.map_or("", EntryKind::as_str);
    let fields = [
        Field::new(language, "kind", words.kind, FieldKind::Choice(kinds)).value(kind).plain(),
        Field::new(language, "from", words.from, FieldKind::Date).value(wanted.from).plain(),
        Field::new(language, "to", words.to, FieldKind::Date).value(wanted.to).plain(),
    ];
    filters::form(language, Place::Statement.href(), &fields, language.words().filter)
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
    if said.is_empty() { number } else { part::two_lines(part::text(said.join(" · ")), number) }
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
