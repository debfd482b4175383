//! The overdraft: the last lot of every account, which may fall below zero.

pub(super) const TABLES: super::Topic = &[
    ("the overdraft is the last lot", OVERDRAFT),
    ("a grant that starts later pays the debt then", LATER_GRANT_PAYS),
    ("what a grant paid is spent from it", PAID_BY_A_GRANT),
    ("an adjustment pays the debt", PAID_BY_AN_ADJUSTMENT),
    ("a release pays the debt", PAID_BY_A_RELEASE),
    ("a refund pays the debt", PAID_BY_A_REFUND),
    ("what returns to a lot does not pay the debt", RETURNED_TO_A_LOT),
    ("the limit may change", LIMIT),
];

const OVERDRAFT: &str = "
    0s | open A overdraft=5      | opened
    0s | grant A 10 as g1        | granted 10, 10 left, active
    0s | charge A 12 as c1       | charged 12, available -2
    0s | charge A 3.000001 as c2 | 402 insufficient_credits, required 3.000001, available -2
    0s | hold A 3.000001 as h1   | 402 insufficient_credits, required 3.000001, available -2
    0s | charge A 3 as c3        | charged 3, available -5
    0s | charge A 0 as c4        | charged 0, available -5
    0s | lots A                  | none
    1s | grant A 4 as g2         | granted 4, 0 left, depleted
    1s | lots A                  | none
    1s | balance A               | available -1, held 0, seq 5
    1s | grant A 4 as g3         | granted 4, 3 left, active
    1s | lots A                  | g3 3
    1s | charge A 8.000001 as c5 | 402 insufficient_credits, required 8.000001, available 3
    1s | charge A 8 as c6        | charged 8, available -5
    2s | grant A 4 as g3         | again: granted 4, 3 left, active
    2s | grant A 4 as g2         | again: granted 4, 0 left, depleted
";

const LATER_GRANT_PAYS: &str = "
    0s | open A overdraft=5        | opened
    0s | grant A 8 as g1 start=60s | granted 8, 8 left, pending
    0s | charge A 5 as c1          | charged 5, available -5
    2m | balance A                 | available 3, held 0, seq 2
    2m | lots A                    | g1 3
    2m | last A                    | grant 8, held 0
    2m | charge A 8 as c2          | charged 8, available -5
";

const PAID_BY_A_GRANT: &str = "
    0s  | open A overdraft=5           | opened
    0s  | charge A 4 as c1             | charged 4, available -4
    0s  | grant A 10 as g1 expires=60s | granted 10, 6 left, active
    0s  | last A                       | grant 10, held 0
    0s  | kinds A                      | charge grant
    60s | balance A                    | available 0, held 0, seq 3
    60s | last A                       | expire -6, held 0
    60s | charge A 4 as c2             | charged 4, available -4
    60s | grant A 4 as g2 expires=90s  | granted 4, 0 left, depleted
    90s | grant-status g2              | depleted, 0 left, 0 held
    90s | balance A                    | available 0, held 0, seq 5
";

const PAID_BY_AN_ADJUSTMENT: &str = "
    0s | open A overdraft=5 | opened
    0s | charge A 5 as c1   | charged 5, available -5
    0s | adjust A 3 as a1   | adjusted 3, available -2
    0s | lots A             | none
    0s | adjust A 3 as a2   | adjusted 3, available 1
    0s | lots A             | paid 1
    0s | last A             | adjust 3, held 0
    0s | kinds A            | charge adjust adjust
";

const PAID_BY_A_RELEASE: &str = "
    0s | open A overdraft=5 | opened
    0s | grant A 2 as g1    | granted 2, 2 left, active
    0s | hold A 6 as h1     | held 6, available -4
    0s | charge A 1 as c1   | charged 1, available -5
    0s | release h1 as r1   | released, available 1, held 0
    0s | lots A             | g1 2
    0s | charge A 6 as c2   | charged 6, available -5
    1s | adjust A 5 as a1   | adjusted 5, available 0
    1s | hold A 4 as h2     | held 4, available -4
    1s | grant A 3 as g2    | granted 3, 0 left, depleted
    1s | release h2 as r2   | released, available 3, held 0
    1s | lots A             | paid 3
    1s | hold A 4 as h3     | held 4, available -1
    1s | grant A 9 as g3    | granted 9, 8 left, active
    2s | release h3 as r3   | released, available 12, held 0
    2s | lots A             | paid 3, g3 8, paid 1
    2s | kinds A            | grant hold charge release charge adjust hold grant release hold grant release
";

const PAID_BY_A_REFUND: &str = "
    0s | open A overdraft=9 | opened
    0s | charge A 5 as c1   | charged 5, available -5
    0s | charge A 3 as c2   | charged 3, available -8
    0s | refund c1 4 as r1  | refunded 4, available -4
    0s | lots A             | none
    0s | grant A 3 as g1    | granted 3, 0 left, depleted
    0s | refund c2 2 as r2  | refunded 2, available 1
    0s | lots A             | paid 1
    1s | refund c1 as r3    | refunded 1, available 2
    1s | refund c2 as r4    | refunded 1, available 3
    1s | lots A             | paid 1, paid 1, paid 1
    1s | kinds A            | charge charge refund grant refund refund refund
";

const RETURNED_TO_A_LOT: &str = "
    0s | open A overdraft=5      | opened
    0s | grant A 4 as g1         | granted 4, 4 left, active
    0s | charge A 4 as c1        | charged 4, available 0
    0s | charge A 3 as c2        | charged 3, available -3
    0s | refund c1 as r1         | refunded 4, available 1
    0s | lots A                  | g1 4
    0s | charge A 6.000001 as c3 | 402 insufficient_credits, required 6.000001, available 1
    0s | charge A 6 as c4        | charged 6, available -5
    0s | lots A                  | none
    0s | grant A 5 as g2         | granted 5, 0 left, depleted
";

const LIMIT: &str = "
    0s | open A                  | opened
    0s | charge A 1 as c1        | 402 insufficient_credits, required 1, available 0
    0s | overdraft A 5           | active
    0s | charge A 5 as c2        | charged 5, available -5
    0s | overdraft A 2           | active
    0s | balance A               | available -5, held 0, seq 1
    0s | charge A 0.000001 as c3 | 402 insufficient_credits, required 0.000001, available -5
    0s | charge A 0 as c4        | charged 0, available -5
    0s | grant A 4 as g1         | granted 4, 0 left, depleted
    0s | charge A 2 as c5        | 402 insufficient_credits, required 2, available -1
    0s | charge A 1 as c6        | charged 1, available -2
    0s | overdraft Nobody 2      | 404 not_found
";
