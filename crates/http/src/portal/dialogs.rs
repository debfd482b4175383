//! The forms over the list of keys, and the one place where a secret shows.

use coffer_ledger::{Key, KeyRecord, Period};
use coffer_service::Secret;

use super::table::period;
use super::tried::TryForm;
use super::visitor::Visitor;
use crate::App;
use crate::pages::dialog::Dialog;
use crate::pages::field::{Field, FieldKind};
use crate::pages::part::{self, Copyable, Html, Tone};
use crate::pages::sent::{Failed, NAME};
use crate::pages::{SETTINGS_PATH, once};

/// The names that the API has for the fields of the form, beside the form's own.
const FIELDS: [&str; 5] = ["name", "expires_at", "limit", "limit.credits", "limit.period"];

const PERIODS: [(Period, &str); 4] =
    [(Period::Day, "day"), (Period::Week, "week"), (Period::Month, "month"), (Period::Total, "total")];

/// What stands in the form of a key.
#[derive(Default)]
struct Given {
    name: String,
    expires_at: String,
    limit: String,
    period: String,
    is_disabled: bool,
}

fn base(visitor: &Visitor, title: &str, failed: Option<&Failed>) -> Dialog {
    let language = visitor.look.language;
    Dialog {
        language,
        title: title.to_owned(),
        text: String::new(),
        action: SETTINGS_PATH.to_owned(),
        fields: Vec::new(),
        hidden: Vec::new(),
        submit: title.to_owned(),
        tone: Tone::Neutral,
        back: SETTINGS_PATH.to_owned(),
        error: failed.and_then(|failed| failed.as_a_whole(&FIELDS, language)),
        body: Html::default(),
    }
}

/// Fields that a new key and one that is changed have alike.
fn fields(visitor: &Visitor, given: Given, failed: Option<&Failed>) -> Vec<Field> {
    let words = visitor.words();
    let language = visitor.look.language;
    let given = match failed {
        None => given,
        Some(Failed { filled, .. }) => Given {
            name: filled.get("name").to_owned(),
            expires_at: filled.get("expires_at").to_owned(),
            limit: filled.get("limit").to_owned(),
            period: filled.get("period").to_owned(),
            is_disabled: filled.is_ticked("disabled"),
        },
    };
    let error = |names: &[&str]| {
        names.iter().find_map(|name| failed.and_then(|failed| failed.of_field(name, language)))
    };
    let periods = PERIODS.map(|(of, name)| (name.to_owned(), period(words, of).to_owned()));
    let month = if given.period.is_empty() { "month".to_owned() } else { given.period };
    vec![
        Field::new(language, "name", words.name, FieldKind::Text)
            .value(given.name)
            .hint(words.name_hint)
            .required()
            .error(error(&["name"])),
        Field::new(language, "limit", words.limit, FieldKind::Decimal)
            .value(given.limit)
            .hint(words.limit_hint)
            .error(error(&["limit", "limit.credits"])),
        Field::new(language, "period", words.period, FieldKind::Choice(periods.to_vec()))
            .value(month)
            .plain()
            .error(error(&["limit.period"])),
        Field::new(language, "expires_at", words.expires, FieldKind::Date)
            .value(given.expires_at)
            .hint(words.expires_hint)
            .error(error(&["expires_at"])),
    ]
}

/// The form for a new key.
pub(super) fn create(visitor: &Visitor, failed: Option<&Failed>) -> Dialog {
    let words = visitor.words();
    Dialog {
        text: words.create_text.to_owned(),
        fields: fields(visitor, Given::default(), failed),
        hidden: vec![("do", "create".to_owned()), (NAME, failed.map_or_else(once::name, Failed::next_name))],
        ..base(visitor, words.create_key, failed)
    }
}

/// A form for a key that there is.
pub(super) fn of_key(
    visitor: &Visitor,
    record: &KeyRecord,
    doing: &str,
    failed: Option<&Failed>,
) -> Option<Dialog> {
    let words = visitor.words();
    let name = record.profile.name.as_str();
    let hidden = |what: &str| {
        let name_of_form = failed.map_or_else(once::name, Failed::next_name);
        vec![("do", what.to_owned()), ("of", record.key.id.to_string()), (NAME, name_of_form)]
    };
    let title = |title: &str| format!("{title}: {name}");
    Some(match doing {
        "edit" => Dialog {
            title: title(words.edit_title),
            fields: edited(visitor, record, failed),
            hidden: hidden("edit"),
            ..base(visitor, words.save, failed)
        },
        "rotate" => Dialog {
            title: title(words.rotate_title),
            text: words.rotate_text.to_owned(),
            fields: vec![overlap(visitor, failed)],
            hidden: hidden("rotate"),
            ..base(visitor, words.rotate, failed)
        },
        "revoke" => Dialog {
            title: title(words.revoke_title),
            text: words.revoke_text.to_owned(),
            hidden: hidden("revoke"),
            tone: Tone::Bad,
            ..base(visitor, words.revoke, failed)
        },
        _ => return None,
    })
}

/// The day on which a key expires, as its form has it; nothing where it never does.
pub(super) fn day_of_expiry(key: &Key) -> String {
    key.expires_at.map_or(String::new(), |at| at.to_string()[..10].to_owned())
}

fn edited(visitor: &Visitor, record: &KeyRecord, failed: Option<&Failed>) -> Vec<Field> {
    let words = visitor.words();
    let KeyRecord { profile, key } = record;
    let given = Given {
        name: profile.name.as_str().to_owned(),
        expires_at: day_of_expiry(key),
        limit: key.limit.map_or(String::new(), |limit| limit.credits.to_string()),
        period: key.limit.map_or(String::new(), |limit| period_name(limit.period).to_owned()),
        is_disabled: key.disabled,
    };
    let is_disabled = failed.map_or(given.is_disabled, |failed| failed.filled.is_ticked("disabled"));
    let mut fields = fields(visitor, given, failed);
    let disabled = Field::new(visitor.look.language, "disabled", words.switched_off, FieldKind::Box);
    fields.push(disabled.value(if is_disabled { "yes" } else { "" }));
    fields
}

fn period_name(period: Period) -> &'static str {
    PERIODS.iter().find(|(known, _)| *known == period).map_or("total", |(_, name)| name)
}

fn overlap(visitor: &Visitor, failed: Option<&Failed>) -> Field {
    let words = visitor.words();
    let choices = [
        ("0", words.at_once),
        ("3600", words.one_hour),
        ("86400", words.one_day),
        ("604800", words.seven_days),
    ];
    let choices = choices.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
    // With no choice that is offered browsers would take the first, and cut the old secret off.
    let chosen = failed.map(|failed| failed.filled.get("overlap_seconds"));
    let chosen = chosen.filter(|chosen| choices.iter().any(|(value, _)| value == chosen)).unwrap_or("86400");
    Field::new(visitor.look.language, "overlap_seconds", words.overlap, FieldKind::Choice(choices))
        .value(chosen)
        .hint(words.overlap_hint)
        .plain()
        .error(failed.and_then(|failed| failed.of_field("overlap_seconds", visitor.look.language)))
}

/// The secret of a key: nothing else ever shows it.
pub(super) fn secret(app: &App, visitor: &Visitor, secret: &Secret) -> Dialog {
    let words = visitor.words();
    let copyable = Copyable {
        language: visitor.look.language,
        label: words.secret.to_owned(),
        text: secret.expose().to_owned(),
        is_code: false,
    };
    let try_it = TryForm::of_secret(app, visitor, secret.expose());
    Dialog {
        text: words.secret_text.to_owned(),
        submit: String::new(),
        body: part::stack([Html::of(&copyable), Html::of(&try_it)]),
        ..base(visitor, words.secret_title, None)
    }
}
