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
}

#[derive(Args, Debug)]
pub(crate) struct BalanceOptions {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
}
