//! The health of the store: whether commits work, how long they take, what waits, how large it is, when it was backed up.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use coffer_ledger::Scope;
use coffer_service::limits::QUEUE_COMMANDS_MAX;
use coffer_service::{Lately, StoreHealth, StoreKind};

use super::act;
use super::frame::{Place, frame};
use super::visitor::Visitor;
use super::words::ConsoleWords;
use crate::pages::page::{Heading, Page, Section};
use crate::pages::part::{self, Badge, Facts, Html, Stat, Stats, Tone};
use crate::pages::show;
use crate::problem::Problem;
use crate::{App, Shared};

const REFRESH_SECONDS: u16 = 5;

/// The page.
pub(crate) async fn show(State(app): Shared, visitor: Visitor) -> Response {
    match page(&app, &visitor).await {
        Ok(page) => page.respond(StatusCode::OK),
        Err(problem) => act::refused(&visitor, Place::Store, &problem),
    }
}

async fn page(app: &App, visitor: &Visitor) -> Result<Page, Problem> {
    visitor.allowed(Scope::Read)?;
    let words = visitor.words();
    let is_ready = app.service.is_ready().await;
    let health = app.service.reader().health().await?;
    let lately = app.service.lately();
    let badge =
        if is_ready { Badge::new(Tone::Good, words.ready) } else { Badge::new(Tone::Bad, words.not_ready) };
    let mut heading = Heading::new(words.store).lead(part::text(words.store_lead));
    heading.badge = badge.html();
    let mut page = Page::new(frame(visitor, Place::Store, words.store), heading);
    let mut figures = Section::bare(figures(app, words, &lately));
    figures.anchor = "figures";
    figures.refresh_seconds = REFRESH_SECONDS;
    page.sections.push(figures);
    page.sections.push(Section::boxed(facts(visitor, words, &health, &lately)));
    Ok(page)
}

fn figures(app: &App, words: &ConsoleWords, lately: &Lately) -> Html {
    let commits = &lately.commits;
    let of_the_last =
        format!("{} {} {}", words.commit_note, show::count(commits.count as u64), words.commits);
    let waiting = show::count(app.service.commands_waiting() as u64);
    let room = format!("{} {}", words.queue_note, show::count(QUEUE_COMMANDS_MAX as u64));
    Html::of(&Stats(vec![
        Stat::new(words.queue, waiting).note(room).leading(),
        Stat::new(words.commit_median, show::duration(commits.median)).note(of_the_last.clone()).leading(),
        Stat::new(words.commit_slow, show::duration(commits.slow)).note(of_the_last.clone()).leading(),
        Stat::new(words.commit_longest, show::duration(commits.longest)).note(of_the_last).leading(),
    ]))
}

fn facts(visitor: &Visitor, words: &ConsoleWords, health: &StoreHealth, lately: &Lately) -> Html {
    let (kind, remark) = match health.kind {
        StoreKind::Memory => (words.store_memory, ""),
        StoreKind::Sqlite => ("SQLite", words.backup_remark),
        StoreKind::Postgres => ("PostgreSQL", words.backup_database),
    };
    let size = health.bytes.map_or_else(|| words.unknown.to_owned(), show::bytes);
    let backup = health
        .last_backup
        .and_then(show::moment)
        .map_or_else(|| part::text(words.no_backup), |at| part::time(at, visitor.look.language));
    let facts = Facts(vec![
        (words.store_kind.to_owned(), part::text(kind)),
        (words.size.to_owned(), part::text(size)),
        (words.last_backup.to_owned(), backup),
        (words.commands_done.to_owned(), part::text(show::count(lately.commands))),
        (words.up.to_owned(), part::text(show::duration(lately.up))),
        (words.version.to_owned(), part::text(env!("CARGO_PKG_VERSION"))),
    ]);
    Html::all([Html::of(&facts), part::remark(remark)])
}
