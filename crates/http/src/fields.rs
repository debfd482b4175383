//! Fields of JSON: how the ledger's types are read and written on the wire.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use axum::http::StatusCode;
use coffer_ledger::{Credits, Metadata};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::Serializer;

/// Credits as a decimal string or a JSON integer, never a float.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amount(pub(crate) Credits);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        struct Decimal;

        impl Visitor<'_> for Decimal {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal string such as \"12.5\", or a JSON integer")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                text.parse().map(Amount).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, whole: i64) -> Result<Amount, E> {
                self.visit_str(&whole.to_string())
            }

            fn visit_u64<E: Error>(self, whole: u64) -> Result<Amount, E> {
                self.visit_str(&whole.to_string())
            }
        }

        deserializer.deserialize_any(Decimal)
    }
}

/// A string that is read by [`FromStr`]: an id, a time, a name of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parsed<T>(pub(crate) T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Parsed<T>, D::Error> {
        struct Text<T>(PhantomData<T>);

        impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
            type Value = Parsed<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Parsed<T>, E> {
                text.parse().map(Parsed).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text(PhantomData))
    }
}

/// A string that keeps to a text's limits: a name, a reference.
#[derive(Clone, Debug)]
pub(crate) struct Text<T>(pub(crate) T);

impl<'de, T: TryFrom<String, Error: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<T>, D::Error> {
        T::try_from(String::deserialize(deserializer)?).map(Text).map_err(D::Error::custom)
    }
}

/// A struct that is written as a JSON object and no other way: serde would take an array for one as well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        struct Map<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Map<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Object<T>, M::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Map(PhantomData))
    }
}

/// Metadata within its limits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs(pub(crate) Metadata);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        struct Unique;

        impl<'de> Visitor<'de> for Unique {
            type Value = BTreeMap<String, String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object whose values are strings")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut pairs = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    if pairs.contains_key(&key) {
                        return Err(M::Error::custom(format_args!("must not hold the key `{key}` twice")));
                    }
                    pairs.insert(key, value);
                }
                Ok(pairs)
            }
        }

        let pairs = deserializer.deserialize_map(Unique)?;
        Metadata::try_from(pairs).map(Pairs).map_err(D::Error::custom)
    }
}

/// Reads a field that may be absent (`None`) or `null` (`Some(None)`), for PATCH.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Writes what has a text form as a string.
pub(crate) fn text<S: Serializer>(value: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Writes what may be absent as a string or `null`.
pub(crate) fn option<S: Serializer>(
    value: &Option<impl fmt::Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

/// Writes metadata as an object.
pub(crate) fn pairs<S: Serializer>(value: &Metadata, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(value.pairs())
}

/// Writes a status as its number.
pub(crate) fn status<S: Serializer>(value: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(value.as_u16())
}

/// A rule that a body breaks: the field, where one can be named, and the rule.
pub(crate) fn broken_rule(error: &serde_path_to_error::Error<serde_json::Error>) -> (Option<String>, String) {
    let message = error.inner().to_string();
    // serde_json adds the place; the field says it better.
    let rule = match message.rfind(" at line ") {
        Some(place) => message[..place].to_owned(),
        None => message,
    };
    let path = error.path().to_string();
    let field = match named_in(&rule) {
        Some(name) if path == "." => Some(name.into_owned()),
        Some(name) if !path.ends_with(name.as_ref()) => Some(format!("{path}.{name}")),
        Some(_) | None => (path != ".").then_some(path),
    };
    (field, rule)
}

/// The field that serde names in its message rather than in the path.
fn named_in(rule: &str) -> Option<Cow<'_, str>> {
    let named = ["unknown field `", "missing field `", "duplicate field `"];
    let rest = named.iter().find_map(|start| rule.strip_prefix(start))?;
    rest.split_once('`').map(|(name, _)| name.into())
}
