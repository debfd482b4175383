//! In which order lots are spent.

pub(super) const TABLES: super::Topic = &[
    ("lots burn in order", LOTS_BURN_IN_ORDER),
    ("the order of creation is the last word", CREATED_TOGETHER),
    ("a category changes nothing", CATEGORIES),
    ("holds and adjustments draw in the same order", HOLDS_AND_ADJUSTMENTS),
];

const LOTS_BURN_IN_ORDER: &str = "
    0s | open A                                    | opened
    0s | grant A 1 as forever                      | granted 1, 1 left, active
    0s | grant A 2 as later expires=2h             | granted 2, 2 left, active
    0s | grant A 4 as sooner expires=1h            | granted 4, 4 left, active
    0s | grant A 8 as last priority=51 expires=30m | granted 8, 8 left, active
    0s | grant A 16 as first priority=49           | granted 16, 16 left, active
    1s | grant A 32 as younger expires=1h          | granted 32, 32 left, active
    1s | grant A 64 as sooner2 expires=1h start=0s | granted 64, 64 left, active
    1s | lots A                                    | first 16, sooner 4, sooner2 64, younger 32, later 2, forever 1, last 8
    2s | charge A 17 as c1                         | charged 17, available 110
    2s | lots A                                    | sooner 3, sooner2 64, younger 32, later 2, forever 1, last 8
    2s | charge A 100 as c2                        | charged 100, available 10
    2s | lots A                                    | later 1, forever 1, last 8
    2s | charge A 10 as c3                         | charged 10, available 0
    2s | lots A                                    | none
";

const CREATED_TOGETHER: &str = "
    0s  | open A                                  | opened
    0s  | grant A 1 as one start=60s expires=2m   | granted 1, 1 left, pending
    0s  | grant A 1 as two start=60s expires=2m   | granted 1, 1 left, pending
    0s  | grant A 1 as three start=60s expires=2m | granted 1, 1 left, pending
    0s  | grant A 1 as older start=59s expires=2m | granted 1, 1 left, pending
    0s  | grant A 1 as free priority=0            | granted 1, 1 left, active
    0s  | grant A 1 as spare priority=100         | granted 1, 1 left, active
    60s | lots A                                  | free 1, older 1, one 1, two 1, three 1, spare 1
    60s | charge A 3.5 as c1                      | charged 3.5, available 2.5
    60s | lots A                                  | two 0.5, three 1, spare 1
";

const CATEGORIES: &str = "
    0s | open A                               | opened
    0s | grant A 1 as p1                      | granted 1, 1 left, active
    0s | grant A 1 as g1 category=promotional | granted 1, 1 left, active
    0s | grant A 1 as p2                      | granted 1, 1 left, active
    0s | charge A 1.5 as c1                   | charged 1.5, available 1.5
    0s | lots A                               | g1 0.5, p2 1
";

const HOLDS_AND_ADJUSTMENTS: &str = "
    0s | open A                     | opened
    0s | grant A 3 as g1            | granted 3, 3 left, active
    0s | grant A 3 as g2 expires=1h | granted 3, 3 left, active
    0s | grant A 3 as g3 priority=9 | granted 3, 3 left, active
    0s | hold A 4 as h1             | held 4, available 5
    0s | lots A                     | g3 0 held 3, g2 2 held 1, g1 3
    0s | adjust A -3 as a1          | adjusted -3, available 2
    0s | lots A                     | g3 0 held 3, g2 0 held 1, g1 2
    0s | charge A 1 as c1           | charged 1, available 1
    0s | lots A                     | g3 0 held 3, g2 0 held 1, g1 1
";
