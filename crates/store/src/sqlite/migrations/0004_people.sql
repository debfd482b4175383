-- Sessions of browsers, and the audit log.

-- Of a token only the SHA-256 is here. The holder is an account, an operator's key, or the hash of the operator's key that
-- was given by configuration.
CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL,
    holder_kind TEXT NOT NULL,
    holder BLOB NOT NULL,
    secret BLOB NOT NULL,
    is_open INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    return_url TEXT,
    client TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_holder ON sessions (holder, id);
CREATE INDEX sessions_of_operators ON sessions (id) WHERE holder_kind != 'account';

-- What operators have done, and customers on their own page.
CREATE TABLE actions (
    id BLOB PRIMARY KEY NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    operator_key_id BLOB,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    account_id BLOB,
    subject TEXT,
    credits INTEGER,
    detail TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX actions_by_account ON actions (account_id, id) WHERE account_id IS NOT NULL;
CREATE INDEX actions_by_operator_key ON actions (operator_key_id, id) WHERE operator_key_id IS NOT NULL;
