//! Accounts: frozen, closed, and known by ids of the user's own.

pub(super) const TABLES: super::Topic = &[
    ("external ids are unique", EXTERNAL_IDS),
    ("a frozen account begins nothing new", FROZEN),
    ("closing voids what is left", CLOSING),
    ("closing needs no open hold", OPEN_HOLDS),
    ("closing needs no debt", DEBT),
    ("nothing moves in a closed account", CLOSED),
    ("a frozen account can be closed", FROZEN_AND_CLOSED),
];

const EXTERNAL_IDS: &str = "
    0s | open A external=one | opened
    0s | open B external=two | opened
    0s | open C external=one | 409 conflict, external_id_taken
    0s | close A             | closed
    0s | open C external=one | 409 conflict, external_id_taken
    0s | open D              | opened
    0s | open E              | opened
";

const FROZEN: &str = "
    0s  | open A                                    | opened
    0s  | grant A 10 as g1                          | granted 10, 10 left, active
    0s  | key k1 of A                               | active
    0s  | hold A 4 as h1                            | held 4, available 6
    0s  | hold A 1 as h2 for=60s                    | held 1, available 5
    0s  | charge A 2 as c1                          | charged 2, available 3
    1s  | freeze A                                  | frozen
    1s  | freeze A                                  | frozen
    1s  | charge A 1 as c2                          | 403 account_frozen
    1s  | charge A 0 as c3                          | 403 account_frozen
    1s  | charge by k1 1 as c4                      | 403 account_frozen
    1s  | hold A 1 as h3                            | 403 account_frozen
    1s  | charge A 2 as c1                          | again: charged 2, available 3
    1s  | charge A 3 as c1                          | 422 idempotency_key_reused
    1s  | capture h1 1 as p1 final=no               | captured 1, available 3, held 4
    1s  | capture h1 4 as p2 final=no excess=charge | captured 4, available 2, held 1
    1s  | release h1 as r1                          | released, available 2, held 1
    1s  | refund c1 as r2                           | refunded 2, available 4
    1s  | grant A 1 as g2                           | granted 1, 1 left, active
    1s  | adjust A -2 as a1                         | adjusted -2, available 3
    1s  | void g2 as v1                             | voided, 0 left, 0 held
    1s  | read k1                                   | 2
    1s  | key k2 of A                               | active
    61s | balance A                                 | available 3, held 0, seq 12
    61s | unfreeze A                                | active
    61s | charge A 1 as c2                          | charged 1, available 2
    61s | hold A 1 as h3                            | held 1, available 1
    61s | charge by k1 1 as c4                      | charged 1, available 0
    61s | freeze Nobody                             | 404 not_found
";

const CLOSING: &str = "
    0s | open A                     | opened
    0s | grant A 10 as g1           | granted 10, 10 left, active
    0s | grant A 5 as g2 expires=1h | granted 5, 5 left, active
    0s | grant A 3 as g3 start=1h   | granted 3, 3 left, pending
    0s | grant A 1 as g4 priority=0 | granted 1, 1 left, active
    0s | charge A 2 as c1           | charged 2, available 14
    0s | key k1 of A                | active
    1s | close A                    | closed
    1s | balance A                  | available 0, held 0, seq 6
    1s | kinds A                    | grant grant grant charge void void
    1s | grant-status g1            | voided, 0 left, 0 held
    1s | grant-status g2            | voided, 0 left, 0 held
    1s | grant-status g3            | voided, 0 left, 0 held
    1s | grant-status g4            | depleted, 0 left, 0 held
    1s | lots A                     | none
    1s | read k1                    | 0
    2h | balance A                  | available 0, held 0, seq 6
    2h | close A                    | closed
    2h | balance A                  | available 0, held 0, seq 6
    2h | close Nobody               | 404 not_found
";

const OPEN_HOLDS: &str = "
    0s  | open A                    | opened
    0s  | grant A 10 as g1          | granted 10, 10 left, active
    0s  | hold A 4 as h1 for=60s    | held 4, available 6
    0s  | hold A 1 as h2 for=60s    | held 1, available 5
    1s  | close A                   | 409 conflict, open_holds
    1s  | capture h1 as p1 final=no | captured 4, available 5, held 1
    1s  | release h2 as r1          | released, available 6, held 0
    1s  | close A                   | 409 conflict, open_holds
    1s  | charge A 1 as c1          | charged 1, available 5
    60s | close A                   | closed
    60s | balance A                 | available 0, held 0, seq 7
    60s | kinds A                   | grant hold hold capture release charge void
";

const DEBT: &str = "
    0s | open A overdraft=5 | opened
    0s | charge A 1 as c1   | charged 1, available -1
    0s | close A            | 409 conflict, in_debt
    0s | hold A 1 as h1     | held 1, available -2
    0s | close A            | 409 conflict, open_holds
    0s | release h1 as r1   | released, available -1, held 0
    1s | grant A 2 as g1    | granted 2, 1 left, active
    1s | refund c1 as r2    | refunded 1, available 2
    1s | lots A             | g1 1, paid 1
    1s | close A            | closed
    1s | kinds A            | charge hold release grant refund void void
    1s | balance A          | available 0, held 0, seq 7
";

const CLOSED: &str = "
    0s | open A                         | opened
    0s | grant A 10 as g1               | granted 10, 10 left, active
    0s | key k1 of A                    | active
    0s | hold A 4 as h1                 | held 4, available 6
    0s | charge A 1 as c1               | charged 1, available 5
    0s | capture h1 as p1               | captured 4, available 5, held 0
    0s | close A                        | closed
    1s | charge A 0 as c2               | 409 conflict, account_closed
    1s | charge by k1 1 as c3           | 409 conflict, account_closed
    1s | hold A 1 as h2                 | 409 conflict, account_closed
    1s | grant A 1 as g2                | 409 conflict, account_closed
    1s | adjust A 1 as a1               | 409 conflict, account_closed
    1s | adjust A -1 as a2 negative=yes | 409 conflict, account_closed
    1s | void g1 as v1                  | 409 conflict, account_closed
    1s | refund c1 as r1                | 409 conflict, account_closed
    1s | refund p1 as r2                | 409 conflict, account_closed
    1s | capture h1 as p2               | 409 conflict, hold_closed
    1s | release h1 as r3               | 409 conflict, hold_closed
    1s | charge A 0 as c2               | again: 409 conflict, account_closed
    1s | charge A 1 as c1               | again: charged 1, available 5
    1s | charge A 2 as c1               | 422 idempotency_key_reused
    1s | key k2 of A                    | 409 conflict, account_closed
    1s | unfreeze A                     | 409 conflict, account_closed
    1s | freeze A                       | 409 conflict, account_closed
    1s | overdraft A 1                  | 409 conflict, account_closed
    1s | disable k1                     | disabled
    1s | balance A                      | available 0, held 0, seq 5
";

const FROZEN_AND_CLOSED: &str = "
    0s | open A           | opened
    0s | grant A 10 as g1 | granted 10, 10 left, active
    0s | freeze A         | frozen
    0s | close A          | closed
    0s | last A           | void -10, held 0
    0s | charge A 1 as c1 | 409 conflict, account_closed
";
