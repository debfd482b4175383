-- What accounts have spent, by day, key and operation: sums of the journal, so that nobody who asks for usage reads it all.
-- They are added up beside the batches; for a ledger that has entries already, after its next start.

-- How far the sums of an account go: through the entry with this number. Without a row there are none.
CREATE TABLE usage_through (
    account_id BLOB PRIMARY KEY NOT NULL,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_days (
    account_id BLOB NOT NULL,
    -- The midnight with which it begins.
    day INTEGER NOT NULL,
    -- Zeros for what was spent without a key, and empty for no operation.
    key_id BLOB NOT NULL,
    operation TEXT NOT NULL,
    charges INTEGER NOT NULL,
    charged INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    PRIMARY KEY (account_id, day, key_id, operation)
) STRICT, WITHOUT ROWID;
