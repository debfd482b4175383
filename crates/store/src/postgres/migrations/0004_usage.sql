-- What accounts have spent, by day, key and operation: sums of the journal, so that nobody who asks for usage reads it all.
-- They are added up beside the batches; for a ledger that has entries already, when a node starts.

-- How far the sums of an account go: through the entry with this number. Without a row there are none.
CREATE TABLE usage_through (
    bucket smallint NOT NULL,
    account_id uuid NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (bucket, account_id)
);

CREATE TABLE usage_days (
    bucket smallint NOT NULL,
    account_id uuid NOT NULL,
    -- The midnight with which it begins.
    day bigint NOT NULL,
    -- Zeros for what was spent without a key, and empty for no operation.
    key_id uuid NOT NULL,
    operation text COLLATE "C" NOT NULL,
    charges bigint NOT NULL,
    charged bigint NOT NULL,
    refunded bigint NOT NULL,
    PRIMARY KEY (bucket, account_id, day, key_id, operation)
);
