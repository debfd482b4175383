//! Which entries of an account a page is to show: what its address says, and the form that asks for it. How an entry looks is
//! the page's own.

use coffer_ledger::{AccountId, EntryKind, Seq, Timestamp};
use coffer_service::{EntryOrder, EntryQuery};

use super::field::{Field, FieldKind};
use super::filters;
use super::form::Filled;
use super::href::href;
use super::look::Language;
use super::part::Html;

/// Which entries are wanted. A day that is none narrows nothing, and neither does a kind or a number.
pub(crate) struct Wanted<'a> {
    kind: Option<EntryKind>,
    from: &'a str,
    to: &'a str,
    beyond: Option<Seq>,
}

/// What the form calls its fields.
pub(crate) struct FilterWords {
    pub(crate) kind: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
}

impl Wanted<'_> {
    pub(crate) fn of(query: &Filled) -> Wanted<'_> {
        let is_day = |day: &&str| midnight(day).is_some();
        Wanted {
            kind: EntryKind::of_name(query.get("kind")),
            from: Some(query.get("from")).filter(is_day).unwrap_or_default(),
            to: Some(query.get("to")).filter(is_day).unwrap_or_default(),
            beyond: query.get("beyond").parse().ok().filter(|seq| i64::try_from(*seq).is_ok()).map(Seq),
        }
    }

    /// Whether some entries are left out.
    pub(crate) fn is_narrow(&self) -> bool {
        self.kind.is_some() || !self.from.is_empty() || !self.to.is_empty()
    }

    /// Whether it is a page after the first.
    pub(crate) fn goes_on(&self) -> bool {
        self.beyond.is_some()
    }

    /// The address of the page that begins beyond an entry, or of the first.
    pub(crate) fn place(&self, path: &str, beyond: Option<Seq>) -> String {
        let beyond = beyond.map(|seq| seq.0.to_string()).unwrap_or_default();
        let kind = self.kind.map_or("", EntryKind::as_str);
        href(path, [("kind", kind), ("from", self.from), ("to", self.to), ("beyond", beyond.as_str())])
    }

    /// The page, newest first.
    pub(crate) fn query(&self, account_id: AccountId, count_max: usize) -> EntryQuery {
        EntryQuery {
            account_id,
            from: midnight(self.from),
            // The last day counts whole.
            to: midnight(self.to).map(|midnight| midnight.saturating_add_days(1)),
            kind: self.kind,
            visible_to: None,
            order: EntryOrder::NewestFirst,
            beyond: self.beyond,
            count_max,
        }
    }

    /// The form that asks for others.
    pub(crate) fn form(
        &self,
        language: Language,
        path: &str,
        words: &FilterWords,
        kind_name: impl Fn(EntryKind) -> &'static str,
    ) -> Html {
        let mut kinds = vec![(String::new(), language.words().all.to_owned())];
        kinds.extend(EntryKind::ALL.map(|kind| (kind.as_str().to_owned(), kind_name(kind).to_owned())));
        let kind = self.kind.map_or("", EntryKind::as_str);
        let fields = [
            Field::new(language, "kind", words.kind, FieldKind::Choice(kinds)).value(kind).plain(),
            Field::new(language, "from", words.from, FieldKind::Date).value(self.from).plain(),
            Field::new(language, "to", words.to, FieldKind::Date).value(self.to).plain(),
        ];
        filters::form(language, path, &fields, language.words().filter)
    }
}

/// The midnight with which a day begins, in UTC.
fn midnight(day: &str) -> Option<Timestamp> {
    format!("{day}T00:00:00Z").parse().ok()
}
