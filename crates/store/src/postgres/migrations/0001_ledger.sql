-- The whole ledger. Amounts are millionths of a credit. Times are milliseconds since 1970.
--
-- Every primary key and every unique constraint leads with the bucket of an account, so that the tables can be distributed
-- by it: then all that a batch touches lies on one shard. What belongs to no account is in bucket 0. Names that must be
-- unique everywhere are in the directory, each in a bucket of its own hash. Text that is compared is compared by its bytes,
-- whatever language the database speaks: it is quicker, and an index does not change with a library.

CREATE TABLE accounts (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    status text COLLATE "C" NOT NULL,
    overdraft_limit bigint NOT NULL,
    available bigint NOT NULL,
    held bigint NOT NULL,
    debt bigint NOT NULL,
    lots_made bigint NOT NULL,
    refund_lot_day bigint,
    refund_lot_id uuid,
    seq bigint NOT NULL,
    head bytea NOT NULL,
    last_at bigint NOT NULL,
    granted bigint NOT NULL,
    adjusted bigint NOT NULL,
    refunded bigint NOT NULL,
    spent bigint NOT NULL,
    expired bigint NOT NULL,
    voided bigint NOT NULL,
    next_due bigint,
    PRIMARY KEY (bucket, id)
) WITH (fillfactor = 70);
CREATE INDEX accounts_by_next_due ON accounts (next_due) WHERE next_due IS NOT NULL;

CREATE TABLE account_profiles (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    external_id text,
    metadata text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (bucket, id)
);
CREATE INDEX account_profiles_by_id ON account_profiles (id);

CREATE TABLE lots (
    bucket smallint NOT NULL,
    grant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    creation_order bigint NOT NULL,
    category text NOT NULL,
    priority bigint NOT NULL,
    effective_at bigint NOT NULL,
    expires_at bigint,
    granted bigint NOT NULL,
    remaining bigint NOT NULL,
    held bigint NOT NULL,
    expired bigint NOT NULL,
    started boolean NOT NULL,
    held_when_voided bigint,
    -- Whether something remains or is held: apart from these, so that spending from a lot touches no index.
    is_open boolean NOT NULL,
    PRIMARY KEY (bucket, grant_id)
) WITH (fillfactor = 70);
CREATE INDEX lots_open ON lots (bucket, account_id) WHERE is_open;

CREATE TABLE grants (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    reference text COLLATE "C",
    metadata text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (bucket, id)
);
CREATE INDEX grants_by_account ON grants (bucket, account_id, id);

-- The journal: the truth of which the other tables are projections.
CREATE TABLE entries (
    bucket smallint NOT NULL,
    account_id uuid NOT NULL,
    seq bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    credits bigint NOT NULL,
    held_credits bigint NOT NULL,
    available_after bigint NOT NULL,
    held_after bigint NOT NULL,
    -- The balance that the answer told, where a later entry of the same command has moved it on.
    available_told bigint,
    held_told bigint,
    -- For each lot 16 bytes of its grant's id (zeros for the overdraft) and 8 of the signed change, big-endian.
    lots bytea NOT NULL,
    grant_id uuid,
    charge_id uuid,
    hold_id uuid,
    key_id uuid,
    refund_id uuid,
    adjustment_id uuid,
    operation text COLLATE "C",
    quantity bigint,
    at bigint NOT NULL,
    idempotency_key text COLLATE "C",
    fingerprint bytea,
    hash bytea NOT NULL,
    -- A digest of what the row holds that no hash of the chain covers.
    seal bytea NOT NULL,
    reference text COLLATE "C",
    metadata text,
    reason text,
    salt bytea,
    -- The digests of text that has been erased.
    reference_digest bytea,
    metadata_digest bytea,
    reason_digest bytea,
    PRIMARY KEY (bucket, account_id, seq)
);
CREATE UNIQUE INDEX entries_by_idempotency_key ON entries (bucket, account_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX entries_by_charge ON entries (charge_id) WHERE kind IN ('charge', 'capture');
CREATE INDEX entries_by_reference ON entries (reference, charge_id)
    WHERE reference IS NOT NULL AND kind IN ('charge', 'capture');

-- Answers that no entry carries: refusals, and grants that start later.
CREATE TABLE remembered (
    bucket smallint NOT NULL,
    account_id uuid NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    at bigint NOT NULL,
    grant_id uuid,
    voided boolean NOT NULL,
    refusal text,
    required bigint,
    left_over bigint,
    seal bytea NOT NULL,
    PRIMARY KEY (bucket, account_id, idempotency_key)
);
CREATE INDEX remembered_refusals_by_time ON remembered (at) WHERE refusal IS NOT NULL;

-- How much of a charge has been given back.
CREATE TABLE charge_refunds (
    bucket smallint NOT NULL,
    charge_id uuid NOT NULL,
    refunded bigint NOT NULL,
    PRIMARY KEY (bucket, charge_id)
);

CREATE TABLE holds (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    -- The number of the entry that made it, which has its text.
    seq bigint NOT NULL,
    key_id uuid,
    operation text COLLATE "C",
    quantity bigint,
    -- Credits per unit, as decimal text: they have more digits than a bigint takes.
    rate text,
    credits bigint NOT NULL,
    captured bigint NOT NULL,
    -- What it holds still, as entries have their lots.
    lots bytea NOT NULL,
    status text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (bucket, id)
);
CREATE INDEX holds_by_id ON holds (id);
CREATE INDEX holds_by_account ON holds (bucket, account_id, id);
CREATE INDEX holds_open ON holds (bucket, account_id) WHERE status = 'open';

CREATE TABLE keys (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    secret bytea NOT NULL,
    disabled boolean NOT NULL,
    revoked_at bigint,
    expires_at bigint,
    limit_credits bigint,
    limit_period text,
    day_starts_at bigint NOT NULL,
    day_spent bigint NOT NULL,
    week_starts_at bigint NOT NULL,
    week_spent bigint NOT NULL,
    month_starts_at bigint NOT NULL,
    month_spent bigint NOT NULL,
    total_spent bigint NOT NULL,
    PRIMARY KEY (bucket, id)
) WITH (fillfactor = 70);
CREATE INDEX keys_by_account ON keys (bucket, account_id, id);

CREATE TABLE key_profiles (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    hint text NOT NULL,
    metadata text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (bucket, id)
);

-- When keys were last used: written now and then, apart from everything that decisions look at.
CREATE TABLE key_uses (
    bucket smallint NOT NULL,
    key_id uuid NOT NULL,
    last_used_at bigint NOT NULL,
    PRIMARY KEY (bucket, key_id)
) WITH (fillfactor = 70);

-- Secrets that keys had before they were rotated. They stay taken after their time.
CREATE TABLE retired_secrets (
    bucket smallint NOT NULL,
    secret bytea NOT NULL,
    key_id uuid NOT NULL,
    until bigint NOT NULL,
    PRIMARY KEY (bucket, secret)
);
CREATE INDEX retired_secrets_by_key ON retired_secrets (bucket, key_id, until);

-- Whose the names are that only one may have: the hashes of keys' secrets, and the hashes of external ids. A name is
-- reserved here before its owner is written; `reservation` is there until that is known to have happened.
CREATE TABLE directory (
    bucket smallint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    name bytea NOT NULL,
    owner uuid NOT NULL,
    reservation uuid,
    reserved_at bigint NOT NULL,
    PRIMARY KEY (bucket, kind, name)
);

-- Reservations that are settled, in the bucket of the owner: by the owner, with which it is written, or by whoever takes
-- the name from an owner that was never written. Only one of the two can have it.
CREATE TABLE claims (
    bucket smallint NOT NULL,
    reservation uuid NOT NULL,
    PRIMARY KEY (bucket, reservation)
);

CREATE TABLE prices (
    bucket smallint NOT NULL,
    operation text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    rate text NOT NULL,
    unit text,
    description text,
    updated_at bigint NOT NULL,
    PRIMARY KEY (bucket, operation)
);

CREATE TABLE operator_keys (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    secret bytea NOT NULL,
    hint text NOT NULL,
    scopes text NOT NULL,
    created_at bigint NOT NULL,
    revoked_at bigint,
    PRIMARY KEY (bucket, id)
);
CREATE UNIQUE INDEX operator_keys_by_secret ON operator_keys (bucket, secret);

-- One row that is written to find out whether commits work.
CREATE TABLE probe (
    bucket smallint NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (bucket)
);
