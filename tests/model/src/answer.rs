//! Answers, as far as a user sees them: what both the model and a system say is turned into these, and compared.

use coffer_ledger::{
    AccountId, AccountRecord, AccountStatus, AdjustCredits, Adjustment, AdjustmentId, Balance, Category,
    Charge, ChargeId, Credits, Grant, GrantId, GrantStatus, HoldId, HoldRecord, HoldStatus, KeyId, KeyLimit,
    KeyRecord, Operation, Outcome, Price, Quantity, Rate, Reason, Reference, Refund, RefundId, Refusal,
    Reply, Timestamp, UuidBytes,
};

use crate::account::{Account, Amount, Hold, Key, Lot, amount, credits};

/// What the caller of a command gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// Whether it is the answer to an earlier request.
    pub replayed: bool,
}

/// What came of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words are those of the ledger's outcomes")]
pub enum Answer {
    AccountCreated(AccountView),
    AccountUpdated(AccountView),
    Granted(GrantView),
    GrantVoided(GrantView),
    Adjusted(AdjustmentView),
    Charged(ChargeView),
    Refunded(RefundView),
    Held(HoldView),
    Captured(ChargeView),
    Released(HoldView),
    Settled,
    KeyCreated(KeyView),
    KeyUpdated(KeyView),
    KeyRotated(KeyView),
    KeyRevoked(KeyView),
    PricePut(PriceView),
    PriceDeleted,
    Refused(Refusal),
}

macro_rules! views {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[expect(missing_docs, reason = "the words are the contract's")]
        pub struct $name { $(pub $field: $type,)* }
    )*};
}

views! {
    /// A balance that an answer tells.
    BalanceView { available: Amount, held: Amount, }
    /// An account.
    AccountView { id: AccountId, status: AccountStatus, overdraft_limit: Credits, balance: BalanceView, }
    /// A grant.
    GrantView {
        id: GrantId,
        credits: Amount,
        category: Category,
        priority: u8,
        effective_at: Timestamp,
        expires_at: Option<Timestamp>,
        remaining: Amount,
        held: Amount,
        status: GrantStatus,
        reference: Option<Reference>,
        created_at: Timestamp,
    }
    /// An adjustment.
    AdjustmentView {
        id: AdjustmentId,
        credits: Amount,
        reason: Option<Reason>,
        created_at: Timestamp,
        balance: BalanceView,
    }
    /// A charge.
    ChargeView {
        id: ChargeId,
        key_id: Option<KeyId>,
        hold_id: Option<HoldId>,
        operation: Option<Operation>,
        quantity: Option<Quantity>,
        credits: Amount,
        refunded: Amount,
        reference: Option<Reference>,
        created_at: Timestamp,
        balance: BalanceView,
    }
    /// A refund.
    RefundView {
        id: RefundId,
        charge_id: ChargeId,
        credits: Amount,
        created_at: Timestamp,
        balance: BalanceView,
    }
    /// A hold.
    HoldView {
        id: HoldId,
        key_id: Option<KeyId>,
        operation: Option<Operation>,
        quantity: Option<Quantity>,
        credits: Amount,
        captured: Amount,
        left: Amount,
        status: HoldStatus,
        reference: Option<Reference>,
        created_at: Timestamp,
        expires_at: Timestamp,
        balance: BalanceView,
    }
    /// A customer's key.
    KeyView {
        id: KeyId,
        is_disabled: bool,
        is_revoked: bool,
        expires_at: Option<Timestamp>,
        limit: Option<KeyLimit>,
    }
    /// A price.
    PriceView { id: UuidBytes, operation: Operation, rate: Rate, updated_at: Option<Timestamp>, }
}

impl Answered {
    /// What a system answered.
    ///
    /// # Panics
    /// Where it is the answer to a command that no history has.
    #[must_use]
    pub fn of(reply: &Reply) -> Answered {
        Answered { answer: Answer::of(&reply.outcome), replayed: reply.replayed }
    }
}

impl Answer {
    fn of(outcome: &Outcome) -> Answer {
        match outcome {
            Outcome::AccountCreated(record) => Answer::AccountCreated(AccountView::of(record)),
            Outcome::AccountUpdated(record) => Answer::AccountUpdated(AccountView::of(record)),
            Outcome::Granted(grant) => Answer::Granted(GrantView::of(grant, grant.created_at)),
            Outcome::GrantVoided(grant) => Answer::GrantVoided(GrantView::of(grant, Timestamp::MAX)),
            Outcome::Adjusted(adjustment) => Answer::Adjusted(AdjustmentView::of(adjustment)),
            Outcome::Charged(charge) => Answer::Charged(ChargeView::of(charge)),
            Outcome::Refunded(refund) => Answer::Refunded(RefundView::of(refund)),
            Outcome::Held(record) => Answer::Held(HoldView::of(record)),
            Outcome::Captured(charge) => Answer::Captured(ChargeView::of(charge)),
            Outcome::Released(record) => Answer::Released(HoldView::of(record)),
            Outcome::Settled => Answer::Settled,
            Outcome::KeyCreated(record) => Answer::KeyCreated(KeyView::of(record)),
            Outcome::KeyUpdated(record) => Answer::KeyUpdated(KeyView::of(record)),
            Outcome::KeyRotated(record) => Answer::KeyRotated(KeyView::of(record)),
            Outcome::KeyRevoked(record) => Answer::KeyRevoked(KeyView::of(record)),
            Outcome::PricePut(price) => Answer::PricePut(PriceView::of(price)),
            Outcome::PriceDeleted => Answer::PriceDeleted,
            Outcome::Refused(refusal) => Answer::Refused(refusal.clone()),
            Outcome::TextsErased
            | Outcome::OperatorKeyCreated(_)
            | Outcome::OperatorKeyRevoked(_)
            | Outcome::SessionOffered(_)
            | Outcome::SessionOpened(_)
            | Outcome::SessionUsed
            | Outcome::SessionsEnded { .. } => panic!("no history asks for {outcome:?}"),
        }
    }
}

impl BalanceView {
    fn of(balance: Balance) -> BalanceView {
        BalanceView { available: amount(balance.available), held: amount(balance.held) }
    }

    pub(crate) fn of_model(account: &Account) -> BalanceView {
        BalanceView { available: account.available(), held: account.held() }
    }
}

impl AccountView {
    fn of(record: &AccountRecord) -> AccountView {
        let account = &record.account;
        AccountView {
            id: record.profile.id,
            status: account.status,
            overdraft_limit: account.overdraft_limit,
            balance: BalanceView::of(account.balance),
        }
    }

    pub(crate) fn of_model(account: &Account) -> AccountView {
        AccountView {
            id: account.id,
            status: account.status,
            overdraft_limit: credits(account.overdraft_limit),
            balance: BalanceView::of_model(account),
        }
    }
}

impl GrantView {
    /// A grant of a system, at a time up to which its account is settled.
    pub(crate) fn of(grant: &Grant, settled_until: Timestamp) -> GrantView {
        let lot = &grant.lot;
        GrantView {
            id: lot.grant_id,
            credits: amount(lot.granted),
            category: lot.category,
            priority: lot.priority.get(),
            effective_at: lot.effective_at,
            expires_at: lot.expires_at,
            remaining: amount(lot.remaining),
            held: amount(lot.held),
            status: grant.status(settled_until),
            reference: grant.reference.clone(),
            created_at: grant.created_at,
        }
    }

    pub(crate) fn of_model(account: &Account, lot: &Lot, at: Timestamp) -> GrantView {
        GrantView {
            id: lot.grant_id,
            credits: lot.granted,
            category: lot.category,
            priority: lot.priority,
            effective_at: lot.effective_at,
            expires_at: lot.expires_at,
            remaining: lot.remaining,
            held: account.held_from(lot.grant_id),
            status: account.grant_status(lot, at),
            reference: lot.reference.clone(),
            created_at: lot.created_at,
        }
    }
}

impl AdjustmentView {
    fn of(adjustment: &Adjustment) -> AdjustmentView {
        AdjustmentView {
            id: adjustment.id,
            credits: amount(adjustment.credits),
            reason: adjustment.reason.clone(),
            created_at: adjustment.created_at,
            balance: BalanceView::of(adjustment.balance),
        }
    }

    pub(crate) fn of_model(account: &Account, adjust: &AdjustCredits, at: Timestamp) -> AdjustmentView {
        AdjustmentView {
            id: adjust.id,
            credits: amount(adjust.credits),
            reason: adjust.note.reason.clone(),
            created_at: at,
            balance: BalanceView::of_model(account),
        }
    }
}

impl ChargeView {
    fn of(charge: &Charge) -> ChargeView {
        ChargeView {
            id: charge.id,
            key_id: charge.key_id,
            hold_id: charge.hold_id,
            operation: charge.purpose.operation.clone(),
            quantity: charge.purpose.quantity,
            credits: amount(charge.credits),
            refunded: amount(charge.refunded),
            reference: charge.note.reference.clone(),
            created_at: charge.created_at,
            balance: BalanceView::of(charge.balance),
        }
    }
}

impl RefundView {
    fn of(refund: &Refund) -> RefundView {
        RefundView {
            id: refund.id,
            charge_id: refund.charge_id,
            credits: amount(refund.credits),
            created_at: refund.created_at,
            balance: BalanceView::of(refund.balance),
        }
    }
}

impl HoldView {
    fn of(record: &HoldRecord) -> HoldView {
        let hold = &record.hold;
        HoldView {
            id: hold.id,
            key_id: hold.key_id,
            operation: hold.priced.as_ref().map(|priced| priced.operation.clone()),
            quantity: hold.priced.as_ref().map(|priced| priced.quantity),
            credits: amount(hold.credits),
            captured: amount(hold.captured),
            left: amount(hold.left()),
            status: hold.status,
            reference: record.note.reference.clone(),
            created_at: hold.created_at,
            expires_at: hold.expires_at,
            balance: BalanceView::of(record.balance),
        }
    }

    pub(crate) fn of_model(hold: &Hold, balance: BalanceView) -> HoldView {
        HoldView {
            id: hold.id,
            key_id: hold.key_id,
            operation: hold.priced.as_ref().map(|(operation, ..)| operation.clone()),
            quantity: hold.priced.as_ref().map(|(_, quantity, _)| *quantity),
            credits: hold.credits,
            captured: hold.captured,
            left: hold.left(),
            status: hold.status,
            reference: hold.reference.clone(),
            created_at: hold.created_at,
            expires_at: hold.expires_at,
            balance,
        }
    }
}

impl KeyView {
    fn of(record: &KeyRecord) -> KeyView {
        let key = &record.key;
        KeyView {
            id: key.id,
            is_disabled: key.disabled,
            is_revoked: key.revoked_at.is_some(),
            expires_at: key.expires_at,
            limit: key.limit,
        }
    }

    pub(crate) fn of_model(key: &Key) -> KeyView {
        KeyView {
            id: key.id,
            is_disabled: key.is_disabled,
            is_revoked: key.is_revoked,
            expires_at: key.expires_at,
            limit: key.limit,
        }
    }
}

impl PriceView {
    fn of(price: &Price) -> PriceView {
        PriceView {
            id: price.id,
            operation: price.operation.clone(),
            rate: price.rate,
            updated_at: price.updated_at,
        }
    }
}
