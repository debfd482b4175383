//! Grants that are taken back.

pub(super) const TABLES: super::Topic = &[
    ("a void takes back what is left", VOID),
    ("a grant that has not started is voided without an entry", PENDING),
    ("what is held of a voided grant stays held", HELD),
    ("a grant of which all is held can be voided", ALL_HELD),
    ("what is not open cannot be voided", CLOSED),
    ("what returns to a voided grant is voided at once", RETURNED),
];

const VOID: &str = "
    0s  | open A                       | opened
    0s  | grant A 10 as g1 expires=60s | granted 10, 10 left, active
    0s  | grant A 5 as g2              | granted 5, 5 left, active
    0s  | charge A 3 as c1             | charged 3, available 12
    1s  | void g1 as v1                | voided, 0 left, 0 held
    1s  | last A                       | void -7, held 0
    1s  | grant-status g1              | voided, 0 left, 0 held
    1s  | lots A                       | g2 5
    1s  | balance A                    | available 5, held 0, seq 4
    2s  | void g1 as v1                | again: voided, 0 left, 0 held
    60s | grant-status g1              | voided, 0 left, 0 held
    60s | balance A                    | available 5, held 0, seq 4
    60s | kinds A                      | grant grant charge void
";

const PENDING: &str = "
    0s  | open A                                | opened
    0s  | grant A 10 as g1 start=60s expires=2m | granted 10, 10 left, pending
    1s  | void g1 as v1                         | voided, 0 left, 0 held
    1s  | balance A                             | available 0, held 0, seq 0
    1s  | void g1 as v1                         | again: voided, 0 left, 0 held
    1s  | void g1 as v2                         | 409 conflict, grant_closed
    60s | balance A                             | available 0, held 0, seq 0
    60s | grant-status g1                       | voided, 0 left, 0 held
    3m  | balance A                             | available 0, held 0, seq 0
    3m  | void g1 as v1                         | again: voided, 0 left, 0 held
    3m  | grant A 10 as g1 start=60s expires=2m | again: granted 10, 10 left, pending
";

const HELD: &str = "
    0s | open A                      | opened
    0s | grant A 10 as g1            | granted 10, 10 left, active
    0s | hold A 6 as h1              | held 6, available 4
    1s | void g1 as v1               | voided, 0 left, 6 held
    1s | last A                      | void -4, held 0
    1s | balance A                   | available 0, held 6, seq 3
    1s | lots A                      | g1 0 held 6
    1s | void g1 as v2               | 409 conflict, grant_closed
    1s | capture h1 2 as p1 final=no | captured 2, available 0, held 4
    1s | grant-status g1             | voided, 0 left, 4 held
    1s | release h1 as r1            | released, available 0, held 0
    1s | last A                      | void -4, held 0
    1s | grant-status g1             | voided, 0 left, 0 held
    1s | kinds A                     | grant hold void capture release void
    2s | void g1 as v1               | again: voided, 0 left, 6 held
    2s | release h1 as r1            | again: released, available 0, held 0
";

const ALL_HELD: &str = "
    0s  | open A                  | opened
    0s  | grant A 10 as g1        | granted 10, 10 left, active
    0s  | hold A 10 as h1 for=60s | held 10, available 0
    1s  | void g1 as v1           | voided, 0 left, 10 held
    1s  | last A                  | void 0, held 0
    1s  | void g1 as v2           | 409 conflict, grant_closed
    60s | balance A               | available 0, held 0, seq 5
    60s | kinds A                 | grant hold void release void
    60s | last A                  | void -10, held 0
    60s | grant-status g1         | voided, 0 left, 0 held
";

const CLOSED: &str = "
    0s  | open A                         | opened
    0s  | grant A 1 as gone              | granted 1, 1 left, active
    0s  | charge A 1 as c1               | charged 1, available 0
    0s  | grant A 10 as over expires=60s | granted 10, 10 left, active
    0s  | hold A 4 as h1                 | held 4, available 6
    1s  | void gone as v1                | 409 conflict, grant_closed
    60s | void over as v2                | 409 conflict, grant_closed
    60s | grant-status over              | expired, 0 left, 4 held
    60s | void nothing as v3             | 404 not_found
    61s | refund c1 as r1                | refunded 1, available 1
    61s | grant-status gone              | active, 1 left, 0 held
    61s | void gone as v1                | again: 409 conflict, grant_closed
    61s | void gone as v4                | voided, 0 left, 0 held
";

const RETURNED: &str = "
    0s | open A                       | opened
    0s | grant A 10 as g1 expires=60s | granted 10, 10 left, active
    0s | grant A 10 as g2             | granted 10, 10 left, active
    0s | charge A 12 as c1            | charged 12, available 8
    1s | void g2 as v1                | voided, 0 left, 0 held
    1s | refund c1 3 as r1            | refunded 3, available 1
    1s | kinds A                      | grant grant charge void refund void
    1s | last A                       | void -2, held 0
    1s | lots A                       | g1 1
    1s | refund c1 3 as r1            | again: refunded 3, available 1
    1s | void g1 as v2                | voided, 0 left, 0 held
    2m | refund c1 as r2              | refunded 9, available 0
    2m | last A                       | void -9, held 0
    2m | lots A                       | none
    2m | grant-status g1              | voided, 0 left, 0 held
";
