-- Holds, refunds, adjustments, voids, prices, rotated secrets, and the erasure of free text.

ALTER TABLE accounts RENAME COLUMN grants_made TO lots_made;
ALTER TABLE accounts ADD COLUMN refund_lot_day INTEGER;
ALTER TABLE accounts ADD COLUMN refund_lot_id BLOB;

-- Once a lot was voided: what was held of it at that moment.
ALTER TABLE lots ADD COLUMN held_when_voided INTEGER;
ALTER TABLE lots DROP COLUMN voided;

ALTER TABLE entries ADD COLUMN refund_id BLOB;
ALTER TABLE entries ADD COLUMN adjustment_id BLOB;
ALTER TABLE entries ADD COLUMN operation TEXT;
ALTER TABLE entries ADD COLUMN quantity INTEGER;
ALTER TABLE entries ADD COLUMN reason TEXT;
-- The digests of text that has been erased: of the reference, the metadata and the reason.
ALTER TABLE entries ADD COLUMN reference_digest BLOB;
ALTER TABLE entries ADD COLUMN metadata_digest BLOB;
ALTER TABLE entries ADD COLUMN reason_digest BLOB;
-- The balance that the answer told, where a later entry of the same command has moved it on.
ALTER TABLE entries ADD COLUMN available_told INTEGER;
ALTER TABLE entries ADD COLUMN held_told INTEGER;
DROP INDEX entries_by_charge;
CREATE UNIQUE INDEX entries_by_charge ON entries (charge_id) WHERE kind IN ('charge', 'capture');
CREATE INDEX entries_by_reference ON entries (reference, charge_id)
    WHERE reference IS NOT NULL AND kind IN ('charge', 'capture');

-- How much of a charge has been given back.
CREATE TABLE charge_refunds (
    charge_id BLOB PRIMARY KEY NOT NULL,
    refunded INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE holds (
    id BLOB PRIMARY KEY NOT NULL,
    account_id BLOB NOT NULL,
    -- The number of the entry that made it, which has its text.
    seq INTEGER NOT NULL,
    key_id BLOB,
    operation TEXT,
    quantity INTEGER,
    -- Credits per unit, as decimal text: they have more digits than an INTEGER takes.
    rate TEXT,
    credits INTEGER NOT NULL,
    captured INTEGER NOT NULL,
    -- What it holds still: for each lot 16 bytes of its grant's id (zeros for the overdraft) and 8 of the amount.
    lots BLOB NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_by_account ON holds (account_id, id);
CREATE INDEX holds_open ON holds (account_id, id) WHERE status = 'open';

-- Secrets that keys had before they were rotated. They stay taken after their time.
CREATE TABLE retired_secrets (
    secret BLOB PRIMARY KEY NOT NULL,
    key_id BLOB NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX retired_secrets_by_key ON retired_secrets (key_id, until);

CREATE TABLE prices (
    operation TEXT PRIMARY KEY NOT NULL,
    id BLOB NOT NULL,
    rate TEXT NOT NULL,
    unit TEXT,
    description TEXT,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whether the answer is that of voiding a grant that had not started.
ALTER TABLE remembered ADD COLUMN voided INTEGER NOT NULL DEFAULT 0;

-- A digest of what an entry's row and a remembered answer hold that no hash of the chain covers, so that damage to it is
-- found. Rows of before this version have none.
ALTER TABLE entries ADD COLUMN seal BLOB;
ALTER TABLE remembered ADD COLUMN seal BLOB;
