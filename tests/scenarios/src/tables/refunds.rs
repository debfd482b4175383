//! Refunds.

pub(super) const TABLES: super::Topic = &[
    ("a refund never exceeds its charge", NEVER_MORE),
    ("a refund returns in reverse burn order", REVERSE),
    ("a refund reopens what was depleted", REOPENS),
    ("what would return to an expired lot becomes a promotional one", EXPIRED),
    ("one such lot a day", ONE_A_DAY),
    ("a lot of refunds is a lot like others", LIKE_OTHERS),
    ("to each lot its own", MIXED),
    ("captured charges are refunded too", CAPTURED),
    ("what was drawn on the overdraft twice returns at once", TWICE_OVERDRAWN),
];

const NEVER_MORE: &str = "
    0s | open A                   | opened
    0s | grant A 10 as g1         | granted 10, 10 left, active
    0s | charge A 6 as c1         | charged 6, available 4
    0s | charge A 0 as c0         | charged 0, available 4
    1s | refund c1 2 as r1        | refunded 2, available 6
    1s | last A                   | refund 2, held 0
    1s | refund c1 2 as r1        | again: refunded 2, available 6
    1s | refund c1 4.000001 as r2 | 409 conflict, refund_exceeds_charge
    1s | refund c1 as r3          | refunded 4, available 10
    1s | refund c1 as r4          | 409 conflict, refund_exceeds_charge
    1s | refund c1 0.000001 as r5 | 409 conflict, refund_exceeds_charge
    1s | refund c0 as r6          | 409 conflict, refund_exceeds_charge
    1s | refund nothing as r7     | 404 not_found
    1s | balance A                | available 10, held 0, seq 5
    1s | lots A                   | g1 10
";

const REVERSE: &str = "
    0s | open A overdraft=3         | opened
    0s | grant A 2 as g1 expires=1h | granted 2, 2 left, active
    0s | grant A 4 as g2 expires=2h | granted 4, 4 left, active
    0s | charge A 9 as c1           | charged 9, available -3
    1s | refund c1 2 as r1          | refunded 2, available -1
    1s | lots A                     | none
    1s | refund c1 3 as r2          | refunded 3, available 2
    1s | lots A                     | g2 2
    1s | refund c1 3 as r3          | refunded 3, available 5
    1s | lots A                     | g1 1, g2 4
    1s | refund c1 as r4            | refunded 1, available 6
    1s | lots A                     | g1 2, g2 4
";

const REOPENS: &str = "
    0s  | open A                      | opened
    0s  | grant A 5 as g1 expires=60s | granted 5, 5 left, active
    0s  | charge A 5 as c1            | charged 5, available 0
    1s  | grant-status g1             | depleted, 0 left, 0 held
    1s  | refund c1 2 as r1           | refunded 2, available 2
    1s  | grant-status g1             | active, 2 left, 0 held
    1s  | charge A 1 as c2            | charged 1, available 1
    60s | grant-status g1             | expired, 0 left, 0 held
    60s | last A                      | expire -1, held 0
";

const EXPIRED: &str = "
    0s     | open A                       | opened
    0s     | grant A 10 as g1 expires=60s | granted 10, 10 left, active
    0s     | charge A 6 as c1             | charged 6, available 4
    0s     | charge A 4 as c2             | charged 4, available 0
    59s    | refund c2 1 as r0            | refunded 1, available 1
    60s    | refund c1 2 as r1            | refunded 2, available 2
    60s    | lots A                       | promotional 2
    60s    | grant-status g1              | expired, 0 left, 0 held
    60s    | kinds A                      | grant charge charge refund expire refund
    60s    | grant A 5 as g2              | granted 5, 5 left, active
    60s    | grant A 5 as g3 expires=31d  | granted 5, 5 left, active
    60s    | lots A                       | promotional 2, g3 5, g2 5
    43200m | balance A                    | available 12, held 0, seq 8
    43201m | balance A                    | available 10, held 0, seq 9
    43201m | last A                       | expire -2, held 0
";

const ONE_A_DAY: &str = "
    0s     | open A                       | opened
    0s     | grant A 10 as g1 expires=60s | granted 10, 10 left, active
    0s     | charge A 10 as c1            | charged 10, available 0
    2m     | refund c1 1 as r1            | refunded 1, available 1
    3m     | refund c1 2 as r2            | refunded 2, available 3
    3m     | lots A                       | promotional 3
    43199s | refund c1 1 as r3            | refunded 1, available 4
    43199s | lots A                       | promotional 4
    12h    | refund c1 1 as r4            | refunded 1, available 5
    12h    | lots A                       | promotional 4, promotional 1
    13h    | refund c1 2 as r5            | refunded 2, available 7
    13h    | lots A                       | promotional 4, promotional 3
    43202m | balance A                    | available 3, held 0, seq 8
    732h   | balance A                    | available 0, held 0, seq 9
    732h   | refund c1 as r6              | refunded 3, available 3
    732h   | lots A                       | promotional 3
";

const LIKE_OTHERS: &str = "
    0s   | open A                       | opened
    0s   | grant A 10 as g1 expires=60s | granted 10, 10 left, active
    0s   | charge A 10 as c1            | charged 10, available 0
    2m   | refund c1 4 as r1            | refunded 4, available 4
    2m   | charge A 4 as c2             | charged 4, available 0
    2m   | lots A                       | none
    3m   | refund c1 1 as r2            | refunded 1, available 1
    3m   | lots A                       | promotional 1
    3m   | refund c2 2 as r3            | refunded 2, available 3
    3m   | lots A                       | promotional 3
    3m   | hold A 3 as h1 for=7d        | held 3, available 0
    3m   | refund c1 1 as r4            | refunded 1, available 1
    3m   | lots A                       | promotional 1 held 3
    3m   | release h1 as r5             | released, available 4, held 0
    732h | balance A                    | available 0, held 0, seq 10
    732h | refund c2 as r6              | refunded 2, available 2
    732h | lots A                       | promotional 2
";

const MIXED: &str = "
    0s  | open A overdraft=2          | opened
    0s  | grant A 3 as g1 expires=60s | granted 3, 3 left, active
    0s  | grant A 3 as g2 expires=2m  | granted 3, 3 left, active
    0s  | grant A 3 as g3             | granted 3, 3 left, active
    0s  | charge A 11 as c1           | charged 11, available -2
    1s  | adjust A 2 as a1            | adjusted 2, available 0
    90s | refund c1 10 as r1          | refunded 10, available 10
    90s | lots A                      | g2 3, promotional 2, g3 3, paid 2
    90s | refund c1 as r2             | refunded 1, available 11
    90s | lots A                      | g2 3, promotional 3, g3 3, paid 2
    90s | kinds A                     | grant grant grant charge adjust refund refund
";

const CAPTURED: &str = "
    0s | open A                           | opened
    0s | grant A 3 as g1 expires=60s      | granted 3, 3 left, active
    0s | grant A 7 as g2                  | granted 7, 7 left, active
    0s | hold A 5 as h1                   | held 5, available 5
    1s | capture h1 4 as p1 final=no      | captured 4, available 5, held 1
    1s | refund p1 2 as r1                | refunded 2, available 7
    1s | lots A                           | g1 1, g2 6 held 1
    1s | hold-status h1                   | open, captured 4
    1s | refund p1 3 as r2                | 409 conflict, refund_exceeds_charge
    1s | capture h1 2 as p2 excess=charge | captured 2, available 6, held 0
    1s | lots A                           | g2 6
    2m | refund p1 as r3                  | refunded 2, available 8
    2m | lots A                           | promotional 2, g2 6
    2m | refund p2 as r4                  | refunded 2, available 10
    2m | lots A                           | promotional 3, g2 7
    2m | hold-status h1                   | captured, captured 6
";

const TWICE_OVERDRAWN: &str = "
    0s | open A overdraft=100             | opened
    0s | hold A 10 as h1                  | held 10, available -10
    0s | capture h1 20 as p1 excess=charge | captured 20, available -20, held 0
    1s | grant A 15 as g1                 | granted 15, 0 left, depleted
    1s | refund p1 as r1                  | refunded 20, available 15
    1s | last A                           | refund 20, held 0
    2s | charge A 15 as c1                | charged 15, available 0
    2s | refund p1 as r2                  | 409 conflict, refund_exceeds_charge
";
