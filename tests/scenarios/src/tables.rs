//! The tables. A row is a time, an action, and what comes of it.

pub(crate) const ALL: &[(&str, &str)] = &[
    ("a charge takes what it says", A_CHARGE_TAKES_WHAT_IT_SAYS),
    ("nothing is spent twice", NOTHING_IS_SPENT_TWICE),
    ("the same request is answered once", THE_SAME_REQUEST),
    ("a refusal is remembered", A_REFUSAL_IS_REMEMBERED),
    ("other refusals leave no trace", OTHER_REFUSALS),
    ("lots burn in order", LOTS_BURN_IN_ORDER),
    ("lots start and expire by themselves", LOTS_START_AND_EXPIRE),
    ("starts go before expiries at one instant", STARTS_BEFORE_EXPIRIES),
    ("the overdraft is the last lot", OVERDRAFT),
    ("a grant that starts later pays the debt then", LATER_GRANT_PAYS),
    ("keys live and die", KEYS_LIVE_AND_DIE),
    ("a cap is counted in its period", CAPS),
    ("the first refusal in the order wins", PRECEDENCE),
    ("totals stay in range", RANGE),
    ("external ids are unique", EXTERNAL_IDS),
    ("time never runs backwards in an account", TIME),
];

const A_CHARGE_TAKES_WHAT_IT_SAYS: &str = "
    0s | open A                     | opened
    0s | balance A                  | available 0, held 0, seq 0
    0s | grant A 1234 as g1         | granted 1234, 1234 left, active
    0s | charge A 1 as c1           | charged 1, available 1233
    1s | charge A 0.000001 as c2    | charged 0.000001, available 1232.999999
    2s | charge A 0 as c3           | charged 0, available 1232.999999
    3s | charge A 1232.999999 as c4 | charged 1232.999999, available 0
    4s | charge A 0 as c5           | charged 0, available 0
    5s | balance A                  | available 0, held 0, seq 6
";

const NOTHING_IS_SPENT_TWICE: &str = "
    0s | open A                   | opened
    0s | open B                   | opened
    0s | grant A 10 as g1         | granted 10, 10 left, active
    0s | charge A 10.000001 as c1 | 402 insufficient_credits, required 10.000001, available 10
    0s | charge A 10 as c2        | charged 10, available 0
    0s | charge A 0.000001 as c3  | 402 insufficient_credits, required 0.000001, available 0
    0s | charge B 1 as c4         | 402 insufficient_credits, required 1, available 0
    0s | balance A                | available 0, held 0, seq 2
    0s | balance B                | available 0, held 0, seq 0
";

const THE_SAME_REQUEST: &str = "
    0s | open A                     | opened
    0s | open B                     | opened
    0s | grant A 10 as g1           | granted 10, 10 left, active
    0s | grant B 10 as g1           | granted 10, 10 left, active
    1s | grant A 10 as g1           | again: granted 10, 10 left, active
    1s | charge A 4 as c1 ref=one   | charged 4, available 6
    2s | charge A 4 as c1 ref=one   | again: charged 4, available 6
    2s | grant A 10 as g1           | again: granted 10, 10 left, active
    2s | charge A 5 as c1 ref=one   | 422 idempotency_key_reused
    2s | charge A 4 as c1 ref=two   | 422 idempotency_key_reused
    2s | charge A 4 as c1           | 422 idempotency_key_reused
    2s | grant A 4 as c1            | 422 idempotency_key_reused
    2s | charge A 4 as g1           | 422 idempotency_key_reused
    2s | charge B 4 as c1 ref=one   | charged 4, available 6
    3s | charge A 4.0 as c1 ref=one | again: charged 4, available 6
    3s | balance A                  | available 6, held 0, seq 2
";

const A_REFUSAL_IS_REMEMBERED: &str = "
    0s  | open A            | opened
    0s  | charge A 5 as c1  | 402 insufficient_credits, required 5, available 0
    1s  | grant A 100 as g1 | granted 100, 100 left, active
    2s  | charge A 5 as c1  | again: 402 insufficient_credits, required 5, available 0
    2s  | charge A 6 as c1  | 422 idempotency_key_reused
    3s  | charge A 5 as c2  | charged 5, available 95
    23h | charge A 5 as c1  | again: 402 insufficient_credits, required 5, available 0
";

const OTHER_REFUSALS: &str = "
    0s | open A                             | opened
    9s | grant A 5 as g1 expires=9s         | 400 invalid_request, expires_at
    9s | grant A 5 as g1 start=20s expires=20s | 400 invalid_request, expires_at
    9s | grant A 5 as g1                    | granted 5, 5 left, active
    9s | charge Nobody 1 as c1              | 404 not_found
    9s | grant Nobody 1 as g1               | 404 not_found
    9s | balance Nobody                     | 404 not_found
    9s | balance A                          | available 5, held 0, seq 1
";

const LOTS_BURN_IN_ORDER: &str = "
    0s | open A                                        | opened
    0s | grant A 1 as forever                          | granted 1, 1 left, active
    0s | grant A 2 as later expires=2h                 | granted 2, 2 left, active
    0s | grant A 4 as sooner expires=1h                | granted 4, 4 left, active
    0s | grant A 8 as last priority=51 expires=30m     | granted 8, 8 left, active
    0s | grant A 16 as first priority=49               | granted 16, 16 left, active
    1s | grant A 32 as younger expires=1h              | granted 32, 32 left, active
    1s | grant A 64 as sooner2 expires=1h start=0s     | granted 64, 64 left, active
    1s | lots A                                        | first 16, sooner 4, sooner2 64, younger 32, later 2, forever 1, last 8
    2s | charge A 17 as c1                             | charged 17, available 110
    2s | lots A                                        | sooner 3, sooner2 64, younger 32, later 2, forever 1, last 8
    2s | charge A 100 as c2                            | charged 100, available 10
    2s | lots A                                        | later 1, forever 1, last 8
    2s | charge A 10 as c3                             | charged 10, available 0
    2s | lots A                                        | none
";

const LOTS_START_AND_EXPIRE: &str = "
    0s  | open A                                  | opened
    0s  | key k1 of A                             | active
    0s  | grant A 10 as g1 start=60s expires=120s | granted 10, 10 left, pending
    0s  | balance A                               | available 0, held 0, seq 0
    0s  | lots A                                  | none
    59s | charge A 1 as c1                        | 402 insufficient_credits, required 1, available 0
    60s | balance A                               | available 10, held 0, seq 1
    60s | read k1                                 | 10
    61s | grant A 10 as g1 start=60s expires=120s | again: granted 10, 10 left, pending
    61s | charge A 4 as c2                        | charged 4, available 6
    61s | balance A                               | available 6, held 0, seq 2
    2m  | balance A                               | available 0, held 0, seq 3
    2m  | read k1                                 | 0
    2m  | charge A 1 as c3                        | 402 insufficient_credits, required 1, available 0
    3m  | grant A 1 as g2                         | granted 1, 1 left, active
    3m  | balance A                               | available 1, held 0, seq 4
    3m  | charge A 4 as c2                        | again: charged 4, available 6
";

const STARTS_BEFORE_EXPIRIES: &str = "
    0s | open A                              | opened
    0s | grant A 5 as old expires=60s        | granted 5, 5 left, active
    0s | grant A 7 as new start=60s          | granted 7, 7 left, pending
    0s | grant A 1 as short start=60s expires=61s | granted 1, 1 left, pending
    1s | charge A 2 as c1                    | charged 2, available 3
    2m | balance A                           | available 7, held 0, seq 6
    2m | lots A                              | new 7
";

const OVERDRAFT: &str = "
    0s | open A overdraft=5        | opened
    0s | grant A 10 as g1          | granted 10, 10 left, active
    0s | charge A 12 as c1         | charged 12, available -2
    0s | charge A 3.000001 as c2   | 402 insufficient_credits, required 3.000001, available -2
    0s | charge A 3 as c3          | charged 3, available -5
    0s | charge A 0 as c4          | charged 0, available -5
    0s | lots A                    | none
    1s | grant A 4 as g2           | granted 4, 0 left, depleted
    1s | lots A                    | none
    1s | balance A                 | available -1, held 0, seq 5
    1s | grant A 4 as g3           | granted 4, 3 left, active
    1s | lots A                    | g3 3
    1s | charge A 8.000001 as c5   | 402 insufficient_credits, required 8.000001, available 3
    1s | charge A 8 as c6          | charged 8, available -5
    2s | grant A 4 as g3           | again: granted 4, 3 left, active
    2s | grant A 4 as g2           | again: granted 4, 0 left, depleted
";

const LATER_GRANT_PAYS: &str = "
    0s | open A overdraft=5              | opened
    0s | grant A 8 as g1 start=60s       | granted 8, 8 left, pending
    0s | charge A 5 as c1                | charged 5, available -5
    2m | balance A                       | available 3, held 0, seq 2
    2m | lots A                          | g1 3
    2m | charge A 8 as c2                | charged 8, available -5
";

const KEYS_LIVE_AND_DIE: &str = "
    0s  | open A                    | opened
    0s  | grant A 10 as g1          | granted 10, 10 left, active
    0s  | key k1 of A               | active
    0s  | key k2 of A expires=60s   | active
    0s  | key k3 of Nobody          | 404 not_found
    0s  | read k1                   | 10
    0s  | charge by k1 1 as c1      | charged 1, available 9
    0s  | disable k1                | disabled
    0s  | read k1                   | dead
    0s  | charge by k1 1 as c2      | 401 unauthorized, api_key
    1s  | charge by k1 1 as c1      | again: charged 1, available 9
    1s  | enable k1                 | active
    1s  | charge by k1 1 as c2      | charged 1, available 8
    59s | read k2                   | 8
    60s | read k2                   | dead
    60s | charge by k2 1 as c3      | 401 unauthorized, api_key
    60s | key k4 of A expires=60s   | 400 invalid_request, expires_at
    60s | revoke k1                 | revoked
    60s | revoke k1                 | revoked
    60s | enable k1                 | 409 conflict, key_revoked
    60s | read k1                   | dead
    60s | charge by k1 1 as c4      | 401 unauthorized, api_key
    60s | charge by k1 1 as c1      | again: charged 1, available 9
    60s | charge A 1 as c1          | 422 idempotency_key_reused
    60s | revoke Nobody             | 404 not_found
    60s | balance A                 | available 8, held 0, seq 3
";

const CAPS: &str = "
    0s  | open A                       | opened
    0s  | grant A 100 as g1            | granted 100, 100 left, active
    0s  | key day of A limit=5/day     | active
    0s  | key week of A limit=5/week   | active
    0s  | key month of A limit=5/month | active
    0s  | key total of A limit=5/total | active
    0s  | charge by day 3 as c1        | charged 3, available 97
    1s  | charge by day 2.000001 as c2 | 402 key_limit_exceeded, required 2.000001, remaining 2
    1s  | charge by day 2 as c3        | charged 2, available 95
    1s  | charge by day 0 as c4        | charged 0, available 95
    1s  | charge by day 1 as c5        | 402 key_limit_exceeded, required 1, remaining 0
    1s  | charge by week 5 as c6       | charged 5, available 90
    1s  | charge by month 5 as c7      | charged 5, available 85
    1s  | charge by total 5 as c8      | charged 5, available 80
    12h | charge by day 5 as c9        | charged 5, available 75
    12h | charge by week 1 as c10      | 402 key_limit_exceeded, required 1, remaining 0
    12h | charge by day 1 as c5        | again: 402 key_limit_exceeded, required 1, remaining 0
    36h | charge by week 5 as c11      | charged 5, available 70
    36h | charge by month 1 as c12     | 402 key_limit_exceeded, required 1, remaining 0
    10d | charge by month 5 as c13     | charged 5, available 65
    10d | charge by total 1 as c14     | 402 key_limit_exceeded, required 1, remaining 0
    10d | charge A 1 as c15            | charged 1, available 64
";

const PRECEDENCE: &str = "
    0s  | open A                    | opened
    0s  | key k1 of A limit=1/total | active
    0s  | charge by k1 5 as c1      | 402 key_limit_exceeded, required 5, remaining 1
    0s  | charge by k1 1 as c2      | 402 insufficient_credits, required 1, available 0
    1s  | revoke k1                 | revoked
    1s  | charge by k1 5 as c3      | 401 unauthorized, api_key
    1s  | charge by k1 5 as c1      | again: 402 key_limit_exceeded, required 5, remaining 1
    1s  | charge by k1 6 as c1      | 422 idempotency_key_reused
";

const RANGE: &str = "
    0s | open A overdraft=9000000000000                  | opened
    0s | grant A 9000000000000 as g1                     | granted 9000000000000, 9000000000000 left, active
    0s | grant A 0.000001 as g2                          | 409 conflict, balance_out_of_range
    0s | charge A 9000000000000 as c1                    | charged 9000000000000, available 0
    0s | charge A 0.000001 as c2                         | 409 conflict, balance_out_of_range
    0s | grant A 0.000001 as g3                          | 409 conflict, balance_out_of_range
    1s | grant A 0.000001 as g2                          | again: 409 conflict, balance_out_of_range
    0s | open B                                          | opened
    0s | grant B 5000000000000 as g1 start=60s           | granted 5000000000000, 5000000000000 left, pending
    0s | grant B 5000000000000 as g2                     | 409 conflict, balance_out_of_range
    0s | grant B 4000000000000 as g3                     | granted 4000000000000, 4000000000000 left, active
    2m | balance B                                       | available 9000000000000, held 0, seq 2
";

const EXTERNAL_IDS: &str = "
    0s | open A external=one | opened
    0s | open B external=two | opened
    0s | open C external=one | 409 conflict, external_id_taken
    0s | open D              | opened
    0s | open E              | opened
";

const TIME: &str = "
    60s | open A                    | opened
    60s | grant A 9 as g1 expires=90s | granted 9, 9 left, active
    80s | charge A 1 as c1          | charged 1, available 8
    70s | charge A 1 as c2          | charged 1, available 7
    90s | charge A 1 as c3          | 402 insufficient_credits, required 1, available 0
    90s | balance A                 | available 0, held 0, seq 4
";
