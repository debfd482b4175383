//! What the checker can find wrong, by name.

use std::fmt;

/// Something that no correct server does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Anomaly {
    pub(crate) fault: Fault,
    pub(crate) what: String,
}

/// The kinds of anomalies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fault {
    AcknowledgedAndLost,
    CarriedOutTwice,
    AskedForByNobody,
    EntryIsNotTheAnswer,
    AnswerChanged,
    ReplayIsNotMarked,
    ReadOfThePast,
    ReadFromTheFuture,
    ReadOfNoState,
    FalseRefusal,
    AgainstTheOrderOfTime,
    JournalIsBroken,
    StrangeAnswer,
}

impl Anomaly {
    pub(super) fn new(fault: Fault, what: impl Into<String>) -> Anomaly {
        Anomaly { fault, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::AcknowledgedAndLost => "acknowledged, and in no entry",
            Fault::CarriedOutTwice => "carried out twice",
            Fault::AskedForByNobody => "an entry that nobody asked for",
            Fault::EntryIsNotTheAnswer => "the entry is not what was answered",
            Fault::AnswerChanged => "the answer to one request changed",
            Fault::ReplayIsNotMarked => "a replay that is not marked as one, or a first answer that is",
            Fault::ReadOfThePast => "a read of the past",
            Fault::ReadFromTheFuture => "a read from the future",
            Fault::ReadOfNoState => "a read of what never was",
            Fault::FalseRefusal => "a refusal that was true at no moment of its window",
            Fault::AgainstTheOrderOfTime => "entries against the order of time",
            Fault::JournalIsBroken => "the journal does not add up",
            Fault::StrangeAnswer => "an answer that no rule knows",
        })
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fault, self.what)
    }
}
