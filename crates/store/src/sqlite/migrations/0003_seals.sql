-- A digest of what an entry's row and a remembered answer hold that no hash of the chain covers, so that damage to it is
-- found. Rows of before this version have none.

ALTER TABLE entries ADD COLUMN seal BLOB;
ALTER TABLE remembered ADD COLUMN seal BLOB;
