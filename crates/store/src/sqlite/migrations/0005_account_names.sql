-- Accounts in the order of their names, for a search by how a name begins.
CREATE INDEX account_profiles_by_name ON account_profiles (name COLLATE NOCASE, id);
