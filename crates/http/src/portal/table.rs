//! The list of keys.

use std::collections::BTreeMap;

use coffer_ledger::{Key, KeyId, KeyRecord, KeyStatus, Period, Timestamp};
use coffer_service::Page as Listed;

use super::visitor::Visitor;
use super::words::PortalWords;
use crate::pages::SETTINGS_PATH;
use crate::pages::href::href;
use crate::pages::part::{self, Action, ActionLook, Badge, Empty, Html, Pager, Tone};
use crate::pages::show;
use crate::pages::table::{Column, Row, Table};
use crate::paging;

pub(super) fn table(
    visitor: &Visitor,
    keys: &Listed<KeyRecord>,
    uses: &BTreeMap<KeyId, Timestamp>,
    now: Timestamp,
    cursor: Option<&str>,
) -> Table {
    let words = visitor.words();
    let create = href(SETTINGS_PATH, [("do", "create")]);
    let last = keys.items.last().filter(|_| keys.has_more).map(|record| record.key.id);
    Table {
        caption: words.keys.to_owned(),
        columns: vec![
            Column::words(words.name),
            Column::words(words.status),
            Column::number(words.spent),
            Column::words(words.last_used),
            Column::words(words.expires),
        ],
        rows: keys.items.iter().map(|record| row(visitor, record, uses, now)).collect(),
        empty: Empty {
            title: words.no_keys.to_owned(),
            text: words.no_keys_text.to_owned(),
            action: Some(Action::dialog(ActionLook::Primary, words.create_key, create)),
        },
        pager: Some(Pager {
            language: visitor.look.language,
            first: cursor.map(|_| SETTINGS_PATH.to_owned()),
            next: last.map(|id| href(SETTINGS_PATH, [("cursor", paging::cursor(&id.bytes()).as_str())])),
        }),
    }
}

fn row(visitor: &Visitor, record: &KeyRecord, uses: &BTreeMap<KeyId, Timestamp>, now: Timestamp) -> Row {
    let words = visitor.words();
    let language = visitor.look.language;
    let KeyRecord { profile, key } = record;
    let status = key.status(now);
    let last_used = match uses.get(&key.id) {
        Some(at) => part::time(*at, language),
        None => part::text(words.never_used),
    };
    let expiry = match key.expires_at {
        Some(at) => part::time(at, language),
        None => part::text(words.no_expiry),
    };
    let mut row = Row::new(vec![
        part::two_lines(part::written(profile.name.as_str()), part::code(profile.hint.as_str())),
        status_cell(visitor, key, status, now),
        spent(words, key, now),
        last_used,
        expiry,
    ]);
    if status != KeyStatus::Revoked {
        let id = key.id.to_string();
        let doing = |what: &str| href(SETTINGS_PATH, [("do", what), ("of", id.as_str())]);
        row.actions = vec![
            Action::dialog(ActionLook::Small, words.edit, doing("edit")),
            Action::dialog(ActionLook::Small, words.rotate, doing("rotate")),
            Action::dialog(ActionLook::Small, words.revoke, doing("revoke")),
        ];
    }
    row
}

/// The status, and until when an old secret works beside the new one.
fn status_cell(visitor: &Visitor, key: &Key, status: KeyStatus, now: Timestamp) -> Html {
    let words = visitor.words();
    let badge = match status {
        KeyStatus::Active => Badge::new(Tone::Good, words.active),
        KeyStatus::Disabled => Badge::new(Tone::Attention, words.disabled),
        KeyStatus::Expired => Badge::new(Tone::Neutral, words.expired),
        KeyStatus::Revoked => Badge::new(Tone::Bad, words.revoked),
    };
    let longest = key.retired.iter().map(|old| old.until).max().filter(|until| *until > now);
    match longest.filter(|_| status == KeyStatus::Active) {
        Some(until) => {
            let time = show::time(until, visitor.look.language);
            part::two_lines(badge.html(), part::text(format!("{} {time}", words.old_secrets)))
        }
        None => badge.html(),
    }
}

/// What the key has spent, of its limit if it has one.
fn spent(words: &PortalWords, key: &Key, now: Timestamp) -> Html {
    let spent = part::credits(key.spent(now));
    match key.limit {
        None => part::two_lines(spent, part::text(words.no_limit)),
        Some(limit) => {
            let (credits, period) = (show::credits(limit.credits), period(words, limit.period));
            part::two_lines(spent, part::text(format!("{} {credits} {period}", words.of_limit)))
        }
    }
}

/// How often a limit begins anew.
pub(super) const fn period(words: &PortalWords, period: Period) -> &'static str {
    match period {
        Period::Day => words.a_day,
        Period::Week => words.a_week,
        Period::Month => words.a_month,
        Period::Total => words.in_total,
    }
}
