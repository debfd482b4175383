-- Sessions of browsers, and the audit log.

-- Of a token only the SHA-256 is here. The holder is an account, an operator's key, or the hash of the operator's key that
-- was given by configuration; the bucket is the holder's, and is in the session's id.
CREATE TABLE sessions (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    holder_kind text COLLATE "C" NOT NULL,
    holder bytea NOT NULL,
    secret bytea NOT NULL,
    is_open boolean NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint NOT NULL,
    return_url text,
    client text,
    PRIMARY KEY (bucket, id)
);
CREATE INDEX sessions_by_holder ON sessions (bucket, holder, id);

-- What operators have done, and customers on their own page; in the bucket of what was done.
CREATE TABLE actions (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    operator_key_id uuid,
    channel text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    account_id uuid,
    subject text,
    credits bigint,
    detail text,
    PRIMARY KEY (bucket, id)
);
CREATE INDEX actions_by_id ON actions (id);
CREATE INDEX actions_by_account ON actions (bucket, account_id, id) WHERE account_id IS NOT NULL;
CREATE INDEX actions_by_operator_key ON actions (operator_key_id, id) WHERE operator_key_id IS NOT NULL;
