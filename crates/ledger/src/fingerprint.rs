//! Fingerprints: whether two requests under one idempotency key are the same request.
//!
//! Made of the parsed command, defaults filled in, without what is minted anew for every try (ids, salts).
//! `1` and `"1"` are thus the same, and a batch's operation is the same as the single call.

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

use crate::{Category, ChargeCredits, GrantCredits, Note};

/// The SHA-256 of a request's parsed values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint(pub [u8; 32]);

impl GrantCredits {
    /// What tells this request from others under its idempotency key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut request = Request::new("grant");
        request.field("credits", self.credits);
        request.field(
            "category",
            match self.category {
                Category::Paid => "paid",
                Category::Promotional => "promotional",
            },
        );
        request.field("priority", self.priority);
        request.optional("effective_at", self.effective_at);
        request.optional("expires_at", self.expires_at);
        request.note(&self.note);
        request.finish()
    }
}

impl ChargeCredits {
    /// What tells this request from others under its idempotency key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut request = Request::new("charge");
        request.optional("key_id", self.key.map(|key| key.key_id));
        request.field("credits", self.credits);
        request.note(&self.note);
        request.finish()
    }
}

/// Values written one behind the other, each with its length, so that no two requests write the same.
struct Request(String);

impl Request {
    fn new(kind: &str) -> Request {
        let mut request = Request(String::with_capacity(256));
        request.field("kind", kind);
        request
    }

    fn field(&mut self, name: &str, value: impl fmt::Display) {
        let start = self.0.len();
        write!(self.0, "{name}={value}").expect("a String takes everything");
        let length = self.0.len() - start;
        write!(self.0, ":{length};").expect("a String takes everything");
    }

    fn optional(&mut self, name: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    fn note(&mut self, note: &Note) {
        self.optional("reference", note.reference.as_ref());
        for (key, value) in note.metadata.pairs() {
            self.field("metadata_key", key);
            self.field("metadata_value", value);
        }
    }

    fn finish(self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.0).into())
    }
}
