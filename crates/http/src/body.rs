//! Bodies: read within bounds, parsed whole or refused by field and rule.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::{HeaderMap, header, request};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use serde_json::value::RawValue;

use crate::fields::{Object, broken_rule, named_in};
use crate::limits::{BODY_BYTES_MAX, BODY_MS_MAX, DRAIN_BYTES_MAX};
use crate::problem::{Code, Problem};

/// A JSON body of up to so many bytes. An empty one counts as `{}`.
pub(crate) struct Payload<T, const BYTES_MAX: usize = BODY_BYTES_MAX>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync, const BYTES_MAX: usize> FromRequest<S> for Payload<T, BYTES_MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Payload<T, BYTES_MAX>, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = match read(&parts.headers, body, BYTES_MAX).await {
            Ok(bytes) => bytes,
            Err(Unread::TooLarge) => return Err(Problem::body_too_large(BYTES_MAX)),
            Err(Unread::TooSlow) => {
                return Err(Problem::invalid("body", format!("must arrive within {} s", BODY_MS_MAX / 1000)));
            }
            Err(Unread::CutOff) => return Err(Problem::invalid("body", "was cut off")),
        };
        if bytes.is_empty() {
            return parse(b"{}").map(Payload);
        }
        if !is_json(&parts.headers) {
            return Err(Problem::body_is_not_json());
        }
        parse(&bytes).map(Payload)
    }
}

/// The parameters behind the `?`.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Params<T>, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Params(params)),
            Err(rejection) => {
                let text = rejection.body_text();
                let rule = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                Err(match (rule.split_once(": "), named_in(rule)) {
                    (Some((field, rule)), _) if !field.contains(' ') => Problem::invalid(field, rule),
                    (_, Some(field)) => Problem::invalid(&field, rule),
                    (_, None) => Problem::new(Code::InvalidRequest, rule),
                })
            }
        }
    }
}

/// Why a body could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unread {
    TooLarge,
    TooSlow,
    CutOff,
}

/// Reads a body of up to so many bytes. What is too large is drained up to a bound, so that the client hears
/// the refusal rather than a broken connection; a client that asks before it sends is not let send it.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: axum::body::Body,
    bytes_max: usize,
) -> Result<Bytes, Unread> {
    let mut bytes = BytesMut::new();
    take(headers, body, bytes_max, |data| bytes.extend_from_slice(data)).await?;
    Ok(bytes.freeze())
}

/// Reads a body of up to so many bytes and keeps none of it.
pub(crate) async fn discard(
    headers: &HeaderMap,
    body: axum::body::Body,
    bytes_max: usize,
) -> Result<(), Unread> {
    take(headers, body, bytes_max, |_| ()).await
}

async fn take(
    headers: &HeaderMap,
    body: axum::body::Body,
    bytes_max: usize,
    keep: impl FnMut(&[u8]),
) -> Result<(), Unread> {
    if body.is_end_stream() {
        return Ok(());
    }
    let is_too_large = body.size_hint().lower() > bytes_max as u64;
    if is_too_large && headers.contains_key(header::EXPECT) {
        return Err(Unread::TooLarge);
    }
    let whole = tokio::time::timeout(Duration::from_millis(BODY_MS_MAX), frames(body, bytes_max, keep));
    // What is announced to be too large is that, whether or not it comes.
    whole.await.unwrap_or(Err(if is_too_large { Unread::TooLarge } else { Unread::TooSlow }))
}

async fn frames(
    mut body: axum::body::Body,
    bytes_max: usize,
    mut keep: impl FnMut(&[u8]),
) -> Result<(), Unread> {
    let mut count = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::CutOff)?.into_data() else { continue };
        count += data.len();
        if count > DRAIN_BYTES_MAX.max(bytes_max) {
            break;
        }
        if count <= bytes_max {
            keep(&data);
        }
    }
    if count > bytes_max { Err(Unread::TooLarge) } else { Ok(()) }
}

/// Reads a JSON object as the body of a request.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let parsed = serde_json::from_slice::<Object<T>>(bytes);
    parsed.map(|object| object.0).map_err(|error| why_refused::<T>(bytes, &error))
}

/// Names the rule that a body breaks. It is read again for that, because keeping track of the field costs time, and most
/// bodies break none.
fn why_refused<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> Problem {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, Object<T>>(&mut deserializer) {
        Err(error) => refused(&error),
        // The object is as it should be, and something comes after it.
        Ok(_) => Problem::invalid("body", format!("must be one JSON object: {error}")),
    }
}

/// The fields of an object, each as it was written.
pub(crate) type RawFields = BTreeMap<String, Box<RawValue>>;

/// Reads an object whose fields are known already, as a body is read.
pub(crate) fn parse_fields<T: DeserializeOwned>(fields: &RawFields) -> Result<T, Problem> {
    let fields = fields.iter().map(|(name, value)| (name.as_str(), &**value));
    let deserializer = MapDeserializer::<_, serde_json::Error>::new(fields);
    serde_path_to_error::deserialize(deserializer).map_err(|error| refused(&error))
}

/// Reads one field of an object.
pub(crate) fn parse_field<T: DeserializeOwned>(name: &str, value: &RawValue) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| Problem::invalid(name, broken_rule(&error).1))
}

fn refused(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    if !error.inner().is_data() {
        return Problem::invalid("body", format!("must be JSON: {}", error.inner()));
    }
    match broken_rule(error) {
        (Some(field), rule) => Problem::invalid(&field, rule),
        (None, rule) => Problem::invalid("body", rule),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    let Some((kind, of)) = essence.split_once('/') else { return false };
    let is_json = of.eq_ignore_ascii_case("json") || of.to_ascii_lowercase().ends_with("+json");
    kind.eq_ignore_ascii_case("application") && is_json
}
