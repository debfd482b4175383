//! What a service would show, settled up to the time of the look.

use coffer_ledger::{
    Account, AccountId, Category, Entry, HoldStatus, Lot, Timestamp, entries_due, settle, settle_grants,
    settle_keys,
};
use coffer_scenarios::{Look, Secret};
use coffer_store::EntryQuery;

use super::{StoreDriver, words};

const UNKNOWN: &str = "404 not_found";

impl StoreDriver {
    pub(super) async fn look(&self, at: Timestamp, look: &Look) -> String {
        match look {
            Look::Balance { account } => match self.settled(account, at).await {
                Some(account) => {
                    let balance = account.balance;
                    format!("available {}, held {}, seq {}", balance.available, balance.held, account.seq.0)
                }
                None => UNKNOWN.to_owned(),
            },
            Look::Lots { account } => {
                let account = self.settled(account, at).await.expect("a known account");
                let lots: Vec<String> = account.started_lots().map(|lot| self.lot(lot)).collect();
                if lots.is_empty() { "none".to_owned() } else { lots.join(", ") }
            }
            Look::GrantStatus { grant } => self.grant_status(grant, at).await,
            Look::HoldStatus { hold } => self.hold_status(hold, at).await,
            Look::Read(secret) => self.read(secret, at).await,
            Look::Spent { key } => {
                let found = self.fresh.store.key_record(self.names.keys[key].id).await.expect("a read");
                let (account, record) = found.expect("a known key");
                let settled = settle_keys(&account, vec![record], at);
                settled[0].key.spent(at).to_string()
            }
            Look::Last { account } => match self.entries(account, at).await.last() {
                Some(entry) => {
                    format!("{} {}, held {}", entry.kind.as_str(), entry.credits, entry.held_credits)
                }
                None => "none".to_owned(),
            },
            Look::Kinds { account } => {
                let entries = self.entries(account, at).await;
                let kinds: Vec<&str> = entries.iter().map(|entry| entry.kind.as_str()).collect();
                kinds.join(" ")
            }
        }
    }

    async fn settled(&self, account: &str, at: Timestamp) -> Option<Account> {
        let id = self.names.accounts.get(account)?;
        let account = self.fresh.store.account(*id).await.expect("a read").expect("a known account");
        Some(settle(&account, at).into_owned())
    }

    fn lot(&self, lot: &Lot) -> String {
        let category = match lot.category {
            Category::Paid => "paid",
            Category::Promotional => "promotional",
        };
        let name = self.names.names_of_grants.get(&lot.grant_id).map_or(category, String::as_str);
        let held = if lot.held.is_zero() { String::new() } else { format!(" held {}", lot.held) };
        format!("{name} {}{held}", lot.remaining)
    }

    async fn grant_status(&self, grant: &str, at: Timestamp) -> String {
        let Some((_, id)) = self.names.grants.get(grant) else { return UNKNOWN.to_owned() };
        let found = self.fresh.store.grant(*id).await.expect("a read");
        let (account, grant) = found.expect("a known grant");
        words::grant(&settle_grants(&account, vec![grant], at)[0], at)
    }

    async fn hold_status(&self, hold: &str, at: Timestamp) -> String {
        let Some((_, id)) = self.names.holds.get(hold) else { return UNKNOWN.to_owned() };
        let hold = self.fresh.store.hold(*id).await.expect("a read").expect("a known hold").hold;
        let status = match hold.status {
            HoldStatus::Open if hold.expires_at <= at => HoldStatus::Expired,
            status => status,
        };
        format!("{}, captured {}", words::hold_status(status), hold.captured)
    }

    async fn read(&self, secret: &Secret, at: Timestamp) -> String {
        let secret = self.names.secret(secret);
        let holder =
            self.fresh.store.holder(&secret, Timestamp::MAX).await.expect("a read").expect("a known secret");
        if !holder.key.opens(&secret, at) {
            return "dead".to_owned();
        }
        settle(&holder.account, at).balance.available.to_string()
    }

    /// What is written, and what settling will write.
    async fn entries(&self, account: &str, at: Timestamp) -> Vec<Entry> {
        let id = self.names.accounts[account];
        let mut entries = self.written(id).await;
        let account = self.fresh.store.account(id).await.expect("a read").expect("a known account");
        entries.extend(entries_due(&account, at));
        entries
    }

    async fn written(&self, id: AccountId) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut beyond = None;
        // In pages of 2, as whoever streams them would.
        loop {
            let page = self.fresh.store.entries(EntryQuery::all_of(id, beyond, 2)).await.expect("a read");
            entries.extend(page.entries);
            match page.next {
                Some(next) => beyond = Some(next),
                None => return entries,
            }
        }
    }
}
