//! Text that users give: names, references, reasons, operations, external ids, metadata, idempotency keys, hints
//! of keys.
//!
//! Each is a type that can only be made within its limits. None may hold a control character, for these
//! texts end up in tables, CSV files and databases that do not take them.

use std::collections::BTreeMap;
use std::fmt;

use crate::limits::{
    METADATA_KEY_CHARACTERS_MAX, METADATA_PAIRS_MAX, METADATA_VALUE_CHARACTERS_MAX,
    RETURN_URL_CHARACTERS_MAX, TEXT_CHARACTERS_MAX,
};

/// Why a text is refused. The message is a rule that completes "name …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing in it.
    #[error("must not be empty")]
    Empty,
    /// More characters than the field takes.
    #[error("must have at most {characters_max} characters")]
    TooLong {
        /// The most it takes.
        characters_max: usize,
    },
    /// A tab, a line break, a NUL or the like.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// Something other than the visible ASCII characters `!` to `~`.
    #[error("must consist of visible ASCII characters")]
    NotVisible,
}

fn checked(text: String, characters_max: usize) -> Result<Box<str>, TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > characters_max && text.chars().count() > characters_max {
        return Err(TextError::TooLong { characters_max });
    }
    if text.chars().any(char::is_control) {
        return Err(TextError::ControlCharacter);
    }
    Ok(text.into())
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> {
                let check: fn(String) -> Result<Box<str>, TextError> = $check;
                check(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// What an account or a key is called: 1 to 255 characters.
    Name,
    |text| checked(text, TEXT_CHARACTERS_MAX)
);
text!(
    /// The user's own word for a movement of credits: 1 to 255 characters.
    Reference,
    |text| checked(text, TEXT_CHARACTERS_MAX)
);
text!(
    /// Why somebody adjusted a balance by hand: 1 to 255 characters.
    Reason,
    |text| checked(text, TEXT_CHARACTERS_MAX)
);
text!(
    /// What a customer may do for credits, as the catalogue names it: 1 to 255 characters.
    Operation,
    |text| checked(text, TEXT_CHARACTERS_MAX)
);
text!(
    /// What an operation is counted in: 1 to 255 characters.
    Unit,
    |text| checked(text, TEXT_CHARACTERS_MAX)
);
text!(
    /// What an operation is, for people: 1 to 255 characters.
    Description,
    |text| checked(text, TEXT_CHARACTERS_MAX)
);
text!(
    /// The user's own id of an account, unique in the ledger: 1 to 255 characters.
    ExternalId,
    |text| checked(text, TEXT_CHARACTERS_MAX)
);
text!(
    /// Where the way back from a customer's page leads: an absolute address.
    ReturnUrl,
    |text| {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TextError::NotVisible);
        }
        checked(text, RETURN_URL_CHARACTERS_MAX)
    }
);
text!(
    /// What a session was opened with, as the browser calls itself: up to 255 characters of it.
    Client,
    |text| checked(text, TEXT_CHARACTERS_MAX)
);
text!(
    /// What an action was on: an id, or the name of an operation.
    Subject,
    |text| checked(text, TEXT_CHARACTERS_MAX)
);
text!(
    /// More about an action, in a few words.
    Detail,
    |text| checked(text, TEXT_CHARACTERS_MAX)
);
text!(
    /// The end of a secret, by which people tell their keys apart.
    Hint,
    |text| checked(text, TEXT_CHARACTERS_MAX)
);
text!(
    /// The caller's name for one request, within one account: 1 to 255 visible ASCII characters.
    IdempotencyKey,
    |text| {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TextError::NotVisible);
        }
        checked(text, TEXT_CHARACTERS_MAX)
    }
);

/// The beginning of a text, as much of it as a field takes, without its control characters.
fn cut(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(TEXT_CHARACTERS_MAX).collect()
}

impl Subject {
    /// As much of a text that is not empty as there is room for.
    pub(crate) fn cut(text: &str) -> Subject {
        Subject(cut(text).into())
    }
}

impl Detail {
    /// As much of a text that is not empty as there is room for.
    pub(crate) fn cut(text: &str) -> Detail {
        Detail(cut(text).into())
    }
}

impl Client {
    /// As much as there is room for of what a browser says; `None` where it says nothing.
    #[must_use]
    pub fn cut(text: &str) -> Option<Client> {
        Client::try_from(cut(text)).ok()
    }
}

/// Pairs of strings that the user hangs on an object: up to 50, keys of 1 to 40 characters, values of up to 500.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Metadata(BTreeMap<String, String>);

/// Why metadata is refused. The message is a rule that completes "metadata …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Too many pairs.
    #[error("must have at most {METADATA_PAIRS_MAX} pairs")]
    TooManyPairs,
    /// A key that is empty, too long, or holds a control character.
    #[error(
        "must have keys of 1 to {METADATA_KEY_CHARACTERS_MAX} characters, none of them control characters"
    )]
    Key,
    /// A value that is too long, or holds a NUL.
    #[error("must have values of at most {METADATA_VALUE_CHARACTERS_MAX} characters, none of them NUL")]
    Value,
}

impl Metadata {
    /// The pairs, sorted by key.
    #[must_use]
    pub fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// How many bytes the pairs occupy.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<BTreeMap<String, String>> for Metadata {
    type Error = MetadataError;
    fn try_from(pairs: BTreeMap<String, String>) -> Result<Metadata, MetadataError> {
        if pairs.len() > METADATA_PAIRS_MAX {
            return Err(MetadataError::TooManyPairs);
        }
        for (key, value) in &pairs {
            if key.is_empty()
                || key.chars().count() > METADATA_KEY_CHARACTERS_MAX
                || key.chars().any(char::is_control)
            {
                return Err(MetadataError::Key);
            }
            if value.chars().count() > METADATA_VALUE_CHARACTERS_MAX || value.contains('\0') {
                return Err(MetadataError::Value);
            }
        }
        Ok(Metadata(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_limits() {
        for (given, expected) in [
            ("a".to_owned(), Ok(())),
            ("字".repeat(255), Ok(())),
            ("字".repeat(256), Err(TextError::TooLong { characters_max: 255 })),
            (String::new(), Err(TextError::Empty)),
            ("a\0b".to_owned(), Err(TextError::ControlCharacter)),
            ("a\nb".to_owned(), Err(TextError::ControlCharacter)),
        ] {
            assert_eq!(Name::try_from(given.clone()).map(|_| ()), expected, "{given:?}");
        }
    }

    #[test]
    fn idempotency_keys_are_visible() {
        assert!(IdempotencyKey::try_from("!~order-1".to_owned()).is_ok());
        for given in ["a b", "é", "a\tb"] {
            assert_eq!(IdempotencyKey::try_from(given.to_owned()), Err(TextError::NotVisible), "{given:?}");
        }
    }

    #[test]
    fn metadata_keeps_to_its_limits() {
        let pairs = |count: usize, key: usize, value: usize| {
            (0..count)
                .map(|n| (format!("{n:0>key$}"), "v".repeat(value)))
                .collect::<BTreeMap<String, String>>()
        };
        for (given, expected) in [
            (pairs(50, 40, 500), Ok(())),
            (pairs(51, 2, 1), Err(MetadataError::TooManyPairs)),
            (pairs(1, 41, 1), Err(MetadataError::Key)),
            (pairs(1, 1, 501), Err(MetadataError::Value)),
            (BTreeMap::from([(String::new(), String::new())]), Err(MetadataError::Key)),
            (BTreeMap::from([("k".to_owned(), "\0".to_owned())]), Err(MetadataError::Value)),
        ] {
            assert_eq!(Metadata::try_from(given).map(|_| ()), expected);
        }
    }
}
