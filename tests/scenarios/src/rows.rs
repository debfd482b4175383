//! What a row does: the actions that drivers carry out, and the looks that they take.
#![expect(missing_docs, reason = "the comment of `parse/mod.rs` says what each one reads like")]

use coffer_ledger::{
    AccountStatus, CaptureAmount, Category, Credits, Excess, KeyLimit, Priority, Quantity, Rate, Timestamp,
};

/// Something that a row does. A `name` is the idempotency key of the request, and what other rows call that which
/// came of it.
#[derive(Clone, Debug)]
pub enum Action {
    Open { account: String, overdraft: Credits, external_id: Option<String> },
    SetStatus { account: String, status: AccountStatus },
    SetOverdraft { account: String, limit: Credits },
    Settle { account: String },
    Grant(GrantRow),
    Void { grant: String, name: String },
    Adjust { account: String, credits: Credits, allow_negative: bool, name: String },
    Charge(SpendingRow),
    Refund { charge: String, credits: Option<Credits>, name: String },
    Hold { spending: SpendingRow, expires_in_ms: Option<u32> },
    Capture(CaptureRow),
    Release { hold: String, name: String },
    CreateKey(KeyRow),
    ImportKey { key: String, account: String, secret: String },
    SetDisabled { key: String, disabled: bool },
    SetLimit { key: String, limit: Option<KeyLimit> },
    Rotate { key: String, overlap_ms: Option<u32> },
    Revoke { key: String },
    PutPrice { operation: String, rate: Rate },
    DeletePrice { operation: String },
    Look(Look),
}

/// Something that a row looks at.
#[derive(Clone, Debug)]
pub enum Look {
    Balance { account: String },
    Lots { account: String },
    GrantStatus { grant: String },
    HoldStatus { hold: String },
    Read(Secret),
    Spent { key: String },
    Last { account: String },
    Kinds { account: String },
}

/// A grant to be made.
#[derive(Clone, Debug)]
pub struct GrantRow {
    pub account: String,
    pub credits: Credits,
    pub name: String,
    pub priority: Option<Priority>,
    pub category: Option<Category>,
    pub effective_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub reference: Option<String>,
}

/// A charge or a hold to be made.
#[derive(Clone, Debug)]
pub struct SpendingRow {
    pub payer: Payer,
    pub cost: RowCost,
    pub name: String,
    pub reference: Option<String>,
}

/// Who pays.
#[derive(Clone, Debug)]
pub enum Payer {
    /// An account.
    Account(String),
    /// The account of a customer's key.
    Key(Secret),
}

/// A secret of a customer's key.
#[derive(Clone, Debug)]
pub struct Secret {
    pub key: String,
    /// How many rotations ago the key had it: 0 is the newest.
    pub rotations_ago: usize,
}

/// What something costs.
#[derive(Clone, Debug)]
pub enum RowCost {
    Credits(Credits),
    Operation { operation: String, quantity: Option<Quantity> },
}

/// A capture to be made.
#[derive(Clone, Debug)]
pub struct CaptureRow {
    pub hold: String,
    pub amount: CaptureAmount,
    pub is_final: Option<bool>,
    pub excess: Option<Excess>,
    pub name: String,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct KeyRow {
    pub account: String,
    pub name: String,
    pub limit: Option<KeyLimit>,
    pub expires_at: Option<Timestamp>,
}
