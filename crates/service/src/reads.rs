//! What is read: everything as it stands now, although what has fallen due may not be written yet.

use coffer_ledger::{
    Account, AccountId, Balance, Command, Grant, GrantId, Hold, HoldId, HoldRecord, HoldStatus, KeyId,
    KeyRecord, Seq, Settle, Timestamp, entries_due, settle, settle_grants, settle_keys,
};
use coffer_store::{HoldFilter, Page, Span};

use crate::limits::SETTLE_ROUNDS_MAX;
use crate::service::{ReadError, Service};

/// An account with everything settled that has fallen due until a time.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The account.
    pub account: Account,
    /// The time.
    pub at: Timestamp,
}

/// What an account had at a time that has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PastBalance {
    /// The balance.
    pub balance: Balance,
    /// The number of the last entry until then, 0 before the first.
    pub seq: Seq,
}

impl Service {
    /// An account as it stands now.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn account(&self, id: AccountId) -> Result<Option<Settled>, ReadError> {
        let at = self.now();
        let account = self.reader().account(id).await?;
        Ok(account.map(|account| Settled { account: settle(&account, at).into_owned(), at }))
    }

    /// What an account had at a time that has passed.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn balance_at(&self, id: AccountId, at: Timestamp) -> Result<Option<PastBalance>, ReadError> {
        let Some(account) = self.reader().account(id).await? else { return Ok(None) };
        let due = entries_due(&account, at);
        let last = match due.last() {
            Some(entry) => Some((entry.balance_after, entry.seq)),
            None => {
                let entry = self.reader().last_entry(id, at).await?;
                entry.map(|entry| (entry.balance_after, entry.seq))
            }
        };
        let (balance, seq) = last.unwrap_or_default();
        Ok(Some(PastBalance { balance, seq }))
    }

    /// Writes what has fallen due on an account, so that lists show it and need not settle it each time. Where nothing
    /// can be written just now, they show what is there.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn write_what_is_due(&self, account_id: AccountId) -> Result<(), ReadError> {
        for _ in 0..SETTLE_ROUNDS_MAX {
            let account = self.reader().account(account_id).await?;
            let due = account.and_then(|account| account.next_due());
            if due.is_none_or(|due| due > self.now()) {
                return Ok(());
            }
            if let Err(error) = self.submit(Command::Settle(Settle { account_id })).await {
                tracing::debug!(%error, "an account could not be settled before it was read");
                return Ok(());
            }
        }
        Ok(())
    }

    /// A grant as it stands now, and until when that is settled.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn grant(&self, id: GrantId) -> Result<Option<(Grant, Timestamp)>, ReadError> {
        let now = self.now();
        let found = self.reader().grant(id).await?;
        Ok(found.and_then(|(account, grant)| Some((settle_grants(&account, vec![grant], now).pop()?, now))))
    }

    /// The grants of an account as they stand now, and until when that is settled.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn grants(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<(Page<Grant>, Timestamp)>, ReadError> {
        self.write_what_is_due(account_id).await?;
        let now = self.now();
        let found = self.reader().grants(account_id, span).await?;
        Ok(found.map(|(account, page)| {
            let Page { items, has_more } = page;
            (Page { items: settle_grants(&account, items, now), has_more }, now)
        }))
    }

    /// A key as it stands now.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, ReadError> {
        let now = self.now();
        let found = self.reader().key_record(id).await?;
        Ok(found.and_then(|(account, record)| settle_keys(&account, vec![record], now).pop()))
    }

    /// The keys of an account as they stand now.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn keys(
        &self,
        account_id: AccountId,
        span: Span,
    ) -> Result<Option<Page<KeyRecord>>, ReadError> {
        self.write_what_is_due(account_id).await?;
        let now = self.now();
        let found = self.reader().key_records(account_id, span).await?;
        Ok(found.map(|(account, page)| {
            let Page { items, has_more } = page;
            Page { items: settle_keys(&account, items, now), has_more }
        }))
    }

    /// A hold as it stands now.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn hold(&self, id: HoldId) -> Result<Option<HoldRecord>, ReadError> {
        let now = self.now();
        let found = self.reader().hold(id).await?;
        Ok(found.map(|record| lapsed(record, now)))
    }

    /// Holds as they stand now, newest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn holds(
        &self,
        account_id: Option<AccountId>,
        status: Option<HoldStatus>,
        span: Span,
    ) -> Result<Page<HoldRecord>, ReadError> {
        let at = self.now();
        let page = self.reader().holds(HoldFilter { account_id, status, at }, span).await?;
        Ok(page.map(|record| lapsed(record, at)))
    }
}

fn lapsed(record: HoldRecord, now: Timestamp) -> HoldRecord {
    if record.hold.status == HoldStatus::Open && record.hold.expires_at <= now {
        let hold = Hold { status: HoldStatus::Expired, lots: Vec::new(), ..record.hold };
        return HoldRecord { hold, ..record };
    }
    record
}
