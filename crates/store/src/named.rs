//! Accounts by their names: a list in the order of the names, for whoever looks for one and remembers how it begins.

use coffer_ledger::{AccountId, AccountStatus, UuidBytes};

/// The last character there is: every name that begins as asked lies before the beginning with it behind.
const LAST: char = char::MAX;

/// Which accounts to look for. Letters of ASCII count alike in both cases, as the indexes of all stores have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameSearch {
    beginning: String,
    after: Option<(String, AccountId)>,
    /// Only those with this status.
    pub(crate) status: Option<AccountStatus>,
    /// How many at most.
    pub count_max: usize,
}

impl NameSearch {
    /// Accounts whose names begin so.
    #[must_use]
    pub fn new(beginning: &str, count_max: usize) -> NameSearch {
        NameSearch { beginning: beginning.to_ascii_lowercase(), after: None, status: None, count_max }
    }

    /// Only those behind this one in the order of the list.
    #[must_use]
    pub fn after(self, name: &str, id: AccountId) -> NameSearch {
        NameSearch { after: Some((name.to_ascii_lowercase(), id)), ..self }
    }

    /// Only those with this status, if any.
    #[must_use]
    pub fn of_status(self, status: Option<AccountStatus>) -> NameSearch {
        NameSearch { status, ..self }
    }

    /// What is looked for lies behind this name and id.
    pub(crate) fn lower(&self) -> (&str, UuidBytes) {
        match &self.after {
            Some((name, id)) if *name >= self.beginning => (name, id.bytes()),
            // No account has an id of zeros.
            Some(_) | None => (&self.beginning, [0; 16]),
        }
    }

    /// And before this name.
    pub(crate) fn upper(&self) -> String {
        format!("{}{LAST}", self.beginning)
    }
}
