//! The ledger's rules, written a second time: plain vectors, sums over all of them, no cleverness.
//!
//! [`Model`] takes the ledger's commands and says what must come of them. It was written from the rules alone and
//! shares nothing with the ledger but the types of commands, ids and amounts: two who misread a rule rarely
//! misread it alike. A [`Walk`] takes a history of [`Step`]s through the model and through a store, and compares
//! after every step. `tests/properties.rs` makes the histories.
//!
//! This crate deliberately does not care how fast the model is.

mod walk;

mod account;
mod answer;
mod model;
mod step;

pub use account::{Account, Amount, Charge, Count, Entry, Hold, Key, Lot, Take};
pub use answer::{
    AccountView, AdjustmentView, Answer, Answered, BalanceView, ChargeView, GrantView, HoldView, KeyView,
    PriceView, RefundView,
};
pub use model::Model;
pub use step::{Act, Change, CostOf, Jump, Mix, Payer, Pick, Portion, Size, Span, Step, When, history};
pub use walk::{Mismatch, Walk};
