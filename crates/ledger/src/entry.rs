//! Entries: every change of an account, numbered without a gap and chained by hashes.
//!
//! Owns the canonical bytes, the one serialization of this crate, because an entry's hash is made of them.
//! `docs/entries.md` documents them for those who verify a statement offline; a change here breaks every
//! chain ever written.

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

use crate::{
    AccountId, Balance, ChargeId, Credits, GrantId, HoldId, Idempotency, KeyId, Metadata, Reference,
    Timestamp,
};

/// The number of an entry in its account: 1, 2, 3 and so on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Seq(pub u64);

impl Seq {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

/// What an entry did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EntryKind {
    /// A grant took effect.
    Grant,
    /// Credits were spent.
    Charge,
    /// What was left of a grant expired.
    Expire,
}

impl EntryKind {
    /// The name in the public contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            EntryKind::Grant => "grant",
            EntryKind::Charge => "charge",
            EntryKind::Expire => "expire",
        }
    }
}

/// What an entry did to one lot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LotChange {
    /// The grant whose lot it is; `None` for the overdraft.
    pub grant_id: Option<GrantId>,
    /// The signed change.
    pub credits: Credits,
}

/// What an entry came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The grant that took effect or expired.
    pub grant_id: Option<GrantId>,
    /// The charge that was made.
    pub charge_id: Option<ChargeId>,
    /// The hold that was made or resolved.
    pub hold_id: Option<HoldId>,
    /// The customer's key that was used.
    pub key_id: Option<KeyId>,
}

/// Random bytes that keep the digest of a short text from being guessed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Salt(pub [u8; 16]);

/// Free text of the user. Only its salted digest is hashed into the chain, so that the text and its salt
/// can be erased and the chain stays whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Note {
    /// The user's own word for the movement.
    pub reference: Option<Reference>,
    /// The user's own pairs.
    pub metadata: Metadata,
    /// What the digests are salted with; there wherever there is text.
    pub salt: Option<Salt>,
}

impl Note {
    /// A note with its salt, or an empty one without.
    #[must_use]
    pub fn new(reference: Option<Reference>, metadata: Metadata, salt: Salt) -> Note {
        let salt = (reference.is_some() || !metadata.is_empty()).then_some(salt);
        Note { reference, metadata, salt }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.reference.as_ref().map_or(0, |text| text.as_str().len()) + self.metadata.bytes()
    }

    fn reference_digest(&self) -> Option<[u8; 32]> {
        let salted = Sha256::new().chain_update(self.salt?.0);
        Some(salted.chain_update(self.reference.as_ref()?.as_str()).finalize().into())
    }

    fn metadata_digest(&self) -> Option<[u8; 32]> {
        if self.metadata.is_empty() {
            return None;
        }
        let mut salted = Sha256::new().chain_update(self.salt?.0);
        for (key, value) in self.metadata.pairs() {
            for part in [key, value] {
                salted.update(part.len().to_string());
                salted.update(":");
                salted.update(part);
            }
        }
        Some(salted.finalize().into())
    }
}

/// The SHA-256 over the hash before and an entry's canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryHash(pub [u8; 32]);

impl EntryHash {
    /// What stands before the first entry of every account.
    pub const GENESIS: EntryHash = EntryHash([0; 32]);
}

impl fmt::Display for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One change of one account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The account that changed.
    pub account_id: AccountId,
    /// Its number, gapless from 1.
    pub seq: Seq,
    /// What it did.
    pub kind: EntryKind,
    /// The signed change of what is available.
    pub credits: Credits,
    /// The signed change of what is held.
    pub held_credits: Credits,
    /// The balance right after it.
    pub balance_after: Balance,
    /// What it did to each lot, in the order in which it did it.
    pub lots: Vec<LotChange>,
    /// What it came from.
    pub origin: Origin,
    /// The user's own text.
    pub note: Note,
    /// When it happened; for what fell due, when it was due.
    pub at: Timestamp,
    /// The request that caused it, if one did; what the request's answer is remembered by.
    pub idempotency: Option<Idempotency>,
    /// The hash over the hash before and this entry's canonical bytes.
    pub hash: EntryHash,
}

impl Entry {
    /// The bytes that the hash is made of: UTF-8 lines `name=value`, each ended by a line feed, in a fixed
    /// order; a value that is absent is empty.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut text = String::with_capacity(512);
        self.write_canonical(&mut text).expect("a String takes everything");
        text.into_bytes()
    }

    /// The hash of this entry after the one before it.
    #[must_use]
    pub fn hash_after(&self, previous: EntryHash) -> EntryHash {
        let digest = Sha256::new().chain_update(previous.0).chain_update(self.canonical_bytes());
        EntryHash(digest.finalize().into())
    }

    fn write_canonical(&self, text: &mut String) -> fmt::Result {
        writeln!(text, "account_id={}", self.account_id)?;
        writeln!(text, "seq={}", self.seq.0)?;
        writeln!(text, "kind={}", self.kind.as_str())?;
        writeln!(text, "at={}", self.at)?;
        writeln!(text, "credits={}", self.credits)?;
        writeln!(text, "held_credits={}", self.held_credits)?;
        writeln!(text, "available_after={}", self.balance_after.available)?;
        writeln!(text, "held_after={}", self.balance_after.held)?;
        text.push_str("lots=");
        for (place, lot) in self.lots.iter().enumerate() {
            let separator = if place == 0 { "" } else { "," };
            match lot.grant_id {
                Some(grant_id) => write!(text, "{separator}{grant_id}:{}", lot.credits)?,
                None => write!(text, "{separator}overdraft:{}", lot.credits)?,
            }
        }
        text.push('\n');
        line(text, "grant_id", self.origin.grant_id)?;
        line(text, "charge_id", self.origin.charge_id)?;
        line(text, "hold_id", self.origin.hold_id)?;
        line(text, "key_id", self.origin.key_id)?;
        line(text, "reference_digest", self.note.reference_digest().map(EntryHash))?;
        line(text, "metadata_digest", self.note.metadata_digest().map(EntryHash))
    }
}

fn line(text: &mut String, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    match value {
        Some(value) => writeln!(text, "{name}={value}"),
        None => writeln!(text, "{name}="),
    }
}
