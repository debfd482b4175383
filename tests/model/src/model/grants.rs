//! Grants, taking them back, and adjustments.

use coffer_ledger::{
    AccountStatus, AdjustCredits, Category, EntryKind, GrantCredits, GrantId, Origin, Refusal, Timestamp,
    VoidGrant,
};

use super::Verdict;
use crate::account::{Account, Lot, amount, credits, of_grant, taken};
use crate::answer::{AdjustmentView, Answer, GrantView};

const GRANTS_OPEN_MAX: usize = 1_000;

impl Account {
    pub(super) fn grant(&mut self, grant: &GrantCredits, at: Timestamp) -> Verdict {
        let effective_at = grant.effective_at.unwrap_or(at);
        if let Some(expires_at) = grant.expires_at {
            if expires_at <= at {
                return Err(Refusal::ExpiryIsNotInTheFuture { at });
            }
            if expires_at <= effective_at {
                return Err(Refusal::ExpiryIsNotAfterStart);
            }
        }
        self.may_get_another_lot()?;
        let place = self.lots.len();
        self.lots.push(Lot {
            grant_id: grant.id,
            category: grant.category,
            priority: grant.priority.get(),
            effective_at,
            expires_at: grant.expires_at,
            granted: amount(grant.credits),
            remaining: amount(grant.credits),
            expired: 0,
            is_started: false,
            is_voided: false,
            reference: grant.note.reference.clone(),
            created_at: at,
        });
        if effective_at <= at {
            self.start(place, EntryKind::Grant, at, None);
        }
        Ok(Answer::Granted(GrantView::of_model(self, &self.lots[place], at)))
    }

    fn may_get_another_lot(&self) -> Result<(), Refusal> {
        if self.status == AccountStatus::Closed {
            return Err(Refusal::AccountIsClosed);
        }
        if self.open_lots().len() >= GRANTS_OPEN_MAX {
            return Err(Refusal::TooManyGrantsAreOpen);
        }
        Ok(())
    }

    pub(super) fn void_grant(&mut self, void: &VoidGrant, at: Timestamp) -> Verdict {
        let place = self.lots.iter().position(|lot| lot.grant_id == void.id);
        let place = place.ok_or(Refusal::GrantIsUnknown)?;
        if self.status == AccountStatus::Closed {
            return Err(Refusal::AccountIsClosed);
        }
        let is_open = self.open_lots().contains(&place);
        let lot = &mut self.lots[place];
        if lot.is_voided || lot.has_expired(at) || !is_open {
            return Err(Refusal::GrantIsClosed);
        }
        let left = lot.remaining;
        lot.remaining = 0;
        lot.is_voided = true;
        if lot.is_started {
            self.write(EntryKind::Void, at, -left, 0, vec![(Some(void.id), -left)], of_grant(void.id));
        }
        Ok(Answer::GrantVoided(GrantView::of_model(self, &self.lots[place], at)))
    }

    pub(super) fn adjust(&mut self, adjust: &AdjustCredits, at: Timestamp) -> Verdict {
        if adjust.credits.is_positive() {
            self.may_get_another_lot()?;
            let place = self.lots.len();
            self.lots.push(Lot {
                grant_id: GrantId::of_adjustment(adjust.id),
                category: Category::Paid,
                priority: 50,
                effective_at: at,
                expires_at: None,
                granted: amount(adjust.credits),
                remaining: amount(adjust.credits),
                expired: 0,
                is_started: false,
                is_voided: false,
                reference: None,
                created_at: at,
            });
            self.start(place, EntryKind::Adjust, at, Some(adjust.id));
        } else {
            if self.status == AccountStatus::Closed {
                return Err(Refusal::AccountIsClosed);
            }
            let required = -amount(adjust.credits);
            let available = self.available();
            if required > available && !adjust.allow_negative {
                let (required, available) = (credits(required), credits(available));
                return Err(Refusal::CreditsAreInsufficient { required, available });
            }
            let takes = self.draw(required);
            let origin = Origin { adjustment_id: Some(adjust.id), ..Origin::default() };
            self.write(EntryKind::Adjust, at, -required, 0, taken(&takes), origin);
        }
        Ok(Answer::Adjusted(AdjustmentView::of_model(self, adjust, at)))
    }
}
