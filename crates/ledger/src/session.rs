//! Sessions: how people, who have browsers instead of keys, are let in for a while.
//!
//! A session begins as a link that works once, for a customer, or with an operator's key. It is told by a random token of
//! which only the hash gets here. A session that has ended is gone; one that has lapsed goes when the next one of the same
//! holder is made.

use crate::limits::{
    OPERATOR_IDLE_MS_MAX, OPERATOR_SESSION_MS, PORTAL_IDLE_MS_MAX, PORTAL_SESSION_MS, SESSION_USE_NOTED_MS,
};
use crate::{AccountId, Bucket, Client, OperatorKeyId, ReturnUrl, SecretHash, SessionId, Timestamp};

/// What a session lets its holder see and do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SessionOf {
    /// What the holder of one account may.
    Account(AccountId),
    /// What an operator's key may.
    OperatorKey(OperatorKeyId),
    /// What the operator's key with this hash may, which was given by configuration.
    ConfiguredKey(SecretHash),
}

impl SessionOf {
    /// The bucket of its sessions.
    #[must_use]
    pub const fn bucket(&self) -> Bucket {
        match self {
            SessionOf::Account(id) => id.bucket(),
            SessionOf::OperatorKey(_) | SessionOf::ConfiguredKey(_) => Bucket::CATALOGUE,
        }
    }

    /// How long a session lasts, in milliseconds.
    #[must_use]
    pub const fn lasts_ms(&self) -> u32 {
        match self {
            SessionOf::Account(_) => PORTAL_SESSION_MS,
            SessionOf::OperatorKey(_) | SessionOf::ConfiguredKey(_) => OPERATOR_SESSION_MS,
        }
    }

    /// After how long without a use it lapses, in milliseconds.
    #[must_use]
    pub const fn idle_ms_max(&self) -> u32 {
        match self {
            SessionOf::Account(_) => PORTAL_IDLE_MS_MAX,
            SessionOf::OperatorKey(_) | SessionOf::ConfiguredKey(_) => OPERATOR_IDLE_MS_MAX,
        }
    }
}

/// How far a session has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SessionStage {
    /// It is a link that nobody has opened.
    Offered,
    /// Somebody is in.
    Open,
}

/// A session, or a link that will be one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its id, in the bucket of whose it is.
    pub id: SessionId,
    /// What it lets its holder see and do.
    pub of: SessionOf,
    /// The hash of its token: of the link's, until somebody opens it.
    pub secret: SecretHash,
    /// How far it has come.
    pub stage: SessionStage,
    /// When it was offered, or opened by an operator.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was last used, to within a minute.
    pub used_at: Timestamp,
    /// Where the way back leads.
    pub return_url: Option<ReturnUrl>,
    /// What it was opened with.
    pub client: Option<Client>,
}

impl Session {
    /// Whether its time is over.
    #[must_use]
    pub fn has_lapsed(&self, at: Timestamp) -> bool {
        let is_idle = self.used_at.saturating_add_ms(self.of.idle_ms_max()) <= at;
        self.expires_at <= at || self.stage == SessionStage::Open && is_idle
    }

    /// Whether the token with this hash lets in.
    #[must_use]
    pub fn admits(&self, secret: &SecretHash, at: Timestamp) -> bool {
        self.stage == SessionStage::Open && self.secret == *secret && !self.has_lapsed(at)
    }

    /// Whether the link with this hash can be opened.
    #[must_use]
    pub fn can_be_opened(&self, secret: &SecretHash, at: Timestamp) -> bool {
        self.stage == SessionStage::Offered && self.secret == *secret && !self.has_lapsed(at)
    }

    /// Whether its last use is so long ago that this one is worth noting.
    #[must_use]
    pub fn is_to_be_noted(&self, at: Timestamp) -> bool {
        self.used_at.saturating_add_ms(SESSION_USE_NOTED_MS) <= at
    }
}
