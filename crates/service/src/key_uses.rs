//! When keys were last used: noted in memory on every use, written in batches, outside the money path.
//!
//! A crash forgets at most the uses since the last batch; nothing that is decided looks at them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use coffer_ledger::{KeyId, Timestamp};

/// Uses that no batch has written yet. Readers take no lock.
#[derive(Debug, Default)]
pub(crate) struct KeyUses(papaya::HashMap<KeyId, AtomicI64>);

impl KeyUses {
    /// Notes that a live key was used.
    pub(crate) fn note(&self, id: KeyId, at: Timestamp) {
        let uses = self.0.pin();
        match uses.get(&id) {
            // Reading first spares busy keys a write to a line that all threads share.
            Some(last) if last.load(Ordering::Relaxed) >= at.unix_ms() => {}
            Some(last) => drop(last.fetch_max(at.unix_ms(), Ordering::Relaxed)),
            None => drop(uses.insert(id, AtomicI64::new(at.unix_ms()))),
        }
    }

    /// When a key was last used, as far as it is not written yet.
    pub(crate) fn last(&self, id: KeyId) -> Option<Timestamp> {
        let ms = self.0.pin().get(&id)?.load(Ordering::Relaxed);
        Timestamp::from_unix_ms(ms)
    }

    /// What is to be written.
    pub(crate) fn all(&self) -> BTreeMap<KeyId, Timestamp> {
        let uses = self.0.pin();
        let noted = uses
            .iter()
            .filter_map(|(id, ms)| Some((*id, Timestamp::from_unix_ms(ms.load(Ordering::Relaxed))?)));
        noted.collect()
    }

    /// Forgets what has been written, except where a key was used again since.
    pub(crate) fn forget(&self, written: &BTreeMap<KeyId, Timestamp>) {
        let uses = self.0.pin();
        for (id, at) in written {
            let unchanged = |_: &KeyId, ms: &AtomicI64| ms.load(Ordering::Relaxed) == at.unix_ms();
            uses.remove_if(id, unchanged).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_kept_until_it_is_written() {
        let (id, uses) = (KeyId::from_bytes([1; 16]), KeyUses::default());
        let at = |ms| Timestamp::from_unix_ms(ms).expect("a time");
        uses.note(id, at(5));
        uses.note(id, at(4));
        assert_eq!(uses.last(id), Some(at(5)));
        let written = uses.all();
        uses.note(id, at(6));
        uses.forget(&written);
        assert_eq!(uses.last(id), Some(at(6)), "it was used again while it was written");
        uses.forget(&uses.all());
        assert_eq!((uses.last(id), uses.all().len()), (None, 0));
    }
}
