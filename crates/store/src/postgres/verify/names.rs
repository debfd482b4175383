//! Looking up many names at once: what the directory says of them, and what their owners say.

use std::collections::{BTreeMap, BTreeSet};

use coffer_ledger::{Bucket, ExternalId, UuidBytes};

use super::Look;
use crate::postgres::PostgresError;
use crate::postgres::names::{EXTERNAL_ID, NameHash, SECRET, bucket_of_name, external_id_name};
use crate::postgres::statement::{Bytes, Call, Form, Given, by_statement, id};
use crate::rows::{self, Columns};

/// A name as the directory has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) kind: &'static str,
    pub(super) hash: NameHash,
}

/// A name, and whose it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owned {
    pub(super) name: Name,
    pub(super) owner: UuidBytes,
}

impl Owned {
    fn owner_bucket(&self) -> Bucket {
        Bucket(self.owner[15])
    }
}

/// Whose these names are by the directory, reserved ones included.
pub(super) async fn owners(
    look: &Look<'_>,
    owned: &[Owned],
) -> Result<BTreeMap<Name, UuidBytes>, PostgresError> {
    let mut owners = BTreeMap::new();
    for part in by_statement(look.form, owned.to_vec(), |owned| bucket_of_name(&owned.name.hash)) {
        let call = Given::of(look.form, &part, |owned| bucket_of_name(&owned.name.hash))
            .with("kind", "text", &part, |owned| owned.name.kind)
            .with("name", "bytea", &part, |owned| Bytes(owned.name.hash))
            .select("directory.kind, directory.name, directory.owner", "directory", "");
        for row in look.rows(call).await? {
            let mut columns = Columns::of(&row);
            let mut read = || -> rows::Result<(String, NameHash, UuidBytes)> {
                Ok((columns.text()?, columns.bytes()?, columns.bytes()?))
            };
            // What cannot be read is as good as missing.
            let Ok((kind, hash, owner)) = read() else { continue };
            let kind = if kind == SECRET { SECRET } else { EXTERNAL_ID };
            owners.insert(Name { kind, hash }, owner);
        }
    }
    Ok(owners)
}

/// Which of these names their owners have.
pub(super) async fn owned_names(look: &Look<'_>, listed: &[Owned]) -> Result<BTreeSet<Owned>, PostgresError> {
    let mut had = BTreeSet::new();
    for part in by_statement(look.form, listed.to_vec(), Owned::owner_bucket) {
        // In this order: a secret that is retired meanwhile is found in one of the two.
        for (table, owner) in [("keys", "id"), ("retired_secrets", "key_id")] {
            let sql = format!("{table}.{owner}, {table}.secret");
            for row in look.rows(by_owner(look.form, &part, owner).select(&sql, table, "")).await? {
                let mut columns = Columns::of(&row);
                let (Ok(owner), Ok(hash)) = (columns.bytes(), columns.bytes()) else { continue };
                had.insert(Owned { name: Name { kind: SECRET, hash }, owner });
            }
        }
        let sql = "account_profiles.id, account_profiles.external_id";
        let call: Call = by_owner(look.form, &part, "id").select(sql, "account_profiles", "");
        for row in look.rows(call).await? {
            let mut columns = Columns::of(&row);
            let (Ok(owner), Ok(Some(external_id))) = (columns.bytes(), columns.optional_text::<ExternalId>())
            else {
                continue;
            };
            had.insert(Owned {
                name: Name { kind: EXTERNAL_ID, hash: external_id_name(&external_id) },
                owner,
            });
        }
    }
    Ok(had)
}

fn by_owner(form: Form, listed: &[Owned], column: &'static str) -> Given {
    Given::of(form, listed, Owned::owner_bucket).with(column, "uuid", listed, |listed| id(listed.owner))
}
