//! How often what happens in a random history.

use coffer_ledger::{AccountStatus, Category, Excess, Period};
use proptest::collection::{SizeRange, vec};
use proptest::option;
use proptest::prelude::*;

use super::{Act, Change, CostOf, Jump, Mix, Payer, Pick, Portion, Size, Span, Step, When};

const HOUR_MS: u32 = 60 * 60 * 1000;
const DAY_MS: u32 = 24 * HOUR_MS;

/// A history of so many steps.
pub fn history(mix: Mix, steps: impl Into<SizeRange>) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => jump().prop_map(Step::Jump),
        8 => act(mix).prop_map(|act| Step::Batch(vec![act])),
        1 => vec(act(mix), 1..6).prop_map(Step::Batch),
    ];
    vec(step, steps)
}

fn jump() -> impl Strategy<Value = Jump> {
    prop_oneof![
        6 => (0..5_000_u32).prop_map(Jump::Milliseconds),
        4 => (1..24_u8).prop_map(Jump::Hours),
        1 => (1..40_u8).prop_map(Jump::Days),
        5 => nudge().prop_map(|nudge| Jump::ToMidnight { nudge }),
        1 => nudge().prop_map(|nudge| Jump::ToMonday { nudge }),
        1 => nudge().prop_map(|nudge| Jump::ToMonth { nudge }),
        5 => (account(), nudge()).prop_map(|(account, nudge)| Jump::ToDue { account, nudge }),
        2 => prop_oneof![1..5_000_u32, 1..2 * DAY_MS]
            .prop_map(|milliseconds| Jump::Back { milliseconds }),
    ]
}

fn nudge() -> impl Strategy<Value = i8> {
    prop_oneof![4 => Just(0_i8), 1 => Just(1_i8), 1 => Just(-1_i8)]
}

/// Mostly one of the newest.
fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![3 => 0..4_u16, 2 => 0..20_u16, 1 => 0..1_000_u16]
}

/// Mostly the same account, for what happens to different ones does not meet.
fn account() -> impl Strategy<Value = Pick> {
    prop_oneof![4 => Just(0_u16), 1 => 0..4_u16]
}

fn seldom() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.03)
}

fn size(mix: Mix) -> BoxedStrategy<Size> {
    let small = prop_oneof![
        6 => (1..40_u16).prop_map(Size::Whole),
        3 => (1..30_000_000_u32).prop_map(Size::Millionths),
        2 => nudge().prop_map(|nudge| Size::Available { nudge }),
        2 => nudge().prop_map(|nudge| Size::Spendable { nudge }),
    ];
    match mix {
        Mix::Small => small.boxed(),
        Mix::Huge => {
            let huge = (1..=100_u8, nudge()).prop_map(|(of_max, nudge)| Size::Hundredths { of_max, nudge });
            prop_oneof![2 => small, 5 => huge].boxed()
        }
    }
}

fn future() -> impl Strategy<Value = When> {
    prop_oneof![
        2 => (1..2 * DAY_MS).prop_map(|milliseconds| When::In { milliseconds }),
        4 => (1..120_u8).prop_map(|hours| When::FullHour { hours }),
        2 => (1..40_u8).prop_map(|days| When::Midnight { days }),
        3 => pick().prop_map(|pick| When::WhenDue { pick }),
    ]
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        20 => future(),
        1 => Just(When::Now),
        1 => (0..DAY_MS).prop_map(|milliseconds| When::Ago { milliseconds }),
    ]
}

fn cost(mix: Mix) -> impl Strategy<Value = CostOf> {
    let quantity = prop_oneof![Just(1_000_000_u32), 1..9_000_000_u32];
    prop_oneof![
        1 => Just(CostOf::Nothing),
        20 => size(mix).prop_map(CostOf::Credits),
        10 => (0..5_u8, quantity).prop_map(|(operation, quantity_millionths)| {
            CostOf::Operation { operation, quantity_millionths }
        }),
    ]
}

fn payer() -> impl Strategy<Value = Payer> {
    let secret = prop_oneof![6 => Just(0_u16), 1 => 0..4_u16];
    prop_oneof![
        10 => account().prop_map(Payer::Account),
        8 => (pick(), secret).prop_map(|(key, secret)| Payer::Key { key, secret }),
        1 => (account(), pick()).prop_map(|(account, key)| Payer::StrangeKey { account, key }),
    ]
}

fn portion(mix: Mix, hundredths_max: u8) -> impl Strategy<Value = Portion> {
    prop_oneof![
        2 => Just(Portion::All),
        1 => Just(Portion::Nothing),
        3 => nudge().prop_map(|nudge| Portion::Left { nudge }),
        6 => (1..=hundredths_max).prop_map(|hundredths| Portion::Share { hundredths }),
        4 => size(mix).prop_map(Portion::Credits),
        2 => (1..9_000_000_u32).prop_map(|millionths| Portion::Quantity { millionths }),
    ]
}

fn reference() -> impl Strategy<Value = Option<u8>> {
    option::weighted(0.2, any::<u8>())
}

fn limit(mix: Mix) -> impl Strategy<Value = (Size, Period)> {
    let period = prop_oneof![
        3 => Just(Period::Day),
        2 => Just(Period::Week),
        2 => Just(Period::Month),
        1 => Just(Period::Total),
    ];
    (size(mix), period)
}

fn act(mix: Mix) -> impl Strategy<Value = Act> {
    prop_oneof![
        14 => grant(mix),
        5 => (pick(), seldom()).prop_map(|(grant, stranger)| Act::VoidGrant { grant, stranger }),
        4 => adjust(mix),
        20 => (payer(), cost(mix), reference())
            .prop_map(|(payer, cost, reference)| Act::Charge { payer, cost, reference }),
        12 => refund(mix),
        18 => hold(mix),
        12 => capture(mix),
        3 => (pick(), seldom()).prop_map(|(hold, stranger)| Act::Release { hold, stranger }),
        3 => account().prop_map(|account| Act::Settle { account }),
        3 => update_account(mix),
        1 => (option::weighted(0.5, 0..3_u8), size(mix))
            .prop_map(|(external_id, overdraft_limit)| Act::CreateAccount { external_id, overdraft_limit }),
        8 => key(mix),
        4 => price(),
        9 => (pick(), change()).prop_map(|(sent, change)| Act::Retry { sent, change }),
    ]
}

fn grant(mix: Mix) -> impl Strategy<Value = Act> {
    let category = prop_oneof![Just(Category::Paid), Just(Category::Promotional)];
    let priority = prop_oneof![5 => Just(50_u8), 2 => 48..53_u8, 1 => 0..=100_u8];
    let times = (option::weighted(0.3, when()), option::weighted(0.6, when()));
    (account(), size(mix), category, priority, times, reference()).prop_map(
        |(account, credits, category, priority, (effective_at, expires_at), reference)| Act::Grant {
            account,
            credits,
            category,
            priority,
            effective_at,
            expires_at,
            reference,
        },
    )
}

fn adjust(mix: Mix) -> impl Strategy<Value = Act> {
    (account(), size(mix), any::<bool>(), any::<bool>()).prop_map(
        |(account, credits, is_negative, allow_negative)| Act::Adjust {
            account,
            credits,
            is_negative,
            allow_negative,
        },
    )
}

fn refund(mix: Mix) -> impl Strategy<Value = Act> {
    let days = prop_oneof![4 => Just(30_u8), 1 => 1..3_u8];
    (pick(), seldom(), portion(mix, 100), days).prop_map(|(charge, stranger, portion, days)| Act::Refund {
        charge,
        stranger,
        portion,
        days,
    })
}

fn hold(mix: Mix) -> impl Strategy<Value = Act> {
    let lasts = prop_oneof![
        2 => Just(Span::Milliseconds(15 * 60 * 1000)),
        4 => (1..7 * DAY_MS).prop_map(Span::Milliseconds),
        8 => future().prop_map(Span::Until),
    ];
    (payer(), cost(mix), lasts, reference()).prop_map(|(payer, cost, lasts, reference)| Act::Hold {
        payer,
        cost,
        lasts,
        reference,
    })
}

fn capture(mix: Mix) -> impl Strategy<Value = Act> {
    let excess = prop_oneof![
        2 => Just(Excess::Refuse),
        2 => Just(Excess::Charge),
        1 => Just(Excess::Force),
    ];
    (pick(), seldom(), portion(mix, 220), any::<bool>(), excess).prop_map(
        |(hold, stranger, portion, is_final, excess)| Act::Capture {
            hold,
            stranger,
            portion,
            is_final,
            excess,
        },
    )
}

fn update_account(mix: Mix) -> impl Strategy<Value = Act> {
    let status = prop_oneof![
        4 => Just(None),
        8 => Just(Some(AccountStatus::Active)),
        2 => Just(Some(AccountStatus::Frozen)),
        1 => Just(Some(AccountStatus::Closed)),
    ];
    (account(), status, option::weighted(0.5, size(mix))).prop_map(|(account, status, overdraft_limit)| {
        Act::UpdateAccount { account, status, overdraft_limit }
    })
}

fn key(mix: Mix) -> impl Strategy<Value = Act> {
    let taken = || option::weighted(0.05, pick());
    let create =
        (account(), option::weighted(0.7, limit(mix)), option::weighted(0.1, when()), taken()).prop_map(
            |(account, limit, expires_at, secret)| Act::CreateKey { account, limit, expires_at, secret },
        );
    let limits = option::weighted(0.6, option::weighted(0.8, limit(mix)));
    let expiries = option::weighted(0.1, option::weighted(0.5, when()));
    let update = (pick(), limits, expiries, option::weighted(0.3, prop::bool::weighted(0.3)))
        .prop_map(|(key, limit, expires_at, disabled)| Act::UpdateKey { key, limit, expires_at, disabled });
    let overlap_ms = prop_oneof![Just(0_u32), Just(HOUR_MS), 1..7 * DAY_MS];
    let rotate = (pick(), overlap_ms, taken()).prop_map(|(key, overlap_ms, secret)| Act::RotateKey {
        key,
        overlap_ms,
        secret,
    });
    prop_oneof![
        6 => create,
        6 => update,
        4 => rotate,
        1 => pick().prop_map(|key| Act::RevokeKey { key }),
    ]
}

fn price() -> impl Strategy<Value = Act> {
    // In 10⁻¹² of a credit, so that halves of a millionth happen.
    let parts = prop_oneof![
        Just(0_u64),
        1..5_000_000_000_000_u64,
        (1..9_000_000_u64).prop_map(|halves| halves * 500_000),
    ];
    prop_oneof![
        4 => (0..5_u8, parts).prop_map(|(operation, parts)| Act::PutPrice { operation, parts }),
        1 => (0..5_u8).prop_map(|operation| Act::DeletePrice { operation }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => Just(Change::Nothing),
        1 => Just(Change::Reference),
        1 => Just(Change::Credits),
        2 => Just(Change::Name),
        1 => Just(Change::Kind),
    ]
}
