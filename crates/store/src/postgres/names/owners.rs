//! Names that somebody has: how the directory comes to list those of another store, and whose a secret is.

use coffer_ledger::{KeyId, SecretHash, UuidBytes};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{EXTERNAL_ID, NameHash, SECRET, bucket_of_name, external_id_name};
use crate::StoreError;
use crate::migrate::Portion;
use crate::postgres::statement::{self, Bytes, Call, Form, Given, by_statement};
use crate::rows::Columns;

/// A name that somebody has, as another store knows it: its kind, itself, its owner.
pub(in crate::postgres) type Taken = (&'static str, NameHash, UuidBytes);

/// The names that rows of another store have.
pub(in crate::postgres) fn of_portion(portion: &Portion) -> Vec<Taken> {
    let mut taken = Vec::new();
    let keys = portion.keys.iter();
    taken.extend(keys.map(|key| (SECRET, *key.secret.bytes(), key.id.bytes())));
    let retired = portion.retired_secrets.iter();
    taken.extend(retired.map(|(key, retired)| (SECRET, *retired.secret.bytes(), key.bytes())));
    for profile in &portion.account_profiles {
        let name = profile.external_id.as_ref().map(external_id_name);
        taken.extend(name.map(|name| (EXTERNAL_ID, name, profile.id.bytes())));
    }
    taken
}

/// Lists names that somebody has already.
pub(in crate::postgres) fn listed_as_taken(form: Form, taken: &[Taken]) -> Vec<Call> {
    let bucket = |(_, name, _): &Taken| bucket_of_name(name);
    let call = |part: Vec<Taken>| {
        Given::of(form, &part, bucket)
            .with("kind", "text", &part, |(kind, ..)| *kind)
            .with("name", "bytea", &part, |(_, name, _)| Bytes(*name))
            .with("owner", "uuid", &part, |(.., owner)| statement::id(*owner))
            .with("reservation", "uuid", &part, |_| None::<Uuid>)
            // It never was reserved.
            .with("reserved_at", "bigint", &part, |_| 0_i64)
            .insert_missing("directory", 2)
    };
    by_statement(form, taken.to_vec(), bucket).into_iter().map(call).collect()
}

/// Whose key has a secret, as far as the directory knows.
pub(in crate::postgres) fn owner_of_secret(form: Form, secrets: &[SecretHash]) -> Vec<Call> {
    let parts = by_statement(form, secrets.to_vec(), |secret| bucket_of_name(secret.bytes()));
    let call = |part: Vec<SecretHash>| {
        Given::of(form, &part, |secret| bucket_of_name(secret.bytes()))
            .with("kind", "text", &part, |_| SECRET)
            .with("name", "bytea", &part, |secret| Bytes(*secret.bytes()))
            .select("directory.name, directory.owner", "directory", "")
    };
    parts.into_iter().map(call).collect()
}

/// A secret and the key that has it.
pub(in crate::postgres) fn secret_and_owner(row: &Row) -> Result<(SecretHash, KeyId), StoreError> {
    let mut columns = Columns::of(row);
    let secret = SecretHash::from_bytes(columns.bytes()?);
    Ok((secret, KeyId::from_bytes(columns.bytes()?)))
}
