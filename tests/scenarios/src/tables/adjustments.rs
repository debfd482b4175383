//! Adjustments by hand.

pub(super) const TABLES: super::Topic = &[
    ("an adjustment corrects the balance", ADJUSTMENTS),
    ("a positive adjustment is a paid lot", A_PAID_LOT),
    ("a negative adjustment asks for what is available", AVAILABLE),
];

const ADJUSTMENTS: &str = "
    0s | open A                         | opened
    0s | adjust A 10.5 as a1            | adjusted 10.5, available 10.5
    0s | last A                         | adjust 10.5, held 0
    0s | adjust A -3 as a2              | adjusted -3, available 7.5
    0s | last A                         | adjust -3, held 0
    0s | adjust A -7.5 as a3            | adjusted -7.5, available 0
    0s | adjust A -0.000001 as a4       | 402 insufficient_credits, required 0.000001, available 0
    0s | adjust A -2 as a5 negative=yes | adjusted -2, available -2
    0s | lots A                         | none
    0s | kinds A                        | adjust adjust adjust adjust
    0s | adjust Nobody 1 as a6          | 404 not_found
";

const A_PAID_LOT: &str = "
    0s | open A                         | opened
    0s | grant A 1 as last priority=51  | granted 1, 1 left, active
    0s | adjust A 2 as a1               | adjusted 2, available 3
    0s | grant A 4 as first priority=49 | granted 4, 4 left, active
    0s | grant A 8 as ends expires=99d  | granted 8, 8 left, active
    1s | grant A 16 as after            | granted 16, 16 left, active
    1s | lots A                         | first 4, ends 8, paid 2, after 16, last 1
    1s | charge A 13 as c1              | charged 13, available 18
    1s | lots A                         | paid 1, after 16, last 1
    1s | refund c1 9 as r1              | refunded 9, available 27
    1s | lots A                         | ends 8, paid 2, after 16, last 1
";

const AVAILABLE: &str = "
    0s | open A overdraft=5             | opened
    0s | grant A 10 as g1               | granted 10, 10 left, active
    0s | hold A 4 as h1                 | held 4, available 6
    0s | adjust A -7 as a1              | 402 insufficient_credits, required 7, available 6
    0s | adjust A -7 as a2 negative=yes | adjusted -7, available -1
    0s | adjust A -1 as a3              | 402 insufficient_credits, required 1, available -1
    0s | adjust A -9 as a4 negative=yes | adjusted -9, available -10
    0s | balance A                      | available -10, held 4, seq 4
    0s | charge A 1 as c1               | 402 insufficient_credits, required 1, available -10
    0s | charge A 0 as c2               | charged 0, available -10
    0s | release h1 as r1               | released, available -6, held 0
    0s | grant A 6 as g2                | granted 6, 0 left, depleted
    0s | lots A                         | g1 4
    0s | balance A                      | available 0, held 0, seq 7
";
