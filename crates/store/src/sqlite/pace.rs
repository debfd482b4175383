//! How much is done at a time of what follows from the journal.

/// How much is done at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pace {
    /// What a batch of so many entries asks for: as much as it adds, so that nothing piles up and no batch waits for what
    /// others have left behind.
    After { entries: usize },
    /// More, because there is nothing else to do.
    Idle,
}
