//! Charges.

pub(super) const TABLES: super::Topic = &[
    ("a charge takes what it says", A_CHARGE_TAKES_WHAT_IT_SAYS),
    ("nothing is spent twice", NOTHING_IS_SPENT_TWICE),
];

const A_CHARGE_TAKES_WHAT_IT_SAYS: &str = "
    0s | open A                     | opened
    0s | balance A                  | available 0, held 0, seq 0
    0s | grant A 1234 as g1         | granted 1234, 1234 left, active
    0s | charge A 1 as c1           | charged 1, available 1233
    0s | last A                     | charge -1, held 0
    1s | charge A 0.000001 as c2    | charged 0.000001, available 1232.999999
    2s | charge A 0 as c3           | charged 0, available 1232.999999
    2s | last A                     | charge 0, held 0
    3s | charge A 1232.999999 as c4 | charged 1232.999999, available 0
    4s | charge A 0 as c5           | charged 0, available 0
    5s | balance A                  | available 0, held 0, seq 6
    5s | grant-status g1            | depleted, 0 left, 0 held
    5s | kinds A                    | grant charge charge charge charge charge
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
    0s | kinds B                  |
";
