//! Secrets: what a customer or an operator presents.
//!
//! A secret is a prefix, 43 random characters (256 bits), and 6 of a checksum by which people and scanners
//! notice a typo. Only its SHA-256 goes further than this module and its caller; it never shows in `Debug`.

use std::fmt;

use coffer_ledger::{Hint, SecretHash};
use rand::distr::{Alphanumeric, SampleString as _};
use sha2::{Digest as _, Sha256};

use crate::limits::{SECRET_CHARACTERS_MAX, SECRET_CHARACTERS_MIN, SECRET_CHARACTERS_STRONG};

/// 43 characters of 62 carry 256 bits: 43 × log2(62) = 256.03.
const RANDOM_CHARACTERS: usize = 43;
const CHECKSUM_CHARACTERS: usize = 6;
const HINT_CHARACTERS: usize = 4;
const PREFIX_CHARACTERS_MAX: usize = 32;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What the secrets that this server makes begin with, such as `cof_live_`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyPrefix(Box<str>);

/// Why a text is no prefix. The message is a rule that completes "key_prefix …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to {PREFIX_CHARACTERS_MAX} characters of a-z, A-Z, 0-9 and _, end in _, and not be an operator's"
)]
pub struct KeyPrefixError;

impl KeyPrefix {
    /// The prefix of operators' secrets, which tells them from customers' at a glance.
    #[must_use]
    pub fn operator() -> KeyPrefix {
        KeyPrefix("cof_operator_".into())
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for KeyPrefix {
    fn default() -> KeyPrefix {
        KeyPrefix("cof_live_".into())
    }
}

impl std::str::FromStr for KeyPrefix {
    type Err = KeyPrefixError;
    fn from_str(text: &str) -> Result<KeyPrefix, KeyPrefixError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let operator = KeyPrefix::operator();
        // No secret may look like a customer's and like an operator's.
        let apart = !text.starts_with(operator.as_str()) && !operator.as_str().starts_with(text);
        let form = text.len() <= PREFIX_CHARACTERS_MAX && text.ends_with('_') && text.bytes().all(allowed);
        let valid = form && apart;
        if valid { Ok(KeyPrefix(text.into())) } else { Err(KeyPrefixError) }
    }
}

/// A secret in plain text. It lives as short as its caller lets it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

/// Why a text cannot be a secret. The message is a rule that completes "secret …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Too short, too long, or not visible.
    #[error("must be {characters_min} to {SECRET_CHARACTERS_MAX} visible ASCII characters")]
    Form {
        /// The fewest that are allowed.
        characters_min: usize,
    },
    /// Short enough to be guessed.
    #[error("must have at least {SECRET_CHARACTERS_STRONG} characters, unless allow_weak is true")]
    Weak,
    /// It looks like one that this server made, and is not.
    #[error("must not begin with {0}, which marks the secrets that this server makes")]
    OwnPrefix(String),
}

impl Secret {
    /// A new secret.
    #[must_use]
    pub fn generate(prefix: &KeyPrefix) -> Secret {
        let random = Alphanumeric.sample_string(&mut rand::rng(), RANDOM_CHARACTERS);
        let body = format!("{}{random}", prefix.as_str());
        let checksum = checksum(&body);
        Secret(format!("{body}{checksum}").into())
    }

    /// Whatever somebody presents.
    #[must_use]
    pub fn presented(text: &str) -> Secret {
        Secret(text.into())
    }

    /// A secret that customers have already, from another system.
    ///
    /// # Errors
    /// Where it is not 16 to 255 visible characters, is shorter than 32 without `allow_weak`, or begins with
    /// the prefix of this server's own.
    pub fn import(text: &str, allow_weak: bool, own: &KeyPrefix) -> Result<Secret, SecretError> {
        let secret = Secret::of_length(text, SECRET_CHARACTERS_MIN)?;
        let operator = KeyPrefix::operator();
        for prefix in [own, &operator] {
            if text.starts_with(prefix.as_str()) {
                return Err(SecretError::OwnPrefix(prefix.as_str().to_owned()));
            }
        }
        if text.len() < SECRET_CHARACTERS_STRONG && !allow_weak { Err(SecretError::Weak) } else { Ok(secret) }
    }

    /// An operator's secret that was given by configuration.
    ///
    /// # Errors
    /// Where it is not 32 to 255 visible characters.
    pub fn configured(text: &str) -> Result<Secret, SecretError> {
        Secret::of_length(text, SECRET_CHARACTERS_STRONG)
    }

    fn of_length(text: &str, characters_min: usize) -> Result<Secret, SecretError> {
        let fits = (characters_min..=SECRET_CHARACTERS_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Secret(text.into()))
        } else {
            Err(SecretError::Form { characters_min })
        }
    }

    /// The hash by which the secret is known.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash::from_bytes(Sha256::digest(self.0.as_bytes()).into())
    }

    /// How people recognize the secret: its last 4 characters, behind the prefix if it has this server's.
    #[must_use]
    pub fn hint(&self, prefix: &KeyPrefix) -> Hint {
        let shown = if self.0.starts_with(prefix.as_str()) { prefix.as_str() } else { "" };
        let end = &self.0[self.0.len() - HINT_CHARACTERS..];
        Hint::try_from(format!("{shown}…{end}")).expect("a hint is short and visible")
    }

    /// Whether the secret looks like one that this server made, but was mistyped or cut off.
    #[must_use]
    pub fn is_mistyped(&self, prefix: &KeyPrefix) -> bool {
        if !self.0.starts_with(prefix.as_str()) || !self.0.is_ascii() {
            return false;
        }
        let expected = prefix.as_str().len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS;
        if self.0.len() != expected {
            return true;
        }
        let (body, given) = self.0.split_at(expected - CHECKSUM_CHARACTERS);
        checksum(body) != given
    }

    /// The plain text, for the one time that it is shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The CRC-32 of a text in 6 characters of base62, the most significant first.
fn checksum(text: &str) -> String {
    let mut number = crc32fast::hash(text.as_bytes());
    let mut characters = [0; CHECKSUM_CHARACTERS];
    for place in characters.iter_mut().rev() {
        *place = BASE62[(number % 62) as usize];
        number /= 62;
    }
    characters.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_the_documented_form() {
        let prefix = KeyPrefix::default();
        let secret = Secret::generate(&prefix);
        let body = secret.expose().strip_prefix("cof_live_").expect("the prefix");
        assert_eq!(body.len(), 43 + 6);
        assert!(body.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(!secret.is_mistyped(&prefix));
        assert!(secret.hint(&prefix).as_str().ends_with(&body[body.len() - 4..]));
        assert_ne!(secret, Secret::generate(&prefix));
    }

    #[test]
    fn the_checksum_shows_every_single_typo() {
        let prefix = KeyPrefix::default();
        let secret = Secret::generate(&prefix);
        let text = secret.expose();
        for place in prefix.as_str().len()..text.len() {
            let mut typo = text.as_bytes().to_vec();
            typo[place] = if typo[place] == b'x' { b'y' } else { b'x' };
            let typo = String::from_utf8(typo).expect("ASCII");
            assert!(Secret::presented(&typo).is_mistyped(&prefix), "at {place}");
        }
        assert!(Secret::presented(&text[..text.len() - 1]).is_mistyped(&prefix));
        assert!(!Secret::presented("another-systems-key").is_mistyped(&prefix));
    }

    #[test]
    fn the_checksum_is_that_of_crc32() {
        // CRC-32 of "123456789" is 0xCBF43926, the algorithm's published check value.
        let mut number = 0xCBF4_3926_u32;
        let mut expected = String::new();
        for _ in 0..6 {
            expected.insert(0, char::from(BASE62[(number % 62) as usize]));
            number /= 62;
        }
        assert_eq!(checksum("123456789"), expected);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_presented_is_no_panic(text in proptest::prelude::any::<String>(), tail in "[ -~]{0,80}") {
            let prefix = KeyPrefix::default();
            for text in [text.clone(), format!("cof_live_{text}"), format!("cof_live_{tail}"), tail] {
                let secret = Secret::presented(&text);
                proptest::prop_assert!(secret.is_mistyped(&prefix) || !text.starts_with("cof_live_") || !text.is_ascii());
                if let Ok(imported) = Secret::import(&text, true, &prefix) {
                    proptest::prop_assert!((16..=255).contains(&text.len()));
                    proptest::prop_assert!(imported.hint(&prefix).as_str().ends_with(&text[text.len() - 4..]));
                }
            }
        }

        #[test]
        fn a_secret_is_told_from_its_like(place in 9..58_usize, other in "[0-9A-Za-z]") {
            let prefix = KeyPrefix::default();
            let secret = Secret::generate(&prefix);
            let mut typo = secret.expose().to_owned();
            typo.replace_range(place..=place, &other);
            proptest::prop_assert_eq!(Secret::presented(&typo).is_mistyped(&prefix), typo != secret.expose());
        }
    }

    #[test]
    fn secrets_never_show_in_debug() {
        let secret = Secret::presented("hunter2-hunter2-hunter2");
        assert_eq!(format!("{secret:?} {:?}", secret.hash()), "Secret(redacted) SecretHash(redacted)");
    }

    #[test]
    fn imports_keep_to_their_rules() {
        let own = KeyPrefix::default();
        let rule = |text: &str, allow_weak| Secret::import(text, allow_weak, &own).map(|_| ());
        assert_eq!(rule(&"x".repeat(32), false), Ok(()));
        assert_eq!(rule(&"x".repeat(31), false), Err(SecretError::Weak));
        assert_eq!(rule(&"x".repeat(16), true), Ok(()));
        assert_eq!(rule(&"x".repeat(15), true), Err(SecretError::Form { characters_min: 16 }));
        assert_eq!(rule(&"x".repeat(255), false), Ok(()));
        assert_eq!(rule(&"x".repeat(256), false), Err(SecretError::Form { characters_min: 16 }));
        assert_eq!(
            rule("sixteen chars and spaces inside it", false),
            Err(SecretError::Form { characters_min: 16 })
        );
        assert_eq!(
            rule(&format!("cof_live_{}", "x".repeat(40)), true),
            Err(SecretError::OwnPrefix("cof_live_".to_owned()))
        );
        assert_eq!(
            rule(&format!("cof_operator_{}", "x".repeat(40)), true),
            Err(SecretError::OwnPrefix("cof_operator_".to_owned()))
        );
    }
}
