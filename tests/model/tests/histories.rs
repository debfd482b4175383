//! Histories that random ones found, or would hardly ever find.

mod walks;

use coffer_ledger::{Category, Excess, limits};
use coffer_model::{Act, CostOf, Jump, Mix, Payer, Portion, Size, Span, Step};
use walks::{in_memory, in_postgres, in_sqlite};

/// A capture may draw on the overdraft twice: through its hold, and beyond it. Where the debt has been paid since, all
/// of it comes back into one paid lot. The ledger once made two of one id, and the embedded store stopped over it.
#[test]
fn what_was_drawn_twice_from_the_overdraft_comes_back_into_one_lot() {
    check(&[
        one(hold(CostOf::Credits(Size::Whole(3)))),
        one(capture(Portion::Credits(Size::Whole(5)), Excess::Charge)),
        one(grant(Size::Whole(8))),
        one(Act::Refund { charge: 0, stranger: false, portion: Portion::Share { hundredths: 70 }, days: 30 }),
        one(Act::Refund { charge: 0, stranger: false, portion: Portion::All, days: 30 }),
        one(charge(Size::Available { nudge: 0 })),
    ]);
}

/// Two may rotate a key at once, and share a commit: the secret between the two lives on for its overlap.
#[test]
fn a_secret_that_was_made_and_retired_in_one_batch_lives_on() {
    let rotate = Act::RotateKey { key: 0, overlap_ms: 60_000, secret: None };
    check(&[Step::Batch(vec![rotate.clone(), rotate])]);
}

/// A batch that changes prices reads them under their lock. The one that every catalogue has is in no table, and the shared store
/// once did not know it in such a batch.
#[test]
fn the_operation_that_is_always_free_is_known_beside_a_change_of_prices() {
    let free = CostOf::Operation { operation: 4, quantity_millionths: 1_000_000 };
    check(&[Step::Batch(vec![Act::PutPrice { operation: 0, parts: 0 }, hold(free)])]);
}

#[test]
fn an_account_has_so_many_open_grants_and_no_more() {
    let grants = vec![grant(Size::Whole(1)); limits::GRANTS_OPEN_MAX + 1];
    let is_negative = false;
    let adjust = Act::Adjust { account: 0, credits: Size::Whole(1), is_negative, allow_negative: false };
    check(&[
        Step::Batch(grants),
        one(adjust.clone()),
        one(charge(Size::Whole(1))),
        one(adjust),
        one(grant(Size::Whole(1))),
    ]);
}

#[test]
fn a_key_has_so_many_secrets_that_live_on_and_no_more() {
    let rotate = |overlap_ms| Act::RotateKey { key: 0, overlap_ms, secret: None };
    check(&[
        Step::Batch(vec![rotate(60_000); limits::SECRETS_RETIRED_MAX + 1]),
        Step::Batch(vec![rotate(0), rotate(0), rotate(1)]),
        Step::Jump(Jump::Milliseconds(60_000)),
        one(rotate(1)),
    ]);
}

/// In memory only: the model sums over ten thousand holds ten thousand times, and once is enough.
#[test]
fn an_account_has_so_many_open_holds_and_no_more() {
    let free = CostOf::Operation { operation: 4, quantity_millionths: 1 };
    let steps = [
        Step::Batch(vec![hold(free); limits::HOLDS_OPEN_MAX + 1]),
        one(Act::Release { hold: 0, stranger: false }),
        one(hold(CostOf::Credits(Size::Whole(1)))),
        one(hold(free)),
    ];
    in_memory(Mix::Small, &steps).unwrap_or_else(|mismatch| panic!("{mismatch}"));
}

fn check(steps: &[Step]) {
    in_memory(Mix::Small, steps).unwrap_or_else(|mismatch| panic!("in memory {mismatch}"));
    in_sqlite(steps).unwrap_or_else(|mismatch| panic!("in the embedded store {mismatch}"));
    in_postgres(steps).unwrap_or_else(|mismatch| panic!("in PostgreSQL {mismatch}"));
}

fn one(act: Act) -> Step {
    Step::Batch(vec![act])
}

fn grant(credits: Size) -> Act {
    Act::Grant {
        account: 0,
        credits,
        category: Category::Paid,
        priority: 50,
        effective_at: None,
        expires_at: None,
        reference: None,
    }
}

fn charge(credits: Size) -> Act {
    Act::Charge { payer: Payer::Account(0), cost: CostOf::Credits(credits), reference: None }
}

fn hold(cost: CostOf) -> Act {
    Act::Hold { payer: Payer::Account(0), cost, lasts: Span::Milliseconds(900_000), reference: None }
}

fn capture(portion: Portion, excess: Excess) -> Act {
    Act::Capture { hold: 0, stranger: false, portion, is_final: true, excess }
}
