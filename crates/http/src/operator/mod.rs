//! The operator API: `/v1`, JSON in and out, RFC 9457 problems.
//!
//! A file per resource. Each handler reads as: who calls, what they said, the command, the answer. The wire
//! structs stand beside their routes; nothing here decides anything about credits.

pub(crate) mod accounts;
pub(crate) mod adjustments;
pub(crate) mod balances;
pub(crate) mod grants;

pub(crate) mod charges;
pub(crate) mod holds;
pub(crate) mod refunds;

pub(crate) mod batch;

pub(crate) mod keys;
pub(crate) mod verify;

pub(crate) mod portal_sessions;

pub(crate) mod prices;
pub(crate) mod statements;

pub(crate) mod operator_keys;

pub(crate) mod path;

mod answer;
mod spending;

use serde::Serialize;
use utoipa::ToSchema;

use coffer_ledger::{Balance, Credits};

use crate::fields;
use crate::openapi::form;

/// What an account can spend and what it has reserved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Balance)]
pub(crate) struct BalanceBody {
    /// What can be spent; below zero when in debt, the overdraft limit not added.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    available: Credits,
    /// What open holds have reserved.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    held: Credits,
}

impl From<Balance> for BalanceBody {
    fn from(balance: Balance) -> BalanceBody {
        BalanceBody { available: balance.available, held: balance.held }
    }
}

/// The body of a request that needs none.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}
