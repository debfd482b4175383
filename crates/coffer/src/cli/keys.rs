//! Commands for the keys of customers and operators.

use clap::Subcommand;

use super::{PageOptions, pair};

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
    /// Kill a key, for good
    Revoke {
        /// The key's id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OperatorKeyCommand {
    /// Make an operator's key; its secret is shown this once. With --data and no server running there, it is
    /// made in the data directory itself
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
