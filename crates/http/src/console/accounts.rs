//! Accounts: a list, a search, and a new one.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_ledger::{AccountId, AccountRecord, AccountStatus, ExternalId, Outcome, Scope, Timestamp, settle};
use coffer_service::{AccountFilter, NameSearch, Page as Listed, Span};

use super::act::{self, Failed, NAME, Why};
use super::cells::{account_path, account_status, or_dash};
use super::frame::{Place, frame};
use super::visitor::Visitor;
use super::words::ConsoleWords;
use crate::operator::accounts::CreateAccountBody;
use crate::pages::dialog::Dialog;
use crate::pages::field::{Field, FieldKind};
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Empty, Html, Pager, Tone};
use crate::pages::table::{Column, Row, Table};
use crate::pages::{filters, once, respond};
use crate::problem::Problem;
use crate::{App, Shared, paging};

const PATH: &str = "/console/accounts";
/// Accounts on a page.
const SHOWN_MAX: usize = 20;
const FIELDS: [&str; 3] = ["name", "external_id", "overdraft_limit"];

/// What is looked for.
struct Search<'a> {
    text: &'a str,
    status: Option<AccountStatus>,
    cursor: &'a str,
}

/// What was found: a page of it, and where the next one is.
struct Found {
    records: Vec<AccountRecord>,
    next: Option<String>,
}

/// The list.
pub(crate) async fn show(State(app): Shared, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    respond(&app, &visitor, &query, None).await
}

/// Opens an account.
pub(crate) async fn create(State(app): Shared, visitor: Visitor, filled: Filled) -> Response {
    match open(&app, &visitor, &filled).await {
        Ok(place) => respond::see_other(&place),
        Err(why) => respond(&app, &visitor, &Filled::of(b"do=create"), Some(Failed { filled, why })).await,
    }
}

async fn open(app: &App, visitor: &Visitor, filled: &Filled) -> Result<String, Why> {
    visitor.allowed_to_do(Scope::Manage)?;
    let body: CreateAccountBody = act::body(filled, &FIELDS)?;
    let command = body.command()?;
    let name = act::name(filled)?;
    match app.forms.carry_out(&name, act::carry_out(app, visitor, command)).await? {
        Some(Outcome::AccountCreated(record)) => {
            Ok(href(&account_path(record.profile.id), [("done", "created")]))
        }
        Some(other) => unreachable!("an account was to be created: {other:?}"),
        None => Ok(href(PATH, [("done", "already")])),
    }
}

async fn respond(app: &App, visitor: &Visitor, query: &Filled, failed: Option<Failed>) -> Response {
    let status = failed.as_ref().map_or(StatusCode::OK, Failed::status);
    match page(app, visitor, query, failed).await {
        Ok(page) => page.respond(status),
        Err(problem) => act::refused(visitor, Place::Accounts, &problem),
    }
}

async fn page(app: &App, visitor: &Visitor, query: &Filled, failed: Option<Failed>) -> Result<Page, Problem> {
    visitor.allowed(Scope::Read)?;
    let words = visitor.words();
    let search = Search {
        text: query.get("q"),
        status: status_named(query.get("status")),
        cursor: query.get("cursor"),
    };
    let found = find(app, &search).await?;
    let mut heading = Heading::new(words.accounts).lead(part::text(words.accounts_lead));
    if visitor.may(Scope::Manage) {
        let doing = href(PATH, [("do", "create")]);
        heading.actions.push(Action::dialog(ActionLook::Primary, words.open_account, doing));
    }
    let mut page = Page::new(frame(visitor, Place::Accounts, words.accounts), heading);
    page.notices.extend(act::done(words, query));
    let body = Html::all([search_form(visitor, &search), table(app, visitor, &search, found).html()]);
    page.sections.push(Section { anchor: "accounts", ..Section::boxed(body) });
    if query.get("do") == "create" && visitor.may(Scope::Manage) {
        page.dialog = Some(dialog(visitor, failed.as_ref()));
    }
    Ok(page)
}

fn status_named(name: &str) -> Option<AccountStatus> {
    match name {
        "active" => Some(AccountStatus::Active),
        "frozen" => Some(AccountStatus::Frozen),
        "closed" => Some(AccountStatus::Closed),
        _ => None,
    }
}

const fn status_name(status: Option<AccountStatus>) -> &'static str {
    match status {
        None => "",
        Some(AccountStatus::Active) => "active",
        Some(AccountStatus::Frozen) => "frozen",
        Some(AccountStatus::Closed) => "closed",
    }
}

/// By id, by external id, or by how names begin: whichever the text can be.
async fn find(app: &App, search: &Search<'_>) -> Result<Found, Problem> {
    let reader = app.service.reader();
    if search.text.is_empty() {
        let span = Span {
            count_max: SHOWN_MAX,
            ..paging::span(None, Some(search.cursor).filter(|c| !c.is_empty()))?
        };
        let filter = AccountFilter { external_id: None, status: search.status };
        let Listed { items, has_more } = reader.account_records(filter, span).await?;
        let last = items.last().filter(|_| has_more);
        let next = last.map(|record| paging::cursor(&record.profile.id.bytes()));
        return Ok(Found { records: items, next });
    }
    if let Ok(id) = search.text.parse::<AccountId>() {
        let is_wanted =
            |record: &AccountRecord| search.status.is_none_or(|status| record.account.status == status);
        let records = reader.account_record(id).await?.into_iter().filter(is_wanted).collect();
        return Ok(Found { records, next: None });
    }
    let mut records = Vec::new();
    if search.cursor.is_empty()
        && let Ok(external_id) = ExternalId::try_from(search.text.to_owned())
    {
        let filter = AccountFilter { external_id: Some(external_id), status: search.status };
        records = reader.account_records(filter, Span { before: None, count_max: 1 }).await?.items;
    }
    let mut by_name = NameSearch::new(search.text, SHOWN_MAX).of_status(search.status);
    if !search.cursor.is_empty() {
        let (name, id) = named_place(search.cursor).ok_or_else(paging::no_cursor)?;
        by_name = by_name.after(&name, id);
    }
    let Listed { items, has_more } = reader.accounts_named(by_name).await?;
    let last = items.last().filter(|_| has_more);
    let next = last.map(|record| cursor_of(record.profile.name.as_str(), record.profile.id));
    let known: Vec<AccountId> = records.iter().map(|record| record.profile.id).collect();
    records.extend(items.into_iter().filter(|record| !known.contains(&record.profile.id)));
    Ok(Found { records, next })
}

/// The place behind an account in the order of names.
fn cursor_of(name: &str, id: AccountId) -> String {
    URL_SAFE_NO_PAD.encode(format!("{id} {name}"))
}

fn named_place(cursor: &str) -> Option<(String, AccountId)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (id, name) = text.split_once(' ')?;
    Some((name.to_owned(), id.parse().ok()?))
}

/// A script asks while somebody types; without one there is a button.
fn search_form(visitor: &Visitor, search: &Search<'_>) -> Html {
    let words = visitor.words();
    let language = visitor.look.language;
    let statuses = [
        (String::new(), language.words().all.to_owned()),
        ("active".to_owned(), words.active.to_owned()),
        ("frozen".to_owned(), words.frozen.to_owned()),
        ("closed".to_owned(), words.closed.to_owned()),
    ];
    let status = Field::new(language, "status", words.status, FieldKind::Choice(statuses.to_vec()));
    let fields = [
        Field::new(language, "q", words.search_accounts, FieldKind::Search).value(search.text).plain(),
        status.value(status_name(search.status)).plain(),
    ];
    filters::form(language, PATH, &fields, language.words().search)
}

fn table(app: &App, visitor: &Visitor, search: &Search<'_>, found: Found) -> Table {
    let words = visitor.words();
    let now = app.service.now();
    let is_searched = !search.text.is_empty() || search.status.is_some();
    let place = |cursor: &str| {
        href(PATH, [("q", search.text), ("status", status_name(search.status)), ("cursor", cursor)])
    };
    Table {
        caption: words.accounts.to_owned(),
        columns: vec![
            Column::words(words.name),
            Column::words(words.external_id),
            Column::words(words.status),
            Column::number(words.available),
            Column::number(words.held),
            Column::words(words.created),
        ],
        rows: found.records.iter().map(|record| row(visitor, record, now)).collect(),
        empty: empty(words, is_searched),
        pager: Some(Pager {
            language: visitor.look.language,
            first: (!search.cursor.is_empty()).then(|| place("")),
            next: found.next.map(|cursor| place(&cursor)),
        }),
    }
}

fn row(visitor: &Visitor, record: &AccountRecord, now: Timestamp) -> Row {
    let account = settle(&record.account, now);
    let profile = &record.profile;
    let id = profile.id.to_string();
    Row::new(vec![
        part::two_lines(
            part::link(account_path(profile.id), part::written(profile.name.as_str())),
            part::text(id),
        ),
        or_dash(profile.external_id.as_ref().map(ExternalId::as_str)),
        account_status(visitor.words(), account.status).html(),
        part::credits(account.balance.available),
        part::credits(account.balance.held),
        part::time(profile.created_at, visitor.look.language),
    ])
}

fn empty(words: &ConsoleWords, is_searched: bool) -> Empty {
    let (title, text) = if is_searched {
        (words.nothing_found, words.nothing_found_text)
    } else {
        (words.no_accounts, words.no_accounts_text)
    };
    Empty { title: title.to_owned(), text: text.to_owned(), action: None }
}

fn dialog(visitor: &Visitor, failed: Option<&Failed>) -> Dialog {
    let words = visitor.words();
    let language = visitor.look.language;
    let filled = |name: &str| failed.map_or("", |failed| failed.filled.get(name)).to_owned();
    let field = |name: &'static str, label: &str, kind: FieldKind| {
        let error = failed.and_then(|failed| failed.of_field(name, language));
        Field::new(language, name, label, kind).value(filled(name)).error(error)
    };
    Dialog {
        language,
        title: words.open_account.to_owned(),
        text: words.open_account_text.to_owned(),
        action: PATH.to_owned(),
        fields: vec![
            field("name", words.name, FieldKind::Text).required(),
            field("external_id", words.external_id, FieldKind::Text).hint(words.external_id_hint),
            field("overdraft_limit", words.overdraft_limit, FieldKind::Decimal).hint(words.overdraft_hint),
        ],
        hidden: vec![(NAME, failed.map_or_else(once::name, Failed::next_name))],
        submit: words.open_account.to_owned(),
        tone: Tone::Neutral,
        back: PATH.to_owned(),
        error: failed.and_then(|failed| failed.as_a_whole(&FIELDS, language)),
        body: Html::default(),
    }
}
