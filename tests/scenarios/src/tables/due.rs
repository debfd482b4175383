//! What falls due: starts, ends of holds, expiries. It is settled before anything else, as of when it was due.

pub(super) const TABLES: super::Topic = &[
    ("lots start and expire by themselves", LOTS_START_AND_EXPIRE),
    ("starts go before expiries at one instant", STARTS_BEFORE_EXPIRIES),
    ("starts, then ends of holds, then expiries at one instant", ONE_INSTANT),
    ("what is due first is settled first", DUE_FIRST),
    ("settling writes what reads have shown", SETTLING),
    ("a refused request writes nothing", REFUSED),
    ("time never runs backwards in an account", TIME),
];

const LOTS_START_AND_EXPIRE: &str = "
    0s  | open A                                  | opened
    0s  | key k1 of A                             | active
    0s  | grant A 10 as g1 start=60s expires=120s | granted 10, 10 left, pending
    0s  | balance A                               | available 0, held 0, seq 0
    0s  | lots A                                  | none
    0s  | grant-status g1                         | pending, 10 left, 0 held
    59s | charge A 1 as c1                        | 402 insufficient_credits, required 1, available 0
    60s | balance A                               | available 10, held 0, seq 1
    60s | grant-status g1                         | active, 10 left, 0 held
    60s | read k1                                 | 10
    61s | grant A 10 as g1 start=60s expires=120s | again: granted 10, 10 left, pending
    61s | charge A 4 as c2                        | charged 4, available 6
    61s | balance A                               | available 6, held 0, seq 2
    2m  | balance A                               | available 0, held 0, seq 3
    2m  | grant-status g1                         | expired, 0 left, 0 held
    2m  | last A                                  | expire -6, held 0
    2m  | read k1                                 | 0
    2m  | charge A 1 as c3                        | 402 insufficient_credits, required 1, available 0
    3m  | grant A 1 as g2                         | granted 1, 1 left, active
    3m  | balance A                               | available 1, held 0, seq 4
    3m  | charge A 4 as c2                        | again: charged 4, available 6
    3m  | kinds A                                 | grant charge expire grant
";

const STARTS_BEFORE_EXPIRIES: &str = "
    0s | open A                                   | opened
    0s | grant A 5 as old expires=60s             | granted 5, 5 left, active
    0s | grant A 7 as new start=60s               | granted 7, 7 left, pending
    0s | grant A 1 as short start=60s expires=61s | granted 1, 1 left, pending
    1s | charge A 2 as c1                         | charged 2, available 3
    2m | balance A                                | available 7, held 0, seq 6
    2m | lots A                                   | new 7
    2m | kinds A                                  | grant charge grant grant expire expire
";

const ONE_INSTANT: &str = "
    0s  | open A overdraft=2           | opened
    0s  | grant A 4 as old expires=60s | granted 4, 4 left, active
    0s  | grant A 9 as new start=60s   | granted 9, 9 left, pending
    0s  | hold A 3 as h1 for=60s       | held 3, available 1
    0s  | hold A 3 as h2 for=60s       | held 3, available -2
    59s | balance A                    | available -2, held 6, seq 3
    60s | balance A                    | available 9, held 0, seq 7
    60s | kinds A                      | grant hold hold grant release release expire
    60s | last A                       | expire -4, held 0
    60s | lots A                       | new 7, paid 2
    60s | charge A 9 as c1             | charged 9, available 0
    60s | kinds A                      | grant hold hold grant release release expire charge
";

const DUE_FIRST: &str = "
    0s  | open A                                | opened
    0s  | grant A 1 as g1 expires=40s           | granted 1, 1 left, active
    0s  | grant A 2 as g2 start=50s             | granted 2, 2 left, pending
    0s  | grant A 4 as g3 start=20s expires=60s | granted 4, 4 left, pending
    0s  | hold A 1 as h1 for=30s                | held 1, available 0
    61s | kinds A                               | grant hold grant release expire grant expire
    61s | balance A                             | available 2, held 0, seq 7
    61s | charge A 2 as c1                      | charged 2, available 0
    61s | kinds A                               | grant hold grant release expire grant expire charge
";

const SETTLING: &str = "
    0s  | open A                      | opened
    0s  | settle A                    | settled
    0s  | kinds A                     |
    0s  | grant A 1 as g1 expires=40s | granted 1, 1 left, active
    0s  | hold A 1 as h1 for=30s      | held 1, available 0
    30s | last A                      | release 1, held -1
    30s | settle A                    | settled
    30s | settle A                    | settled
    30s | balance A                   | available 1, held 0, seq 3
    41s | settle A                    | settled
    41s | kinds A                     | grant hold release expire
    41s | settle Nobody               | 404 not_found
";

const REFUSED: &str = "
    0s  | open A                      | opened
    0s  | grant A 1 as g1 expires=40s | granted 1, 1 left, active
    41s | charge A 1 as c1            | 402 insufficient_credits, required 1, available 0
    41s | balance A                   | available 0, held 0, seq 2
    42s | grant A 5 as g2             | granted 5, 5 left, active
    42s | balance A                   | available 5, held 0, seq 3
    42s | charge A 6 as c2            | 402 insufficient_credits, required 6, available 5
    42s | void g1 as v1               | 409 conflict, grant_closed
    42s | balance A                   | available 5, held 0, seq 3
    42s | kinds A                     | grant expire grant
";

const TIME: &str = "
    60s  | open A                      | opened
    60s  | grant A 9 as g1 expires=90s | granted 9, 9 left, active
    80s  | charge A 1 as c1            | charged 1, available 8
    70s  | charge A 1 as c2            | charged 1, available 7
    90s  | charge A 1 as c3            | 402 insufficient_credits, required 1, available 0
    90s  | balance A                   | available 0, held 0, seq 4
    91s  | grant A 5 as g2             | granted 5, 5 left, active
    80s  | hold A 2 as h1 for=60s      | held 2, available 3
    150s | hold-status h1              | open, captured 0
    151s | hold-status h1              | expired, captured 0
";
