//! Accounts themselves: making, changing and closing them.

use coffer_ledger::{AccountStatus, CreateAccount, EntryKind, Refusal, Timestamp, UpdateAccount};

use super::{Model, Verdict};
use crate::account::{Account, Hold, amount, of_grant};
use crate::answer::{AccountView, Answer};

impl Model {
    pub(super) fn create_account(&mut self, clock: Timestamp, create: &CreateAccount) -> Verdict {
        if let Some(external_id) = &create.external_id {
            if self.external_ids.contains(external_id) {
                return Err(Refusal::ExternalIdIsTaken(external_id.clone()));
            }
            self.external_ids.push(external_id.clone());
        }
        let account = Account {
            id: create.id,
            status: AccountStatus::Active,
            overdraft_limit: amount(create.overdraft_limit),
            debt: 0,
            lots: Vec::new(),
            holds: Vec::new(),
            charges: Vec::new(),
            keys: Vec::new(),
            entries: Vec::new(),
            refund_lot: None,
            created_at: clock,
        };
        let answer = Answer::AccountCreated(AccountView::of_model(&account));
        self.accounts.push(account);
        Ok(answer)
    }
}

impl Account {
    pub(super) fn update(&mut self, update: &UpdateAccount, at: Timestamp) -> Verdict {
        let reopens = update.status.is_some_and(|status| status != AccountStatus::Closed);
        if self.status == AccountStatus::Closed && (reopens || update.overdraft_limit.is_some()) {
            return Err(Refusal::AccountIsClosed);
        }
        if update.status == Some(AccountStatus::Closed) && self.status != AccountStatus::Closed {
            if self.holds.iter().any(Hold::is_open) {
                return Err(Refusal::AccountHasOpenHolds);
            }
            if self.debt > 0 {
                return Err(Refusal::AccountIsInDebt);
            }
            for place in self.open_lots() {
                let lot = &mut self.lots[place];
                let (grant_id, left) = (lot.grant_id, lot.remaining);
                lot.remaining = 0;
                lot.is_voided = true;
                if lot.is_started {
                    self.write(
                        EntryKind::Void,
                        at,
                        -left,
                        0,
                        vec![(Some(grant_id), -left)],
                        of_grant(grant_id),
                    );
                }
            }
        }
        self.status = update.status.unwrap_or(self.status);
        self.overdraft_limit = update.overdraft_limit.map_or(self.overdraft_limit, amount);
        Ok(Answer::AccountUpdated(AccountView::of_model(self)))
    }
}
