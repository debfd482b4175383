//! Commands for accounts, and for what they have and have done.

use clap::{Args, Subcommand, ValueEnum};

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
    /// Erase the free text of an account's entries: references and metadata. The amounts stay
    Erase {
        /// The account's id
        id: String,
        /// Only of entries up to this time (RFC 3339) [default: now]
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
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
pub(crate) struct PortalOptions {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
    /// How long the link is good for, in seconds, 60 to 86400 [default: 900]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) expires_in: Option<u32>,
    /// Where the way back leads, on one of the server's return_origins
    #[arg(long, value_name = "URL")]
    pub(crate) return_url: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct BalanceOptions {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
    /// What it had at this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct StatementOptions {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
    #[command(flatten)]
    pub(crate) range: RangeOptions,
    /// Only entries of this kind: grant, charge, hold, capture, release, refund, expire, void or adjust
    #[arg(long)]
    pub(crate) kind: Option<String>,
    #[command(flatten)]
    pub(crate) page: PageOptions,
    /// table is a page, newest first; csv and ndjson are the whole range, oldest first
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: StatementFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatementFormat {
    #[default]
    Table,
    Csv,
    Ndjson,
}

#[derive(Args, Debug)]
pub(crate) struct UsageOptions {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
    /// What the sums are for: day, key or operation [default: day]
    #[arg(long)]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) range: RangeOptions,
}

#[derive(Args, Debug)]
pub(crate) struct RangeOptions {
    /// From this time on (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Up to, and without, this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
}
