//! Forms that make something which has no name of its own to be known again by: each is carried out once.

use std::collections::VecDeque;
use std::sync::Mutex;

use rand::RngExt as _;

/// Forms that are remembered; with more, the oldest is forgotten.
const FORMS_REMEMBERED_MAX: usize = 10_000;

/// The names of the latest forms that were sent. It is the process's own memory: it is against a second press of a button,
/// which comes at once and to the same node, and not a promise.
#[derive(Debug, Default)]
pub(crate) struct Once {
    sent: Mutex<VecDeque<String>>,
}

impl Once {
    /// Whether a form of this name is sent for the first time.
    pub(crate) fn is_first(&self, name: &str) -> bool {
        let mut sent = self.sent.lock().expect("no thread panics while it holds the names");
        if sent.iter().any(|known| known == name) {
            return false;
        }
        if sent.len() == FORMS_REMEMBERED_MAX {
            sent.pop_front();
        }
        sent.push_back(name.to_owned());
        true
    }

    /// Lets a form of this name be sent again: nothing was done.
    pub(crate) fn forget(&self, name: &str) {
        let mut sent = self.sent.lock().expect("no thread panics while it holds the names");
        sent.retain(|known| known != name);
    }
}

/// A name for a form, which no other has.
pub(crate) fn name() -> String {
    let number: u128 = rand::rng().random();
    format!("form-{number:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_first_once() {
        let once = Once::default();
        assert!(once.is_first("a"));
        assert!(!once.is_first("a"));
        assert!(once.is_first("b"));
        once.forget("a");
        assert!(once.is_first("a"));
        assert_ne!(name(), name());
    }
}
