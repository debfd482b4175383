//! The forms of an account's page.

use coffer_ledger::{EntryKind, KeyProfile};
use coffer_service::Total;

use super::super::act::{Failed, NAME};
use super::super::cells::{account_path, entry_kind};
use super::super::visitor::Visitor;
use super::super::words::ConsoleWords;
use super::doing::Doing;
use super::{Link, Subject};
use crate::App;
use crate::pages::dialog::Dialog;
use crate::pages::field::{Field, FieldKind};
use crate::pages::part::{self, Action, ActionLook, Copyable, Facts, Html, Tone};
use crate::pages::{once, show};
use crate::problem::Problem;

/// The form for something; none where there is nothing that it could be done with.
pub(super) async fn dialog(
    app: &App,
    visitor: &Visitor,
    subject: &Subject,
    doing: &Doing,
    failed: Option<&Failed>,
) -> Result<Option<Dialog>, Problem> {
    let words = visitor.words();
    let language = visitor.look.language;
    let Some(shape) = shape(app, words, subject, *doing).await? else { return Ok(None) };
    let (what, of) = doing.name();
    let filled = |name: &str| failed.map(|failed| failed.filled.get(name).to_owned());
    let fields = shape.fields.into_iter().map(|(name, label, kind, value, hint)| {
        let field = Field::new(language, name, label, kind).value(filled(name).unwrap_or(value)).hint(hint);
        let field = field.error(failed.and_then(|failed| failed.of_field(name, language)));
        if is_required(*doing, name) { field.required() } else { field }
    });
    Ok(Some(Dialog {
        language,
        title: shape.title.to_owned(),
        text: shape.text.to_owned(),
        action: account_path(subject.account.id),
        fields: fields.collect(),
        hidden: vec![
            ("do", what.to_owned()),
            ("of", of),
            (NAME, failed.map_or_else(once::name, Failed::next_name)),
        ],
        submit: shape.submit.to_owned(),
        tone: shape.tone,
        back: account_path(subject.account.id),
        error: failed.and_then(|failed| failed.as_a_whole(doing.fields(), language)),
        body: target(app, visitor, subject, *doing).await?,
    }))
}

/// What it would be done with, for the page is dimmed meanwhile; nothing where there are fields to fill in for it.
async fn target(app: &App, visitor: &Visitor, subject: &Subject, doing: Doing) -> Result<Html, Problem> {
    let words = visitor.words();
    let reader = app.service.reader();
    let name = |label: &str, name: Html| (label.to_owned(), name);
    let facts = match doing {
        Doing::Freeze | Doing::Unfreeze | Doing::Close => {
            vec![name(words.name, part::written(subject.profile.name.as_str()))]
        }
        Doing::Refund(id) => vec![name(entry_kind(words, EntryKind::Charge), part::code(id.to_string()))],
        Doing::Void(id) => {
            let grant = reader.grant(id).await?.map(|(_, grant)| grant);
            let id = name(words.grant_id, part::code(id.to_string()));
            let left = grant.map(|grant| name(words.remaining, part::credits(grant.lot.remaining)));
            [Some(id), left].into_iter().flatten().collect()
        }
        Doing::Release(id) => {
            let record = reader.hold(id).await?;
            let id = name(words.hold_id, part::code(id.to_string()));
            let left = record.map(|record| name(words.remaining, part::credits(record.hold.left())));
            [Some(id), left].into_iter().flatten().collect()
        }
        Doing::RevokeKey(id) => {
            let record = reader.key_record(id).await?.map(|(_, record)| record.profile);
            let key = |profile: KeyProfile| {
                part::two_lines(part::written(profile.name.as_str()), part::code(profile.hint.as_str()))
            };
            record.map(|profile| name(words.key, key(profile))).into_iter().collect()
        }
        Doing::Grant | Doing::Adjust | Doing::Edit | Doing::Portal => return Ok(Html::default()),
    };
    Ok(Html::of(&Facts(facts)))
}

/// The link to the customer's page, shown this once.
pub(super) fn link(visitor: &Visitor, subject: &Subject, link: &Link) -> Dialog {
    let words = visitor.words();
    let language = visitor.look.language;
    let copyable =
        Copyable { language, label: words.portal_link.to_owned(), text: link.url.clone(), is_code: false };
    let until = format!("{} {}.", words.portal_expires, show::time(link.expires_at, language));
    let open = Action::link(ActionLook::Plain, words.portal_open, &link.url).html();
    Dialog {
        language,
        title: words.portal_title.to_owned(),
        text: words.portal_text.to_owned(),
        action: String::new(),
        fields: Vec::new(),
        hidden: Vec::new(),
        submit: String::new(),
        tone: Tone::Neutral,
        back: account_path(subject.account.id),
        error: None,
        body: part::stack([Html::of(&copyable), part::row([open, part::text(until)])]),
    }
}

type FieldShape = (&'static str, &'static str, FieldKind, String, String);

/// What a form says and asks for.
struct Shape {
    title: &'static str,
    text: &'static str,
    submit: &'static str,
    tone: Tone,
    fields: Vec<FieldShape>,
}

const fn is_required(doing: Doing, name: &str) -> bool {
    match doing {
        Doing::Grant => matches!(name.as_bytes(), b"credits" | b"category"),
        Doing::Adjust => matches!(name.as_bytes(), b"credits" | b"reason"),
        Doing::Edit => true,
        Doing::Freeze
        | Doing::Unfreeze
        | Doing::Close
        | Doing::Refund(_)
        | Doing::Void(_)
        | Doing::Release(_)
        | Doing::RevokeKey(_)
        | Doing::Portal => false,
    }
}

async fn shape(
    app: &App,
    words: &'static ConsoleWords,
    subject: &Subject,
    doing: Doing,
) -> Result<Option<Shape>, Problem> {
    let plain = |title: &'static str, text: &'static str, tone: Tone| Shape {
        title,
        text,
        submit: title,
        tone,
        fields: Vec::new(),
    };
    Ok(Some(match doing {
        Doing::Grant => {
            Shape { fields: grant_fields(words), ..plain(words.grant, words.grant_text, Tone::Good) }
        }
        Doing::Adjust => {
            Shape { fields: adjust_fields(words), ..plain(words.adjust, words.adjust_text, Tone::Good) }
        }
        Doing::Edit => Shape { fields: edit_fields(words, subject), ..plain(words.edit, "", Tone::Good) },
        Doing::Freeze => plain(words.freeze, words.freeze_text, Tone::Good),
        Doing::Unfreeze => plain(words.unfreeze, words.unfreeze_text, Tone::Good),
        Doing::Close => plain(words.close_account, words.close_text, Tone::Bad),
        Doing::Refund(id) => {
            let Some(charge) = app.service.reader().charge(id).await? else { return Ok(None) };
            let left = Total::from(charge.credits).less(charge.refunded);
            let hint = format!("{} {}", words.refund_hint, show::total(left));
            let credits = field("credits", words.credits, FieldKind::Decimal, "", &hint);
            Shape { fields: vec![credits], ..plain(words.refund, words.refund_text, Tone::Good) }
        }
        Doing::Void(_) => plain(words.void, words.void_text, Tone::Bad),
        Doing::Release(_) => plain(words.release, words.release_text, Tone::Good),
        Doing::RevokeKey(_) => plain(words.revoke, words.revoke_key_text, Tone::Bad),
        Doing::Portal => plain(words.portal, words.portal_offer, Tone::Good),
    }))
}

fn field(name: &'static str, label: &'static str, kind: FieldKind, value: &str, hint: &str) -> FieldShape {
    (name, label, kind, value.to_owned(), hint.to_owned())
}

fn grant_fields(words: &'static ConsoleWords) -> Vec<FieldShape> {
    let categories = FieldKind::Choice(vec![
        ("paid".to_owned(), words.paid.to_owned()),
        ("promotional".to_owned(), words.promotional.to_owned()),
    ]);
    vec![
        field("credits", words.credits, FieldKind::Decimal, "", ""),
        field("category", words.category, categories, "paid", ""),
        field("expires_at", words.expires_at, FieldKind::Moment, "", words.expires_hint),
        field("effective_at", words.effective_at, FieldKind::Moment, "", words.effective_hint),
        field("priority", words.priority, FieldKind::Decimal, "", words.priority_hint),
        field("reference", words.reference, FieldKind::Text, "", words.reference_hint),
    ]
}

fn adjust_fields(words: &'static ConsoleWords) -> Vec<FieldShape> {
    vec![
        field("credits", words.credits, FieldKind::Decimal, "", ""),
        field("reason", words.reason, FieldKind::Text, "", ""),
        field("allow_negative", words.allow_negative, FieldKind::Box, "", ""),
    ]
}

fn edit_fields(words: &'static ConsoleWords, subject: &Subject) -> Vec<FieldShape> {
    let limit = subject.account.overdraft_limit.to_string();
    vec![
        field("name", words.name, FieldKind::Text, subject.profile.name.as_str(), ""),
        field(
            "overdraft_limit",
            words.overdraft_limit,
            FieldKind::Decimal,
            &limit,
            words.overdraft_edit_hint,
        ),
    ]
}
