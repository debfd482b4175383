//! Captures: all of a hold, a part of it, or more than it holds.

pub(super) const TABLES: super::Topic = &[
    ("a final capture gives the rest back", FINAL),
    ("a hold is captured in parts", PARTS),
    ("a final capture of nothing is a release", NOTHING),
    ("a capture that is not final leaves the hold open", LEFT_OPEN),
    ("more than is held is refused", REFUSED),
    ("what a capture takes beyond the hold is charged", CHARGED),
    ("what a capture takes beyond the hold is forced", FORCED),
    ("what is taken beyond the hold burns in order", EXCESS_BURNS),
    ("a capture inherits what the hold was made with", INHERITED),
];

const FINAL: &str = "
    0s | open A             | opened
    0s | grant A 8 as g1    | granted 8, 8 left, active
    0s | hold A 5 as h1     | held 5, available 3
    1s | capture h1 2 as p1 | captured 2, available 6, held 0
    1s | kinds A            | grant hold capture release
    1s | last A             | release 3, held -3
    1s | hold-status h1     | captured, captured 2
    1s | capture h1 1 as p2 | 409 conflict, hold_closed
    1s | balance A          | available 6, held 0, seq 4
    2s | charge A 6 as c1   | charged 6, available 0
    2s | capture h1 2 as p1 | again: captured 2, available 6, held 0
";

const PARTS: &str = "
    0s  | open A                                       | opened
    0s  | grant A 10 as g1                             | granted 10, 10 left, active
    0s  | hold A 6 as h1                               | held 6, available 4
    1s  | capture h1 2 as p1 final=no                  | captured 2, available 4, held 4
    1s  | last A                                       | capture 0, held -2
    1s  | hold-status h1                               | open, captured 2
    1s  | capture h1 1 as p2 final=no                  | captured 1, available 4, held 3
    1s  | capture h1 0.5 as p3 final=yes excess=refuse | captured 0.5, available 6.5, held 0
    1s  | hold-status h1                               | captured, captured 3.5
    1s  | kinds A                                      | grant hold capture capture capture release
    1s  | hold A 6 as h2                               | held 6, available 0.5
    1s  | capture h2 2 as p4 final=no                  | captured 2, available 0.5, held 4
    1s  | capture h2 as p5                             | captured 4, available 0.5, held 0
    1s  | last A                                       | capture 0, held -4
    1s  | hold A 0.5 as h3                             | held 0.5, available 0
    1s  | capture h3 0.2 as p6 final=no                | captured 0.2, available 0, held 0.3
    1s  | release h3 as r1                             | released, available 0.3, held 0
    1s  | hold-status h3                               | released, captured 0.2
    1s  | hold A 0.3 as h4 for=60s                     | held 0.3, available 0
    1s  | capture h4 0.2 as p7 final=no                | captured 0.2, available 0, held 0.1
    61s | balance A                                    | available 0.1, held 0, seq 15
    61s | hold-status h4                               | expired, captured 0.2
    61s | last A                                       | release 0.1, held -0.1
";

const NOTHING: &str = "
    0s | open A             | opened
    0s | grant A 8 as g1    | granted 8, 8 left, active
    0s | hold A 5 as h1     | held 5, available 3
    1s | capture h1 0 as p1 | captured 0, available 8, held 0
    1s | kinds A            | grant hold capture release
    1s | hold-status h1     | released, captured 0
    1s | lots A             | g1 8
    1s | refund p1 as r1    | 409 conflict, refund_exceeds_charge
    1s | capture h1 0 as p1 | again: captured 0, available 8, held 0
    1s | capture h1 0 as p2 | 409 conflict, hold_closed
";

const LEFT_OPEN: &str = "
    0s  | open A                                    | opened
    0s  | grant A 8 as g1                           | granted 8, 8 left, active
    0s  | hold A 5 as h1 for=60s                    | held 5, available 3
    1s  | capture h1 as p1 final=no                 | captured 5, available 3, held 0
    1s  | hold-status h1                            | open, captured 5
    1s  | capture h1 as p9 final=no                 | 400 invalid_request, credits
    1s  | capture h1 1 as p2 final=no               | 409 conflict, capture_exceeds_hold
    1s  | capture h1 1 as p3 final=no excess=charge | captured 1, available 2, held 0
    1s  | hold-status h1                            | open, captured 6
    59s | capture h1 2 as p4 final=no excess=charge | captured 2, available 0, held 0
    60s | hold-status h1                            | expired, captured 8
    60s | balance A                                 | available 0, held 0, seq 5
    60s | capture h1 1 as p5 excess=force           | 409 conflict, hold_closed
    61s | adjust A 5 as a1                          | adjusted 5, available 5
    61s | kinds A                                   | grant hold capture capture capture adjust
    61s | hold A 5 as h2                            | held 5, available 0
    61s | capture h2 as p6 final=no                 | captured 5, available 0, held 0
    61s | release h2 as r1                          | released, available 0, held 0
    61s | last A                                    | release 0, held 0
    61s | hold-status h2                            | released, captured 5
";

const REFUSED: &str = "
    0s | open A                      | opened
    0s | grant A 8 as g1             | granted 8, 8 left, active
    0s | hold A 5 as h1              | held 5, available 3
    1s | capture h1 5.000001 as p1   | 409 conflict, capture_exceeds_hold
    1s | hold-status h1              | open, captured 0
    1s | capture h1 3 as p2 final=no | captured 3, available 3, held 2
    1s | capture h1 3 as p3          | 409 conflict, capture_exceeds_hold
    1s | capture h1 3 as p3          | again: 409 conflict, capture_exceeds_hold
    1s | balance A                   | available 3, held 2, seq 3
    1s | capture h1 2 as p4          | captured 2, available 3, held 0
";

const CHARGED: &str = "
    0s | open A overdraft=2                        | opened
    0s | grant A 10 as g1                          | granted 10, 10 left, active
    0s | hold A 4 as h1                            | held 4, available 6
    1s | capture h1 12.000001 as p1 excess=charge  | 402 insufficient_credits, required 8.000001, available 6
    1s | balance A                                 | available 6, held 4, seq 2
    1s | hold-status h1                            | open, captured 0
    1s | capture h1 3 as p2 excess=charge final=no | captured 3, available 6, held 1
    1s | last A                                    | capture 0, held -3
    1s | capture h1 9 as p3 excess=charge          | captured 9, available -2, held 0
    1s | last A                                    | capture -8, held -1
    1s | hold-status h1                            | captured, captured 12
    1s | kinds A                                   | grant hold capture capture
    1s | capture h1 12.000001 as p1 excess=charge  | again: 402 insufficient_credits, required 8.000001, available 6
    1s | refund p3 as r1                           | refunded 9, available 7
";

const FORCED: &str = "
    0s | open A                          | opened
    0s | grant A 3 as g1                 | granted 3, 3 left, active
    0s | hold A 1 as h1                  | held 1, available 2
    1s | capture h1 6 as p1 excess=force | captured 6, available -3, held 0
    1s | last A                          | capture -5, held -1
    1s | lots A                          | none
    1s | hold-status h1                  | captured, captured 6
    1s | charge A 1 as c1                | 402 insufficient_credits, required 1, available -3
    1s | grant A 10 as g2                | granted 10, 7 left, active
    1s | refund p1 as r1                 | refunded 6, available 13
    1s | lots A                          | g1 3, g2 7, paid 3
    1s | hold A 2 as h2                  | held 2, available 11
    1s | capture h2 1 as p2 excess=force | captured 1, available 12, held 0
";

const EXCESS_BURNS: &str = "
    0s | open A                           | opened
    0s | grant A 3 as g1                  | granted 3, 3 left, active
    0s | hold A 2 as h1                   | held 2, available 1
    0s | grant A 4 as g2 expires=1h       | granted 4, 4 left, active
    1s | capture h1 5 as p1 excess=charge | captured 5, available 2, held 0
    1s | lots A                           | g2 1, g1 1
    1s | refund p1 as r1                  | refunded 5, available 7
    1s | lots A                           | g2 4, g1 3
";

const INHERITED: &str = "
    0s | open A                           | opened
    0s | grant A 8 as g1                  | granted 8, 8 left, active
    0s | key k1 of A limit=5/total        | active
    0s | hold by k1 5 as h1 ref=job-7     | held 5, available 3
    0s | disable k1                       | disabled
    1s | capture h1 2 as p1 final=no      | captured 2, available 3, held 3
    1s | revoke k1                        | revoked
    1s | capture h1 6 as p2 excess=charge | captured 6, available 0, held 0
    1s | spent k1                         | 8
";
