//! What the document says before its operations: what Coffer is, the groups of operations, how to authenticate.

use serde_json::{Value, json};

use crate::limits::{BATCH_BYTES_MAX, BODY_BYTES_MAX, HEADERS_BYTES_MAX, PAGE_DEFAULT, PAGE_MAX};

/// The chapters that stand before the operations: a heading and paragraphs.
pub(crate) fn chapters() -> Vec<(&'static str, String)> {
    let kib = 1024;
    vec![
        (
            "Base URL",
            "Paths are relative to where the server listens, `http://127.0.0.1:8080` unless it is configured \
             otherwise. Operators' paths may be on a port of their own."
                .to_owned(),
        ),
        (
            "Authentication",
            "Operators send `Authorization: Bearer <operator key>`; each operation names the scope that the key needs. \
             Customers send their key in a header of its own, or as a bearer token under `/v1/me`. A key never stands \
             in a URL."
                .to_owned(),
        ),
        (
            "Credits",
            "Credits travel as decimal strings with at most 6 fraction digits: `\"1234\"`, `\"0.5\"`, `\"-3.25\"`. \
             Requests may also give a JSON integer, or zeros at the end of a fraction. A JSON float, an exponent, a `+` \
             and anything beyond ±9000000000000 are refused."
                .to_owned(),
        ),
        (
            "Ids",
            "An id is a prefix that says what it is of, `_`, and 26 characters: `acc_01jd7z4r5efkyv3q8x9w2m6n0p`. Ids of \
             one kind sort by time."
                .to_owned(),
        ),
        (
            "Times",
            "Times are RFC 3339 in UTC with milliseconds: `2026-11-22T13:00:00.000Z`. Requests may use any offset."
                .to_owned(),
        ),
        (
            "Bodies",
            format!(
                "Bodies are JSON of up to {} KiB, a batch of up to {} MiB; headers have up to {} KiB. An unknown field or \
                 query parameter is refused by its name. An empty body counts as `{{}}`, and needs no Content-Type. In a \
                 request `null` is as good as absent, except where it takes something away.",
                BODY_BYTES_MAX / kib,
                BATCH_BYTES_MAX / kib / kib,
                HEADERS_BYTES_MAX / kib,
            ),
        ),
        (
            "Idempotency",
            "Every `POST` that moves credits needs the header `Idempotency-Key`: 1 to 255 visible characters of your own, \
             bare or quoted, unique in the account. The same request under the same key gets the first answer again, \
             with `Idempotency-Replayed: true`, and nothing moves twice; another request under it is 422. 402 and 409 are \
             remembered as well: use a new key after a top-up. In a batch each operation has its own key."
                .to_owned(),
        ),
        (
            "Errors",
            "Errors are `application/problem+json` (RFC 9457): branch on `code`, and on `reason` where there is one; \
             `detail` is for people. 429 and 503 say in `Retry-After` when to come back. The balance endpoint has an \
             envelope of its own. Every answer has an `X-Request-Id`, which the server's log has as well."
                .to_owned(),
        ),
        (
            "Lists",
            format!(
                "Lists are newest first. `limit` is 1 to {PAGE_MAX}, {PAGE_DEFAULT} if not given; where `has_more` is \
                 true, give `next_cursor` as `cursor` to go on."
            ),
        ),
    ]
}

/// The document's description.
pub(super) fn description() -> String {
    let mut text = "Prepaid credits behind an API: accounts, grants, charges, holds, keys.\n".to_owned();
    for (heading, paragraph) in chapters() {
        text.push_str(&format!("\n## {heading}\n\n{paragraph}\n"));
    }
    text
}

/// The groups of operations, in reading order.
pub(super) fn tags() -> Value {
    let tag = |name: &str, description: &str| json!({ "name": name, "description": description });
    json!([
        tag("balance", "What a customer has left, as clients of this endpoint have always asked for it."),
        tag("customers", "What the holder of a key may look at."),
        tag("accounts", "Who holds credits, and how many."),
        tag("grants", "Credits that accounts are given."),
        tag("adjustments", "Corrections by hand."),
        tag("charges", "Credits that are spent, and given back."),
        tag("holds", "Credits that are reserved, and what becomes of them."),
        tag("batch", "Many of these in one request."),
        tag("keys", "The keys that customers call with."),
        tag("prices", "What operations cost."),
        tag("statements", "What happened on an account."),
        tag("operator keys", "The keys that open this API."),
        tag("server", "How the server is, and what it can do."),
    ])
}

/// How to authenticate.
pub(super) fn security_schemes(api_key_header: &str) -> Value {
    json!({
        "operator_key": {
            "type": "http", "scheme": "bearer", "description": "An operator's key. Its scopes say what it may do.",
        },
        "api_key": {
            "type": "apiKey", "in": "header", "name": api_key_header, "description": "A customer's key.",
        },
        "api_key_bearer": { "type": "http", "scheme": "bearer", "description": "A customer's key as a bearer token." },
    })
}
