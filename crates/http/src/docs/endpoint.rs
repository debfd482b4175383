//! `/docs/get-credits-balance`: the balance endpoint to read, in both languages, as its first users know it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use coffer_ledger::{Operation, RESERVED_OPERATION, Rate};

use super::endpoint_words::EndpointWords;
use crate::balance::DEAD_KEY;
use crate::pages::SETTINGS_PATH;
use crate::pages::example::Written;
use crate::pages::frame::{Frame, NavItem, Shape};
use crate::pages::look::Look;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Copyable, Html, Notice, Tone};
use crate::pages::table::{Column, Row, Table};
use crate::problem::Problem;
use crate::{App, Shared};

/// The path of the page.
pub(crate) const PATH: &str = "/docs/get-credits-balance";

const SUCCESS: &str = r#"{"code":100000,"message":{},"result":{"user_credits":"1234"}}"#;

/// The balance endpoint, to read.
pub(crate) async fn show(State(app): Shared, look: Look) -> Response {
    match price(&app).await {
        Ok(price) => page(&app, &look, price).respond(StatusCode::OK),
        Err(problem) => problem.into_response(),
    }
}

/// What a call costs, as the catalogue has it.
async fn price(app: &App) -> Result<Option<Rate>, Problem> {
    let operation = Operation::try_from(RESERVED_OPERATION.to_owned()).expect("a short name");
    Ok(app.service.reader().price(operation).await?.map(|price| price.rate))
}

fn page(app: &App, look: &Look, price: Option<Rate>) -> Page {
    let words = EndpointWords::of(look.language);
    let mut page = Page::new(frame(app, look.clone(), words), heading(words));
    page.notices.push(Notice {
        tone: Tone::Neutral,
        title: words.before.to_owned(),
        text: words.before_text.to_owned(),
    });
    page.sections = vec![
        overview(app, words, price),
        headers(app, words),
        examples(app, look, words),
        answers(look, words),
        codes(words),
    ];
    page
}

fn frame(app: &App, look: Look, words: &'static EndpointWords) -> Frame {
    let item = |label: &str, href: &str, icon: &'static str, is_current: bool| NavItem {
        label: label.to_owned(),
        href: href.to_owned(),
        icon,
        is_current,
    };
    let mut frame = Frame::new(look, Shape::Column, words.title);
    frame.place_name = words.docs.to_owned();
    frame.nav = vec![
        item(words.title, PATH, "docs", true),
        item(words.reference, "/docs", "audit", false),
        item(words.settings, &app.places.of_customers(SETTINGS_PATH), "keys", false),
    ];
    frame
}

fn heading(words: &EndpointWords) -> Heading {
    Heading::new(words.title).lead(part::text(words.lead))
}

fn overview(app: &App, words: &EndpointWords, price: Option<Rate>) -> Section {
    let cost = match price {
        Some(rate) if rate == Rate::FREE => part::text(words.free),
        Some(rate) => part::text(rate.to_string()),
        None => part::text("\u{2013}"),
    };
    let endpoint = format!("POST {}", app.settings.product.balance_path());
    let auth = app.settings.api_key_header.to_string();
    let rows = vec![
        Row::new(vec![part::text(words.endpoint), part::code(endpoint)]),
        Row::new(vec![
            part::text(words.auth),
            Html::all([part::code(auth), part::text(format!(" {}", words.header))]),
        ]),
        Row::new(vec![part::text(words.credits), cost]),
    ];
    let columns = vec![Column::words(words.item), Column::words(words.value)];
    Section::new("overview", words.overview, Table::plain(words.overview, columns, rows).html())
}

fn headers(app: &App, words: &EndpointWords) -> Section {
    let columns = vec![Column::words(words.name), Column::words(words.required), Column::words(words.value)];
    let row = Row::new(vec![
        part::code(app.settings.api_key_header.to_string()),
        part::text(words.yes),
        part::text(words.your_key),
    ]);
    let table = Table::plain(words.headers, columns, vec![row]).html();
    Section::new("request", words.request, Html::all([table, part::remark(words.body_is_ignored)]))
}

fn examples(app: &App, look: &Look, words: &EndpointWords) -> Section {
    let base = app.base_url();
    let written = [Written::Html, Written::Python, Written::Java, Written::Php, Written::Curl];
    let shown = written.map(|written| {
        let example = written.example(&base, &app.settings);
        titled(look, example.name, &example.text)
    });
    Section::new("example", words.example, part::stack(shown))
}

fn answers(look: &Look, words: &EndpointWords) -> Section {
    let shown =
        [titled(look, words.success, &indented(SUCCESS)), titled(look, words.error, &indented(DEAD_KEY))];
    let remark = part::remark(words.status_is_200);
    Section::new("response", words.response, Html::all([part::stack(shown), remark]))
}

fn codes(words: &EndpointWords) -> Section {
    let row = |code: &str, meaning: &str| Row::new(vec![part::code(code), part::text(meaning)]);
    let rows = vec![
        row("100000", words.code_success),
        row("800002", words.code_dead_key),
        row("405", words.code_method),
        row("413", words.code_too_large),
        row("429", words.code_rate),
        row("500", words.code_internal),
        row("503", words.code_unavailable),
    ];
    let columns = vec![Column::words(words.code), Column::words(words.meaning)];
    let table = Table::plain(words.codes, columns, rows).html();
    Section::new("status-codes", words.codes, Html::all([table, part::remark(words.other_codes)]))
}

fn titled(look: &Look, title: &str, text: &str) -> Html {
    let copyable = Copyable {
        language: look.language,
        label: title.to_owned(),
        text: text.trim_end().to_owned(),
        is_code: true,
    };
    part::titled(title, Html::of(&copyable))
}

/// JSON over several lines, its keys in their order.
fn indented(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).expect("the answers are JSON");
    serde_json::to_string_pretty(&value).expect("JSON can be written")
}
