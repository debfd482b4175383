//! Fingerprints: whether two requests under one idempotency key are the same request.
//!
//! Made of the parsed command, defaults filled in, without what is minted anew for every try (ids, salts).
//! `1` and `"1"` are thus the same, and a batch's operation is the same as the single call.

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

use crate::{
    AdjustCredits, CaptureAmount, CaptureHold, ChargeCredits, Cost, Excess, GrantCredits, HoldCredits,
    KeyUse, Note, RefundCharge, ReleaseHold, VoidGrant,
};

/// The SHA-256 of a request's parsed values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint(pub [u8; 32]);

impl GrantCredits {
    /// What tells this request from others under its idempotency key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut request = Request::new("grant");
        request.field("credits", self.credits);
        request.field("category", self.category.as_str());
        request.field("priority", self.priority);
        request.optional("effective_at", self.effective_at);
        request.optional("expires_at", self.expires_at);
        request.note(&self.note);
        request.finish()
    }
}

impl VoidGrant {
    /// What tells this request from others under its idempotency key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut request = Request::new("void");
        request.field("grant_id", self.id);
        request.finish()
    }
}

impl AdjustCredits {
    /// What tells this request from others under its idempotency key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut request = Request::new("adjust");
        request.field("credits", self.credits);
        request.field("allow_negative", self.allow_negative);
        request.note(&self.note);
        request.finish()
    }
}

impl ChargeCredits {
    /// What tells this request from others under its idempotency key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut request = Request::new("charge");
        request.spending(self.key, &self.cost);
        request.note(&self.note);
        request.finish()
    }
}

impl RefundCharge {
    /// What tells this request from others under its idempotency key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut request = Request::new("refund");
        request.field("charge_id", self.charge_id);
        request.optional("credits", self.credits);
        request.finish()
    }
}

impl HoldCredits {
    /// What tells this request from others under its idempotency key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut request = Request::new("hold");
        request.spending(self.key, &self.cost);
        request.field("expires_in_ms", self.expires_in_ms);
        request.note(&self.note);
        request.finish()
    }
}

impl CaptureHold {
    /// What tells this request from others under its idempotency key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut request = Request::new("capture");
        request.field("hold_id", self.hold_id);
        match self.amount {
            CaptureAmount::All => {}
            CaptureAmount::Credits(credits) => request.field("credits", credits),
            CaptureAmount::Quantity(quantity) => request.field("quantity", quantity),
        }
        request.field("final", self.is_final);
        request.field(
            "excess",
            match self.excess {
                Excess::Refuse => "refuse",
                Excess::Charge => "charge",
                Excess::Force => "force",
            },
        );
        request.finish()
    }
}

impl ReleaseHold {
    /// What tells this request from others under its idempotency key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut request = Request::new("release");
        request.field("hold_id", self.id);
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

    fn spending(&mut self, key: Option<KeyUse>, cost: &Cost) {
        self.optional("key_id", key.map(|key| key.key_id));
        match cost {
            Cost::Credits(credits) => self.field("credits", credits),
            Cost::Operation { operation, quantity } => {
                self.field("operation", operation);
                self.field("quantity", quantity);
            }
        }
    }

    fn note(&mut self, note: &Note) {
        self.optional("reference", note.reference.as_ref());
        self.optional("reason", note.reason.as_ref());
        for (key, value) in note.metadata.pairs() {
            self.field("metadata_key", key);
            self.field("metadata_value", value);
        }
    }

    fn finish(self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.0).into())
    }
}
