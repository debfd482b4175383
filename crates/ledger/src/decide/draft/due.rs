//! What falls due on an account, and in which order.

use super::Draft;
use crate::{GrantId, HoldId, Lot, Note, Timestamp};

impl Draft {
    /// Settles what has fallen due by the time of the command, up to so many events.
    pub(super) fn settle_due(&mut self, events_max: usize) {
        for _ in 0..events_max {
            let Some(due) = self.first_due() else { return };
            match due.event {
                Event::Start(lot) => self.start_lot(lot, due.at, Note::default(), None),
                Event::Lapse(hold) => self.lapse_hold(hold, due.at),
                Event::Expiry(lot) => self.expire_lot(lot, due.at),
            }
        }
    }

    /// What falls due first, up to the time of the command. At one instant starts go before the ends of holds,
    /// and those before expiries; among equals the older goes first.
    fn first_due(&self) -> Option<Due> {
        let of_lot = |lot: &Lot| {
            let event = if lot.started { Event::Expiry(lot.grant_id) } else { Event::Start(lot.grant_id) };
            Some(Due { at: lot.next_due()?, event, order: u64::from(lot.order) })
        };
        let lots = self.account.lots.iter().filter_map(of_lot);
        let hold = self.account.holds.next_to_expire();
        let hold =
            hold.map(|hold| Due { at: hold.expires_at, event: Event::Lapse(hold.id), order: hold.seq.0 });
        lots.chain(hold)
            .filter(|due| due.at <= self.at)
            .min_by_key(|due| (due.at, due.event.rank(), due.order))
    }
}

/// Something that falls due on an account.
struct Due {
    at: Timestamp,
    event: Event,
    order: u64,
}

enum Event {
    Start(GrantId),
    Lapse(HoldId),
    Expiry(GrantId),
}

impl Event {
    /// The order in which events of one instant are settled.
    const fn rank(&self) -> u8 {
        match self {
            Event::Start(_) => 0,
            Event::Lapse(_) => 1,
            Event::Expiry(_) => 2,
        }
    }
}
