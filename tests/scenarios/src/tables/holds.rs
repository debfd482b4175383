//! Holds: what they reserve, and from where.

pub(super) const TABLES: super::Topic = &[
    ("a hold reserves", A_HOLD_RESERVES),
    ("a hold is captured once", CAPTURED_ONCE),
    ("a hold is released once", RELEASED_ONCE),
    ("a hold lapses", LAPSES),
    ("a hold lasts as long as was said", LASTS),
    ("a hold draws on several lots", SEVERAL_LOTS),
    ("several holds draw on one lot", SEVERAL_HOLDS),
    ("what is held of the overdraft is debt", OVERDRAFT),
];

const A_HOLD_RESERVES: &str = "
    0s | open A                  | opened
    0s | grant A 8 as g1         | granted 8, 8 left, active
    0s | hold A 5 as h1          | held 5, available 3
    0s | last A                  | hold -5, held 5
    0s | balance A               | available 3, held 5, seq 2
    0s | lots A                  | g1 3 held 5
    0s | grant-status g1         | active, 3 left, 5 held
    0s | hold-status h1          | open, captured 0
    0s | charge A 3.000001 as c1 | 402 insufficient_credits, required 3.000001, available 3
    0s | hold A 3.000001 as h2   | 402 insufficient_credits, required 3.000001, available 3
    0s | hold-status h2          | 404 not_found
    0s | charge A 3 as c2        | charged 3, available 0
    0s | grant-status g1         | active, 0 left, 5 held
    0s | hold A 0.000001 as h3   | 402 insufficient_credits, required 0.000001, available 0
    0s | hold Nobody 1 as h4     | 404 not_found
";

const CAPTURED_ONCE: &str = "
    0s | open A                | opened
    0s | grant A 8 as g1       | granted 8, 8 left, active
    0s | hold A 5 as h1        | held 5, available 3
    1s | capture h1 as p1      | captured 5, available 3, held 0
    1s | last A                | capture 0, held -5
    1s | hold-status h1        | captured, captured 5
    1s | capture h1 as p1      | again: captured 5, available 3, held 0
    1s | capture h1 as p2      | 409 conflict, hold_closed
    1s | capture h1 0 as p3    | 409 conflict, hold_closed
    1s | release h1 as r1      | 409 conflict, hold_closed
    1s | balance A             | available 3, held 0, seq 3
    1s | kinds A               | grant hold capture
    1s | capture nothing as p4 | 404 not_found
    1s | release nothing as r2 | 404 not_found
";

const RELEASED_ONCE: &str = "
    0s | open A           | opened
    0s | grant A 8 as g1  | granted 8, 8 left, active
    0s | hold A 5 as h1   | held 5, available 3
    1s | release h1 as r1 | released, available 8, held 0
    1s | last A           | release 5, held -5
    1s | hold-status h1   | released, captured 0
    1s | lots A           | g1 8
    1s | release h1 as r1 | again: released, available 8, held 0
    1s | release h1 as r2 | 409 conflict, hold_closed
    1s | capture h1 as p1 | 409 conflict, hold_closed
    1s | charge A 8 as c1 | charged 8, available 0
    1s | release h1 as r1 | again: released, available 8, held 0
    1s | kinds A          | grant hold release charge
";

const LAPSES: &str = "
    0s   | open A           | opened
    0s   | grant A 8 as g1  | granted 8, 8 left, active
    0s   | hold A 5 as h1   | held 5, available 3
    899s | balance A        | available 3, held 5, seq 2
    899s | hold-status h1   | open, captured 0
    15m  | balance A        | available 8, held 0, seq 3
    15m  | hold-status h1   | expired, captured 0
    15m  | last A           | release 5, held -5
    15m  | capture h1 as p1 | 409 conflict, hold_closed
    15m  | release h1 as r1 | 409 conflict, hold_closed
    15m  | charge A 8 as c1 | charged 8, available 0
    15m  | hold-status h1   | expired, captured 0
    16m  | capture h1 as p2 | 409 conflict, hold_closed
    16m  | hold A 5 as h1   | again: held 5, available 3
    16m  | kinds A          | grant hold release charge
";

const LASTS: &str = "
    0s | open A                | opened
    0s | grant A 8 as g1       | granted 8, 8 left, active
    0s | hold A 1 as h1 for=1s | held 1, available 7
    0s | hold A 2 as h2 for=7d | held 2, available 5
    0s | hold A 4 as h3 for=2s | held 4, available 1
    1s | balance A             | available 2, held 6, seq 5
    1s | capture h3 as p1      | captured 4, available 2, held 2
    2s | hold-status h3        | captured, captured 4
    6d | balance A             | available 2, held 2, seq 6
    7d | balance A             | available 4, held 0, seq 7
";

const SEVERAL_LOTS: &str = "
    0s | open A overdraft=5          | opened
    0s | grant A 4 as g1 expires=1h  | granted 4, 4 left, active
    0s | grant A 3 as g2             | granted 3, 3 left, active
    0s | hold A 12.000001 as h0      | 402 insufficient_credits, required 12.000001, available 7
    0s | hold A 10 as h1             | held 10, available -3
    0s | lots A                      | g1 0 held 4, g2 0 held 3
    0s | balance A                   | available -3, held 10, seq 3
    1s | capture h1 5 as p1 final=no | captured 5, available -3, held 5
    1s | lots A                      | g2 0 held 2
    1s | grant-status g1             | depleted, 0 left, 0 held
    1s | capture h1 1 as p2          | captured 1, available 1, held 0
    1s | lots A                      | g2 1
    1s | last A                      | release 4, held -4
    1s | kinds A                     | grant grant hold capture capture release
    1s | hold-status h1              | captured, captured 6
";

const SEVERAL_HOLDS: &str = "
    0s | open A                     | opened
    0s | grant A 9 as g1 expires=1h | granted 9, 9 left, active
    0s | grant A 9 as g2            | granted 9, 9 left, active
    0s | hold A 4 as h1             | held 4, available 14
    0s | hold A 8 as h2             | held 8, available 6
    0s | lots A                     | g1 0 held 9, g2 6 held 3
    0s | release h1 as r1           | released, available 10, held 8
    0s | lots A                     | g1 4 held 5, g2 6 held 3
    0s | capture h2 6 as p1         | captured 6, available 12, held 0
    0s | lots A                     | g1 4, g2 8
    0s | kinds A                    | grant grant hold hold release capture release
";

const OVERDRAFT: &str = "
    0s | open A overdraft=5    | opened
    0s | hold A 5.000001 as h0 | 402 insufficient_credits, required 5.000001, available 0
    0s | hold A 5 as h1        | held 5, available -5
    0s | charge A 1 as c1      | 402 insufficient_credits, required 1, available -5
    0s | grant A 4 as g1       | granted 4, 0 left, depleted
    0s | charge A 4 as c2      | charged 4, available -5
    1s | capture h1 3 as p1    | captured 3, available -3, held 0
    1s | lots A                | none
    1s | grant A 3 as g2       | granted 3, 0 left, depleted
    1s | balance A             | available 0, held 0, seq 6
    1s | refund p1 as r1       | refunded 3, available 3
    1s | lots A                | paid 3
";
