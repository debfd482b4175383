//! The forms of single values: ids, amounts, times, texts. The wire structs name them; the document has each once.
//!
//! A form says exactly what the server reads or writes, in the part of the language of patterns that every validator
//! knows: no look-ahead, no class of characters that depends on the language.

use std::borrow::Cow;

use coffer_ledger::limits::{
    METADATA_KEY_CHARACTERS_MAX, METADATA_PAIRS_MAX, METADATA_VALUE_CHARACTERS_MAX,
    RETURN_URL_CHARACTERS_MAX, TEXT_CHARACTERS_MAX,
};
use coffer_ledger::{EntryKind, Scope};
use serde_json::{Value, json};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::limits::PAGE_MAX;

/// Any text but control characters, in the notation that JavaScript, Python, Rust and Go share.
const PLAIN: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

/// What years of four digits the ledger knows.
const YEARS: &str = "^(19[7-9][0-9]|[2-9][0-9]{3})-";

/// Makes a type that stands for each form in the wire structs, and the table of what the forms are.
macro_rules! forms {
    ($($name:ident: $form:expr;)*) => {
        $(
            pub(crate) struct $name;

            impl PartialSchema for $name {
                /// Only a place in the document, where [`all`] has what stands there.
                fn schema() -> RefOr<Schema> {
                    ObjectBuilder::new().into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )*

        /// Every form by its name.
        pub(super) fn all() -> Vec<(&'static str, Value)> {
            vec![$((stringify!($name), $form)),*]
        }
    };
}

forms! {
    AccountId: id("acc", "The id of an account.");
    KeyId: id("key", "The id of a customer's key. The secret is something else.");
    GrantId: id("grt", "The id of a grant.");
    ChargeId: id("chg", "The id of a charge.");
    HoldId: id("hld", "The id of a hold.");
    RefundId: id("rfd", "The id of a refund.");
    AdjustmentId: id("adj", "The id of an adjustment.");
    OperatorKeyId: id("opk", "The id of an operator's key.");
    ReturnUrl: json!({
        "type": "string", "minLength": 1, "maxLength": RETURN_URL_CHARACTERS_MAX, "pattern": "^[!-~]*$",
        "description": "An absolute address, on one of the origins that the server is configured to send customers back to.",
        "example": "https://example.com/billing",
    });
    PortalUrl: json!({
        "type": "string", "description": "An absolute address that works once. The secret is behind the `#`.",
        "example": "https://credits.example.com/portal/open#ses_01jd7z8k3mftv5x9q2c6h0r4bs.ExampleExampleExampleExampleExampleExampleE",
    });

    Credits: json!({
        "type": "string",
        "description": "Credits as every answer writes them: a decimal without an exponent, a `+` or zeros at its end.",
        "pattern": r"^-?(0|[1-9][0-9]{0,12})(\.[0-9]{0,5}[1-9])?$",
        "examples": ["1234", "0.5", "-3.25"],
    });
    Amount: amount("Zero credits or more", 0, DECIMAL, None, "12.5");
    AmountAboveZero: amount("More than zero credits", 1, DECIMAL, Some(r"^0(\.0+)?$"), "12.5");
    AmountNotZero: amount("Credits above or below zero", -WHOLE_MAX, SIGNED_DECIMAL, Some(r"^-?0(\.0+)?$"), "-2.5");
    UnitPriceGiven: json!({
        "description": "What one unit costs: a decimal string with at most 12 fraction digits, or a JSON integer. A \
                        JSON float is refused.",
        "oneOf": [
            {
                "type": "string",
                "pattern": r"^((0|[1-9][0-9]{0,11}|[1-8][0-9]{12})(\.[0-9]{1,12})?|9000000000000(\.0{1,12})?)$",
                "examples": ["0.0025"],
            },
            { "type": "integer", "minimum": 0, "maximum": WHOLE_MAX },
        ],
    });
    UnitPrice: json!({
        "type": "string",
        "description": "What one unit costs, as every answer writes it.",
        "pattern": r"^(0|[1-9][0-9]{0,12})(\.[0-9]{0,11}[1-9])?$",
        "examples": ["0.0025"],
    });

    Time: json!({
        "type": "string",
        "format": "date-time",
        "description": "A time as every answer writes it: RFC 3339 in UTC with milliseconds.",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        "examples": ["2026-11-22T13:00:00.000Z"],
    });
    TimeGiven: json!({
        "type": "string",
        "format": "date-time",
        "description": "RFC 3339 with any offset, between 1970 and 9999. What is finer than a millisecond is cut off.",
        "pattern": YEARS,
        "examples": ["2026-11-22T13:00:00Z"],
    });
    TimeAhead: json!({
        "type": "string",
        "format": "date-time",
        "description": "A time in the future: RFC 3339 with any offset, to a millisecond.",
        "pattern": YEARS,
        "examples": ["2099-01-01T00:00:00Z"],
    });
    Day: json!({
        "type": "string", "format": "date", "description": "A day in UTC.", "examples": ["2026-11-22"],
    });

    Text: json!({
        "type": "string",
        "description": "A text without control characters.",
        "minLength": 1,
        "maxLength": TEXT_CHARACTERS_MAX,
        "pattern": PLAIN,
    });
    Metadata: json!({
        "type": "object",
        "description": "Pairs of strings that you hang on an object.",
        "maxProperties": METADATA_PAIRS_MAX,
        "propertyNames": { "minLength": 1, "maxLength": METADATA_KEY_CHARACTERS_MAX, "pattern": PLAIN },
        "additionalProperties": {
            "type": "string",
            "maxLength": METADATA_VALUE_CHARACTERS_MAX,
            "pattern": r"^[^\x00]*$",
        },
        "examples": [{ "invoice": "2026-0042" }],
    });
    IdempotencyKey: json!({
        "type": "string",
        "description": "Your name for one request, in one account: visible ASCII characters.",
        "minLength": 1,
        "maxLength": TEXT_CHARACTERS_MAX,
        "pattern": "^[!-~]*$",
        "examples": ["order-4711"],
    });
    Secret: json!({
        "type": "string", "description": "A secret that opens something. Whoever has it can use it.", "minLength": 1,
        "examples": ["cof_live_ExampleExampleExampleExampleExampleExampleEx7Qa1"],
    });
    Hint: json!({
        "type": "string", "description": "The end of a secret, by which people tell keys apart.", "minLength": 1,
        "examples": ["cof_live_…7Qa1"],
    });
    Digest: json!({
        "type": "string", "description": "A SHA-256 in hexadecimal.", "pattern": "^[0-9a-f]{64}$",
        "examples": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    });
    Salt: json!({
        "type": "string", "description": "Random bytes in hexadecimal.", "pattern": "^[0-9a-f]{32}$",
        "examples": ["6d1f0a3c5be24d7799a1c0de42f6b815"],
    });

    ScopeName: json!({
        "type": "string",
        "description": "A part of the operator API: `read` looks at everything; `charge` charges, holds, captures and \
                        releases; `grant` grants, adjusts, refunds and voids; `manage` keeps accounts, customers' keys \
                        and prices; `admin` keeps operators' keys.",
        "enum": Scope::ALL.map(Scope::as_str),
    });
    KindOfEntry: json!({
        "type": "string",
        "description": "What happened.",
        "enum": EntryKind::ALL.map(EntryKind::as_str),
    });
    BatchOperation: json!({ "description": "One operation of a batch: `type` says which." });
    BatchAnswer: json!({
        "description": "What the single call would have answered.",
        "anyOf": [
            { "$ref": "#/components/schemas/Grant" },
            { "$ref": "#/components/schemas/Charge" },
            { "$ref": "#/components/schemas/Hold" },
            { "$ref": "#/components/schemas/Refund" },
            { "$ref": "#/components/schemas/Problem" },
        ],
    });

    PageLimit: json!({
        "type": "integer", "description": "How many there are on a page at most.", "minimum": 1, "maximum": PAGE_MAX,
        "default": crate::limits::PAGE_DEFAULT,
    });
    Cursor: json!({
        "type": "string", "description": "A place in a list. What is in it may change from version to version.",
        "minLength": 1,
    });
}

const WHOLE_MAX: i64 = 9_000_000_000_000;
const DECIMAL: &str = r"^((0|[1-9][0-9]{0,11}|[1-8][0-9]{12})(\.[0-9]{1,6})?|9000000000000(\.0{1,6})?)$";
const SIGNED_DECIMAL: &str =
    r"^-?((0|[1-9][0-9]{0,11}|[1-8][0-9]{12})(\.[0-9]{1,6})?|9000000000000(\.0{1,6})?)$";

fn id(prefix: &str, description: &str) -> Value {
    json!({
        "type": "string",
        "description": description,
        // The alphabet of TypeIDs has no i, l, o and u; 26 of its characters carry two bits more than a UUID has.
        "pattern": format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"),
        "examples": [format!("{prefix}_01jd7z4r5efkyv3q8x9w2m6n0p")],
    })
}

fn amount(what: &str, least: i64, pattern: &str, except: Option<&str>, example: &str) -> Value {
    let mut decimal = json!({ "type": "string", "pattern": pattern, "examples": [example] });
    let mut whole = json!({ "type": "integer", "minimum": least, "maximum": WHOLE_MAX });
    if let Some(zero) = except {
        decimal["not"] = json!({ "pattern": zero });
    }
    if least < 0 {
        whole["not"] = json!({ "const": 0 });
    }
    json!({
        "description": format!(
            "{what}: a decimal string with at most 6 fraction digits, or a JSON integer. A JSON float is refused."
        ),
        "oneOf": [decimal, whole],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_amounts_are_those_of_the_ledger() {
        assert_eq!(coffer_ledger::Credits::from_whole(WHOLE_MAX), Some(coffer_ledger::Credits::MAX));
    }
}
