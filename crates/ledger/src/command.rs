//! Commands: everything that can change the ledger. There is no other way to change it.
//!
//! Whatever takes a clock or random numbers (ids, salts, hashes of secrets) is in the command already, so
//! that deciding is a pure function and a batch can be decided again.

use crate::{
    AccountId, Category, ChargeId, Credits, ExternalId, Fingerprint, GrantId, Hint, IdempotencyKey, KeyId,
    KeyLimit, KeyProfile, Metadata, Name, Note, OperatorKeyId, Priority, Scopes, SecretHash, Timestamp,
};

/// One thing that somebody wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Open an account.
    CreateAccount(CreateAccount),
    /// Give credits to an account.
    Grant(GrantCredits),
    /// Spend credits of an account.
    Charge(ChargeCredits),
    /// Settle what has fallen due on an account.
    Settle(Settle),
    /// Make a customer's key.
    CreateKey(CreateKey),
    /// Change a customer's key.
    UpdateKey(UpdateKey),
    /// Kill a customer's key.
    RevokeKey(RevokeKey),
    /// Make an operator's key.
    CreateOperatorKey(CreateOperatorKey),
    /// Kill an operator's key.
    RevokeOperatorKey(RevokeOperatorKey),
}

impl Command {
    /// About how many bytes the command occupies, for queues that are bounded in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let text = match self {
            Command::CreateAccount(create) => {
                let external_id = create.external_id.as_ref().map_or(0, |text| text.as_str().len());
                create.name.as_str().len() + external_id + create.metadata.bytes()
            }
            Command::Grant(grant) => grant.idempotency.as_str().len() + grant.note.bytes(),
            Command::Charge(charge) => charge.idempotency.as_str().len() + charge.note.bytes(),
            Command::CreateKey(create) => create.name.as_str().len() + create.metadata.bytes(),
            Command::UpdateKey(update) => {
                let name = update.name.as_ref().map_or(0, |name| name.as_str().len());
                name + update.metadata.as_ref().map_or(0, Metadata::bytes)
            }
            Command::CreateOperatorKey(create) => create.name.as_str().len(),
            Command::Settle(_) | Command::RevokeKey(_) | Command::RevokeOperatorKey(_) => 0,
        };
        size_of::<Command>() + text
    }
}

/// The caller's name for a request, and what the request was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Idempotency {
    /// The name; its scope is the account.
    pub key: IdempotencyKey,
    /// What the request was, so that another one under the same name is noticed.
    pub fingerprint: Fingerprint,
}

/// Open an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateAccount {
    /// Its id, minted for a random bucket.
    pub id: AccountId,
    /// What it is called.
    pub name: Name,
    /// The user's own id for it.
    pub external_id: Option<ExternalId>,
    /// How far below zero charges may take it: zero or more.
    pub overdraft_limit: Credits,
    /// The user's own pairs.
    pub metadata: Metadata,
}

/// Give credits to an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrantCredits {
    /// The grant's id, minted for the account's bucket.
    pub id: GrantId,
    /// Who gets it.
    pub account_id: AccountId,
    /// How much: more than zero.
    pub credits: Credits,
    /// Paid or promotional.
    pub category: Category,
    /// Lower burns first.
    pub priority: Priority,
    /// When it takes effect; now, if not said.
    pub effective_at: Option<Timestamp>,
    /// When it expires, if ever.
    pub expires_at: Option<Timestamp>,
    /// The user's own text.
    pub note: Note,
    /// The caller's name for the request.
    pub idempotency: IdempotencyKey,
}

/// The customer's key that a charge is made with, as it was presented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyUse {
    /// Which key.
    pub key_id: KeyId,
    /// The hash of the secret that was presented.
    pub secret: SecretHash,
}

/// Spend credits of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChargeCredits {
    /// The charge's id, minted for the account's bucket.
    pub id: ChargeId,
    /// Who pays.
    pub account_id: AccountId,
    /// The customer's key that it is made with, if one is.
    pub key: Option<KeyUse>,
    /// How much: zero or more.
    pub credits: Credits,
    /// The user's own text.
    pub note: Note,
    /// The caller's name for the request.
    pub idempotency: IdempotencyKey,
}

/// Settle what has fallen due on an account, for quiet accounts that no other command reaches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settle {
    /// The account.
    pub account_id: AccountId,
}

/// Make a customer's key from a new or an imported secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateKey {
    /// The key's id, minted for the account's bucket.
    pub id: KeyId,
    /// Whose key it is.
    pub account_id: AccountId,
    /// What it is called.
    pub name: Name,
    /// The hash of its secret.
    pub secret: SecretHash,
    /// The end of its secret.
    pub hint: Hint,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// How much it may spend.
    pub limit: Option<KeyLimit>,
    /// The user's own pairs.
    pub metadata: Metadata,
}

impl CreateKey {
    pub(crate) fn profile(&self, created_at: Timestamp) -> KeyProfile {
        KeyProfile {
            id: self.id,
            name: self.name.clone(),
            hint: self.hint.clone(),
            metadata: self.metadata.clone(),
            created_at,
        }
    }
}

/// Change a customer's key: what is `None` stays as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpdateKey {
    /// Which key.
    pub id: KeyId,
    /// What it is called.
    pub name: Option<Name>,
    /// When it stops working; `Some(None)` for never.
    pub expires_at: Option<Option<Timestamp>>,
    /// How much it may spend; `Some(None)` for no cap.
    pub limit: Option<Option<KeyLimit>>,
    /// Whether it is switched off.
    pub disabled: Option<bool>,
    /// The user's own pairs, which replace those that it had.
    pub metadata: Option<Metadata>,
}

/// Kill a customer's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevokeKey {
    /// Which key.
    pub id: KeyId,
}

/// Make an operator's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateOperatorKey {
    /// Its id.
    pub id: OperatorKeyId,
    /// What it is called.
    pub name: Name,
    /// The hash of its secret.
    pub secret: SecretHash,
    /// The end of its secret.
    pub hint: Hint,
    /// What it may do.
    pub scopes: Scopes,
}

/// Kill an operator's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevokeOperatorKey {
    /// Which key.
    pub id: OperatorKeyId,
    /// Whether an administrator's key outside of the ledger (one given by configuration) is live as well.
    pub other_is_live: bool,
}
