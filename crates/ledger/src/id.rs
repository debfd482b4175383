//! Ids: TypeIDs (a prefix, `_`, and 26 characters of base32) with a UUIDv7 inside.
//!
//! The last byte of the UUID is the bucket of the account that the id was minted for, so that whoever holds
//! an id knows the shard without asking. Ids are minted by the service, for that takes a clock and random
//! numbers; this module only reads and writes them. The 26 characters are coded here, in 40 lines, because
//! the TypeID crates bring a random number generator, which the ledger must not depend on.

use std::fmt;
use std::str::FromStr;

use crate::Timestamp;

/// The 16 bytes of a UUID.
pub type UuidBytes = [u8; 16];

/// The shard of an account: 0 to 255, fixed when the account is created.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bucket(pub u8);

impl Bucket {
    /// Where what belongs to no account is kept: prices, operators' keys, and their sessions.
    pub const CATALOGUE: Bucket = Bucket(0);
}

/// Why a text is not an id of the expected kind. The message is a rule that completes "account_id …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an id such as {prefix}_01jd7z4r5efkyv3q8x9w2m6n0p")]
pub struct IdError {
    prefix: &'static str,
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(UuidBytes);

        impl $name {
            /// What the text form begins with, before the `_`.
            pub const PREFIX: &'static str = $prefix;
            /// Comes before every other.
            pub const MIN: Self = Self([0; 16]);
            /// Comes after every other.
            pub const MAX: Self = Self([0xff; 16]);

            /// The id with these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: UuidBytes) -> Self {
                Self(bytes)
            }

            /// The bytes of the id; they sort by time of creation.
            #[must_use]
            pub const fn bytes(self) -> UuidBytes {
                self.0
            }

            /// The bucket of the account that the id was minted for.
            #[must_use]
            pub const fn bucket(self) -> Bucket {
                Bucket(self.0[15])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let suffix = encode(self.0);
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(std::str::from_utf8(&suffix).expect("the alphabet is ASCII"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(IdError { prefix: $prefix })
            }
        }
    };
}

typed_id!(
    /// An account, `acc_…`.
    AccountId, "acc"
);
typed_id!(
    /// A customer's key, `key_…`. The secret is something else, and is not kept.
    KeyId, "key"
);
typed_id!(
    /// A grant of credits, `grt_…`.
    GrantId, "grt"
);
typed_id!(
    /// A charge, `chg_…`.
    ChargeId, "chg"
);
typed_id!(
    /// A refund of a charge, `rfd_…`.
    RefundId, "rfd"
);
typed_id!(
    /// An adjustment by hand, `adj_…`.
    AdjustmentId, "adj"
);
typed_id!(
    /// A hold, `hld_…`.
    HoldId, "hld"
);
typed_id!(
    /// An operator's key, `opk_…`.
    OperatorKeyId, "opk"
);
typed_id!(
    /// A session of a browser, `ses_…`. Its token is something else, and is not kept.
    SessionId, "ses"
);
typed_id!(
    /// An action that the audit log tells of, `act_…`.
    ActionId, "act"
);

impl GrantId {
    /// The id of the lot that an adjustment makes: the adjustment's own bytes, under another prefix.
    #[must_use]
    pub const fn of_adjustment(id: AdjustmentId) -> GrantId {
        GrantId(id.0)
    }

    /// The id of the lot that a hold's end makes. A hold may lapse without anybody's command, so it cannot be
    /// minted; a hold ends once, so it is made of the hold's id and of when it ended.
    #[must_use]
    pub(crate) fn of_ended_hold(id: HoldId, at: Timestamp) -> GrantId {
        let mut bytes = id.0;
        bytes[..6].copy_from_slice(&at.unix_ms().to_be_bytes()[2..]);
        GrantId(bytes)
    }
}

/// Crockford's base32 in lower case, as TypeID has it.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const CHARACTERS: usize = 26;

fn encode(bytes: UuidBytes) -> [u8; CHARACTERS] {
    let mut number = u128::from_be_bytes(bytes);
    let mut text = [0; CHARACTERS];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(number & 31) as usize];
        number >>= 5;
    }
    text
}

fn decode(text: &str) -> Option<UuidBytes> {
    let text = text.as_bytes();
    // 26 characters carry 130 bits: the first may only use the lower three of its five.
    if text.len() != CHARACTERS || text[0] > b'7' {
        return None;
    }
    let mut number: u128 = 0;
    for character in text {
        let digit = ALPHABET.iter().position(|known| known == character)?;
        number = number << 5 | digit as u128;
    }
    Some(number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_typeids() {
        // Pairs from the TypeID specification's list of valid ids.
        for (bytes, suffix) in [
            (0x0000_0000_0000_0000_0000_0000_0000_0000_u128, "00000000000000000000000000"),
            (0x0000_0000_0000_0000_0000_0000_0000_0001, "00000000000000000000000001"),
            (0x0000_0000_0000_0000_0000_0000_0000_000a, "0000000000000000000000000a"),
            (0x0000_0000_0000_0000_0000_0000_0000_0010, "0000000000000000000000000g"),
            (0x0000_0000_0000_0000_0000_0000_0000_0020, "00000000000000000000000010"),
            (0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff, "7zzzzzzzzzzzzzzzzzzzzzzzzz"),
            (0x0110_c853_1d09_52d8_d73e_1194_e95b_5f19, "0123456789abcdefghjkmnpqrs"),
            (0x0189_0a5d_ac96_774b_bcce_b302_099a_8057, "01h455vb4pex5vsknk084sn02q"),
        ] {
            let id = AccountId::from_bytes(bytes.to_be_bytes());
            assert_eq!(id.to_string(), format!("acc_{suffix}"));
            assert_eq!(format!("acc_{suffix}").parse(), Ok(id));
            assert_eq!(id.bucket().0, bytes.to_be_bytes()[15]);
        }
    }

    #[test]
    fn other_texts_are_refused_by_kind() {
        for text in [
            "",
            "acc_",
            "acc",
            "key_00000000000000000000000000",
            "00000000000000000000000000",
            "acc_0000000000000000000000000",
            "acc_000000000000000000000000000",
            "acc_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "acc_0000000000000000000000000I",
            "acc_0000000000000000000000000U",
            "acc_0000000000000000000000000A",
            "ACC_00000000000000000000000000",
            "acc_0000000000000000000000000é",
        ] {
            assert_eq!(text.parse::<AccountId>(), Err(IdError { prefix: "acc" }), "{text}");
        }
    }
}
