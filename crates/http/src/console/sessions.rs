//! Sessions of operators: which browsers are signed in, and how to sign them out.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::{Channel, OperatorKeyId, Scope, Session, SessionId, SessionOf};
use coffer_service::{Page as Listed, Span};

use super::act::{self, Failed, Why};
use super::frame::{Place, frame};
use super::operator_keys::names;
use super::visitor::Visitor;
use crate::pages::browser;
use crate::pages::dialog::Dialog;
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Badge, Empty, Html, Pager, Tone};
use crate::pages::respond::see_other;
use crate::pages::table::{Column, Row, Table};
use crate::problem::Problem;
use crate::session::signed_out;
use crate::{App, Shared, paging};

const PATH: &str = "/console/sessions";
const SHOWN_MAX: usize = 25;

/// The list.
pub(crate) async fn show(State(app): Shared, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    respond(&app, &visitor, &query, None).await
}

/// Ends one session, or all of the visitor's key.
pub(crate) async fn act(State(app): Shared, visitor: Visitor, filled: Filled) -> Response {
    match carry_out(&app, &visitor, &filled).await {
        // Whoever ended the own session is out.
        Ok(true) => signed_out(&app),
        Ok(false) => see_other(&href(PATH, [("done", "session-ended")])),
        Err(why) => {
            let query = filled.clone();
            respond(&app, &visitor, &query, Some(Failed { filled, why })).await
        }
    }
}

/// Answers whether the visitor's own session has ended with it.
async fn carry_out(app: &App, visitor: &Visitor, filled: &Filled) -> Result<bool, Why> {
    let (own, by) = (visitor.key(), (visitor.actor(), Channel::Console));
    if filled.get("do") == "end-all" {
        app.service.end_sessions(own, by).await.map_err(Problem::from)?;
        return Ok(true);
    }
    let id: SessionId = filled.get("of").parse().map_err(|_| Problem::not_found("session"))?;
    let found = app.service.reader().session(id).await.map_err(Problem::from)?;
    let session =
        found.filter(|session| matches!(session.of, SessionOf::OperatorKey(_) | SessionOf::ConfiguredKey(_)));
    let session = session.ok_or_else(|| Problem::not_found("session"))?;
    if session.of != own {
        visitor.allowed(Scope::Admin)?;
    }
    app.service.end_session(id, session.of, by).await.map_err(Problem::from)?;
    Ok(id == visitor.session())
}

async fn respond(app: &App, visitor: &Visitor, query: &Filled, failed: Option<Failed>) -> Response {
    let status = failed.as_ref().map_or(StatusCode::OK, Failed::status);
    match page(app, visitor, query, failed).await {
        Ok(page) => page.respond(status),
        Err(problem) => act::refused(visitor, Place::Sessions, &problem),
    }
}

async fn page(app: &App, visitor: &Visitor, query: &Filled, failed: Option<Failed>) -> Result<Page, Problem> {
    let words = visitor.words();
    let span = Span { count_max: SHOWN_MAX, ..paging::span(None, query.given("cursor"))? };
    let sees_all = visitor.may(Scope::Admin);
    let listed = if sees_all {
        app.service.reader().operator_sessions(span).await?
    } else {
        // One key has few sessions: the ledger keeps them so.
        Listed { items: app.service.reader().sessions_of(visitor.key()).await?, has_more: false }
    };
    let holders = listed.items.iter().filter_map(|session| match session.of {
        SessionOf::OperatorKey(id) => Some(id),
        SessionOf::ConfiguredKey(_) | SessionOf::Account(_) => None,
    });
    let names = names(app, holders.collect()).await?;
    let mut heading = Heading::new(words.sessions).lead(part::text(words.sessions_lead));
    let end_all = href(PATH, [("do", "end-all")]);
    heading.actions.push(Action::dialog(ActionLook::Danger, words.end_all, end_all));
    let mut page = Page::new(frame(visitor, Place::Sessions, words.sessions), heading);
    page.notices.extend(act::done(words, query));
    let mut body = vec![table(app, visitor, &listed, span, &names).html()];
    if !sees_all {
        body.push(part::remark(words.only_own));
    }
    page.sections.push(Section::boxed(Html::all(body)));
    page.dialog = dialog(visitor, query, failed.as_ref());
    Ok(page)
}

fn table(
    app: &App,
    visitor: &Visitor,
    listed: &Listed<Session>,
    span: Span,
    names: &BTreeMap<OperatorKeyId, String>,
) -> Table {
    let words = visitor.words();
    let now = app.service.now();
    let last = listed.items.last().filter(|_| listed.has_more);
    let next = last.map(|session| href(PATH, [("cursor", paging::cursor(&session.id.bytes()).as_str())]));
    let live = listed.items.iter().filter(|session| !session.has_lapsed(now));
    Table {
        caption: words.sessions.to_owned(),
        columns: vec![
            Column::words(words.client),
            Column::words(words.key),
            Column::words(words.last_seen),
            Column::words(words.ends),
        ],
        rows: live.map(|session| row(visitor, session, names)).collect(),
        empty: Empty { title: words.no_sessions.to_owned(), text: String::new(), action: None },
        pager: Some(Pager {
            language: visitor.look.language,
            first: span.before.map(|_| PATH.to_owned()),
            next,
        }),
    }
}

fn row(visitor: &Visitor, session: &Session, names: &BTreeMap<OperatorKeyId, String>) -> Row {
    let words = visitor.words();
    let language = visitor.look.language;
    let client = session.client.as_ref().map(|client| browser::named(client.as_str()));
    let client = client.unwrap_or_else(|| part::text(words.unknown));
    let is_this = session.id == visitor.session();
    let client = if is_this {
        let badge = Badge::new(Tone::Good, words.this_session).html();
        part::two_lines(client, badge)
    } else {
        client
    };
    let key = match session.of {
        SessionOf::OperatorKey(id) => names.get(&id).cloned().unwrap_or_else(|| id.to_string()),
        SessionOf::ConfiguredKey(_) => words.configured.to_owned(),
        SessionOf::Account(id) => id.to_string(),
    };
    let mut row = Row::new(vec![
        client,
        part::written(key),
        part::time(session.used_at, language),
        part::time(session.expires_at, language),
    ]);
    if !is_this {
        let doing = href(PATH, [("do", "end"), ("of", session.id.to_string().as_str())]);
        row.actions.push(Action::dialog(ActionLook::Small, words.end_session, doing));
    }
    row
}

fn dialog(visitor: &Visitor, query: &Filled, failed: Option<&Failed>) -> Option<Dialog> {
    let words = visitor.words();
    let language = visitor.look.language;
    let (title, text, hidden) = match query.get("do") {
        "end-all" => (words.end_all, words.end_all_text, vec![("do", "end-all".to_owned())]),
        "end" => {
            let of = query.get("of").to_owned();
            (words.end_session, words.end_session_text, vec![("do", "end".to_owned()), ("of", of)])
        }
        _ => return None,
    };
    Some(Dialog {
        language,
        title: title.to_owned(),
        text: text.to_owned(),
        action: PATH.to_owned(),
        fields: Vec::new(),
        hidden,
        submit: title.to_owned(),
        tone: Tone::Bad,
        back: PATH.to_owned(),
        error: failed.and_then(|failed| failed.as_a_whole(&[], language)),
        body: Html::default(),
    })
}
