//! Operations, and what they cost.

pub(super) const TABLES: super::Topic = &[
    ("an operation costs what the catalogue says", CATALOGUE),
    ("products are rounded half-even to a millionth", ROUNDING),
    ("what is free is never refused for lack of credits", FREE),
    ("reading the balance is free for ever", RESERVED),
    ("a charge is priced when it is made", PRICED_WHEN_MADE),
    ("a hold keeps its price", A_HOLD_KEEPS_ITS_PRICE),
    ("a quantity is captured only of an operation", QUANTITY),
    ("an operation counts for the cap of a key", CAPPED),
    ("what costs more than there can be", TOO_MUCH),
];

const CATALOGUE: &str = "
    0s | open A                     | opened
    0s | grant A 10 as g1           | granted 10, 10 left, active
    0s | charge A resize as c1      | 404 not_found
    0s | hold A resize as h1        | 404 not_found
    0s | price resize 0.0025        | priced 0.0025
    0s | charge A resize as c1      | charged 0.0025, available 9.9975
    0s | charge A resize*2.5 as c2  | charged 0.00625, available 9.99125
    0s | charge A resize*400 as c3  | charged 1, available 8.99125
    0s | charge A resize*4000 as c4 | 402 insufficient_credits, required 10, available 8.99125
    1s | price resize 3             | priced 3
    1s | charge A resize*2 as c5    | charged 6, available 2.99125
    1s | charge A resize as c6      | 402 insufficient_credits, required 3, available 2.99125
    2s | unprice resize             | unpriced
    2s | charge A resize as c7      | 404 not_found
    2s | unprice resize             | 404 not_found
    2s | unprice nothing            | 404 not_found
    3s | price resize 2             | priced 2
    3s | charge A resize as c7      | charged 2, available 0.99125
";

const ROUNDING: &str = "
    0s | open A                            | opened
    0s | grant A 10 as g1                  | granted 10, 10 left, active
    0s | price half 0.0000005              | priced 0.0000005
    0s | charge A half as c1               | charged 0, available 10
    0s | charge A half*3 as c2             | charged 0.000002, available 9.999998
    0s | charge A half*5 as c3             | charged 0.000002, available 9.999996
    0s | charge A half*7 as c4             | charged 0.000004, available 9.999992
    0s | price fine 0.000000000001         | priced 0.000000000001
    0s | charge A fine*500000 as c5        | charged 0, available 9.999992
    0s | charge A fine*500000.000001 as c6 | charged 0.000001, available 9.999991
    0s | charge A fine*1500000 as c7       | charged 0.000002, available 9.999989
    0s | charge A fine*0.000001 as c8      | charged 0, available 9.999989
    0s | price third 0.333333333333        | priced 0.333333333333
    0s | charge A third*3 as c9            | charged 1, available 8.999989
    0s | price even 1.500000               | priced 1.5
    0s | charge A even*0.000001 as c10     | charged 0.000002, available 8.999987
    0s | hold A half*3 as h1               | held 0.000002, available 8.999985
    0s | capture h1 quantity=1 as p1       | captured 0, available 8.999987, held 0
";

const FREE: &str = "
    0s | open A                            | opened
    0s | key k1 of A limit=1/day           | active
    0s | price look 0                      | priced 0
    0s | charge A look as c1               | charged 0, available 0
    0s | charge A look*9000000000000 as c2 | charged 0, available 0
    0s | charge by k1 look as c3           | charged 0, available 0
    0s | hold A look as h1                 | held 0, available 0
    0s | balance A                         | available 0, held 0, seq 4
    0s | hold-status h1                    | open, captured 0
    1s | price look 7                      | priced 7
    1s | capture h1 quantity=9 as p1       | captured 0, available 0, held 0
    1s | kinds A                           | charge charge charge hold capture
    1s | hold by k1 look as h2             | 402 key_limit_exceeded, required 7, remaining 1
";

const RESERVED: &str = "
    0s | open A                               | opened
    0s | charge A get-credits-balance*5 as c1 | charged 0, available 0
    0s | price get-credits-balance 1          | 409 conflict, reserved_operation
    0s | price get-credits-balance 0          | 409 conflict, reserved_operation
    0s | unprice get-credits-balance          | 409 conflict, reserved_operation
    0s | charge A get-credits-balance as c2   | charged 0, available 0
";

const PRICED_WHEN_MADE: &str = "
    0s | open A                    | opened
    0s | grant A 10 as g1          | granted 10, 10 left, active
    0s | price resize 2            | priced 2
    0s | charge A resize as c1     | charged 2, available 8
    0s | charge A resize*1 as c1   | again: charged 2, available 8
    0s | charge A resize*1.0 as c1 | again: charged 2, available 8
    0s | charge A resize*9 as c2   | 402 insufficient_credits, required 18, available 8
    1s | price resize 1            | priced 1
    1s | charge A resize as c1     | again: charged 2, available 8
    1s | charge A resize*2 as c1   | 422 idempotency_key_reused
    1s | charge A 2 as c1          | 422 idempotency_key_reused
    1s | charge A resize*9 as c2   | again: 402 insufficient_credits, required 18, available 8
    1s | unprice resize            | unpriced
    1s | charge A resize as c1     | again: charged 2, available 8
    1s | refund c1 as r1           | refunded 2, available 10
";

const A_HOLD_KEEPS_ITS_PRICE: &str = "
    0s | open A                                    | opened
    0s | grant A 20 as g1                          | granted 20, 20 left, active
    0s | price resize 2                            | priced 2
    0s | hold A resize*3 as h1                     | held 6, available 14
    0s | hold A resize*3 as h2                     | held 6, available 8
    1s | price resize 5                            | priced 5
    1s | hold A resize as h3                       | held 5, available 3
    1s | capture h1 quantity=1 as p1 final=no      | captured 2, available 3, held 15
    1s | capture h1 quantity=1.5 as p2             | captured 3, available 4, held 11
    1s | hold-status h1                            | captured, captured 5
    1s | unprice resize                            | unpriced
    1s | capture h2 quantity=4 as p3               | 409 conflict, capture_exceeds_hold
    1s | capture h2 quantity=4 as p4 excess=charge | captured 8, available 2, held 5
    1s | capture h3 2 as p5                        | captured 2, available 5, held 0
    1s | hold A resize*3 as h1                     | again: held 6, available 14
";

const QUANTITY: &str = "
    0s | open A                      | opened
    0s | grant A 9 as g1             | granted 9, 9 left, active
    0s | price resize 2              | priced 2
    0s | hold A 5 as h1              | held 5, available 4
    0s | hold A resize*2 as h2       | held 4, available 0
    1s | capture h1 quantity=1 as p1 | 400 invalid_request, quantity
    1s | hold-status h1              | open, captured 0
    1s | capture h1 1 as p1          | captured 1, available 4, held 4
    1s | capture h2 as p2            | captured 4, available 4, held 0
    1s | capture h2 quantity=2 as p2 | 422 idempotency_key_reused
";

const CAPPED: &str = "
    0s | open A                        | opened
    0s | grant A 100 as g1             | granted 100, 100 left, active
    0s | price resize 2                | priced 2
    0s | key k1 of A limit=9/day       | active
    0s | charge by k1 resize*2 as c1   | charged 4, available 96
    0s | hold by k1 resize*2 as h1     | held 4, available 92
    0s | charge by k1 resize as c2     | 402 key_limit_exceeded, required 2, remaining 1
    0s | charge by k1 resize*0.5 as c3 | charged 1, available 91
    1s | capture h1 quantity=0.5 as p1 | captured 1, available 94, held 0
    1s | spent k1                      | 6
";

const TOO_MUCH: &str = "
    0s | open A overdraft=9000000000000  | opened
    0s | price gold 9000000000000        | priced 9000000000000
    0s | charge A gold*1.000001 as c1    | 409 conflict, balance_out_of_range
    0s | hold A gold*9000000000000 as h1 | 409 conflict, balance_out_of_range
    0s | charge A gold*0.000001 as c2    | charged 9000000, available -9000000
";
