-- Accounts in the order of their names, for a search by how a name begins. Compared by bytes, so that only the letters of
-- ASCII count alike in both cases, as in every other store.
CREATE INDEX account_profiles_by_name ON account_profiles ((lower(name COLLATE "C")), id);
