//! Names that only one may have: where the directory keeps them.

use coffer_ledger::{Bucket, ExternalId};
use sha2::{Digest, Sha256};

/// An account's name of its user's.
pub(super) const EXTERNAL_ID: &str = "external_id";
/// The hash of a key's secret.
pub(super) const SECRET: &str = "secret";

/// What the directory has for an external id: a hash, so that names spread over the buckets and all have one length.
pub(super) fn external_id_name(external_id: &ExternalId) -> [u8; 32] {
    Sha256::digest(external_id.as_str()).into()
}

/// The bucket in which the directory has a name.
pub(super) fn bucket_of_name(name: &[u8; 32]) -> Bucket {
    Bucket(name[31])
}
