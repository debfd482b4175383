//! Operators' keys: who may run the ledger, and which parts of it.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::{Command, OperatorKey, OperatorKeyId, Outcome, RevokeOperatorKey, Scope};
use coffer_service::{Page as Listed, Secret, Span};
use serde_json::{Map, Value};

use super::act::{self, Failed, NAME, Why};
use super::frame::{Place, frame};
use super::visitor::Visitor;
use super::words::ConsoleWords;
use crate::operator::operator_keys::CreateOperatorKeyBody;
use crate::pages::dialog::Dialog;
use crate::pages::field::{Field, FieldKind};
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::once;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Badge, Copyable, Empty, Html, Pager, Tone};
use crate::pages::respond::see_other;
use crate::pages::table::{Column, Row, Table};
use crate::problem::Problem;
use crate::{App, Shared, paging};

const PATH: &str = "/console/operator-keys";
/// Keys on a page.
const SHOWN_MAX: usize = 25;

/// What a form has led to.
enum Done {
    /// Back to the list, which says it.
    Said(&'static str),
    /// A key, whose secret is shown this once.
    Made(Secret),
}

/// The list.
pub(crate) async fn show(State(app): Shared, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    respond(&app, &visitor, &query, Open::Asked(None)).await
}

/// Makes a key, or kills one.
pub(crate) async fn act(State(app): Shared, visitor: Visitor, filled: Filled) -> Response {
    match carry_out(&app, &visitor, &filled).await {
        Ok(Done::Said(done)) => see_other(&href(PATH, [("done", done)])),
        Ok(Done::Made(secret)) => respond(&app, &visitor, &Filled::default(), Open::Secret(secret)).await,
        Err(why) => {
            let query = filled.clone();
            respond(&app, &visitor, &query, Open::Asked(Some(Failed { filled, why }))).await
        }
    }
}

async fn carry_out(app: &App, visitor: &Visitor, filled: &Filled) -> Result<Done, Why> {
    visitor.allowed(Scope::Admin)?;
    if filled.get("do") == "revoke" {
        let id: OperatorKeyId = filled.get("of").parse().map_err(|_| Problem::not_found("operator key"))?;
        let other_is_live = app.service.has_configured_operator();
        let command = RevokeOperatorKey { id, other_is_live };
        act::carry_out(app, visitor, Command::RevokeOperatorKey(command)).await?;
        return Ok(Done::Said("key-revoked"));
    }
    let mut object = Map::new();
    object.insert("name".to_owned(), filled.get("name").into());
    let scopes: Vec<Value> = filled.all("scopes").map(Value::from).collect();
    object.insert("scopes".to_owned(), scopes.into());
    let (command, secret) = act::parse::<CreateOperatorKeyBody>(object)?.command()?;
    let name = act::name(filled)?;
    match app.forms.carry_out(&name, act::carry_out(app, visitor, command)).await? {
        Some(Outcome::OperatorKeyCreated(_)) => Ok(Done::Made(secret)),
        Some(other) => unreachable!("a key was to be made: {other:?}"),
        None => Ok(Done::Said("already")),
    }
}

/// What is open over the list.
enum Open {
    Asked(Option<Failed>),
    Secret(Secret),
}

async fn respond(app: &App, visitor: &Visitor, query: &Filled, open: Open) -> Response {
    let status = match &open {
        Open::Asked(Some(failed)) => failed.status(),
        Open::Asked(None) | Open::Secret(_) => StatusCode::OK,
    };
    match page(app, visitor, query, open).await {
        Ok(page) => page.respond(status),
        Err(problem) => act::refused(visitor, Place::OperatorKeys, &problem),
    }
}

async fn page(app: &App, visitor: &Visitor, query: &Filled, open: Open) -> Result<Page, Problem> {
    visitor.allowed(Scope::Admin)?;
    let words = visitor.words();
    let span = Span { count_max: SHOWN_MAX, ..paging::span(None, query.given("cursor"))? };
    let listed = app.service.reader().operator_keys(span).await?;
    let mut heading = Heading::new(words.operator_keys).lead(part::text(words.operator_keys_lead));
    let create = href(PATH, [("do", "create")]);
    heading.actions.push(Action::dialog(ActionLook::Primary, words.create_operator_key, create));
    let mut page = Page::new(frame(visitor, Place::OperatorKeys, words.operator_keys), heading);
    page.notices.extend(act::done(words, query));
    let mut section = Section::boxed(table(visitor, &listed, span).html());
    if app.service.has_configured_operator() {
        section.body = Html::all([section.body, part::remark(words.configured_key)]);
    }
    page.sections.push(section);
    page.dialog = match open {
        Open::Secret(secret) => Some(shown_once(visitor, &secret)),
        Open::Asked(failed) => match query.get("do") {
            "create" => Some(create_dialog(visitor, failed.as_ref())),
            "revoke" => revoke_dialog(app, visitor, query, failed.as_ref()).await?,
            _ => None,
        },
    };
    Ok(page)
}

/// What those of these keys are called that there are.
pub(super) async fn names(
    app: &App,
    ids: BTreeSet<OperatorKeyId>,
) -> Result<BTreeMap<OperatorKeyId, String>, Problem> {
    let mut names = BTreeMap::new();
    for id in ids {
        let key = app.service.reader().operator_key_record(id).await?;
        names.extend(key.map(|key| (id, key.name.to_string())));
    }
    Ok(names)
}

fn table(visitor: &Visitor, listed: &Listed<OperatorKey>, span: Span) -> Table {
    let words = visitor.words();
    let last = listed.items.last().filter(|_| listed.has_more);
    let next = last.map(|key| href(PATH, [("cursor", paging::cursor(&key.id.bytes()).as_str())]));
    Table {
        caption: words.operator_keys.to_owned(),
        columns: vec![
            Column::words(words.name),
            Column::words(words.status),
            Column::words(words.scopes),
            Column::words(words.created),
        ],
        rows: listed.items.iter().map(|key| row(visitor, key)).collect(),
        empty: Empty { title: words.none.to_owned(), text: words.configured_key.to_owned(), action: None },
        pager: Some(Pager {
            language: visitor.look.language,
            first: span.before.map(|_| PATH.to_owned()),
            next,
        }),
    }
}

fn row(visitor: &Visitor, key: &OperatorKey) -> Row {
    let words = visitor.words();
    let status = match key.revoked_at {
        None => Badge::new(Tone::Good, words.active),
        Some(_) => Badge::new(Tone::Bad, words.revoked),
    };
    let scopes: Vec<&str> = key.scopes.iter().map(Scope::as_str).collect();
    let mut row = Row::new(vec![
        part::two_lines(part::written(key.name.as_str()), part::code(key.hint.as_str())),
        status.html(),
        part::text(scopes.join(", ")),
        part::time(key.created_at, visitor.look.language),
    ]);
    if key.revoked_at.is_none() {
        let doing = href(PATH, [("do", "revoke"), ("of", key.id.to_string().as_str())]);
        row.actions.push(Action::dialog(ActionLook::Small, words.revoke, doing));
    }
    row
}

fn base(visitor: &Visitor, title: &str, failed: Option<&Failed>) -> Dialog {
    let language = visitor.look.language;
    Dialog {
        language,
        title: title.to_owned(),
        text: String::new(),
        action: PATH.to_owned(),
        fields: Vec::new(),
        hidden: Vec::new(),
        submit: title.to_owned(),
        tone: Tone::Neutral,
        back: PATH.to_owned(),
        error: failed.and_then(|failed| failed.as_a_whole(&["name", "scopes"], language)),
        body: Html::default(),
    }
}

const fn scope_text(words: &ConsoleWords, scope: Scope) -> &'static str {
    match scope {
        Scope::Read => words.scope_read,
        Scope::Charge => words.scope_charge,
        Scope::Grant => words.scope_grant,
        Scope::Manage => words.scope_manage,
        Scope::Admin => words.scope_admin,
    }
}

fn create_dialog(visitor: &Visitor, failed: Option<&Failed>) -> Dialog {
    let words = visitor.words();
    let language = visitor.look.language;
    let error = |name: &str| failed.and_then(|failed| failed.of_field(name, language));
    let name = failed.map_or("", |failed| failed.filled.get("name"));
    let chosen = failed.map_or_else(
        || "read".to_owned(),
        |failed| failed.filled.all("scopes").collect::<Vec<_>>().join(" "),
    );
    let boxes = Scope::ALL.map(|scope| {
        (scope.as_str().to_owned(), scope.as_str().to_owned(), scope_text(words, scope).to_owned())
    });
    let name_field = Field::new(language, "name", words.name, FieldKind::Text);
    let scopes_field = Field::new(language, "scopes", words.scopes, FieldKind::Boxes(boxes.to_vec()));
    Dialog {
        text: words.operator_keys_lead.to_owned(),
        fields: vec![
            name_field.value(name).required().error(error("name")),
            scopes_field.value(chosen).required().error(error("scopes")),
        ],
        hidden: vec![("do", "create".to_owned()), (NAME, failed.map_or_else(once::name, Failed::next_name))],
        ..base(visitor, words.create_operator_key, failed)
    }
}

async fn revoke_dialog(
    app: &App,
    visitor: &Visitor,
    query: &Filled,
    failed: Option<&Failed>,
) -> Result<Option<Dialog>, Problem> {
    let words = visitor.words();
    let Ok(id) = query.get("of").parse::<OperatorKeyId>() else { return Ok(None) };
    let Some(key) = app.service.reader().operator_key_record(id).await? else { return Ok(None) };
    Ok(Some(Dialog {
        title: format!("{}: {}", words.revoke, key.name.as_str()),
        text: words.revoke_operator_text.to_owned(),
        hidden: vec![("do", "revoke".to_owned()), ("of", id.to_string())],
        tone: Tone::Bad,
        ..base(visitor, words.revoke, failed)
    }))
}

/// The secret of a new key: nothing else ever shows it.
fn shown_once(visitor: &Visitor, secret: &Secret) -> Dialog {
    let words = visitor.words();
    let copyable = Copyable {
        language: visitor.look.language,
        label: words.secret_title.to_owned(),
        text: secret.expose().to_owned(),
        is_code: false,
    };
    Dialog {
        text: words.secret_text.to_owned(),
        submit: String::new(),
        body: Html::of(&copyable),
        ..base(visitor, words.secret_title, None)
    }
}
