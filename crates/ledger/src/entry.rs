//! Entries: every change of an account, numbered without a gap and chained by hashes.
//!
//! Owns the canonical bytes, the one serialization of this crate, because an entry's hash is made of them.
//! `docs/entries.md` documents them for those who verify a statement offline; a change here breaks every
//! chain ever written.

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

use crate::{
    AccountId, AdjustmentId, Balance, ChargeId, Credits, GrantId, HoldId, Idempotency, KeyId, Metadata,
    Operation, Quantity, Reason, Reference, RefundId, Timestamp,
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
    /// Credits were reserved.
    Hold,
    /// Reserved credits were spent, and perhaps more.
    Capture,
    /// Reserved credits were given back.
    Release,
    /// Spent credits were given back.
    Refund,
    /// What was left of a grant expired.
    Expire,
    /// What was left of a grant was taken back.
    Void,
    /// Somebody corrected the balance by hand.
    Adjust,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [EntryKind; 9] = [
        EntryKind::Grant,
        EntryKind::Charge,
        EntryKind::Hold,
        EntryKind::Capture,
        EntryKind::Release,
        EntryKind::Refund,
        EntryKind::Expire,
        EntryKind::Void,
        EntryKind::Adjust,
    ];

    /// The name in the public contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            EntryKind::Grant => "grant",
            EntryKind::Charge => "charge",
            EntryKind::Hold => "hold",
            EntryKind::Capture => "capture",
            EntryKind::Release => "release",
            EntryKind::Refund => "refund",
            EntryKind::Expire => "expire",
            EntryKind::Void => "void",
            EntryKind::Adjust => "adjust",
        }
    }

    /// The kind with this name in the public contract.
    #[must_use]
    pub fn of_name(name: &str) -> Option<EntryKind> {
        EntryKind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What an entry did to one lot. A capture first lists what it took of what was held, then what it took beyond.
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
    /// The grant that took effect, expired or was voided.
    pub grant_id: Option<GrantId>,
    /// The charge that was made or given back.
    pub charge_id: Option<ChargeId>,
    /// The hold that was made, captured or ended.
    pub hold_id: Option<HoldId>,
    /// The customer's key that was used; for what comes of a charge or a hold, the one that it was made with.
    pub key_id: Option<KeyId>,
    /// The refund that was made.
    pub refund_id: Option<RefundId>,
    /// The adjustment that was made.
    pub adjustment_id: Option<AdjustmentId>,
}

/// What credits were spent for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Purpose {
    /// The operation, where one was named.
    pub operation: Option<Operation>,
    /// How much of it, where it was priced by quantity.
    pub quantity: Option<Quantity>,
}

/// Random bytes that keep the digest of a short text from being guessed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Salt(pub [u8; 16]);

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest256(pub [u8; 32]);

impl fmt::Display for Digest256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The salted digests of an entry's free text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TextDigests {
    /// Of the reference.
    pub reference: Option<Digest256>,
    /// Of the metadata.
    pub metadata: Option<Digest256>,
    /// Of the reason.
    pub reason: Option<Digest256>,
}

/// Free text of the user. Only its salted digests are hashed into the chain, so that the text and its salt can be
/// erased and the chain stays whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Note {
    /// The user's own word for the movement.
    pub reference: Option<Reference>,
    /// The user's own pairs.
    pub metadata: Metadata,
    /// Why a balance was adjusted.
    pub reason: Option<Reason>,
    /// What the digests are salted with; there wherever there is text.
    pub salt: Option<Salt>,
    /// The digests of text that has been erased.
    pub erased: Option<Box<TextDigests>>,
}

impl Note {
    /// A note with its salt, or an empty one without.
    #[must_use]
    pub fn new(reference: Option<Reference>, metadata: Metadata, salt: Salt) -> Note {
        let salt = (reference.is_some() || !metadata.is_empty()).then_some(salt);
        Note { reference, metadata, salt, ..Note::default() }
    }

    /// The note of an adjustment.
    #[must_use]
    pub fn of_reason(reason: Reason, salt: Salt) -> Note {
        Note { reason: Some(reason), salt: Some(salt), ..Note::default() }
    }

    /// The salted digests of the text, whether it has been erased or not.
    #[must_use]
    pub fn digests(&self) -> TextDigests {
        let Some(salt) = self.salt else {
            return self.erased.as_deref().copied().unwrap_or_default();
        };
        TextDigests {
            reference: self.reference.as_ref().map(|text| digest(salt, text.as_str())),
            metadata: (!self.metadata.is_empty()).then(|| metadata_digest(salt, &self.metadata)),
            reason: self.reason.as_ref().map(|text| digest(salt, text.as_str())),
        }
    }

    /// What stays of the note when its text and its salt are erased.
    #[must_use]
    pub fn erase(&self) -> Note {
        let digests = self.digests();
        let erased = (digests != TextDigests::default()).then(|| Box::new(digests));
        Note { erased, ..Note::default() }
    }

    /// How many bytes the text occupies.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let reference = self.reference.as_ref().map_or(0, |text| text.as_str().len());
        let reason = self.reason.as_ref().map_or(0, |text| text.as_str().len());
        reference + reason + self.metadata.bytes()
    }
}

fn digest(salt: Salt, text: &str) -> Digest256 {
    Digest256(Sha256::new().chain_update(salt.0).chain_update(text).finalize().into())
}

fn metadata_digest(salt: Salt, metadata: &Metadata) -> Digest256 {
    let mut salted = Sha256::new().chain_update(salt.0);
    for (key, value) in metadata.pairs() {
        for part in [key, value] {
            salted.update(part.len().to_string());
            salted.update(":");
            salted.update(part);
        }
    }
    Digest256(salted.finalize().into())
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
        Digest256(self.0).fmt(f)
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
    /// The balance that the answer to its request told: right after the last entry that the request caused. It is
    /// not hashed, for a later entry says it as well.
    pub balance_told: Balance,
    /// What it did to each lot, in the order in which it did it.
    pub lots: Vec<LotChange>,
    /// What it came from.
    pub origin: Origin,
    /// What credits were spent for.
    pub purpose: Purpose,
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
    /// order. The first fifteen are always there, and empty where there is no value; the others only with a value.
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
        let digests = self.note.digests();
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
        line(text, "reference_digest", digests.reference)?;
        line(text, "metadata_digest", digests.metadata)?;
        line_if_any(text, "refund_id", self.origin.refund_id)?;
        line_if_any(text, "adjustment_id", self.origin.adjustment_id)?;
        line_if_any(text, "operation", self.purpose.operation.as_ref())?;
        line_if_any(text, "quantity", self.purpose.quantity)?;
        line_if_any(text, "reason_digest", digests.reason)
    }
}

fn line(text: &mut String, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    match value {
        Some(value) => writeln!(text, "{name}={value}"),
        None => writeln!(text, "{name}="),
    }
}

fn line_if_any(text: &mut String, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    if value.is_some() { line(text, name, value) } else { Ok(()) }
}
