//! The history: what clients sent, what they were told, and when.
//!
//! Owns no judgement: an answer is kept as it came, and one that never came is kept too.

use std::fmt;
use std::time::Instant;

use super::credits::Credits;

/// A moment of the run, in nanoseconds since its beginning. Moments that are equal are in no order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// After everything else.
    pub(crate) const NEVER: Moment = Moment(u64::MAX);
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06} ms", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// The one clock of all clients, monotonic, so that what it says of two clients can be compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock(Instant::now())
    }

    pub(crate) fn now(self) -> Moment {
        Moment(u64::try_from(self.0.elapsed().as_nanos()).expect("a run ends within five centuries"))
    }
}

/// Everything that clients know of a run. Accounts are numbered.
#[derive(Clone, Default, Debug)]
pub(crate) struct History {
    pub(crate) operations: Vec<Operation>,
    pub(crate) reads: Vec<Read>,
    /// Answers to reads that were neither a balance nor "try again".
    pub(crate) strange: Vec<String>,
}

impl History {
    pub(crate) fn add(&mut self, other: History) {
        self.operations.extend(other.operations);
        self.reads.extend(other.reads);
        self.strange.extend(other.strange);
    }
}

/// Something that was to be done once, and every try of it under its idempotency key.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// The idempotency key: no two operations of an account share one.
    pub(crate) name: String,
    pub(crate) account: usize,
    pub(crate) request: Request,
    pub(crate) tries: Vec<Try>,
}

impl Operation {
    pub(crate) fn is_answered(&self) -> bool {
        self.tries.iter().any(|one| one.answer.is_some())
    }
}

/// What was to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Request {
    Grant {
        credits: Credits,
    },
    Charge {
        credits: Credits,
        payer: Payer,
    },
    Hold {
        credits: Credits,
        payer: Payer,
    },
    Capture {
        hold: String,
        credits: Credits,
        is_final: bool,
    },
    Release {
        hold: String,
    },
    /// All that is left of the charge, where no credits are given.
    Refund {
        charge: String,
        credits: Option<Credits>,
    },
}

/// How a request says whose credits it spends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Payer {
    Account,
    CustomersKey,
}

/// One sending of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Try {
    pub(crate) invoked: Moment,
    /// `None` where the answer was lost, or said that nobody knows: the operation may have been carried out, and
    /// may yet be.
    pub(crate) answer: Option<Told>,
}

/// An answer as it came.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at: Moment,
    pub(crate) status: u16,
    pub(crate) replayed: bool,
    pub(crate) text: String,
}

/// A balance as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) account: usize,
    pub(crate) invoked: Moment,
    pub(crate) answered: Moment,
    pub(crate) seen: Seen,
}

/// What a read shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// By a customer's key: what is available, and nothing else.
    ByCustomer { available: Credits },
    /// By an operator: with the number of the last entry.
    ByOperator { available: Credits, held: Credits, seq: u64 },
}
