//! The same request is answered once, whatever it is.

pub(super) const TABLES: super::Topic = &[
    ("the same request is answered once", THE_SAME_REQUEST),
    ("a refusal is remembered", A_REFUSAL_IS_REMEMBERED),
    ("other refusals leave no trace", OTHER_REFUSALS),
    ("every request is answered again", EVERY_REQUEST),
    ("another request of the same kind is noticed", ANOTHER_REQUEST),
    ("a request of another kind is noticed", ANOTHER_KIND),
    ("what says the default is the same request", DEFAULTS),
    ("every 402 and 409 is remembered", REMEMBERED),
    ("no 400, 401, 403 or 404 is remembered", NOT_REMEMBERED),
    ("the answer is the first one, whatever has changed since", FIRST_ANSWER),
];

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
    0s | open A                                | opened
    9s | grant A 5 as g1 expires=9s            | 400 invalid_request, expires_at
    9s | grant A 5 as g1 start=20s expires=20s | 400 invalid_request, expires_at
    9s | grant A 5 as g1                       | granted 5, 5 left, active
    9s | charge Nobody 1 as c1                 | 404 not_found
    9s | grant Nobody 1 as g1                  | 404 not_found
    9s | balance Nobody                        | 404 not_found
    9s | balance A                             | available 5, held 0, seq 1
";

const EVERY_REQUEST: &str = "
    0s  | open A overdraft=1              | opened
    0s  | key k1 of A                     | active
    0s  | price resize 2                  | priced 2
    0s  | grant A 20 as g1 ref=x          | granted 20, 20 left, active
    0s  | grant A 9 as g2 start=40d       | granted 9, 9 left, pending
    0s  | adjust A 3 as a1                | adjusted 3, available 23
    0s  | charge A resize*2 as c1         | charged 4, available 19
    0s  | charge by k1 1 as c2 ref=y      | charged 1, available 18
    0s  | refund c1 1 as r1               | refunded 1, available 19
    0s  | hold A 5 as h1                  | held 5, available 14
    0s  | hold by k1 resize as h2 for=60s | held 2, available 12
    0s  | capture h1 2 as p1 final=no     | captured 2, available 12, held 5
    0s  | capture h1 1 as p2              | captured 1, available 14, held 2
    0s  | release h2 as l1                | released, available 16, held 0
    0s  | void g1 as v1                   | voided, 0 left, 0 held
    0s  | balance A                       | available 3, held 0, seq 12
    30d | grant A 20 as g1 ref=x          | again: granted 20, 20 left, active
    30d | grant A 9 as g2 start=40d       | again: granted 9, 9 left, pending
    30d | adjust A 3 as a1                | again: adjusted 3, available 23
    30d | charge A resize*2 as c1         | again: charged 4, available 19
    30d | charge by k1 1 as c2 ref=y      | again: charged 1, available 18
    30d | refund c1 1 as r1               | again: refunded 1, available 19
    30d | hold A 5 as h1                  | again: held 5, available 14
    30d | hold by k1 resize as h2 for=60s | again: held 2, available 12
    30d | capture h1 2 as p1 final=no     | again: captured 2, available 12, held 5
    30d | capture h1 1 as p2              | again: captured 1, available 14, held 2
    30d | release h2 as l1                | again: released, available 16, held 0
    30d | void g1 as v1                   | again: voided, 0 left, 0 held
    30d | balance A                       | available 3, held 0, seq 12
";

const ANOTHER_REQUEST: &str = "
    0s | open A                                   | opened
    0s | key k1 of A                              | active
    0s | key k2 of A                              | active
    0s | price resize 2                           | priced 2
    0s | grant A 20 as g1                         | granted 20, 20 left, active
    0s | grant A 20 as g2                         | granted 20, 20 left, active
    0s | grant A 20 as g1 priority=51             | 422 idempotency_key_reused
    0s | grant A 20 as g1 category=promotional    | 422 idempotency_key_reused
    0s | grant A 20 as g1 expires=1h              | 422 idempotency_key_reused
    0s | grant A 20 as g1 ref=x                   | 422 idempotency_key_reused
    0s | adjust A -1 as a1                        | adjusted -1, available 39
    0s | adjust A -2 as a1                        | 422 idempotency_key_reused
    0s | adjust A -1 as a1 negative=yes           | 422 idempotency_key_reused
    0s | charge by k1 resize*2 as c1              | charged 4, available 35
    0s | charge by k2 resize*2 as c1              | 422 idempotency_key_reused
    0s | charge A resize*2 as c1                  | 422 idempotency_key_reused
    0s | charge by k1 resize*3 as c1              | 422 idempotency_key_reused
    0s | charge by k1 nothing*2 as c1             | 422 idempotency_key_reused
    0s | charge by k1 4 as c1                     | 422 idempotency_key_reused
    0s | charge A 1 as c2                         | charged 1, available 34
    0s | refund c1 1 as r1                        | refunded 1, available 35
    0s | refund c1 2 as r1                        | 422 idempotency_key_reused
    0s | refund c1 as r1                          | 422 idempotency_key_reused
    0s | refund c2 1 as r1                        | 422 idempotency_key_reused
    0s | hold A 5 as h1                           | held 5, available 30
    0s | hold A 5 as h1 for=60s                   | 422 idempotency_key_reused
    0s | hold A 6 as h1                           | 422 idempotency_key_reused
    0s | hold A 5 as h1 ref=x                     | 422 idempotency_key_reused
    0s | hold by k1 5 as h1                       | 422 idempotency_key_reused
    0s | hold A resize*2 as h2                    | held 4, available 26
    0s | capture h1 1 as p1 final=no              | captured 1, available 26, held 8
    0s | capture h1 2 as p1 final=no              | 422 idempotency_key_reused
    0s | capture h1 1 as p1                       | 422 idempotency_key_reused
    0s | capture h1 1 as p1 final=no excess=force | 422 idempotency_key_reused
    0s | capture h1 quantity=1 as p1 final=no     | 422 idempotency_key_reused
    0s | capture h1 as p1 final=no                | 422 idempotency_key_reused
    0s | capture h2 1 as p1 final=no              | 422 idempotency_key_reused
    0s | release h1 as l1                         | released, available 30, held 4
    0s | release h2 as l1                         | 422 idempotency_key_reused
    0s | void g1 as v1                            | voided, 0 left, 4 held
    0s | void g2 as v1                            | 422 idempotency_key_reused
    0s | balance A                                | available 20, held 4, seq 11
";

const ANOTHER_KIND: &str = "
    0s | open A           | opened
    0s | grant A 20 as g1 | granted 20, 20 left, active
    0s | charge A 5 as c1 | charged 5, available 15
    0s | hold A 5 as c1   | 422 idempotency_key_reused
    0s | adjust A 5 as c1 | 422 idempotency_key_reused
    0s | grant A 5 as c1  | 422 idempotency_key_reused
    0s | void g1 as c1    | 422 idempotency_key_reused
    0s | refund c1 as c1  | 422 idempotency_key_reused
    0s | hold A 5 as h1   | held 5, available 10
    0s | charge A 5 as h1 | 422 idempotency_key_reused
    0s | capture h1 as h1 | 422 idempotency_key_reused
    0s | capture h1 as c1 | 422 idempotency_key_reused
    0s | release h1 as h1 | 422 idempotency_key_reused
    0s | release h1 as r1 | released, available 15, held 0
    0s | capture h1 as r1 | 422 idempotency_key_reused
    0s | balance A        | available 15, held 0, seq 4
";

const DEFAULTS: &str = "
    0s | open A                                     | opened
    0s | price resize 2                             | priced 2
    0s | grant A 20 as g1                           | granted 20, 20 left, active
    0s | grant A 20 as g1 priority=50 category=paid | again: granted 20, 20 left, active
    0s | adjust A 3 as a1                           | adjusted 3, available 23
    0s | adjust A 3.0 as a1 negative=no             | again: adjusted 3, available 23
    0s | charge A resize as c1                      | charged 2, available 21
    0s | charge A resize*1.00 as c1                 | again: charged 2, available 21
    0s | hold A 5 as h1                             | held 5, available 16
    0s | hold A 5 as h1 for=15m                     | again: held 5, available 16
    0s | capture h1 as p1                           | captured 5, available 16, held 0
    0s | capture h1 as p1 final=yes excess=refuse   | again: captured 5, available 16, held 0
";

const REMEMBERED: &str = "
    0s | open A                           | opened
    0s | key k1 of A limit=1/total        | active
    0s | grant A 10 as g1                 | granted 10, 10 left, active
    0s | charge A 6 as c1                 | charged 6, available 4
    0s | hold A 3 as h1                   | held 3, available 1
    1s | charge A 2 as x1                 | 402 insufficient_credits, required 2, available 1
    1s | hold A 2 as x2                   | 402 insufficient_credits, required 2, available 1
    1s | adjust A -2 as x3                | 402 insufficient_credits, required 2, available 1
    1s | capture h1 5 as x4 excess=charge | 402 insufficient_credits, required 2, available 1
    1s | charge by k1 2 as x5             | 402 key_limit_exceeded, required 2, remaining 1
    1s | hold by k1 2 as x6               | 402 key_limit_exceeded, required 2, remaining 1
    1s | capture h1 4 as x7               | 409 conflict, capture_exceeds_hold
    1s | refund c1 7 as x8                | 409 conflict, refund_exceeds_charge
    1s | grant A 9000000000000 as x9      | 409 conflict, balance_out_of_range
    1s | adjust A 9000000000000 as x10    | 409 conflict, balance_out_of_range
    2s | release h1 as r1                 | released, available 4, held 0
    2s | capture h1 as x11                | 409 conflict, hold_closed
    2s | release h1 as x12                | 409 conflict, hold_closed
    2s | grant A 90 as g2                 | granted 90, 90 left, active
    2s | unlimit k1                       | active
    2s | void g1 as v1                    | voided, 0 left, 0 held
    2s | void g1 as x13                   | 409 conflict, grant_closed
    3s | charge A 2 as x1                 | again: 402 insufficient_credits, required 2, available 1
    3s | hold A 2 as x2                   | again: 402 insufficient_credits, required 2, available 1
    3s | adjust A -2 as x3                | again: 402 insufficient_credits, required 2, available 1
    3s | capture h1 5 as x4 excess=charge | again: 402 insufficient_credits, required 2, available 1
    3s | charge by k1 2 as x5             | again: 402 key_limit_exceeded, required 2, remaining 1
    3s | hold by k1 2 as x6               | again: 402 key_limit_exceeded, required 2, remaining 1
    3s | capture h1 4 as x7               | again: 409 conflict, capture_exceeds_hold
    3s | refund c1 7 as x8                | again: 409 conflict, refund_exceeds_charge
    3s | grant A 9000000000000 as x9      | again: 409 conflict, balance_out_of_range
    3s | adjust A 9000000000000 as x10    | again: 409 conflict, balance_out_of_range
    3s | capture h1 as x11                | again: 409 conflict, hold_closed
    3s | release h1 as x12                | again: 409 conflict, hold_closed
    3s | void g1 as x13                   | again: 409 conflict, grant_closed
    3s | charge A 1 as x1                 | 422 idempotency_key_reused
    3s | release h1 as x11                | 422 idempotency_key_reused
    3s | balance A                        | available 90, held 0, seq 6
";

const NOT_REMEMBERED: &str = "
    0s | open A                      | opened
    0s | grant A 10 as g1            | granted 10, 10 left, active
    0s | key k1 of A                 | active
    1s | grant A 1 as x1 expires=1s  | 400 invalid_request, expires_at
    1s | grant A 1 as x1             | granted 1, 1 left, active
    1s | charge A resize as x2       | 404 not_found
    1s | charge A resize*2 as x2     | 404 not_found
    1s | price resize 1              | priced 1
    1s | charge A resize as x2       | charged 1, available 10
    1s | hold A 2 as h1              | held 2, available 8
    1s | capture h1 quantity=1 as x3 | 400 invalid_request, quantity
    1s | capture h1 as x3            | captured 2, available 8, held 0
    1s | disable k1                  | disabled
    1s | charge by k1 1 as x4        | 401 unauthorized, api_key
    1s | charge by k1 2 as x4        | 401 unauthorized, api_key
    1s | enable k1                   | active
    1s | freeze A                    | frozen
    1s | charge by k1 1 as x4        | 403 account_frozen
    1s | hold A 1 as x5              | 403 account_frozen
    1s | unfreeze A                  | active
    1s | charge by k1 1 as x4        | charged 1, available 7
    1s | charge A 1 as x5            | charged 1, available 6
    1s | void nothing as x6          | 404 not_found
    1s | refund nothing as x6        | 404 not_found
    1s | capture nothing as x6       | 404 not_found
    1s | release nothing as x6       | 404 not_found
    1s | charge A 2 as x4            | 422 idempotency_key_reused
    1s | charge A 1 as x6            | charged 1, available 5
";

const FIRST_ANSWER: &str = "
    0s | open A                       | opened
    0s | grant A 10 as g1 expires=60s | granted 10, 10 left, active
    0s | hold A 4 as h1               | held 4, available 6
    0s | charge A 2 as c1             | charged 2, available 4
    0s | void g1 as v1                | voided, 0 left, 4 held
    1s | refund c1 1 as r1            | refunded 1, available 0
    1s | capture h1 1 as p1           | captured 1, available 0, held 0
    2s | freeze A                     | frozen
    2m | grant A 10 as g1 expires=60s | again: granted 10, 10 left, active
    2m | hold A 4 as h1               | again: held 4, available 6
    2m | charge A 2 as c1             | again: charged 2, available 4
    2m | void g1 as v1                | again: voided, 0 left, 4 held
    2m | refund c1 1 as r1            | again: refunded 1, available 0
    2m | capture h1 1 as p1           | again: captured 1, available 0, held 0
    2m | close A                      | closed
    2m | void g1 as v1                | again: voided, 0 left, 4 held
    2m | hold A 4 as h1               | again: held 4, available 6
    2m | hold A 4 as h2               | 409 conflict, account_closed
";
