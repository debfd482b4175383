//! What becomes of held credits whose grant ends before the hold does.

pub(super) const TABLES: super::Topic = &[
    ("what is held when its grant expires stays held", EXPIRED),
    ("what lapses after its grant has expired expires at once", LAPSED),
    ("a hold and its grant end together", TOGETHER),
    ("a grant that was captured whole is depleted", CAPTURED_WHOLE),
    ("each lot of a hold ends in its own way", EACH_ITS_OWN),
    ("a refund of what was captured from an ended grant", REFUNDED),
];

const EXPIRED: &str = "
    0s  | open A                       | opened
    0s  | grant A 10 as g1 expires=60s | granted 10, 10 left, active
    0s  | hold A 6 as h1               | held 6, available 4
    60s | balance A                    | available 0, held 6, seq 3
    60s | last A                       | expire -4, held 0
    60s | grant-status g1              | expired, 0 left, 6 held
    60s | lots A                       | g1 0 held 6
    61s | capture h1 2 as p1 final=no  | captured 2, available 0, held 4
    62s | capture h1 1 as p2           | captured 1, available 0, held 0
    62s | kinds A                      | grant hold expire capture capture release expire
    62s | last A                       | expire -3, held 0
    62s | grant-status g1              | expired, 0 left, 0 held
    62s | lots A                       | none
    62s | capture h1 1 as p2           | again: captured 1, available 0, held 0
";

const LAPSED: &str = "
    0s  | open A                       | opened
    0s  | grant A 10 as g1 expires=60s | granted 10, 10 left, active
    0s  | hold A 10 as h1 for=90s      | held 10, available 0
    60s | balance A                    | available 0, held 10, seq 2
    60s | grant-status g1              | expired, 0 left, 10 held
    90s | balance A                    | available 0, held 0, seq 4
    90s | kinds A                      | grant hold release expire
    90s | last A                       | expire -10, held 0
    90s | charge A 1 as c1             | 402 insufficient_credits, required 1, available 0
    90s | grant A 5 as g2              | granted 5, 5 left, active
    90s | kinds A                      | grant hold release expire grant
    90s | grant-status g1              | expired, 0 left, 0 held
";

const TOGETHER: &str = "
    0s  | open A                       | opened
    0s  | grant A 10 as g1 expires=60s | granted 10, 10 left, active
    0s  | hold A 6 as h1 for=60s       | held 6, available 4
    60s | balance A                    | available 0, held 0, seq 4
    60s | kinds A                      | grant hold release expire
    60s | last A                       | expire -10, held 0
    60s | hold-status h1               | expired, captured 0
";

const CAPTURED_WHOLE: &str = "
    0s  | open A                       | opened
    0s  | grant A 10 as g1 expires=60s | granted 10, 10 left, active
    0s  | hold A 10 as h1              | held 10, available 0
    61s | capture h1 as p1             | captured 10, available 0, held 0
    61s | grant-status g1              | depleted, 0 left, 0 held
    61s | void g1 as v1                | 409 conflict, grant_closed
    61s | kinds A                      | grant hold capture
";

const EACH_ITS_OWN: &str = "
    0s  | open A overdraft=1          | opened
    0s  | grant A 1 as g1 expires=60s | granted 1, 1 left, active
    0s  | grant A 2 as g2 expires=2h  | granted 2, 2 left, active
    0s  | grant A 4 as g3             | granted 4, 4 left, active
    0s  | hold A 8 as h1              | held 8, available -1
    1s  | void g2 as v1               | voided, 0 left, 2 held
    2s  | adjust A 1 as a1            | adjusted 1, available 0
    61s | release h1 as r1            | released, available 5, held 0
    61s | lots A                      | g3 4, paid 1
    61s | balance A                   | available 5, held 0, seq 9
    61s | grant-status g1             | expired, 0 left, 0 held
    61s | grant-status g2             | voided, 0 left, 0 held
    61s | release h1 as r1            | again: released, available 5, held 0
";

const REFUNDED: &str = "
    0s  | open A                      | opened
    0s  | grant A 4 as g1 expires=60s | granted 4, 4 left, active
    0s  | grant A 4 as g2             | granted 4, 4 left, active
    0s  | hold A 7 as h1              | held 7, available 1
    1s  | void g2 as v1               | voided, 0 left, 3 held
    61s | capture h1 as p1            | captured 7, available 0, held 0
    61s | refund p1 3 as r1           | refunded 3, available 0
    61s | last A                      | void -3, held 0
    61s | refund p1 as r2             | refunded 4, available 4
    61s | lots A                      | promotional 4
";
