//! The first page: the balance, and the keys with all that can be done with them.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::{Command, KeyId, KeyRecord, Outcome, RevokeKey};
use coffer_service::{Page as Listed, Secret, Span};
use serde_json::{Map, Value, json};

use super::frame::{Place, frame, refused};
use super::visitor::Visitor;
use super::{balance, dialogs, table, usage};
use crate::operator::keys::{CreateKeyBody, RotateKeyBody, UpdateKeyBody};
use crate::pages::SETTINGS_PATH;
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Notice, Tone};
use crate::pages::respond::see_other;
use crate::pages::sent::{Failed, Why, moment, name, parse};
use crate::problem::Problem;
use crate::{App, Shared, paging};

/// Keys on a page.
const SHOWN_MAX: &str = "20";

/// What a form has led to.
enum Done {
    /// Back to the list, which says it.
    Said(&'static str),
    /// A key has a secret, which is shown this once.
    Made(Secret),
}

/// What is open over the page.
enum Open {
    Asked(Option<Failed>),
    Secret(Secret),
}

/// The page.
pub(super) async fn show(State(app): Shared, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    respond(&app, &visitor, &query, Open::Asked(None)).await
}

/// Makes a key, or does something with one.
pub(super) async fn act(State(app): Shared, visitor: Visitor, filled: Filled) -> Response {
    match carry_out(&app, &visitor, &filled).await {
        Ok(Done::Said(done)) => see_other(&href(SETTINGS_PATH, [("done", done)])),
        Ok(Done::Made(secret)) => respond(&app, &visitor, &Filled::default(), Open::Secret(secret)).await,
        Err(why) => {
            let query = filled.clone();
            respond(&app, &visitor, &query, Open::Asked(Some(Failed { filled, why }))).await
        }
    }
}

async fn carry_out(app: &App, visitor: &Visitor, filled: &Filled) -> Result<Done, Why> {
    let prefix = &app.settings.key_prefix;
    match filled.get("do") {
        "create" => {
            let body = parse::<CreateKeyBody>(filled_in(filled, false))?;
            let (command, secret) = body.command(visitor.account_id(), prefix)?;
            once(app, visitor, filled, command, secret).await
        }
        "edit" => {
            let KeyRecord { key, .. } = own_key(app, visitor, filled).await?;
            let id = key.id;
            let mut object = filled_in(filled, true);
            // The form has the day alone: where that is not changed, the time stays as it is to the millisecond.
            if filled.get("expires_at") == dialogs::day_of_expiry(&key) {
                object.remove("expires_at");
            }
            object.insert("disabled".to_owned(), filled.is_ticked("disabled").into());
            submit(app, visitor, parse::<UpdateKeyBody>(object)?.command(id)?).await?;
            Ok(Done::Said("updated"))
        }
        "rotate" => {
            let id = own_key(app, visitor, filled).await?.key.id;
            let object = Map::from_iter([("overlap_seconds".to_owned(), overlap(filled)?.into())]);
            let (command, secret) = parse::<RotateKeyBody>(object)?.command(id, prefix);
            once(app, visitor, filled, command, secret).await
        }
        "revoke" => {
            let id = own_key(app, visitor, filled).await?.key.id;
            submit(app, visitor, Command::RevokeKey(RevokeKey { id })).await?;
            Ok(Done::Said("revoked"))
        }
        _ => Err(Problem::not_found("form").into()),
    }
}

/// The key that a form or an address names, if it is of this account. One of another is not found, as one that nobody has.
async fn own_key(app: &App, visitor: &Visitor, filled: &Filled) -> Result<KeyRecord, Problem> {
    let id: KeyId = filled.get("of").parse().map_err(|_| Problem::not_found("key"))?;
    let record = app.service.key(id).await?;
    let own = record.filter(|record| record.key.account_id == visitor.account_id());
    own.ok_or_else(|| Problem::not_found("key"))
}

/// For how long the old secret lives on. What is no number is refused: taken for none, it would cut the customer's programs off.
fn overlap(filled: &Filled) -> Result<i64, Problem> {
    let number = filled.get("overlap_seconds").parse();
    number.map_err(|_| {
        Problem::invalid("overlap_seconds", "must be a whole number of seconds from 0 to 604800")
    })
}

/// The fields of a key as the API has them. What is left empty is taken away from a key that there is already.
fn filled_in(filled: &Filled, is_there: bool) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("name".to_owned(), filled.get("name").into());
    let limit =
        filled.given("limit").map(|credits| json!({ "credits": credits, "period": filled.get("period") }));
    for (name, value) in [("expires_at", moment(filled, "expires_at")), ("limit", limit)] {
        match value {
            Some(value) => drop(object.insert(name.to_owned(), value)),
            None if is_there => drop(object.insert(name.to_owned(), Value::Null)),
            None => {}
        }
    }
    object
}

/// Carries out what makes a secret once: a second press of the button must not make another one that nobody sees.
async fn once(
    app: &App,
    visitor: &Visitor,
    filled: &Filled,
    command: Command,
    secret: Secret,
) -> Result<Done, Why> {
    let made = app.forms.carry_out(&name(filled)?, submit(app, visitor, command)).await?;
    Ok(made.map_or(Done::Said("already"), |_| Done::Made(secret)))
}

async fn submit(app: &App, visitor: &Visitor, command: Command) -> Result<Outcome, Why> {
    match app.service.submit(visitor.acts(command)).await? {
        Outcome::Refused(refusal) => Err(Why::Refused(Box::new(refusal))),
        outcome => Ok(outcome),
    }
}

async fn respond(app: &App, visitor: &Visitor, query: &Filled, open: Open) -> Response {
    let status = match &open {
        Open::Asked(Some(failed)) => failed.status(),
        Open::Asked(None) | Open::Secret(_) => StatusCode::OK,
    };
    match page(app, visitor, query, open).await {
        Ok(page) => page.respond(status),
        Err(problem) => refused(visitor, Place::Keys, &problem),
    }
}

async fn page(app: &App, visitor: &Visitor, query: &Filled, open: Open) -> Result<Page, Problem> {
    let words = visitor.words();
    let span = paging::span(Some(SHOWN_MAX), query.given("cursor"))?;
    let keys = keys(app, visitor, span).await?;
    let uses = app.service.last_uses(keys.items.iter().map(|record| record.key.id).collect()).await?;
    let by_day = usage::by_day(app, visitor, usage::DAYS_DEFAULT).await?;

    let heading = Heading::new(words.title).lead(part::text(words.lead));
    let mut page = Page::new(frame(visitor, Place::Keys, words.title), heading);
    page.notices = balance::notices(visitor);
    page.notices.extend(said(visitor, query));
    let list = table::table(visitor, &keys, &uses, app.service.now(), query.given("cursor"));
    let mut section = Section::new("keys", words.keys, list.html());
    section.lead = part::remark(words.keys_lead);
    let create = href(SETTINGS_PATH, [("do", "create")]);
    section.actions.push(Action::dialog(ActionLook::Primary, words.create_key, create));
    let mut chart = Section::new("usage", words.usage, by_day.chart(visitor));
    chart.actions.push(Action::link(ActionLook::Plain, words.all_usage, Place::Usage.href()));
    page.sections = vec![Section::bare(balance::stats(visitor, Some(by_day.total))), section, chart];
    page.dialog = match open {
        Open::Secret(secret) => Some(dialogs::secret(app, visitor, &secret)),
        Open::Asked(failed) => match query.get("do") {
            "create" => Some(dialogs::create(visitor, failed.as_ref())),
            doing @ ("edit" | "rotate" | "revoke") => {
                let record = own_key(app, visitor, query).await?;
                dialogs::of_key(visitor, &record, doing, failed.as_ref())
            }
            _ => None,
        },
    };
    Ok(page)
}

async fn keys(app: &App, visitor: &Visitor, span: Span) -> Result<Listed<KeyRecord>, Problem> {
    let keys = app.service.keys(visitor.account_id(), span).await?;
    keys.ok_or_else(|| Problem::not_found("account"))
}

/// What has just been done, as the address says it.
fn said(visitor: &Visitor, query: &Filled) -> Option<Notice> {
    let words = visitor.words();
    let (tone, text) = match query.get("done") {
        "updated" => (Tone::Good, words.done_updated),
        "revoked" => (Tone::Good, words.done_revoked),
        "already" => (Tone::Attention, words.done_already),
        _ => return None,
    };
    Some(Notice { tone, title: String::new(), text: text.to_owned() })
}
