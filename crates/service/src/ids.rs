//! Minting: ids that sort by time and carry their account's bucket, and salts.

use coffer_ledger::{Bucket, Salt, UuidBytes};
use uuid::Uuid;

/// A new id for something of an account in this bucket: a UUIDv7 whose last byte is the bucket.
#[must_use]
pub fn mint_id(bucket: Bucket) -> UuidBytes {
    let mut bytes = mint_id_anywhere();
    bytes[15] = bucket.0;
    bytes
}

/// A new id in a random bucket, for accounts and for what belongs to none.
#[must_use]
pub fn mint_id_anywhere() -> UuidBytes {
    Uuid::now_v7().into_bytes()
}

/// New random bytes for the digests of one entry's texts.
#[must_use]
pub fn mint_salt() -> Salt {
    Salt(rand::random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_7_with_the_bucket_at_the_end() {
        for bucket in [0, 7, 255] {
            let uuid = Uuid::from_bytes(mint_id(Bucket(bucket)));
            assert_eq!(uuid.get_version_num(), 7);
            assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
            assert_eq!(uuid.into_bytes()[15], bucket);
        }
    }

    #[test]
    fn ids_of_one_bucket_are_minted_in_order() {
        let ids: Vec<UuidBytes> = (0..10_000).map(|_| mint_id(Bucket(9))).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }
}
