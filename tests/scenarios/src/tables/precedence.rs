//! Which refusal wins where several apply, and the range that nothing leaves.

pub(super) const TABLES: super::Topic = &[
    ("the first refusal in the order wins", PRECEDENCE),
    ("of what spends", SPENDING),
    ("of grants and adjustments", GRANTS),
    ("of captures", CAPTURES),
    ("of voids and refunds", VOIDS_AND_REFUNDS),
    ("totals stay in range", RANGE),
    ("what is held stays in range", HELD_RANGE),
    ("what is forced stays in range", FORCED_RANGE),
    ("lifetime totals stay in range", LIFETIME),
];

const PRECEDENCE: &str = "
    0s | open A                    | opened
    0s | key k1 of A limit=1/total | active
    0s | charge by k1 5 as c1      | 402 key_limit_exceeded, required 5, remaining 1
    0s | charge by k1 1 as c2      | 402 insufficient_credits, required 1, available 0
    1s | revoke k1                 | revoked
    1s | charge by k1 5 as c3      | 401 unauthorized, api_key
    1s | charge by k1 5 as c1      | again: 402 key_limit_exceeded, required 5, remaining 1
    1s | charge by k1 6 as c1      | 422 idempotency_key_reused
";

const SPENDING: &str = "
    0s | open A                         | opened
    0s | key live of A limit=1/total    | active
    0s | key dead of A limit=1/total    | active
    0s | revoke dead                    | revoked
    0s | price gold 9000000000000       | priced 9000000000000
    0s | charge A 1 as used             | 402 insufficient_credits, required 1, available 0
    0s | charge Nobody nothing as used  | 404 not_found
    1s | freeze A                       | frozen
    1s | charge by dead nothing as used | 422 idempotency_key_reused
    1s | charge by dead nothing as c1   | 401 unauthorized, api_key
    1s | hold by dead nothing as h1     | 401 unauthorized, api_key
    1s | charge by live nothing as c1   | 403 account_frozen
    1s | hold by live nothing as h1     | 403 account_frozen
    1s | unfreeze A                     | active
    1s | charge by live nothing as c1   | 404 not_found
    1s | hold by live nothing as h1     | 404 not_found
    1s | charge by live gold as c1      | 402 key_limit_exceeded, required 9000000000000, remaining 1
    1s | hold by live gold as h1        | 402 key_limit_exceeded, required 9000000000000, remaining 1
    1s | charge by live 1 as c2         | 402 insufficient_credits, required 1, available 0
    1s | hold by live 1 as h2           | 402 insufficient_credits, required 1, available 0
    2s | close A                        | closed
    2s | charge by dead nothing as c3   | 401 unauthorized, api_key
    2s | charge by live nothing as c3   | 409 conflict, account_closed
    2s | hold by live nothing as h3     | 409 conflict, account_closed
";

const GRANTS: &str = "
    0s | open A                          | opened
    0s | grant A 9000000000000 as g1     | granted 9000000000000, 9000000000000 left, active
    0s | grant A 1 as g1 expires=0s      | 422 idempotency_key_reused
    0s | grant Nobody 1 as g2 expires=0s | 404 not_found
    0s | grant A 1 as g2 expires=0s      | 400 invalid_request, expires_at
    0s | grant A 1 as g2                 | 409 conflict, balance_out_of_range
    0s | adjust A -9000000000000 as a1   | adjusted -9000000000000, available 0
    0s | adjust A -9000000000000 as a2   | 402 insufficient_credits, required 9000000000000, available 0
    0s | adjust A -1 as a3 negative=yes  | 409 conflict, balance_out_of_range
    1s | close A                         | closed
    1s | grant A 1 as g3 expires=0s      | 400 invalid_request, expires_at
    1s | grant A 1 as g3                 | 409 conflict, account_closed
    1s | adjust A -1 as a4               | 409 conflict, account_closed
";

const CAPTURES: &str = "
    0s | open A                           | opened
    0s | grant A 5 as g1                  | granted 5, 5 left, active
    0s | hold A 5 as h1                   | held 5, available 0
    0s | capture h1 quantity=9 as p1      | 400 invalid_request, quantity
    0s | capture h1 9 as p2               | 409 conflict, capture_exceeds_hold
    0s | capture h1 9 as p3 excess=charge | 402 insufficient_credits, required 4, available 0
    0s | release h1 as r1                 | released, available 5, held 0
    0s | capture h1 quantity=9 as p4      | 409 conflict, hold_closed
    0s | capture h1 9 as p5               | 409 conflict, hold_closed
    0s | capture h1 9 as p2               | again: 409 conflict, capture_exceeds_hold
";

const VOIDS_AND_REFUNDS: &str = "
    0s | open A               | opened
    0s | grant A 5 as g1      | granted 5, 5 left, active
    0s | charge A 5 as c1     | charged 5, available 0
    0s | close A              | closed
    0s | void nothing as v1   | 404 not_found
    0s | void g1 as v2        | 409 conflict, account_closed
    0s | refund nothing as r1 | 404 not_found
    0s | refund c1 6 as r2    | 409 conflict, account_closed
";

const RANGE: &str = "
    0s | open A overdraft=9000000000000        | opened
    0s | grant A 9000000000000 as g1           | granted 9000000000000, 9000000000000 left, active
    0s | grant A 0.000001 as g2                | 409 conflict, balance_out_of_range
    0s | adjust A 0.000001 as a1               | 409 conflict, balance_out_of_range
    0s | charge A 9000000000000 as c1          | charged 9000000000000, available 0
    0s | charge A 0.000001 as c2               | 409 conflict, balance_out_of_range
    0s | grant A 0.000001 as g3                | 409 conflict, balance_out_of_range
    1s | grant A 0.000001 as g2                | again: 409 conflict, balance_out_of_range
    0s | open B                                | opened
    0s | grant B 5000000000000 as g1 start=60s | granted 5000000000000, 5000000000000 left, pending
    0s | grant B 5000000000000 as g2           | 409 conflict, balance_out_of_range
    0s | adjust B 5000000000000 as a2          | 409 conflict, balance_out_of_range
    0s | grant B 4000000000000 as g3           | granted 4000000000000, 4000000000000 left, active
    2m | balance B                             | available 9000000000000, held 0, seq 2
";

const HELD_RANGE: &str = "
    0s | open A overdraft=9000000000000 | opened
    0s | grant A 9000000000000 as g1    | granted 9000000000000, 9000000000000 left, active
    0s | hold A 9000000000000 as h1     | held 9000000000000, available 0
    0s | hold A 0.000001 as h2          | 409 conflict, balance_out_of_range
    0s | balance A                      | available 0, held 9000000000000, seq 2
    0s | capture h1 as p1               | captured 9000000000000, available 0, held 0
    0s | hold A 9000000000000 as h3     | held 9000000000000, available -9000000000000
    0s | hold A 0.000001 as h4          | 402 insufficient_credits, required 0.000001, available -9000000000000
    0s | capture h3 0.000001 as p2      | 409 conflict, balance_out_of_range
    0s | capture h3 0 as p3             | captured 0, available 0, held 0
";

const FORCED_RANGE: &str = "
    0s | open A                                               | opened
    0s | price look 0                                         | priced 0
    0s | hold A look as h1                                    | held 0, available 0
    0s | capture h1 9000000000000 as p1 excess=force final=no | captured 9000000000000, available -9000000000000, held 0
    0s | capture h1 0.000001 as p2 excess=force               | 409 conflict, balance_out_of_range
    0s | open B                                               | opened
    0s | adjust B -9000000000000 as a1 negative=yes           | adjusted -9000000000000, available -9000000000000
    0s | adjust B -0.000001 as a2 negative=yes                | 409 conflict, balance_out_of_range
    0s | charge B 1 as c1                                     | 402 insufficient_credits, required 1, available -9000000000000
    0s | adjust B 9000000000000 as a3                         | adjusted 9000000000000, available 0
";

const LIFETIME: &str = "
    0s  | open A                                  | opened
    0s  | grant A 9000000000000 as g1             | granted 9000000000000, 9000000000000 left, active
    0s  | charge A 9000000000000 as c1            | charged 9000000000000, available 0
    0s  | refund c1 as r1                         | refunded 9000000000000, available 9000000000000
    0s  | charge A 0.000001 as c2                 | 409 conflict, balance_out_of_range
    0s  | charge A 0 as c3                        | charged 0, available 9000000000000
    0s  | open B                                  | opened
    0s  | grant B 9000000000000 as g1 expires=60s | granted 9000000000000, 9000000000000 left, active
    60s | balance B                               | available 0, held 0, seq 2
    60s | grant B 0.000001 as g2                  | 409 conflict, balance_out_of_range
";
