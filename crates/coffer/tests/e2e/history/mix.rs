//! What clients do, and how often: the one place where operations are listed.

/// Whether the server serves holds, refunds and entries. Without them the mix has none, and there is no journal to
/// compare with: the answers are compared with each other, and their sum with the balance.
pub(crate) const WHOLE_API: bool = false;

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
pub(crate) fn mix() -> Vec<(Action, u32)> {
    let whole = [
        (Action::Grant, 16),
        (Action::Charge, 34),
        (Action::Hold, 12),
        (Action::Capture, 8),
        (Action::Release, 5),
        (Action::Refund, 8),
        (Action::ReadAsCustomer, 10),
        (Action::ReadAsOperator, 7),
    ];
    whole.into_iter().filter(|(action, _)| WHOLE_API || action.is_served()).collect()
}

impl Action {
    fn is_served(self) -> bool {
        match self {
            Action::Grant | Action::Charge | Action::ReadAsCustomer | Action::ReadAsOperator => true,
            Action::Hold | Action::Capture | Action::Release | Action::Refund => false,
        }
    }
}
