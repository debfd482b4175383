//! Prices: what operations cost.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::{Command, DeletePrice, Operation, Price, RESERVED_OPERATION, Rate, Scope};
use coffer_service::{Page as Listed, Span};

use super::act::{self, Failed, Why};
use super::cells::or_dash;
use super::frame::{Place, frame};
use super::visitor::Visitor;
use crate::operator::prices::PutPriceBody;
use crate::pages::dialog::Dialog;
use crate::pages::field::{Field, FieldKind};
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Empty, Html, Pager, Tone};
use crate::pages::respond::see_other;
use crate::pages::table::{Column, Row, Table};
use crate::problem::Problem;
use crate::{App, Shared, paging};

const PATH: &str = "/console/prices";
const SHOWN_MAX: usize = 20;
const FIELDS: [&str; 3] = ["credits_per_unit", "unit", "description"];

/// The catalogue.
pub(crate) async fn show(State(app): Shared, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    respond(&app, &visitor, &query, None).await
}

/// Sets a price, or takes one away.
pub(crate) async fn act(State(app): Shared, visitor: Visitor, filled: Filled) -> Response {
    match carry_out(&app, &visitor, &filled).await {
        Ok(done) => see_other(&href(PATH, [("done", done)])),
        Err(why) => {
            let query = filled.clone();
            respond(&app, &visitor, &query, Some(Failed { filled, why })).await
        }
    }
}

async fn carry_out(app: &App, visitor: &Visitor, filled: &Filled) -> Result<&'static str, Why> {
    visitor.allowed_to_do(Scope::Manage)?;
    let operation = Operation::try_from(filled.get("operation").to_owned())
        .map_err(|rule| Problem::invalid("operation", rule))?;
    if filled.get("do") == "delete" {
        act::carry_out(app, visitor, Command::DeletePrice(DeletePrice { operation })).await?;
        return Ok("price-deleted");
    }
    let body: PutPriceBody = act::body(filled, &FIELDS)?;
    act::carry_out(app, visitor, body.command(operation)).await?;
    Ok("price-set")
}

async fn respond(app: &App, visitor: &Visitor, query: &Filled, failed: Option<Failed>) -> Response {
    let status = failed.as_ref().map_or(StatusCode::OK, Failed::status);
    match page(app, visitor, query, failed).await {
        Ok(page) => page.respond(status),
        Err(problem) => act::refused(visitor, Place::Prices, &problem),
    }
}

async fn page(app: &App, visitor: &Visitor, query: &Filled, failed: Option<Failed>) -> Result<Page, Problem> {
    visitor.allowed(Scope::Read)?;
    let words = visitor.words();
    let span = Span { count_max: SHOWN_MAX, ..paging::span(None, query.given("cursor"))? };
    let listed = app.service.reader().prices(span).await?;
    let mut heading = Heading::new(words.prices).lead(part::text(words.prices_lead));
    if visitor.may(Scope::Manage) {
        heading.actions.push(Action::dialog(
            ActionLook::Primary,
            words.set_price,
            href(PATH, [("do", "set")]),
        ));
    }
    let mut page = Page::new(frame(visitor, Place::Prices, words.prices), heading);
    page.notices.extend(act::done(words, query));
    page.sections.push(Section::boxed(table(visitor, &listed, span).html()));
    if visitor.may(Scope::Manage) {
        page.dialog = dialog(app, visitor, query, failed.as_ref()).await?;
    }
    Ok(page)
}

fn table(visitor: &Visitor, listed: &Listed<Price>, span: Span) -> Table {
    let words = visitor.words();
    let last = listed.items.last().filter(|_| listed.has_more);
    let next = last.map(|price| href(PATH, [("cursor", paging::cursor(&price.id).as_str())]));
    Table {
        caption: words.prices.to_owned(),
        columns: vec![
            Column::words(words.operation),
            Column::number(words.credits_per_unit),
            Column::words(words.unit),
            Column::words(words.updated),
        ],
        rows: listed.items.iter().map(|price| row(visitor, price)).collect(),
        empty: Empty {
            title: words.no_prices.to_owned(),
            text: words.no_prices_text.to_owned(),
            action: None,
        },
        pager: Some(Pager {
            language: visitor.look.language,
            first: span.before.map(|_| PATH.to_owned()),
            next,
        }),
    }
}

fn row(visitor: &Visitor, price: &Price) -> Row {
    let words = visitor.words();
    let name = price.operation.as_str();
    let operation = part::code(name);
    let operation = match &price.description {
        Some(description) => part::two_lines(operation, part::text(description.as_str())),
        None => operation,
    };
    let cost = if price.rate == Rate::FREE { words.free.to_owned() } else { price.rate.to_string() };
    let mut row = Row::new(vec![
        operation,
        part::text(cost),
        or_dash(price.unit.as_ref().map(coffer_ledger::Unit::as_str)),
        price.updated_at.map_or_else(|| part::text("\u{2013}"), |at| part::time(at, visitor.look.language)),
    ]);
    if visitor.may(Scope::Manage) && name != RESERVED_OPERATION {
        let doing = |what| href(PATH, [("do", what), ("operation", name)]);
        row.actions = vec![
            Action::dialog(ActionLook::Small, words.change_price, doing("set")),
            Action::dialog(ActionLook::Small, words.delete, doing("delete")),
        ];
    }
    row
}

async fn dialog(
    app: &App,
    visitor: &Visitor,
    query: &Filled,
    failed: Option<&Failed>,
) -> Result<Option<Dialog>, Problem> {
    let words = visitor.words();
    let language = visitor.look.language;
    let name = query.get("operation");
    let base = Dialog {
        language,
        title: String::new(),
        text: String::new(),
        action: PATH.to_owned(),
        fields: Vec::new(),
        hidden: vec![("do", query.get("do").to_owned())],
        submit: String::new(),
        tone: Tone::Neutral,
        back: PATH.to_owned(),
        error: failed.and_then(|failed| {
            failed.as_a_whole(&["operation", "credits_per_unit", "unit", "description"], language)
        }),
        body: Html::default(),
    };
    match query.get("do") {
        "set" => {
            let known = match Operation::try_from(name.to_owned()) {
                Ok(operation) => app.service.reader().price(operation).await?,
                Err(_) => None,
            };
            let fields = fields(visitor, query, known.as_ref(), failed);
            let (title, submit) = (words.set_price.to_owned(), words.set_price.to_owned());
            Ok(Some(Dialog { title, submit, fields, text: words.prices_lead.to_owned(), ..base }))
        }
        "delete" if !name.is_empty() => {
            let mut hidden = base.hidden.clone();
            hidden.push(("operation", name.to_owned()));
            let (title, submit) = (format!("{} {name}", words.delete), words.delete.to_owned());
            let text = words.delete_price_text.to_owned();
            Ok(Some(Dialog { title, submit, text, hidden, tone: Tone::Bad, ..base }))
        }
        _ => Ok(None),
    }
}

fn fields(visitor: &Visitor, query: &Filled, known: Option<&Price>, failed: Option<&Failed>) -> Vec<Field> {
    let words = visitor.words();
    let language = visitor.look.language;
    let filled = |name: &str, known: String| match failed {
        Some(failed) => failed.filled.get(name).to_owned(),
        None => known,
    };
    let field = |name: &'static str, label: &str, kind: FieldKind, known: String| {
        let error = failed.and_then(|failed| failed.of_field(name, language));
        Field::new(language, name, label, kind).value(filled(name, known)).error(error)
    };
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let rate = known.map(|price| price.rate.to_string()).unwrap_or_default();
    let unit = text(known.and_then(|price| price.unit.as_ref()).map(coffer_ledger::Unit::as_str));
    let description = known.and_then(|price| price.description.as_ref());
    let description = text(description.map(coffer_ledger::Description::as_str));
    vec![
        field("operation", words.operation, FieldKind::Text, query.get("operation").to_owned()).required(),
        field("credits_per_unit", words.credits_per_unit, FieldKind::Decimal, rate)
            .required()
            .hint(words.price_hint),
        field("unit", words.unit, FieldKind::Text, unit).hint(words.unit_hint),
        field("description", words.description, FieldKind::Text, description),
    ]
}
