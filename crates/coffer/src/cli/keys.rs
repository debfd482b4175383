//! Commands for the keys of customers and operators.

use clap::{Args, Subcommand};

use super::{CostOptions, PageOptions, pair};

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; its secret is shown this once
    Create {
        /// The account's id
        #[arg(long)]
        account: String,
        /// What it is called
        #[arg(long)]
        name: String,
        /// When it stops working (RFC 3339)
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
        /// How much it may spend in each period
        #[arg(long, value_name = "CREDITS", requires = "limit_period")]
        limit: Option<String>,
        /// day, week, month or total
        #[arg(long, value_name = "PERIOD", requires = "limit")]
        limit_period: Option<String>,
        /// Your own pairs
        #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
        metadata: Vec<(String, String)>,
    },
    /// Take over a key that a customer has already; the secret is read from standard input
    Import {
        /// The account's id
        #[arg(long)]
        account: String,
        /// What it is called
        #[arg(long)]
        name: String,
        /// Take a secret of fewer than 32 characters
        #[arg(long)]
        allow_weak: bool,
    },
    /// List an account's keys, newest first
    List {
        /// The account's id
        #[arg(long)]
        account: String,
        #[command(flatten)]
        page: PageOptions,
    },
    /// Show a key
    Show {
        /// The key's id
        id: String,
    },
    /// Change a key, switch it off, or switch it on again
    Update {
        /// The key's id
        id: String,
        #[command(flatten)]
        changes: KeyChanges,
    },
    /// Give a key a new secret, which is shown this once
    Rotate {
        /// The key's id
        id: String,
        /// How long the old secret goes on working, 0 to 604800 [default: 0]
        #[arg(long, value_name = "SECONDS")]
        overlap_seconds: Option<u32>,
    },
    /// Ask whether a key works and could pay, without spending; the secret is read from standard input
    Verify {
        #[command(flatten)]
        cost: CostOptions,
    },
    /// Kill a key, for good
    Revoke {
        /// The key's id
        id: String,
    },
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct KeyChanges {
    /// What it is called
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// When it stops working (RFC 3339), or never
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<String>,
    /// How much it may spend in each period
    #[arg(long, value_name = "CREDITS", requires = "limit_period")]
    pub(crate) limit: Option<String>,
    /// day, week, month or total
    #[arg(long, value_name = "PERIOD", requires = "limit")]
    pub(crate) limit_period: Option<String>,
    /// Let it spend all that the account has
    #[arg(long, conflicts_with = "limit")]
    pub(crate) no_limit: bool,
    /// Switch it off
    #[arg(long)]
    pub(crate) disable: bool,
    /// Switch it on again
    #[arg(long, conflicts_with = "disable")]
    pub(crate) enable: bool,
    /// Your own pairs, in place of those it had
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) metadata: Vec<(String, String)>,
    /// Take away the pairs it had
    #[arg(long, conflicts_with = "metadata")]
    pub(crate) no_metadata: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OperatorKeyCommand {
    /// Make an operator's key; its secret is shown this once. With --data and no server running there, it is
    /// made in the data directory itself; with --database-url, in the database
    Create {
        /// What it is called
        #[arg(long, default_value = "operator")]
        name: String,
        /// What it may do: read, charge, grant, manage, admin (all, if not given)
        #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
        scopes: Vec<String>,
    },
    /// List operators' keys, newest first
    List {
        #[command(flatten)]
        page: PageOptions,
    },
    /// Kill an operator's key, for good
    Revoke {
        /// The operator key's id
        id: String,
    },
}
