//! Operators' keys: who may run the ledger, and which parts of it.

use std::fmt;
use std::str::FromStr;

use crate::{Hint, Name, OperatorKeyId, SecretHash, Timestamp};

/// A part of the operator API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// Look at everything.
    Read,
    /// Charge and hold, capture and release.
    Charge,
    /// Grant, adjust, refund and void.
    Grant,
    /// Accounts, customers' keys, prices.
    Manage,
    /// Operators' keys.
    Admin,
}

impl Scope {
    /// Every scope, in the order in which they are written.
    pub const ALL: [Scope; 5] = [Scope::Read, Scope::Charge, Scope::Grant, Scope::Manage, Scope::Admin];

    /// The name in the public contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Charge => "charge",
            Scope::Grant => "grant",
            Scope::Manage => "manage",
            Scope::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Why a text is not a scope. The message is a rule that completes "scopes …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be some of read, charge, grant, manage, admin")]
pub struct ScopeError;

impl FromStr for Scope {
    type Err = ScopeError;
    fn from_str(text: &str) -> Result<Scope, ScopeError> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(ScopeError)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of scopes, at least one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Scopes(u8);

impl Scopes {
    /// Every scope: what a key has whose caller did not say.
    pub const ALL: Scopes = Scopes(0b1_1111);

    /// The set of these scopes, or `None` where there is none.
    pub fn of(scopes: impl IntoIterator<Item = Scope>) -> Option<Scopes> {
        let bits = scopes.into_iter().fold(0, |bits, scope| bits | scope.bit());
        (bits != 0).then_some(Scopes(bits))
    }

    /// Whether the set holds this scope.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// The scopes of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

/// An operator's key with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OperatorKey {
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
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}
