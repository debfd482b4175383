//! Cells of tables that several pages have: statuses, credits, links to accounts.

use coffer_ledger::{
    AccountId, AccountStatus, Category, EntryKind, GrantStatus, HoldStatus, KeyStatus, Period, Timestamp,
};

use super::words::ConsoleWords;
use crate::pages::href::href;
use crate::pages::look::Language;
use crate::pages::part::{self, Badge, Html, Tone};

/// Where an account's page is.
pub(super) fn account_path(id: AccountId) -> String {
    format!("/console/accounts/{id}")
}

/// An account's page with a dialog over it.
pub(super) fn account_doing(id: AccountId, what: &str, of: &str) -> String {
    href(&account_path(id), [("do", what), ("of", of)])
}

pub(super) fn account_status(words: &ConsoleWords, status: AccountStatus) -> Badge {
    match status {
        AccountStatus::Active => Badge::new(Tone::Good, words.active),
        AccountStatus::Frozen => Badge::new(Tone::Attention, words.frozen),
        AccountStatus::Closed => Badge::new(Tone::Neutral, words.closed),
    }
}

pub(super) fn grant_status(words: &ConsoleWords, status: GrantStatus) -> Html {
    let (tone, text) = match status {
        GrantStatus::Pending => (Tone::Attention, words.pending),
        GrantStatus::Active => (Tone::Good, words.active),
        GrantStatus::Depleted => (Tone::Neutral, words.depleted),
        GrantStatus::Expired => (Tone::Neutral, words.expired),
        GrantStatus::Voided => (Tone::Bad, words.voided),
    };
    Badge::new(tone, text).html()
}

pub(super) fn hold_status(words: &ConsoleWords, status: HoldStatus) -> Html {
    let (tone, text) = match status {
        HoldStatus::Open => (Tone::Attention, words.open),
        HoldStatus::Captured => (Tone::Good, words.captured),
        HoldStatus::Released => (Tone::Neutral, words.released),
        HoldStatus::Expired => (Tone::Neutral, words.expired),
    };
    Badge::new(tone, text).html()
}

pub(super) fn key_status(words: &ConsoleWords, status: KeyStatus) -> Html {
    let (tone, text) = match status {
        KeyStatus::Active => (Tone::Good, words.active),
        KeyStatus::Disabled => (Tone::Attention, words.disabled),
        KeyStatus::Expired => (Tone::Neutral, words.expired),
        KeyStatus::Revoked => (Tone::Bad, words.revoked),
    };
    Badge::new(tone, text).html()
}

pub(super) const fn category(words: &ConsoleWords, category: Category) -> &'static str {
    match category {
        Category::Paid => words.paid,
        Category::Promotional => words.promotional,
    }
}

/// How often a limit begins anew.
pub(super) const fn period(words: &ConsoleWords, period: Period) -> &'static str {
    match period {
        Period::Day => words.a_day,
        Period::Week => words.a_week,
        Period::Month => words.a_month,
        Period::Total => words.in_total,
    }
}

pub(super) const fn entry_kind(words: &ConsoleWords, kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Grant => words.kind_grant,
        EntryKind::Charge => words.kind_charge,
        EntryKind::Hold => words.kind_hold,
        EntryKind::Capture => words.kind_capture,
        EntryKind::Release => words.kind_release,
        EntryKind::Refund => words.kind_refund,
        EntryKind::Expire => words.kind_expire,
        EntryKind::Void => words.kind_void,
        EntryKind::Adjust => words.kind_adjust,
    }
}

/// When something ends, if ever.
pub(super) fn end(words: &ConsoleWords, at: Option<Timestamp>, language: Language) -> Html {
    at.map_or_else(|| part::text(words.never), |at| part::time(at, language))
}

/// What may be absent.
pub(super) fn or_dash(text: Option<&str>) -> Html {
    part::written(text.unwrap_or("\u{2013}"))
}
