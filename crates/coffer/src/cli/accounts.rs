//! Commands for accounts, and for what they have.

use clap::{Args, Subcommand};

use super::{PageOptions, pair};

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Open an account
    Create {
        /// What it is called
        #[arg(long)]
        name: String,
        /// Your own id for it
        #[arg(long)]
        external_id: Option<String>,
        /// How far below zero charges may take it
        #[arg(long, value_name = "CREDITS")]
        overdraft_limit: Option<String>,
        /// Your own pairs
        #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
        metadata: Vec<(String, String)>,
    },
    /// List accounts, newest first
    List {
        #[command(flatten)]
        page: PageOptions,
        /// Only the account with this external id
        #[arg(long)]
        external_id: Option<String>,
        /// Only accounts with this status: active, frozen or closed
        #[arg(long)]
        status: Option<String>,
    },
    /// Show an account
    Show {
        /// The account's id
        id: String,
    },
    /// Change an account, freeze it, or close it
    Update {
        /// The account's id
        id: String,
        #[command(flatten)]
        changes: AccountChanges,
    },
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct AccountChanges {
    /// What it is called
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// How far below zero charges may take it
    #[arg(long, value_name = "CREDITS")]
    pub(crate) overdraft_limit: Option<String>,
    /// active, frozen (nothing new is charged or held) or closed (for good; what is left is voided)
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// Your own pairs, in place of those it had
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) metadata: Vec<(String, String)>,
    /// Take away the pairs it had
    #[arg(long, conflicts_with = "metadata")]
    pub(crate) no_metadata: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BalanceOptions {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
}
