//! Pages of lists: `limit`, `cursor`, and the answer's shape.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_ledger::UuidBytes;
use coffer_service::{Page, Span};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::problem::Problem;

/// A page of a list, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<Item> {
    /// What is on the page.
    pub(crate) data: Vec<Item>,
    /// Whether the list goes on.
    pub(crate) has_more: bool,
    /// What to give as `cursor` to go on.
    pub(crate) next_cursor: Option<String>,
}

/// Which page of a list, as `limit` and `cursor` have it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageParams {
    pub(crate) limit: Option<String>,
    pub(crate) cursor: Option<String>,
}

impl PageParams {
    pub(crate) fn span(&self) -> Result<Span, Problem> {
        span(self.limit.as_deref(), self.cursor.as_deref())
    }
}

/// The span that `limit` and `cursor` ask for.
pub(crate) fn span(limit: Option<&str>, cursor: Option<&str>) -> Result<Span, Problem> {
    let count_max = count_max(limit)?;
    let before = match cursor.map(decode) {
        None => None,
        Some(Some(before)) => Some(before),
        Some(None) => return Err(no_cursor()),
    };
    Ok(Span { before, count_max })
}

/// What is given as a cursor is none.
pub(crate) fn no_cursor() -> Problem {
    Problem::invalid("cursor", "must be a next_cursor of this list")
}

/// How many items `limit` asks for.
pub(crate) fn count_max(limit: Option<&str>) -> Result<usize, Problem> {
    match limit.map(str::parse) {
        None => Ok(PAGE_DEFAULT),
        Some(Ok(count)) if (1..=PAGE_MAX).contains(&count) => Ok(count),
        Some(Ok(_) | Err(_)) => {
            Err(Problem::invalid("limit", format!("must be a number from 1 to {PAGE_MAX}")))
        }
    }
}

impl<Item> List<Item> {
    /// The page, each item rendered; `id` is what the list is sorted by.
    pub(crate) fn of<Record>(
        page: Page<Record>,
        id: impl Fn(&Record) -> UuidBytes,
        render: impl FnMut(Record) -> Item,
    ) -> List<Item> {
        let last = page.items.last().filter(|_| page.has_more).map(id);
        List {
            has_more: page.has_more,
            next_cursor: last.map(|id| cursor(&id)),
            data: page.items.into_iter().map(render).collect(),
        }
    }
}

/// The cursor that names the place behind an item.
pub(crate) fn cursor(place: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

/// The place that a cursor names.
pub(crate) fn cursor_bytes(cursor: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(cursor).ok()
}

fn decode(cursor: &str) -> Option<UuidBytes> {
    cursor_bytes(cursor)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_cursor_is_read_or_refused(text in any::<String>(), limit in any::<String>()) {
            if let Ok(span) = span(None, Some(&text)) {
                prop_assert_eq!(span.before.map(|before| cursor(&before)), Some(text));
            }
            if let Ok(count) = count_max(Some(&limit)) {
                prop_assert!((1..=PAGE_MAX).contains(&count));
            }
        }

        #[test]
        fn a_cursor_names_the_place_that_it_was_made_of(place in any::<UuidBytes>()) {
            let span = span(None, Some(&cursor(&place))).map(|span| span.before);
            prop_assert_eq!(span.ok(), Some(Some(place)));
        }
    }
}
