//! What is true of every account after every command. Checked in release builds too: a broken ledger stops,
//! it does not guess.

use std::collections::BTreeSet;

use crate::{Account, Credits, GrantId, Lot};

/// Panics where the account's books do not add up.
pub(crate) fn assert_sound(account: &Account) {
    let millionths = |credits: Credits| i128::from(credits.millionths());
    let Account { balance, debt, totals, .. } = account;

    let remaining: i128 = account.started_lots().map(|lot| millionths(lot.remaining)).sum();
    assert!(
        remaining - millionths(*debt) == millionths(balance.available),
        "{}: the lots do not add up to what is available",
        account.id
    );
    assert!(!debt.is_negative(), "{}: a debt below zero", account.id);

    let put_in = millionths(totals.granted) + millionths(totals.adjusted) + millionths(totals.refunded);
    let there = millionths(balance.available) + millionths(balance.held);
    let gone = millionths(totals.spent) + millionths(totals.expired) + millionths(totals.voided);
    assert!(put_in == there + gone, "{}: credits were made or lost", account.id);

    assert!(
        account.balance.available.checked_add(balance.held).is_some(),
        "{}: what is posted is out of range",
        account.id
    );
    assert_holds_sound(account);

    for lot in &account.lots {
        assert!(lot_is_sound(lot), "{}: lot of {} is out of bounds", account.id, lot.grant_id);
    }
    let ids: BTreeSet<GrantId> = account.lots.iter().map(|lot| lot.grant_id).collect();
    assert!(ids.len() == account.lots.len(), "{}: two lots of one grant", account.id);
    assert!(
        account.lots.is_sorted_by(|a, b| a.burn_order() < b.burn_order()),
        "{}: lots are out of burn order",
        account.id
    );
}

/// Of many holds only the sum is looked at: an account may have 10,000, and each command looks.
fn assert_holds_sound(account: &Account) {
    const HOLDS_ADDED_UP_MAX: usize = 64;
    let millionths = |credits: Credits| i128::from(credits.millionths());
    let held = millionths(account.balance.held);
    let held_of_lots: i128 = account.lots.iter().map(|lot| millionths(lot.held)).sum();
    // What is held of the overdraft is held of no lot.
    assert!(0 <= held_of_lots && held_of_lots <= held, "{}: more is held of lots than is held", account.id);
    if account.holds.len() <= HOLDS_ADDED_UP_MAX {
        let left: i128 = account.holds.iter().map(|hold| millionths(hold.left())).sum();
        assert!(left == held, "{}: the holds do not add up to what is held", account.id);
    }
}

fn lot_is_sound(lot: &Lot) -> bool {
    let within = |credits: Credits| !credits.is_negative() && credits <= lot.granted;
    let sum = Credits::checked_sum([lot.remaining, lot.held, lot.expired]);
    within(lot.remaining) && within(lot.held) && within(lot.expired) && sum.is_some_and(within)
}
