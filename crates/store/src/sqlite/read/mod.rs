//! What readers ask the file for, a file per kind of record. All of it runs in one transaction of its caller's.

mod accounts;
mod charges;
mod entries;
mod grants;
mod holds;
mod keys;
mod prices;
mod stretch;
mod usage;

pub(super) use accounts::{
    account, account_record, account_records, accounts_due, accounts_named, each_account,
};
pub(super) use charges::{accounts_of_charges, all_refunded, charge, charges, entry_of_charge, refunded};
pub(super) use entries::{entries, last_entry};
pub(super) use grants::{account_and_grant, account_and_grants, account_of_grant, each_open_lot, grant};
pub(super) use holds::{accounts_of_holds, each_open_hold, hold, hold_alone, holds};
pub(super) use keys::{
    account_and_key, account_and_keys, each_key, each_operator_key, each_retired_secret, key_uses,
};
pub(super) use prices::{each_price, prices};
pub(super) use stretch::{Stretch, Untaken};
pub(super) use usage::usage;
