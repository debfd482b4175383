//! What is read from the one store and written to the other: records of the ledger, and answers as they were kept.

use coffer_ledger::{
    Account, AccountId, AccountProfile, Action, ChargeId, Credits, Entry, EntryHash, Grant, Hold, Key, KeyId,
    KeyProfile, OperatorKey, Price, RetiredSecret, Seq, Session, Timestamp,
};

use crate::rows::{KeptAnswer, Seal};

/// How many rows are written in one transaction, and how much text they may have.
const ROWS_MAX: usize = 5_000;
const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Rows that are written together. An account comes with the last of what belongs to it, or after that.
#[derive(Default)]
pub(crate) struct Portion {
    pub(crate) accounts: Vec<Account>,
    pub(crate) account_profiles: Vec<AccountProfile>,
    pub(crate) entries: Vec<(Entry, Seal)>,
    /// How much of charges has been given back.
    pub(crate) refunded: Vec<(ChargeId, Credits)>,
    /// Grants with their lots.
    pub(crate) grants: Vec<Grant>,
    pub(crate) holds: Vec<Hold>,
    /// Keys without their retired secrets.
    pub(crate) keys: Vec<Key>,
    pub(crate) key_profiles: Vec<KeyProfile>,
    pub(crate) key_uses: Vec<(KeyId, Timestamp)>,
    pub(crate) retired_secrets: Vec<(KeyId, RetiredSecret)>,
    pub(crate) remembered: Vec<KeptAnswer>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) actions: Vec<Action>,
    /// How much text the entries have.
    pub(crate) text_bytes: usize,
}

impl Portion {
    fn rows(&self) -> usize {
        let of_keys = self.keys.len() + self.key_profiles.len() + self.key_uses.len();
        let of_credits = self.entries.len() + self.refunded.len() + self.grants.len() + self.holds.len();
        let of_accounts = self.accounts.len() + self.account_profiles.len() + self.remembered.len();
        let of_people = self.sessions.len() + self.actions.len();
        of_people + of_keys + self.retired_secrets.len() + of_credits + of_accounts
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// Whether it has as much as is written at once.
    pub(crate) fn is_full(&self) -> bool {
        self.rows() >= ROWS_MAX || self.text_bytes >= TEXT_BYTES_MAX
    }
}

/// What belongs to no account.
pub(crate) struct Catalogue {
    pub(crate) prices: Vec<Price>,
    pub(crate) operator_keys: Vec<OperatorKey>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) actions: Vec<Action>,
}

/// Where the chain of an account's entries ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    pub(crate) account_id: AccountId,
    pub(crate) seq: Seq,
    pub(crate) hash: EntryHash,
}
