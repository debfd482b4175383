-- Ids are the 16 bytes of their UUID. Amounts are millionths of a credit. Times are milliseconds since 1970.
-- What decisions look at and change stands apart from the text that people know a thing by, so that a charge
-- rewrites a short row.

CREATE TABLE accounts (
    id BLOB PRIMARY KEY NOT NULL,
    status TEXT NOT NULL,
    overdraft_limit INTEGER NOT NULL,
    available INTEGER NOT NULL,
    held INTEGER NOT NULL,
    debt INTEGER NOT NULL,
    grants_made INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    head BLOB NOT NULL,
    last_at INTEGER NOT NULL,
    granted INTEGER NOT NULL,
    adjusted INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    voided INTEGER NOT NULL,
    next_due INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_by_next_due ON accounts (next_due) WHERE next_due IS NOT NULL;

CREATE TABLE account_profiles (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    external_id TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX account_profiles_by_external_id ON account_profiles (external_id)
    WHERE external_id IS NOT NULL;

CREATE TABLE lots (
    grant_id BLOB PRIMARY KEY NOT NULL,
    account_id BLOB NOT NULL,
    creation_order INTEGER NOT NULL,
    category TEXT NOT NULL,
    priority INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    expires_at INTEGER,
    granted INTEGER NOT NULL,
    remaining INTEGER NOT NULL,
    held INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    started INTEGER NOT NULL,
    voided INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX lots_open ON lots (account_id) WHERE remaining > 0 OR held > 0;

CREATE TABLE grants (
    id BLOB PRIMARY KEY NOT NULL,
    account_id BLOB NOT NULL,
    reference TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_by_account ON grants (account_id, id);

-- The journal: the truth of which the tables above are projections.
CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    account_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    credits INTEGER NOT NULL,
    held_credits INTEGER NOT NULL,
    available_after INTEGER NOT NULL,
    held_after INTEGER NOT NULL,
    -- For each lot 16 bytes of its grant's id (zeros for the overdraft) and 8 of the signed change, big-endian.
    lots BLOB NOT NULL,
    grant_id BLOB,
    charge_id BLOB,
    hold_id BLOB,
    key_id BLOB,
    reference TEXT,
    metadata TEXT,
    salt BLOB,
    at INTEGER NOT NULL,
    idempotency_key TEXT,
    fingerprint BLOB,
    hash BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_by_seq ON entries (account_id, seq);
CREATE UNIQUE INDEX entries_by_idempotency_key ON entries (account_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX entries_by_charge ON entries (charge_id) WHERE kind = 'charge';

-- Answers that no entry carries: refusals, and grants that start later.
CREATE TABLE remembered (
    account_id BLOB NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    at INTEGER NOT NULL,
    grant_id BLOB,
    refusal TEXT,
    required INTEGER,
    left_over INTEGER,
    PRIMARY KEY (account_id, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX remembered_refusals_by_time ON remembered (at) WHERE refusal IS NOT NULL;

CREATE TABLE keys (
    id BLOB PRIMARY KEY NOT NULL,
    account_id BLOB NOT NULL,
    secret BLOB NOT NULL UNIQUE,
    disabled INTEGER NOT NULL,
    revoked_at INTEGER,
    expires_at INTEGER,
    limit_credits INTEGER,
    limit_period TEXT,
    day_starts_at INTEGER NOT NULL,
    day_spent INTEGER NOT NULL,
    week_starts_at INTEGER NOT NULL,
    week_spent INTEGER NOT NULL,
    month_starts_at INTEGER NOT NULL,
    month_spent INTEGER NOT NULL,
    total_spent INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_by_account ON keys (account_id, id);

CREATE TABLE key_profiles (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When keys were last used: written now and then, apart from everything that decisions look at.
CREATE TABLE key_uses (
    key_id BLOB PRIMARY KEY NOT NULL,
    last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE operator_keys (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    secret BLOB NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- One row that is written to find out whether commits work.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT;
