//! The entries of an account, filtered by kind and time. Only so many are looked through for a page.

use coffer_ledger::{Account, AccountId, AccountStatus, Entry, EntryKind, Scope};

use super::super::cells::{account_doing, account_path, entry_kind};
use super::super::visitor::Visitor;
use crate::App;
use crate::pages::form::Filled;
use crate::pages::page::Section;
use crate::pages::part::{self, Action, ActionLook, Badge, Empty, Html, Pager, Tone};
use crate::pages::table::{Column, Row, Table};
use crate::pages::wanted::{FilterWords, Wanted};
use crate::problem::Problem;

/// Entries on a page.
const SHOWN_MAX: usize = 20;

pub(super) async fn section(
    app: &App,
    visitor: &Visitor,
    account: &Account,
    query: &Filled,
) -> Result<Section, Problem> {
    let words = visitor.words();
    let id = account.id;
    let may_refund = visitor.may(Scope::Grant) && account.status != AccountStatus::Closed;
    let wanted = Wanted::of(query);
    app.service.write_what_is_due(id).await?;
    let page = app.service.reader().entries(wanted.query(id, SHOWN_MAX)).await?;
    let place = |beyond| format!("{}#entries", wanted.place(&account_path(id), beyond));
    let table = Table {
        caption: words.entries.to_owned(),
        columns: vec![
            Column::words(words.entry),
            Column::words(words.kind),
            Column::words(words.what),
            Column::number(words.change),
            Column::number(words.balance),
            Column::words(words.when),
        ],
        rows: page.entries.iter().map(|entry| row(visitor, entry, may_refund)).collect(),
        empty: empty(visitor, page.next.is_some()),
        pager: Some(Pager {
            language: visitor.look.language,
            first: wanted.goes_on().then(|| place(None)),
            next: page.next.map(|next| place(Some(next))),
        }),
    };
    let body = Html::all([filter_form(visitor, id, &wanted), table.html()]);
    let mut section = Section::new("entries", words.entries, body);
    section.lead = part::remark(words.entries_lead);
    Ok(section)
}

fn empty(visitor: &Visitor, goes_on: bool) -> Empty {
    let words = visitor.words();
    let text = if goes_on { words.no_entries_yet } else { words.no_entries_text };
    Empty { title: words.no_entries.to_owned(), text: text.to_owned(), action: None }
}

fn filter_form(visitor: &Visitor, id: AccountId, wanted: &Wanted<'_>) -> Html {
    let words = visitor.words();
    let language = visitor.look.language;
    let names = FilterWords { kind: words.kind, from: words.from, to: words.to };
    let form = wanted.form(language, &account_path(id), &names, |kind| entry_kind(words, kind));
    if wanted.is_narrow() {
        let all = Action::link(ActionLook::Small, language.words().all, wanted_all(id)).html();
        return Html::all([form, all]);
    }
    form
}

fn wanted_all(id: AccountId) -> String {
    format!("{}#entries", account_path(id))
}

fn row(visitor: &Visitor, entry: &Entry, may_refund: bool) -> Row {
    let words = visitor.words();
    let number = part::text(format!("#{}", entry.seq.0));
    let kind = Badge::new(tone(entry.kind), entry_kind(words, entry.kind)).html();
    let held = (!entry.held_credits.is_zero())
        .then(|| Html::all([part::text(format!("{} ", words.held)), part::change(entry.held_credits)]));
    let change = match held {
        Some(held) => part::two_lines(part::change(entry.credits), held),
        None => part::change(entry.credits),
    };
    let mut row = Row::new(vec![
        number,
        kind,
        what(entry),
        change,
        part::credits(entry.balance_after.available),
        part::time(entry.at, visitor.look.language),
    ]);
    // Of what was free there is nothing to give back.
    let has_spent = match entry.kind {
        EntryKind::Charge | EntryKind::Capture => !(entry.credits.is_zero() && entry.held_credits.is_zero()),
        EntryKind::Grant
        | EntryKind::Adjust
        | EntryKind::Hold
        | EntryKind::Release
        | EntryKind::Refund
        | EntryKind::Expire
        | EntryKind::Void => false,
    };
    if has_spent
        && may_refund
        && let Some(charge_id) = entry.origin.charge_id
    {
        let doing = account_doing(entry.account_id, "refund", &charge_id.to_string());
        row.actions.push(Action::dialog(ActionLook::Small, words.refund, doing));
    }
    row
}

const fn tone(kind: EntryKind) -> Tone {
    match kind {
        EntryKind::Grant | EntryKind::Refund => Tone::Good,
        EntryKind::Hold | EntryKind::Adjust => Tone::Attention,
        EntryKind::Expire | EntryKind::Void => Tone::Bad,
        EntryKind::Charge | EntryKind::Capture | EntryKind::Release => Tone::Neutral,
    }
}

/// What an entry was for: the operation, or the texts, and under it the id of what it belongs to.
fn what(entry: &Entry) -> Html {
    let operation = entry.purpose.operation.as_ref().map(|operation| operation.as_str().to_owned());
    let reference = entry.note.reference.as_ref().map(|reference| reference.as_str().to_owned());
    let reason = entry.note.reason.as_ref().map(|reason| reason.as_str().to_owned());
    let origin = &entry.origin;
    let id = match entry.kind {
        EntryKind::Grant | EntryKind::Expire | EntryKind::Void => origin.grant_id.map(|id| id.to_string()),
        EntryKind::Charge | EntryKind::Capture | EntryKind::Refund => {
            origin.charge_id.map(|id| id.to_string())
        }
        EntryKind::Hold | EntryKind::Release => origin.hold_id.map(|id| id.to_string()),
        EntryKind::Adjust => origin.adjustment_id.map(|id| id.to_string()),
    };
    let id = id.unwrap_or_default();
    let said: Vec<String> = [operation, reference, reason].into_iter().flatten().collect();
    if said.is_empty() {
        return part::code(id);
    }
    part::two_lines(part::written(said.join(" · ")), part::text(id))
}
