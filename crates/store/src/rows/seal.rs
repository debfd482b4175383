//! Seals: digests of what the chain of hashes does not cover.
//!
//! An idempotency key is what a retry is recognized by: were a bit of it to flip, the retry would be carried out again, and
//! nothing else in the ledger says what it was. A seal finds such damage, not malice: whoever can change a row can seal it anew.

use coffer_ledger::{AccountId, Credits, Entry, Outcome, RememberedChange};
use sha2::{Digest, Sha256};

use super::remembered::refusal as refusal_columns;
use super::{Columns, Result};

const SEAL_BYTES: usize = 8;

/// The first bytes of a SHA-256; `None` in a row of before there were seals.
pub(crate) type Seal = [u8; SEAL_BYTES];

/// The column, in entries and among remembered answers.
pub(crate) const SEAL: &str = "seal";

pub(crate) fn seal(columns: &mut Columns<'_>) -> Result<Option<Seal>> {
    columns.optional_bytes()
}

/// The seal of an entry: of its place, and of the request that it answers with what that was told.
pub(crate) fn seal_of_entry(entry: &Entry) -> Seal {
    let mut parts = Parts::of(entry.account_id);
    parts.add(entry.hash.0);
    if let Some(idempotency) = &entry.idempotency {
        parts.add(idempotency.key.as_str());
        parts.add(idempotency.fingerprint.0);
    }
    parts.add(entry.balance_told.available.millionths().to_be_bytes());
    parts.add(entry.balance_told.held.millionths().to_be_bytes());
    parts.seal()
}

/// A remembered answer as its row has it.
pub(crate) struct RememberedColumns<'a> {
    pub(crate) account_id: AccountId,
    pub(crate) idempotency_key: &'a str,
    pub(crate) fingerprint: [u8; 32],
    pub(crate) at: i64,
    pub(crate) grant_id: Option<[u8; 16]>,
    pub(crate) voided: bool,
    pub(crate) refusal: Option<&'a str>,
    pub(crate) required: Option<i64>,
    pub(crate) left_over: Option<i64>,
}

impl RememberedColumns<'_> {
    /// An answer as it is to be kept.
    pub(crate) fn of(change: &RememberedChange) -> RememberedColumns<'_> {
        let outcome = &change.remembered.outcome;
        let (grant_id, voided, refusal) = match outcome {
            Outcome::Granted(grant) => (Some(grant.lot.grant_id.bytes()), false, None),
            Outcome::GrantVoided(grant) => (Some(grant.lot.grant_id.bytes()), true, None),
            Outcome::Refused(refusal) => (None, false, refusal_columns(refusal)),
            Outcome::AccountCreated(_)
            | Outcome::AccountUpdated(_)
            | Outcome::Adjusted(_)
            | Outcome::Charged(_)
            | Outcome::Refunded(_)
            | Outcome::Held(_)
            | Outcome::Captured(_)
            | Outcome::Released(_)
            | Outcome::Settled
            | Outcome::TextsErased
            | Outcome::KeyCreated(_)
            | Outcome::KeyUpdated(_)
            | Outcome::KeyRotated(_)
            | Outcome::KeyRevoked(_)
            | Outcome::PricePut(_)
            | Outcome::PriceDeleted
            | Outcome::OperatorKeyCreated(_)
            | Outcome::OperatorKeyRevoked(_)
            | Outcome::SessionOffered(_)
            | Outcome::SessionOpened(_)
            | Outcome::SessionUsed
            | Outcome::SessionsEnded { .. } => (None, false, None),
        };
        assert!(
            grant_id.is_some() || refusal.is_some(),
            "{outcome:?} is remembered, and neither an entry nor this table carries it"
        );
        let amount = |credits: Option<Credits>| credits.map(Credits::millionths);
        RememberedColumns {
            account_id: change.account_id,
            idempotency_key: change.key.as_str(),
            fingerprint: change.remembered.fingerprint.0,
            at: change.at.unix_ms(),
            grant_id,
            voided,
            refusal: refusal.map(|(name, _, _)| name),
            required: refusal.and_then(|(_, required, _)| amount(required)),
            left_over: refusal.and_then(|(_, _, left_over)| amount(left_over)),
        }
    }

    /// The seal of all of it.
    pub(crate) fn seal(&self) -> Seal {
        let mut parts = Parts::of(self.account_id);
        parts.add(self.idempotency_key);
        parts.add(self.fingerprint);
        parts.add(self.at.to_be_bytes());
        parts.add(self.grant_id.as_ref().map_or(&[][..], |id| &id[..]));
        parts.add([u8::from(self.voided)]);
        parts.add(self.refusal.unwrap_or_default());
        for amount in [self.required, self.left_over] {
            parts.add(amount.map(i64::to_be_bytes).as_ref().map_or(&[][..], |bytes| &bytes[..]));
        }
        parts.seal()
    }
}

/// A remembered answer as it was kept, whatever it means.
pub(crate) struct KeptAnswer {
    pub(crate) account_id: AccountId,
    pub(crate) idempotency_key: String,
    fingerprint: [u8; 32],
    at: i64,
    grant_id: Option<[u8; 16]>,
    voided: bool,
    refusal: Option<String>,
    required: Option<i64>,
    left_over: Option<i64>,
    seal: Option<Seal>,
}

impl KeptAnswer {
    pub(crate) fn columns(&self) -> RememberedColumns<'_> {
        RememberedColumns {
            account_id: self.account_id,
            idempotency_key: &self.idempotency_key,
            fingerprint: self.fingerprint,
            at: self.at,
            grant_id: self.grant_id,
            voided: self.voided,
            refusal: self.refusal.as_deref(),
            required: self.required,
            left_over: self.left_over,
        }
    }

    /// The seal that it has, or the one that it would have got had there been seals.
    pub(crate) fn seal(&self) -> Seal {
        self.seal.unwrap_or_else(|| self.columns().seal())
    }
}

/// Whose a remembered answer is, and whether it is the one that was sealed.
pub(crate) struct Sealed {
    pub(crate) account_id: AccountId,
    pub(crate) idempotency_key: String,
    pub(crate) holds: bool,
}

/// The columns of a remembered answer with its seal.
pub(crate) const SEALED: &str =
    "account_id, idempotency_key, fingerprint, at, grant_id, voided, refusal, required, left_over, seal";

pub(crate) fn sealed(columns: &mut Columns<'_>) -> Result<Sealed> {
    let kept = kept_answer(columns)?;
    let holds = kept.seal() == kept.columns().seal();
    Ok(Sealed { account_id: kept.account_id, idempotency_key: kept.idempotency_key, holds })
}

pub(crate) fn kept_answer(columns: &mut Columns<'_>) -> Result<KeptAnswer> {
    Ok(KeptAnswer {
        account_id: columns.account_id()?,
        idempotency_key: columns.text()?,
        fingerprint: columns.bytes()?,
        at: columns.integer()?,
        grant_id: columns.optional_bytes()?,
        voided: columns.flag()?,
        refusal: columns.optional_text()?,
        required: columns.optional_integer()?,
        left_over: columns.optional_integer()?,
        seal: seal(columns)?,
    })
}

/// Parts of a row, each with its length before it.
struct Parts(Sha256);

impl Parts {
    fn of(account_id: AccountId) -> Parts {
        let mut parts = Parts(Sha256::new());
        parts.add(account_id.bytes());
        parts
    }

    fn add(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    fn seal(self) -> Seal {
        let digest: [u8; 32] = self.0.finalize().into();
        *digest.first_chunk().expect("a digest is longer than a seal")
    }
}
