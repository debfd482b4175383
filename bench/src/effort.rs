//! How much is measured: usual, quickly to see that everything works, or in full.

/// How much is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Rounds and ledgers far too small to mean anything.
    pub(crate) is_quick: bool,
    /// What takes long, too.
    pub(crate) is_full: bool,
}

impl Effort {
    /// The one number or, in a quick run, the other.
    pub(crate) fn or_quick<T>(self, usual: T, quick: T) -> T {
        if self.is_quick { quick } else { usual }
    }

    pub(crate) fn round_seconds(self) -> u64 {
        self.or_quick(4, 1)
    }

    pub(crate) fn warm_up_seconds(self) -> u64 {
        self.or_quick(2, 1)
    }

    /// How long something is tried to find out what is best.
    pub(crate) fn try_seconds(self) -> u64 {
        self.or_quick(3, 1)
    }

    /// How many rounds count.
    pub(crate) fn rounds(self) -> usize {
        self.or_quick(5, 2)
    }

    /// How many more rounds may be measured where some were disturbed. If there are too few calm ones then, the least
    /// disturbed ones count.
    pub(crate) fn rounds_again(self) -> usize {
        self.or_quick(3, 0)
    }

    /// How many accounts are charged.
    pub(crate) fn accounts(self) -> usize {
        self.or_quick(100_000, 2_000)
    }
}
