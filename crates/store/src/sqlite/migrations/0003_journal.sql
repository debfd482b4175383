-- The journal is the only table that a charge must write to. What follows from it (where an account's entries are, by which
-- names they are remembered, how accounts, lots, holds and keys stand) is written later, in larger and sorted runs. Until
-- then the redo rows say how what has changed stands now.

-- Where an entry is in the journal.
CREATE TABLE entry_places (
    account_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (account_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO entry_places SELECT account_id, seq, number FROM entries ORDER BY account_id, seq;
DROP INDEX entries_by_seq;
DROP INDEX entries_by_idempotency_key;

-- A sorted run of idempotency keys: the entries it knows are those after `after` and through `through`.
CREATE TABLE name_runs (
    id INTEGER PRIMARY KEY,
    level INTEGER NOT NULL,
    after INTEGER NOT NULL,
    through INTEGER NOT NULL,
    -- How many names it has.
    names INTEGER NOT NULL
) STRICT;

-- Its names in chunks: for each 8 bytes of digest and 8 of the entry's number, big-endian, sorted by digest.
CREATE TABLE name_chunks (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    names BLOB NOT NULL
) STRICT;

-- What batches changed: the rows of accounts, lots, holds and keys as each batch left them, until they are in their tables.
CREATE TABLE redo (
    id INTEGER PRIMARY KEY,
    -- The number of the first entry that the batch wrote, or would have written.
    first_entry INTEGER NOT NULL,
    images BLOB NOT NULL
) STRICT;
