//! The moment at which a command is made: what sizes, times and costs come to then.

use coffer_ledger::{
    Account, AccountId, Cost, Credits, KeyLimit, Operation, Period, Quantity, RESERVED_OPERATION, Timestamp,
    limits,
};

use crate::account::{Amount, amount};
use crate::step::{CostOf, Size, Span, When};

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The moment at which a command is made: the time, and the accounts as they are seen then.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) clock: Timestamp,
    pub(super) accounts: &'a [Account],
}

impl Moment<'_> {
    pub(super) fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// So many credits: more than none.
    pub(super) fn credits(&self, size: Size, id: AccountId) -> Credits {
        let account = self.account(id);
        let available = account.map_or(0, |account| amount(account.balance.available));
        let overdraft = account.map_or(0, |account| amount(account.overdraft_limit));
        positive(match size {
            Size::Whole(whole) => Amount::from(whole) * 1_000_000,
            Size::Millionths(millionths) => Amount::from(millionths),
            Size::Available { nudge } => available + Amount::from(nudge),
            Size::Spendable { nudge } => available + overdraft + Amount::from(nudge),
            Size::Hundredths { of_max, nudge } => {
                amount(Credits::MAX) / 100 * Amount::from(of_max) + Amount::from(nudge)
            }
        })
    }

    pub(super) fn cost(&self, cost: CostOf, id: AccountId) -> Cost {
        match cost {
            CostOf::Nothing => Cost::Credits(Credits::ZERO),
            CostOf::Credits(size) => Cost::Credits(self.credits(size, id)),
            CostOf::Operation { operation, quantity_millionths } => Cost::Operation {
                operation: named_operation(operation),
                quantity: quantity(quantity_millionths),
            },
        }
    }

    pub(super) fn limit(&self, (size, period): (Size, Period), id: AccountId) -> KeyLimit {
        KeyLimit { credits: self.credits(size, id), period }
    }

    pub(super) fn time(&self, when: When, id: AccountId) -> Timestamp {
        let now = self.clock.unix_ms();
        let at = match when {
            When::Now => now,
            When::Ago { milliseconds } => now - i64::from(milliseconds),
            When::In { milliseconds } => now + i64::from(milliseconds),
            When::FullHour { hours } => (now / HOUR_MS + i64::from(hours)) * HOUR_MS,
            When::Midnight { days } => (now / DAY_MS + i64::from(days)) * DAY_MS,
            When::WhenDue { pick } => {
                let due = self.account(id).map_or_else(Vec::new, due_times);
                let at = (!due.is_empty()).then(|| due[usize::from(pick) % due.len()]);
                at.map_or(now + HOUR_MS, Timestamp::unix_ms)
            }
        };
        Timestamp::from_unix_ms(at).expect("histories keep between 1970 and 9999")
    }

    /// How long a hold lasts: something, and no more than it may.
    pub(super) fn span_ms(&self, span: Span, id: AccountId) -> u32 {
        let most = i64::from(limits::HOLD_MS_MAX);
        let milliseconds = match span {
            Span::Milliseconds(milliseconds) => i64::from(milliseconds),
            Span::Until(when) => {
                let last_at = self.account(id).map_or(self.clock, |account| account.last_at);
                self.time(when, id).unix_ms() - self.clock.max(last_at).unix_ms()
            }
        };
        u32::try_from(milliseconds.clamp(1, most)).expect("no more than the longest hold")
    }
}

/// When something of an account falls due, soonest first.
fn due_times(account: &Account) -> Vec<Timestamp> {
    let starts = account.lots.iter().filter(|lot| !lot.started).map(|lot| lot.effective_at);
    let expiries = account.lots.iter().filter_map(|lot| lot.expires_at);
    let lapses = account.holds.iter().map(|hold| hold.expires_at);
    let mut due: Vec<Timestamp> = starts.chain(expiries).chain(lapses).collect();
    due.sort_unstable();
    due
}

pub(super) fn positive(amount: Amount) -> Credits {
    let within = amount.clamp(1, crate::account::amount(Credits::MAX));
    crate::account::credits(within)
}

pub(super) fn share(of: Amount, hundredths: u8) -> Credits {
    positive(of * Amount::from(hundredths) / 100)
}

pub(super) fn quantity(millionths: u32) -> Quantity {
    Quantity::new(positive(Amount::from(millionths))).expect("more than nothing")
}

pub(super) fn named_operation(number: u8) -> Operation {
    let name = match number {
        4 => RESERVED_OPERATION.to_owned(),
        other => format!("operation {other}"),
    };
    Operation::try_from(name).expect("a short name")
}
