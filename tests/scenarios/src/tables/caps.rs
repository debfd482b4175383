//! The caps of keys, and their periods.

pub(super) const TABLES: super::Topic = &[
    ("a cap is counted in its period", CAPS),
    ("a hold counts whole when it is made", HOLDS_COUNT),
    ("a cap may change", CHANGES),
    ("each key has its own", EACH_ITS_OWN),
];

const CAPS: &str = "
    0s     | open A                       | opened
    0s     | grant A 100 as g1            | granted 100, 100 left, active
    0s     | key day of A limit=5/day     | active
    0s     | key week of A limit=5/week   | active
    0s     | key month of A limit=5/month | active
    0s     | key total of A limit=5/total | active
    0s     | charge by day 3 as c1        | charged 3, available 97
    1s     | charge by day 2.000001 as c2 | 402 key_limit_exceeded, required 2.000001, remaining 2
    1s     | charge by day 2 as c3        | charged 2, available 95
    1s     | charge by day 0 as c4        | charged 0, available 95
    1s     | charge by day 1 as c5        | 402 key_limit_exceeded, required 1, remaining 0
    1s     | charge by week 5 as c6       | charged 5, available 90
    1s     | charge by month 5 as c7      | charged 5, available 85
    1s     | charge by total 5 as c8      | charged 5, available 80
    1s     | spent day                    | 5
    43199s | spent day                    | 5
    12h    | spent day                    | 0
    12h    | charge by day 5 as c9        | charged 5, available 75
    12h    | charge by week 1 as c10      | 402 key_limit_exceeded, required 1, remaining 0
    12h    | charge by day 1 as c5        | again: 402 key_limit_exceeded, required 1, remaining 0
    36h    | spent week                   | 0
    36h    | charge by week 5 as c11      | charged 5, available 70
    36h    | charge by month 1 as c12     | 402 key_limit_exceeded, required 1, remaining 0
    10d    | spent month                  | 0
    10d    | charge by month 5 as c13     | charged 5, available 65
    10d    | charge by total 1 as c14     | 402 key_limit_exceeded, required 1, remaining 0
    10d    | spent total                  | 5
    10d    | charge A 1 as c15            | charged 1, available 64
";

const HOLDS_COUNT: &str = "
    0s | open A                           | opened
    0s | grant A 100 as g1                | granted 100, 100 left, active
    0s | key k1 of A limit=5/day          | active
    0s | hold by k1 4 as h1               | held 4, available 96
    0s | spent k1                         | 4
    0s | charge by k1 2 as c1             | 402 key_limit_exceeded, required 2, remaining 1
    0s | hold by k1 2 as h2               | 402 key_limit_exceeded, required 2, remaining 1
    0s | hold by k1 1 as h3               | held 1, available 95
    1s | capture h1 as p1                 | captured 4, available 95, held 1
    1s | spent k1                         | 5
    1s | capture h3 3 as p2 excess=charge | captured 3, available 93, held 0
    1s | spent k1                         | 7
    1s | charge by k1 1 as c2             | 402 key_limit_exceeded, required 1, remaining 0
    1s | charge by k1 0 as c3             | charged 0, available 93
";

const CHANGES: &str = "
    0s  | open A               | opened
    0s  | grant A 100 as g1    | granted 100, 100 left, active
    0s  | key k1 of A          | active
    0s  | charge by k1 8 as c1 | charged 8, available 92
    0s  | spent k1             | 8
    0s  | limit k1 5/day       | active
    0s  | spent k1             | 8
    0s  | charge by k1 1 as c2 | 402 key_limit_exceeded, required 1, remaining 0
    0s  | limit k1 10/day      | active
    0s  | charge by k1 3 as c3 | 402 key_limit_exceeded, required 3, remaining 2
    0s  | unlimit k1           | active
    0s  | charge by k1 3 as c4 | charged 3, available 89
    12h | limit k1 5/day       | active
    12h | spent k1             | 0
    12h | charge by k1 4 as c5 | charged 4, available 85
    12h | limit k1 20/week     | active
    12h | spent k1             | 15
    12h | charge by k1 6 as c6 | 402 key_limit_exceeded, required 6, remaining 5
    36h | spent k1             | 0
    36h | charge by k1 6 as c7 | charged 6, available 79
    36h | limit k1 25/month    | active
    36h | spent k1             | 21
    36h | limit k1 1/total     | active
    36h | charge by k1 1 as c8 | 402 key_limit_exceeded, required 1, remaining 0
    36h | unlimit k1           | active
    36h | spent k1             | 21
";

const EACH_ITS_OWN: &str = "
    0s | open A                    | opened
    0s | grant A 100 as g1         | granted 100, 100 left, active
    0s | key k1 of A limit=5/total | active
    0s | key k2 of A limit=5/total | active
    0s | charge by k1 5 as c1      | charged 5, available 95
    0s | charge A 5 as c2          | charged 5, available 90
    0s | charge by k2 5 as c3      | charged 5, available 85
    0s | spent k1                  | 5
    0s | spent k2                  | 5
";
