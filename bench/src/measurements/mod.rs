//! The measurements: each gives rows.

pub(crate) mod batches;
pub(crate) mod charges;
pub(crate) mod growth;
pub(crate) mod idle_accounts;
pub(crate) mod latency;
pub(crate) mod postgres;
pub(crate) mod reads;
pub(crate) mod single;
pub(crate) mod stream;
