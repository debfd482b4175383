//! One account: what it has, where it comes from, what happened, and what an operator can do with it.

mod dialogs;
mod doing;
mod entries;
mod lists;

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawQuery, State};
use axum::http::{StatusCode, request};
use axum::response::Response;
use coffer_ledger::{Account, AccountId, AccountProfile, AccountStatus, Scope, Timestamp, settle};
use coffer_service::Total;

pub(crate) use doing::act;
pub(crate) use lists::{show_grants, show_holds, show_keys};

use super::act::{self as acting, Failed};
use super::cells::{account_doing, account_status, end};
use super::frame::{Place, frame};
use super::visitor::Visitor;
use super::words::ConsoleWords;
use crate::operator::path::Id;
use crate::pages::form::Filled;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Action, ActionLook, Facts, Html, Stat, Stats};
use crate::pages::show;
use crate::problem::Problem;
use crate::{App, Shared};
use doing::Doing;

/// An account as it stands now.
struct Subject {
    account: Account,
    profile: AccountProfile,
}

/// The account in the path of a page; nothing where that is no id of one.
pub(crate) struct InPath(Option<AccountId>);

impl FromRequestParts<Arc<App>> for InPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut request::Parts, app: &Arc<App>) -> Result<InPath, Infallible> {
        let id = Id::from_request_parts(parts, app).await;
        Ok(InPath(id.ok().map(|Id(id)| id)))
    }
}

/// The page.
pub(crate) async fn show(
    State(app): Shared,
    visitor: Visitor,
    InPath(id): InPath,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Filled::of(query.unwrap_or_default().as_bytes());
    let doing = Doing::of(&query);
    respond(&app, &visitor, id, Asked { query, doing, failed: None, link: None }).await
}

/// What is asked of the page.
struct Asked {
    query: Filled,
    /// The dialog that is open.
    doing: Option<Doing>,
    /// Why it was not carried out.
    failed: Option<Failed>,
    /// The link that was made.
    link: Option<Link>,
}

/// A link to the customer's own page.
struct Link {
    url: String,
    expires_at: Timestamp,
}

async fn respond(app: &App, visitor: &Visitor, id: Option<AccountId>, asked: Asked) -> Response {
    let status = asked.failed.as_ref().map_or(StatusCode::OK, Failed::status);
    match page(app, visitor, id, asked).await {
        Ok(page) => page.respond(status),
        Err(problem) => acting::refused(visitor, Place::Accounts, &problem),
    }
}

/// The account that a path names, everything settled that has fallen due.
async fn subject(app: &App, id: Option<AccountId>) -> Result<Subject, Problem> {
    let id = id.ok_or_else(|| Problem::not_found("account"))?;
    let record = app.service.reader().account_record(id).await?;
    let record = record.ok_or_else(|| Problem::not_found("account"))?;
    let account = settle(&record.account, app.service.now()).into_owned();
    Ok(Subject { account, profile: record.profile })
}

async fn page(app: &App, visitor: &Visitor, id: Option<AccountId>, asked: Asked) -> Result<Page, Problem> {
    visitor.allowed(Scope::Read)?;
    let words = visitor.words();
    let subject = subject(app, id).await?;
    let name = subject.profile.name.as_str();
    let mut page = Page::new(frame(visitor, Place::Accounts, name), heading(visitor, words, &subject));
    page.notices.extend(acting::done(words, &asked.query));
    page.sections.push(figures(visitor, words, &subject.account));
    page.sections.push(facts(visitor, words, &subject));
    page.sections.push(lists::lots(app, visitor, &subject.account));
    page.sections.push(entries::section(app, visitor, &subject.account, &asked.query).await?);
    page.sections.push(lists::keys(app, visitor, subject.account.id).await?);
    page.sections.push(lists::holds(visitor, &subject.account));
    if let Some(link) = asked.link {
        page.dialog = Some(dialogs::link(visitor, &subject, &link));
    } else if let Some(doing) = asked.doing.filter(|doing| visitor.may(doing.scope())) {
        doing.is_on(app, subject.account.id).await?;
        page.dialog = dialogs::dialog(app, visitor, &subject, &doing, asked.failed.as_ref()).await?;
    }
    Ok(page)
}

fn heading(visitor: &Visitor, words: &ConsoleWords, subject: &Subject) -> Heading {
    let Subject { account, profile } = subject;
    let doing = |look: ActionLook, label: &str, what: &str| {
        Action::dialog(look, label, account_doing(account.id, what, ""))
    };
    let mut actions = Vec::new();
    let is_open = account.status != AccountStatus::Closed;
    if visitor.may(Scope::Grant) && is_open {
        actions.push(doing(ActionLook::Primary, words.grant, "grant"));
        actions.push(doing(ActionLook::Plain, words.adjust, "adjust"));
    }
    if visitor.may(Scope::Manage) {
        if is_open {
            actions.push(doing(ActionLook::Plain, words.portal, "portal"));
        }
        match account.status {
            AccountStatus::Active => actions.push(doing(ActionLook::Plain, words.freeze, "freeze")),
            AccountStatus::Frozen => actions.push(doing(ActionLook::Plain, words.unfreeze, "unfreeze")),
            AccountStatus::Closed => {}
        }
        if is_open {
            actions.push(doing(ActionLook::Plain, words.edit, "edit"));
            actions.push(doing(ActionLook::Danger, words.close_account, "close"));
        }
    }
    Heading {
        above: Some((words.accounts.to_owned(), "/console/accounts".to_owned())),
        title: profile.name.to_string(),
        badge: account_status(words, account.status).html(),
        lead: part::code(account.id.to_string()),
        actions,
    }
}

fn figures(visitor: &Visitor, words: &ConsoleWords, account: &Account) -> Section {
    let totals = &account.totals;
    let spent = Total::from(totals.spent).less(totals.refunded);
    let available = Stat::new(words.available, show::credits(account.balance.available)).leading();
    let expiry = account.next_expiry().map_or_else(
        || Stat::new(words.next_expiry, words.none),
        |next| {
            Stat::new(words.next_expiry, show::credits(next.credits))
                .note(show::time(next.at, visitor.look.language))
        },
    );
    let stats = vec![
        available,
        Stat::new(words.held, show::credits(account.balance.held)).note(words.held_note),
        Stat::new(words.spent, show::total(spent)).note(words.spent_note),
        Stat::new(words.granted, show::credits(totals.granted)),
        expiry,
    ];
    Section::bare(Html::of(&Stats(stats)))
}

fn facts(visitor: &Visitor, words: &ConsoleWords, subject: &Subject) -> Section {
    let Subject { account, profile } = subject;
    let external_id = profile.external_id.as_ref();
    let mut facts = vec![
        (
            words.external_id.to_owned(),
            external_id.map_or_else(|| part::text(words.none), |id| part::text(id.as_str())),
        ),
        (words.overdraft_limit.to_owned(), part::credits(account.overdraft_limit)),
        (words.created.to_owned(), end(words, Some(profile.created_at), visitor.look.language)),
    ];
    if account.debt.is_positive() {
        facts.push((words.debt.to_owned(), part::credits(account.debt)));
    }
    for (name, value) in profile.metadata.pairs() {
        facts.push((name.to_owned(), part::text(value)));
    }
    Section::boxed(Html::of(&Facts(facts)))
}
