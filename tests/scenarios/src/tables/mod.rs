//! The tables, a file per topic. A row is a time, an action, and what comes of it.

mod accounts;
mod charges;
mod idempotency;
mod precedence;
mod prices;

mod burning;
mod due;
mod overdraft;

mod adjustments;
mod refunds;
mod voids;

mod captures;
mod hold_ends;
mod holds;

mod caps;
mod caps_returned;
mod keys;

/// The tables of one topic, each with what it tells.
type Topic = &'static [(&'static str, &'static str)];

pub(crate) const TOPICS: [Topic; 17] = [
    charges::TABLES,
    burning::TABLES,
    due::TABLES,
    overdraft::TABLES,
    adjustments::TABLES,
    voids::TABLES,
    refunds::TABLES,
    holds::TABLES,
    captures::TABLES,
    hold_ends::TABLES,
    prices::TABLES,
    keys::TABLES,
    caps::TABLES,
    caps_returned::TABLES,
    accounts::TABLES,
    idempotency::TABLES,
    precedence::TABLES,
];
