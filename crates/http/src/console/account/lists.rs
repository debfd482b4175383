//! The grants, holds and keys of an account: the first few on its page, all of them on pages of their own.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::{Account, AccountId, Grant, GrantStatus, Hold, HoldStatus, KeyRecord, Scope, Timestamp};
use coffer_service::{HoldFilter, Page as Listed, Span};

use super::super::act;
use super::super::cells::{
    account_doing, account_path, category, end, grant_status, hold_status, key_status, period,
};
use super::super::frame::{Place, frame};
use super::super::visitor::Visitor;
use super::{InPath, subject};
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Empty, Pager};
use crate::pages::show;
use crate::pages::table::{Column, Row, Table};
use crate::problem::Problem;
use crate::{App, Shared, paging};

/// How many of a kind an account's own page shows.
const FIRST_MAX: usize = 8;
/// How many a page of their own shows.
const SHOWN_MAX: usize = 20;

/// What a list is of.
#[derive(Clone, Copy)]
enum Of {
    Grants,
    Holds,
    Keys,
}

/// All grants of an account.
pub(crate) async fn show_grants(
    State(app): Shared,
    visitor: Visitor,
    InPath(id): InPath,
    RawQuery(query): RawQuery,
) -> Response {
    respond(&app, &visitor, id, query, Of::Grants).await
}

/// All holds of an account.
pub(crate) async fn show_holds(
    State(app): Shared,
    visitor: Visitor,
    InPath(id): InPath,
    RawQuery(query): RawQuery,
) -> Response {
    respond(&app, &visitor, id, query, Of::Holds).await
}

/// All keys of an account.
pub(crate) async fn show_keys(
    State(app): Shared,
    visitor: Visitor,
    InPath(id): InPath,
    RawQuery(query): RawQuery,
) -> Response {
    respond(&app, &visitor, id, query, Of::Keys).await
}

async fn respond(
    app: &App,
    visitor: &Visitor,
    id: Option<AccountId>,
    query: Option<String>,
    of: Of,
) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    match page(app, visitor, id, &query, of).await {
        Ok(page) => page.respond(StatusCode::OK),
        Err(problem) => act::refused(visitor, Place::Accounts, &problem),
    }
}

async fn page(
    app: &App,
    visitor: &Visitor,
    id: Option<AccountId>,
    query: &Filled,
    of: Of,
) -> Result<Page, Problem> {
    visitor.allowed(Scope::Read)?;
    let words = visitor.words();
    let subject = subject(app, id).await?;
    let id = subject.account.id;
    let span = Span { count_max: SHOWN_MAX, ..paging::span(None, query.given("cursor"))? };
    let (title, table) = match of {
        Of::Grants => (words.lots, grants_table(app, visitor, id, span).await?),
        Of::Holds => (words.every_hold, holds_table(app, visitor, id, span).await?),
        Of::Keys => (words.keys, keys_table(app, visitor, id, span).await?),
    };
    let name = subject.profile.name.as_str();
    let mut heading = Heading::new(title);
    heading.above = Some((name.to_owned(), account_path(id)));
    let mut page = Page::new(frame(visitor, Place::Accounts, format!("{title} · {name}")), heading);
    page.sections.push(Section::boxed(table.html()));
    Ok(page)
}

/// What is open of an account's lots, on its page.
pub(super) fn lots(app: &App, visitor: &Visitor, account: &Account) -> Section {
    let words = visitor.words();
    let now = app.service.now();
    // In burn order, which the account keeps; nothing is read but what is shown.
    let rows = account.lots.iter().take(FIRST_MAX).map(|lot| {
        let grant = Grant {
            account_id: account.id,
            lot: lot.clone(),
            reference: None,
            metadata: coffer_ledger::Metadata::default(),
            created_at: lot.effective_at,
        };
        grant_row(visitor, &grant, now)
    });
    let mut table = grants_shape(visitor);
    table.rows = rows.collect();
    let mut section = Section::new("grants", words.lots, table.html());
    section.lead = part::remark(words.lots_lead);
    let all = format!("{}/grants", account_path(account.id));
    section.actions = vec![Action::link(ActionLook::Small, words.all_grants, all)];
    section
}

async fn grants_table(app: &App, visitor: &Visitor, id: AccountId, span: Span) -> Result<Table, Problem> {
    let found = app.service.grants(id, span).await?;
    let (Listed { items, has_more }, at) = found.ok_or_else(|| Problem::not_found("account"))?;
    let mut table = grants_shape(visitor);
    let last = items.last().filter(|_| has_more).map(|grant| grant.lot.grant_id.bytes());
    table.pager = Some(pager(visitor, &format!("{}/grants", account_path(id)), span, last));
    table.rows = items.iter().map(|grant| grant_row(visitor, grant, at)).collect();
    Ok(table)
}

fn grants_shape(visitor: &Visitor) -> Table {
    let words = visitor.words();
    Table {
        caption: words.lots.to_owned(),
        columns: vec![
            Column::words(words.grant_id),
            Column::words(words.status),
            Column::words(words.category),
            Column::number(words.granted),
            Column::number(words.remaining),
            Column::number(words.held),
            Column::words(words.expires_at),
        ],
        rows: Vec::new(),
        empty: Empty {
            title: words.no_grants.to_owned(),
            text: words.no_grants_text.to_owned(),
            action: None,
        },
        pager: None,
    }
}

fn grant_row(visitor: &Visitor, grant: &Grant, now: Timestamp) -> Row {
    let words = visitor.words();
    let lot = &grant.lot;
    let status = grant.status(now);
    let id = part::code(lot.grant_id.to_string());
    let named = match &grant.reference {
        Some(reference) => part::two_lines(id, part::text(reference.as_str())),
        None => id,
    };
    let kind = format!("{} · {}", category(words, lot.category), lot.priority.get());
    let begins = match status {
        GrantStatus::Pending => {
            part::two_lines(grant_status(words, status), part::time(lot.effective_at, visitor.look.language))
        }
        GrantStatus::Active | GrantStatus::Depleted | GrantStatus::Expired | GrantStatus::Voided => {
            grant_status(words, status)
        }
    };
    let mut row = Row::new(vec![
        named,
        begins,
        part::text(kind),
        part::credits(lot.granted),
        part::credits(lot.remaining),
        part::credits(lot.held),
        end(words, lot.expires_at, visitor.look.language),
    ]);
    if matches!(status, GrantStatus::Active | GrantStatus::Pending) && visitor.may(Scope::Grant) {
        let doing = account_doing(grant.account_id, "void", &lot.grant_id.to_string());
        row.actions.push(Action::dialog(ActionLook::Small, words.void, doing));
    }
    row
}

/// The open holds of an account, on its page.
pub(super) fn holds(visitor: &Visitor, account: &Account) -> Section {
    let words = visitor.words();
    let mut table = holds_shape(visitor);
    table.rows = account.holds.iter().take(FIRST_MAX).map(|hold| hold_row(visitor, hold)).collect();
    let mut section = Section::new("holds", words.holds, table.html());
    let all = format!("{}/holds", account_path(account.id));
    section.actions = vec![Action::link(ActionLook::Small, words.all_holds, all)];
    section
}

async fn holds_table(app: &App, visitor: &Visitor, id: AccountId, span: Span) -> Result<Table, Problem> {
    app.service.write_what_is_due(id).await?;
    let filter = HoldFilter { account_id: Some(id), status: None, at: app.service.now() };
    let Listed { items, has_more } = app.service.reader().holds(filter, span).await?;
    let last = items.last().filter(|_| has_more).map(|record| record.hold.id.bytes());
    let mut table = holds_shape(visitor);
    table.pager = Some(pager(visitor, &format!("{}/holds", account_path(id)), span, last));
    table.rows = items.iter().map(|record| hold_row(visitor, &record.hold)).collect();
    Ok(table)
}

fn holds_shape(visitor: &Visitor) -> Table {
    let words = visitor.words();
    Table {
        caption: words.holds.to_owned(),
        columns: vec![
            Column::words(words.hold_id),
            Column::words(words.status),
            Column::number(words.credits),
            Column::words(words.expires_at),
        ],
        rows: Vec::new(),
        empty: Empty { title: words.no_holds.to_owned(), text: words.no_holds_text.to_owned(), action: None },
        pager: None,
    }
}

fn hold_row(visitor: &Visitor, hold: &Hold) -> Row {
    let words = visitor.words();
    let id = part::code(hold.id.to_string());
    let named = match &hold.priced {
        Some(priced) => part::two_lines(id, part::text(priced.operation.as_str())),
        None => id,
    };
    let mut row = Row::new(vec![
        named,
        hold_status(words, hold.status),
        part::credits(hold.credits),
        part::time(hold.expires_at, visitor.look.language),
    ]);
    if hold.status == HoldStatus::Open && visitor.may(Scope::Charge) {
        let doing = account_doing(hold.account_id, "release", &hold.id.to_string());
        row.actions.push(Action::dialog(ActionLook::Small, words.release, doing));
    }
    row
}

/// The newest keys of an account, on its page.
pub(super) async fn keys(app: &App, visitor: &Visitor, id: AccountId) -> Result<Section, Problem> {
    let words = visitor.words();
    let mut table = keys_table(app, visitor, id, Span { before: None, count_max: FIRST_MAX }).await?;
    table.pager = None;
    let mut section = Section::new("keys", words.keys, table.html());
    let all = format!("{}/keys", account_path(id));
    section.actions = vec![Action::link(ActionLook::Small, words.all_keys, all)];
    Ok(section)
}

async fn keys_table(app: &App, visitor: &Visitor, id: AccountId, span: Span) -> Result<Table, Problem> {
    let words = visitor.words();
    let found = app.service.keys(id, span).await?;
    let Listed { items, has_more } = found.ok_or_else(|| Problem::not_found("account"))?;
    let now = app.service.now();
    let uses = app.service.last_uses(items.iter().map(|record| record.key.id).collect()).await?;
    let last = items.last().filter(|_| has_more).map(|record| record.key.id.bytes());
    let rows = items.iter().map(|record| key_row(visitor, record, uses.get(&record.key.id).copied(), now));
    Ok(Table {
        caption: words.keys.to_owned(),
        columns: vec![
            Column::words(words.key),
            Column::words(words.status),
            Column::number(words.spent),
            Column::words(words.last_used),
        ],
        rows: rows.collect(),
        empty: Empty { title: words.no_keys.to_owned(), text: words.no_keys_text.to_owned(), action: None },
        pager: Some(pager(visitor, &format!("{}/keys", account_path(id)), span, last)),
    })
}

fn key_row(visitor: &Visitor, record: &KeyRecord, last_used: Option<Timestamp>, now: Timestamp) -> Row {
    let words = visitor.words();
    let (key, profile) = (&record.key, &record.profile);
    let spent = part::credits(key.spent(now));
    let spent = match key.limit {
        Some(limit) => {
            let of =
                format!("{} {} {}", words.limit, show::credits(limit.credits), period(words, limit.period));
            part::two_lines(spent, part::text(of))
        }
        None => spent,
    };
    let mut row = Row::new(vec![
        part::two_lines(part::written(profile.name.as_str()), part::code(profile.hint.as_str())),
        key_status(words, key.status(now)),
        spent,
        last_used.map_or_else(|| part::text(words.never_used), |at| part::time(at, visitor.look.language)),
    ]);
    if key.revoked_at.is_none() && visitor.may(Scope::Manage) {
        let doing = account_doing(key.account_id, "revoke", &key.id.to_string());
        row.actions.push(Action::dialog(ActionLook::Small, words.revoke, doing));
    }
    row
}

fn pager(visitor: &Visitor, path: &str, span: Span, last: Option<coffer_ledger::UuidBytes>) -> Pager {
    Pager {
        language: visitor.look.language,
        first: span.before.map(|_| path.to_owned()),
        next: last.map(|id| href(path, [("cursor", paging::cursor(&id).as_str())])),
    }
}
