//! The API, route by route: the router in this process, a real store under it. What a scenario on the ledger
//! says is told here through HTTP, too.

mod support;

mod scenarios;

mod accounts;
mod adjustments;
mod balance;
mod balances;
mod batch;
mod charges;
mod customers;
mod erasure;
mod grants;
mod holds;
mod keys;
mod operator_keys;
mod prices;
mod refunds;
mod statements;
mod verify;

mod authentication;
mod bodies;
mod documents;
