//! Who is signed in to the account, and links that nobody has opened.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::{Actor, Channel, Session, SessionId, SessionOf, SessionStage};

use super::frame::{Place, frame, refused};
use super::open::left;
use super::visitor::Visitor;
use crate::pages::browser;
use crate::pages::dialog::Dialog;
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Badge, Empty, Html, Notice, Tone};
use crate::pages::respond::see_other;
use crate::pages::table::{Column, Row, Table};
use crate::problem::Problem;
use crate::{App, Shared};

/// The list.
pub(super) async fn show(State(app): Shared, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    match page(&app, &visitor, &query).await {
        Ok(page) => page.respond(StatusCode::OK),
        Err(problem) => refused(&visitor, Place::Sessions, &problem),
    }
}

/// Ends one session, or all.
pub(super) async fn act(State(app): Shared, visitor: Visitor, filled: Filled) -> Response {
    match carry_out(&app, &visitor, &filled).await {
        // Whoever ended the own session is out.
        Ok(true) => left(&app, visitor.look.clone(), visitor.way_back()),
        Ok(false) => see_other(&href(Place::Sessions.href(), [("done", "ended")])),
        Err(problem) => refused(&visitor, Place::Sessions, &problem),
    }
}

/// Answers whether the visitor's own session has ended with it.
async fn carry_out(app: &App, visitor: &Visitor, filled: &Filled) -> Result<bool, Problem> {
    let of = SessionOf::Account(visitor.account_id());
    let by = (Actor::Customer, Channel::Portal);
    if filled.get("do") == "end-all" {
        app.service.end_sessions(of, by).await?;
        return Ok(true);
    }
    let id: SessionId = filled.get("of").parse().map_err(|_| Problem::not_found("session"))?;
    let session = app.service.reader().session(id).await?.filter(|session| session.of == of);
    let session = session.ok_or_else(|| Problem::not_found("session"))?;
    app.service.end_session(session.id, of, by).await?;
    Ok(session.id == visitor.session())
}

async fn page(app: &App, visitor: &Visitor, query: &Filled) -> Result<Page, Problem> {
    let words = visitor.words();
    let now = app.service.now();
    // One account has few sessions: the ledger keeps them so.
    let sessions = app.service.reader().sessions_of(SessionOf::Account(visitor.account_id())).await?;
    let live: Vec<&Session> = sessions.iter().filter(|session| !session.has_lapsed(now)).collect();
    let table = Table {
        caption: words.sessions.to_owned(),
        columns: vec![
            Column::words(words.browser),
            Column::words(words.created),
            Column::words(words.last_seen),
            Column::words(words.until),
        ],
        rows: live.iter().map(|session| row(visitor, session)).collect(),
        empty: Empty { title: words.no_entries.to_owned(), text: String::new(), action: None },
        pager: None,
    };
    let mut heading = Heading::new(words.sessions).lead(part::text(words.sessions_lead));
    let all = href(Place::Sessions.href(), [("do", "end-all")]);
    heading.actions.push(Action::dialog(ActionLook::Danger, words.end_all, all));
    let mut page = Page::new(frame(visitor, Place::Sessions, words.sessions), heading);
    if query.get("done") == "ended" {
        let text = words.done_ended.to_owned();
        page.notices.push(Notice { tone: Tone::Good, title: String::new(), text });
    }
    page.sections.push(Section::boxed(table.html()));
    page.dialog = dialog(visitor, query, &live);
    Ok(page)
}

fn row(visitor: &Visitor, session: &Session) -> Row {
    let words = visitor.words();
    let language = visitor.look.language;
    let client = match session.stage {
        SessionStage::Offered => Badge::new(Tone::Attention, words.unopened).html(),
        SessionStage::Open => {
            let client = session.client.as_ref().map(|client| browser::named(client.as_str()));
            client.unwrap_or_else(|| part::text(words.unknown_browser))
        }
    };
    let name = if session.id == visitor.session() {
        part::two_lines(client, Badge::new(Tone::Good, words.this_one).html())
    } else {
        client
    };
    let seen = match session.stage {
        SessionStage::Offered => part::text(words.never_used),
        SessionStage::Open => part::time(session.used_at, language),
    };
    let (created, until) =
        (part::time(session.created_at, language), part::time(session.expires_at, language));
    let mut row = Row::new(vec![name, created, seen, until]);
    let doing = href(Place::Sessions.href(), [("do", "end"), ("of", session.id.to_string().as_str())]);
    row.actions.push(Action::dialog(ActionLook::Small, words.end, doing));
    row
}

fn dialog(visitor: &Visitor, query: &Filled, live: &[&Session]) -> Option<Dialog> {
    let words = visitor.words();
    let (title, text, submit, hidden) = match query.get("do") {
        "end-all" => {
            let hidden = vec![("do", "end-all".to_owned())];
            (words.end_all_title, words.end_all_text, words.end_all, hidden)
        }
        "end" => {
            let id: SessionId = query.get("of").parse().ok()?;
            live.iter().find(|session| session.id == id)?;
            let hidden = vec![("do", "end".to_owned()), ("of", id.to_string())];
            (words.end_title, words.end_text, words.end, hidden)
        }
        _ => return None,
    };
    Some(Dialog {
        language: visitor.look.language,
        title: title.to_owned(),
        text: text.to_owned(),
        action: Place::Sessions.href().to_owned(),
        fields: Vec::new(),
        hidden,
        submit: submit.to_owned(),
        tone: Tone::Bad,
        back: Place::Sessions.href().to_owned(),
        error: None,
        body: Html::default(),
    })
}
