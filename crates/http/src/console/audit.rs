//! The audit log: what was done, by whom, on what, newest first.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::{Action, ActionKind, Actor, Channel, Detail, OperatorKeyId, Scope, Subject};
use coffer_service::{ActionFilter, Page as Listed, Span};

use super::act;
use super::cells::account_path;
use super::frame::{Place, frame};
use super::operator_keys::names;
use super::visitor::Visitor;
use super::words::ConsoleWords;
use crate::pages::field::{Field, FieldKind};
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::look::Language;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Badge, Empty, Html, Pager, Tone};
use crate::pages::table::{Column, Row, Table};
use crate::pages::{filters, show};
use crate::problem::Problem;
use crate::{App, Shared, paging};

const PATH: &str = "/console/audit";
const SHOWN_MAX: usize = 25;

/// The log.
pub(crate) async fn show(State(app): Shared, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    match page(&app, &visitor, &query).await {
        Ok(page) => page.respond(StatusCode::OK),
        Err(problem) => act::refused(&visitor, Place::Audit, &problem),
    }
}

async fn page(app: &App, visitor: &Visitor, query: &Filled) -> Result<Page, Problem> {
    visitor.allowed(Scope::Admin)?;
    let words = visitor.words();
    let span = Span { count_max: SHOWN_MAX, ..paging::span(None, query.given("cursor"))? };
    // What is no id matches nothing, and is not taken for no filter.
    let account_id = query.given("account").map(str::parse).transpose();
    let operator_key_id = query.given("operator_key").map(str::parse).transpose();
    let listed = match (account_id, operator_key_id) {
        (Ok(account_id), Ok(operator_key_id)) => {
            app.service.reader().actions(ActionFilter { account_id, operator_key_id }, span).await?
        }
        (Err(_), _) | (_, Err(_)) => Listed { items: Vec::new(), has_more: false },
    };
    let actors = listed.items.iter().filter_map(|action| match action.actor {
        Actor::OperatorKey(id) => Some(id),
        Actor::ConfiguredKey | Actor::Customer => None,
    });
    let names = names(app, actors.collect()).await?;
    let heading = Heading::new(words.audit).lead(part::text(words.audit_lead));
    let mut page = Page::new(frame(visitor, Place::Audit, words.audit), heading);
    let body = Html::all([filter_form(visitor, query), table(visitor, query, &listed, span, &names).html()]);
    page.sections.push(Section::boxed(body));
    Ok(page)
}

fn filter_form(visitor: &Visitor, query: &Filled) -> Html {
    let words = visitor.words();
    let language = visitor.look.language;
    let field = |name: &'static str, label: &str| {
        Field::new(language, name, label, FieldKind::Search).value(query.get(name)).plain()
    };
    let fields = [field("account", words.account_filter), field("operator_key", words.operator_key_filter)];
    filters::form(language, PATH, &fields, language.words().filter)
}

fn table(
    visitor: &Visitor,
    query: &Filled,
    listed: &Listed<Action>,
    span: Span,
    names: &BTreeMap<OperatorKeyId, String>,
) -> Table {
    let words = visitor.words();
    let place = |cursor: &str| {
        let params = [
            ("account", query.get("account")),
            ("operator_key", query.get("operator_key")),
            ("cursor", cursor),
        ];
        href(PATH, params)
    };
    let last = listed.items.last().filter(|_| listed.has_more);
    Table {
        caption: words.audit.to_owned(),
        columns: vec![
            Column::words(words.what),
            Column::words(words.who),
            Column::words(words.subject),
            Column::number(words.credits),
            Column::words(words.when),
        ],
        rows: listed.items.iter().map(|action| row(visitor, action, names)).collect(),
        empty: Empty {
            title: words.no_actions.to_owned(),
            text: words.no_actions_text.to_owned(),
            action: None,
        },
        pager: Some(Pager {
            language: visitor.look.language,
            first: span.before.map(|_| place("")),
            next: last.map(|action| place(&paging::cursor(&action.id.bytes()))),
        }),
    }
}

fn row(visitor: &Visitor, action: &Action, names: &BTreeMap<OperatorKeyId, String>) -> Row {
    let words = visitor.words();
    let language = visitor.look.language;
    let badge = Badge::new(tone(action.kind), kind(action.kind, language)).html();
    let what = match &action.detail {
        Some(detail) => part::two_lines(badge, part::written(Detail::as_str(detail))),
        None => badge,
    };
    let who = match action.actor {
        Actor::OperatorKey(id) => {
            let name = names.get(&id).cloned().unwrap_or_else(|| id.to_string());
            part::link(href(PATH, [("operator_key", id.to_string().as_str())]), part::written(name))
        }
        Actor::ConfiguredKey => part::text(words.configured),
        Actor::Customer => part::text(words.customer),
    };
    Row::new(vec![
        what,
        part::two_lines(who, part::text(channel(words, action.channel))),
        subject(action),
        action.credits.map_or_else(|| part::text(""), |credits| part::text(show::credits(credits))),
        part::time(action.at, language),
    ])
}

fn subject(action: &Action) -> Html {
    let subject = action.subject.as_ref().map(|subject| part::code(Subject::as_str(subject)));
    let account = action.account_id.map(|id| part::link(account_path(id), part::code(id.to_string())));
    match (account, subject) {
        (Some(account), Some(subject)) => part::two_lines(account, subject),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => part::text("\u{2013}"),
    }
}

const fn channel(words: &ConsoleWords, channel: Channel) -> &'static str {
    match channel {
        Channel::Api => words.api,
        Channel::Console => words.console,
        Channel::Portal => words.portal_channel,
    }
}

const fn tone(kind: ActionKind) -> Tone {
    match kind {
        ActionKind::AccountCreated
        | ActionKind::AccountActivated
        | ActionKind::Granted
        | ActionKind::Refunded
        | ActionKind::KeyCreated
        | ActionKind::PricePut
        | ActionKind::OperatorKeyCreated => Tone::Good,
        ActionKind::AccountFrozen | ActionKind::Adjusted | ActionKind::KeyRotated => Tone::Attention,
        ActionKind::AccountClosed
        | ActionKind::GrantVoided
        | ActionKind::TextsErased
        | ActionKind::KeyRevoked
        | ActionKind::PriceDeleted
        | ActionKind::OperatorKeyRevoked => Tone::Bad,
        ActionKind::AccountUpdated
        | ActionKind::Charged
        | ActionKind::Held
        | ActionKind::Captured
        | ActionKind::Released
        | ActionKind::KeyUpdated
        | ActionKind::PortalLinkMade
        | ActionKind::PortalOpened
        | ActionKind::SignedIn
        | ActionKind::SessionsEnded => Tone::Neutral,
    }
}

/// What was done, in both languages beside each other.
const fn kind(kind: ActionKind, language: Language) -> &'static str {
    match kind {
        ActionKind::AccountCreated => language.pick("Account created", "创建账户"),
        ActionKind::AccountUpdated => language.pick("Account changed", "修改账户"),
        ActionKind::AccountFrozen => language.pick("Account frozen", "冻结账户"),
        ActionKind::AccountActivated => language.pick("Account unfrozen", "解冻账户"),
        ActionKind::AccountClosed => language.pick("Account closed", "关闭账户"),
        ActionKind::Granted => language.pick("Credits granted", "发放积分"),
        ActionKind::GrantVoided => language.pick("Grant voided", "作废批次"),
        ActionKind::Adjusted => language.pick("Balance adjusted", "调整余额"),
        ActionKind::Charged => language.pick("Charged by hand", "手动扣费"),
        ActionKind::Refunded => language.pick("Charge refunded", "退款"),
        ActionKind::Held => language.pick("Held by hand", "手动预留"),
        ActionKind::Captured => language.pick("Captured by hand", "手动扣取"),
        ActionKind::Released => language.pick("Hold released", "释放预留"),
        ActionKind::TextsErased => language.pick("Texts erased", "删除文本"),
        ActionKind::KeyCreated => language.pick("Key created", "创建密钥"),
        ActionKind::KeyUpdated => language.pick("Key changed", "修改密钥"),
        ActionKind::KeyRotated => language.pick("Key rotated", "轮换密钥"),
        ActionKind::KeyRevoked => language.pick("Key revoked", "吊销密钥"),
        ActionKind::PricePut => language.pick("Price set", "设置价格"),
        ActionKind::PriceDeleted => language.pick("Price deleted", "删除价格"),
        ActionKind::OperatorKeyCreated => language.pick("Operator key created", "创建操作员密钥"),
        ActionKind::OperatorKeyRevoked => language.pick("Operator key revoked", "吊销操作员密钥"),
        ActionKind::PortalLinkMade => language.pick("Link to the page made", "生成页面链接"),
        ActionKind::PortalOpened => language.pick("Page opened", "打开页面"),
        ActionKind::SignedIn => language.pick("Signed in", "登录"),
        ActionKind::SessionsEnded => language.pick("Sessions ended", "结束会话"),
    }
}
