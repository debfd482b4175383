//! When keys were last used: noted in memory on every use, written in portions, outside the money path.
//!
//! A crash forgets at most the uses that no portion has written; nothing that is decided looks at them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use coffer_ledger::{KeyId, Timestamp};

/// Uses that are not written yet, and those that were taken last: a key that is busy keeps its place, for making one
/// costs more than noting a use there. Readers take no lock.
#[derive(Debug, Default)]
pub(crate) struct KeyUses(papaya::HashMap<KeyId, Use, foldhash::fast::RandomState>);

#[derive(Debug)]
struct Use {
    last_ms: AtomicI64,
    /// The use that was taken to be written.
    taken_ms: AtomicI64,
}

impl KeyUses {
    /// Notes that a live key was used.
    pub(crate) fn note(&self, id: KeyId, at: Timestamp) {
        let uses = self.0.pin();
        match uses.get(&id) {
            Some(noted) => noted.again(at),
            None => drop(uses.insert(id, Use::first(at))),
        }
    }

    /// When a key was last used, as far as it may not be written yet.
    pub(crate) fn last(&self, id: KeyId) -> Option<Timestamp> {
        self.0.pin().get(&id)?.last()
    }

    /// Takes what is to be written, in the order of the keys' ids. Keys that were not used since the last time are forgotten.
    pub(crate) fn take(&self) -> Vec<(KeyId, Timestamp)> {
        let uses = self.0.pin();
        uses.retain(|_, noted| noted.is_to_be_written());
        let mut taken = Vec::from_iter(uses.iter().filter_map(|(id, noted)| Some((*id, noted.take()?))));
        taken.sort_unstable();
        taken
    }

    /// All of them, those that were taken before among them.
    pub(crate) fn all(&self) -> BTreeMap<KeyId, Timestamp> {
        let uses = self.0.pin();
        uses.iter().filter_map(|(id, noted)| Some((*id, noted.last()?))).collect()
    }

    /// What was taken may not have been written, and is to be taken again.
    pub(crate) fn put_back(&self) {
        let uses = self.0.pin();
        uses.values().for_each(Use::put_back);
    }
}

impl Use {
    const NEVER: i64 = i64::MIN;

    fn first(at: Timestamp) -> Use {
        Use { last_ms: AtomicI64::new(at.unix_ms()), taken_ms: AtomicI64::new(Use::NEVER) }
    }

    fn again(&self, at: Timestamp) {
        // Reading first spares busy keys a write to a line that all threads share.
        if self.last_ms.load(Ordering::Relaxed) < at.unix_ms() {
            self.last_ms.fetch_max(at.unix_ms(), Ordering::Relaxed);
        }
    }

    fn last(&self) -> Option<Timestamp> {
        Timestamp::from_unix_ms(self.last_ms.load(Ordering::Relaxed))
    }

    fn is_to_be_written(&self) -> bool {
        self.taken_ms.load(Ordering::Relaxed) < self.last_ms.load(Ordering::Relaxed)
    }

    fn take(&self) -> Option<Timestamp> {
        let ms = self.last_ms.load(Ordering::Relaxed);
        self.taken_ms.store(ms, Ordering::Relaxed);
        Timestamp::from_unix_ms(ms)
    }

    fn put_back(&self) {
        self.taken_ms.store(Use::NEVER, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).expect("a time")
    }

    #[test]
    fn a_use_is_kept_until_it_is_written() {
        let (id, uses) = (KeyId::from_bytes([1; 16]), KeyUses::default());
        uses.note(id, at(5));
        uses.note(id, at(4));
        assert_eq!(uses.last(id), Some(at(5)));
        assert_eq!(uses.take(), [(id, at(5))]);
        assert_eq!(uses.last(id), Some(at(5)), "it may not be written yet");
        uses.note(id, at(6));
        assert_eq!(uses.take(), [(id, at(6))], "it was used again while it was written");
        assert_eq!(uses.all(), BTreeMap::from([(id, at(6))]), "it may have been taken and not written");
        assert_eq!((uses.take().len(), uses.last(id)), (0, None), "it was not used since");
    }

    #[test]
    fn what_could_not_be_written_is_taken_again() {
        let (id, uses) = (KeyId::from_bytes([1; 16]), KeyUses::default());
        uses.note(id, at(5));
        uses.take();
        uses.put_back();
        assert_eq!(uses.take(), [(id, at(5))]);
    }
}
