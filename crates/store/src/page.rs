//! Pages of lists that are read newest first.

use coffer_ledger::UuidBytes;

/// Which stretch of a list to read: ids sort by time, so the place to go on is the last id seen.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Only what is older than the object with this id.
    pub before: Option<UuidBytes>,
    /// How many at most.
    pub count_max: usize,
}

impl Span {
    pub(crate) const fn before_or_end(&self) -> UuidBytes {
        match self.before {
            Some(before) => before,
            None => [0xff; 16],
        }
    }
}

/// A stretch of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<Item> {
    /// Newest first.
    pub items: Vec<Item>,
    /// Whether the list goes on after them.
    pub has_more: bool,
}

impl<Item> Page<Item> {
    /// The page made of up to one item more than it shows.
    pub(crate) fn of(items: Vec<Item>, span: Span) -> Page<Item> {
        Page::of_up_to(items, span.count_max)
    }

    /// The same, where no span says how many it shows.
    pub(crate) fn of_up_to(mut items: Vec<Item>, count_max: usize) -> Page<Item> {
        let has_more = items.len() > count_max;
        items.truncate(count_max);
        Page { items, has_more }
    }

    /// The page with each item turned into something else.
    pub fn map<Other>(self, change: impl FnMut(Item) -> Other) -> Page<Other> {
        Page { items: self.items.into_iter().map(change).collect(), has_more: self.has_more }
    }
}
