//! What clients do, and how often: the one place where operations are listed.

/// Something that a client does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Action {
    Grant,
    Charge,
    Hold,
    Capture,
    Release,
    Refund,
    ReadAsCustomer,
    ReadAsOperator,
}

/// Every action with its share. Somewhat more is spent than granted, so that accounts are nearly always nearly empty:
/// there clients get in each other's way.
pub(crate) const MIX: [(Action, u32); 8] = [
    (Action::Grant, 16),
    (Action::Charge, 34),
    (Action::Hold, 12),
    (Action::Capture, 8),
    (Action::Release, 5),
    (Action::Refund, 8),
    (Action::ReadAsCustomer, 10),
    (Action::ReadAsOperator, 7),
];
