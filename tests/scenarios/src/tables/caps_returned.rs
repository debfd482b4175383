//! What a key's cap gets back: what is released, lapses or is not captured, and what is refunded in time.

pub(super) const TABLES: super::Topic = &[
    ("what is released or lapses returns", RELEASED),
    ("what is not captured returns", NOT_CAPTURED),
    ("what is held over midnight returns to the day before", OVER_MIDNIGHT),
    ("what lapses after midnight returns to the day before", LAPSED_AFTER_MIDNIGHT),
    ("a refund returns while its period runs", REFUNDED),
    ("a refund of what was held over midnight", REFUNDED_OVER_MIDNIGHT),
    ("longer periods run on", LONGER),
];

const RELEASED: &str = "
    0s  | open A                     | opened
    0s  | grant A 100 as g1          | granted 100, 100 left, active
    0s  | key k1 of A limit=5/day    | active
    0s  | hold by k1 5 as h1         | held 5, available 95
    1s  | release h1 as r1           | released, available 100, held 0
    1s  | spent k1                   | 0
    1s  | hold by k1 5 as h2 for=60s | held 5, available 95
    60s | charge by k1 1 as c1       | 402 key_limit_exceeded, required 1, remaining 0
    61s | spent k1                   | 0
    61s | charge by k1 5 as c2       | charged 5, available 95
    61s | spent k1                   | 5
    61s | charge by k1 1 as c3       | 402 key_limit_exceeded, required 1, remaining 0
    62s | release h2 as r2           | 409 conflict, hold_closed
    62s | spent k1                   | 5
";

const NOT_CAPTURED: &str = "
    0s  | open A                      | opened
    0s  | grant A 100 as g1           | granted 100, 100 left, active
    0s  | key k1 of A limit=10/day    | active
    0s  | hold by k1 10 as h1         | held 10, available 90
    1s  | capture h1 2 as p1 final=no | captured 2, available 90, held 8
    1s  | spent k1                    | 10
    1s  | capture h1 3 as p2          | captured 3, available 95, held 0
    1s  | spent k1                    | 5
    1s  | hold by k1 5 as h2          | held 5, available 90
    1s  | capture h2 0 as p3          | captured 0, available 95, held 0
    1s  | spent k1                    | 5
    1s  | hold by k1 5 as h3 for=60s  | held 5, available 90
    1s  | capture h3 1 as p4 final=no | captured 1, available 90, held 4
    61s | spent k1                    | 6
    61s | charge by k1 4 as c1        | charged 4, available 90
    61s | spent k1                    | 10
";

const OVER_MIDNIGHT: &str = "
    11h | open A                    | opened
    11h | grant A 100 as g1         | granted 100, 100 left, active
    11h | key k1 of A limit=5/day   | active
    11h | hold by k1 3 as h1 for=3h | held 3, available 97
    11h | hold by k1 2 as h2 for=3h | held 2, available 95
    13h | spent k1                  | 0
    13h | charge by k1 4 as c1      | charged 4, available 91
    13h | capture h1 1 as p1        | captured 1, available 93, held 2
    13h | spent k1                  | 4
    13h | release h2 as r1          | released, available 95, held 0
    13h | spent k1                  | 4
    13h | charge by k1 1 as c2      | charged 1, available 94
    13h | hold by k1 1 as h3        | 402 key_limit_exceeded, required 1, remaining 0
";

const LAPSED_AFTER_MIDNIGHT: &str = "
    11h | open A                    | opened
    11h | grant A 100 as g1         | granted 100, 100 left, active
    11h | key k1 of A limit=5/day   | active
    11h | hold by k1 5 as h1 for=2h | held 5, available 95
    12h | hold by k1 2 as h2 for=2h | held 2, available 93
    13h | spent k1                  | 2
    13h | charge by k1 3 as c1      | charged 3, available 95
    14h | spent k1                  | 3
    14h | charge by k1 2 as c2      | charged 2, available 95
    14h | charge by k1 1 as c3      | 402 key_limit_exceeded, required 1, remaining 0
";

const REFUNDED: &str = "
    0s  | open A                  | opened
    0s  | grant A 100 as g1       | granted 100, 100 left, active
    0s  | key k1 of A limit=5/day | active
    0s  | charge by k1 5 as c1    | charged 5, available 95
    1s  | refund c1 2 as r1       | refunded 2, available 97
    1s  | spent k1                | 3
    1s  | charge by k1 2 as c2    | charged 2, available 95
    1s  | charge by k1 1 as c3    | 402 key_limit_exceeded, required 1, remaining 0
    12h | refund c1 1 as r2       | refunded 1, available 96
    12h | spent k1                | 0
    12h | charge by k1 5 as c4    | charged 5, available 91
    12h | refund c2 as r3         | refunded 2, available 93
    12h | spent k1                | 5
    12h | charge by k1 1 as c5    | 402 key_limit_exceeded, required 1, remaining 0
    12h | refund c4 as r4         | refunded 5, available 98
    12h | spent k1                | 0
";

const REFUNDED_OVER_MIDNIGHT: &str = "
    11h | open A                           | opened
    11h | grant A 100 as g1                | granted 100, 100 left, active
    11h | key k1 of A limit=5/day          | active
    11h | hold by k1 4 as h1 for=3h        | held 4, available 96
    13h | charge by k1 1 as c1             | charged 1, available 95
    13h | capture h1 5 as p1 excess=charge | captured 5, available 94, held 0
    13h | spent k1                         | 2
    13h | refund p1 as r1                  | refunded 5, available 99
    13h | spent k1                         | 1
    13h | refund c1 as r2                  | refunded 1, available 100
    13h | spent k1                         | 0
";

const LONGER: &str = "
    0s  | open A                       | opened
    0s  | grant A 100 as g1            | granted 100, 100 left, active
    0s  | key week of A limit=5/week   | active
    0s  | key month of A limit=5/month | active
    0s  | key total of A limit=5/total | active
    0s  | charge by week 3 as c1       | charged 3, available 97
    0s  | charge by month 3 as c2      | charged 3, available 94
    0s  | charge by total 3 as c3      | charged 3, available 91
    0s  | hold by week 2 as h1 for=7d  | held 2, available 89
    0s  | hold by month 2 as h2 for=7d | held 2, available 87
    0s  | hold by total 2 as h3 for=7d | held 2, available 85
    35h | refund c1 1 as r1            | refunded 1, available 86
    35h | spent week                   | 4
    36h | refund c1 1 as r2            | refunded 1, available 87
    36h | spent week                   | 0
    36h | charge by week 5 as c4       | charged 5, available 82
    36h | release h1 as r3             | released, available 84, held 4
    36h | spent week                   | 5
    7d  | spent month                  | 3
    7d  | spent total                  | 3
    7d  | refund c2 1 as r4            | refunded 1, available 89
    7d  | spent month                  | 2
    10d | refund c2 1 as r5            | refunded 1, available 90
    10d | spent month                  | 0
    10d | refund c3 1 as r6            | refunded 1, available 91
    10d | spent total                  | 2
    99d | refund c3 as r7              | refunded 2, available 93
    99d | spent total                  | 0
";
