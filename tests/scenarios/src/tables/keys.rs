//! Customers' keys: live, dead, rotated, imported.

pub(super) const TABLES: super::Topic = &[
    ("keys live and die", KEYS_LIVE_AND_DIE),
    ("a rotated key keeps everything but its secret", ROTATED),
    ("the old secret lives on for the overlap", OVERLAP),
    ("so many secrets live on at once", TOO_MANY),
    ("a dead key can do nothing new", DEAD),
    ("a key that was imported is a key", IMPORTED),
    ("a key opens its own account", ITS_OWN),
];

const KEYS_LIVE_AND_DIE: &str = "
    0s  | open A                  | opened
    0s  | grant A 10 as g1        | granted 10, 10 left, active
    0s  | key k1 of A             | active
    0s  | key k2 of A expires=60s | active
    0s  | key k3 of Nobody        | 404 not_found
    0s  | read k1                 | 10
    0s  | charge by k1 1 as c1    | charged 1, available 9
    0s  | disable k1              | disabled
    0s  | read k1                 | dead
    0s  | charge by k1 1 as c2    | 401 unauthorized, api_key
    0s  | hold by k1 1 as h1      | 401 unauthorized, api_key
    1s  | charge by k1 1 as c1    | again: charged 1, available 9
    1s  | enable k1               | active
    1s  | charge by k1 1 as c2    | charged 1, available 8
    59s | read k2                 | 8
    60s | read k2                 | dead
    60s | charge by k2 1 as c3    | 401 unauthorized, api_key
    60s | disable k2              | expired
    60s | key k4 of A expires=60s | 400 invalid_request, expires_at
    60s | revoke k1               | revoked
    60s | revoke k1               | revoked
    60s | enable k1               | 409 conflict, key_revoked
    60s | limit k1 5/day          | 409 conflict, key_revoked
    60s | read k1                 | dead
    60s | charge by k1 1 as c4    | 401 unauthorized, api_key
    60s | charge by k1 1 as c1    | again: charged 1, available 9
    60s | charge A 1 as c1        | 422 idempotency_key_reused
    60s | revoke Nobody           | 404 not_found
    60s | disable Nobody          | 404 not_found
    60s | rotate Nobody           | 404 not_found
    60s | balance A               | available 8, held 0, seq 3
";

const ROTATED: &str = "
    0s | open A                    | opened
    0s | grant A 10 as g1          | granted 10, 10 left, active
    0s | key k1 of A limit=5/total | active
    0s | charge by k1 2 as c1      | charged 2, available 8
    0s | hold by k1 1 as h1        | held 1, available 7
    1s | rotate k1                 | active
    1s | read k1                   | 7
    1s | read k1.1                 | dead
    1s | charge by k1.1 1 as c2    | 401 unauthorized, api_key
    1s | spent k1                  | 3
    1s | charge by k1 3 as c3      | 402 key_limit_exceeded, required 3, remaining 2
    1s | charge by k1 2 as c1      | again: charged 2, available 8
    1s | charge by k1.1 2 as c1    | again: charged 2, available 8
    1s | hold by k1 1 as h1        | again: held 1, available 7
    1s | release h1 as r1          | released, available 8, held 0
    1s | spent k1                  | 2
    1s | charge by k1 3 as c2      | charged 3, available 5
";

const OVERLAP: &str = "
    0s  | open A                 | opened
    0s  | grant A 10 as g1       | granted 10, 10 left, active
    0s  | key k1 of A            | active
    0s  | rotate k1 overlap=60s  | active
    0s  | read k1                | 10
    0s  | read k1.1              | 10
    1s  | charge by k1.1 1 as c1 | charged 1, available 9
    1s  | hold by k1.1 1 as h1   | held 1, available 8
    1s  | spent k1               | 2
    2s  | rotate k1 overlap=7d   | active
    2s  | read k1                | 8
    2s  | read k1.1              | 8
    2s  | read k1.2              | 8
    59s | read k1.2              | 8
    60s | read k1.2              | dead
    60s | charge by k1.2 1 as c2 | 401 unauthorized, api_key
    60s | charge by k1.2 1 as c1 | again: charged 1, available 9
    60s | read k1.1              | 8
    60s | disable k1             | disabled
    60s | read k1                | dead
    60s | read k1.1              | dead
    60s | enable k1              | active
    60s | read k1.1              | 8
    61s | rotate k1              | active
    61s | read k1.1              | dead
    61s | read k1.2              | 8
    61s | revoke k1              | revoked
    61s | read k1                | dead
    61s | read k1.2              | dead
    61s | rotate k1 overlap=60s  | 409 conflict, key_revoked
";

const TOO_MANY: &str = "
    0s | open A               | opened
    0s | key k1 of A          | active
    0s | rotate k1 overlap=1h | active
    0s | rotate k1 overlap=2h | active
    0s | rotate k1 overlap=2h | active
    0s | rotate k1 overlap=2h | active
    0s | rotate k1 overlap=2h | active
    0s | rotate k1 overlap=2h | active
    0s | rotate k1 overlap=2h | active
    0s | rotate k1 overlap=2h | active
    0s | rotate k1 overlap=2h | active
    0s | rotate k1 overlap=2h | active
    0s | rotate k1 overlap=2h | 409 conflict, too_many_secrets
    0s | read k1              | 0
    0s | read k1.10           | 0
    0s | rotate k1            | active
    0s | rotate k1            | active
    0s | read k1.1            | dead
    0s | read k1.2            | dead
    0s | read k1.3            | 0
    0s | read k1.12           | 0
    0s | rotate k1 overlap=1s | 409 conflict, too_many_secrets
    1h | read k1.12           | dead
    1h | rotate k1 overlap=1h | active
    1h | rotate k1 overlap=1h | 409 conflict, too_many_secrets
    1h | read k1.1            | 0
    1h | read k1.12           | 0
    2h | read k1.12           | dead
    2h | read k1.1            | dead
    2h | rotate k1            | active
";

const DEAD: &str = "
    0s  | open A                          | opened
    0s  | grant A 10 as g1                | granted 10, 10 left, active
    0s  | key k1 of A expires=60s         | active
    0s  | key k2 of A                     | active
    0s  | hold by k1 4 as h1              | held 4, available 6
    0s  | hold by k2 4 as h2              | held 4, available 2
    0s  | charge by k2 1 as c1            | charged 1, available 1
    1s  | disable k2                      | disabled
    1s  | rotate k2 overlap=60s           | disabled
    1s  | read k2                         | dead
    1s  | capture h2 6 as p1 excess=force | captured 6, available -1, held 4
    1s  | refund c1 as r1                 | refunded 1, available 0
    60s | capture h1 1 as p2              | captured 1, available 3, held 0
    60s | hold by k1 1 as h3              | 401 unauthorized, api_key
    60s | spent k1                        | 1
    60s | spent k2                        | 6
";

const IMPORTED: &str = "
    0s | open A                                                | opened
    0s | open B                                                | opened
    0s | grant A 10 as g1                                      | granted 10, 10 left, active
    0s | import k1 of A an-old-secret-of-a-customer-0123456789 | active
    0s | read k1                                               | 10
    0s | charge by k1 1 as c1                                  | charged 1, available 9
    0s | import k2 of A an-old-secret-of-a-customer-0123456789 | 409 conflict, secret_taken
    0s | import k2 of B an-old-secret-of-a-customer-0123456789 | 409 conflict, secret_taken
    1s | rotate k1 overlap=60s                                 | active
    1s | read k1.1                                             | 9
    1s | import k2 of B an-old-secret-of-a-customer-0123456789 | 409 conflict, secret_taken
    2m | read k1.1                                             | dead
    2m | import k2 of B an-old-secret-of-a-customer-0123456789 | 409 conflict, secret_taken
    2m | rotate k1                                             | active
    2m | revoke k1                                             | revoked
    2m | import k2 of B an-old-secret-of-a-customer-0123456789 | 409 conflict, secret_taken
    2m | import k2 of B another-secret-of-a-customer-012345678 | active
    2m | read k2                                               | 0
    2m | import k3 of Nobody a-third-secret-of-a-customer-0123 | 404 not_found
";

const ITS_OWN: &str = "
    0s | open A               | opened
    0s | open B               | opened
    0s | grant A 10 as g1     | granted 10, 10 left, active
    0s | grant B 5 as g2      | granted 5, 5 left, active
    0s | key k1 of A          | active
    0s | key k2 of B          | active
    0s | charge by k1 1 as c1 | charged 1, available 9
    0s | charge by k2 1 as c1 | charged 1, available 4
    0s | charge by k1 1 as c1 | again: charged 1, available 9
    0s | read k1              | 9
    0s | read k2              | 4
";
