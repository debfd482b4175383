//! The `Idempotency-Key` header.

use axum::extract::FromRequestParts;
use axum::http::{HeaderName, request};
use coffer_ledger::IdempotencyKey;

use crate::problem::Problem;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const FIELD: &str = "Idempotency-Key";

/// The caller's name for a request that moves credits. A request without one is refused.
pub(crate) struct Named(pub(crate) IdempotencyKey);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Named, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else {
            return Err(missing());
        };
        if values.next().is_some() {
            return Err(Problem::invalid(FIELD, "must be given once"));
        }
        let text = value.to_str().unwrap_or_default();
        let key = IdempotencyKey::try_from(unquoted(text));
        key.map(Named).map_err(|_| Problem::invalid(FIELD, "must be 1 to 255 visible ASCII characters"))
    }
}

/// The answer to a request that moves credits and has no name.
pub(crate) fn missing() -> Problem {
    Problem::invalid(FIELD, "this header is required: credits move once per key")
}

/// The key may come bare, or as the quoted string of a structured field.
pub(crate) fn unquoted(text: &str) -> String {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_not_part_of_the_key() {
        for (given, key) in [("a", "a"), ("\"a\"", "a"), ("\"a\\\"b\"", "a\"b"), ("\"", "\""), ("\"\"", "")] {
            assert_eq!(unquoted(given), key, "{given}");
        }
    }
}
