//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::ServerOptions;

/// Prepaid credits behind an API: keys, accounts, grants, charges, balances.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Allowed anywhere.
#[derive(Args, Debug)]
pub(crate) struct Globals {
    /// The data directory: of the server that is started, or of the one whose operator.key is used
    #[arg(long, global = true, env = "COFFER_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The running server that a command talks to [default: http://127.0.0.1:8080]
    #[arg(long, global = true, env = "COFFER_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The operator key that a command uses (better given by COFFER_OPERATOR_KEY or by --data)
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) operator_key: Option<String>,
    /// Print the API's JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The name of a request that moves credits; the same name never moves them twice
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(ServerOptions),
    /// Run a server to play with: loopback, a sample account of 1234 credits, fresh data
    Dev(ServerOptions),
    /// Accounts of a running server
    #[command(subcommand)]
    Account(AccountCommand),
    /// Customers' keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Operators' keys
    #[command(subcommand)]
    OperatorKey(OperatorKeyCommand),
    /// Give credits to an account
    Grant(GrantCommand),
    /// Spend credits of an account
    Charge(ChargeCommand),
    /// Show what an account has
    Balance(BalanceCommand),
    /// Print the OpenAPI document
    Openapi,
}

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

#[derive(Args, Debug)]
pub(crate) struct GrantCommand {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
    /// How much
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) credits: String,
    /// paid or promotional
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// 0 burns first, 100 last
    #[arg(long)]
    pub(crate) priority: Option<u8>,
    /// When it takes effect (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) effective_at: Option<String>,
    /// When it expires (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<String>,
    #[command(flatten)]
    pub(crate) note: NoteOptions,
}

#[derive(Args, Debug)]
pub(crate) struct ChargeCommand {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
    /// How much
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) credits: String,
    #[command(flatten)]
    pub(crate) note: NoteOptions,
}

#[derive(Args, Debug)]
pub(crate) struct BalanceCommand {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
}

#[derive(Args, Debug)]
pub(crate) struct NoteOptions {
    /// Your own word for it
    #[arg(long)]
    pub(crate) reference: Option<String>,
    /// Your own pairs
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) metadata: Vec<(String, String)>,
}

#[derive(Args, Debug)]
pub(crate) struct PageOptions {
    /// How many, 1 to 100
    #[arg(long)]
    pub(crate) limit: Option<u32>,
    /// The cursor that the page before ended with
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
