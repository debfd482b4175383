//! What was read a moment ago and need not be read again: prices and operators' keys.
//!
//! Another node may change them at any time, so nothing is believed for longer than a second; what this node changes is
//! forgotten at once. Where the database cannot be asked, nothing older is told instead.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The contract says that a revoked key is dead everywhere within 2 s; a read may take some of that.
const BELIEVED: Duration = Duration::from_secs(1);
/// More than this are not kept.
const KEPT_MAX: usize = 10_000;

/// Values by their names, each with when it was asked for.
#[derive(Debug)]
pub(super) struct Recent<Name, Value> {
    kept: Mutex<Kept<Name, Value>>,
}

#[derive(Debug)]
struct Kept<Name, Value> {
    values: HashMap<Name, (Instant, Value)>,
    /// How often something was forgotten: what was asked for before that is not kept afterwards.
    forgotten: u64,
}

/// The moment at which something is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    at: Instant,
    forgotten: u64,
}

impl<Name: Eq + Hash, Value: Clone> Recent<Name, Value> {
    pub(super) fn new() -> Recent<Name, Value> {
        Recent { kept: Mutex::new(Kept { values: HashMap::new(), forgotten: 0 }) }
    }

    /// What was asked for less than a second ago.
    pub(super) fn get(&self, name: &Name) -> Option<Value> {
        let kept = self.kept.lock().expect("no thread panics while it holds what is kept");
        kept.values.get(name).filter(|(at, _)| at.elapsed() < BELIEVED).map(|(_, value)| value.clone())
    }

    /// To be called before the database is asked.
    pub(super) fn ask(&self) -> Asked {
        let kept = self.kept.lock().expect("no thread panics while it holds what is kept");
        Asked { at: Instant::now(), forgotten: kept.forgotten }
    }

    /// Keeps what the database has answered.
    pub(super) fn keep(&self, asked: Asked, name: Name, value: Value) {
        let mut kept = self.kept.lock().expect("no thread panics while it holds what is kept");
        if asked.forgotten != kept.forgotten {
            return;
        }
        if kept.values.len() >= KEPT_MAX {
            kept.values.clear();
        }
        kept.values.insert(name, (asked.at, value));
    }

    /// Forgets everything: something has changed.
    pub(super) fn forget(&self) {
        let mut kept = self.kept.lock().expect("no thread panics while it holds what is kept");
        kept.values.clear();
        kept.forgotten += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_before_a_change_is_not_kept_after_it() {
        let recent = Recent::new();
        let asked = recent.ask();
        recent.keep(asked, "a", 1);
        assert_eq!(recent.get(&"a"), Some(1));
        let late = recent.ask();
        recent.forget();
        assert_eq!(recent.get(&"a"), None);
        recent.keep(late, "a", 1);
        assert_eq!(recent.get(&"a"), None, "it was asked for before the change");
        recent.keep(recent.ask(), "a", 2);
        assert_eq!(recent.get(&"a"), Some(2));
    }

    #[test]
    fn nothing_is_believed_for_long() {
        let recent = Recent::new();
        let Asked { at, forgotten } = recent.ask();
        let before = at.checked_sub(BELIEVED).expect("the machine has run for a second");
        recent.keep(Asked { at: before, forgotten }, "a", 1);
        assert_eq!(recent.get(&"a"), None);
    }
}
